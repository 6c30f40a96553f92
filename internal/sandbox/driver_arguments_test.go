package sandbox

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/bigquery"
	"cloud.google.com/go/civil"

	"github.com/bigqueryuser/bigqueryuser/driver"
)

// argumentKinds are the kinds of arguments, with the type that each has where nothing else says one.
var argumentKinds = []struct {
	name string
	v    any // a value of the kind
	typ  string
}{
	{"bool", true, "BOOL"},
	{"int", 5, "INT64"},
	{"uint16", uint16(5), "INT64"},
	{"float64", 1.5, "FLOAT64"},
	{"float32", float32(1.5), "FLOAT64"},
	{"string", "a", "STRING"},
	{"bytes", []byte("a"), "BYTES"},
	{"time", time.Date(2024, 2, 29, 1, 2, 3, 0, time.UTC), "TIMESTAMP"},
	{"Date", civil.Date{Year: 2024, Month: 2, Day: 29}, "DATE"},
	{"DateTime", civil.DateTime{Date: civil.Date{Year: 2024, Month: 2, Day: 29}}, "DATETIME"},
	{"Time", civil.Time{Hour: 1}, "TIME"},
	{"Rat", *big.NewRat(3, 2), "NUMERIC"},
	{"Int", *big.NewInt(7), "INT64"},
	{"JSON", json.RawMessage(`{"a":1}`), "JSON"},
	{"interval", bigquery.IntervalValue{Months: 3}, "INTERVAL"},
	{"sql.NullString", sql.NullString{String: "a", Valid: true}, "STRING"},
	{"sql.NullInt64", sql.NullInt64{Int64: 5, Valid: true}, "INT64"},
	{"sql.NullFloat64", sql.NullFloat64{Float64: 1.5, Valid: true}, "FLOAT64"},
	{"sql.NullBool", sql.NullBool{Bool: true, Valid: true}, "BOOL"},
	{"sql.NullTime", sql.NullTime{Time: time.Date(2024, 2, 29, 1, 2, 3, 0, time.UTC), Valid: true}, "TIMESTAMP"},
	{"sql.Null of a string", sql.Null[string]{V: "a", Valid: true}, "STRING"},
	{"sql.Null of a Date", sql.Null[civil.Date]{V: civil.Date{Year: 2024, Month: 2, Day: 29}, Valid: true}, "DATE"},
	{"bigquery.NullString", bigquery.NullString{StringVal: "a", Valid: true}, "STRING"},
	{"bigquery.NullDate", bigquery.NullDate{Date: civil.Date{Year: 2024, Month: 2, Day: 29}, Valid: true}, "DATE"},
	{"struct", struct{ A int64 }{1}, "STRUCT<A INT64>"},
}

// column is the type and the first value of a query's first column.
func column(ctx context.Context, db interface {
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
}, query string, args ...any) (typ string, first any, n int, err error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return "", nil, 0, err
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil {
		return "", nil, 0, err
	}
	for ; rows.Next(); n++ {
		var v any
		if err := rows.Scan(&v); err != nil {
			return "", nil, 0, err
		}
		if n == 0 {
			first = v
		}
	}
	return types[0].DatabaseTypeName(), first, n, rows.Err()
}

// TestDriverArguments sends each kind of argument, as a value, as NULL and as an empty slice, in
// every way that an argument can be sent: what arrives has the type that Go gives it.
func TestDriverArguments(t *testing.T) {
	t.Parallel()
	db := openDriver(t, start(t, Config{NoData: true}), DefaultProject)
	execSQL(t, db, "CREATE SCHEMA d")
	for i, k := range argumentKinds {
		t.Run(k.name, func(t *testing.T) {
			typ := reflect.TypeOf(k.v)
			pointer := reflect.New(typ)
			pointer.Elem().Set(reflect.ValueOf(k.v))
			null := reflect.Zero(reflect.PointerTo(typ))
			row := reflect.StructOf([]reflect.StructField{{Name: "F", Type: reflect.PointerTo(typ)}})
			slice := func(elem reflect.Type, of ...reflect.Value) any {
				s := reflect.MakeSlice(reflect.SliceOf(elem), 0, len(of))
				return reflect.Append(s, of...).Interface()
			}
			withF := func(v reflect.Value) reflect.Value {
				r := reflect.New(row).Elem()
				r.Field(0).Set(v)
				return r
			}
			table := fmt.Sprint("t", i)
			execSQL(t, db, "CREATE TABLE "+table+" (c "+k.typ+")")
			insert := "INSERT INTO " + table + " (c) VALUES (?)"
			prepared, err := db.PrepareContext(t.Context(), insert)
			if err != nil {
				t.Fatal(err)
			}
			defer prepared.Close()
			for _, q := range []struct {
				name, sql string
				arg       any
				rows      int
				null      bool
			}{
				{"positional value", "SELECT ?", k.v, 1, false},
				{"positional NULL", "SELECT ?", null.Interface(), 1, true},
				{"named value", "SELECT @p", sql.Named("p", k.v), 1, false},
				{"named NULL", "SELECT @p", sql.Named("p", null.Interface()), 1, true},
				{"in an ARRAY", "SELECT x FROM UNNEST(?) AS x", slice(pointer.Type(), pointer), 1, false},
				{"NULL in an ARRAY", "SELECT x FROM UNNEST(?) AS x", slice(pointer.Type(), null), 1, true},
				{"NULL before a value in an ARRAY", "SELECT x FROM UNNEST(?) AS x", slice(pointer.Type(), null, pointer), 2, true},
				{"empty ARRAY", "SELECT x FROM UNNEST(?) AS x", slice(pointer.Type()), 0, true},
				{"empty ARRAY of values", "SELECT x FROM UNNEST(?) AS x", slice(typ), 0, true},
				{"named empty ARRAY", "SELECT x FROM UNNEST(@p) AS x", sql.Named("p", slice(pointer.Type())), 0, true},
				{"in a STRUCT", "SELECT F FROM UNNEST(?)", slice(row, withF(pointer)), 1, false},
				{"NULL in a STRUCT", "SELECT F FROM UNNEST(?)", slice(row, withF(null)), 1, true},
				{"NULL in the first STRUCT", "SELECT F FROM UNNEST(?)", slice(row, withF(null), withF(pointer)), 2, true},
				{"NULL in the last STRUCT", "SELECT F FROM UNNEST(?)", slice(row, withF(pointer), withF(null)), 2, false},
				{"no STRUCT", "SELECT F FROM UNNEST(?)", slice(row), 0, true},
				{"value in a script", "DECLARE x " + k.typ + " DEFAULT ?; SELECT x", k.v, 1, false},
				{"NULL in a script", "DECLARE x " + k.typ + " DEFAULT ?; SELECT x", null.Interface(), 1, true},
			} {
				got, first, n, err := column(t.Context(), db, q.sql, q.arg)
				if err != nil || got != k.typ || n != q.rows || (first == nil) != q.null {
					t.Errorf(
						"%s: got %s %v in %d rows, %v; want %s in %d rows, NULL %v",
						q.name,
						got,
						first,
						n,
						err,
						k.typ,
						q.rows,
						q.null,
					)
				}
			}
			tx, err := db.BeginTx(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer tx.Rollback()
			inTx, err := tx.PrepareContext(t.Context(), insert)
			if err != nil {
				t.Fatal(err)
			}
			for name, run := range map[string]func(arg any) error{
				"prepared":                  func(arg any) error { _, err := prepared.ExecContext(t.Context(), arg); return err },
				"in a transaction":          func(arg any) error { _, err := tx.ExecContext(t.Context(), insert, arg); return err },
				"prepared in a transaction": func(arg any) error { _, err := inTx.ExecContext(t.Context(), arg); return err },
			} {
				for _, arg := range []any{k.v, pointer.Interface(), null.Interface(), nil} {
					if err := run(arg); err != nil {
						t.Errorf("%s, %T: %v", name, arg, err)
					}
				}
			}
			if got, _, _, err := column(t.Context(), tx, "SELECT ?", null.Interface()); err != nil || got != k.typ {
				t.Errorf("NULL in a transaction: got %s, %v; want %s", got, err, k.typ)
			}
			if err := tx.Commit(); err != nil {
				t.Fatal(err)
			}
			if n := one[int](t, db, "SELECT COUNT(c) FROM "+table); n != 6 {
				t.Errorf("%d values; want 6", n)
			}
		})
	}
}

// TestDriverTypedNulls runs what needs the Go type of a NULL.
func TestDriverTypedNulls(t *testing.T) {
	t.Parallel()
	db := openDriver(t, start(t, Config{NoData: true}), DefaultProject)
	execSQL(t, db, "CREATE SCHEMA d")
	execSQL(t, db, "CREATE TABLE t (id INT64, city STRING, born DATE, price NUMERIC, doc JSON)")
	execSQL(t, db, "INSERT INTO t (id, city) VALUES (1, 'Bern'), (2, 'Rome')")
	var city *string
	for _, arg := range []any{city, sql.NullString{}, sql.Null[string]{}} {
		if n := one[int](
			t,
			db,
			"SELECT COUNT(*) FROM t WHERE @city IS NULL OR city = @city",
			sql.Named("city", arg),
		); n != 2 {
			t.Errorf("%T: got %d rows; want 2", arg, n)
		}
		if n := one[int](t, db, "SELECT COUNT(*) FROM t WHERE ? IS NULL OR city = ?", arg, arg); n != 2 {
			t.Errorf("%T by position: got %d rows; want 2", arg, n)
		}
	}
	for _, arg := range []any{[]*string{}, []sql.NullString{}, []sql.Null[string]{}, []*string(nil)} {
		if n := one[int](t, db, "SELECT COUNT(*) FROM t WHERE city IN UNNEST(?)", arg); n != 0 {
			t.Errorf("%T: got %d rows; want 0", arg, n)
		}
	}
	type row struct {
		ID   int64
		Name *string
		Born *civil.Date
		In   struct{ Price *big.Rat }
	}
	a := "a"
	day := civil.Date{Year: 2024, Month: 2, Day: 29}
	for _, rows := range [][]row{
		{},
		{{ID: 1}},
		{{ID: 1}, {ID: 2, Name: &a}},
		{{ID: 1, Name: &a, Born: &day}, {ID: 2}},
		{{ID: 1, Name: &a}, {ID: 2, Born: &day}},
	} {
		execSQL(t, db, "TRUNCATE TABLE t")
		n := execSQL(
			t,
			db,
			"INSERT INTO t (id, city, born, price) SELECT id, name, born, `in`.price FROM UNNEST(?)",
			rows,
		)
		if int(n) != len(rows) {
			t.Errorf("%v: got %d rows; want %d", rows, n, len(rows))
		}
	}
	type outer struct {
		A int64
		B *struct{ C *string }
	}
	if got, _, _, err := column(
		t.Context(),
		db,
		"SELECT ?",
		outer{},
	); err != nil ||
		got != "STRUCT<A INT64, B STRUCT<C STRING>>" {
		t.Errorf("a nil pointer to a struct in a struct: got %s, %v", got, err)
	}
	var whole *big.Int
	var doc json.RawMessage
	for _, q := range []struct {
		column string
		arg    any
	}{
		{"id", whole}, {"price", whole}, {"city", doc}, {"doc", doc}, {"born", city}, {"born", sql.NullString{}},
		{"id", city}, {"price", city}, {"doc", city}, {"id", (*time.Time)(nil)}, {"city", []byte(nil)},
	} {
		execSQL(t, db, "INSERT INTO t ("+q.column+") VALUES (?)", q.arg)
		execSQL(t, db, "UPDATE t SET "+q.column+" = @p WHERE TRUE", sql.Named("p", q.arg))
		execSQL(t, db, "INSERT INTO t ("+q.column+") SELECT ?", q.arg)
	}
}

// TestDriverWriteBack writes what is read as text, []byte or float64 into columns of other types,
// and compares it with them.
func TestDriverWriteBack(t *testing.T) {
	t.Parallel()
	db := openDriver(t, start(t, Config{NoData: true}), DefaultProject)
	execSQL(t, db, "CREATE SCHEMA d")
	execSQL(t, db, "CREATE TABLE t (s STRING, j JSON, n NUMERIC, y BYTES, f FLOAT64)")
	for _, q := range []struct {
		column string
		arg    any
		want   any
	}{
		{"s", []byte("naïve"), "naïve"}, {"s", []byte{}, ""}, {"s", json.RawMessage(`{"a":1}`), `{"a":1}`},
		{"j", []byte(`{"a":[1.5,null]}`), `{"a":[1.5,null]}`}, {"j", `[1]`, `[1]`},
		{"n", 1.5, "1.5"}, {"n", 1e20, "100000000000000000000"}, {"n", float32(0.1), "0.1"}, {"n", "2.5", "2.5"},
		{"y", []byte{0, 255}, []byte{0, 255}}, {"f", 0.1, 0.1},
	} {
		for _, insert := range []string{"INSERT INTO t (%s) VALUES (?)", "INSERT INTO t (%s) VALUES (@p)", "INSERT INTO t (%s) SELECT ?"} {
			execSQL(t, db, "TRUNCATE TABLE t")
			arg := q.arg
			if strings.Contains(insert, "@") {
				arg = sql.Named("p", arg)
			}
			if _, err := db.ExecContext(t.Context(), fmt.Sprintf(insert, q.column), arg); err != nil {
				t.Errorf("%s with %T: %v", fmt.Sprintf(insert, q.column), q.arg, err)
				continue
			}
			if got := one[any](t, db, "SELECT "+q.column+" FROM t"); !reflect.DeepEqual(got, q.want) {
				t.Errorf("%s with %T: got %v; want %v", fmt.Sprintf(insert, q.column), q.arg, got, q.want)
			}
			if q.column != "j" {
				if n := one[int](t, db, "SELECT COUNT(*) FROM t WHERE "+q.column+" = ?", q.arg); n != 1 {
					t.Errorf("%s = a %T: got %d rows; want 1", q.column, q.arg, n)
				}
			}
		}
	}
	if _, err := db.ExecContext(
		t.Context(),
		"INSERT INTO t (s) VALUES (?)",
		[]byte{0xff},
	); !errors.Is(
		err,
		driver.ErrInvalidQuery,
	) {
		t.Errorf("bytes that are not UTF-8 into a STRING: got %v; want ErrInvalidQuery", err)
	}
	// In a transaction Prepare asks before.
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	insert, err := tx.PrepareContext(t.Context(), "INSERT INTO t (s, n, j) VALUES (?, ?, ?)")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := insert.ExecContext(t.Context(), []byte("x"), 2.5, []byte("{}")); err != nil {
		t.Error(err)
	}
}
