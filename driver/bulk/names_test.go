package bulk_test

import (
	"fmt"
	"testing"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/driver/bulk"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// TestTableNames: rows go into any table that BigQuery can have, and into a partition.
func TestTableNames(t *testing.T) {
	t.Parallel()
	for name, full := range map[string]string{
		"t": table, "d.t": table, table: table, "example.com:p.d.t": "example.com:p.d.t",
		"table 01": "my-project.d.table 01", "d.order-02": "my-project.d.order-02", "ग्राहक": "my-project.d.ग्राहक",
		"d.t$20241231": "my-project.d.t$20241231",
	} {
		for way, opts := range ways {
			t.Run(name+"/"+way, func(t *testing.T) {
				t.Parallel()
				server := fakebq.Run(t, fakebq.Options{})
				server.CreateTable(full, numberedFields()...)
				db, _ := open(t, server)
				if _, err := bulk.Append(t.Context(), db, name, numberedRows(2, nil), opts...); err != nil {
					t.Fatal(err)
				}
				if n := len(server.TableRows(full)); n != 2 {
					t.Errorf("got %d rows; want 2", n)
				}
			})
		}
	}
}

// TestColumnNames: rows go into columns with any names, also with those that Append makes for its messages.
func TestColumnNames(t *testing.T) {
	t.Parallel()
	fields := []fakebq.Field{
		{Name: "column_2", Type: "STRING"}, {Name: "größe", Type: "STRING"}, {Name: "Message_5", Type: "STRING"},
		{Name: "Row", Type: "STRING"}, {Name: "r", Type: "RECORD", Fields: []fakebq.Field{
			{Name: "Message_1", Type: "RECORD", Fields: []fakebq.Field{{Name: "column_1", Type: "STRING"}}},
			{Name: "a b", Type: "STRING"}, {Name: "column_2", Type: "STRING"},
		}},
	}
	for way, opts := range ways {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			server := serve(t, fields...)
			db, _ := open(t, server)
			rows := [][]any{{"a", "b", "c", "d", map[string]any{
				"Message_1": map[string]any{"column_1": "e"}, "a b": "f", "column_2": "g",
			}}}
			if _, err := bulk.AppendSlice(t.Context(), db, "t", rows, opts...); err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(server.TableRows(table)); got != "[[a b c d [[e] f g]]]" {
				t.Errorf("got %s", got)
			}
		})
	}
}

// TestPicos: a TIMESTAMP(12) of a query keeps its twelve digits in rows of any.
func TestPicos(t *testing.T) {
	t.Parallel()
	at := fakebq.Field{Name: "at", Type: "TIMESTAMP", TimestampPrecision: 12}
	list := at
	list.Name, list.Mode = "list", "REPEATED"
	at1, at2 := fakebq.Picos("2024-02-29T01:02:03.123456789012Z"), fakebq.Picos("0001-01-01T00:00:00.000000000001Z")
	want := [][]any{{at1, []any{at1, at2}}, {at2, []any{}}, {nil, []any{at2}}}
	for way, opts := range ways {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			server := serve(t, at, list)
			server.On("SELECT", fakebq.Answer{Fields: []fakebq.Field{at, list}, Rows: want})
			db, _ := open(t, server)
			if _, err := bulk.Append(t.Context(), db, "t", driver.Query[driver.Struct](t.Context(), db, "SELECT"), opts...); err != nil {
				t.Fatal(err)
			}
			maps := driver.Query[map[string]any](t.Context(), db, "SELECT")
			if _, err := bulk.Append(t.Context(), db, "t", maps, opts...); err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(server.TableRows(table)); got != fmt.Sprint(append(want[:3:3], want...)) {
				t.Errorf("got %s; want %v twice", got, want)
			}
		})
	}
}
