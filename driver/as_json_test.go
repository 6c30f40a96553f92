package driver_test

import (
	"database/sql"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// TestAsJSON decodes a JSON column, an ARRAY and a field of it on both read paths. A STRING stays text.
func TestAsJSON(t *testing.T) {
	t.Parallel()
	type order struct {
		ID    int64          `json:"id"`
		Tags  []string       `json:"tags"`
		Price json.Number    `json:"price"`
		More  map[string]any `json:"more"`
	}
	const text = `{"id":9223372036854775807,"tags":["a","b"],"price":12345678901234567890.123456789,` +
		`"more":{"n":12345678901234567890,"z":null}}`
	want := order{
		9223372036854775807,
		[]string{"a", "b"},
		"12345678901234567890.123456789",
		map[string]any{"n": json.Number("12345678901234567890"), "z": nil},
	}
	whole := map[string]any{}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&whole); err != nil {
		t.Fatal(err)
	}
	answer := fakebq.Answer{
		Fields: []fakebq.Field{
			{Name: "j", Type: "JSON"},
			{Name: "s", Type: "STRING"},
			{Name: "js", Type: "JSON", Mode: "REPEATED"},
			{
				Name:   "r",
				Type:   "RECORD",
				Fields: []fakebq.Field{{Name: "j", Type: "JSON"}},
			},
			{Name: "n", Type: "JSON"},
			{Name: "null", Type: "JSON"},
		},
	}
	row := []any{text, text, []any{text, text}, []any{text}, "null", nil}
	answer.Rows = [][]any{row, row}
	for _, readAPI := range []string{"rest", "storage"} {
		server := fakebq.Run(t, fakebq.Options{})
		server.On("SELECT * ORDER BY 1", answer)
		db := open(t, server, func(c *dsn.Config) {
			c.StorageEndpoint, c.ReadAPI, c.MaxResults = server.StorageURL(), readAPI, 1
		})
		rows, err := db.QueryContext(t.Context(), "SELECT * ORDER BY 1")
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			scan := func(column int, dest any) error {
				all := make([]any, 6)
				for i := range all {
					all[i] = new(any)
				}
				all[column] = driver.As(dest)
				return rows.Scan(all...)
			}
			for _, tt := range []struct {
				name   string
				column int
				dest   any
				want   any // what dest points at; nil for an error
			}{
				{"struct", 0, new(order), want},
				{"pointer to a struct", 0, new(*order), &want},
				{"map", 0, new(map[string]any), whole},
				{"map of raw messages", 0, new(map[string]json.RawMessage), map[string]json.RawMessage{
					"id": json.RawMessage("9223372036854775807"), "tags": json.RawMessage(`["a","b"]`),
					"price": json.RawMessage("12345678901234567890.123456789"), "more": json.RawMessage(`{"n":12345678901234567890,"z":null}`)}},
				{"raw message", 0, new(json.RawMessage), json.RawMessage(text)},
				{"sql.Null of a struct", 0, new(sql.Null[order]), sql.Null[order]{V: want, Valid: true}},
				{"string", 0, new(string), text},
				{"bytes", 0, new([]byte), []byte(text)},
				{"any", 0, new(any), text},
				{"slice of it", 0, new([]any), nil},
				{"ARRAY into structs", 2, new([]order), []order{want, want}},
				{"field", 3, new(struct{ J order }), struct{ J order }{want}},
				{"JSON null into a raw message", 4, new(json.RawMessage), json.RawMessage("null")},
				{"JSON null into a pointer", 4, new(*order), &order{}},
				{"JSON null into sql.Null", 4, new(sql.Null[map[string]any]), sql.Null[map[string]any]{Valid: true}},
				{"JSON null into a map", 4, &map[string]any{"a": 1}, map[string]any(nil)},
				{"JSON null into an int", 4, new(int), nil},
				{"NULL into a raw message", 5, &json.RawMessage{'1'}, json.RawMessage(nil)},
				{"NULL into a pointer", 5, &[]*order{{}}[0], (*order)(nil)},
				{"NULL into sql.Null", 5, &sql.Null[order]{Valid: true}, sql.Null[order]{}},
				{"NULL into a struct", 5, new(order), nil},
				{"STRING into a string", 1, new(string), text},
				{"STRING into a struct", 1, new(order), nil},
				{"STRING into a map", 1, new(map[string]any), nil},
			} {
				err := scan(tt.column, tt.dest)
				if tt.want == nil {
					if err == nil ||
						!strings.Contains(err.Error(), "bigqueryuser: ") &&
							!strings.Contains(err.Error(), "converting") {
						t.Errorf(
							"%s, %s: got %v, %v; want an error",
							readAPI,
							tt.name,
							reflect.ValueOf(tt.dest).Elem(),
							err,
						)
					}
					continue
				}
				if got := reflect.ValueOf(tt.dest).
					Elem().
					Interface(); err != nil ||
					!reflect.DeepEqual(got, tt.want) {
					t.Errorf("%s, %s: got %#v, %v; want %#v", readAPI, tt.name, got, err, tt.want)
				}
			}
		}
		if err := rows.Err(); err != nil {
			t.Error(err)
		}
	}
}
