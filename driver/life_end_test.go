package driver_test

import (
	"context"
	"testing"
	"time"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// TestLifeEndOfContext: the caller has the error at once. Behind it the statement is looked for and cancelled, and
// never sent again.
func TestLifeEndOfContext(t *testing.T) {
	t.Parallel()
	running := func(a *fakebq.Answer) { a.Until = make(chan struct{}) }
	for _, tt := range []struct {
		name      string
		answer    func(*fakebq.Answer)
		opts      []any
		method    fakebq.Method                    // at whose request ctx ends; "" means before anything is sent
		hold      func(chan struct{}) fakebq.Fault // of that request
		label     bool
		cancels   []fakebq.Fault
		want      outcome
		is        error
		cancelled int
		runs      int
	}{
		{name: "made", want: cause},
		{name: "sent, then running", answer: running, method: fakebq.Query, hold: waitFor, want: unknown, cancelled: 1,
			runs: 1},
		{name: "sent, then running, by job id", answer: running, method: fakebq.Insert, hold: waitFor, want: unknown,
			opts: []any{batch}, cancelled: 1, runs: 1},
		{name: "sent, then done", method: fakebq.Query, hold: waitFor, want: unknown, runs: 1},
		{name: "sent, then failed", method: fakebq.Query, hold: waitFor, want: unknown, runs: 1,
			answer: func(a *fakebq.Answer) { a.Err = &fakebq.Error{Reason: "invalidQuery"} }},
		{name: "sent, then not begun: no further try", method: fakebq.Query, want: unknown,
			hold: func(ch chan struct{}) fakebq.Fault { return fakebq.HangBefore(ch) }},
		{name: "sent, then the answer is lost, without a label", answer: running, method: fakebq.Query, want: unknown,
			hold: func(ch chan struct{}) fakebq.Fault { return fakebq.HangBefore(ch).After() }, runs: 1},
		{name: "sent, then the answer is lost, with a label", answer: running, method: fakebq.Query, want: unknown,
			hold:  func(ch chan struct{}) fakebq.Fault { return fakebq.HangBefore(ch).After() },
			label: true, cancelled: 1, runs: 1},
		{name: "sent, then the answer is lost, by job id", answer: running, method: fakebq.Insert, want: unknown,
			hold: func(ch chan struct{}) fakebq.Fault { return fakebq.HangBefore(ch).After() },
			opts: []any{batch}, cancelled: 1, runs: 1},
		{name: "running", method: fakebq.GetQueryResults, want: unknown, cancelled: 1, runs: 1,
			answer: func(a *fakebq.Answer) { a.Until, a.Incomplete = make(chan struct{}), 1 }},
		{name: "running, and the job is not known to jobs.cancel at first", method: fakebq.GetQueryResults, want: unknown,
			answer:  func(a *fakebq.Answer) { a.Until, a.Incomplete = make(chan struct{}), 1 },
			cancels: []fakebq.Fault{fail("accessDenied", ""), fail("notFound", ""), fakebq.HTML(503)}, cancelled: 1, runs: 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := fakebq.Run(t, fakebq.Options{Location: "europe-west6"})
			answer := fakebq.Answer{DML: &fakebq.DML{Inserted: 1}}
			if tt.answer != nil {
				tt.answer(&answer)
			}
			server.On(insert, answer)
			server.Inject(fakebq.Cancel, tt.cancels...)
			db := openPausing(t, server, noPause, func(c *dsn.Config) { c.LabelJobs = tt.label })
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			answered := make(chan struct{})
			if tt.hold != nil {
				server.Inject(tt.method, tt.hold(answered))
			}
			if tt.method == "" {
				cancel()
			} else {
				go func() {
					server.WaitFor(t, tt.method, 1)
					cancel()
				}()
			}
			_, err := db.ExecContext(ctx, insert, tt.opts...)
			wantTold(t, err, tt.want, context.Canceled)
			sent := server.Count(fakebq.Query, fakebq.Insert)
			close(answered)
			if err := db.Close(); err != nil { // waits for what goes on in the background
				t.Error(err)
			}
			if got := server.Cancelled(); got != tt.cancelled {
				t.Errorf("got %d jobs cancelled; want %d", got, tt.cancelled)
			}
			if got := server.Executions(insert); got != tt.runs {
				t.Errorf("it ran %d times; want %d", got, tt.runs)
			}
			if got := server.Count(fakebq.Query, fakebq.Insert); got != sent {
				t.Errorf("got %d requests that start something after the end; want 0", got-sent)
			}
			for _, r := range server.Requests(fakebq.Cancel) {
				if r.Query.Get("location") != "europe-west6" {
					t.Errorf("cancelled without the location: %s", r.Path)
				}
			}
		})
	}
}

func waitFor(ch chan struct{}) fakebq.Fault { return fakebq.Hang(ch) }

// TestLifeEndOfCommit: a COMMIT whose caller has gone is awaited, never cancelled, and then its session ends.
func TestLifeEndOfCommit(t *testing.T) {
	t.Parallel()
	for _, at := range []fakebq.Method{fakebq.Query, fakebq.GetQueryResults} {
		t.Run(string(at), func(t *testing.T) {
			t.Parallel()
			server := transactions(t)
			until := make(chan struct{})
			a := fakebq.Answer{StatementType: "COMMIT_TRANSACTION", Until: until}
			if at == fakebq.GetQueryResults {
				a.Incomplete = 6 // some of these answers come after the end of ctx
			}
			server.On(commit, a)
			db := openPausing(t, server, noPause)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			tx, err := db.BeginTx(ctx, nil)
			if err != nil {
				t.Fatal(err)
			}
			before := server.Count(at)
			go func() {
				server.WaitFor(t, at, before+1)
				eventually(t, "COMMIT", func() bool { return server.Executions(commit) == 1 })
				cancel()
			}()
			err = tx.Commit()
			wantTold(t, err, unknown, driver.ErrCommitUnknown, context.Canceled)
			time.Sleep(50 * time.Millisecond)
			if got := server.Running(); len(got) != 1 || len(server.Sessions()) != 1 {
				t.Errorf("got %q running in the sessions %v; want the COMMIT", got, server.Sessions())
			}
			close(until)
			eventually(t, "the session ends", func() bool { return len(server.Sessions()) == 0 })
			wantNoSessions(t, db, server)
			if server.Succeeded(commit) != 1 || server.Count(fakebq.Cancel) != 0 {
				t.Errorf("%d COMMITs took effect, with %d cancels; want 1 and 0", server.Succeeded(commit),
					server.Count(fakebq.Cancel))
			}
		})
	}
}

// TestLifeEndOfTransaction: a statement in a transaction ends with the earlier of its own context and BeginTx's.
func TestLifeEndOfTransaction(t *testing.T) {
	t.Parallel()
	for _, which := range []string{"own", "BeginTx's", "BeginTx's deadline"} {
		t.Run(which, func(t *testing.T) {
			t.Parallel()
			server := transactions(t)
			server.On(insert, fakebq.Answer{DML: &fakebq.DML{Inserted: 1}, Incomplete: 1, Until: make(chan struct{})})
			db := open(t, server)
			own, cancelOwn := context.WithCancel(t.Context())
			defer cancelOwn()
			begins, cancelBegins := context.WithCancel(t.Context())
			defer cancelBegins()
			want, end := context.Canceled, cancelOwn
			switch which {
			case "BeginTx's":
				end = cancelBegins
			case "BeginTx's deadline":
				begins, cancelBegins = context.WithTimeout(t.Context(), time.Second)
				defer cancelBegins()
				want, end = context.DeadlineExceeded, func() {}
			}
			tx, err := db.BeginTx(begins, nil)
			if err != nil {
				t.Fatal(err)
			}
			go func() {
				server.WaitFor(t, fakebq.GetQueryResults, 1)
				end()
			}()
			_, err = tx.ExecContext(own, insert)
			wantTold(t, err, unknown, want)
			_ = tx.Rollback() // database/sql may have done so
			eventually(t, "the job and the session end", func() bool {
				return len(server.Running())+len(server.Sessions()) == 0
			})
		})
	}
}
