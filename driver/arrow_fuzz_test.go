package driver

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/decimal256"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	arrowmemory "github.com/apache/arrow-go/v18/arrow/memory"
	bq "google.golang.org/api/bigquery/v2"
)

// arrowForms are the scalar types as the Storage Read API sends them, with two values each.
var arrowForms = []struct {
	name   string
	typ    arrow.DataType
	append func(array.Builder)
}{
	{
		"INT64",
		arrow.PrimitiveTypes.Int64,
		func(b array.Builder) { b.(*array.Int64Builder).AppendValues([]int64{-1, 1 << 40}, nil) },
	},
	{
		"FLOAT64",
		arrow.PrimitiveTypes.Float64,
		func(b array.Builder) { b.(*array.Float64Builder).AppendValues([]float64{-1, 1e300}, nil) },
	},
	{
		"BOOL",
		arrow.FixedWidthTypes.Boolean,
		func(b array.Builder) { b.(*array.BooleanBuilder).AppendValues([]bool{true, false}, nil) },
	},
	{
		"STRING",
		arrow.BinaryTypes.String,
		func(b array.Builder) { b.(*array.StringBuilder).AppendValues([]string{"é😀", ""}, nil) },
	},
	{
		"BYTES",
		arrow.BinaryTypes.Binary,
		func(b array.Builder) { b.(*array.BinaryBuilder).AppendValues([][]byte{{0, 255}, {}}, nil) },
	},
	{"NUMERIC", &arrow.Decimal128Type{Precision: 38, Scale: 9}, func(b array.Builder) {
		b.(*array.Decimal128Builder).AppendValues([]decimal128.Num{decimal128.FromI64(-1), decimal128.New(1, 1)}, nil)
	}},
	{"BIGNUMERIC", &arrow.Decimal256Type{Precision: 76, Scale: 38}, func(b array.Builder) {
		values := []decimal256.Num{decimal256.FromI64(-1), decimal256.New(1<<63, 0, 0, 0)}
		b.(*array.Decimal256Builder).AppendValues(values, nil)
	}},
	{"TIMESTAMP", &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}, func(b array.Builder) {
		b.(*array.TimestampBuilder).AppendValues([]arrow.Timestamp{minMicros, maxMicros}, nil)
	}},
	{
		"DATETIME",
		&arrow.TimestampType{Unit: arrow.Microsecond},
		func(b array.Builder) { b.(*array.TimestampBuilder).AppendValues([]arrow.Timestamp{-1, 0}, nil) },
	},
	{
		"DATE",
		arrow.FixedWidthTypes.Date32,
		func(b array.Builder) { b.(*array.Date32Builder).AppendValues([]arrow.Date32{-1, 20000}, nil) },
	},
	{
		"TIME",
		arrow.FixedWidthTypes.Time64us,
		func(b array.Builder) { b.(*array.Time64Builder).AppendValues([]arrow.Time64{0, 86399999999}, nil) },
	},
	{"INTERVAL", arrow.FixedWidthTypes.MonthDayNanoInterval, func(b array.Builder) {
		values := []arrow.MonthDayNanoInterval{{Months: -1, Days: 2, Nanoseconds: -1000}, {}}
		b.(*array.MonthDayNanoIntervalBuilder).AppendValues(values, nil)
	}},
}

// arrowMessages makes a schema with a column of each type, its ARRAY, its STRUCT and the
// RANGEs, the same as an IPC message, and a record batch of two rows and a NULL.
func arrowMessages(t testing.TB, options ...ipc.Option) (fields []*bq.TableFieldSchema, schema, batch []byte) {
	t.Helper()
	var forms []arrow.Field
	var fill []func(array.Builder)
	add := func(f *bq.TableFieldSchema, typ arrow.DataType, values func(array.Builder)) {
		fields = append(fields, f)
		forms = append(forms, arrow.Field{Name: f.Name, Type: typ, Nullable: f.Mode != "REQUIRED"})
		fill = append(fill, values)
	}
	for _, form := range arrowForms {
		f := &bq.TableFieldSchema{Name: form.name, Type: form.name}
		add(f, form.typ, func(b array.Builder) { form.append(b); b.AppendNull() })
		repeated := &bq.TableFieldSchema{Name: form.name, Type: form.name, Mode: "REPEATED"}
		add(repeated, arrow.ListOf(form.typ), func(b array.Builder) {
			list := b.(*array.ListBuilder)
			list.Append(true)
			form.append(list.ValueBuilder())
			list.Append(true)
			list.AppendNull()
		})
		required := *f
		required.Mode = "REQUIRED"
		record := &bq.TableFieldSchema{Name: form.name, Type: "RECORD", Fields: []*bq.TableFieldSchema{&required}}
		add(record, arrow.StructOf(arrow.Field{Name: form.name, Type: form.typ}), func(b array.Builder) {
			record := b.(*array.StructBuilder)
			record.AppendValues([]bool{true, true})
			form.append(record.FieldBuilder(0))
			record.AppendNull()
		})
		if scalarsByName[form.name].end != nil {
			ends := []arrow.Field{{Name: "start", Type: form.typ, Nullable: true}, {Name: "end", Type: form.typ, Nullable: true}}
			add(&bq.TableFieldSchema{
				Name:             form.name,
				Type:             "RANGE",
				RangeElementType: &bq.TableFieldSchemaRangeElementType{Type: form.name},
			}, arrow.StructOf(ends...), func(b array.Builder) {
				record := b.(*array.StructBuilder)
				record.AppendValues([]bool{true, true})
				form.append(record.FieldBuilder(0))
				record.FieldBuilder(1).AppendNulls(2)
				record.AppendNull()
			})
		}
	}
	shape := arrow.NewSchema(forms, nil)
	builder := array.NewRecordBuilder(arrowmemory.DefaultAllocator, shape)
	defer builder.Release()
	for i := range fill {
		fill[i](builder.Field(i))
	}
	record := builder.NewRecordBatch()
	defer record.Release()
	var out bytes.Buffer
	w := ipc.NewWriter(&out, append(options, ipc.WithSchema(shape))...)
	if err := w.Write(record); err != nil {
		t.Fatal(err)
	}
	var empty bytes.Buffer
	if err := ipc.NewWriter(&empty, ipc.WithSchema(shape)).Close(); err != nil {
		t.Fatal(err)
	}
	end := empty.Len() - 8 // the mark of the end of a stream
	return fields, empty.Bytes()[:end], out.Bytes()[end:]
}

// readArrow decodes messages of three rows, as a stream's reader does, and returns the rows of the last.
func readArrow(fields []*bq.TableFieldSchema, schema []byte, messages ...[]byte) (b *batch, columns []column, err error) {
	if columns, err = newColumns(&bq.TableSchema{Fields: fields}); err != nil {
		return nil, nil, err
	}
	r, err := newArrowReader(columns, fields, schema, nil, nil)
	if err != nil {
		return nil, nil, err
	}
	defer r.close()
	for _, message := range messages {
		record, err := r.record(message, 3)
		if err != nil {
			return nil, nil, err
		}
		if b, err = r.batch(record, 0, 3); err != nil {
			return nil, nil, err
		}
	}
	return b, columns, nil
}

// FuzzArrow: a record batch that is spoilt anywhere, or cut, never panics and takes no more memory than its length
// allows. Its values have the types of their columns, also if it uses the memory of a good record. The schema is not
// spoilt, because Arrow's reader allocates what it says.
func FuzzArrow(f *testing.F) {
	type stream struct {
		fields        []*bq.TableFieldSchema
		schema, batch []byte
	}
	var streams []stream
	for _, options := range [][]ipc.Option{nil, {ipc.WithLZ4()}} {
		fields, schema, message := arrowMessages(f, options...)
		streams = append(streams, stream{fields, schema, message})
		if b, _, err := readArrow(fields, schema, message); err != nil || b.rows != 3 {
			f.Fatalf("unspoilt: got %v", err)
		}
	}
	for i := range streams {
		for at := 0; at < len(streams[i].batch); at += 401 {
			f.Add(uint8(i), uint32(at), uint64(0xff), uint32(0))
			f.Add(uint8(i), uint32(at), uint64(1)<<63|1<<31|1<<7, uint32(at))
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, at uint32, mask uint64, cut uint32) {
		s := streams[int(which)%len(streams)]
		message := bytes.Clone(s.batch)
		for i := range 8 { // up to eight bytes from at on
			message[(int(at)+i)%len(message)] ^= byte(mask >> (8 * i))
		}
		message = message[:len(message)-int(cut)%len(message)]
		b, columns, err := readArrow(s.fields, s.schema, s.batch, message)
		if err != nil {
			return
		}
		for i, v := range b.values {
			col := &columns[i%len(columns)]
			if v != nil && reflect.TypeOf(v) != col.kind.plain || v == nil && !col.nullable() {
				t.Errorf("%s read a %T", col.typeName, v)
			}
			if text, ok := v.(string); ok && strings.ToValidUTF8(text, "") != text {
				t.Errorf("%s read text that is not UTF-8: %q", col.typeName, text)
			}
		}
	})
}

// TestArrowRefused: a batch that is not of the result's types, or has a NULL where none may be,
// is an error that names the column.
func TestArrowRefused(t *testing.T) {
	t.Parallel()
	fields, schema, message := arrowMessages(t)
	other := map[string]string{
		"INT64":      "STRING",
		"FLOAT64":    "INT64",
		"BOOL":       "BYTES",
		"STRING":     "BYTES",
		"BYTES":      "STRING",
		"NUMERIC":    "BIGNUMERIC",
		"BIGNUMERIC": "NUMERIC",
		"TIMESTAMP":  "DATE",
		"DATETIME":   "TIME",
		"DATE":       "DATETIME",
		"TIME":       "INTERVAL",
		"INTERVAL":   "BOOL",
	}
	for i, f := range fields {
		wrong := *f
		switch f.Type {
		case "RANGE":
			wrong.RangeElementType = &bq.TableFieldSchemaRangeElementType{
				Type: map[string]string{"DATE": "TIMESTAMP", "DATETIME": "DATE", "TIMESTAMP": "DATE"}[f.Name],
			}
		case "RECORD":
			wrong.Fields = []*bq.TableFieldSchema{{Name: f.Name, Type: other[f.Name]}}
		default:
			wrong.Type = other[f.Type]
		}
		changes := []*bq.TableFieldSchema{&wrong}
		if f.Mode == "" { // all of them have a NULL
			required, repeated := *f, *f
			required.Mode, repeated.Mode = "REQUIRED", "REPEATED"
			changes = append(changes, &required, &repeated)
		}
		for _, change := range changes {
			declared := slices.Clone(fields)
			declared[i] = change
			if _, _, err := readArrow(declared, schema, message); err == nil ||
				!strings.Contains(err.Error(), `column "`+f.Name+`"`) {
				t.Errorf("a %s %s read as a %s %s: got %v", f.Mode, f.Type, change.Mode, change.Type, err)
			}
		}
	}
	if _, _, err := readArrow(fields[1:], schema, message); err == nil {
		t.Error("a column too many: got no error")
	}
	for _, spoilt := range [][]byte{nil, {0xff}, schema, message[:len(message)-1], bytes.Repeat([]byte{0x7f}, 100)} {
		if _, _, err := readArrow(fields, schema, spoilt); err == nil {
			t.Errorf("a message of %d bytes: got no error", len(spoilt))
		}
		if _, _, err := readArrow(fields, spoilt, message); err == nil && !bytes.Equal(spoilt, schema) {
			t.Errorf("a schema of %d bytes: got no error", len(spoilt))
		}
	}
}
