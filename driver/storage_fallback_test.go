package driver_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"cloud.google.com/go/bigquery"
	"golang.org/x/oauth2"
	"google.golang.org/grpc/codes"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// readStorage reads bigTable's rows with read_api=storage and what the statement's Stats say of it.
func readStorage(
	t *testing.T, server *fakebq.Server, query string, change ...func(*driver.Connector),
) ([]int, driver.Stats, error) {
	t.Helper()
	var stats driver.Stats
	connector, err := driver.NewConnector(&dsn.Config{
		Project:         "my-project",
		Endpoint:        server.URL(),
		StorageEndpoint: server.StorageURL(),
		ReadAPI:         "storage",
	}, driver.WithTokenSource(oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "token"})),
		driver.WithObserver(func(_ context.Context, s driver.Stats, _ error) { stats = s }))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range change {
		f(connector)
	}
	db := sql.OpenDB(connector)
	got, err := readInts(t.Context(), db, query)
	if closed := db.Close(); closed != nil {
		t.Error(closed)
	}
	server.WaitStreams(t)
	return got, stats, err
}

// TestStorageWithoutRows: streams that end before their first row are not the end of a result
// that has rows.
func TestStorageWithoutRows(t *testing.T) {
	t.Parallel()
	for _, query := range []string{ordered, unordered} {
		server := bigTable(t)
		server.InjectStream(fakebq.ReadRows, slices.Repeat([]fakebq.StreamFault{{End: true}}, 40)...)
		got, stats, err := readStorage(t, server, query)
		if problem := everyRowOnce(got, query == ordered); err != nil || problem != "" {
			t.Errorf("%s: got %v, %s", query, err, problem)
		}
		if stats.ReadAPI != "rest" || stats.Fallback == nil || !strings.Contains(stats.Fallback.Error(), "sent") {
			t.Errorf("%s: got %+v; want rest, and why", query, stats)
		}
	}
}

// TestStorageEmptyMessages: a message that only tells of progress is none of rows.
func TestStorageEmptyMessages(t *testing.T) {
	t.Parallel()
	for _, query := range []string{ordered, unordered} {
		server := bigTable(t)
		server.InjectStream(fakebq.ReadRows, slices.Repeat([]fakebq.StreamFault{{After: 1, Empty: true}}, 40)...)
		got, stats, err := readStorage(t, server, query)
		if problem := everyRowOnce(got, query == ordered); err != nil || problem != "" || stats.ReadAPI != "storage" {
			t.Errorf("%s: got %v, %s by %s", query, err, problem, stats.ReadAPI)
		}
	}
}

// TestStorageTooManyRows: a stream that has more rows than the result is an error at once.
func TestStorageTooManyRows(t *testing.T) {
	t.Parallel()
	for _, query := range []string{ordered, unordered} {
		server := bigTable(t)
		server.Inject(fakebq.Query, fakebq.Garbage(answerWithTotal(t, server, query, `"totalRows":"150"`)))
		got, _, err := readStorage(t, server, query)
		if err == nil || !strings.Contains(err.Error(), "the result has 150 rows") || len(got) > 150 {
			t.Errorf("%s: got %d rows and %v; want an error before row 151", query, len(got), err)
		}
	}
}

// answerWithTotal runs a statement and returns its answer with something else for its totalRows.
func answerWithTotal(t *testing.T, server *fakebq.Server, query, total string) string {
	t.Helper()
	text, err := json.Marshal(query)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.Post(server.URL()+"/bigquery/v2/projects/my-project/queries?prettyPrint=false", "application/json",
		strings.NewReader(`{"useLegacySql":false,"formatOptions":{"useInt64Timestamp":true},"query":`+string(text)+`}`))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	changed := strings.Replace(string(body), `"totalRows":"1000"`, total, 1)
	if err != nil || changed == string(body) {
		t.Fatalf("no totalRows in %.300s, %v", body, err)
	}
	return changed
}

// TestStorageUnknownTotal: where a missing row would not be noticed, they come by REST.
func TestStorageUnknownTotal(t *testing.T) {
	t.Parallel()
	for _, query := range []string{ordered, unordered} {
		server := bigTable(t)
		server.Inject(fakebq.Query, fakebq.Garbage(answerWithTotal(t, server, query, `"etag":""`)))
		got, stats, err := readStorage(t, server, query)
		if problem := everyRowOnce(got, query == ordered); err != nil || problem != "" ||
			stats.ReadAPI != "rest" || stats.Fallback == nil {
			t.Errorf("%s: got %v, %s by %s", query, err, problem, stats.ReadAPI)
		}
	}
}

// TestStorageOfATableThatWasThere: a table that rows were added to has more than the result,
// which comes by REST.
func TestStorageOfATableThatWasThere(t *testing.T) {
	t.Parallel()
	server := bigTable(t)
	db := open(t, server, overStorage(server), func(c *dsn.Config) { c.Dataset = "d" })
	var stats driver.Stats
	ctx := driver.WithOptions(driver.WithStats(t.Context(), &stats),
		driver.DestinationTable("mine", bigquery.WriteAppend, bigquery.CreateIfNeeded))
	got, err := readInts(ctx, db, unordered)
	if problem := everyRowOnce(got, false); err != nil || problem != "" || server.Count(fakebq.CreateReadSession) != 0 {
		t.Errorf("got %v, %s by %v; want no read session", err, problem, server.Counts())
	}
}

// TestStorageRenewsToken: a refused token is replaced, each time that there were rows between.
func TestStorageRenewsToken(t *testing.T) {
	t.Parallel()
	refusals := func(n *atomic.Int64) func(*driver.Connector) {
		return func(c *driver.Connector) { driver.ReplaceRefused(c, func(string) { n.Add(1) }) }
	}
	refused := func(after int) fakebq.StreamFault {
		return fakebq.StreamFault{Code: codes.Unauthenticated, Message: "who?", After: after}
	}
	for name, faults := range map[string]map[fakebq.Method][]fakebq.StreamFault{
		"the session":         {fakebq.CreateReadSession: {refused(0)}},
		"a stream":            {fakebq.ReadRows: {refused(0)}},
		"a stream, again":     {fakebq.ReadRows: {refused(1), refused(1), refused(2), refused(1)}},
		"a stream that broke": {fakebq.ReadRows: {refused(1), {Code: codes.Unavailable, After: 0}, refused(1)}},
	} {
		server := bigTable(t)
		want := 0
		for method, list := range faults {
			server.InjectStream(method, list...)
			for _, f := range list {
				if f.Code == codes.Unauthenticated {
					want++
				}
			}
		}
		var n atomic.Int64
		got, stats, err := readStorage(t, server, ordered, refusals(&n))
		if problem := everyRowOnce(got, true); err != nil || problem != "" || stats.ReadAPI != "storage" {
			t.Errorf("%s: got %v, %s by %s (%v)", name, err, problem, stats.ReadAPI, stats.Fallback)
		}
		if int(n.Load()) != want {
			t.Errorf("%s: the source was told of %d refused tokens; want %d", name, n.Load(), want)
		}
	}
	server := bigTable(t)
	server.InjectStream(fakebq.ReadRows, refused(1), refused(0))
	var n atomic.Int64
	if got, _, err := readStorage(t, server, ordered, refusals(&n)); err == nil || !strings.Contains(err.Error(), "who?") {
		t.Errorf("a new token that is refused too: got %d rows and %v", len(got), err)
	}
}

// TestStorageRefusalIsRemembered: a reader that was refused, or got no answer, is not kept waiting again
// at the next large result.
func TestStorageRefusalIsRemembered(t *testing.T) {
	t.Parallel()
	const beyond = 301 // rows, one more than the first page has
	long := strings.Repeat("x", 10_000)
	table, err := fakebq.NewTable([]fakebq.Field{{Name: "s", Type: "STRING"}}, 400, func(int) []any { return []any{long} })
	if err != nil {
		t.Fatal(err)
	}
	for code, want := range map[codes.Code]int{
		codes.PermissionDenied: 1,
		codes.Unavailable:      1,
		codes.NotFound:         1,
		codes.Internal:         2,
	} {
		server := fakebq.Run(t, fakebq.Options{})
		server.On("SELECT s", fakebq.Answer{Table: table, Repeat: 10, PageSize: 300, BatchRows: 50})
		refused := fakebq.StreamFault{Code: code, Message: "no"}
		server.InjectStream(fakebq.CreateReadSession, refused, refused)
		db := open(t, server, func(c *dsn.Config) { c.StorageEndpoint = server.StorageURL() })
		for range 2 {
			rows, err := db.QueryContext(t.Context(), "SELECT s")
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			for n < beyond && rows.Next() {
				n++
			}
			if err := rows.Close(); err != nil || n != beyond {
				t.Errorf("%s: got %d rows, %v, %v; want %d", code, n, rows.Err(), err, beyond)
			}
		}
		if n := server.Count(fakebq.CreateReadSession); n != want {
			t.Errorf("%s: got %d read sessions for two results; want %d", code, n, want)
		}
	}
}
