package driver_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
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
				a.Incomplete = 1
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
				begins, cancelBegins = context.WithTimeout(t.Context(), 300*time.Millisecond)
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

// TestLifeOfALabel: what a label of the connection's own is good for, and where there is none.
func TestLifeOfALabel(t *testing.T) {
	t.Parallel()
	full := map[string]string{}
	for i := range 64 {
		full["label-"+string(rune('a'+i%26))+strings.Repeat("x", i/26)] = "x"
	}
	for _, tt := range []struct {
		name   string
		change func(*dsn.Config)
		want   bool
	}{
		{"off", func(*dsn.Config) {}, false},
		{"on", func(c *dsn.Config) { c.LabelJobs = true }, true},
		{"beside the user's", func(c *dsn.Config) { c.LabelJobs, c.Labels = true, map[string]string{"team": "x"} }, true},
		{"64 labels", func(c *dsn.Config) { c.LabelJobs, c.Labels = true, full }, false},
		{"the user's own key", func(c *dsn.Config) {
			c.LabelJobs, c.Labels = true, map[string]string{"bigqueryuser": "mine"}
		}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := fakebq.Run(t, fakebq.Options{})
			server.On(insert, fakebq.Answer{DML: &fakebq.DML{Inserted: 1}})
			if err := runWhole(t, open(t, server, tt.change), insert); err != nil {
				t.Fatal(err)
			}
			label := sent(t, server).Labels["bigqueryuser"]
			if (label != "" && label != "mine") != tt.want {
				t.Errorf("got the label %q; want one: %t", label, tt.want)
			}
		})
	}
	t.Run("never shared with what comes after", func(t *testing.T) {
		t.Parallel()
		server := fakebq.Run(t, fakebq.Options{})
		server.On(insert, fakebq.Answer{DML: &fakebq.DML{Inserted: 1}})
		db := openPausing(t, server, noPause, func(c *dsn.Config) { c.LabelJobs = true })
		db.SetMaxOpenConns(1)
		var labels []string
		for i := range 3 {
			if i == 1 {
				server.Inject(fakebq.Query, times(8, fakebq.HTML(503))...)
			}
			_, err := db.ExecContext(t.Context(), insert)
			wantTold(t, err, []outcome{done, unknown, done}[i])
			labels = append(labels, sent(t, server).Labels["bigqueryuser"])
		}
		if labels[0] != labels[1] || labels[1] == labels[2] || labels[2] == "" {
			t.Errorf("got %q; want another one after the statement that was left", labels)
		}
	})
}

// TestLifeOfTheLost: a job whose answer was lost is cancelled if it is surely the statement's, and else left.
func TestLifeOfTheLost(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name      string
		opts      []any
		second    bool // there is another job with the same text and label
		lists     []fakebq.Fault
		delay     time.Duration
		cancelled int
	}{
		{name: "the only one", cancelled: 1},
		{name: "listed late", delay: time.Second, cancelled: 1},
		{name: "two candidates", second: true},
		{name: "a location is unreachable", lists: []fakebq.Fault{fakebq.Garbage(`{"unreachable":["asia-east1"]}`)}},
		{name: "a location is unreachable, by job id", opts: []any{batch}, cancelled: 1,
			lists: []fakebq.Fault{fakebq.Garbage(`{"unreachable":["asia-east1"]}`)}},
		{name: "the list fails at first", cancelled: 1,
			lists: []fakebq.Fault{fail("accessDenied", ""), fakebq.HTML(http.StatusBadGateway)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := fakebq.Run(t, fakebq.Options{ListDelay: tt.delay})
			server.On(insert, fakebq.Answer{DML: &fakebq.DML{Inserted: 1}, Until: make(chan struct{})})
			hang := make(chan struct{})
			method := fakebq.Query
			if tt.opts != nil {
				method = fakebq.Insert
			}
			server.Inject(method, fakebq.HangBefore(hang).After())
			server.Inject(fakebq.List, tt.lists...)
			db := openPausing(t, server, noPause, func(c *dsn.Config) { c.LabelJobs = true })
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			go func() {
				server.WaitFor(t, method, 1)
				cancel()
			}()
			_, err := db.ExecContext(ctx, insert, tt.opts...)
			wantTold(t, err, unknown, context.Canceled)
			if tt.second {
				sendTwin(t, server)
			}
			close(hang)
			if err := db.Close(); err != nil { // waits until it was looked for
				t.Error(err)
			}
			if got := server.Cancelled(); got != tt.cancelled {
				t.Errorf("got %d jobs cancelled; want %d", got, tt.cancelled)
			}
			lists := server.Requests(fakebq.List)
			for _, r := range lists {
				if !strings.EqualFold(r.Query.Get("projection"), "full") || r.Query.Get("fields") == "" ||
					r.Query.Get("minCreationTime") == "" || !slices.Equal(r.Query["stateFilter"], []string{"pending", "running"}) {
					t.Errorf("got the list %v", r.Query)
				}
			}
			if len(lists) == 0 {
				t.Error("it was not looked for")
			}
		})
	}
}

// sendTwin sends the last statement once more, under another id.
func sendTwin(t *testing.T, server *fakebq.Server) {
	t.Helper()
	all := server.Requests(fakebq.Query)
	last := all[len(all)-1]
	body := bytes.Replace(last.Body, []byte(sent(t, server).RequestId), []byte("another"), 1)
	body = bytes.Replace(body, []byte(`"timeoutMs":2000`), []byte(`"timeoutMs":1`), 1)
	resp, err := http.Post(server.URL()+last.Path, "application/json", bytes.NewReader(body)) //nolint:noctx // a test's
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
}

// TestLifeTold: what the caller is told, by what can be asked of the error.
func TestLifeTold(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		sql      string
		deadline bool
		want     outcome
		timeout  bool
	}{
		{"ctx is cancelled, a query", "SELECT name, n FROM t", false, cause, false},
		{"ctx is cancelled", insert, false, unknown, false},
		{"the deadline of a query", "SELECT name, n FROM t", true, cause, true},
		{"the deadline", insert, true, unknown, true},
		{"the deadline of a script of queries", "SELECT 1; SELECT 2", true, cause, true},
		{"the deadline of a script", insert + "; SELECT 2", true, unknown, true},
		{"the deadline of CALL", "CALL d.p()", true, unknown, true},
		{"the deadline of DDL", "DROP TABLE t", true, unknown, true},
		{"the deadline of EXPORT DATA", "EXPORT DATA OPTIONS (uri = 'gs://b/*') AS SELECT 1", true, unknown, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := fakebq.Run(t, fakebq.Options{})
			server.OnAny(fakebq.Answer{Incomplete: 1, Until: make(chan struct{})})
			db := open(t, server)
			ctx, cancel := context.WithCancel(t.Context())
			is := context.Canceled
			if tt.deadline {
				ctx, cancel = context.WithTimeout(t.Context(), 200*time.Millisecond)
				is = context.DeadlineExceeded
			}
			defer cancel()
			go func() {
				server.WaitFor(t, fakebq.GetQueryResults, 1)
				if !tt.deadline {
					cancel()
				}
			}()
			_, err := db.ExecContext(ctx, tt.sql)
			wantTold(t, err, tt.want, is)
			var ne net.Error
			if got := errors.As(err, &ne) && ne.Timeout(); got != tt.timeout {
				t.Errorf("got Timeout() %t; want %t: %v", got, tt.timeout, err)
			}
			var temporary interface{ Temporary() bool } // as net.Error has it, which deprecates it
			if errors.As(err, &temporary) && temporary.Temporary() != tt.timeout {
				t.Errorf("got Temporary() %t; want %t", temporary.Temporary(), tt.timeout)
			}
			if errors.Is(err, sql.ErrConnDone) || strings.Contains(err.Error(), "bad connection") {
				t.Errorf("got %v", err)
			}
		})
	}
	t.Run("ended, then its rows can't be read", func(t *testing.T) {
		t.Parallel()
		const script = insert + "; SELECT name, n FROM t"
		for name, faults := range map[string]map[fakebq.Method]fakebq.Fault{
			"the list":  {fakebq.List: fail("invalid", "no")},
			"the count": {fakebq.GetQueryResults: fail("notFound", "no")},
		} {
			server := fakebq.Run(t, fakebq.Options{})
			server.On(script, fakebq.Answer{Children: []fakebq.Answer{{DML: &fakebq.DML{Inserted: 1}}, numbers}})
			text := script
			if name == "the count" {
				text = insert
				server.On(insert, fakebq.Answer{DML: &fakebq.DML{Inserted: 1}})
				server.Inject(fakebq.Query, fakebq.Garbage(`{"jobComplete":true,"statementType":"INSERT",`+
					`"jobReference":{"projectId":"my-project","jobId":"job_fake00000001","location":"US"}}`).After())
			}
			for m, f := range faults {
				server.Inject(m, f)
			}
			_, err := open(t, server).QueryContext(t.Context(), text)
			if err == nil || !strings.Contains(err.Error(), "the statement has run") ||
				errors.Is(err, driver.ErrOutcomeUnknown) {
				t.Errorf("%s: got %v; want that it has run", name, err)
			}
		}
	})
}
