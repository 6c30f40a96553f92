package load

import (
	"fmt"
	"strings"
	"testing"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

// columns reads the columns of a test, in the syntax of CREATE TABLE; "" is autodetection.
func columns(t *testing.T, ddl string) []googlesql.Column {
	t.Helper()
	if ddl == "" {
		return nil
	}
	st, err := googlesql.Translate("CREATE TABLE p.d.t ("+ddl+")", googlesql.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return st.NewColumns
}

// shown writes rows and problems in one line.
func shown(r *Rows, err error) string {
	if err != nil {
		return "error: " + err.Error()
	}
	var parts []string
	for _, c := range r.Columns {
		parts = append(parts, c.Name+" "+c.Type.String())
	}
	out := strings.Join(parts, ", ")
	for _, row := range r.Values {
		var cells []string
		for _, v := range row {
			switch {
			case v.Type.Kind == "":
				cells = append(cells, "DEFAULT")
			case v.Null:
				cells = append(cells, "NULL")
			case v.Type.Kind == googlesql.Int64:
				cells = append(cells, fmt.Sprint(v.Int))
			case v.Type.Kind == googlesql.Float64:
				cells = append(cells, fmt.Sprint(v.Float))
			case v.Type.Kind == googlesql.Bool:
				cells = append(cells, fmt.Sprint(v.Bool))
			case v.Type.Kind == googlesql.Array:
				cells = append(cells, fmt.Sprint(len(v.Elems)))
			default:
				cells = append(cells, v.Text)
			}
		}
		out += " | " + strings.Join(cells, " ")
	}
	for _, p := range r.Problems {
		out += " ! " + strings.TrimPrefix(p, "Error while reading data, error message: ")
	}
	return out
}

// TestRead reads data that takes a rule of CSV or of JSON apart.
func TestRead(t *testing.T) {
	t.Parallel()
	csv := func(o Options) Options {
		o.Delimiter, o.Quote = ',', `"`
		return o
	}
	for _, tt := range []struct {
		name, ddl, data string
		o               Options
		want            string
	}{
		{"two quotes are one", "s STRING", "\"a\"\"b\"\n", csv(Options{}), `s STRING | a"b`},
		{"a quoted text is never NULL", "s STRING, i INT64", "\"\",\n", csv(Options{}), "s STRING, i INT64 |  NULL"},
		{"a null marker", "s STRING", "x\n\"x\"\n", csv(Options{NullMarker: "x"}), "s STRING | NULL | x"},
		{"CRLF, a byte order mark and no last newline", "i INT64", "\xef\xbb\xbf1\r\n2", csv(Options{}), "i INT64 | 1 | 2"},
		{"blank lines", "i INT64", "\n1\n\n2\n\n", csv(Options{}), "i INT64 | 1 | 2"},
		{"numbers of lines with quoted newlines", "s STRING, i INT64", "\"a\nb\",1\n\"c\",x\n",
			csv(Options{AllowQuotedNewlines: true}), "s STRING, i INT64 | a\nb 1 ! Unable to parse; line_number: 3 " +
				"byte_offset_to_start_of_line: 8 column_index: 1 column_name: \"i\" column_type: INT64 value: \"x\""},
		{"no close quote", "s STRING", "\"a\n", csv(Options{}), "s STRING ! Missing close quote character (\").; " +
			"line_number: 1 byte_offset_to_start_of_line: 0"},
		{"text after a close quote", "s STRING", "\"a\"b\n", csv(Options{}), "s STRING ! Data between close quote character " +
			"(\") and field separator.; line_number: 1 byte_offset_to_start_of_line: 0"},
		{"jagged rows", "i INT64, s STRING", "1\n", csv(Options{AllowJaggedRows: true}), "i INT64, s STRING | 1 NULL"},
		{"more values than columns", "i INT64", "1,2\n", csv(Options{IgnoreUnknownValues: true}), "i INT64 | 1"},
		{"words of a BOOL", "b BOOL", "Yes\nn\nT\n0\n", csv(Options{}), "b BOOL | true | false | true | false"},
		{"no word of a BOOL", "b BOOL", "2\n", csv(Options{}), "b BOOL ! Unable to parse; line_number: 1 " +
			"byte_offset_to_start_of_line: 0 column_index: 0 column_name: \"b\" column_type: BOOL value: \"2\""},
		{"skipped lines", "i INT64", "a\nb\n1\n", csv(Options{SkipLeadingRows: 2}), "i INT64 | 1"},
		{"the last skipped line has the names", "", "x\na b,2c\n1,2.5\n", csv(Options{SkipLeadingRows: 2}),
			"a_b INT64, _2c FLOAT64 | 1 2.5"},
		{"a name twice", "", "a,A\n1,2\n", csv(Options{}), "a INT64, A_1 INT64 | 1 2"},
		{"no header where all is text", "", "a,b\nc,d\n", csv(Options{}),
			"string_field_0 STRING, string_field_1 STRING | a b | c d"},
		{"an ARRAY in CSV", "a ARRAY<INT64>", "1\n", csv(Options{}), "error: Error while reading data, error message: Failed " +
			"to parse CSV: field a is of type ARRAY<INT64>, which CSV can't hold"},
		{"JSON: an absent field and a default", "i INT64, s STRING DEFAULT 'x'", `{"I": "7"}`, Options{},
			"i INT64, s STRING | 7 DEFAULT"},
		{"JSON: names that differ by case", "i INT64", `{"i": 1, "I": 2}`, Options{}, "i INT64 ! JSON parsing error in row " +
			"starting at position 0: Field names that differ only by case stand in one object."},
		{"JSON: no object", "i INT64", "{\"i\": 1}\n[1]\n", Options{MaxBadRecords: 1}, "i INT64 | 1 ! JSON parsing error in " +
			"row starting at position 9: Parser terminated before end of string"},
		{"JSON: unknown fields", "i INT64", `{"i": 1, "x": 2}`, Options{IgnoreUnknownValues: true}, "i INT64 | 1"},
		{"JSON: types that grow", "", "{\"a\": 1}\n{\"a\": 2.5, \"b\": [\"x\"]}\n", Options{},
			"a FLOAT64, b ARRAY<STRING> | 1 0 | 2.5 1"},
	} {
		tt.o.Columns = columns(t, tt.ddl)
		read := JSON
		if tt.o.Delimiter != 0 {
			read = CSV
		}
		if got := shown(read([]byte(tt.data), tt.o)); got != tt.want {
			t.Errorf("%s: got %s; want %s", tt.name, got, tt.want)
		}
	}
}

// TestTooMany: the tenth problem is the last that is kept, and a job ends with the first row too many.
func TestTooMany(t *testing.T) {
	t.Parallel()
	o := Options{Columns: columns(t, "i INT64"), Delimiter: ',', MaxBadRecords: 12}
	r, err := CSV([]byte("1\n"+strings.Repeat("x\n", 20)), o)
	if err != nil || r.BadRecords != 13 || len(r.Problems) != 10 || len(r.Values) != 1 {
		t.Fatalf("got %d bad rows, %d problems and %d rows, %v; want 13, 10 and 1", r.BadRecords, len(r.Problems),
			len(r.Values), err)
	}
	const want = "Rows: 14; errors: 13."
	if got := r.TooMany("CSV", &o); !strings.Contains(got, want) {
		t.Errorf("got %s; want %s in it", got, want)
	}
	if o.MaxBadRecords = 13; r.TooMany("CSV", &o) != "" {
		t.Error("13 bad rows of 13 are too many")
	}
}
