package driver_test

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"github.com/bigqueryuser/bigqueryuser/auth"
	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// TestLifePhases: in each phase of a statement, the end of its context and db.Close end it with the right error, cancel
// what runs, send nothing again and leave nothing behind.
func TestLifePhases(t *testing.T) {
	t.Parallel()
	run := func(ctx context.Context, db *sql.DB, text string, inTx bool) error {
		if !inTx {
			_, err := db.ExecContext(ctx, text)
			return err
		}
		tx, err := db.BeginTx(t.Context(), nil)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }()
		_, err = tx.ExecContext(ctx, text)
		return err
	}
	for _, tt := range []struct {
		name    string
		sql     string // "" means the INSERT
		method  fakebq.Method
		fault   fakebq.Fault // of the first request of the method
		polled  bool         // the job runs until it is cancelled
		pauses  bool         // the phase is the pause after the fault
		tx      bool
		want    outcome
		cancels int
	}{
		{name: "sent", method: fakebq.Query, fault: fakebq.HangBefore(nil), want: unknown},
		{name: "sent, a query", sql: "SELECT slow", method: fakebq.Query, fault: fakebq.HangBefore(nil), want: cause},
		{name: "polled", method: fakebq.GetQueryResults, polled: true, want: unknown, cancels: 1},
		{name: "polled, a query", sql: "SELECT slow", method: fakebq.GetQueryResults, polled: true, want: cause,
			cancels: 1},
		{name: "polled, in a transaction", method: fakebq.GetQueryResults, polled: true, tx: true, want: unknown,
			cancels: 1},
		{name: "between tries that may have begun it", method: fakebq.Query, fault: fakebq.HTML(503), pauses: true,
			want: unknown},
		{name: "between tries that have not begun it", method: fakebq.Query, fault: fakebq.HTML(429), pauses: true,
			want: cause},
		{name: "between polls", method: fakebq.GetQueryResults, fault: fakebq.HTML(503), polled: true, pauses: true,
			want: unknown, cancels: 1},
	} {
		for _, how := range []string{"cancel", "db.Close"} {
			t.Run(tt.name+", "+how, func(t *testing.T) {
				t.Parallel()
				server := transactions(t)
				text, answer := insert, fakebq.Answer{DML: &fakebq.DML{Inserted: 1}}
				if tt.sql != "" {
					text, answer = tt.sql, numbers
				}
				if tt.polled {
					answer.Incomplete, answer.Until = 1, make(chan struct{})
				}
				server.On(text, answer)
				paused := make(chan struct{}, 8)
				db := openPausing(t, server, func(time.Duration) time.Duration {
					paused <- struct{}{}
					return time.Hour
				}, func(c *dsn.Config) { c.LabelJobs = true })
				if !tt.polled || tt.pauses {
					server.Inject(tt.method, tt.fault)
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				told := make(chan error, 1)
				go func() { told <- run(ctx, db, text, tt.tx) }()
				server.WaitFor(t, tt.method, 1)
				if tt.pauses {
					<-paused
				}
				is := context.Canceled
				if how == "cancel" {
					cancel()
				} else if is = auth.ErrClosed; db.Close() != nil {
					t.Error("Close failed")
				}
				wantTold(t, <-told, tt.want, is)
				sent := server.Count(fakebq.Query)
				if err := db.Close(); err != nil {
					t.Error(err)
				}
				eventually(t, "nothing runs", func() bool { return len(server.Running())+len(server.Sessions()) == 0 })
				if got := server.Count(fakebq.Cancel); got != tt.cancels {
					t.Errorf("got %d cancels; want %d", got, tt.cancels)
				}
				if got := server.Executions(text); got > 1 || !tt.tx && server.Count(fakebq.Query) != sent {
					t.Errorf("it ran %d times, by %d requests, then %d", got, sent, server.Count(fakebq.Query))
				}
			})
		}
	}
}

// TestLifeCloseInCommit: a COMMIT that runs while the database is closed is awaited, as its session is.
func TestLifeCloseInCommit(t *testing.T) {
	t.Parallel()
	server := transactions(t)
	until := make(chan struct{})
	server.On(commit, fakebq.Answer{StatementType: "COMMIT_TRANSACTION", Until: until})
	db := openPausing(t, server, noPause)
	tx := beginTx(t, db)
	told := make(chan error, 1)
	go func() { told <- tx.Commit() }()
	eventually(t, "COMMIT", func() bool { return server.Executions(commit) == 1 })
	closed := make(chan error, 1)
	go func() { closed <- db.Close() }()
	wantTold(t, <-told, unknown, driver.ErrCommitUnknown, auth.ErrClosed)
	time.Sleep(50 * time.Millisecond)
	if len(server.Running()) != 1 || len(server.Sessions()) != 1 {
		t.Errorf("got %q running in the sessions %v; want the COMMIT", server.Running(), server.Sessions())
	}
	close(until)
	if err := <-closed; err != nil {
		t.Error(err)
	}
	if got := server.Succeeded(commit); got != 1 || server.Count(fakebq.Cancel) != 0 || len(server.Sessions()) != 0 {
		t.Errorf("%d COMMITs took effect, %d cancels, sessions %v; want 1, 0 and none", got, server.Count(fakebq.Cancel),
			server.Sessions())
	}
}
