package driver_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/bigqueryuser/bigqueryuser/auth"
	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// TestLifeRunning: a poll that is refused or lost says nothing of the job.
func TestLifeRunning(t *testing.T) {
	t.Parallel()
	quota := fail("quotaExceeded", "Quota exceeded: too many getQueryResults")
	unauthorized := fail("authError", "Invalid Credentials")
	missing := fail("notFound", "Not found: Job")
	html := fakebq.HTML(http.StatusForbidden)
	for _, tt := range []struct {
		name      string
		sql       string // "" means the INSERT
		answer    func(*fakebq.Answer)
		polls     []fakebq.Fault
		get       []fakebq.Fault
		want      outcome
		is        error
		gets      int // -1 means none; 0 means any number
		cancelled int
	}{
		{name: "503", polls: []fakebq.Fault{fakebq.HTML(503)}, want: done, gets: -1},
		{name: "a broken connection", polls: []fakebq.Fault{fakebq.Drop(), fakebq.Cut(9)}, want: done, gets: -1},
		{name: "an answer that can't be read", polls: []fakebq.Fault{fakebq.Garbage(`{"jobCompl`)}, want: done, gets: -1},
		{name: "HTML", polls: []fakebq.Fault{html, fakebq.Garbage("<html>")}, want: done, gets: -1},
		{name: "404 of a young job", polls: []fakebq.Fault{missing}, want: done, gets: -1},
		{name: "401 once", polls: []fakebq.Fault{unauthorized}, want: done, gets: -1},
		{name: "401 twice: the job is asked", polls: times(2, unauthorized), want: done, gets: 1},
		{name: "quota: the job is asked, and done", polls: []fakebq.Fault{quota}, want: done, gets: 1},
		{name: "quota, of a query: its rows are asked for again", sql: "SELECT name, n FROM t",
			polls: []fakebq.Fault{quota}, want: done, gets: 1},
		{name: "quota, of a job that goes on", polls: []fakebq.Fault{quota}, want: done,
			answer: func(a *fakebq.Answer) { a.Incomplete = 4 }, gets: 1},
		{name: "quota, of a job that has failed", polls: []fakebq.Fault{quota}, want: failed, is: driver.ErrNotFound,
			answer: func(a *fakebq.Answer) { a.Err = &fakebq.Error{Reason: "notFound", Message: "gone"} }, gets: 1},
		{name: "quota, and jobs.get as well", polls: []fakebq.Fault{quota}, get: []fakebq.Fault{quota}, want: done,
			gets: 1},
		{name: "seven in a row, and again seven", answer: func(a *fakebq.Answer) { a.Incomplete = 2 },
			polls: append(append(times(7, fakebq.HTML(503)), fakebq.Pass()), times(7, fakebq.HTML(503))...), want: done},
		{name: "eight in a row are lost, and the job is cancelled", polls: times(8, fakebq.HTML(503)), want: unknown,
			answer: func(a *fakebq.Answer) { a.Until = make(chan struct{}) }, cancelled: 1},
		{name: "eight answers without a job in a row", polls: times(8, fakebq.Garbage("{}")), want: unknown,
			answer: func(a *fakebq.Answer) { a.Until = make(chan struct{}) }, cancelled: 1},
		{name: "eight in a row of a query", sql: "SELECT name, n FROM t", polls: times(8, fakebq.HTML(503)), want: cause,
			answer: func(a *fakebq.Answer) { a.Until = make(chan struct{}) }, cancelled: 1},
		{name: "eight refusals in a row", polls: times(8, quota), want: unknown, is: driver.ErrQuotaExceeded,
			answer: func(a *fakebq.Answer) { a.Until = make(chan struct{}) }, cancelled: 1},
		{name: "a job that fails", want: failed, is: driver.ErrInvalidQuery,
			answer: func(a *fakebq.Answer) { a.Err = &fakebq.Error{Reason: "invalidQuery", Message: "overflow"} }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := fakebq.Run(t, fakebq.Options{})
			sql, answer := insert, fakebq.Answer{DML: &fakebq.DML{Inserted: 1}}
			if tt.sql != "" {
				sql, answer = tt.sql, numbers
			}
			answer.Incomplete = 1
			if tt.answer != nil {
				tt.answer(&answer)
			}
			server.On(sql, answer)
			server.Inject(fakebq.GetQueryResults, tt.polls...)
			server.Inject(fakebq.Get, tt.get...)
			db := openPausing(t, server, noPause)
			err := runWhole(t, db, sql)
			wantTold(t, err, tt.want)
			if tt.is != nil {
				wantTold(t, err, tt.want, tt.is)
			}
			gets := server.Count(fakebq.Get)
			if err := db.Close(); err != nil {
				t.Error(err)
			}
			if tt.gets != 0 && gets != max(tt.gets, 0) {
				t.Errorf("got %d jobs.get; want %d", gets, max(tt.gets, 0))
			}
			if got := server.Cancelled(); got != tt.cancelled {
				t.Errorf("got %d jobs cancelled; want %d", got, tt.cancelled)
			}
			if server.Count(fakebq.Query) != 1 || server.Executions(sql) != 1 {
				t.Errorf("sent %d times, ran %d times; want once", server.Count(fakebq.Query), server.Executions(sql))
			}
		})
	}
}

// TestLifeOldJobIsMissing: 404 of a job that is not young any more is asked of jobs.get.
func TestLifeOldJobIsMissing(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	until := make(chan struct{})
	server.On(insert, fakebq.Answer{DML: &fakebq.DML{Inserted: 1}, Until: until, Incomplete: 1})
	time.AfterFunc(5500*time.Millisecond, func() {
		server.Inject(fakebq.GetQueryResults, fail("notFound", "Not found: Job"))
		close(until) // ends the poll that waits; the fault is for the next one
	})
	hang := make(chan struct{})
	server.Inject(fakebq.GetQueryResults, fakebq.HangBefore(hang))
	time.AfterFunc(5800*time.Millisecond, func() { close(hang) })
	if err := runWhole(t, openPausing(t, server, noPause), insert); err != nil {
		t.Error(err)
	}
	if got := server.Count(fakebq.Get); got != 1 {
		t.Errorf("got %d jobs.get; want 1", got)
	}
}

// TestLifeSignInEndsWhilePolled: a sign-in that has ended is lost at once.
func TestLifeSignInEndsWhilePolled(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	server.On(insert, fakebq.Answer{DML: &fakebq.DML{Inserted: 1}, Incomplete: 1000})
	var tokens endingTokens
	db := openWith(t, newTokensConnector(t, server, &tokens))
	go func() {
		server.WaitFor(t, fakebq.GetQueryResults, 1)
		tokens.ended.Store(true)
	}()
	_, err := db.ExecContext(t.Context(), insert)
	wantTold(t, err, unknown, errSignInEnded)
	tokens.ended.Store(false)
}

// TestLifeCommitPolled: a COMMIT whose polls are refused is awaited and not cancelled, nor is its session ended before.
func TestLifeCommitPolled(t *testing.T) {
	t.Parallel()
	server := transactions(t)
	until := make(chan struct{})
	server.On(commit, fakebq.Answer{StatementType: "COMMIT_TRANSACTION", Incomplete: 1, Until: until})
	server.Inject(fakebq.GetQueryResults, times(8, fail("quotaExceeded", ""))...)
	db := openPausing(t, server, noPause)
	tx := beginTx(t, db)
	err := tx.Commit()
	wantTold(t, err, unknown, driver.ErrCommitUnknown)
	server.WaitFor(t, fakebq.GetQueryResults, 9)
	if got := server.Running(); len(got) != 1 || len(server.Sessions()) != 1 {
		t.Errorf("got %q running in the sessions %v; want the COMMIT", got, server.Sessions())
	}
	close(until)
	wantNoSessions(t, db, server)
	if server.Succeeded(commit) != 1 || server.Count(fakebq.Cancel) != 0 {
		t.Errorf("%d COMMITs took effect, with %d cancels; want 1 and 0", server.Succeeded(commit),
			server.Count(fakebq.Cancel))
	}
}

// TestLifeCancelTakesEffectLate: a statement in the same session waits until the one that was cancelled has ended,
// also where the polls for that are refused.
func TestLifeCancelTakesEffectLate(t *testing.T) {
	t.Parallel()
	for name, polls := range map[string][]fakebq.Fault{
		"polls":         nil,
		"refused polls": {fakebq.Pass(), fail("quotaExceeded", ""), fail("quotaExceeded", "")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := fakebq.Run(t, fakebq.Options{CancelDelay: 400 * time.Millisecond})
			server.On("SELECT slow", fakebq.Answer{Fields: numbers.Fields, Incomplete: 1, Until: make(chan struct{})})
			server.On(insert, fakebq.Answer{DML: &fakebq.DML{Inserted: 1}})
			db := openPausing(t, server, noPause, func(c *dsn.Config) { c.CreateSession = "always" })
			conn, err := db.Conn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := conn.ExecContext(t.Context(), insert); err != nil {
				t.Fatal(err)
			}
			server.Inject(fakebq.GetQueryResults, polls...)
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				server.WaitFor(t, fakebq.GetQueryResults, 1)
				cancel()
			}()
			if _, err := conn.ExecContext(ctx, "SELECT slow"); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
			sent := server.Count(fakebq.Query)
			if _, err := conn.ExecContext(t.Context(), insert); err != nil {
				t.Errorf("the next statement: %v", err)
			}
			if got := server.Count(fakebq.Query) - sent; got != 1 {
				t.Errorf("the next statement was sent %d times; want once", got)
			}
		})
	}
}

// TestLifeClosedWhilePolled: the outcome of a statement that is polled when its database is closed is unknown, and its
// error matches auth.ErrClosed.
func TestLifeClosedWhilePolled(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	server.On(insert, fakebq.Answer{DML: &fakebq.DML{Inserted: 1}, Incomplete: 1, Until: make(chan struct{})})
	db := open(t, server)
	go func() {
		server.WaitFor(t, fakebq.GetQueryResults, 1)
		db.Close()
	}()
	_, err := db.ExecContext(t.Context(), insert)
	wantTold(t, err, unknown, auth.ErrClosed)
	eventually(t, "the job is cancelled", func() bool { return server.Cancelled() == 1 })
}
