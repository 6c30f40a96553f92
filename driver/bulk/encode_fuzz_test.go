package bulk

import (
	"bytes"
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
	"unsafe"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

type fuzzRow struct {
	I    *int64
	F    float64
	B    bool
	S    string
	By   []byte
	L    []string
	Size int64 `bigquery:"größe"`
	R    *struct {
		S string
		I int64
	}
}

func fuzzColumns() []*column {
	columns := []*column{
		{name: "i", typ: "INT64"}, {name: "f", typ: "FLOAT64"}, {name: "b", typ: "BOOL"}, {name: "s", typ: "STRING"},
		{name: "by", typ: "BYTES"}, {name: "l", typ: "STRING", mode: "REPEATED"}, {name: "größe", typ: "INT64"},
		{name: "r", typ: "STRUCT", fields: []*column{
			{name: "s", typ: "STRING", number: 1}, {name: "i", typ: "INT64", number: 2},
		}},
	}
	for i, c := range columns {
		c.number = protowire.Number(i + 1)
	}
	return columns
}

// FuzzEncode: the protobuf library reads the values that the encoder wrote, by the descriptor that is sent with
// them. The line of JSON that a load job would get has the same values.
func FuzzEncode(f *testing.F) {
	f.Add(int64(1), 1.5, true, "text", []byte{0, 1}, "a,b", int64(7), uint8(3))
	f.Add(int64(math.MinInt64), math.Inf(-1), false, strings.Repeat("é", 100), []byte{}, "", int64(-1), uint8(0))
	columns := fuzzColumns()
	encode, _, err := rowEncoder(columns, reflect.TypeFor[fuzzRow]())
	if err != nil {
		f.Fatal(err)
	}
	file, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: proto.String("row.proto"), MessageType: []*descriptorpb.DescriptorProto{descriptor("Row", columns)},
	}, nil)
	if err != nil {
		f.Fatal(err)
	}
	schema := file.Messages().Get(0)
	at := func(m protoreflect.Message, i int) protoreflect.Value { return m.Get(m.Descriptor().Fields().Get(i)) }
	f.Fuzz(func(t *testing.T, i int64, fl float64, b bool, s string, by []byte, list string, size int64, nulls uint8) {
		row := fuzzRow{I: &i, F: fl, B: b, S: s, By: by, L: strings.Split(list, ","), Size: size}
		if nulls&1 != 0 {
			row.I = nil
		}
		if nulls&2 == 0 {
			row.R = &struct {
				S string
				I int64
			}{s, size}
		}
		text, null, err := encode(nil, unsafe.Pointer(&row))
		if valid := utf8.ValidString(s) && utf8.ValidString(list); null || (err == nil) != valid {
			t.Fatalf("got null %t, %v; the texts are valid: %t", null, err, valid)
		}
		if err != nil {
			return
		}
		m := dynamicpb.NewMessage(schema)
		if err := proto.Unmarshal(text, m); err != nil || len(m.GetUnknown()) > 0 {
			t.Fatalf("got %v, unknown fields %x", err, m.GetUnknown())
		}
		fields := schema.Fields()
		if m.Has(fields.Get(0)) != (row.I != nil) || row.I != nil && at(m, 0).Int() != i || at(m, 2).Bool() != b ||
			math.Float64bits(at(m, 1).Float()) != math.Float64bits(fl) || at(m, 3).String() != s ||
			m.Has(fields.Get(4)) != (by != nil) || !bytes.Equal(at(m, 4).Bytes(), by) || at(m, 6).Int() != size {
			t.Errorf("got %v of %+v", m, row)
		}
		for j, want := range row.L {
			if l := at(m, 5).List(); l.Len() != len(row.L) || l.Get(j).String() != want {
				t.Errorf("got %v; want %q", l, row.L)
			}
		}
		if m.Has(fields.Get(7)) != (row.R != nil) ||
			row.R != nil && (at(at(m, 7).Message(), 0).String() != s || at(at(m, 7).Message(), 1).Int() != size) {
			t.Errorf("got %v of %+v", at(m, 7), row.R)
		}
		line, err := appendJSON(nil, columns, text, func(int) bool { return true })
		var object struct {
			S    string
			L    []string
			By   []byte
			Size json.Number `json:"größe"`
			R    *struct{ S string }
		}
		if err == nil {
			err = json.Unmarshal(line, &object)
		}
		if err != nil || object.S != s || !reflect.DeepEqual(object.L, row.L) || !bytes.Equal(object.By, by) ||
			(object.R == nil) != (row.R == nil) {
			t.Errorf("got %v, %s", err, line)
		}
	})
}
