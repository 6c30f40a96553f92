package sandbox

import (
	"context"
	"database/sql"
	"errors"
	"math/big"
	"reflect"
	"testing"
	"time"

	"cloud.google.com/go/bigquery"
	"cloud.google.com/go/civil"
	"golang.org/x/oauth2"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/dsn"
)

// openWith is openDriver with settings of the DSN.
func openWith(t testing.TB, s *Server, change func(*dsn.Config)) *sql.DB {
	t.Helper()
	cfg := &dsn.Config{Project: DefaultProject, Dataset: "d", Endpoint: s.Endpoint()}
	change(cfg)
	connector, err := driver.NewConnector(cfg, driver.WithTokenSource(oauth2.StaticTokenSource(signIn(t, s,
		DefaultAccount))))
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	t.Cleanup(func() { db.Close() })
	return db
}

type queryer interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// one is the single value of a query.
func one[T any](t testing.TB, db queryer, query string, args ...any) T {
	t.Helper()
	var v T
	if err := db.QueryRowContext(t.Context(), query, args...).Scan(&v); err != nil {
		t.Errorf("%s: %v", query, err)
	}
	return v
}

func must(t testing.TB, db queryer, query string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// TestDriverTempTable sees a temporary table in one connection's session alone.
func TestDriverTempTable(t *testing.T) {
	t.Parallel()
	s := start(t, Config{NoData: true})
	db := openWith(t, s, func(c *dsn.Config) { c.CreateSession = "always" })
	must(t, db, "CREATE SCHEMA d")
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	other, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	at := time.Date(2024, 2, 29, 13, 14, 15, 123456000, time.UTC)
	must(t, conn, "CREATE TEMP TABLE x (id INT64, moment TIMESTAMP, day DATE, tags ARRAY<STRING>)")
	must(t, conn, "INSERT INTO x (id, moment, day, tags) VALUES (?, ?, ?, ?), (2, ?, ?, ?)", 1, at, at, []string{"p"},
		nil, nil, nil)
	if got := one[int](t, conn, "SELECT COUNT(*) FROM x WHERE moment = ? AND day = ? AND tags[0] = ?", at, at,
		"p"); got != 1 {
		t.Errorf("got %d rows; want 1", got)
	}
	res, err := conn.ExecContext(t.Context(), "UPDATE x SET id = id + 1 WHERE TRUE")
	if err != nil {
		t.Fatal(err)
	}
	if n, err := res.RowsAffected(); err != nil || n != 2 {
		t.Errorf("UPDATE: got %d rows affected, %v; want 2", n, err)
	}
	for name, who := range map[string]queryer{"another connection": other, "the pool": db} {
		if err := who.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM x").Scan(new(int)); !errors.Is(err,
			driver.ErrNotFound) {
			t.Errorf("%s: got %v; want ErrNotFound", name, err)
		}
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	// The next user of the connection finds nothing of it.
	for range 3 {
		next, err := db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer next.Close()
		if err := next.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM x").Scan(new(int)); !errors.Is(err,
			driver.ErrNotFound) {
			t.Errorf("after Close: got %v; want ErrNotFound", err)
		}
	}
}

// TestDriverTempTableInTx rolls a temporary table back with its transaction, and keeps it with it.
func TestDriverTempTableInTx(t *testing.T) {
	t.Parallel()
	db := openWith(t, start(t, Config{NoData: true}), func(*dsn.Config) {})
	must(t, db, "CREATE SCHEMA d")
	must(t, db, "CREATE TABLE t (a INT64)")
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	must(t, tx, "CREATE TEMP TABLE x AS SELECT a FROM UNNEST(?) AS a", []int64{1, 2, 3})
	must(t, tx, "INSERT INTO t SELECT a FROM x")
	if got := one[int](t, tx, "SELECT SUM(a) FROM x JOIN t USING (a)"); got != 6 {
		t.Errorf("in the transaction: got %d; want 6", got)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if tx, err = db.BeginTx(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if err := tx.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM x").Scan(new(int)); !errors.Is(err,
		driver.ErrNotFound) {
		t.Errorf("in the next transaction: got %v; want ErrNotFound", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if tx, err = db.BeginTx(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	must(t, tx, "CREATE TEMP TABLE x AS SELECT 1 AS a")
	must(t, tx, "INSERT INTO t SELECT a FROM x")
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if got := one[int](t, db, "SELECT COUNT(*) FROM t"); got != 3 {
		t.Errorf("after Rollback: got %d rows; want 3", got)
	}
	if _, err := db.ExecContext(t.Context(), "CREATE TEMP TABLE x (a INT64)"); !errors.Is(err, driver.ErrInvalidQuery) {
		t.Errorf("outside of a session: got %v; want ErrInvalidQuery", err)
	}
}

// TestDriverTimeZone takes the zone from the DSN, from an option and from SET.
func TestDriverTimeZone(t *testing.T) {
	t.Parallel()
	s := start(t, Config{NoData: true})
	const text, noon = "SELECT CAST(TIMESTAMP '2024-07-01 12:00:00Z' AS STRING)", "2024-07-01 14:00:00+02"
	db := openWith(t, s, func(c *dsn.Config) { c.TimeZone = "Europe/Zurich" })
	must(t, db, "CREATE SCHEMA d")
	if got := one[string](t, db, text); got != noon {
		t.Errorf("by the DSN: got %s; want %s", got, noon)
	}
	at := time.Date(2024, 7, 1, 23, 30, 0, 0, time.UTC)
	if got := one[time.Time](t, db, "SELECT ?", at); !got.Equal(at) {
		t.Errorf("an argument: got %v; want %v", got, at)
	}
	if got := one[time.Time](t, db, "SELECT DATE(?)",
		bigquery.NullTimestamp{Timestamp: at, Valid: true}); got.Day() != 2 {
		t.Errorf("DATE of an argument: got %v; want the 2nd", got)
	}
	if got := one[string](t, db, text, driver.TimeZone("Asia/Tokyo")); got != "2024-07-01 21:00:00+09" {
		t.Errorf("by an option: got %s", got)
	}
	stmt, err := db.PrepareContext(t.Context(), "SELECT TIMESTAMP '2024-07-01 00:00:00' = ?")
	if err != nil {
		t.Fatal(err)
	}
	defer stmt.Close()
	var same bool
	if err := stmt.QueryRowContext(t.Context(), time.Date(2024, 6, 30, 22, 0, 0, 0,
		time.UTC)).Scan(&same); err != nil || !same {
		t.Errorf("prepared: got %t, %v; want true", same, err)
	}
	if _, err := db.ExecContext(t.Context(), text, driver.TimeZone("Europe/Nowhere")); err == nil {
		t.Error("an unknown zone: got no error")
	}
	session := openWith(t, s, func(c *dsn.Config) { c.CreateSession = "always" })
	conn, err := session.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	must(t, conn, "SET @@time_zone = 'Europe/Zurich'")
	if got := one[string](t, conn, text); got != noon {
		t.Errorf("by SET: got %s; want %s", got, noon)
	}
	conn.Close()
	if got := one[string](t, session, text); got != "2024-07-01 12:00:00+00" {
		t.Errorf("by SET, the next user of the connection: got %s; want UTC", got)
	}
}

// TestDriverDestinationTable keeps a result.
func TestDriverDestinationTable(t *testing.T) {
	t.Parallel()
	db := openWith(t, start(t, Config{NoData: true}), func(*dsn.Config) {})
	must(t, db, "CREATE SCHEMA d")
	const query = "SELECT a, [a] AS list FROM UNNEST(?) AS a"
	rows, err := db.QueryContext(t.Context(), query, []int64{1, 2, 3}, driver.DestinationTable("kept", "", ""))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for rows.Next() {
		n++
	}
	if err := rows.Err(); err != nil || n != 3 {
		t.Errorf("got %d rows, %v; want 3", n, err)
	}
	rows.Close()
	must(t, db, query, []int64{4}, driver.DestinationTable("d.kept", bigquery.WriteAppend, bigquery.CreateNever),
		driver.Priority("batch"))
	if got := one[int](t, db, "SELECT SUM(a + list[0]) FROM kept"); got != 20 {
		t.Errorf("got the sum %d; want 20", got)
	}
	for _, tt := range []struct {
		option driver.JobOption
		want   error
	}{
		{driver.DestinationTable("kept", bigquery.WriteEmpty, ""), driver.ErrDuplicate},
		{driver.DestinationTable("nosuch", "", bigquery.CreateNever), driver.ErrNotFound},
		{driver.DestinationTable("nosuch.t", "", ""), driver.ErrNotFound},
	} {
		if _, err := db.ExecContext(t.Context(), query, []int64{5}, tt.option); !errors.Is(err, tt.want) {
			t.Errorf("got %v; want %v", err, tt.want)
		}
	}
	must(t, db, query, []int64{6}, driver.DestinationTable("kept", bigquery.WriteTruncate, ""))
	if got := one[int](t, db, "SELECT SUM(a) FROM kept"); got != 6 {
		t.Errorf("after WRITE_TRUNCATE: got the sum %d; want 6", got)
	}
}

// TestDriverInformationSchema asks as a tool does that looks for tables.
func TestDriverInformationSchema(t *testing.T) {
	t.Parallel()
	db := openWith(t, start(t, Config{NoData: true}), func(*dsn.Config) {})
	must(t, db, "CREATE SCHEMA d")
	must(t, db, "CREATE TABLE t (id INT64 NOT NULL, parts ARRAY<STRUCT<a INT64, b NUMERIC(10, 2)>>)")
	rows, err := db.QueryContext(t.Context(), `SELECT t.table_name, c.column_name, c.data_type, c.is_nullable,
		t.creation_time
		FROM d.INFORMATION_SCHEMA.TABLES AS t JOIN d.INFORMATION_SCHEMA.COLUMNS AS c USING (table_name)
		WHERE t.table_schema = ? ORDER BY c.ordinal_position`, "d")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var got [][4]string
	for rows.Next() {
		var r [4]string
		var created time.Time
		if err := rows.Scan(&r[0], &r[1], &r[2], &r[3], &created); err != nil || time.Since(created) > time.Hour {
			t.Fatalf("created %v, %v", created, err)
		}
		got = append(got, r)
	}
	want := [][4]string{{"t", "id", "INT64", "NO"}, {"t", "parts", "ARRAY<STRUCT<a INT64, b NUMERIC(10, 2)>>", "YES"}}
	if err := rows.Err(); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
}

// TestDriverUntyped puts nil and time.Time, whose types only the columns say, and nested values into
// every kind of column.
func TestDriverUntyped(t *testing.T) {
	t.Parallel()
	db := openWith(t, start(t, Config{NoData: true}), func(*dsn.Config) {})
	must(t, db, "CREATE SCHEMA d")
	type place struct {
		City string
		Zip  int64
		Seen []civil.Date
		Last time.Time
	}
	at := time.Date(2024, 2, 29, 13, 14, 15, 123456000, time.UTC)
	day := time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)
	spot := place{"Bern", 3000, []civil.Date{civil.DateOf(day)}, at}
	const placeType = "STRUCT<City STRING, Zip INT64, Seen ARRAY<DATE>, Last TIMESTAMP>"
	for _, tt := range []struct {
		typ  string
		arg  any
		into any // nil: any
		want any
	}{
		{"DATE", at, nil, day}, {"DATE", nil, nil, nil},
		{"DATETIME", at, nil, at}, {"DATETIME", nil, nil, nil},
		{"TIMESTAMP", at, nil, at}, {"TIMESTAMP", nil, nil, nil},
		{"TIME", at, nil, "13:14:15.123456"}, {"TIME", nil, nil, nil},
		{"NUMERIC", nil, nil, nil}, {"NUMERIC(10, 2)", big.NewRat(5, 4), nil, "1.25"}, {"JSON", nil, nil, nil},
		{"BYTES", nil, nil, nil}, {"INTERVAL", nil, nil, nil},
		{"ARRAY<INT64>", []int64{1, 2}, new([]int64), []int64{1, 2}}, {"ARRAY<INT64>", nil, new([]int64), []int64{}},
		{"ARRAY<INT64>", []int64(nil), new([]int64), []int64{}},
		{"ARRAY<DATE>", []time.Time{at}, new([]time.Time), []time.Time{day}},
		{"ARRAY<TIMESTAMP>", []time.Time{at}, new([]time.Time), []time.Time{at}},
		{"ARRAY<STRING>", []string{}, new([]string), []string{}},
		{"ARRAY<BYTES>", [][]byte{{0, 1}}, new([][]byte), [][]byte{{0, 1}}},
		{placeType, spot, nil, driver.Struct{Fields: []driver.StructField{{Name: "City", Value: "Bern"},
			{Name: "Zip", Value: int64(3000)}, {Name: "Seen", Value: []time.Time{day}}, {Name: "Last", Value: at}}}},
		{placeType, nil, nil, nil},
		{placeType, (*place)(nil), nil, nil},
		{"ARRAY<" + placeType + ">", []place{spot, spot}, nil, []driver.Struct{
			{Fields: []driver.StructField{{Name: "City", Value: "Bern"}, {Name: "Zip", Value: int64(3000)},
				{Name: "Seen", Value: []time.Time{day}}, {Name: "Last", Value: at}}},
			{Fields: []driver.StructField{{Name: "City", Value: "Bern"}, {Name: "Zip", Value: int64(3000)},
				{Name: "Seen", Value: []time.Time{day}}, {Name: "Last", Value: at}}}}},
		{"ARRAY<" + placeType + ">", nil, nil, []driver.Struct{}},
	} {
		must(t, db, "CREATE OR REPLACE TABLE v (x "+tt.typ+")")
		for _, statement := range []string{"INSERT INTO v (x) VALUES (?)", "UPDATE v SET x = ? WHERE TRUE",
			"MERGE v USING (SELECT 1 AS one) ON FALSE WHEN NOT MATCHED BY SOURCE THEN UPDATE SET x = ?"} {
			if _, err := db.ExecContext(t.Context(), statement, tt.arg); err != nil {
				t.Errorf("%s: %s with %T: %v", tt.typ, statement, tt.arg, err)
				continue
			}
			var got any
			var into any = &got
			if tt.into != nil {
				into = tt.into
			}
			if err := db.QueryRowContext(t.Context(), "SELECT x FROM v").Scan(into); err != nil {
				t.Errorf("%s: %v", tt.typ, err)
				continue
			}
			if tt.into != nil {
				got = reflect.ValueOf(tt.into).Elem().Interface()
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("%s: %s with %T: got %#v; want %#v", tt.typ, statement, tt.arg, got, tt.want)
			}
		}
	}
}
