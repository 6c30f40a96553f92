package driver_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

const (
	ordered   = "SELECT i, s FROM t ORDER BY i"
	unordered = "SELECT i, s FROM (SELECT * FROM t ORDER BY i)"
	bigRows   = 1000
)

// bigTable serves the two statements with bigRows rows, in pages of 100 and batches of 70.
func bigTable(t *testing.T) *fakebq.Server {
	t.Helper()
	server := fakebq.Run(t, fakebq.Options{})
	table, err := fakebq.NewTable([]fakebq.Field{{Name: "i", Type: "INTEGER"}, {Name: "s", Type: "STRING"}},
		bigRows, func(i int) []any {
			return []any{i, fmt.Sprint("row ", i)}
		})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{ordered, unordered} {
		server.On(text, fakebq.Answer{Table: table, PageSize: 100, BatchRows: 70})
	}
	return server
}

func overStorage(server *fakebq.Server) func(*dsn.Config) {
	return func(c *dsn.Config) { c.ReadAPI, c.StorageEndpoint = "storage", server.StorageURL() }
}

// readInts reads the first column of all rows.
func readInts(ctx context.Context, db *sql.DB, query string) ([]int, error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []int
	for rows.Next() {
		var i int
		var s string
		if err := rows.Scan(&i, &s); err != nil {
			return all, err
		}
		if s != fmt.Sprint("row ", i) {
			return all, fmt.Errorf("row %d has %q", i, s)
		}
		all = append(all, i)
	}
	return all, rows.Err()
}

// everyRowOnce describes what is wrong with the rows of bigTable, or returns "".
func everyRowOnce(got []int, inOrder bool) string {
	if inOrder && !slices.IsSorted(got) {
		return "not in order"
	}
	got = slices.Clone(got)
	slices.Sort(got)
	for i := range bigRows {
		if i >= len(got) || got[i] != i {
			return fmt.Sprintf("%d rows, wrong at %d; want each of %d once", len(got), i, bigRows)
		}
	}
	if len(got) != bigRows {
		return fmt.Sprintf("%d rows; want %d", len(got), bigRows)
	}
	return ""
}

// TestStorage: each row comes once, ordered ones in order, and the requests are few.
func TestStorage(t *testing.T) {
	t.Parallel()
	for _, query := range []string{ordered, unordered} {
		t.Run(query, func(t *testing.T) {
			t.Parallel()
			server := bigTable(t)
			db := open(t, server, overStorage(server))
			got, err := readInts(t.Context(), db, query)
			if problem := everyRowOnce(got, query == ordered); err != nil || problem != "" {
				t.Fatalf("got %v, %s", err, problem)
			}
			counts := server.Counts()
			if counts[fakebq.Query] != 1 || counts[fakebq.Get] != 1 ||
				counts[fakebq.CreateReadSession] != 1 || counts[fakebq.GetQueryResults] != 0 {
				t.Errorf("got requests %v; want one statement, one look at its job, one session, no further page", counts)
			}
			reads := server.Reads()
			if query == ordered && (len(reads) != 1 || reads[0].Offset != 100) {
				t.Errorf("got reads %v; want one, from the end of the first page", reads)
			}
			server.WaitStreams(t)
		})
	}
}

// TestStorageChoice: small results are read over REST, and so are all results if the configuration says so.
func TestStorageChoice(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(*dsn.Config, *fakebq.Server)
		want   int // sessions
	}{
		{"auto, a small result", func(c *dsn.Config, s *fakebq.Server) { c.StorageEndpoint = s.StorageURL() }, 0},
		{"rest", func(c *dsn.Config, s *fakebq.Server) { c.ReadAPI, c.StorageEndpoint = "rest", s.StorageURL() }, 0},
		{"auto, an endpoint without a storage endpoint", func(c *dsn.Config, s *fakebq.Server) {}, 0},
		{"storage", func(c *dsn.Config, s *fakebq.Server) { c.ReadAPI, c.StorageEndpoint = "storage", s.StorageURL() }, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := bigTable(t)
			db := open(t, server, func(c *dsn.Config) { tt.change(c, server) })
			got, err := readInts(t.Context(), db, unordered)
			if problem := everyRowOnce(got, false); err != nil || problem != "" {
				t.Errorf("got %v, %s", err, problem)
			}
			if n := server.Count(fakebq.CreateReadSession); n != tt.want {
				t.Errorf("got %d read sessions; want %d", n, tt.want)
			}
		})
	}
}

// TestStorageAuto: a result of many bytes is read by the Storage Read API without being asked to.
func TestStorageAuto(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	long := strings.Repeat("x", 10_000)
	table, err := fakebq.NewTable([]fakebq.Field{{Name: "s", Type: "STRING"}}, 400,
		func(i int) []any { return []any{long} })
	if err != nil {
		t.Fatal(err)
	}
	server.On("SELECT s", fakebq.Answer{Table: table, Repeat: 10, PageSize: 300, BatchRows: 50})
	db := open(t, server, func(c *dsn.Config) { c.StorageEndpoint = server.StorageURL() })
	if n := readAllOf(t, db, "SELECT s"); n != 4000 || server.Count(fakebq.CreateReadSession) != 1 ||
		server.Count(fakebq.GetQueryResults) != 0 {
		t.Errorf("got %d rows by %v; want 4000 by a read session", n, server.Counts())
	}
}

// TestStorageBreaks: a stream that breaks goes on where it broke, and what can't be mended is
// an error, never a smaller result.
func TestStorageBreaks(t *testing.T) {
	t.Parallel()
	broken := func(code codes.Code, message string, after int) fakebq.StreamFault {
		return fakebq.StreamFault{Code: code, Message: message, After: after}
	}
	for _, tt := range []struct {
		name   string
		faults []fakebq.StreamFault
		want   string // in the error; "" for none
	}{
		{"unavailable", []fakebq.StreamFault{broken(codes.Unavailable, "gone", 2)}, ""},
		{
			"again and again",
			[]fakebq.StreamFault{
				broken(codes.Unavailable, "gone", 1), broken(codes.Unavailable, "gone", 1),
				broken(codes.Unavailable, "gone", 1), broken(codes.Unavailable, "gone", 1),
			},
			"",
		},
		{
			"reset",
			[]fakebq.StreamFault{broken(codes.Internal, "stream terminated by RST_STREAM with error code: INTERNAL_ERROR", 3)},
			"",
		},
		{"deadline", []fakebq.StreamFault{broken(codes.DeadlineExceeded, "too late", 1)}, ""},
		{"a token refused once", []fakebq.StreamFault{broken(codes.Unauthenticated, "who?", 1)}, "who?"},
		{"forbidden", []fakebq.StreamFault{broken(codes.PermissionDenied, "no", 2)}, "no (PermissionDenied)"},
		{"internal", []fakebq.StreamFault{broken(codes.Internal, "cannot read", 2)}, ""},
		{"unknown", []fakebq.StreamFault{broken(codes.Unknown, "stream terminated", 2)}, ""},
		{"cancelled by the service", []fakebq.StreamFault{broken(codes.Canceled, "cancelled", 2)}, ""},
		{"data lost", []fakebq.StreamFault{broken(codes.DataLoss, "cannot read", 2)}, "cannot read"},
		{"ended early", []fakebq.StreamFault{{End: true, After: 2}}, "1000 rows, but the Storage Read API sent"},
		{"a corrupt batch", []fakebq.StreamFault{{Corrupt: true, After: 1}}, " of stream projects/"},
		{"a wrong row count", []fakebq.StreamFault{{Rows: 1, After: 1}}, "announced as"},
	} {
		for _, query := range []string{ordered, unordered} {
			t.Run(tt.name+"/"+query, func(t *testing.T) {
				t.Parallel()
				server := bigTable(t)
				server.InjectStream(fakebq.ReadRows, tt.faults...)
				db := open(t, server, overStorage(server))
				got, err := readInts(t.Context(), db, query)
				if tt.want == "" {
					if problem := everyRowOnce(got, query == ordered); err != nil || problem != "" {
						t.Errorf("got %v, %s", err, problem)
					}
				} else if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("got %d rows and %v; want an error with %q", len(got), err, tt.want)
				}
				server.WaitStreams(t)
			})
		}
	}
}

// TestStorageRefused: where the Storage Read API is not to be had, the rows come by REST, all
// of them, and the statement's Stats say why. A refusal is remembered.
func TestStorageRefused(t *testing.T) {
	t.Parallel()
	for _, code := range []codes.Code{
		codes.PermissionDenied, codes.NotFound, codes.Unavailable, codes.Unimplemented,
		codes.ResourceExhausted, codes.FailedPrecondition,
	} {
		for _, method := range []fakebq.Method{fakebq.CreateReadSession, fakebq.ReadRows} {
			for _, query := range []string{ordered, unordered} {
				t.Run(fmt.Sprint(code, "/", method, "/", query), func(t *testing.T) {
					t.Parallel()
					server := bigTable(t)
					fault := fakebq.StreamFault{Code: code, Message: "not for you"}
					server.InjectStream(method, slices.Repeat([]fakebq.StreamFault{fault}, 40)...)
					var stats driver.Stats
					connector, err := driver.NewConnector(&dsn.Config{
						Project:         "my-project",
						Auth:            "none",
						Endpoint:        server.URL(),
						StorageEndpoint: server.StorageURL(),
						ReadAPI:         "storage",
					}, driver.WithObserver(func(_ context.Context, s driver.Stats, _ error) { stats = s }))
					if err != nil {
						t.Fatal(err)
					}
					driver.PauseWith(connector, func(time.Duration) time.Duration { return 0 })
					db := sql.OpenDB(connector)
					defer db.Close()
					got, err := readInts(t.Context(), db, query)
					if problem := everyRowOnce(got, query == ordered); err != nil || problem != "" {
						t.Errorf("got %v, %s", err, problem)
					}
					if stats.ReadAPI != "rest" || stats.Fallback == nil ||
						!strings.Contains(stats.Fallback.Error(), "not for you") || stats.RowsRead != bigRows {
						t.Errorf("got %+v; want rest and why", stats)
					}
					if code == codes.PermissionDenied && !errors.Is(stats.Fallback, driver.ErrAccessDenied) {
						t.Errorf("got %v; want accessDenied", stats.Fallback)
					}
				})
			}
		}
	}
}

// TestStorageCancel: rows that are closed, or whose context ends, leave no stream behind, also
// when the service is silent.
func TestStorageCancel(t *testing.T) {
	t.Parallel()
	for _, query := range []string{ordered, unordered} {
		for _, how := range []string{"close", "cancel"} {
			t.Run(query+"/"+how, func(t *testing.T) {
				t.Parallel()
				server := bigTable(t)
				db := open(t, server, overStorage(server))
				for i := range 10 {
					server.InjectStream(fakebq.ReadRows,
						slices.Repeat([]fakebq.StreamFault{{After: 2, Hang: make(chan struct{})}}, 4)...)
					ctx, cancel := context.WithCancel(t.Context())
					rows, err := db.QueryContext(ctx, query)
					if err != nil {
						t.Fatal(err)
					}
					for range 1 + 12*i { // from the first page into the streams
						if !rows.Next() {
							t.Fatalf("round %d: %v", i, rows.Err())
						}
					}
					if how == "cancel" {
						cancel()
						for rows.Next() {
						}
						if !errors.Is(rows.Err(), context.Canceled) {
							t.Errorf("got %v; want context.Canceled", rows.Err())
						}
					}
					if err := rows.Close(); err != nil {
						t.Error(err)
					}
					cancel()
				}
				server.WaitStreams(t)
			})
		}
	}
}

// TestStorageInSession: a large result inside a session, and one of a script, come by the
// Storage Read API too.
func TestStorageInSession(t *testing.T) {
	t.Parallel()
	server := bigTable(t)
	script := "DECLARE x INT64; " + unordered
	table, err := fakebq.NewTable([]fakebq.Field{{Name: "i", Type: "INTEGER"}, {Name: "s", Type: "STRING"}}, bigRows,
		func(i int) []any { return []any{i, fmt.Sprint("row ", i)} })
	if err != nil {
		t.Fatal(err)
	}
	server.On(script, fakebq.Answer{
		Children: []fakebq.Answer{{Table: table, PageSize: 100, BatchRows: 70}},
		PageSize: 100,
	})
	db := open(t, server, overStorage(server), func(c *dsn.Config) { c.CreateSession = "always" })
	for _, tt := range []struct {
		query   string
		inOrder bool // it is not known whether the parts of a script are ordered
	}{
		{unordered, false},
		{ordered, true},
		{script, true},
	} {
		server.ResetLog()
		got, err := readInts(t.Context(), db, tt.query)
		if problem := everyRowOnce(got, tt.inOrder); err != nil || problem != "" {
			t.Errorf("%s: got %v, %s", tt.query, err, problem)
		}
		if n := server.Count(fakebq.CreateReadSession); n != 1 || server.Count(fakebq.GetQueryResults) > 1 {
			t.Errorf("%s: got requests %v; want the rows by one read session", tt.query, server.Counts())
		}
	}
	server.WaitStreams(t)
}
