package driver_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// TestOneStatementAtATime: a session takes one statement at a time, whichever goroutine uses the
// transaction; the fake refuses a second.
func TestOneStatementAtATime(t *testing.T) {
	t.Parallel()
	server := transactions(t)
	server.On("SELECT paged", fakebq.Answer{Fields: numbers.Fields, Rows: numbers.Rows, Repeat: 20, PageSize: 3})
	for i := range 8 {
		server.On(fmt.Sprint("UPDATE ", i), fakebq.Answer{
			StatementType: "UPDATE",
			DML:           &fakebq.DML{Updated: 1},
			Incomplete:    1,
		})
	}
	db := open(t, server)
	tx := beginTx(t, db)
	// Rows that are open while other statements run.
	rows, err := tx.QueryContext(t.Context(), "SELECT paged")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for rows.Next() {
		if n++; n%10 == 1 {
			if _, err := tx.ExecContext(t.Context(), insert); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n != 60 || rows.Err() != nil {
		t.Errorf("got %d rows, %v; want 60", n, rows.Err())
	}
	rows.Close()
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			if _, err := tx.ExecContext(t.Context(), fmt.Sprint("UPDATE ", i)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if err := tx.Commit(); err != nil {
		t.Error(err)
	}
	if got := server.Executions(insert); got != 6 {
		t.Errorf("got %d statements between the rows; want 6", got)
	}
	wantNoSessions(t, db, server)
}

// TestRowsAfterCommit: rows that were left open end with their transaction, and leave nothing
// behind.
func TestRowsAfterCommit(t *testing.T) {
	t.Parallel()
	server := transactions(t)
	server.On("SELECT paged", fakebq.Answer{Fields: numbers.Fields, Rows: numbers.Rows, Repeat: 20, PageSize: 3})
	db := open(t, server)
	tx := beginTx(t, db)
	rows, err := tx.QueryContext(t.Context(), "SELECT paged")
	if err != nil {
		t.Fatal(err)
	}
	rows.Next()
	if err := tx.Commit(); err != nil {
		t.Error(err)
	}
	for rows.Next() {
	}
	if err := rows.Err(); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v; want context.Canceled: rows end with their transaction", err)
	}
	if _, err := tx.ExecContext(t.Context(), insert); !errors.Is(err, sql.ErrTxDone) {
		t.Errorf("got %v; want sql.ErrTxDone", err)
	}
	wantNoSessions(t, db, server)
}

// TestIdleSessionAlways: a session that ended while nothing was in it is replaced, whatever
// comes next; one that held a temporary table is an error, and takes the connection with it.
func TestIdleSessionAlways(t *testing.T) {
	t.Parallel()
	const temp = "CREATE TEMP TABLE x (a INT64)"
	for name, next := range map[string]func(context.Context, *sql.Conn) error{
		"Exec": func(ctx context.Context, c *sql.Conn) error { _, err := c.ExecContext(ctx, insert); return err },
		"Query": func(ctx context.Context, c *sql.Conn) error {
			return c.QueryRowContext(ctx, "SELECT name, n FROM t").Scan(new(any), new(any))
		},
		"Ping":    func(ctx context.Context, c *sql.Conn) error { return c.PingContext(ctx) },
		"Prepare": func(ctx context.Context, c *sql.Conn) error { _, err := c.PrepareContext(ctx, insert); return err },
		"BeginTx": func(ctx context.Context, c *sql.Conn) error {
			tx, err := c.BeginTx(ctx, nil)
			if err == nil {
				err = tx.Commit()
			}
			return err
		},
	} {
		for _, first := range []string{insert, temp} {
			t.Run(name+" after "+first, func(t *testing.T) {
				t.Parallel()
				server := transactions(t)
				server.On(temp, fakebq.Answer{StatementType: "CREATE_TABLE"})
				server.On("SELECT 1", numbers) // of Ping
				db := open(t, server, always)
				conn, err := db.Conn(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if _, err := conn.ExecContext(t.Context(), first); err != nil {
					t.Fatal(err)
				}
				server.EndSession(server.Sessions()[0])
				var want error
				if first == temp {
					want = driver.ErrResourcesExceeded
				}
				if err := next(t.Context(), conn); !errors.Is(err, want) {
					t.Errorf("got %v; want %v", err, want)
				}
				conn.Close()
				if got := db.Stats().OpenConnections; (got == 0) != (first == temp) {
					t.Errorf("the pool keeps %d connections", got)
				}
				wantNoSessions(t, db, server)
			})
		}
	}
}

// TestSessionNotLearnt: a session whose id was not learnt, for the question was abandoned or
// failed, is ended.
func TestSessionNotLearnt(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]fakebq.Fault{
		"abandoned": fakebq.Hang(nil),
		"failed":    fakebq.Fail(fakebq.Error{Reason: "accessDenied"}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := transactions(t)
			server.On(begin, fakebq.Answer{StatementType: "BEGIN_TRANSACTION", Incomplete: 1})
			server.Inject(fakebq.Get, fault)
			db := open(t, server)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			go func() {
				server.WaitFor(t, fakebq.Get, 1)
				if name == "abandoned" {
					cancel()
				}
			}()
			if _, err := db.BeginTx(ctx, nil); err == nil {
				t.Error("got no error")
			}
			wantNoSessions(t, db, server)
		})
	}
}

// TestRefusalsInWords: what BigQuery has not is refused in words that say what there is.
func TestRefusalsInWords(t *testing.T) {
	t.Parallel()
	db := open(t, transactions(t))
	var got []string
	for _, opts := range []sql.TxOptions{
		{ReadOnly: true},
		{Isolation: sql.LevelSerializable},
		{Isolation: sql.LevelReadUncommitted},
	} {
		_, err := db.BeginTx(t.Context(), &opts)
		got = append(got, fmt.Sprint(err))
	}
	if want := []string{
		"bigqueryuser: BigQuery has no read-only transactions",
		"bigqueryuser: BigQuery has no isolation level Serializable: use sql.LevelDefault or sql.LevelSnapshot",
		"bigqueryuser: BigQuery has no isolation level Read Uncommitted: use sql.LevelDefault or sql.LevelSnapshot",
	}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q; want %q", got, want)
	}
}

// TestNestedTransaction: BigQuery does not nest transactions, and the outer one is not hurt by
// the attempt.
func TestNestedTransaction(t *testing.T) {
	t.Parallel()
	server := transactions(t)
	db := open(t, server)
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	tx, err := conn.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.BeginTx(t.Context(), nil); err == nil {
		t.Error("got no error")
	}
	if _, err := tx.ExecContext(t.Context(), insert); err != nil {
		t.Error(err)
	}
	if err := tx.Commit(); err != nil {
		t.Error(err)
	}
}
