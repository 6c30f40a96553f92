package driver_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/bigquery"
	"golang.org/x/oauth2"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// paddedRows is a result of the numbers from 0 on, each with a text of padding(i) bytes.
func paddedRows(t testing.TB, rows int, padding func(i int) int) fakebq.Answer {
	t.Helper()
	fields := []fakebq.Field{{Name: "i", Type: "INTEGER"}, {Name: "s", Type: "STRING"}}
	table, err := fakebq.NewTable(fields, rows, func(i int) []any {
		return []any{i, strings.Repeat("x", padding(i))}
	})
	if err != nil {
		t.Fatal(err)
	}
	return fakebq.Answer{Table: table}
}

func bytesEach(n int) func(int) int { return func(int) int { return n } }

// readPadded reads such a result and checks that each row comes once, in order.
func readPadded(ctx context.Context, db *sql.DB, rows int) error {
	result, err := db.QueryContext(ctx, "SELECT *")
	if err != nil {
		return err
	}
	defer result.Close()
	n := 0
	for ; result.Next(); n++ {
		var i int
		var s sql.RawBytes
		if err := result.Scan(&i, &s); err != nil {
			return err
		}
		if i != n {
			return fmt.Errorf("got row %d where row %d belongs", i, n)
		}
	}
	if err := result.Err(); err != nil {
		return err
	}
	if n != rows {
		return fmt.Errorf("got %d rows; want %d", n, rows)
	}
	return nil
}

// byRow counts the requests for pages that name their first row.
func byRow(server *fakebq.Server) int {
	n := 0
	for _, r := range server.Requests(fakebq.GetQueryResults) {
		if r.Query.Has("startIndex") {
			n++
		}
	}
	return n
}

func restPages(max int64) func(*dsn.Config) {
	return func(c *dsn.Config) { c.ReadAPI, c.MaxResults = "rest", max }
}

// The networks of openPages: on a slow one several pages are requested at a time.
const (
	fast = time.Hour
	slow = 0
)

// openPages opens a database that reads pages over REST, and takes an answer within quick for one of a fast network.
func openPages(t testing.TB, server *fakebq.Server, max int64, quick time.Duration) *sql.DB {
	t.Helper()
	connector := newConnector(t, server, restPages(max))
	driver.QuickAnswer(connector, quick)
	driver.PauseWith(connector, func(time.Duration) time.Duration { return 0 })
	db := sql.OpenDB(connector)
	t.Cleanup(func() { db.Close() })
	return db
}

// TestPagesAhead: each row comes once and in order, whatever BigQuery makes of the pages, and in as few requests as
// that takes.
func TestPagesAhead(t *testing.T) {
	t.Parallel()
	few, small := paddedRows(t, 200, bytesEach(10)), paddedRows(t, 1000, bytesEach(10))
	large := paddedRows(t, 3000, bytesEach(1000)) // a row has 1,029 bytes or so
	growing := paddedRows(t, 3000, func(i int) int { return i })
	shrinking := paddedRows(t, 3000, func(i int) int { return 3000 - i })
	edit := func(a fakebq.Answer, f func(*fakebq.Answer)) fakebq.Answer { f(&a); return a }
	for _, tt := range []struct {
		name     string
		answer   fakebq.Answer
		rows     int
		max      int64 // max_results
		pages    int   // requests for pages after the first; 0 for any number
		more     int   // how many more there can be, since later requests follow the sizes of earlier pages
		sideways int   // those of them that name a row, at least
	}{
		{"pages of rows", small, 1000, 100, 9, 0, 8},
		{"a last page of a row", small, 1000, 333, 3, 0, 2},
		{"one more page", small, 1000, 500, 1, 0, 0},
		{"short by their bytes", edit(small, func(a *fakebq.Answer) { a.PageBytes = 2000 }), 1000, 100, 0, 0, 8},
		{"one row a page", edit(few, func(a *fakebq.Answer) { a.PageBytes = 1 }), 200, 50, 199, 0, 0},
		{"empty pages", edit(small, func(a *fakebq.Answer) { a.EmptyPages = []int{0, 1, 2} }), 1000, 100, 0, 0, 8},
		{"rows first", edit(small, func(a *fakebq.Answer) { a.RowsFirst = true }), 1000, 100, 9, 0, 8},
		// The first page has 509 rows of 512 KB: 70 % of them are requested at a time.
		{"full pages", edit(large, func(a *fakebq.Answer) { a.PageBytes = 512 << 10 }), 3000, 0, 7, 1, 5},
		{"rows that grow", edit(growing, func(a *fakebq.Answer) { a.PageBytes = 512 << 10 }), 3000, 0, 0, 0, 2},
		{"rows that shrink", edit(shrinking, func(a *fakebq.Answer) { a.PageBytes = 512 << 10 }), 3000, 0, 0, 0, 2},
	} {
		for network, quick := range map[string]time.Duration{"fast": fast, "slow": slow} {
			t.Run(tt.name+"/"+network, func(t *testing.T) {
				t.Parallel()
				server := fakebq.Run(t, fakebq.Options{})
				server.On("SELECT *", tt.answer)
				if err := readPadded(t.Context(), openPages(t, server, tt.max, quick), tt.rows); err != nil {
					t.Fatal(err)
				}
				pages, sideways := server.Count(fakebq.GetQueryResults), byRow(server)
				if tt.pages > 0 && (pages < tt.pages || pages > tt.pages+tt.more) || sideways < tt.sideways {
					t.Errorf("got %d requests, %d of them by their first row; want %d, %d", pages, sideways, tt.pages,
						tt.sideways)
				}
			})
		}
	}
}

// FuzzPagesAhead: each row comes once and in order, for any sizes of rows and pages.
func FuzzPagesAhead(f *testing.F) {
	f.Add(uint16(100), uint16(10), uint16(500), uint8(1), uint8(0), true)
	f.Add(uint16(999), uint16(40), uint16(3000), uint8(3), uint8(7), true)
	f.Add(uint16(50), uint16(0), uint16(150), uint8(9), uint8(255), false)
	f.Add(uint16(2000), uint16(300), uint16(60_000), uint8(2), uint8(128), false)
	const most = 40 // pages, so that an input takes seconds at most on a busy machine: fuzzing ends at ten
	f.Fuzz(func(t *testing.T, rows, pageRows, pageBytes uint16, spread, empty uint8, isFast bool) {
		n := 1 + int(rows)%2500
		answer := paddedRows(t, n, func(i int) int { return i * int(spread) % 97 })
		answer.PageBytes = 1 + int(pageBytes)
		// A row has some 100 bytes, and takes a page where the limits are smaller.
		if 100*n > most*answer.PageBytes || pageRows%1000 > 0 && n > most*int(pageRows%1000) {
			t.Skip("too many pages")
		}
		for bit := range 8 {
			if empty>>bit&1 == 1 {
				answer.EmptyPages = append(answer.EmptyPages, bit)
			}
		}
		server := fakebq.Run(t, fakebq.Options{})
		server.On("SELECT *", answer)
		quick := time.Duration(slow)
		if isFast {
			quick = fast
		}
		if err := readPadded(t.Context(), openPages(t, server, int64(pageRows%1000), quick), n); err != nil {
			t.Error(err)
		}
	})
}

// TestPagesAtOnce: while a page is on its way those after it are requested, unless the network is fast.
func TestPagesAtOnce(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name          string
		quick         time.Duration
		before, after int // requests while the first pages are awaited, and the next ones
	}{
		{"a fast network", fast, 1, 2},
		{"a slow network", slow, 6, 12},
		{"one that turns out to be slow", time.Second, 1, 7},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := fakebq.Run(t, fakebq.Options{})
			server.On("SELECT *", paddedRows(t, 2000, bytesEach(10)))
			arrives, later := make(chan struct{}), make(chan struct{})
			for range tt.before {
				server.Inject(fakebq.GetQueryResults, fakebq.Hang(arrives))
			}
			for range 10 {
				server.Inject(fakebq.GetQueryResults, fakebq.Hang(later))
			}
			read := make(chan error, 1)
			db := openPages(t, server, 100, tt.quick)
			go func() { read <- readPadded(t.Context(), db, 2000) }()
			for _, step := range []struct {
				requests int
				then     chan struct{}
			}{{tt.before, arrives}, {tt.after, later}} {
				server.WaitFor(t, fakebq.GetQueryResults, step.requests)
				time.Sleep(50 * time.Millisecond) // for one more
				if tt.quick == time.Second {
					time.Sleep(tt.quick)
				}
				if n := server.Count(fakebq.GetQueryResults); n != step.requests {
					t.Errorf("got %d requests while no more pages arrive; want %d", n, step.requests)
				}
				close(step.then)
			}
			if err := <-read; err != nil {
				t.Error(err)
			}
		})
	}
}

// TestPagesInTurn: where the rows can change, or the server is of others, each page is requested by the token of the
// page before it.
func TestPagesInTurn(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		ctx      func(context.Context) context.Context
		endpoint string
	}{
		{"a table of the user", func(ctx context.Context) context.Context {
			return driver.WithOptions(ctx, driver.DestinationTable("d.t", bigquery.WriteTruncate, ""))
		}, ""},
		{"a gateway", func(ctx context.Context) context.Context { return ctx }, "https://gateway.example"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := fakebq.Run(t, fakebq.Options{})
			server.On("SELECT *", paddedRows(t, 1000, bytesEach(10)))
			cfg := &dsn.Config{Project: "my-project", Endpoint: server.URL(), ReadAPI: "rest", MaxResults: 100}
			if tt.endpoint != "" {
				cfg.Endpoint = tt.endpoint
			}
			connector, err := driver.NewConnector(cfg,
				driver.WithTokenSource(oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "token"})),
				driver.WithTrustedEndpoint("gateway.example"), driver.WithRoundTripper(to(t, server)))
			if err != nil {
				t.Fatal(err)
			}
			db := sql.OpenDB(connector)
			t.Cleanup(func() { db.Close() })
			if err := readPadded(tt.ctx(t.Context()), db, 1000); err != nil {
				t.Fatal(err)
			}
			for i, r := range server.Requests(fakebq.GetQueryResults) {
				if i > 0 && r.Query.Get("pageToken") == "" || r.Query.Has("startIndex") {
					t.Errorf("got a request for %s; want one by its token", r.Query)
				}
			}
		})
	}
}

// to sends all requests to the fake, whatever their URL says.
func to(t *testing.T, server *fakebq.Server) func(http.RoundTripper) http.RoundTripper {
	t.Helper()
	at, err := url.Parse(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	return func(base http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			r = r.Clone(r.Context())
			r.URL.Scheme, r.URL.Host, r.Host = at.Scheme, at.Host, ""
			return base.RoundTrip(r)
		})
	}
}
