package driver_test

import (
	"testing"
	"time"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// TestLifeNewIDs: when a statement is sent under a new id, and when it is not.
func TestLifeNewIDs(t *testing.T) {
	t.Parallel()
	broken := &fakebq.Error{Reason: "jobBackendError", Message: "try again"}
	unparseable := &fakebq.Error{Reason: "invalid", Message: "Unparseable query parameter `` in type `TYPE_DATE`, x"}
	typed := func(name string, failure *fakebq.Error) fakebq.Answer {
		return fakebq.Answer{DML: &fakebq.DML{Inserted: 1}, Err: failure,
			Parameters: []fakebq.Parameter{{Type: typeOf(name)}}}
	}
	dml := func(failure *fakebq.Error) fakebq.Answer {
		return fakebq.Answer{DML: &fakebq.DML{Inserted: 1}, Err: failure}
	}
	const (
		withTime = "INSERT INTO t VALUES (?)"
		export   = "EXPORT DATA OPTIONS (uri = 'gs://b/*') AS SELECT 1"
		script   = "INSERT INTO t VALUES (1); INSERT INTO t VALUES (2)"
	)
	for _, tt := range []struct {
		name    string
		sql     string
		args    []any
		session bool
		answers []fakebq.Answer
		first   bool // a statement that succeeds comes before
		faults  []fakebq.Fault
		ids     int
		want    outcome
		is      error
	}{
		{name: "a: BigQuery's fault, once", sql: insert, answers: []fakebq.Answer{dml(broken), dml(nil)}, ids: 2, want: done},
		{name: "a: BigQuery's fault, three times", sql: insert, ids: 4, want: done,
			answers: []fakebq.Answer{dml(broken), dml(broken), dml(broken), dml(nil)}},
		{name: "a: BigQuery's fault, four times", sql: insert, answers: []fakebq.Answer{dml(broken)}, ids: 4, want: failed},
		{name: "a: found by a poll", sql: insert, ids: 2, want: done, answers: []fakebq.Answer{
			{DML: &fakebq.DML{Inserted: 1}, Err: broken, Incomplete: 1}, dml(nil)}},
		{name: "a: never a script", sql: script, answers: []fakebq.Answer{{StatementType: "SCRIPT", Err: broken}}, ids: 1,
			want: failed},
		{name: "a: never EXPORT DATA", sql: export, answers: []fakebq.Answer{{StatementType: "EXPORT_DATA", Err: broken}},
			ids: 1, want: failed},
		{name: "a: never in a session", sql: insert, session: true, answers: []fakebq.Answer{dml(broken)}, ids: 1,
			want: failed},
		{name: "b: remembered types", sql: withTime, args: []any{time.Now()}, first: true, ids: 2, want: done,
			answers: []fakebq.Answer{typed("DATE", nil), typed("DATETIME",
				&fakebq.Error{Reason: "invalidQuery", Message: "no"}), typed("DATETIME", nil)}},
		{name: "b: remembered types, unparseable", sql: withTime, args: []any{time.Now()}, first: true, ids: 2, want: done,
			answers: []fakebq.Answer{typed("DATE", nil), typed("DATETIME", unparseable), typed("DATETIME", nil)}},
		{name: "b: never in a session", sql: withTime, args: []any{time.Now()}, first: true, session: true, ids: 1,
			answers: []fakebq.Answer{typed("DATE", nil), typed("DATETIME", unparseable)}, want: failed},
		{name: "b: never after a lost try", sql: withTime, args: []any{time.Now()}, first: true, ids: 1, want: failed,
			answers: []fakebq.Answer{typed("DATE", nil), typed("DATETIME", unparseable)}, faults: []fakebq.Fault{lost}},
		{name: "b: other refusals", sql: withTime, args: []any{time.Now()}, first: true, ids: 1, want: failed,
			is: driver.ErrNotFound, answers: []fakebq.Answer{typed("DATE", nil), typed("DATETIME",
				&fakebq.Error{Reason: "notFound", Message: "no"})}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := transactions(t)
			server.On(tt.sql, tt.answers...)
			db := openPausing(t, server, noPause)
			exec := db.ExecContext
			if tt.session {
				tx := beginTx(t, db)
				defer tx.Rollback()
				exec = tx.ExecContext
			}
			if tt.first {
				if _, err := exec(t.Context(), tt.sql, tt.args...); err != nil {
					t.Fatal(err)
				}
			}
			server.ResetLog()
			server.Inject(fakebq.Query, tt.faults...)
			_, err := exec(t.Context(), tt.sql, tt.args...)
			wantTold(t, err, tt.want)
			if tt.is != nil {
				wantTold(t, err, tt.want, tt.is)
			}
			if got := requestIDs(t, server, tt.sql); len(got) != tt.ids {
				t.Errorf("sent under %d ids; want %d", len(got), tt.ids)
			}
		})
	}
}

// requestIDs are the ids under which a statement was sent.
func requestIDs(t *testing.T, server *fakebq.Server, sql string) map[string]int {
	t.Helper()
	ids := map[string]int{}
	for _, r := range server.Requests(fakebq.Query) {
		req, err := r.QueryRequest()
		if err != nil {
			t.Fatal(err)
		}
		if req.Query == sql {
			ids[req.RequestId]++
		}
	}
	return ids
}

// TestLifeLostSessionIsReplaced: (c) a session that was lost while nothing was in it is replaced, once, in the words of
// an expired and of an unknown one; never after a try that may have begun it.
func TestLifeLostSessionIsReplaced(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		lose func(*fakebq.Server, string)
		of   []fakebq.Fault
		want outcome
	}{
		{"expired", (*fakebq.Server).EndSession, nil, done},
		{"Invalid input session id.", (*fakebq.Server).ForgetSession, nil, done},
		{"after a lost try", (*fakebq.Server).EndSession, []fakebq.Fault{fakebq.Drop()}, failed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := transactions(t)
			db := openPausing(t, server, noPause)
			if err := beginTx(t, db).Commit(); err != nil {
				t.Fatal(err)
			}
			tt.lose(server, server.Sessions()[0])
			server.Inject(fakebq.Query, tt.of...)
			tx, err := db.BeginTx(t.Context(), nil)
			wantTold(t, err, tt.want)
			if err == nil {
				if err := tx.Commit(); err != nil {
					t.Error(err)
				}
			}
			wantNoSessions(t, db, server)
		})
	}
}
