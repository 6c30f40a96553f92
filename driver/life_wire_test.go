package driver_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/api/googleapi"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq/faultproxy"
)

// TestLifePagesGoRound: page tokens that come again over empty pages are an error, and empty pages
// with new ones are read.
func TestLifePagesGoRound(t *testing.T) {
	t.Parallel()
	empty := func(token string) fakebq.Fault {
		return fakebq.Garbage(`{"jobComplete":true,"pageToken":"` + token + `"}`)
	}
	for name, pages := range map[string][]fakebq.Fault{
		"the same one":       {empty("x"), empty("x")},
		"one of two turns":   {empty("x"), empty("y"), empty("x")},
		"one of three turns": {empty("x"), empty("y"), empty("z"), empty("x")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := fakebq.Run(t, fakebq.Options{})
			server.On("SELECT *", fakebq.Answer{Fields: numbers.Fields, Rows: numbers.Rows, Repeat: 3, PageSize: 3})
			server.Inject(fakebq.GetQueryResults, pages...)
			rows, err := open(t, server).QueryContext(t.Context(), "SELECT *")
			if err != nil {
				t.Fatal(err)
			}
			defer rows.Close()
			n := 0
			for rows.Next() {
				n++
			}
			if n != 3 || rows.Err() == nil || !strings.Contains(rows.Err().Error(), "page token twice") {
				t.Errorf("got %d rows and %v; want 3 and an error of the token", n, rows.Err())
			}
			if got := server.Count(fakebq.GetQueryResults); got > len(pages)+1 {
				t.Errorf("got %d requests for pages; want %d", got, len(pages))
			}
		})
	}
}

// TestLifeLargeRequest: a request of more than 10 MB that is refused or reset says how large the
// statement was and what BigQuery accepts; it is not sent again.
func TestLifeLargeRequest(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 11_000_000)
	for _, tt := range []struct {
		name  string
		fault faultproxy.Fault
		opts  []any
		size  string // in the error; "" means that it says nothing of a size
		text  string // in a comment of the statement
	}{
		{"413", faultproxy.HTML(413, faultproxy.Before), nil, "11.0 MB", long},
		{"413 of BigQuery's", faultproxy.Error(fakebq.Error{Status: 413, Reason: "uploadTooLarge", Message: "too large"},
			faultproxy.Before), nil, "11.0 MB", long},
		{"reset while it is sent", faultproxy.Fault{Kind: faultproxy.Reset, At: faultproxy.Sending}, nil, "11.0 MB", long},
		{"reset while it is sent, by job id", faultproxy.Fault{Kind: faultproxy.Reset, At: faultproxy.Sending}, []any{batch},
			"11.0 MB", long},
		{"413 of a small one", faultproxy.HTML(413, faultproxy.Before), nil, "", "x"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := fakebq.Run(t, fakebq.Options{})
			proxy := faultproxy.Run(t, server.URL())
			method := fakebq.Query
			if tt.opts != nil {
				method = fakebq.Insert
			}
			proxy.Inject(method, tt.fault)
			_, err := openThrough(t, proxy).ExecContext(t.Context(), "SELECT 1 /* "+tt.text+" */ AS a", tt.opts...)
			if err == nil {
				t.Fatal("got no error")
			}
			if text := err.Error(); strings.Contains(text, "a request can have 10 MB; bulk.Append") != (tt.size != "") ||
				!strings.Contains(text, tt.size) {
				t.Errorf("got %v; want %q in it", err, tt.size)
			}
			if got := proxy.Count(method); got != 1 {
				t.Errorf("sent %d times; want once", got)
			}
		})
	}
}

// TestLifeProxies: a proxy's HTML is not taken for BigQuery's answer, and is not printed to a terminal.
func TestLifeProxies(t *testing.T) {
	t.Parallel()
	for _, status := range []int{400, 403, 407, 502} {
		server := fakebq.Run(t, fakebq.Options{})
		server.Inject(fakebq.Query, times(8, fakebq.HTML(status))...)
		_, err := openPausing(t, server, noPause).QueryContext(t.Context(), "SELECT 1")
		e, ok := errors.AsType[*driver.Error](err)
		if _, isAnswer := errors.AsType[*googleapi.Error](err); !ok || !isAnswer || e.Status != status {
			t.Errorf("%d: got %v; want an *Error", status, err)
			continue
		}
		if text := err.Error(); !strings.Contains(text, "a server in front of BigQuery") ||
			strings.Contains(text, "<") {
			t.Errorf("%d: got %v", status, err)
		}
		if hint := strings.Contains(err.Error(), "HTTPS_PROXY"); hint != (status == http.StatusProxyAuthRequired) {
			t.Errorf("%d: got %v", status, err)
		}
	}
}

// TestLifeVanishedNetwork: a network that has gone away without a word is noticed within 20 s by
// REST and within 40 s by the Storage Read API, and the work goes on over a new connection.
func TestLifeVanishedNetwork(t *testing.T) {
	t.Parallel()
	if untrusted != nil {
		t.Skipf("the system does not trust the certificate of the fakes: %v", untrusted)
	}
	t.Run("REST", func(t *testing.T) {
		t.Parallel()
		server := fakebq.Run(t, fakebq.Options{HTTP2: true})
		server.On(insert, fakebq.Answer{DML: &fakebq.DML{Inserted: 1}, Incomplete: 1})
		proxy := faultproxy.Run(t, server.URL())
		proxy.Inject(fakebq.GetQueryResults, faultproxy.Fault{Kind: faultproxy.Vanish, At: faultproxy.Before})
		vanished := whenPlayed(t, proxy)
		if err := runWhole(t, openThrough(t, proxy), insert); err != nil {
			t.Error(err)
		}
		if d := driver.VanishedAfter(); d <= 0 || d >= 20*time.Second {
			t.Errorf("a vanished network is noticed after %s; want less than 20 s", d)
		}
		const limit = 32 * time.Second // 18 on a machine that is not busy; without pings it would be 40
		took := time.Since(<-vanished)
		if took > limit || proxy.Accepted() != 2 || server.Executions(insert) != 1 {
			t.Errorf("took %s over %d connections, ran %d times; want at most %s, 2 and once", took,
				proxy.Accepted(), server.Executions(insert), limit)
		}
	})
	t.Run("Storage", func(t *testing.T) {
		t.Parallel()
		if testing.Short() {
			t.Skip("-short: that takes 36 seconds")
		}
		server := bigTable(t)
		storage := faultproxy.Run(t, server.StorageURL())
		storage.Inject(fakebq.ReadRows, faultproxy.Fault{Kind: faultproxy.Vanish, At: faultproxy.Middle, Skip: 1})
		db := open(t, server, func(c *dsn.Config) { c.ReadAPI, c.StorageEndpoint = "storage", storage.URL() })
		vanished := whenPlayed(t, storage)
		got, err := readInts(t.Context(), db, ordered)
		if problem := everyRowOnce(got, true); err != nil || problem != "" {
			t.Errorf("got %v, %s", err, problem)
		}
		if took := time.Since(<-vanished); took > 40*time.Second || storage.Accepted() < 2 {
			t.Errorf("took %s over %d connections; want at most 40 s and 2", took, storage.Accepted())
		}
	})
}

// TestLifeStorageIsSilent: a Storage Read API that does not answer, over a network that works, is not waited for
// without end: a session is given up for REST, and a stream is opened again.
func TestLifeStorageIsSilent(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("-short: that takes 40 seconds")
	}
	for _, method := range []fakebq.Method{fakebq.CreateReadSession, fakebq.ReadRows} {
		t.Run(string(method), func(t *testing.T) {
			t.Parallel()
			server := bigTable(t)
			storage := faultproxy.Run(t, server.StorageURL())
			storage.Inject(method, faultproxy.Fault{Kind: faultproxy.Never, At: faultproxy.After})
			db := open(t, server, func(c *dsn.Config) { c.ReadAPI, c.StorageEndpoint = "storage", storage.URL() })
			silent := whenPlayed(t, storage)
			got, err := readInts(t.Context(), db, ordered)
			if problem := everyRowOnce(got, true); err != nil || problem != "" {
				t.Errorf("got %v, %s", err, problem)
			}
			if took := time.Since(<-silent); took > 45*time.Second {
				t.Errorf("took %s; want at most 45 s", took)
			}
		})
	}
}

// whenPlayed tells when a proxy has played its first fault.
func whenPlayed(t *testing.T, proxy *faultproxy.Proxy) <-chan time.Time {
	at := make(chan time.Time, 1)
	go func() {
		for len(proxy.Played()) == 0 && t.Context().Err() == nil {
			time.Sleep(5 * time.Millisecond)
		}
		at <- time.Now()
	}()
	return at
}

// TestLifeLargeRow: a row larger than 64 MB is read.
func TestLifeLargeRow(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("-short: a row of 65 MB takes much memory")
	}
	const size = 65 << 20
	server := fakebq.Run(t, fakebq.Options{NoGzip: true})
	server.On("SELECT wide", fakebq.Answer{
		Fields: []fakebq.Field{{Name: "s", Type: "STRING"}}, Rows: [][]any{{strings.Repeat("x", size)}}})
	var got string
	if err := open(t, server).QueryRowContext(t.Context(), "SELECT wide").Scan(&got); err != nil || len(got) != size {
		t.Errorf("got %d bytes, %v; want %d", len(got), err, size)
	}
}

// TestLifeTraceComments: what comes after the end of a text, such as the trace that a library adds,
// does not make it another one: the types of its parameters are asked for once.
func TestLifeTraceComments(t *testing.T) {
	t.Parallel()
	const text = "INSERT INTO t VALUES (?)"
	server := fakebq.Run(t, fakebq.Options{})
	server.OnAny(
		fakebq.Answer{DML: &fakebq.DML{Inserted: 1}, Parameters: []fakebq.Parameter{{Type: typeOf("DATETIME")}}},
	)
	db := open(t, server)
	for _, trace := range []string{
		"", " ", "\n", " -- trace 1", " /* trace 2 */", "; # trace 3", " /*traceparent='00-4'*/ -- x",
	} {
		if _, err := db.ExecContext(t.Context(), text+trace, time.Now()); err != nil {
			t.Errorf("%q: %v", trace, err)
		}
		if got := sent(
			t,
			server,
		); got.Query != text+trace ||
			got.QueryParameters[0].ParameterType.Type != "DATETIME" {
			t.Errorf("sent %q with a %s", got.Query, got.QueryParameters[0].ParameterType.Type)
		}
	}
	if got := server.Count(fakebq.Insert); got != 1 {
		t.Errorf("got %d dry runs; want 1", got)
	}
}

// TestLifeConflictOfDML: a conflict of DML outside of transactions is ErrConcurrentUpdate too.
func TestLifeConflictOfDML(t *testing.T) {
	t.Parallel()
	for _, incomplete := range []int{0, 1} {
		server := fakebq.Run(t, fakebq.Options{})
		server.On(
			insert,
			fakebq.Answer{DML: &fakebq.DML{}, Incomplete: incomplete, Err: &fakebq.Error{Reason: "invalidQuery",
				Message: "Could not serialize access to table my-project:d.t due to concurrent update"}},
		)
		_, err := open(t, server).ExecContext(t.Context(), insert)
		wantTold(t, err, failed, driver.ErrConcurrentUpdate, driver.ErrInvalidQuery)
	}
}

// TestLifeGraph: a GRAPH query is a query: it gets the destination of the DSN, and can be a dry run.
func TestLifeGraph(t *testing.T) {
	t.Parallel()
	const text = "GRAPH g MATCH (n) RETURN n.name, n.n"
	server := fakebq.Run(t, fakebq.Options{})
	server.On(text, numbers)
	db := open(t, server, func(c *dsn.Config) { c.DestinationTable, c.Dataset = "kept", "d" })
	if got := readAllOf(t, db, text); got != 3 {
		t.Errorf("got %d rows; want 3", got)
	}
	if inserts := server.Requests(fakebq.Insert); len(inserts) != 1 ||
		member(t, inserts[0].Body, "configuration.query.destinationTable") == "" {
		t.Errorf("got %d jobs.insert; want one with a destination", len(inserts))
	}
	if _, err := db.ExecContext(t.Context(), text, driver.DryRun()); err != nil || server.Executions(text) != 1 {
		t.Errorf("a dry run: got %v; it ran %d times; want once, before", err, server.Executions(text))
	}
}
