package driver

import (
	"bytes"
	"database/sql/driver"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	bq "google.golang.org/api/bigquery/v2"
)

func readPage(t testing.TB, body string) ([][]driver.Value, error) {
	t.Helper()
	pg, err := parsePage([]byte(body), 0)
	if err != nil {
		return nil, err
	}
	columns, err := newColumns(pg.Schema)
	if err != nil {
		return nil, err
	}
	b := &jsonRows{columns: columns, cursor: &cursor{buf: pg.rows, boxes: new(boxes)}}
	var rows [][]driver.Value
	for {
		dest := make([]driver.Value, len(columns))
		if pg.rows == nil {
			return rows, nil
		}
		ok, err := b.next(dest)
		if !ok {
			return rows, err
		}
		rows = append(rows, dest)
	}
}

const twoColumns = `"schema":{"fields":[{"name":"n","type":"INTEGER"},{"name":"s","type":"STRING","mode":"REQUIRED"}]}`

const (
	oneArray  = `"schema":{"fields":[{"name":"n","type":"INTEGER","mode":"REPEATED"}]}`
	oneStruct = `"schema":{"fields":[{"name":"s","type":"RECORD","fields":[{"name":"a","type":"INTEGER"},` +
		`{"name":"b","type":"RECORD","mode":"REPEATED","fields":[{"name":"","type":"STRING"}]}]}]}`
)

func TestPage(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, body string
		want       [][]driver.Value
		wantErr    string
	}{
		{"rows after the schema", `{` + twoColumns + `,"rows":[{"f":[{"v":"1"},{"v":"a"}]},{"f":[{"v":null},{"v":""}]}]}`,
			[][]driver.Value{{int64(1), "a"}, {nil, ""}}, ""},
		{"rows before the schema, white space everywhere",
			"{ \"rows\" : [ { \"f\" : [ { \"v\" : \"1\" } , { \"v\" : \"a\" } ] } ] ,\n" + twoColumns + " }",
			[][]driver.Value{{int64(1), "a"}}, ""},
		{"escapes", `{` + twoColumns + `,"rows":[{"f":[{"v":"1"},{"v":"\"\\\/\b\f\n\r\té😀\ud800x"}]}]}`,
			[][]driver.Value{{int64(1), "\"\\/\b\f\n\r\té😀\uFFFDx"}}, ""},
		{"no rows", `{` + twoColumns + `}`, nil, ""},
		{"an empty list of rows", `{` + twoColumns + `,"rows":[]}`, nil, ""},
		{"rows null", `{` + twoColumns + `,"rows":null}`, nil, ""},
		{"no columns", `{"jobComplete":true}`, nil, ""},
		{"too few cells", `{` + twoColumns + `,"rows":[{"f":[{"v":"1"}]}]}`, nil, `row 1 of the result, column "s"`},
		{"too many cells", `{` + twoColumns + `,"rows":[{"f":[{"v":"1"},{"v":"a"},{"v":"b"}]}]}`, nil, "more values"},
		{
			"a bad cell in the second row",
			`{` + twoColumns + `,"rows":[{"f":[{"v":"1"},{"v":"a"}]},{"f":[{"v":"x"},{"v":"a"}]}]}`,
			nil,
			`row 2 of the result, column "n": not a INT64`,
		},
		{"a number instead of text", `{` + twoColumns + `,"rows":[{"f":[{"v":1},{"v":"a"}]}]}`, nil, `column "n"`},
		{
			"NULL in a REQUIRED column",
			`{` + twoColumns + `,"rows":[{"f":[{"v":"1"},{"v":null}]}]}`,
			nil,
			"NULL in a REQUIRED column",
		},
		{"truncated", `{` + twoColumns + `,"rows":[{"f":[{"v":"1"},{"v":"a`, nil, "can't be read"},
		{"not JSON", `<html>`, nil, "can't be read"},
		{"empty", ``, nil, "can't be read"},
		{"a control character", `{` + twoColumns + `,"rows":[{"f":[{"v":"1"},{"v":"` + "\n" + `"}]}]}`, nil, `column "s"`},
		{"a wrong escape", `{` + twoColumns + `,"rows":[{"f":[{"v":"1"},{"v":"\x"}]}]}`, nil, `column "s"`},
		{"a cell without v", `{` + twoColumns + `,"rows":[{"f":[{"w":"1"},{"v":"a"}]}]}`, nil, `column "n"`},
		{"a row that is no object", `{` + twoColumns + `,"rows":[1]}`, nil, "row 1"},
		{
			"an unknown type",
			`{"schema":{"fields":[{"name":"n","type":"HOLOGRAM"}]}}`,
			nil,
			`column 1, "n": the type HOLOGRAM`,
		},
		{
			"an ARRAY",
			`{` + oneArray + `,"rows":[{"f":[{"v":[{"v":"1"},{"v":"2"}]}]},{"f":[{"v":[]}]},{"f":[{"v":null}]},` +
				`{"f":[{"v": [ { "v" : "3" } ] }]}]}`,
			[][]driver.Value{{[]int64{1, 2}}, {[]int64{}}, {[]int64{}}, {[]int64{3}}},
			"",
		},
		{
			"a NULL in an ARRAY",
			`{` + oneArray + `,"rows":[{"f":[{"v":[{"v":"1"},{"v":null}]}]}]}`,
			nil,
			`column "n": [1]: NULL in an ARRAY`,
		},
		{
			"a bad element",
			`{` + oneArray + `,"rows":[{"f":[{"v":[{"v":"1"},{"v":"x"}]}]}]}`,
			nil,
			`column "n": [1]: not a INT64`,
		},
		{"an ARRAY that ends early", `{` + oneArray + `,"rows":[{"f":[{"v":[{"v":"1"}}]}]}`, nil, "can't be read"},
		{"text instead of an ARRAY", `{` + oneArray + `,"rows":[{"f":[{"v":"1"}]}]}`, nil, `column "n"`},
		{
			"a STRUCT",
			`{` + oneStruct + `,"rows":[{"f":[{"v":{"f":[{"v":"1"},{"v":[{"v":{"f":[{"v":"a"}]}}]}]}}]},{"f":[{"v":null}]}]}`,
			[][]driver.Value{{Struct{[]StructField{{"a", int64(1)}, {"b", []Struct{{[]StructField{{"", "a"}}}}}}}}, {nil}},
			"",
		},
		{
			"a STRUCT with too few fields",
			`{` + oneStruct + `,"rows":[{"f":[{"v":{"f":[{"v":"1"}]}}]}]}`,
			nil,
			`column "s": .b: the row has fewer values`,
		},
		{
			"a bad field",
			`{` + oneStruct + `,"rows":[{"f":[{"v":{"f":[{"v":"1"},{"v":[{"v":{"f":[{"v":1}]}}]}]}}]}]}`,
			nil,
			`column "s": .b: [0]: .: a cell`,
		},
	} {
		got, err := readPage(t, tt.body)
		if tt.wantErr != "" {
			if err == nil || !strings.Contains(err.Error(), tt.wantErr) {
				t.Errorf("%s: got %v, %v; want an error with %q", tt.name, got, err, tt.wantErr)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		} else if !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: got %v; want %v", tt.name, got, tt.want)
		}
	}
}

// FuzzPage: no input panics, and the driver reads the same as encoding/json.
func FuzzPage(f *testing.F) {
	for _, s := range []string{
		`{` + twoColumns + `,"rows":[{"f":[{"v":"1"},{"v":"a\u00e9"}]},{"f":[{"v":null},{"v":"\ud83d\ude00"}]}]}`,
		`{"rows":[],` + twoColumns + `}`, `{"rows":[{"f":[]}],"schema":{}}`, `{"a":[[{}]],"b":"\\"}`, `{`, `{"rows":[`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		got, err := readPage(t, body)
		if err != nil || !json.Valid([]byte(body)) {
			return
		}
		var plain struct {
			Schema *bq.TableSchema
			Rows   []struct{ F []struct{ V *string } }
		}
		if json.Unmarshal([]byte(body), &plain) != nil || plain.Schema == nil {
			return
		}
		if len(got) != len(plain.Rows) {
			t.Fatalf("got %d rows; encoding/json reads %d", len(got), len(plain.Rows))
		}
		for i, row := range got {
			for j, v := range row {
				s, isString := v.(string)
				if plain.Schema.Fields[j].Type != "STRING" || !isString {
					continue
				}
				if want := plain.Rows[i].F[j].V; want == nil || *want != s {
					t.Errorf("row %d, column %d: got %q; encoding/json reads %v", i, j, s, want)
				}
			}
		}
	})
}

// everyType is a schema with a column of each type, and an ARRAY and a STRUCT of it.
func everyType() []column {
	var fields []*bq.TableFieldSchema
	for _, k := range scalars {
		f := &bq.TableFieldSchema{Name: k.name, Type: k.name}
		fields = append(fields, f, &bq.TableFieldSchema{Name: k.name, Type: k.name, Mode: "REPEATED"},
			&bq.TableFieldSchema{Name: k.name, Type: "RECORD", Fields: []*bq.TableFieldSchema{f}})
	}
	for _, k := range scalars {
		if k.end == nil {
			continue
		}
		fields = append(fields, &bq.TableFieldSchema{
			Name:             k.name,
			Type:             "RANGE",
			RangeElementType: &bq.TableFieldSchemaRangeElementType{Type: k.name},
		})
	}
	columns, err := newColumns(&bq.TableSchema{Fields: fields})
	if err != nil {
		panic(err)
	}
	return columns
}

// FuzzCell: no cell of any type panics. A cell that is read is valid JSON, and its value is NULL or has the
// type that the column reports.
func FuzzCell(f *testing.F) {
	columns := everyType()
	for i := range columns {
		for _, text := range []string{
			`"1"`, `"1.5"`, `"true"`, `"2024-02-29"`, `"2024-02-29T01:02:03.5"`, `"01:02:03"`, `"AQ=="`, `null`,
			`[{"v":"1"}]`, `{"f":[{"v":"NaN"}]}`, `"[2024-01-01, UNBOUNDED)"`, `"[0, 1)"`, `"\u00e9"`,
			`"-9223372036854775808"`,
		} {
			f.Add(uint8(i), text)
		}
	}
	f.Fuzz(func(t *testing.T, i uint8, text string) {
		col := &columns[int(i)%len(columns)]
		cell := `{"v":` + text + `}`
		c := &cursor{buf: []byte(cell), boxes: new(boxes)}
		v, err := col.cell(c)
		if err != nil || c.pos != len(c.buf) {
			return
		}
		if !json.Valid([]byte(cell)) {
			t.Errorf("%s read %s, which is no JSON", col.typeName, cell)
		}
		if v != nil && reflect.TypeOf(v) != col.kind.plain {
			t.Errorf("%s read %s as a %T; want %v", col.typeName, cell, v, col.kind.plain)
		}
		if v == nil && !strings.Contains(text, "null") {
			t.Errorf("%s read %s as NULL", col.typeName, cell)
		}
	})
}

// FuzzPlain: eight bytes at a time find what one byte at a time finds, at every offset.
func FuzzPlain(f *testing.F) {
	for _, s := range []string{
		"", `"`, "abcdefgh", "abcdefg\"", "abcdefgh\\", "\x1f\x20\x21\x7f\x80\x9f\xa0\xa2\xdc\xff", "é😀é😀é😀\n",
		"\x21\x22\x23\x5b\x5d\xa2\xdc\x00\x80\x9f", strings.Repeat("x", 100) + `\u0000"`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for from := range len(text) + 1 {
			b := text[from:]
			want := 0
			for want < len(b) && b[want] != '"' && b[want] != '\\' && b[want] >= ' ' {
				want++
			}
			if got := plain(b); got != want {
				t.Fatalf("%q: got %d; want %d", b, got, want)
			}
		}
	})
}

// TestPlain is FuzzPlain for every byte at every place of a word, with every byte after it.
func TestPlain(t *testing.T) {
	t.Parallel()
	stops := func(ch byte) bool { return ch == '"' || ch == '\\' || ch < ' ' }
	var b [19]byte
	for at := range len(b) - 1 {
		for ch := range 256 {
			for after := range 256 {
				for i := range b {
					b[i] = 'x'
				}
				b[at], b[at+1] = byte(ch), byte(after)
				want := len(b)
				switch {
				case stops(byte(ch)):
					want = at
				case stops(byte(after)):
					want = at + 1
				}
				if got := plain(b[:]); got != want {
					t.Fatalf("%q: got %d; want %d", b, got, want)
				}
			}
		}
	}
}

// FuzzSkip: no input panics, a skipped value ends within the text, and a value of valid JSON ends where
// encoding/json says.
func FuzzSkip(f *testing.F) {
	for _, s := range []string{
		`{"v":"a\"b"}]`, `[1,[2,{"a":null}],"x\\"],`, `"\u0022" 1`, `-1.5e+3}`, ` true `, `{"v":`, `[[[[`, `]`, `{"a":1}{`,
		`1{`, `1[`, `"a\`, "\"\x01\"", `{"a" : [ ] }`, `tru`, `[}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c := cursor{buf: text}
		err := c.skip()
		if c.pos < 0 || c.pos > len(text) {
			t.Fatalf("%q: ends at %d of %d", text, c.pos, len(text))
		}
		d := json.NewDecoder(bytes.NewReader(text))
		var value json.RawMessage
		if d.Decode(&value) != nil {
			return
		}
		if end := d.InputOffset(); end < int64(len(text)) && !bytes.ContainsAny(value[:1], `"{[`) &&
			bytes.IndexByte(scalarEnd, text[end]) < 0 {
			return // of 00 encoding/json takes the first, and nothing says that more may follow
		}
		if err != nil || int64(c.pos) != d.InputOffset() {
			t.Errorf("%q: got an end at %d, %v; encoding/json ends at %d", text, c.pos, err, d.InputOffset())
		}
	})
}
