package sandbox

import (
	"database/sql"
	"encoding/json"
	"math"
	"math/big"
	"testing"
	"time"

	"cloud.google.com/go/bigquery"
	"cloud.google.com/go/civil"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/oauth2"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/driver/bulk"
	"github.com/bigqueryuser/bigqueryuser/dsn"
)

// bulkRow is a row of all types that the sandbox has.
type bulkRow struct {
	ID   int64
	Ip   *int64
	F    float64
	B    sql.NullBool
	S    string
	Raw  []byte
	N    *big.Rat
	Bn   string
	P    *big.Rat
	Ts   time.Time
	Dt   civil.DateTime
	D    civil.Date
	T    civil.Time
	Iv   *bigquery.IntervalValue
	J    json.RawMessage
	R    driver.Range
	Rt   driver.Range
	Pico time.Time
	L    []string
	Tss  []time.Time
	Rec  *bulkInner
	Recs []bulkInner
}

type bulkInner struct {
	A sql.NullInt64 `bigquery:"a"`
	B []float64
	C sql.Null[civil.Date]
	D []bulkDeepest
}

type bulkDeepest struct{ N *big.Rat }

const bulkTable = `CREATE TABLE d.t (id INT64 NOT NULL, ip INT64, f FLOAT64, b BOOL, s STRING, raw BYTES, n NUMERIC, bn BIGNUMERIC, p NUMERIC(5, 2),
	ts TIMESTAMP, dt DATETIME, d DATE, t TIME, iv INTERVAL, j JSON,
	r RANGE<DATE>, rt RANGE<TIMESTAMP>, pico TIMESTAMP(12), l ARRAY<STRING>, tss ARRAY<TIMESTAMP>,
	rec STRUCT<a INT64, b ARRAY<FLOAT64>, c DATE, d ARRAY<STRUCT<n NUMERIC>>>,
	recs ARRAY<STRUCT<a INT64, b ARRAY<FLOAT64>, c DATE, d ARRAY<STRUCT<n NUMERIC>>>>)`

// everyRow are rows with the edges of every type, and with NULL in each column that takes it.
func everyRow() []bulkRow {
	least, most := new(big.Rat), new(big.Rat)
	least.SetString("-99999999999999999999999999999.999999999")
	most.SetString("99999999999999999999999999999.999999999")
	n := int64(math.MinInt64)
	first, last := civil.Date{Year: 1, Month: 1, Day: 1}, civil.Date{Year: 9999, Month: 12, Day: 31}
	begin, end := time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC)
	return []bulkRow{
		{
			ID: 1, Ip: &n, F: math.Inf(-1), B: sql.NullBool{Bool: true, Valid: true},
			S: "naïve \"\\\n<>&\u2028 😀", Raw: []byte{0, 255}, N: least, P: big.NewRat(-12345, 100),
			Bn: "-578960446186580977117854925043439539266.34992332820282019728792003956564819968", Ts: begin,
			Dt: civil.DateTimeOf(end), D: first,
			T:  civil.Time{Hour: 23, Minute: 59, Second: 59, Nanosecond: 999999000},
			Iv: &bigquery.IntervalValue{Years: -1, Months: -2, Days: 3, Hours: -4, Minutes: -5, SubSecondNanos: -5000},
			J:  json.RawMessage(`{"a":[1,"é😀",null]}`), R: driver.Range{Start: first},
			Rt: driver.Range{Start: begin, End: time.Date(2024, 2, 29, 1, 2, 3, 4000, time.UTC)}, Pico: time.Date(2024, 2, 29,
				1, 2, 3, 123456789, time.UTC), L: []string{"", "a"}, Tss: []time.Time{begin, end},
			Rec: &bulkInner{A: sql.NullInt64{Int64: 7, Valid: true}, B: []float64{0.1, -1e300},
				C: sql.Null[civil.Date]{V: last, Valid: true}, D: []bulkDeepest{{N: most}, {}}},
			Recs: []bulkInner{{B: []float64{}, D: []bulkDeepest{}}, {B: []float64{math.Inf(1)}, D: []bulkDeepest{{N: least}}}},
		},
		{
			ID: 2, F: math.NaN(), Raw: []byte{}, Bn: "0", Ts: end, Pico: end, Dt: civil.DateTimeOf(begin), D: last,
			L: []string{}, Tss: []time.Time{}, Recs: []bulkInner{},
		},
		{
			ID: 3, F: math.SmallestNonzeroFloat64, B: sql.NullBool{Valid: true}, S: "x", Raw: []byte("x"), N: big.NewRat(-1, 8),
			Bn: "-0.00000000000000000000000000000000000001",
			Ts: time.Date(1969, 12, 31, 23, 59, 59, 999999000, time.UTC), Dt: civil.DateTimeOf(begin), D: first,
			J: json.RawMessage("null"), R: driver.Range{End: last}, Pico: begin, L: []string{}, Tss: []time.Time{},
			Recs: []bulkInner{},
		},
	}
}

// storageDB is a database whose rows come over the read API, "rest" or "storage", after a first page of one row.
func storageDB(t testing.TB, s *Server, readAPI string) *sql.DB {
	t.Helper()
	connector, err := driver.NewConnector(&dsn.Config{Project: DefaultProject, Dataset: "d", Endpoint: s.Endpoint(),
		StorageEndpoint: s.StorageEndpoint(), ReadAPI: readAPI, MaxResults: 1},
		driver.WithTokenSource(oauth2.StaticTokenSource(signIn(t, s, DefaultAccount))))
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	t.Cleanup(func() { db.Close() })
	return db
}

// typed reads the table by Query.
func typed(t testing.TB, db *sql.DB) (out []bulkRow) {
	t.Helper()
	for row, err := range driver.Query[bulkRow](t.Context(), db, "SELECT * FROM t ORDER BY id") {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, row)
	}
	return out
}

// scanned reads the table by rows, each column into its field.
func scanned(t testing.TB, db *sql.DB) (out []bulkRow) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "SELECT * FROM t ORDER BY id")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var e bulkRow
		err := rows.Scan(&e.ID, &e.Ip, &e.F, &e.B, driver.As(&e.S), &e.Raw, driver.As(&e.N), &e.Bn,
			driver.As(&e.P), &e.Ts, driver.As(&e.Dt),
			driver.As(&e.D), driver.As(&e.T), driver.As(&e.Iv), driver.As(&e.J), driver.As(&e.R), driver.As(&e.Rt), &e.Pico,
			driver.As(&e.L), driver.As(&e.Tss),
			driver.As(&e.Rec), driver.As(&e.Recs))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// copied reads the table by QueryArrow, into another table and out of that by Query.
func copied(t testing.TB, s *Server, db *sql.DB) []bulkRow {
	t.Helper()
	records, err := driver.QueryArrow(t.Context(), db, "SELECT * FROM t ORDER BY id")
	if err != nil {
		t.Fatal(err)
	}
	defer records.Release()
	exec(t, s, "CREATE TABLE d.other LIKE d.t")
	if _, err := bulk.AppendRecords(t.Context(), db, "other", records); err != nil {
		t.Fatal(err)
	}
	exec(t, s, "DROP TABLE d.t", "ALTER TABLE d.other RENAME TO t")
	return typed(t, db)
}

// TestBulkRoundTrip: rows of every type and edge are written by Append, in each of its ways, and are the same when they
// are read by rows, by Query and by QueryArrow, over both read APIs.
func TestBulkRoundTrip(t *testing.T) {
	t.Parallel()
	for _, way := range []struct {
		name string
		opts []bulk.Option
	}{{"pending", nil}, {"committed", []bulk.Option{bulk.Committed()}}, {"load", []bulk.Option{bulk.LoadJob()}}} {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, Config{NoData: true})
			exec(t, s, "CREATE SCHEMA d", bulkTable)
			rest, storage := storageDB(t, s, "rest"), storageDB(t, s, "storage")
			want := everyRow()
			result, err := bulk.AppendSlice(t.Context(), storage, "t", want, way.opts...)
			if err != nil || result.Rows != int64(len(want)) || (result.JobID != "") != (way.name == "load") {
				t.Fatalf("got %+v, %v", result, err)
			}
			if way.name == "load" {
				want[2].J = nil // in a line of JSON, a null is NULL
			}
			rat := cmp.Comparer(func(a, b *big.Rat) bool { return a == b || a != nil && b != nil && a.Cmp(b) == 0 })
			for _, read := range []struct {
				name string
				rows []bulkRow
			}{
				{"Query over REST", typed(t, rest)}, {"Query over Storage", typed(t, storage)},
				{"rows over REST", scanned(t, rest)}, {"rows over Storage", scanned(t, storage)},
				{"QueryArrow over REST", copied(t, s, rest)}, {"QueryArrow over Storage", copied(t, s, storage)},
			} {
				if diff := cmp.Diff(want, read.rows, rat, cmpopts.EquateNaNs()); diff != "" {
					t.Errorf("%s: -want +got:\n%s", read.name, diff)
				}
			}
			if n := s.Requests()["bigquerystorage.ReadRows"]; n == 0 {
				t.Error("nothing was read over Storage")
			}
		})
	}
}

// TestBulkMany: more rows than a request has, over several streams and back in order.
func TestBulkMany(t *testing.T) {
	t.Parallel()
	s := start(t, Config{NoData: true})
	exec(t, s, "CREATE SCHEMA d", "CREATE TABLE d.n (x INT64 NOT NULL, s STRING)")
	db := storageDB(t, s, "storage")
	type narrow struct {
		X int64
		S string
	}
	const n = 100_000
	result, err := bulk.Append(t.Context(), db, "n", func(yield func(narrow, error) bool) {
		for i := range int64(n) {
			if !yield(narrow{i, "some text of a row"}, nil) {
				return
			}
		}
	})
	if err != nil || result.Rows != n {
		t.Fatalf("got %+v, %v", result, err)
	}
	next := int64(0)
	for row, err := range driver.Query[narrow](t.Context(), db, "SELECT * FROM n ORDER BY x") {
		if err != nil || row.X != next {
			t.Fatalf("row %d: got %+v, %v", next, row, err)
		}
		next++
	}
	if next != n || s.Requests()["bigquerystorage.AppendRows"] == 0 {
		t.Errorf("got %d rows; want %d", next, n)
	}
}
