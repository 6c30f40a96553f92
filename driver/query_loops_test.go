package driver_test

import (
	"context"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// TestQueryLeft: a loop that ends by Goexit, a Pull2 that is stopped, and one that is dropped and whose context ends
// leave nothing open, and the connection is used again.
func TestQueryLeft(t *testing.T) {
	t.Parallel()
	eachPath(t, func(t *testing.T, server *fakebq.Server, configure func(*dsn.Config), storage bool, query string) {
		db := open(t, server, configure)
		db.SetMaxOpenConns(1)
		rows := driver.Query[numbered](t.Context(), db, query)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			for range rows {
				runtime.Goexit()
			}
		}()
		<-ended
		next, stop := iter.Pull2(rows)
		next()
		stop()
		if _, _, ok := next(); ok {
			t.Error("got a row after stop")
		}
		ctx, cancel := context.WithCancel(t.Context())
		next, stop = iter.Pull2(driver.Query[numbered](ctx, db, query))
		defer stop()
		next()
		cancel()
		server.WaitIdle(t)
		server.WaitStreams(t)
		n := 0
		for _, err := range rows {
			if n++; err != nil {
				t.Error(err)
			}
		}
		if n != bigRows {
			t.Errorf("afterwards: got %d rows; want %d", n, bigRows)
		}
	})
}

// TestQueryNested: a loop can run another statement on its connection or in its transaction.
func TestQueryNested(t *testing.T) {
	t.Parallel()
	eachPath(t, func(t *testing.T, server *fakebq.Server, configure func(*dsn.Config), storage bool, query string) {
		server.On(begin, fakebq.Answer{StatementType: "BEGIN_TRANSACTION"})
		server.On(rollback, fakebq.Answer{StatementType: "ROLLBACK_TRANSACTION"})
		db := open(t, server, configure)
		nest := func(q driver.Queryer) {
			var got []int
			for row, err := range driver.Query[numbered](t.Context(), q, query) {
				if err != nil {
					t.Fatal(err)
				}
				if got = append(got, row.I); len(got)%400 != 1 {
					continue
				}
				inner := 0
				for _, err := range driver.Query[*numbered](t.Context(), q, query) {
					if inner++; err != nil {
						t.Fatal(err)
					} else if inner > len(got) && len(got) > 1 {
						break
					}
				}
			}
			if problem := everyRowOnce(got, query == ordered); problem != "" {
				t.Error(problem)
			}
		}
		conn, err := db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		nest(conn)
		tx, err := db.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		nest(tx)
		if err := tx.Rollback(); err != nil {
			t.Error(err)
		}
	})
}

// TestQueryArrowKept: batches and slices of them that are retained stay readable after the reader, and the database,
// are closed.
func TestQueryArrowKept(t *testing.T) {
	t.Parallel()
	eachPath(t, func(t *testing.T, server *fakebq.Server, configure func(*dsn.Config), storage bool, query string) {
		db := open(t, server, configure)
		r, err := driver.QueryArrow(t.Context(), db, query)
		if err != nil {
			t.Fatal(err)
		}
		if r.Schema().NumFields() != 2 || r.RecordBatch() != nil {
			t.Errorf("before Next: got %s, %v", r.Schema(), r.RecordBatch())
		}
		var kept []arrow.RecordBatch
		for r.Next() {
			half := r.RecordBatch().NumRows() / 2
			kept = append(kept, r.RecordBatch().NewSlice(0, half), r.RecordBatch().NewSlice(half, r.RecordBatch().NumRows()))
		}
		if r.Err() != nil || r.Next() || r.RecordBatch() != nil {
			t.Errorf("after the end: got %v, %v", r.Err(), r.RecordBatch())
		}
		r.Release()
		if err := db.Close(); err != nil {
			t.Error(err)
		}
		runtime.GC()
		var got []int
		for _, batch := range kept {
			for i, n := range batch.Column(0).(*array.Int64).Int64Values() {
				got = append(got, int(n))
				if text := batch.Column(1).(*array.String).Value(i); text != fmt.Sprint("row ", n) {
					t.Fatalf("row %d has %q", n, text)
				}
			}
			batch.Release()
		}
		if problem := everyRowOnce(got, query == ordered); problem != "" {
			t.Error(problem)
		}
	})
}

// branch is a type that contains itself, and valued one with a Value method.
type (
	branch struct {
		N    int
		Next *branch
		Kids []branch
	}
	valued struct{ N int }
)

func (valued) Value() (sqldriver.Value, error) { return nil, errors.New("not to be called") }

// TestQueryOwnTypes: a type that contains itself holds what As puts into it, and a Value method does not matter, since
// it is for arguments.
func TestQueryOwnTypes(t *testing.T) {
	t.Parallel()
	n := fakebq.Field{Name: "n", Type: "INTEGER"}
	next := fakebq.Field{Name: "next", Type: "RECORD", Fields: []fakebq.Field{n}}
	kids := fakebq.Field{Name: "kids", Type: "RECORD", Mode: "REPEATED", Fields: []fakebq.Field{n, next}}
	server := fakebq.Run(t, fakebq.Options{})
	server.On("tree", fakebq.Answer{Fields: []fakebq.Field{n, next, kids}, PageSize: 1, Rows: [][]any{
		{1, []any{2}, []any{[]any{3, []any{4}}, []any{5, nil}}}, {6, nil, []any{}},
	}})
	type both struct{ Next valued }
	server.On("n", fakebq.Answer{Fields: []fakebq.Field{n}, PageSize: 1, Rows: [][]any{{1}, {2}}})
	server.On("next", fakebq.Answer{Fields: []fakebq.Field{next}, PageSize: 1, Rows: [][]any{{[]any{1}}, {[]any{2}}}})
	for _, path := range []string{"rest", "storage"} {
		db := open(t, server, func(c *dsn.Config) { c.ReadAPI, c.StorageEndpoint = path, server.StorageURL() })
		check(t, db, "tree", []branch{
			{N: 1, Next: &branch{N: 2}, Kids: []branch{{N: 3, Next: &branch{N: 4}}, {N: 5}}}, {N: 6, Kids: []branch{}},
		})
		check(t, db, "n", []valued{{1}, {2}})
		check(t, db, "next", []both{{valued{1}}, {valued{2}}})
	}
}
