package driver_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// eachPath runs a test on bigTable over REST and over the Storage Read API, ordered and not.
func eachPath(
	t *testing.T,
	test func(t *testing.T, server *fakebq.Server, configure func(*dsn.Config), storage bool, query string),
) {
	for _, path := range []string{"rest", "storage"} {
		for _, query := range []string{ordered, unordered} {
			t.Run(path+"/"+query, func(t *testing.T) {
				t.Parallel()
				server := bigTable(t)
				configure := func(c *dsn.Config) { c.ReadAPI, c.StorageEndpoint = path, server.StorageURL() }
				test(t, server, configure, path == "storage", query)
				server.WaitIdle(t)
				server.WaitStreams(t)
			})
		}
	}
}

// TestPathsCloseEarly: rows that are closed after the first, twenty times, leave nothing
// behind. TestMain looks for goroutines.
func TestPathsCloseEarly(t *testing.T) {
	t.Parallel()
	eachPath(t, func(t *testing.T, server *fakebq.Server, configure func(*dsn.Config), storage bool, query string) {
		db := open(t, server, configure)
		for range 20 {
			rows, err := db.QueryContext(t.Context(), query)
			if err != nil {
				t.Fatal(err)
			}
			if !rows.Next() {
				t.Fatal(rows.Err())
			}
			if err := rows.Close(); err != nil {
				t.Error(err)
			}
			server.WaitIdle(t)
			server.WaitStreams(t)
		}
		if got := db.Stats().OpenConnections; got != 1 {
			t.Errorf("got %d connections; want the first one to be used again", got)
		}
	})
}

// TestPathsCloseWhileOpening: rows that are closed after the first answer end the downloads that were begun
// for them.
func TestPathsCloseWhileOpening(t *testing.T) {
	t.Parallel()
	eachPath(t, func(t *testing.T, server *fakebq.Server, configure func(*dsn.Config), storage bool, query string) {
		db := open(t, server, configure)
		for _, first := range []bool{false, true} {
			server.Inject(fakebq.Get, fakebq.HangBefore(nil))
			server.InjectStream(fakebq.CreateReadSession, fakebq.StreamFault{Hang: make(chan struct{})})
			ctx, cancel := context.WithCancel(t.Context())
			rows, err := db.QueryContext(ctx, query)
			if err != nil {
				t.Fatal(err)
			}
			if storage && first {
				server.WaitFor(t, fakebq.Get, 1)
			}
			if first && (!storage || query == ordered) && !rows.Next() {
				t.Error(rows.Err())
			}
			if err := rows.Close(); err != nil {
				t.Error(err)
			}
			cancel()
		}
	})
}

// TestPathsCancel: wherever ctx ends, in a page, between pages or in a stream that is silent,
// the rows end with it.
func TestPathsCancel(t *testing.T) {
	t.Parallel()
	for _, after := range []int{0, 1, 50, 99, 100, 101, 170, 250} {
		t.Run(fmt.Sprint(after), func(t *testing.T) {
			t.Parallel()
			eachPath(t, func(t *testing.T, server *fakebq.Server, configure func(*dsn.Config), storage bool, query string) {
				server.Inject(fakebq.GetQueryResults, fakebq.Pass(), fakebq.Pass(), fakebq.Stall(300, nil))
				server.InjectStream(fakebq.ReadRows,
					slices.Repeat([]fakebq.StreamFault{{After: 3, Hang: make(chan struct{})}}, 8)...)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				rows, err := open(t, server, configure).QueryContext(ctx, query)
				if err != nil {
					t.Fatal(err)
				}
				defer rows.Close()
				// Of what is silent at last this many rows come: two pages after the first, or three batches.
				n := 0
				for n < min(after, 200) && rows.Next() {
					n++
				}
				if n != min(after, 200) {
					t.Fatalf("got %d rows and %v; want %d before the end", n, rows.Err(), after)
				}
				if after > 200 { // while Next waits
					go func() {
						if storage {
							server.WaitFor(t, fakebq.ReadRows, 1)
						} else {
							server.WaitFor(t, fakebq.GetQueryResults, 3)
						}
						cancel()
					}()
				} else {
					cancel()
				}
				for rows.Next() {
					n++
				}
				if n == bigRows || !errors.Is(rows.Err(), context.Canceled) {
					t.Errorf("cancelled after %d: got %d rows and %v; want context.Canceled", after, n, rows.Err())
				}
				if err := rows.Close(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// TestPathsBroken: connections that are cut and streams that break are mended, and no row comes
// twice or not at all.
func TestPathsBroken(t *testing.T) {
	t.Parallel()
	eachPath(t, func(t *testing.T, server *fakebq.Server, configure func(*dsn.Config), storage bool, query string) {
		db := open(t, server, configure)
		if !storage {
			server.Inject(fakebq.GetQueryResults,
				fakebq.Pass(), fakebq.Cut(900), fakebq.Pass(), fakebq.Cut(2000), fakebq.Cut(0), fakebq.Pass(), fakebq.Drop())
		}
		server.InjectStream(fakebq.ReadRows,
			fakebq.StreamFault{Code: codes.Unavailable, After: 2},
			fakebq.StreamFault{Code: codes.Internal, Message: "RST_STREAM", After: 1},
			fakebq.StreamFault{Code: codes.Aborted})
		got, err := readInts(t.Context(), db, query)
		if problem := everyRowOnce(got, query == ordered); err != nil || problem != "" {
			t.Errorf("got %v, %s", err, problem)
		}
		if !storage && server.Faults() != 0 {
			t.Errorf("%d faults were not met", server.Faults())
		}
	})
}

// TestPathsMalformed: a value in the middle of a result that can't be is an error that names
// its row and column, after the rows before it where there is an order.
func TestPathsMalformed(t *testing.T) {
	t.Parallel()
	const bad = 432
	eachPath(t, func(t *testing.T, server *fakebq.Server, configure func(*dsn.Config), storage bool, query string) {
		table, err := fakebq.NewTable([]fakebq.Field{{Name: "i", Type: "INTEGER"}, {Name: "when", Type: "TIMESTAMP"}},
			bigRows, func(i int) []any {
				if i == bad {
					return []any{i, fakebq.Raw(`"999999999999999999"`)}
				}
				return []any{i, fakebq.Raw(`"0"`)}
			})
		if err != nil {
			t.Fatal(err)
		}
		text := "SELECT i, when FROM (SELECT 1)"
		if query == ordered {
			text += " ORDER BY i"
		}
		server.On(text, fakebq.Answer{Table: table, PageSize: 100, BatchRows: 70})
		rows, err := open(t, server, configure).QueryContext(t.Context(), text)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		n := 0
		for ; rows.Next(); n++ {
			var i int
			if err := rows.Scan(&i, new(any)); err != nil || i == bad || (!storage || query == ordered) && i != n {
				t.Fatalf("row %d: got %d, %v", n, i, err)
			}
		}
		want := []string{fmt.Sprintf("row %d of", bad+1), `column "when"`, "the years 1 to 9999"}
		if storage && query == ordered {
			want[0] = fmt.Sprintf("row %d of stream", bad+1)
		} else if storage {
			want[0] = "of stream"
		}
		for _, part := range want {
			if rows.Err() == nil || !strings.Contains(rows.Err().Error(), part) {
				t.Errorf("got %d rows and %v; want an error with %q", n, rows.Err(), part)
			}
		}
		if n >= bigRows || !storage && n != bad {
			t.Errorf("got %d rows; want those before row %d", n, bad)
		}
	})
}

// TestBadRowOfOnePage: the rows before one that can't be read are given out, of a result of one
// page too.
func TestBadRowOfOnePage(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	server.On("SELECT n", fakebq.Answer{
		Fields: []fakebq.Field{{Name: "n", Type: "INTEGER"}},
		Rows:   [][]any{{1}, {2}, {fakebq.Raw(`"x"`)}, {4}},
	})
	rows, err := open(t, server).QueryContext(t.Context(), "SELECT n")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	n := 0
	for rows.Next() {
		n++
	}
	if n != 2 || rows.Err() == nil || !strings.Contains(rows.Err().Error(), `row 3 of the result, column "n"`) {
		t.Errorf("got %d rows and %v; want 2 and an error of the third", n, rows.Err())
	}
}

// TestTooManyPages: pages that go on beyond the rows of the result are an error at once, not
// after an end that may not come.
func TestTooManyPages(t *testing.T) {
	t.Parallel()
	server := bigTable(t)
	db := open(t, server)
	server.Inject(fakebq.Query, fakebq.Garbage(answerWithTotal(t, server, unordered, `"totalRows":"150"`)))
	got, err := readInts(t.Context(), db, unordered)
	if err == nil || !strings.Contains(err.Error(), "150 rows") || len(got) > 200 ||
		server.Count(fakebq.GetQueryResults) > 3 {
		t.Errorf("got %d rows, %v by %v; want an error after the second page", len(got), err, server.Counts())
	}
}
