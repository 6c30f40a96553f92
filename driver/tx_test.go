package driver_test

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

const (
	begin    = "BEGIN TRANSACTION"
	commit   = "COMMIT TRANSACTION"
	rollback = "ROLLBACK TRANSACTION"
	abort    = "CALL BQ.ABORT_SESSION("
)

func transactions(t testing.TB) *fakebq.Server {
	t.Helper()
	server := fakebq.Run(t, fakebq.Options{})
	server.On(begin, fakebq.Answer{StatementType: "BEGIN_TRANSACTION"})
	server.On(commit, fakebq.Answer{StatementType: "COMMIT_TRANSACTION"})
	server.On(rollback, fakebq.Answer{StatementType: "ROLLBACK_TRANSACTION"})
	server.On(insert, fakebq.Answer{StatementType: "INSERT", DML: &fakebq.DML{Inserted: 1}})
	server.On("SELECT name, n FROM t", numbers)
	return server
}

// statements lists what was sent, with the session that it was sent in.
func statements(t testing.TB, server *fakebq.Server) (texts, sessions []string) {
	t.Helper()
	for _, r := range server.Requests(fakebq.Query) {
		req, err := r.QueryRequest()
		if err != nil {
			t.Fatal(err)
		}
		id := ""
		if req.CreateSession {
			id = "new"
		}
		for _, p := range req.ConnectionProperties {
			id = p.Value
		}
		texts, sessions = append(texts, req.Query), append(sessions, id)
	}
	return texts, sessions
}

// TestTransaction: three requests, in one session that the next transaction of the connection uses
// again, other statements do not, and that ends with the connection.
func TestTransaction(t *testing.T) {
	t.Parallel()
	server := transactions(t)
	db := open(t, server)
	for _, end := range []func(*sql.Tx) error{(*sql.Tx).Commit, (*sql.Tx).Rollback} {
		tx, err := db.BeginTx(t.Context(), &sql.TxOptions{Isolation: sql.LevelSnapshot})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.ExecContext(t.Context(), insert); err != nil {
			t.Fatal(err)
		}
		if err := end(tx); err != nil {
			t.Fatal(err)
		}
	}
	if err := query(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	live := server.Sessions()
	if len(live) != 1 {
		t.Fatalf("got sessions %v; want one", live)
	}
	texts, sessions := statements(t, server)
	id := live[0]
	want := []string{begin, insert, commit, begin, insert, rollback, "SELECT name, n FROM t"}
	if !slices.Equal(texts, want) {
		t.Errorf("got %q; want %q", texts, want)
	}
	if want := []string{"new", id, id, id, id, id, ""}; !slices.Equal(sessions, want) {
		t.Errorf("got sessions %q; want %q", sessions, want)
	}
	if got := server.Count(); got != 7 {
		t.Errorf("got %d requests; want 7", got)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	if got := server.Sessions(); len(got) != 0 {
		t.Errorf("got sessions %v after Close; want none", got)
	}
}

func TestTransactionOptions(t *testing.T) {
	t.Parallel()
	server := transactions(t)
	db := open(t, server)
	for _, opts := range []sql.TxOptions{
		{ReadOnly: true},
		{Isolation: sql.LevelSerializable},
		{Isolation: sql.LevelReadCommitted},
	} {
		if _, err := db.BeginTx(t.Context(), &opts); err == nil {
			t.Errorf("%+v: got no error", opts)
		}
	}
	if got := server.Count(); got != 0 {
		t.Errorf("got %d requests; want 0", got)
	}
}

// TestConflict: a commit that another transaction was faster than is known as such, and its
// session is not used again.
func TestConflict(t *testing.T) {
	t.Parallel()
	server := transactions(t)
	conflict := fakebq.Answer{Err: &fakebq.Error{
		Reason:  "invalidQuery",
		Message: "Transaction is aborted due to concurrent update against table my-project:d.t. Transaction ID: 1",
	}}
	server.On(commit, conflict, fakebq.Answer{StatementType: "COMMIT_TRANSACTION"})
	db := open(t, server)
	for try, want := range []error{driver.ErrConcurrentUpdate, nil} {
		tx, err := db.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := tx.Commit(); !errors.Is(err, want) {
			t.Errorf("try %d: got %v; want %v", try, err, want)
		}
	}
	if _, sessions := statements(t, server); sessions[0] != "new" || !slices.Contains(sessions[2:], "new") {
		t.Errorf("got sessions %q; want a new one after the conflict", sessions)
	}
}

// TestRollbackOfWhatIsGone: rolling back a transaction that has ended already, as after a conflict, is no error.
func TestRollbackOfWhatIsGone(t *testing.T) {
	t.Parallel()
	server := transactions(t)
	server.On(insert, fakebq.Answer{Err: &fakebq.Error{Reason: "invalidQuery",
		Message: "Transaction is aborted due to concurrent update against table my-project:d.t. Transaction ID: x"}})
	server.On(rollback, fakebq.Answer{
		Reject: &fakebq.Error{Reason: "invalidQuery", Message: "No active transaction found"},
	})
	tx, err := open(t, server).BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(t.Context(), insert); !errors.Is(err, driver.ErrConcurrentUpdate) {
		t.Errorf("got %v; want ErrConcurrentUpdate", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Errorf("Rollback: got %v", err)
	}
}

// TestCancelInTransaction: the rollback does not wait for what runs in the session: it ends the session from outside.
func TestCancelInTransaction(t *testing.T) {
	t.Parallel()
	server := transactions(t)
	server.On("SELECT slow", fakebq.Answer{Fields: numbers.Fields, Incomplete: 1000, Until: make(chan struct{})})
	server.Inject(fakebq.GetQueryResults, fakebq.Hang(nil))
	db := open(t, server)
	ctx, cancel := context.WithCancel(t.Context())
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		server.WaitFor(t, fakebq.GetQueryResults, 1)
		cancel()
	}()
	if _, err := tx.ExecContext(ctx, "SELECT slow"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v; want context.Canceled", err)
	}
	server.WaitFor(t, fakebq.Query, 3) // the rollback by database/sql
	server.WaitIdle(t)
	if sent, open := server.Executions(rollback), server.Sessions(); sent != 0 || len(open) != 0 {
		t.Errorf("got %d ROLLBACKs and the sessions %v; want none", sent, open)
	}
	if err := tx.Commit(); !errors.Is(err, sql.ErrTxDone) && !errors.Is(err, context.Canceled) {
		t.Errorf("Commit: got %v", err)
	}
}

// TestLostSession: a session that BigQuery has ended takes its connection with it.
func TestLostSession(t *testing.T) {
	t.Parallel()
	server := transactions(t)
	db := open(t, server)
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	server.EndSession(server.Sessions()[0])
	if _, err := tx.ExecContext(t.Context(), insert); !errors.Is(err, driver.ErrResourcesExceeded) {
		t.Errorf("got %v; want resourcesExceeded", err)
	}
	sent := server.Count(fakebq.Query)
	if err := tx.Rollback(); err != nil {
		t.Errorf("Rollback: %v", err)
	}
	if got := server.Count(fakebq.Query); got != sent {
		t.Errorf("got %d requests for a rollback of what is gone; want 0", got-sent)
	}
	if got := db.Stats().OpenConnections; got != 0 {
		t.Errorf("the pool keeps %d connections; want 0", got)
	}
	tx, err = db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	server.EndSession(server.Sessions()[0])
	if err := tx.Commit(); !errors.Is(err, driver.ErrResourcesExceeded) {
		t.Errorf("Commit: got %v; want resourcesExceeded", err)
	}
}

// TestSessionState: what a session holds does not reach the connection's next user.
func TestSessionState(t *testing.T) {
	t.Parallel()
	const temp = "CREATE TEMP TABLE x (a INT64)"
	server := transactions(t)
	server.On(temp, fakebq.Answer{StatementType: "CREATE_TABLE"})
	db := open(t, server, func(c *dsn.Config) { c.CreateSession = "always" })
	db.SetMaxOpenConns(1)
	for range 2 {
		conn, err := db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{temp, insert} {
			if _, err := conn.ExecContext(t.Context(), text); err != nil {
				t.Fatal(err)
			}
		}
		if err := conn.Close(); err != nil {
			t.Fatal(err)
		}
	}
	server.WaitFor(t, fakebq.Query, 5)
	texts, sessions := statements(t, server)
	var made, ended int
	for i, text := range texts {
		switch {
		case strings.HasPrefix(text, abort):
			ended++
		case text == temp && sessions[i] == "new":
			made++
		case text == insert && (sessions[i] == "" || sessions[i] == "new"):
			t.Errorf("%s ran in the session %q; want that of the statement before", text, sessions[i])
		}
	}
	if made != 2 || ended != 1 {
		t.Errorf("got %d sessions made and %d ended; want 2 and 1", made, ended)
	}
}

// TestTransactionControl: BEGIN, COMMIT and ROLLBACK as statements are refused before anything is sent, unless every
// statement of the connection runs in its session.
func TestTransactionControl(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"BEGIN", "begin transaction;", "COMMIT", "-- done\nROLLBACK TRANSACTION"} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			server := transactions(t)
			db := open(t, server)
			if _, err := db.ExecContext(t.Context(), text); err == nil || !strings.Contains(err.Error(), "BeginTx") {
				t.Errorf("Exec: got %v; want advice", err)
			}
			if _, err := db.QueryContext(t.Context(), text); err == nil || !strings.Contains(err.Error(), "BeginTx") {
				t.Errorf("Query: got %v; want advice", err)
			}
			if got := server.Count(); got != 0 {
				t.Errorf("got %d requests; want 0", got)
			}
			tx := beginTx(t, db)
			if _, err := tx.ExecContext(t.Context(), text); err == nil || !strings.Contains(err.Error(), "Commit or Rollback") {
				t.Errorf("in a transaction: got %v; want advice", err)
			}
			if err := tx.Commit(); err != nil { // it is still whole
				t.Error(err)
			}
		})
	}
}
