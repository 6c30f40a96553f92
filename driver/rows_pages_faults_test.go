package driver_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// TestPagesQuota: a page that is refused because of a quota is requested again, and for a while the connector requests
// one page at a time.
func TestPagesQuota(t *testing.T) {
	t.Parallel()
	for _, reason := range []string{"quotaExceeded", "rateLimitExceeded", "userRateLimitExceeded"} {
		t.Run(reason, func(t *testing.T) {
			t.Parallel()
			server := fakebq.Run(t, fakebq.Options{Latency: 10 * time.Millisecond})
			server.On("SELECT *", paddedRows(t, 1000, bytesEach(10)))
			connector := newConnector(t, server, restPages(100))
			driver.PauseWith(connector, func(time.Duration) time.Duration { return 0 })
			driver.QuickAnswer(connector, slow)
			db := sql.OpenDB(connector)
			t.Cleanup(func() { db.Close() })
			read := func() (pages, atOnce int) {
				before, most := server.Count(fakebq.GetQueryResults), mostAtOnce(server)
				if err := readPadded(t.Context(), db, 1000); err != nil {
					t.Fatal(err)
				}
				return server.Count(fakebq.GetQueryResults) - before, most()
			}
			refused := fakebq.Fail(fakebq.Error{Reason: reason, Status: http.StatusForbidden})
			server.Inject(fakebq.GetQueryResults, fakebq.Pass(), refused, refused, fakebq.Pass())
			began := time.Now()
			if pages, _ := read(); pages != 11 {
				t.Errorf("got %d requests for pages, two of them refused; want 11", pages)
			}
			if pages, most := read(); pages != 9 || most != 1 {
				t.Errorf("after it: got %d requests for pages, up to %d at a time; want 9, one at a time", pages, most)
			}
			end, err := driver.EndQuotaPeriod(connector)
			if after := end.Add(-time.Minute); err != nil || after.Before(began) || after.After(time.Now()) {
				t.Errorf("one page at a time until %s, %v; want a minute after the refusal, which came after %s", end, err, began)
			}
			if pages, most := read(); pages != 9 || most < 2 {
				t.Errorf("a minute later: got %d requests for pages, up to %d at a time; want 9, several at a time",
					pages, most)
			}
		})
	}
}

// mostAtOnce watches how many requests are under way. The returned function ends that.
func mostAtOnce(server *fakebq.Server) func() int {
	var most atomic.Int64
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
				most.Store(max(most.Load(), int64(server.InFlight())))
			}
		}
	}()
	return func() int {
		close(stop)
		<-stopped
		return int(most.Load())
	}
}

// TestPagesQuotaLasts: a quota that is used up ends the rows with its error.
func TestPagesQuotaLasts(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	server.On("SELECT *", paddedRows(t, 1000, bytesEach(10)))
	for range 20 {
		server.Inject(fakebq.GetQueryResults, fakebq.Fail(fakebq.Error{Reason: "quotaExceeded"}))
	}
	db := openPages(t, server, 100, slow)
	if err := readPadded(t.Context(), db, 1000); !errors.Is(err, driver.ErrQuotaExceeded) {
		t.Errorf("got %v; want ErrQuotaExceeded", err)
	}
	if n := server.Count(fakebq.GetQueryResults); n > 7 {
		t.Errorf("got %d requests; want those under way and one alone", n)
	}
}

// TestPagesFaults: a page whose request fails for a while is requested again, and no row comes twice or is lost.
func TestPagesFaults(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]fakebq.Fault{
		"dropped":        fakebq.Drop(),
		"cut":            fakebq.Cut(700),
		"a front end":    fakebq.HTML(http.StatusBadGateway),
		"BigQuery's own": fakebq.Fail(fakebq.Error{Reason: "backendError"}),
		"the token":      fakebq.Fail(*fakebq.Unauthenticated(true)),
	} {
		for _, at := range []int{0, 1, 4, 8} {
			t.Run(fmt.Sprintf("%s, request %d", name, at), func(t *testing.T) {
				t.Parallel()
				server := fakebq.Run(t, fakebq.Options{})
				server.On("SELECT *", paddedRows(t, 1000, bytesEach(10)))
				for range at {
					server.Inject(fakebq.GetQueryResults, fakebq.Pass())
				}
				server.Inject(fakebq.GetQueryResults, fault)
				if err := readPadded(t.Context(), openPages(t, server, 100, slow), 1000); err != nil || server.Faults() > 0 {
					t.Errorf("got %v, %d faults not met", err, server.Faults())
				}
				if n := server.Count(fakebq.GetQueryResults); n != 10 {
					t.Errorf("got %d requests; want 10", n)
				}
			})
		}
	}
}

// TestPagesChange: a result that has changed between two of its pages is an error.
func TestPagesChange(t *testing.T) {
	t.Parallel()
	row := `{"f":[{"v":"100"},{"v":"x"}]}`
	for _, tt := range []struct{ name, page, want string }{
		{"more rows in all", `{"jobComplete":true,"totalRows":"1001","pageToken":"t","rows":[` + row + `]}`, "1001"},
		{"fewer rows in all", `{"jobComplete":true,"totalRows":"7","pageToken":"t","rows":[` + row + `]}`, "7"},
		{"more rows than asked for", `{"jobComplete":true,"totalRows":"1000","rows":[` +
			strings.Repeat(row+",", 100) + row + `]}`, "101 rows for a page of 100"},
		{"no rows and no token", `{"jobComplete":true,"totalRows":"1000"}`, "1000 rows and BigQuery sent"},
		{"not complete", `{"jobComplete":false}`, "as still running"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := fakebq.Run(t, fakebq.Options{})
			server.On("SELECT *", paddedRows(t, 1000, bytesEach(10)))
			server.Inject(fakebq.GetQueryResults, fakebq.Garbage(tt.page))
			rows, err := openPages(t, server, 100, slow).QueryContext(t.Context(), "SELECT *")
			if err != nil {
				t.Fatal(err)
			}
			defer rows.Close()
			for rows.Next() {
			}
			if err := rows.Err(); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v; want an error that says %q", err, tt.want)
			}
		})
	}
}

// TestPagesStop: rows that are closed, or whose context ends, at any point leave no request behind. TestMain checks for
// goroutines.
func TestPagesStop(t *testing.T) {
	t.Parallel()
	for _, after := range []int{0, 1, 99, 100, 101, 450, 999, 1000} {
		for _, way := range []string{"close", "context", "close while a page is on its way"} {
			t.Run(way+" after "+strconv.Itoa(after), func(t *testing.T) {
				t.Parallel()
				server := fakebq.Run(t, fakebq.Options{Latency: time.Millisecond})
				server.On("SELECT *", paddedRows(t, 1000, bytesEach(10)))
				read := after
				if strings.Contains(way, "on its way") {
					read = min(after, 100) // of the first page
					server.Inject(fakebq.GetQueryResults, fakebq.Hang(nil))
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				rows, err := openPages(t, server, 100, slow).QueryContext(ctx, "SELECT *")
				if err != nil {
					t.Fatal(err)
				}
				defer rows.Close()
				n := 0
				for n < read && rows.Next() {
					n++
				}
				if way == "context" && read < 1000 {
					cancel()
					for rows.Next() {
						n++
					}
					// Rows that had arrived may be read to the end.
					if err := rows.Err(); !errors.Is(err, context.Canceled) && (err != nil || n < 1000) {
						t.Errorf("got %v after %d rows; want the end of the context", err, n)
					}
				}
				if err := rows.Close(); err != nil && !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
				server.WaitIdle(t)
			})
		}
	}
}
