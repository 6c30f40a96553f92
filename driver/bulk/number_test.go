package bulk_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/bigqueryuser/bigqueryuser/driver/bulk"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// TestJSONNumber: a number as json.Decoder.UseNumber reads it goes into any column for numbers or text, with all its
// digits, also inside a STRUCT or an ARRAY.
func TestJSONNumber(t *testing.T) {
	t.Parallel()
	fields := []fakebq.Field{
		{Name: "i", Type: "INTEGER"}, {Name: "f", Type: "FLOAT"}, {Name: "n", Type: "NUMERIC"}, {Name: "s", Type: "STRING"},
		{Name: "j", Type: "JSON"}, {Name: "l", Type: "NUMERIC", Mode: "REPEATED"},
		{Name: "r", Type: "RECORD", Fields: []fakebq.Field{{Name: "n", Type: "NUMERIC"}, {Name: "f", Type: "FLOAT"}}},
	}
	const digits = "12345678901234567890.123456789"
	for _, tt := range []struct {
		name, row, want string
	}{
		{"all", `{"i": -9223372036854775808, "f": 2, "n": DIGITS, "s": 1.50, "j": 1e2, "l": [1, DIGITS],
			"r": {"n": DIGITS, "f": 1e-3}}`,
			"[[-9223372036854775808 2 DIGITS 1.50 1e2 [1 DIGITS] [DIGITS 0.001]]]"},
		{"a fraction", `{"i": 1.5}`, `column "i": 1.5 is not an INT64`},
		{"too large", `{"f": 1e999}`, `column "f": 1e999 is not a FLOAT64`},
		{"too many digits", `{"r": {"n": DIGITS1}}`, "digits after the point"},
	} {
		for way, opts := range ways {
			t.Run(tt.name+"/"+way, func(t *testing.T) {
				t.Parallel()
				server := serve(t, fields...)
				db, _ := open(t, server)
				in := json.NewDecoder(strings.NewReader(strings.ReplaceAll(tt.row, "DIGITS", digits)))
				in.UseNumber()
				var row map[string]any
				if err := in.Decode(&row); err != nil {
					t.Fatal(err)
				}
				_, err := bulk.AppendSlice(t.Context(), db, "t", []map[string]any{row}, opts...)
				want := strings.ReplaceAll(tt.want, "DIGITS", digits)
				if got := fmt.Sprint(server.TableRows(table), err); !strings.Contains(got, want) {
					t.Errorf("got %s; want %s", got, want)
				}
			})
		}
	}
}
