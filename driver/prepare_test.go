package driver_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"cloud.google.com/go/civil"
	bq "google.golang.org/api/bigquery/v2"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// TestPrepareKnows: a prepared statement is checked, and tells its type, its columns and how much it would read; nothing
// runs. However many connections prepare a text, BigQuery is asked once, until DDL makes that void.
func TestPrepareKnows(t *testing.T) {
	t.Parallel()
	const text = "SELECT n, tags FROM t WHERE d = ?"
	server := fakebq.Run(t, fakebq.Options{})
	server.On(text, fakebq.Answer{Bytes: 12345, Parameters: []fakebq.Parameter{{Type: &bq.QueryParameterType{Type: "DATE"}}},
		Fields: []fakebq.Field{{Name: "n", Type: "INTEGER"}, {Name: "tags", Type: "STRING", Mode: "REPEATED"}}, Rows: [][]any{{1, []string{"a"}}}})
	server.On("DROP TABLE t", fakebq.Answer{StatementType: "DROP_TABLE"})
	server.On("INSERT", fakebq.Answer{StatementType: "INSERT", DML: &fakebq.DML{}, Bytes: 7})
	server.On("SELECT h", fakebq.Answer{Fields: []fakebq.Field{{Name: "h", Type: "HOLOGRAM"}}})
	db := open(t, server)
	prepare := func(text string) (driver.Stats, error) {
		var stats driver.Stats
		conn, err := db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		stmt, err := conn.PrepareContext(driver.WithStats(t.Context(), &stats), text)
		if err == nil {
			stmt.Close()
		}
		stats.Duration = 0
		return stats, err
	}
	want := driver.Stats{Query: text, Project: "my-project", StatementType: "SELECT", BytesProcessed: 12345, Columns: []driver.Column{
		{Name: "n", DatabaseTypeName: "INT64", ScanType: reflect.TypeFor[sql.Null[int64]](), Nullable: true},
		{Name: "tags", DatabaseTypeName: "ARRAY<STRING>", ScanType: reflect.TypeFor[[]string]()},
	}}
	for range 3 {
		if got, err := prepare(text); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %v; want %+v", got, err, want)
		}
	}
	if err := run(t.Context(), db, text, time.Now()); err != nil { // knows the type from Prepare
		t.Error(err)
	}
	if got, want := server.Counts(), (map[fakebq.Method]int{fakebq.Insert: 1, fakebq.Query: 1}); !reflect.DeepEqual(got, want) {
		t.Errorf("got requests %v; want %v", got, want)
	}
	if _, err := db.ExecContext(t.Context(), "DROP TABLE t"); err != nil {
		t.Fatal(err)
	}
	server.On(text, fakebq.Answer{Reject: &fakebq.Error{Reason: "notFound", Message: "Not found: Table t"}})
	if got, err := prepare(text); !errors.Is(err, driver.ErrNotFound) || !reflect.DeepEqual(got, driver.Stats{}) {
		t.Errorf("after DDL: got %+v, %v; want notFound", got, err)
	}
	if got, err := prepare("INSERT"); err != nil || got.StatementType != "INSERT" || got.BytesProcessed != 7 || got.Columns != nil {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := prepare("SELECT h"); err == nil {
		t.Error("a column of a type that the driver does not know: got no error")
	}
}

// TestPreparedElsewhereDropped: what Prepare knows does not outlive the table that another program drops.
func TestPreparedElsewhereDropped(t *testing.T) {
	t.Parallel()
	const text = "SELECT name, n FROM t"
	server := fakebq.Run(t, fakebq.Options{})
	server.On(text, numbers)
	db := open(t, server)
	stmt, err := db.PrepareContext(t.Context(), text)
	if err != nil {
		t.Fatal(err)
	}
	defer stmt.Close()
	server.On(text, fakebq.Answer{Reject: &fakebq.Error{Reason: "notFound", Message: "Not found: Table t"}})
	if _, err := stmt.QueryContext(t.Context()); !errors.Is(err, driver.ErrNotFound) {
		t.Errorf("got %v; want notFound", err)
	}
	if _, err := db.PrepareContext(t.Context(), text); !errors.Is(err, driver.ErrNotFound) {
		t.Errorf("Prepare: got %v; want notFound", err)
	}
}

// TestAskedOnce: connections that need the types of one text at the same time ask once. One whose context ends does not wait
// for the others.
func TestAskedOnce(t *testing.T) {
	t.Parallel()
	const text = "SELECT name, n FROM t WHERE d = ?"
	server := fakebq.Run(t, fakebq.Options{})
	answer := numbers
	answer.Parameters = []fakebq.Parameter{{Type: &bq.QueryParameterType{Type: "DATE"}}}
	server.On(text, answer)
	answered := make(chan struct{})
	server.Inject(fakebq.Insert, fakebq.Hang(answered))
	db := open(t, server)
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			if err := run(t.Context(), db, text, nil); err != nil {
				t.Error(err)
			}
		})
	}
	server.WaitFor(t, fakebq.Insert, 1)
	ctx, cancel := context.WithCancel(t.Context())
	all.Go(func() {
		if err := run(ctx, db, text, time.Now()); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v; want context.Canceled", err)
		}
	})
	cancel()
	close(answered)
	all.Wait()
	if got := server.Counts(); got[fakebq.Insert] != 1 || got[fakebq.Query] < 16 {
		t.Errorf("got requests %v; want one dry run", got)
	}
}

// TestAskAgainAfterCancel: where the one that asks gives up, the next asks.
func TestAskAgainAfterCancel(t *testing.T) {
	t.Parallel()
	const text = "SELECT name, n FROM t WHERE d = ?"
	server := fakebq.Run(t, fakebq.Options{})
	answer := numbers
	answer.Parameters = []fakebq.Parameter{{Type: &bq.QueryParameterType{Type: "DATE"}}}
	server.On(text, answer)
	server.Inject(fakebq.Insert, fakebq.HangBefore(nil))
	db := open(t, server)
	ctx, cancel := context.WithCancel(t.Context())
	var both sync.WaitGroup
	both.Go(func() {
		if err := run(ctx, db, text, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v; want context.Canceled", err)
		}
	})
	server.WaitFor(t, fakebq.Insert, 1)
	both.Go(func() {
		if err := run(t.Context(), db, text, nil); err != nil {
			t.Error(err)
		}
	})
	cancel()
	both.Wait()
	if got := server.Count(fakebq.Insert); got != 2 {
		t.Errorf("got %d dry runs; want 2", got)
	}
}

// TestNothingInferred: a statement that BigQuery can't check without types is run by Go's, and the question is not asked again
// as long as that works.
func TestNothingInferred(t *testing.T) {
	t.Parallel()
	const text = "SELECT f(?, ?)"
	server := fakebq.Run(t, fakebq.Options{})
	var fails bool
	server.OnFunc(func(st fakebq.Statement) (fakebq.Answer, bool) {
		if st.DryRun || fails {
			return fakebq.Answer{Reject: &fakebq.Error{Reason: "invalidQuery", Message: "Undeclared parameters are ambiguous at [1:8]"}}, true
		}
		return numbers, true
	})
	db := open(t, server)
	for range 3 {
		if err := run(t.Context(), db, text, 1, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := server.Counts(), (map[fakebq.Method]int{fakebq.Insert: 1, fakebq.Query: 3}); !reflect.DeepEqual(got, want) {
		t.Errorf("got requests %v; want %v", got, want)
	}
	if err := run(t.Context(), db, text, 1, nil); err == nil {
		t.Error("a NULL that nothing gives a type: got no error")
	}
	fails = true
	server.ResetLog()
	for range 2 {
		if err := run(t.Context(), db, text, 1, time.Now()); !errors.Is(err, driver.ErrInvalidQuery) {
			t.Errorf("got %v; want invalidQuery", err)
		}
	}
	if got := server.Count(fakebq.Insert); got != 2 { // each time, as the statement may have become right
		t.Errorf("got %d dry runs; want 2", got)
	}
}

// TestTypeErrorInTransaction: in a transaction, which BigQuery has rolled back, nothing is tried again, but the types are
// forgotten all the same.
func TestTypeErrorInTransaction(t *testing.T) {
	t.Parallel()
	const text = "INSERT INTO u VALUES (?)"
	server := transactions(t)
	typ := "DATE"
	answer := func(reject *fakebq.Error) {
		server.On(text, fakebq.Answer{StatementType: "INSERT", DML: &fakebq.DML{Inserted: 1}, Parameters: []fakebq.Parameter{{Type: &bq.QueryParameterType{Type: typ}}}, Err: reject})
	}
	answer(nil)
	db := open(t, server)
	for _, step := range []struct {
		fails   bool
		dryRuns int
	}{{false, 1}, {false, 0}, {true, 0}, {false, 1}} {
		server.ResetLog()
		answer(nil)
		if step.fails {
			answer(&fakebq.Error{Reason: "invalidQuery", Message: "Value has type DATE which cannot be inserted at [1:2]"})
		}
		tx, err := db.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.ExecContext(t.Context(), text, time.Now()); (err != nil) != step.fails {
			t.Errorf("got %v", err)
		}
		_ = tx.Rollback() // after an error BigQuery has done it
		if got := server.Count(fakebq.Insert); got != step.dryRuns {
			t.Errorf("got %d dry runs; want %d", got, step.dryRuns)
		}
	}
}

// TestIntoColumns puts nil and a time.Time into columns of each type, as BigQuery says that they are.
func TestIntoColumns(t *testing.T) {
	t.Parallel()
	at := time.Date(2024, 2, 29, 23, 30, 0, 1999, time.FixedZone("", -3*3600))
	array := func(elem *bq.QueryParameterType) *bq.QueryParameterType {
		return &bq.QueryParameterType{Type: "ARRAY", ArrayType: elem}
	}
	scalar := func(name string) *bq.QueryParameterType { return &bq.QueryParameterType{Type: name} }
	record := func(elem *bq.QueryParameterType) *bq.QueryParameterType {
		return &bq.QueryParameterType{Type: "STRUCT", StructTypes: []*bq.QueryParameterTypeStructTypes{{Name: "T", Type: elem}}}
	}
	type row struct{ T time.Time }
	type nullRow struct{ T *time.Time }
	for i, tt := range []struct {
		column *bq.QueryParameterType
		in     any
		want   string
	}{
		{scalar("DATE"), nil, "DATE NULL"}, {scalar("NUMERIC"), nil, "NUMERIC NULL"}, {scalar("JSON"), nil, "JSON NULL"}, {scalar("BYTES"), (*string)(nil), "BYTES NULL"}, {scalar("TIMESTAMP"), sql.NullTime{}, "TIMESTAMP NULL"}, {scalar("GEOGRAPHY"), sql.NullString{}, "GEOGRAPHY NULL"},
		{array(scalar("INT64")), nil, "ARRAY<INT64> NULL"}, {array(record(scalar("DATE"))), (*[]row)(nil), "ARRAY<STRUCT<T DATE>> NULL"}, {record(scalar("DATE")), nil, "STRUCT<T DATE> NULL"}, {&bq.QueryParameterType{Type: "RANGE", RangeElementType: scalar("DATE")}, nil, "RANGE<DATE> NULL"},
		{scalar("DATE"), at, "DATE 2024-02-29"}, {scalar("DATETIME"), &at, "DATETIME 2024-02-29 23:30:00.000001"}, {scalar("TIMESTAMP"), at, "TIMESTAMP 2024-03-01 02:30:00.000001+00:00"}, {scalar("TIME"), sql.NullTime{Time: at, Valid: true}, "TIME 23:30:00.000001"}, {scalar("STRING"), at, "TIMESTAMP 2024-03-01 02:30:00.000001+00:00"},
		{array(scalar("DATE")), []time.Time{at, at}, "ARRAY<DATE> [2024-02-29, 2024-02-29]"}, {array(scalar("DATETIME")), []*time.Time{nil, &at}, "ARRAY<DATETIME> [NULL, 2024-02-29 23:30:00.000001]"}, {array(scalar("DATE")), []time.Time{}, "ARRAY<DATE> []"}, {array(scalar("DATE")), []time.Time(nil), "ARRAY<DATE> []"},
		{record(scalar("DATE")), row{at}, "STRUCT<T DATE> {T 2024-02-29}"}, {record(scalar("DATETIME")), nullRow{}, "STRUCT<T DATETIME> {T NULL}"}, {array(record(scalar("TIME"))), []row{{at}}, "ARRAY<STRUCT<T TIME>> [{T 23:30:00.000001}]"}, {array(record(scalar("TIME"))), []nullRow{{&at}, {}}, "ARRAY<STRUCT<T TIME>> [{T 23:30:00.000001}, {T NULL}]"},
		{scalar("DATE"), civil.DateOf(at), "DATE 2024-02-29"}, {scalar("FLOAT64"), 1, "INT64 1"},
	} {
		t.Run(fmt.Sprint(i, typeText(tt.column)), func(t *testing.T) {
			t.Parallel()
			server := fakebq.Run(t, fakebq.Options{})
			insert := fakebq.Answer{StatementType: "INSERT", DML: &fakebq.DML{Inserted: 1}, Parameters: []fakebq.Parameter{{Type: tt.column}}}
			server.On("INSERT INTO t VALUES (?)", insert)
			insert.Parameters = []fakebq.Parameter{{Name: "p", Type: tt.column}, {Name: "q", Type: scalar("STRING")}}
			server.On("INSERT INTO t VALUES (@p, @q)", insert)
			db := open(t, server)
			for text, args := range map[string][]any{"INSERT INTO t VALUES (?)": {tt.in}, "INSERT INTO t VALUES (@p, @q)": {sql.Named("q", "known"), sql.Named("p", tt.in)}} {
				if _, err := db.ExecContext(t.Context(), text, args...); err != nil {
					t.Errorf("%s: %v", text, err)
				} else if got := sentArguments(t, server); got[len(got)-1] != tt.want {
					t.Errorf("%s: got %q; want %s", text, got, tt.want)
				}
			}
		})
	}
}
