package engine

import (
	"strings"
	"testing"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

// TestAppend: values of every type land in a table as they are, over several chunks.
func TestAppend(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	inner := structOf(googlesql.Field{Name: "a", Type: typ(googlesql.Int64)},
		googlesql.Field{Name: "b", Type: array(typ(googlesql.String))})
	long := strings.Repeat("long ", 10)
	columns := []struct {
		typ  googlesql.Type
		v    Value
		want string
	}{
		{typ(googlesql.Int64), Value{Int: -7}, "-7"},
		{typ(googlesql.Float64), Value{Float: 0.5}, "0.5"},
		{typ(googlesql.Bool), Value{Bool: true}, "true"},
		{typ(googlesql.String), Value{Text: long}, `"` + long + `"`},
		{typ(googlesql.Bytes), Value{Text: "\x00\xff"}, `"\x00\xff"`},
		{typ(googlesql.JSON), Value{Text: `{"a":1}`}, `"{\"a\":1}"`},
		{typ(googlesql.Numeric), Value{Decimal: int128(-1500000000)}, "-1.5"},
		{typ(googlesql.BigNumeric), Value{Text: strings.Repeat("\x7f", 32)}, `"` + strings.Repeat(`\x7f`, 32) + `"`},
		{typ(googlesql.Date), Value{Int: minDate}, "-719162"},
		{typ(googlesql.Time), Value{Int: dayMicros - 1}, "86399999999"},
		{typ(googlesql.Datetime), Value{Int: maxMicros}, "253402300799999999"},
		{typ(googlesql.Timestamp), Value{Int: minMicros}, "-62135596800000000"},
		{typ(googlesql.Interval), Value{Interval: Interval{Months: 1, Days: -2, Micros: 3}}, "{1 -2 3}"},
		{array(typ(googlesql.Int64)), Value{Elems: []Value{{Int: 1}, {Int: 2}}}, "[1 2]"},
		{inner, Value{Elems: []Value{{Int: 1}, {Elems: []Value{{Text: "x"}}}}}, `{1 ["x"]}`},
		{array(inner), Value{Elems: []Value{{Elems: []Value{{Null: true}, {}}}}}, `[{NULL []}]`},
	}
	var defs []string
	var types []googlesql.Type
	var full, empty []Value
	for i, c := range columns {
		defs = append(defs, string(rune('a'+i))+" "+c.typ.DuckDB())
		types = append(types, c.typ)
		full, empty = append(full, c.v), append(empty, Value{Null: true})
	}
	if _, err := db.Exec(t.Context(), "CREATE SCHEMA s; CREATE TABLE s.t ("+strings.Join(defs, ", ")+")"); err != nil {
		t.Fatal(err)
	}
	rows := make([][]Value, 5000)
	for i := range rows {
		if rows[i] = full; i%2 == 1 {
			rows[i] = empty
		}
	}
	conn, err := db.Conn()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	if err := conn.Append(t.Context(), "s", "t", types, rows); err != nil {
		t.Fatal(err)
	}
	res, err := query(t, db, "SELECT * FROM s.t", nil, types...)
	if err != nil || res.Rows != 5000 {
		t.Fatalf("got %v rows, %v; want 5000", res, err)
	}
	for row := range int64(5000) {
		b, at := res.Find(row)
		for i, c := range columns {
			want := c.want
			switch {
			case row%2 == 1 && c.typ.Kind == googlesql.Array:
				want = "[]"
			case row%2 == 1:
				want = "NULL"
			}
			if got := show(res.Blocks[b].Columns[i], at); got != want {
				t.Fatalf("row %d, %s: got %s; want %s", row, c.typ, got, want)
			}
		}
	}
}

// TestAppendRefused: what DuckDB refuses is an error, and nothing is there.
func TestAppendRefused(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	if _, err := db.Exec(t.Context(), "CREATE SCHEMA s; CREATE TABLE s.t (a BIGINT NOT NULL)"); err != nil {
		t.Fatal(err)
	}
	conn, err := db.Conn()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	err = conn.Append(t.Context(), "s", "t", []googlesql.Type{typ(googlesql.Int64)}, [][]Value{{{Int: 1}}, {{Null: true}}})
	if err == nil || !strings.Contains(err.Error(), "NOT NULL") {
		t.Errorf("got %v; want a constraint", err)
	}
	if err := conn.Append(t.Context(), "s", "nosuch", nil, nil); err == nil {
		t.Error("got no error for a table that is not there")
	}
	res, err := query(t, db, "SELECT count(*) FROM s.t", nil, typ(googlesql.Int64))
	if err != nil || show(res.Blocks[0].Columns[0], 0) != "0" {
		t.Errorf("got %v, %v; want no rows", res, err)
	}
}
