package driver_test

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	h2 "golang.org/x/net/http2"
	"google.golang.org/grpc/codes"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq/faultproxy"
)

const selectNumbers = "SELECT name, n FROM t"

// lifeDefects are those in the life of a statement. A vanished network takes its time: see TestLifeVanishedNetwork.
var lifeDefects = []struct {
	defect string
	test   func(*testing.T, *fakebq.Server)
}{
	{"a GOAWAY or RST_STREAM is told to the caller", func(t *testing.T, _ *fakebq.Server) {
		if untrusted != nil {
			t.Skipf("the system does not trust the certificate of the fakes: %v", untrusted)
		}
		server := fakebq.Run(t, fakebq.Options{HTTP2: true})
		server.On(insert, fakebq.Answer{DML: &fakebq.DML{Inserted: 1}})
		proxy := faultproxy.Run(t, server.URL())
		proxy.Inject(fakebq.Query,
			faultproxy.Fault{Kind: faultproxy.GoAway, Debug: "max_age", Close: true, At: faultproxy.After},
			faultproxy.Fault{Kind: faultproxy.ResetStream, Code: h2.ErrCodeInternal, At: faultproxy.After},
			faultproxy.Fault{Kind: faultproxy.GoAway, Debug: "session_timed_out", Below: true, Close: true})
		if err := runWhole(t, openThrough(t, proxy), insert); err != nil || server.Executions(insert) != 1 {
			t.Errorf("got %v; it ran %d times", err, server.Executions(insert))
		}
	}},
	{"an INSERT whose error was told runs afterwards", func(t *testing.T, server *fakebq.Server) {
		server.On(insert, fakebq.Answer{DML: &fakebq.DML{Inserted: 1}})
		if n := runsAfterTheEnd(t, server, insert, fakebq.HangBefore); n != 0 {
			t.Errorf("it ran %d times", n)
		}
	}},
	{"a SELECT whose caller has gone is run twice", func(t *testing.T, server *fakebq.Server) {
		server.On(selectNumbers, numbers)
		after := func(ch <-chan struct{}) fakebq.Fault { return fakebq.HangBefore(ch).After() }
		if n := runsAfterTheEnd(t, server, selectNumbers, after); n != 1 {
			t.Errorf("it ran %d times", n)
		}
	}},
	{"a refused poll is taken for the job's failure", func(t *testing.T, server *fakebq.Server) {
		server.On(insert, fakebq.Answer{DML: &fakebq.DML{Inserted: 1}, Incomplete: 2})
		server.Inject(fakebq.GetQueryResults, fail("quotaExceeded", ""), fail("authError", ""), fail("notFound", ""))
		if err := runWhole(t, openPausing(t, server, noPause), insert); err != nil {
			t.Error(err)
		}
	}},
	{"a COMMIT that has committed is told as failed", func(t *testing.T, _ *fakebq.Server) {
		server := transactions(t)
		server.On(commit, fakebq.Answer{StatementType: "COMMIT_TRANSACTION", Incomplete: 1})
		tx := beginTx(t, openPausing(t, server, noPause))
		server.Inject(fakebq.GetQueryResults, fail("quotaExceeded", ""))
		if err := tx.Commit(); err != nil {
			t.Error(err)
		}
	}},
	{"polls that can't be read leave the job running", func(t *testing.T, server *fakebq.Server) {
		server.On(insert, fakebq.Answer{DML: &fakebq.DML{}, Incomplete: 1, Until: make(chan struct{})})
		server.Inject(fakebq.GetQueryResults, times(8, fakebq.Garbage("<html>"))...)
		_, err := openPausing(t, server, noPause).ExecContext(t.Context(), insert)
		wantTold(t, err, unknown)
		server.WaitFor(t, fakebq.Cancel, 1)
	}},
	{"a job that failed by BigQuery's fault is tried under its own id", func(t *testing.T, server *fakebq.Server) {
		broken := fakebq.Answer{DML: &fakebq.DML{Inserted: 1}, Err: &fakebq.Error{Reason: "jobBackendError"}}
		server.On(insert, broken, fakebq.Answer{DML: &fakebq.DML{Inserted: 1}})
		err := runWhole(t, openPausing(t, server, noPause), insert)
		if err != nil || len(requestIDs(t, server, insert)) != 2 {
			t.Errorf("got %v under %d ids", err, len(requestIDs(t, server, insert)))
		}
	}},
	{"409 for our own job is told", func(t *testing.T, server *fakebq.Server) {
		server.On(insert, fakebq.Answer{DML: &fakebq.DML{Inserted: 1}})
		server.Inject(fakebq.Insert, fakebq.Exists())
		if err := runWhole(t, open(t, server), insert, batch); err != nil {
			t.Error(err)
		}
	}},
	{"404 of a job just begun is told", func(t *testing.T, server *fakebq.Server) {
		server.On(insert, fakebq.Answer{DML: &fakebq.DML{Inserted: 1}, Incomplete: 1})
		server.Inject(fakebq.GetQueryResults, fail("notFound", "Not found: Job"))
		if err := runWhole(t, openPausing(t, server, noPause), insert); err != nil {
			t.Error(err)
		}
	}},
	{"complete without a schema is a SELECT without rows", func(t *testing.T, server *fakebq.Server) {
		server.On(selectNumbers, numbers)
		server.Inject(fakebq.Query, fakebq.Garbage(`{"jobComplete":true,"statementType":"SELECT","jobReference":`+
			`{"projectId":"my-project","jobId":"job_fake00000001","location":"US"}}`).After())
		if got := readAllOf(t, open(t, server), selectNumbers); got != 3 {
			t.Errorf("got %d rows", got)
		}
	}},
	{"polled CREATE TABLE AS SELECT, TRUNCATE and EXECUTE IMMEDIATE have 0 rows affected",
		func(t *testing.T, server *fakebq.Server) {
			const create, truncate, dynamic = "CREATE TABLE t AS SELECT 1 AS a", "TRUNCATE TABLE t", "EXECUTE IMMEDIATE 'x'"
			server.On(create, fakebq.Answer{StatementType: "CREATE_TABLE_AS_SELECT", Incomplete: 1,
				Created: &fakebq.Created{Table: "my-project.d.t", Rows: 7}})
			server.On(truncate, fakebq.Answer{StatementType: "TRUNCATE_TABLE", DML: &fakebq.DML{Deleted: 7}, Incomplete: 1})
			server.On(dynamic, fakebq.Answer{StatementType: "SCRIPT", Incomplete: 1,
				Children: []fakebq.Answer{{DML: &fakebq.DML{Inserted: 7}}}})
			for _, text := range []string{create, truncate, dynamic} {
				result, err := open(t, server).ExecContext(t.Context(), text)
				if err != nil {
					t.Fatal(err)
				}
				if n, err := result.RowsAffected(); n != 7 || err != nil {
					t.Errorf("%s: got %d, %v", text, n, err)
				}
			}
		}},
	{"polled DDL, LOAD DATA and UNDROP leave remembered types", func(t *testing.T, _ *fakebq.Server) {
		for text, typ := range map[string]string{
			"CREATE OR REPLACE TABLE t (a INT64)":               "CREATE_TABLE",
			"LOAD DATA INTO t FROM FILES (uris = ['gs://b/f'])": "LOAD_DATA",
			"UNDROP SCHEMA d": "UNDROP_SCHEMA",
		} {
			server := fakebq.Run(t, fakebq.Options{})
			server.On(text, fakebq.Answer{StatementType: typ, Incomplete: 1})
			of := func(name string) fakebq.Answer {
				return fakebq.Answer{DML: &fakebq.DML{Inserted: 1}, Parameters: []fakebq.Parameter{{Type: typeOf(name)}}}
			}
			server.On("INSERT INTO t VALUES (?)", of("DATE"), of("DATETIME"))
			db := open(t, server)
			for _, run := range []func() error{
				func() error { return runWhole(t, db, "INSERT INTO t VALUES (?)", time.Now()) },
				func() error { return run(t.Context(), db, text) },
				func() error { return runWhole(t, db, "INSERT INTO t VALUES (?)", time.Now()) },
			} {
				if err := run(); err != nil {
					t.Fatal(err)
				}
			}
			if got := sent(t, server).QueryParameters[0].ParameterType.Type; got != "DATETIME" {
				t.Errorf("after %s: sent a %s", text, got)
			}
		}
	}},
	{"Unparseable query parameter is no wrong type", func(t *testing.T, server *fakebq.Server) {
		of := func(name string, failure *fakebq.Error) fakebq.Answer {
			return fakebq.Answer{DML: &fakebq.DML{Inserted: 1}, Err: failure,
				Parameters: []fakebq.Parameter{{Type: typeOf(name)}}}
		}
		server.On("INSERT INTO t VALUES (?)", of("DATE", nil), of("DATETIME", &fakebq.Error{Reason: "invalid",
			Message: "Unparseable query parameter `` in type `TYPE_DATETIME`"}), of("DATETIME", nil))
		db := open(t, server)
		for range 2 {
			if err := runWhole(t, db, "INSERT INTO t VALUES (?)", time.Now()); err != nil {
				t.Error(err)
			}
		}
	}},
	{"a script of three SELECTs has one result", func(t *testing.T, server *fakebq.Server) {
		const three = "SELECT 1; SELECT 2; SELECT 3"
		server.On(three, fakebq.Answer{Children: []fakebq.Answer{one("a", 1), one("a", 2), one("a", 3)}})
		rows, err := open(t, server).QueryContext(t.Context(), three)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		n := 1
		for rows.NextResultSet() {
			n++
		}
		if n != 3 || rows.Err() != nil {
			t.Errorf("got %d results, %v", n, rows.Err())
		}
	}},
	{"an error in a transaction leaves its tables held", func(t *testing.T, _ *fakebq.Server) {
		server := transactions(t)
		held := fakebq.Answer{DML: &fakebq.DML{Inserted: 1}, Tables: []string{"my-project:d.t"}}
		broken := held
		broken.Err = &fakebq.Error{Reason: "invalidQuery"}
		server.On(insert, held, broken)
		tx := beginTx(t, open(t, server))
		for range 2 {
			_, _ = tx.ExecContext(t.Context(), insert) // the second one fails
		}
		if err := tx.Commit(); err == nil {
			t.Error("Commit: got no error")
		}
		eventually(t, "the tables are free", func() bool { return len(server.HeldTables()) == 0 })
	}},
	{"a cancel is taken for the end of the job", func(t *testing.T, _ *fakebq.Server) {
		server := fakebq.Run(t, fakebq.Options{CancelDelay: 300 * time.Millisecond})
		server.On("SELECT slow", fakebq.Answer{Fields: numbers.Fields, Incomplete: 1, Until: make(chan struct{})})
		server.On(insert, fakebq.Answer{DML: &fakebq.DML{Inserted: 1}})
		db := open(t, server, always)
		db.SetMaxOpenConns(1)
		conn, err := db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := conn.ExecContext(t.Context(), insert); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			server.WaitFor(t, fakebq.GetQueryResults, 1)
			cancel()
		}()
		if _, err := conn.ExecContext(ctx, "SELECT slow"); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		if _, err := conn.ExecContext(t.Context(), insert); err != nil || len(server.Running()) > 0 {
			t.Errorf("the next one: got %v; %q run", err, server.Running())
		}
	}},
	{"a lost statement and the next one of its text are mistaken for each other",
		func(t *testing.T, server *fakebq.Server) {
			until := make(chan struct{})
			server.On(insert, fakebq.Answer{DML: &fakebq.DML{Inserted: 1}, Until: make(chan struct{})},
				fakebq.Answer{DML: &fakebq.DML{Inserted: 1}, Incomplete: 1, Until: until})
			db := openPausing(t, server, noPause, func(c *dsn.Config) { c.LabelJobs = true })
			db.SetMaxOpenConns(1)
			server.Inject(fakebq.Query, append([]fakebq.Fault{lost}, times(7, fakebq.HTML(503))...)...)
			_, err := db.ExecContext(t.Context(), insert)
			wantTold(t, err, unknown)
			go func() {
				defer close(until)
				server.WaitFor(t, fakebq.Cancel, 1) // of the lost one
				eventually(t, "it has ended", func() bool { return len(server.Running()) == 1 })
			}()
			if err := runWhole(t, db, insert); err != nil || server.Cancelled() != 1 {
				t.Errorf("got %v with %d cancels", err, server.Cancelled())
			}
		}},
	{"db.Close leaves a transaction open that is out", func(t *testing.T, _ *fakebq.Server) {
		server := transactions(t)
		db := open(t, server)
		beginTx(t, db)
		wantNoSessions(t, db, server)
	}},
	{"the context of BeginTx does not end what runs in it", func(t *testing.T, _ *fakebq.Server) {
		server := transactions(t)
		server.On(insert, fakebq.Answer{DML: &fakebq.DML{}, Incomplete: 1, Until: make(chan struct{})})
		ctx, cancel := context.WithCancel(t.Context())
		tx, err := open(t, server).BeginTx(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			server.WaitFor(t, fakebq.GetQueryResults, 1)
			cancel()
		}()
		_, err = tx.ExecContext(t.Context(), insert)
		wantTold(t, err, unknown, context.Canceled)
	}},
	{"page tokens that go round over empty pages never end", func(t *testing.T, server *fakebq.Server) {
		server.On("SELECT *", fakebq.Answer{Fields: numbers.Fields, Rows: numbers.Rows, Repeat: 2, PageSize: 3})
		server.Inject(fakebq.GetQueryResults, times(50, fakebq.Garbage(`{"jobComplete":true,"pageToken":"x"}`))...)
		rows, err := open(t, server).QueryContext(t.Context(), "SELECT *")
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
		}
		if rows.Err() == nil || server.Count(fakebq.GetQueryResults) > 3 {
			t.Errorf("got %v after %d pages", rows.Err(), server.Count(fakebq.GetQueryResults))
		}
	}},
	{"the HTML of a proxy is told as BigQuery's words", func(t *testing.T, server *fakebq.Server) {
		server.Inject(fakebq.Query, fakebq.HTML(407))
		_, err := open(t, server).QueryContext(t.Context(), "SELECT 1")
		if err == nil || !strings.Contains(err.Error(), "a server in front of BigQuery") {
			t.Errorf("got %v", err)
		}
	}},
	{"a conflict of DML is not ErrConcurrentUpdate", func(t *testing.T, server *fakebq.Server) {
		server.On(insert, fakebq.Answer{DML: &fakebq.DML{}, Err: &fakebq.Error{Reason: "invalidQuery",
			Message: "Could not serialize access to table p:d.t due to concurrent update"}})
		if err := runWhole(t, open(t, server), insert); !errors.Is(err, driver.ErrConcurrentUpdate) {
			t.Errorf("got %v", err)
		}
	}},
	{"warnings are lost", func(t *testing.T, server *fakebq.Server) {
		a := numbers
		a.Warnings = []fakebq.Error{{Reason: "invalid", Message: "careful"}}
		server.On(selectNumbers, a)
		var stats driver.Stats
		err := run(driver.WithStats(t.Context(), &stats), open(t, server), selectNumbers)
		if err != nil || !slices.Equal(stats.Warnings, []string{"careful"}) {
			t.Errorf("got %q, %v", stats.Warnings, err)
		}
	}},
	{"Invalid input session id. is no lost session", func(t *testing.T, _ *fakebq.Server) {
		server := transactions(t)
		db := open(t, server)
		for range 2 {
			if err := beginTx(t, db).Commit(); err != nil {
				t.Error(err)
			}
			server.ForgetSession(server.Sessions()[0])
		}
	}},
	{"Unknown, Internal and Canceled of the server end a stream", func(t *testing.T, _ *fakebq.Server) {
		server := bigTable(t)
		for _, code := range []codes.Code{codes.Unknown, codes.Internal, codes.Canceled} {
			server.InjectStream(fakebq.ReadRows, fakebq.StreamFault{Code: code, After: 1})
		}
		got, err := readInts(t.Context(), open(t, server, overStorage(server)), ordered)
		if problem := everyRowOnce(got, true); err != nil || problem != "" {
			t.Errorf("got %v, %s", err, problem)
		}
	}},
	{"GRAPH is no query", func(t *testing.T, server *fakebq.Server) {
		server.On("GRAPH g MATCH (n) RETURN n.a", numbers)
		db := open(t, server, func(c *dsn.Config) { c.DestinationTable, c.Dataset = "kept", "d" })
		if got := readAllOf(t, db, "GRAPH g MATCH (n) RETURN n.a"); got != 3 || server.Count(fakebq.Insert) != 1 {
			t.Errorf("got %d rows by %v", got, server.Counts())
		}
	}},
}

// runsAfterTheEnd ends the context of a statement while its request hangs, and returns how often it has run in the end.
func runsAfterTheEnd(
	t *testing.T, server *fakebq.Server, text string, hang func(<-chan struct{}) fakebq.Fault,
) int {
	t.Helper()
	answer := make(chan struct{})
	server.Inject(fakebq.Query, hang(answer))
	db := openPausing(t, server, noPause)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		server.WaitFor(t, fakebq.Query, 1)
		cancel()
	}()
	if _, err := db.ExecContext(ctx, text); !errors.Is(err, context.Canceled) || errors.Is(err, sql.ErrConnDone) {
		t.Errorf("got %v", err)
	}
	close(answer)
	if err := db.Close(); err != nil { // waits for what goes on in the background
		t.Error(err)
	}
	return server.Executions(text)
}
