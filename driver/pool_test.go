package driver_test

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// TestStmtOnAnotherConnection: the pool prepares a statement anew where its connection is busy.
func TestStmtOnAnotherConnection(t *testing.T) {
	t.Parallel()
	server := transactions(t)
	db := open(t, server)
	stmt, err := db.PrepareContext(t.Context(), "SELECT name, n FROM t")
	if err != nil {
		t.Fatal(err)
	}
	defer stmt.Close()
	var open []*sql.Rows
	for range 3 { // each holds a connection
		rows, err := stmt.QueryContext(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, rows)
	}
	if got := db.Stats().OpenConnections; got != 3 {
		t.Errorf("got %d connections; want 3", got)
	}
	for _, rows := range open {
		if got := readAll(t, rows); len(got) != 3 {
			t.Errorf("got %d rows; want 3", len(got))
		}
	}
	// In a transaction it is prepared in the session.
	tx := beginTx(t, db)
	rows, err := tx.StmtContext(t.Context(), stmt).QueryContext(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := readAll(t, rows); len(got) != 3 {
		t.Errorf("in a transaction: got %d rows; want 3", len(got))
	}
	_, sessions := statements(t, server)
	if got := sessions[len(sessions)-1]; got != server.Sessions()[0] {
		t.Errorf("the statement ran in the session %q; want the transaction's", got)
	}
	if err := tx.Commit(); err != nil {
		t.Error(err)
	}
	if err := stmt.Close(); err != nil {
		t.Error(err)
	}
	if _, err := stmt.QueryContext(t.Context()); err == nil {
		t.Error("after Close: got no error")
	}
}

// TestOneConnection: a query inside the rows of another waits for a connection until its
// context ends, as with any driver; in one transaction there is no need to.
func TestOneConnection(t *testing.T) {
	t.Parallel()
	server := transactions(t)
	db := open(t, server)
	db.SetMaxOpenConns(1)
	rows, err := db.QueryContext(t.Context(), "SELECT name, n FROM t")
	if err != nil {
		t.Fatal(err)
	}
	rows.Next()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := query(ctx, db); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v; want context.DeadlineExceeded", err)
	}
	rows.Close()
	if err := query(t.Context(), db); err != nil {
		t.Errorf("after Close of the rows: %v", err)
	}
	tx := beginTx(t, db)
	defer tx.Rollback()
	outer, err := tx.QueryContext(t.Context(), "SELECT name, n FROM t")
	if err != nil {
		t.Fatal(err)
	}
	defer outer.Close()
	for outer.Next() {
		if err := tx.QueryRowContext(t.Context(), "SELECT name, n FROM t").Scan(new(any), new(any)); err != nil {
			t.Error(err)
		}
	}
	if err := outer.Err(); err != nil {
		t.Error(err)
	}
}

// TestRawBadConn: a connection that its holder calls bad is closed, and its session ends.
func TestRawBadConn(t *testing.T) {
	t.Parallel()
	server := transactions(t)
	db := open(t, server, always)
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.ExecContext(t.Context(), insert); err != nil {
		t.Fatal(err)
	}
	if err := conn.Raw(func(any) error { return sqldriver.ErrBadConn }); !errors.Is(err, sqldriver.ErrBadConn) {
		t.Errorf("got %v; want driver.ErrBadConn", err)
	}
	if err := conn.PingContext(t.Context()); err == nil {
		t.Error("Ping of a connection that is gone: got no error")
	}
	if got := db.Stats().OpenConnections; got != 0 {
		t.Errorf("the pool keeps %d connections; want 0", got)
	}
	wantNoSessions(t, db, server)
}

// TestNeverBadConn: database/sql runs a statement again on another connection after ErrBadConn.
// An error of a statement that may have run is never that, whatever happens to the connection.
func TestNeverBadConn(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]fakebq.Fault{
		"a dropped connection": fakebq.Drop().After(),
		"401":                  fakebq.Fail(fakebq.Error{Reason: "authError", Status: 401}),
		"a lost session": fakebq.Fail(fakebq.Error{
			Reason:  "resourcesExceeded",
			Message: "Session s has expired and is no longer available.",
		}),
		"garbage": fakebq.Garbage("{"),
	} {
		server := transactions(t)
		for range 20 {
			server.Inject(fakebq.Query, fault)
		}
		_, err := openPausing(t, server, noPause).ExecContext(t.Context(), insert)
		if err == nil || errors.Is(err, sqldriver.ErrBadConn) {
			t.Errorf("%s: got %v; want an error that is no driver.ErrBadConn", name, err)
		}
		if got := server.Executions(insert); got > 1 {
			t.Errorf("%s: ran %d times", name, got)
		}
	}
}

// TestManyUsers: statements, transactions and scripts of many goroutines, some of which are
// cancelled at any time, mix up nothing and leave nothing behind.
func TestManyUsers(t *testing.T) {
	t.Parallel()
	server := transactions(t)
	server.On("SELECT paged", fakebq.Answer{Fields: numbers.Fields, Rows: numbers.Rows, Repeat: 20, PageSize: 3})
	server.On("SELECT slow", fakebq.Answer{Fields: numbers.Fields, Rows: numbers.Rows, Incomplete: 2})
	server.On(script, scriptAnswer)
	db := open(t, server)
	db.SetMaxOpenConns(4)
	count := func(ctx context.Context, query string, want int) error {
		rows, err := db.QueryContext(ctx, query)
		if err != nil {
			return err
		}
		defer rows.Close()
		n := 0
		for rows.Next() {
			n++
		}
		if err := rows.Err(); err != nil {
			return err
		}
		if n != want {
			t.Errorf("%s: got %d rows; want %d", query, n, want)
		}
		return nil
	}
	work := []func(context.Context) error{
		func(ctx context.Context) error { return count(ctx, "SELECT paged", 60) },
		func(ctx context.Context) error { return count(ctx, "SELECT slow", 3) },
		func(ctx context.Context) error { return count(ctx, script, 1) },
		func(ctx context.Context) error {
			tx, err := db.BeginTx(ctx, nil)
			if err != nil {
				return err
			}
			defer tx.Rollback()
			for _, text := range []string{insert, "SELECT slow", insert} {
				if _, err := tx.ExecContext(ctx, text); err != nil {
					return err
				}
			}
			return tx.Commit()
		},
	}
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			for range 4 {
				for _, f := range work {
					ctx, cancel := context.WithTimeout(t.Context(), rand.N(20*time.Millisecond))
					if rand.N(3) == 0 {
						cancel()
						ctx, cancel = context.WithCancel(t.Context())
					}
					if err := f(ctx); err != nil && ctx.Err() == nil && !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("got %v of a context that goes on", err)
					}
					cancel()
				}
			}
		})
	}
	all.Wait()
	if err := query(t.Context(), db); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	for db.Stats().InUse > 0 { // database/sql still rolls back what was cancelled
		time.Sleep(time.Millisecond)
	}
	wantNoSessions(t, db, server)
}
