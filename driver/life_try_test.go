package driver_test

import (
	"database/sql"
	"errors"
	"net/http"
	"testing"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq/faultproxy"
)

// The files life_*_test.go follow the life of a statement: how it is sent, repeated, polled and cancelled, and the
// error that its caller gets. Each case has the name of a rule.

// outcome is the result that the caller of a statement gets.
type outcome string

const (
	done    outcome = "done"
	failed  outcome = "failed"          // BigQuery's word: an *Error, and nothing is unknown
	unknown outcome = "outcome unknown" // ErrOutcomeUnknown and the cause
	cause   outcome = "the cause"       // an error that is not BigQuery's word on the statement
)

// wantTold compares an error with the one that the caller must get.
func wantTold(t *testing.T, err error, want outcome, targets ...error) {
	t.Helper()
	e, ok := errors.AsType[*driver.Error](err)
	got := cause
	switch {
	case err == nil:
		got = done
	case errors.Is(err, driver.ErrOutcomeUnknown):
		got = unknown
	case ok && e.Reason != "":
		got = failed
	}
	if got != want {
		t.Errorf("got %s: %v; want %s", got, err, want)
	}
	for _, target := range targets {
		if !errors.Is(err, target) {
			t.Errorf("got %v; want %v in it", err, target)
		}
	}
}

func fail(reason, message string) fakebq.Fault {
	return fakebq.Fail(fakebq.Error{Reason: reason, Message: message})
}

func times(n int, f fakebq.Fault) []fakebq.Fault {
	all := make([]fakebq.Fault, n)
	for i := range all {
		all[i] = f
	}
	return all
}

// lost is an answer that was lost after the statement had begun.
var lost = fakebq.Drop().After()

// TestLifeOneTry: each answer to one try, its meaning, and the next step.
func TestLifeOneTry(t *testing.T) {
	t.Parallel()
	const (
		query  = "SELECT name, n FROM t"
		create = "CREATE TABLE t (a INT64)"
		drop   = "DROP TABLE t"
		rename = "ALTER TABLE t RENAME TO u"
		fn     = "CREATE FUNCTION d.f() AS (1)"
		ref    = `"jobReference":{"projectId":"my-project","jobId":"job_fake00000001","location":"US"}`
	)
	says := func(body string) fakebq.Fault { return fakebq.Garbage(body).After() }
	limited := fakebq.Error{Reason: "rateLimitExceeded", Message: "Exceeded rate limits"}
	for _, tt := range []struct {
		name   string
		sql    string // "" means the INSERT
		by     fakebq.Method
		answer func(*fakebq.Answer)
		faults []fakebq.Fault
		want   outcome
		is     error
		sent   int // 0 means one more than there are faults
		polls  int
		runs   int // -1 means none; 0 means once
		gets   int
	}{
		{name: "complete: a query with its schema", sql: query, want: done},
		{name: "complete: DML with its count", want: done},
		{name: "complete: DDL, which has neither", sql: create, want: done},
		{name: "complete: DML without a count: getQueryResults once", want: done, sent: 1, polls: 1,
			faults: []fakebq.Fault{says(`{"jobComplete":true,"statementType":"INSERT",` + ref + `}`)}},
		{name: "complete: a query without schema, with a job", sql: query, want: done, sent: 1, polls: 1,
			faults: []fakebq.Fault{says(`{"jobComplete":true,"statementType":"SELECT",` + ref + `}`)}},
		{name: "complete: a query without schema and job is no result without rows", sql: query, want: cause, sent: 1,
			faults: []fakebq.Fault{says(`{"jobComplete":true,"statementType":"SELECT","queryId":"I_x"}`)}},
		{name: "complete: no answer of BigQuery's, to a query", sql: query, want: cause, sent: 1,
			faults: []fakebq.Fault{says(`{"jobComplete":true}`)}},
		{name: "complete: no answer of BigQuery's", want: unknown, sent: 1,
			faults: []fakebq.Fault{says(`{"jobComplete":true}`)}},
		{name: "not complete, without a job: no answer of BigQuery's", want: unknown, sent: 1,
			faults: []fakebq.Fault{says(`{}`)}},
		{name: "not complete", answer: func(a *fakebq.Answer) { a.Incomplete = 3 }, want: done, polls: 3},
		{name: "not complete, with counts: a duplicate's answer", want: done, faults: []fakebq.Fault{lost}, polls: 1},
		{name: "not complete, with counts, of a job that failed", want: failed, is: driver.ErrInvalidQuery,
			answer: func(a *fakebq.Answer) { a.Err = &fakebq.Error{Reason: "invalidQuery", Message: "overflow"} },
			faults: []fakebq.Fault{lost}},
		{name: "jobs.insert answers DONE", by: fakebq.Insert, want: done, polls: 1},
		{name: "jobs.insert answers DONE, with an error", by: fakebq.Insert, want: failed, is: driver.ErrInvalidQuery,
			answer: func(a *fakebq.Answer) { a.Err = &fakebq.Error{Reason: "invalidQuery", Message: "overflow"} }},
		{name: "an error of the statement", want: failed, is: driver.ErrNotFound, sent: 1, runs: -1,
			faults: []fakebq.Fault{fail("notFound", "Not found: Table p:d.t")}},
		{name: "an error of the statement after a lost try", want: failed, is: driver.ErrNotFound, sent: 2,
			faults: []fakebq.Fault{lost, fail("notFound", "Not found: Table p:d.t")}},
		{name: "duplicate for CREATE after a lost try", sql: create, want: unknown, is: driver.ErrDuplicate, sent: 2,
			faults: []fakebq.Fault{lost, fail("duplicate", "Already Exists: Table p:d.t")}},
		{name: "duplicate for CREATE at once", sql: create, want: failed, is: driver.ErrDuplicate, sent: 1, runs: -1,
			faults: []fakebq.Fault{fail("duplicate", "Already Exists: Table p:d.t")}},
		{name: "Already Exists for CREATE FUNCTION after a lost try", sql: fn, want: unknown, sent: 2,
			faults: []fakebq.Fault{lost, fail("invalidQuery", "Already Exists: Routine p:d.f")}},
		{name: "notFound for DROP after a lost try", sql: drop, want: unknown, is: driver.ErrNotFound, sent: 2,
			faults: []fakebq.Fault{lost, fail("notFound", "Not found: Table p:d.t")}},
		{name: "notFound for RENAME after a lost try", sql: rename, want: unknown, is: driver.ErrNotFound, sent: 2,
			faults: []fakebq.Fault{lost, fail("notFound", "Not found: Table p:d.t")}},
		{name: "a proxy's refusal after a lost try says nothing of it", want: unknown, sent: 2,
			faults: []fakebq.Fault{lost, fakebq.HTML(http.StatusProxyAuthRequired)}},
		{name: "a quota's refusal after a lost try says nothing of it", want: unknown, is: driver.ErrQuotaExceeded,
			sent: 2, faults: []fakebq.Fault{lost, fail("quotaExceeded", "Quota exceeded")}},
		{name: "a quota's refusal", want: failed, is: driver.ErrQuotaExceeded, sent: 1, runs: -1,
			faults: []fakebq.Fault{fail("quotaExceeded", "Quota exceeded")}},
		{name: "429", want: done,
			faults: []fakebq.Fault{fakebq.Fail(fakebq.Error{Status: 429, Reason: "rateLimitExceeded"})}},
		{name: "403 for rate", want: done, faults: []fakebq.Fault{fakebq.Fail(limited)}},
		{name: "eight times 403 for rate: not begun", want: failed, sent: 8, runs: -1,
			faults: times(8, fakebq.Fail(limited))},
		{name: "5xx", want: done, faults: []fakebq.Fault{fail("backendError", "try again")}},
		{name: "5xx after it began", want: done, polls: 1,
			faults: []fakebq.Fault{fakebq.HTML(http.StatusBadGateway).After()}},
		{name: "408 of a front end", want: done, faults: []fakebq.Fault{fakebq.HTML(http.StatusRequestTimeout)}},
		{name: "HTML of a front end", want: done, faults: []fakebq.Fault{fakebq.HTML(http.StatusForbidden)}},
		{name: "501 of a front end says nothing of it", want: unknown, sent: 1,
			faults: []fakebq.Fault{fakebq.HTML(http.StatusNotImplemented).After()}},
		{name: "a redirect says nothing of it", want: unknown, sent: 1,
			faults: []fakebq.Fault{fakebq.HTML(http.StatusFound).After()}},
		{name: "a redirect, to jobs.insert", by: fakebq.Insert, want: unknown, sent: 1,
			faults: []fakebq.Fault{fakebq.Body(http.StatusTemporaryRedirect, "", "").After()}},
		{name: "a redirect of a query", sql: query, want: cause, sent: 1, runs: -1,
			faults: []fakebq.Fault{fakebq.HTML(http.StatusFound)}},
		{name: "eight times 503", want: unknown, sent: 8, runs: -1, faults: times(8, fakebq.HTML(503))},
		{name: "eight times 503 to a query", sql: query, want: cause, sent: 8, runs: -1, faults: times(8, fakebq.HTML(503))},
		{name: "an answer that can't be read", want: done, polls: 1, faults: []fakebq.Fault{says(`{"jobComplete`)}},
		{name: "a body that is cut", want: done, polls: 1, faults: []fakebq.Fault{fakebq.Cut(30)}},
		{name: "a lost script that can change something is not sent again", sql: insert + "; " + query, want: unknown,
			sent: 1, faults: []fakebq.Fault{lost}},
		{name: "a lost script of queries is", sql: query + "; " + query, want: done, faults: []fakebq.Fault{lost}, runs: 2},
		{name: "409 that names our job", by: fakebq.Insert, want: done, sent: 1, polls: 1,
			faults: []fakebq.Fault{fakebq.Exists()}},
		{name: "409 after a lost try", by: fakebq.Insert, want: done, polls: 1, faults: []fakebq.Fault{lost}},
		{name: "jobs.insert answers without a job", by: fakebq.Insert, want: done,
			faults: []fakebq.Fault{fakebq.Body(http.StatusNoContent, "", ""), fakebq.Garbage("null"), fakebq.Garbage("{}")}},
		{name: "409 that names another job", by: fakebq.Insert, want: failed, sent: 1, runs: -1,
			faults: []fakebq.Fault{fail("duplicate", "Already Exists: Job my-project:US.other")}},
		{name: "409 that names a job, to jobs.query after a lost try", want: unknown, is: driver.ErrDuplicate, sent: 2,
			faults: []fakebq.Fault{lost, fail("duplicate", "Already Exists: Job my-project:US.job_fake00000001")}},
		{name: "409 that names a job, to jobs.query at once", want: unknown, is: driver.ErrDuplicate, sent: 1, runs: -1,
			faults: []fakebq.Fault{fail("duplicate", "Already Exists: Job my-project:US.job_fake00000001")}},
		{name: "401 once", want: done, faults: []fakebq.Fault{fail("authError", "Invalid Credentials")}},
		{name: "401 twice: not begun", want: failed, sent: 2, runs: -1,
			faults: times(2, fail("authError", "Invalid Credentials"))},
		{name: "401 twice after a lost try", want: unknown, sent: 3,
			faults: append([]fakebq.Fault{lost}, times(2, fail("authError", "Invalid Credentials"))...)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := fakebq.Run(t, fakebq.Options{})
			sql := insert
			answer := fakebq.Answer{DML: &fakebq.DML{Inserted: 1}}
			switch tt.sql {
			case "":
			case query:
				sql, answer = query, numbers
			case insert + "; " + query:
				sql, answer = tt.sql, fakebq.Answer{Children: []fakebq.Answer{answer, numbers}}
			case query + "; " + query:
				sql, answer = tt.sql, fakebq.Answer{Children: []fakebq.Answer{numbers, numbers}}
			default:
				sql, answer = tt.sql, fakebq.Answer{StatementType: "CREATE_TABLE"}
			}
			if tt.answer != nil {
				tt.answer(&answer)
			}
			server.On(sql, answer)
			method, args := fakebq.Query, []any(nil)
			if tt.by == fakebq.Insert {
				method, args = fakebq.Insert, []any{driver.JobIDPrefix("life_")}
			}
			server.Inject(method, tt.faults...)
			db := openPausing(t, server, noPause)
			err := runWhole(t, db, sql, args...)
			wantTold(t, err, tt.want)
			if tt.is != nil {
				wantTold(t, err, tt.want, tt.is)
			}
			sent, runs := tt.sent, max(tt.runs, 0)
			if sent == 0 {
				sent = len(tt.faults) + 1
			}
			if tt.runs == 0 {
				runs = 1
			}
			if got := server.Count(method); got != sent {
				t.Errorf("sent %d times; want %d", got, sent)
			}
			if got := server.Count(fakebq.GetQueryResults); got != tt.polls && tt.polls > 0 {
				t.Errorf("got %d getQueryResults; want %d", got, tt.polls)
			}
			if got := server.Executions(sql); got != runs {
				t.Errorf("it ran %d times; want %d", got, runs)
			}
		})
	}
}

// runWhole runs a statement to its end: a query has its three rows, and DML its count.
func runWhole(t *testing.T, db *sql.DB, text string, args ...any) error {
	t.Helper()
	if text[0] == 'S' {
		rows, err := db.QueryContext(t.Context(), text, args...)
		if err != nil {
			return err
		}
		if got := readAll(t, rows); len(got) != 3 {
			t.Errorf("got %d rows; want 3", len(got))
		}
		return nil
	}
	result, err := db.ExecContext(t.Context(), text, args...)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); text[0] == 'I' && (n != 1 || err != nil) {
		t.Errorf("got %d rows affected, %v; want 1", n, err)
	}
	return nil
}

// TestLifeBroken: each fault of a network passes: the statement is sent again, and has run once.
func TestLifeBroken(t *testing.T) {
	t.Parallel()
	for _, f := range faultproxy.Catalogue() {
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			server := fakebq.Run(t, fakebq.Options{})
			server.On(insert, fakebq.Answer{DML: &fakebq.DML{Inserted: 1}})
			server.On("SELECT name, n FROM t", numbers)
			proxy := faultproxy.Run(t, server.URL())
			proxy.Inject(fakebq.Query, f.Fault, faultproxy.Fault{}, f.Fault)
			db := openThrough(t, proxy)
			for _, text := range []string{insert, "SELECT name, n FROM t"} {
				if err := runWhole(t, db, text); err != nil {
					t.Errorf("%s: %v", text, err)
				}
			}
			if got := server.Executions(insert); got != 1 {
				t.Errorf("it ran %d times; want once", got)
			}
		})
	}
}

// openThrough opens a database behind a proxy, without pauses.
func openThrough(t *testing.T, proxy *faultproxy.Proxy) *sql.DB {
	t.Helper()
	db, _ := openConnectorThrough(t, proxy)
	return db
}
