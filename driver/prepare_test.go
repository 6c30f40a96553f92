package driver_test

import (
	"context"
	"database/sql"
	"errors"
	"reflect"
	"sync"
	"testing"
	"time"

	bq "google.golang.org/api/bigquery/v2"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// TestPrepareKnows: a prepared statement is checked, and tells its type, its columns and how
// much it would read; nothing runs. However many connections prepare a text, BigQuery is asked
// once, until DDL makes that void.
func TestPrepareKnows(t *testing.T) {
	t.Parallel()
	const text = "SELECT n, tags FROM t WHERE d = ?"
	server := fakebq.Run(t, fakebq.Options{})
	server.On(text, fakebq.Answer{
		Bytes:      12345,
		Parameters: []fakebq.Parameter{{Type: &bq.QueryParameterType{Type: "DATE"}}},
		Fields:     []fakebq.Field{{Name: "n", Type: "INTEGER"}, {Name: "tags", Type: "STRING", Mode: "REPEATED"}},
		Rows:       [][]any{{1, []string{"a"}}},
	})
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
	want := driver.Stats{
		Query:          text,
		Project:        "my-project",
		StatementType:  "SELECT",
		BytesProcessed: 12345,
		Columns: []driver.Column{
			{Name: "n", DatabaseTypeName: "INT64", ScanType: reflect.TypeFor[sql.Null[int64]](), Nullable: true},
			{Name: "tags", DatabaseTypeName: "ARRAY<STRING>", ScanType: reflect.TypeFor[[]string]()},
		},
	}
	for range 3 {
		if got, err := prepare(text); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %v; want %+v", got, err, want)
		}
	}
	if err := run(t.Context(), db, text, time.Now()); err != nil { // knows the type from Prepare
		t.Error(err)
	}
	if got, want := server.Counts(), (counts{fakebq.Insert: 1, fakebq.Query: 1}); !reflect.DeepEqual(got, want) {
		t.Errorf("got requests %v; want %v", got, want)
	}
	if _, err := db.ExecContext(t.Context(), "DROP TABLE t"); err != nil {
		t.Fatal(err)
	}
	server.On(text, fakebq.Answer{Reject: &fakebq.Error{Reason: "notFound", Message: "Not found: Table t"}})
	if got, err := prepare(text); !errors.Is(err, driver.ErrNotFound) || !reflect.DeepEqual(got, driver.Stats{}) {
		t.Errorf("after DDL: got %+v, %v; want notFound", got, err)
	}
	got, err := prepare("INSERT")
	if err != nil || got.StatementType != "INSERT" || got.BytesProcessed != 7 || got.Columns != nil {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := prepare("SELECT h"); err == nil {
		t.Error("a column of a type that the driver does not know: got no error")
	}
}

// TestPreparedElsewhereDropped: what Prepare knows does not outlive the table that another
// program drops.
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

// TestAskedOnce: connections that need the types of one text at the same time ask once. One
// whose context ends does not wait for the others.
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

// TestNothingInferred: a statement that BigQuery can't check without types is run by Go's, and
// the question is not asked again as long as that works.
func TestNothingInferred(t *testing.T) {
	t.Parallel()
	const text = "SELECT f(?, ?)"
	server := fakebq.Run(t, fakebq.Options{})
	var fails bool
	server.OnFunc(func(st fakebq.Statement) (fakebq.Answer, bool) {
		if st.DryRun || fails {
			reject := fakebq.Error{Reason: "invalidQuery", Message: "Undeclared parameters are ambiguous at [1:8]"}
			return fakebq.Answer{Reject: &reject}, true
		}
		return numbers, true
	})
	db := open(t, server)
	for range 3 {
		if err := run(t.Context(), db, text, 1, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := server.Counts(), (counts{fakebq.Insert: 1, fakebq.Query: 3}); !reflect.DeepEqual(got, want) {
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

// TestTypeErrorInTransaction: in a transaction, which only ROLLBACK may follow then, nothing is
// tried again, but the types are forgotten all the same.
func TestTypeErrorInTransaction(t *testing.T) {
	t.Parallel()
	const text = "INSERT INTO u VALUES (?)"
	server := transactions(t)
	typ := "DATE"
	answer := func(reject *fakebq.Error) {
		server.On(text, fakebq.Answer{
			StatementType: "INSERT",
			DML:           &fakebq.DML{Inserted: 1},
			Parameters:    []fakebq.Parameter{{Type: &bq.QueryParameterType{Type: typ}}},
			Err:           reject,
		})
	}
	answer(nil)
	db := open(t, server)
	for _, step := range []struct {
		name    string
		fails   bool
		dryRuns int
	}{
		{"the first", false, 1},
		{"types that are known", false, 0},
		{"a type error", true, 0},
		{"after the type error", false, 1},
	} {
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
			t.Errorf("%s: got %v", step.name, err)
		}
		if err := tx.Rollback(); err != nil {
			t.Errorf("%s: Rollback: got %v", step.name, err)
		}
		if got := server.Count(fakebq.Insert); got != step.dryRuns {
			t.Errorf("%s: got %d dry runs; want %d", step.name, got, step.dryRuns)
		}
	}
}
