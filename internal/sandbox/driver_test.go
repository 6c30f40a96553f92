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

	"cloud.google.com/go/civil"
	"golang.org/x/oauth2"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/dsn"
)

// openDriver returns a database of the driver whose user has signed in at the sandbox.
func openDriver(t testing.TB, s *Server, project string) *sql.DB {
	t.Helper()
	tok := signIn(t, s, DefaultAccount)
	connector, err := driver.NewConnector(&dsn.Config{Project: project, Dataset: "d", Endpoint: s.Endpoint(),
		MaxResults: 100},
		driver.WithTokenSource(oauth2.StaticTokenSource(tok)))
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	t.Cleanup(func() { db.Close() })
	return db
}

func execSQL(t testing.TB, db *sql.DB, query string, args ...any) int64 {
	t.Helper()
	res, err := db.ExecContext(t.Context(), query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	n, err := res.RowsAffected()
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestDriverValues sends every scalar argument through a table and back.
func TestDriverValues(t *testing.T) {
	t.Parallel()
	db := openDriver(t, start(t, Config{NoData: true}), DefaultProject)
	execSQL(t, db, "CREATE SCHEMA d")
	day := time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)
	at := time.Date(2024, 2, 29, 13, 14, 15, 123456000, time.UTC)
	rat, _ := new(big.Rat).SetString("12345678901234567890.123456789")
	wide, _ := new(big.Rat).SetString("-123456789012345678901234567890.000000000000000000000000000001")
	for _, tt := range []struct {
		typ  string
		arg  any
		want any
	}{
		{"INT64", int64(-9223372036854775808), int64(-9223372036854775808)},
		{"INT64", uint8(7), int64(7)},
		{"FLOAT64", 1.5, 1.5}, {"FLOAT64", 2, 2.0},
		{"BOOL", true, true},
		{"STRING", "naïve '\"\\\n? @x", "naïve '\"\\\n? @x"}, {"STRING", "", ""},
		{"BYTES", []byte{0, 255}, []byte{0, 255}},
		{"NUMERIC", rat, "12345678901234567890.123456789"}, {"NUMERIC", 5, "5"},
		{"BIGNUMERIC", wide, "-123456789012345678901234567890.000000000000000000000000000001"},
		{"BIGNUMERIC", 5, "5"}, {"BIGNUMERIC(10, 2)", "1.25", "1.25"},
		{"DATE", day, day}, {"DATE", civil.DateOf(day), day}, {"DATE", "2024-02-29", day},
		{"DATETIME", at, at}, {"DATETIME", civil.DateTimeOf(at), at},
		{"TIMESTAMP", at, at}, {"TIMESTAMP", at.In(time.FixedZone("", 3600)), at},
		{"TIME", civil.TimeOf(at), "13:14:15.123456"},
		{"JSON", json.RawMessage(`{"a":1}`), `{"a":1}`},
		{"RANGE<DATE>", driver.Range{Start: civil.DateOf(at)}, driver.Range{Start: civil.DateOf(at)}},
		{"RANGE<DATETIME>", driver.Range{End: civil.DateTimeOf(at)}, driver.Range{End: civil.DateTimeOf(at)}},
		{"RANGE<TIMESTAMP>", driver.Range{Start: at, End: at.Add(1e9)}, driver.Range{Start: at, End: at.Add(1e9)}},
	} {
		execSQL(t, db, "CREATE OR REPLACE TABLE v (x "+tt.typ+")")
		if n := execSQL(t, db, "INSERT INTO v (x) VALUES (?)", tt.arg); n != 1 {
			t.Errorf("%s %v: %d rows affected; want 1", tt.typ, tt.arg, n)
		}
		execSQL(t, db, "INSERT INTO v (x) VALUES (@x)", sql.Named("x", nil))
		rows, err := db.QueryContext(t.Context(), "SELECT x FROM v ORDER BY x IS NULL")
		if err != nil {
			t.Errorf("%s: %v", tt.typ, err)
			continue
		}
		var got []any
		for rows.Next() {
			var v any
			if err := rows.Scan(&v); err != nil {
				t.Fatal(err)
			}
			got = append(got, v)
		}
		if err := rows.Err(); err != nil {
			t.Errorf("%s: %v", tt.typ, err)
		}
		rows.Close()
		if want := []any{tt.want, nil}; !reflect.DeepEqual(got, want) {
			t.Errorf("%s from %T: got %#v; want %#v", tt.typ, tt.arg, got, want)
		}
	}
}

// TestDriverNested sends ARRAYs and STRUCTs and decodes them.
func TestDriverNested(t *testing.T) {
	t.Parallel()
	db := openDriver(t, start(t, Config{NoData: true}), DefaultProject)
	type point struct {
		A  int64
		B  string
		At time.Time
	}
	p := point{1, "x", time.Date(2024, 2, 29, 1, 2, 3, 0, time.UTC)}
	for _, tt := range []struct {
		query string
		arg   any
		into  any
		want  any
	}{
		{"SELECT COUNT(*) FROM UNNEST([1, 2, 3]) AS x WHERE x IN UNNEST(?)", []int64{1, 3}, new(int), 2},
		{"SELECT ?", []string{"a", ""}, new([]string), []string{"a", ""}},
		{"SELECT ?", p, driver.As(new(point)), p},
		{"SELECT @p.B", sql.Named("p", p), new(string), "x"},
		{"SELECT ARRAY_LENGTH(?)", []point{p, p}, new(int), 2},
		{"SELECT [STRUCT(? AS a, DATE '2024-02-29' AS b)]", 5, new([]driver.Struct),
			[]driver.Struct{{Fields: []driver.StructField{
				{Name: "a", Value: int64(5)}, {Name: "b", Value: time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)}}}}},
	} {
		if err := db.QueryRowContext(t.Context(), tt.query, tt.arg).Scan(tt.into); err != nil {
			t.Errorf("%s: %v", tt.query, err)
			continue
		}
		if _, decoded := tt.into.(sql.Scanner); decoded {
			var got point
			if err := db.QueryRowContext(t.Context(), tt.query, tt.arg).Scan(driver.As(&got)); err != nil ||
				got != tt.want {
				t.Errorf("%s: got %v, %v; want %v", tt.query, got, err, tt.want)
			}
		} else if got := reflect.ValueOf(tt.into).Elem().Interface(); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: got %#v; want %#v", tt.query, got, tt.want)
		}
	}
}

// TestDriverStatements runs what an application does in a day.
func TestDriverStatements(t *testing.T) {
	t.Parallel()
	s := start(t, Config{})
	db := openDriver(t, s, DefaultProject)
	ctx := t.Context()
	if err := db.PingContext(ctx); err != nil {
		t.Fatal(err)
	}
	execSQL(t, db, "CREATE SCHEMA d")
	execSQL(t, db, "CREATE TABLE people (id INT64 NOT NULL, name STRING, born DATE)")
	stmt, err := db.PrepareContext(ctx, "INSERT INTO people (id, name, born) VALUES (@id, @name, @born)")
	if err != nil {
		t.Fatal(err)
	}
	defer stmt.Close()
	for i := range 5 {
		if _, err := stmt.ExecContext(ctx, sql.Named("id", i), sql.Named("name", fmt.Sprint("p", i)),
			sql.Named("born", time.Date(2000+i, 1, 1, 0, 0, 0, 0, time.UTC))); err != nil {
			t.Fatal(err)
		}
	}
	if n := execSQL(t, db, "UPDATE people SET name = UPPER(name) WHERE born >= ?",
		time.Date(2002, 1, 1, 0, 0, 0, 0, time.UTC)); n != 3 {
		t.Errorf("UPDATE: %d rows affected; want 3", n)
	}
	if n := execSQL(t, db, "DELETE FROM people WHERE id = ?", 4); n != 1 {
		t.Errorf("DELETE: %d rows affected; want 1", n)
	}
	var names string
	if err := db.QueryRowContext(ctx, "SELECT STRING_AGG(name ORDER BY id) FROM people").Scan(&names); err != nil ||
		names != "p0,p1,P2,P3" {
		t.Errorf("got %q, %v", names, err)
	}

	unnamed, err := db.QueryContext(ctx, "SELECT 1, 2 AS two, 3")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := unnamed.Columns(); err != nil || !reflect.DeepEqual(got, []string{"f0_", "two", "f1_"}) {
		t.Errorf("got columns %q, %v; want f0_, two and f1_", got, err)
	}
	unnamed.Close()

	// More rows than a page has.
	var rows, sum int64
	all, err := db.QueryContext(ctx, "SELECT number FROM `bigquery-public-data.usa_names.usa_1910_current` WHERE "+
		"year = ?", 1910)
	if err != nil {
		t.Fatal(err)
	}
	defer all.Close()
	for all.Next() {
		var n int64
		if err := all.Scan(&n); err != nil {
			t.Fatal(err)
		}
		rows, sum = rows+1, sum+n
	}
	var count, total int64
	if err := db.QueryRowContext(ctx, "SELECT COUNT(*), SUM(number) FROM "+
		"`bigquery-public-data.usa_names.usa_1910_current` WHERE year = 1910").Scan(&count, &total); err != nil {
		t.Fatal(err)
	}
	if all.Err() != nil || rows != count || sum != total || rows <= 100 {
		t.Errorf("read %d rows with the sum %d and %v; BigQuery counts %d with %d", rows, sum, all.Err(), count, total)
	}

	_, err = db.ExecContext(ctx, "SELECT nope FROM people")
	e, ok := errors.AsType[*driver.Error](err)
	if !ok ||
		!errors.Is(err, driver.ErrInvalidQuery) || e.Location != "1:8" {
		t.Errorf("got %v", err)
	}
	if err := openDriver(t, s, "somebody-elses").PingContext(ctx); !errors.Is(err, driver.ErrAccessDenied) ||
		!strings.Contains(err.Error(), "somebody-elses") {
		t.Errorf("another project: got %v", err)
	}
	gone, cancel := context.WithCancel(ctx)
	cancel()
	if err := db.PingContext(gone); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled context: got %v", err)
	}
}

// TestDriverCreatedRows: the driver tells how many rows a CREATE TABLE AS SELECT has put into its table.
func TestDriverCreatedRows(t *testing.T) {
	t.Parallel()
	s := start(t, Config{NoData: true})
	db := openDriver(t, s, DefaultProject)
	execSQL(t, db, "CREATE SCHEMA d")
	for _, tt := range []struct {
		sql  string
		want int64
	}{
		{"CREATE TABLE d.t AS SELECT x FROM UNNEST(GENERATE_ARRAY(1, 7)) AS x", 7},
		{"CREATE TABLE IF NOT EXISTS d.t AS SELECT 1 AS x", 0},
		{"CREATE OR REPLACE TABLE d.t AS SELECT x FROM d.t WHERE x > 4", 3},
		{"CREATE TABLE d.empty AS SELECT x FROM d.t WHERE FALSE", 0},
		{"CREATE TABLE d.u (x INT64)", 0},
	} {
		res, err := db.ExecContext(t.Context(), tt.sql)
		if err != nil {
			t.Fatalf("%s: %v", tt.sql, err)
		}
		if n, err := res.RowsAffected(); n != tt.want || err != nil {
			t.Errorf("%s: got %d, %v; want %d", tt.sql, n, err, tt.want)
		}
	}
}

// TestDriverPicos writes a TIMESTAMP(12) as a time.Time with nanoseconds and as text, and reads it back.
func TestDriverPicos(t *testing.T) {
	t.Parallel()
	db := openDriver(t, start(t, Config{NoData: true}), DefaultProject)
	execSQL(t, db, "CREATE SCHEMA d")
	execSQL(t, db, "CREATE TABLE v (id INT64, x TIMESTAMP(12), y TIMESTAMP, l ARRAY<TIMESTAMP(12)>)")
	at := time.Date(2024, 2, 29, 13, 14, 15, 123456789, time.UTC)
	const text = "2024-02-29T13:14:15.123456789012Z"
	execSQL(t, db, "INSERT INTO v (id, x, y) VALUES (?, ?, ?)", 1, at, at)
	execSQL(t, db, "INSERT INTO v (id, x) VALUES (?, ?)", 2, text)
	execSQL(t, db, "INSERT INTO v (id, x, l) VALUES (3, NULL, [CAST(@x AS TIMESTAMP(12))])", sql.Named("x", text))
	rows, err := db.QueryContext(t.Context(), "SELECT x, y FROM v ORDER BY id")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil {
		t.Fatal(err)
	}
	if got := types[0].DatabaseTypeName() + ", " + types[1].DatabaseTypeName(); got != "TIMESTAMP(12), TIMESTAMP" {
		t.Errorf("types: got %s; want TIMESTAMP(12), TIMESTAMP", got)
	}
	var got []sql.NullTime
	for rows.Next() {
		var x, y sql.NullTime
		if err := rows.Scan(&x, &y); err != nil {
			t.Fatal(err)
		}
		got = append(got, x, y)
	}
	want := []sql.NullTime{{Time: at, Valid: true}, {Time: at.Truncate(time.Microsecond), Valid: true},
		{Time: at, Valid: true}, {}, {}, {}}
	if !reflect.DeepEqual(got, want) || rows.Err() != nil {
		t.Errorf("got %v, %v; want %v", got, rows.Err(), want)
	}
	for _, tt := range []struct {
		query string
		args  []any
		want  string
	}{
		{"SELECT x FROM v WHERE id = ?", []any{2}, text},
		{"SELECT x FROM v WHERE x = ? ORDER BY id", []any{at}, "2024-02-29T13:14:15.123456789000Z"},
		{"SELECT x FROM v WHERE x > ? ORDER BY id", []any{at}, text},
		{"SELECT l[0] FROM v WHERE id = ?", []any{3}, text},
	} {
		var got string
		if err := db.QueryRowContext(t.Context(), tt.query, tt.args...).Scan(driver.As(&got)); err != nil ||
			got != tt.want {
			t.Errorf("%s: got %s, %v; want %s", tt.query, got, err, tt.want)
		}
	}
	var typ string
	const columns = "SELECT data_type FROM d.INFORMATION_SCHEMA.COLUMNS WHERE column_name = 'x'"
	if err := db.QueryRowContext(t.Context(), columns).Scan(&typ); err != nil || typ != "TIMESTAMP(12)" {
		t.Errorf("INFORMATION_SCHEMA: got %s, %v; want TIMESTAMP(12)", typ, err)
	}
}
