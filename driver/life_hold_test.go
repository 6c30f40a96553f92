package driver_test

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/bigqueryuser/bigqueryuser/auth"
	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// TestLifeHold: how long BigQuery holds the first request, and how long the job may run.
func TestLifeHold(t *testing.T) {
	t.Parallel()
	exec := func(ctx context.Context, db *sql.DB) error { _, err := db.ExecContext(ctx, insert); return err }
	transaction := func(ctx context.Context, db *sql.DB) error {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		return tx.Commit()
	}
	cancelable := func(ctx context.Context) (context.Context, context.CancelFunc) { return context.WithCancel(ctx) }
	within := func(d time.Duration) func(context.Context) (context.Context, context.CancelFunc) {
		return func(ctx context.Context) (context.Context, context.CancelFunc) { return context.WithTimeout(ctx, d) }
	}
	progress := func(ctx context.Context) (context.Context, context.CancelFunc) {
		return context.WithCancel(driver.WithProgress(ctx, func(driver.Progress) {}))
	}
	const (
		second = time.Second
		short  = 1900 * time.Millisecond // a deadline within the hold
	)
	for _, tt := range []struct {
		name    string
		run     func(context.Context, *sql.DB) error
		ctx     func(context.Context) (context.Context, context.CancelFunc) // nil means one without end
		timeout time.Duration                                               // job_timeout
		holds   []time.Duration
		job     []time.Duration
	}{
		{"ctx can't end", exec, nil, 0, []time.Duration{10 * second}, []time.Duration{0}},
		{"ctx can't end, job_timeout", exec, nil, 60 * second, []time.Duration{10 * second}, []time.Duration{60 * second}},
		{"ctx can end", exec, cancelable, 0, []time.Duration{2 * second}, []time.Duration{0}},
		{"a deadline", exec, within(time.Minute), 0, []time.Duration{2 * second}, []time.Duration{70 * second}},
		{"a deadline within the hold", exec, within(short), 0, []time.Duration{short}, []time.Duration{short + 10*second}},
		{"a deadline, job_timeout is shorter", exec, within(time.Minute), 30 * second, []time.Duration{2 * second},
			[]time.Duration{30 * second}},
		{"a deadline, job_timeout is longer", exec, within(time.Minute), 90 * second, []time.Duration{2 * second},
			[]time.Duration{70 * second}},
		{"progress", exec, progress, 0, []time.Duration{second}, []time.Duration{0}},
		{"BEGIN and COMMIT", transaction, cancelable, 0, []time.Duration{10 * second, 10 * second}, []time.Duration{0, 0}},
		{"BEGIN and COMMIT with progress", transaction, progress, 0, []time.Duration{10 * second, 10 * second},
			[]time.Duration{0, 0}},
		{"BEGIN and COMMIT with a deadline", transaction, within(time.Minute), 0,
			[]time.Duration{10 * second, 10 * second}, []time.Duration{0, 0}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := transactions(t)
			server.Inject(fakebq.Query, fakebq.HTML(503), fakebq.Pass()) // each try is the same
			db := openPausing(t, server, noPause, func(c *dsn.Config) { c.JobTimeout = tt.timeout })
			opened, err := db.Conn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			opened.Close()              // the pool keeps it, signed in
			ctx := context.Background() // t.Context can end
			if tt.ctx != nil {
				var cancel context.CancelFunc
				ctx, cancel = tt.ctx(t.Context())
				defer cancel()
			}
			if err := tt.run(ctx, db); err != nil {
				t.Fatal(err)
			}
			slack := 500 * time.Millisecond
			if tt.holds[0] == short { // what comes before the request shortens it
				slack = 1800 * time.Millisecond
			}
			all := server.Requests(fakebq.Query)
			if string(all[0].Body) != string(all[1].Body) {
				t.Errorf("the tries differ: %s and %s", all[0].Body, all[1].Body)
			}
			for i, r := range all[1:] {
				req, err := r.QueryRequest()
				if err != nil {
					t.Fatal(err)
				}
				hold, job := time.Duration(req.TimeoutMs)*time.Millisecond, time.Duration(req.JobTimeoutMs)*time.Millisecond
				if hold > tt.holds[i] || hold < tt.holds[i]-slack {
					t.Errorf("%s: got a hold of %s; want %s", req.Query, hold, tt.holds[i])
				}
				if job > tt.job[i] || job < tt.job[i]-slack {
					t.Errorf("%s: the job may run for %s; want %s", req.Query, job, tt.job[i])
				}
			}
		})
	}
}

// TestLifeClose: Close ends the sessions with an open transaction and cancels the jobs, while connections are out, and
// does not wait for longer than five seconds.
func TestLifeClose(t *testing.T) {
	t.Parallel()
	const slow = "SELECT slow"
	start := func(t *testing.T) (*fakebq.Server, *sql.DB) {
		server := transactions(t)
		server.On(slow, fakebq.Answer{Fields: numbers.Fields, Incomplete: 1, Until: make(chan struct{})})
		return server, openPausing(t, server, noPause)
	}
	closed := func(t *testing.T, server *fakebq.Server, db *sql.DB) {
		t.Helper()
		began := time.Now()
		if err := db.Close(); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took > 4*time.Second {
			t.Errorf("Close took %s", took)
		}
		if len(server.Sessions()) > 0 {
			t.Errorf("got the sessions %v after Close", server.Sessions())
		}
		eventually(t, "the cancel takes effect", func() bool { return len(server.Running()) == 0 })
	}
	t.Run("a transaction is out", func(t *testing.T) {
		t.Parallel()
		server, db := start(t)
		tx := beginTx(t, db)
		if _, err := tx.ExecContext(t.Context(), insert); err != nil {
			t.Fatal(err)
		}
		closed(t, server, db)
		if err := tx.Commit(); !errors.Is(err, auth.ErrClosed) {
			t.Errorf("Commit: got %v; want that it is closed", err)
		}
	})
	t.Run("a transaction whose statement runs is out", func(t *testing.T) {
		t.Parallel()
		server, db := start(t)
		tx := beginTx(t, db)
		told := make(chan error, 1)
		go func() { _, err := tx.ExecContext(t.Context(), slow); told <- err }()
		server.WaitFor(t, fakebq.GetQueryResults, 1)
		closed(t, server, db)
		wantTold(t, <-told, cause, auth.ErrClosed)
		_ = tx.Rollback()
	})
	t.Run("BEGIN of a text is out", func(t *testing.T) {
		t.Parallel()
		server := transactions(t)
		db := openPausing(t, server, noPause, always)
		conn, err := db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{begin, insert} {
			if _, err := conn.ExecContext(t.Context(), text); err != nil {
				t.Fatal(err)
			}
		}
		closed(t, server, db)
		conn.Close()
	})
	t.Run("a job runs", func(t *testing.T) {
		t.Parallel()
		server, db := start(t)
		told := make(chan error, 1)
		go func() { _, err := db.ExecContext(t.Context(), slow); told <- err }()
		server.WaitFor(t, fakebq.GetQueryResults, 1)
		closed(t, server, db)
		wantTold(t, <-told, cause, auth.ErrClosed)
		if got := server.Cancelled(); got != 1 {
			t.Errorf("got %d cancels; want 1", got)
		}
	})
	t.Run("no answer", func(t *testing.T) {
		t.Parallel()
		server, db := start(t)
		beginTx(t, db)
		server.Inject(fakebq.Query, fakebq.HangBefore(nil))
		began := time.Now()
		if err := db.Close(); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took < 4*time.Second || took > 8*time.Second {
			t.Errorf("Close took %s; want five seconds", took)
		}
	})
}

// TestLifeSession: one owner knows what is in a session.
func TestLifeSession(t *testing.T) {
	t.Parallel()
	concurrent := fail("invalid", "Concurrent jobs in the same session are not allowed.")
	for _, tt := range []struct {
		name   string
		faults []fakebq.Fault
		want   outcome
		sent   int
	}{
		{"concurrent jobs, after a lost try", []fakebq.Fault{lost, concurrent, concurrent}, done, 4},
		{"concurrent jobs, after nothing of ours", []fakebq.Fault{concurrent}, failed, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := transactions(t)
			db := openPausing(t, server, noPause)
			tx := beginTx(t, db)
			before := server.Count(fakebq.Query)
			server.Inject(fakebq.Query, tt.faults...)
			_, err := tx.ExecContext(t.Context(), insert)
			wantTold(t, err, tt.want)
			if got := server.Count(fakebq.Query) - before; got != tt.sent {
				t.Errorf("sent %d times; want %d", got, tt.sent)
			}
			if err := tx.Rollback(); err != nil {
				t.Error(err)
			}
			wantNoSessions(t, db, server)
		})
	}
	t.Run("a failed statement leaves the transaction open, and it is ended", func(t *testing.T) {
		t.Parallel()
		server := transactions(t)
		server.On("UPDATE t", fakebq.Answer{StatementType: "UPDATE", DML: &fakebq.DML{}, Tables: []string{"p:d.t"}},
			fakebq.Answer{StatementType: "UPDATE", DML: &fakebq.DML{}, Err: &fakebq.Error{Reason: "invalidQuery"}})
		db := openPausing(t, server, noPause)
		tx := beginTx(t, db)
		for _, want := range []outcome{done, failed} {
			_, err := tx.ExecContext(t.Context(), "UPDATE t")
			wantTold(t, err, want)
		}
		if len(server.OpenTransactions()) != 1 || len(server.HeldTables()) != 1 {
			t.Errorf("got %v open, %v held; want the transaction", server.OpenTransactions(), server.HeldTables())
		}
		if err := tx.Commit(); err == nil || server.Executions(commit) != 0 {
			t.Errorf("got %v by %d COMMITs; want an error and none", err, server.Executions(commit))
		}
		eventually(t, "the table is free", func() bool { return len(server.HeldTables()) == 0 })
		wantNoSessions(t, db, server)
	})
	t.Run("a statement that was never answered ends the transaction", func(t *testing.T) {
		t.Parallel()
		server := transactions(t)
		db := openPausing(t, server, noPause)
		tx := beginTx(t, db)
		server.Inject(fakebq.Query, times(8, fakebq.HTML(http.StatusBadGateway))...)
		_, err := tx.ExecContext(t.Context(), insert)
		wantTold(t, err, unknown)
		eventually(t, "the session ends", func() bool { return len(server.Sessions()) == 0 })
		if err := tx.Rollback(); err != nil {
			t.Error(err)
		}
	})
	t.Run("ended from outside, where a job still runs in it", func(t *testing.T) {
		t.Parallel()
		server := transactions(t)
		db := openPausing(t, server, noPause)
		beginTx(t, db)
		server.Inject(fakebq.Query, times(3, fail("invalid", "Concurrent jobs in the same session are not allowed."))...)
		wantNoSessions(t, db, server)
	})
	t.Run("ended from outside, with its location", func(t *testing.T) {
		t.Parallel()
		server := fakebq.Run(t, fakebq.Options{Location: "EU"})
		server.OnAny(fakebq.Answer{StatementType: "BEGIN_TRANSACTION"})
		db := openPausing(t, server, noPause)
		beginTx(t, db)
		wantNoSessions(t, db, server)
		req := sent(t, server)
		if req.Location != "EU" || len(req.ConnectionProperties) != 0 || req.CreateSession {
			t.Errorf("got %+v; want CALL BQ.ABORT_SESSION in EU, in no session", req)
		}
	})
	t.Run("BEGIN whose answers are all lost", func(t *testing.T) {
		t.Parallel()
		server := transactions(t)
		server.Inject(fakebq.Query, times(8, fakebq.HTML(http.StatusBadGateway).After())...)
		db := openPausing(t, server, noPause)
		_, err := db.BeginTx(t.Context(), nil)
		wantTold(t, err, cause)
		if got := server.Executions(begin); got != server.Count(fakebq.Query) {
			t.Errorf("BEGIN ran %d times by %d requests", got, server.Count(fakebq.Query))
		}
	})
	t.Run("BEGIN whose caller has gone, and jobs.get is not answered", func(t *testing.T) {
		t.Parallel()
		server := transactions(t)
		hang := make(chan struct{})
		server.Inject(fakebq.Query, fakebq.Hang(hang))
		server.Inject(fakebq.Get, fakebq.HangBefore(nil))
		db := openPausing(t, server, noPause)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go func() {
			server.WaitFor(t, fakebq.Query, 1)
			cancel()
		}()
		_, err := db.BeginTx(ctx, nil)
		wantTold(t, err, cause, context.Canceled)
		close(hang)
		wantNoSessions(t, db, server)
	})
}
