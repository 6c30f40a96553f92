package driver_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	bq "google.golang.org/api/bigquery/v2"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

func always(c *dsn.Config) { c.CreateSession = "always" }

func beginTx(t testing.TB, db *sql.DB) *sql.Tx {
	t.Helper()
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return tx
}

// wantNoSessions closes the database, which waits for what goes on in the background, and looks
// for sessions that no connection ends.
func wantNoSessions(t testing.TB, db *sql.DB, server *fakebq.Server) {
	t.Helper()
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	if got := server.Sessions(); len(got) > 0 {
		t.Errorf("the sessions %v are left behind", got)
	}
}

// TestNothingAfterFailure: after a statement that failed BigQuery keeps the transaction open, with
// its locks. Nothing but its end follows.
func TestNothingAfterFailure(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(*fakebq.Server){
		"a lost session": func(s *fakebq.Server) { s.EndSession(s.Sessions()[0]) },
		"a failed statement": func(s *fakebq.Server) {
			s.Inject(fakebq.Query, fakebq.Fail(fakebq.Error{Reason: "invalidQuery"}))
		},
		"a failed job": func(s *fakebq.Server) {
			s.Inject(fakebq.Query, fakebq.Fail(fakebq.Error{Reason: "jobBackendError"}))
		},
	} {
		server := transactions(t)
		db := open(t, server)
		tx := beginTx(t, db)
		fail(server)
		if _, err := tx.ExecContext(t.Context(), insert); err == nil {
			t.Errorf("%s: got no error", name)
		}
		_, err := tx.ExecContext(t.Context(), insert)
		if err == nil || !strings.Contains(err.Error(), "can only be rolled back") {
			t.Errorf("%s: the next statement: got %v", name, err)
		}
		if _, err := tx.PrepareContext(t.Context(), insert); err == nil {
			t.Errorf("%s: Prepare: got no error", name)
		}
		if got := server.Executions(insert); got != 0 {
			t.Errorf("%s: a statement ran %d times outside of the transaction", name, got)
		}
		if err := tx.Commit(); err == nil {
			t.Errorf("%s: Commit: got no error", name)
		}
		wantNoSessions(t, db, server)
	}
}

// TestTypesAreNotMendedInTransactions: trying again with other types would run outside of the
// transaction.
func TestTypesAreNotMendedInTransactions(t *testing.T) {
	t.Parallel()
	const text = "INSERT INTO t VALUES (?)"
	server := transactions(t)
	ok := func(typ string) fakebq.Answer {
		return fakebq.Answer{
			StatementType: "INSERT",
			DML:           &fakebq.DML{Inserted: 1},
			Parameters:    []fakebq.Parameter{{Type: &bq.QueryParameterType{Type: typ}}},
		}
	}
	bad := ok("DATE")
	bad.Err = &fakebq.Error{Reason: "invalidQuery"}
	server.On(text, ok("DATE"), bad, ok("TIMESTAMP"))
	tx := beginTx(t, open(t, server))
	for i, want := range []error{nil, driver.ErrInvalidQuery} {
		if _, err := tx.ExecContext(t.Context(), text, time.Now()); !errors.Is(err, want) {
			t.Errorf("statement %d: got %v; want %v", i, err, want)
		}
	}
	if got := server.Executions(text); got != 2 {
		t.Errorf("got %d executions; want 2", got)
	}
	if err := tx.Rollback(); err != nil {
		t.Error(err)
	}
}

// TestIdleSession: a session that ended while its connection lay in the pool is replaced by
// BeginTx.
func TestIdleSession(t *testing.T) {
	t.Parallel()
	server := transactions(t)
	db := open(t, server)
	for range 2 {
		if err := beginTx(t, db).Commit(); err != nil {
			t.Fatal(err)
		}
		server.EndSession(server.Sessions()[0])
	}
	tx := beginTx(t, db)
	server.EndSession(server.Sessions()[0])
	if err := tx.Rollback(); err != nil {
		t.Errorf("Rollback of what is gone: %v", err)
	}
}

// TestLeftOvers: what a statement may have left in a session does not reach the connection's
// next user.
func TestLeftOvers(t *testing.T) {
	t.Parallel()
	const failing, zone = "CREATE TEMP TABLE x AS SELECT 1; SELECT 1/0", "SET @@time_zone = 'Europe/Zurich'"
	for _, first := range []string{begin, failing, zone} {
		server := transactions(t)
		server.On(zone, fakebq.Answer{StatementType: "SCRIPT"})
		server.On(failing, fakebq.Answer{
			StatementType: "SCRIPT",
			Err:           &fakebq.Error{Reason: "invalidQuery", Message: "division by zero"},
		})
		db := open(t, server, always)
		db.SetMaxOpenConns(1)
		conn, err := db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.ExecContext(t.Context(), insert); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.ExecContext(t.Context(), first); (err != nil) != (first == failing) {
			t.Errorf("%s: got %v", first, err)
		}
		conn.Close()
		if _, err := db.ExecContext(t.Context(), insert); err != nil {
			t.Error(err)
		}
		texts, sessions := statements(t, server)
		if last := len(texts) - 1; texts[last] == insert && sessions[last] != "new" {
			t.Errorf("after %s the next user got the session %s", first, sessions[last])
		}
		wantNoSessions(t, db, server)
	}
}

// TestCancelledBegin: a BEGIN whose caller has gone leaves no session behind.
func TestCancelledBegin(t *testing.T) {
	t.Parallel()
	for name, at := range map[string]fakebq.Method{"in its poll": fakebq.GetQueryResults, "in flight": fakebq.Query} {
		server := transactions(t)
		server.On(begin, fakebq.Answer{StatementType: "BEGIN_TRANSACTION", Incomplete: 1})
		release := make(chan struct{})
		server.Inject(at, fakebq.Hang(release))
		db := open(t, server)
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			server.WaitFor(t, at, 1)
			cancel()
		}()
		if _, err := db.BeginTx(ctx, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v; want context.Canceled", name, err)
		}
		close(release)
		wantNoSessions(t, db, server)
	}
}

// TestUnreadablePoll: the job whose end can't be learnt is cancelled, and the session is free
// again.
func TestUnreadablePoll(t *testing.T) {
	t.Parallel()
	server := transactions(t)
	server.On("SELECT slow", fakebq.Answer{Fields: numbers.Fields, Incomplete: 1000, Until: make(chan struct{})})
	for range 8 {
		server.Inject(fakebq.GetQueryResults, fakebq.HTML(400))
	}
	db := openPausing(t, server, noPause)
	tx := beginTx(t, db)
	if _, err := tx.ExecContext(t.Context(), "SELECT slow"); err == nil {
		t.Error("got no error")
	}
	if err := tx.Rollback(); err != nil {
		t.Errorf("Rollback: %v", err)
	}
	server.WaitFor(t, fakebq.Cancel, 1)
	wantNoSessions(t, db, server)
}

// TestTypesOfASession: a temporary table is known in its session alone, and so are the types
// that it gives.
func TestTypesOfASession(t *testing.T) {
	t.Parallel()
	const text = "INSERT INTO t VALUES (?)"
	server := transactions(t)
	var wrong atomic.Int64
	server.OnFunc(func(st fakebq.Statement) (fakebq.Answer, bool) {
		typ := "DATETIME"
		if st.Session != "" {
			typ = "DATE"
		}
		if st.SQL == text && !st.DryRun && st.Parameters[0].ParameterType.Type != typ {
			wrong.Add(1)
		}
		return fakebq.Answer{
			StatementType: "INSERT",
			DML:           &fakebq.DML{Inserted: 1},
			Parameters:    []fakebq.Parameter{{Type: &bq.QueryParameterType{Type: typ}}},
		}, st.SQL == text
	})
	db := open(t, server)
	tx := beginTx(t, db)
	if _, err := tx.ExecContext(t.Context(), text, time.Now()); err != nil {
		t.Error(err)
	}
	if _, err := db.ExecContext(t.Context(), text, time.Now()); err != nil {
		t.Error(err)
	}
	if err := tx.Rollback(); err != nil {
		t.Error(err)
	}
	if got := wrong.Load(); got != 0 {
		t.Errorf("%d statements got the type of another session", got)
	}
}
