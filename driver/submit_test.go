package driver_test

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/bigquery"
	bq "google.golang.org/api/bigquery/v2"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

func typeOf(name string) *bq.QueryParameterType { return &bq.QueryParameterType{Type: name} }

// openPausing is open with pauses of the test's own between the tries of a request.
func openPausing(
	t testing.TB, server *fakebq.Server, pause func(time.Duration) time.Duration, change ...func(*dsn.Config),
) *sql.DB {
	t.Helper()
	cfg := &dsn.Config{Project: "my-project", Auth: "none", Endpoint: server.URL()}
	for _, f := range change {
		f(cfg)
	}
	connector, err := driver.NewConnector(cfg)
	if err != nil {
		t.Fatal(err)
	}
	driver.PauseWith(connector, pause)
	db := sql.OpenDB(connector)
	t.Cleanup(func() { db.Close() })
	return db
}

func noPause(time.Duration) time.Duration { return 0 }

// openHourly opens a database that would wait an hour before it makes a request again.
func openHourly(t testing.TB, server *fakebq.Server) *sql.DB {
	t.Helper()
	return openPausing(t, server, func(time.Duration) time.Duration { return time.Hour })
}

var batch = driver.Priority("batch")

// TestInsertedStatements: what goes by jobs.insert gives the same results, with one request more.
func TestInsertedStatements(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{Location: "EU"})
	server.On("SELECT name, n FROM t", fakebq.Answer{
		Fields:   numbers.Fields,
		Rows:     numbers.Rows,
		Repeat:   2,
		PageSize: 3,
		Bytes:    100,
		Billed:   10 << 20,
	})
	server.On(insert, fakebq.Answer{StatementType: "MERGE", DML: &fakebq.DML{Inserted: 1, Updated: 2}})
	server.On("SELECT slow", fakebq.Answer{Fields: numbers.Fields, Rows: numbers.Rows, Incomplete: 2})
	server.On("SELECT ?", fakebq.Answer{
		Fields:     numbers.Fields,
		Rows:       numbers.Rows,
		Parameters: []fakebq.Parameter{{Type: typeOf("INT64")}},
	})
	server.On(script, scriptAnswer)
	server.On("SELECT broken", fakebq.Answer{
		Fields: numbers.Fields,
		Err:    &fakebq.Error{Reason: "duplicate", Message: "Already Exists: Table my-project:d.t"},
	})
	db := open(t, server, func(c *dsn.Config) { c.Location, c.JobIDPrefix = "EU", "report_" })
	ctx := t.Context()
	read := func(ctx context.Context, want int, text string, args ...any) error {
		rows, err := db.QueryContext(ctx, text, args...)
		if err != nil {
			return err
		}
		if got := readAll(t, rows); len(got) != want {
			t.Errorf("%s: got %d rows; want %d", text, len(got), want)
		}
		return nil
	}
	var stats driver.Stats
	quiet := driver.WithProgress(ctx, func(p driver.Progress) { t.Errorf("got %+v of a statement that ends at once", p) })
	for _, tt := range []struct {
		name string
		run  func() error
		want counts
	}{
		{
			"SELECT of two pages",
			func() error { return read(ctx, 6, "SELECT name, n FROM t") },
			counts{fakebq.Insert: 1, fakebq.GetQueryResults: 2},
		},
		{"destination", func() error {
			return read(ctx, 6, "SELECT name, n FROM t", driver.DestinationTable("d.t", bigquery.WriteTruncate, ""))
		}, counts{fakebq.Insert: 1, fakebq.GetQueryResults: 2}},
		{"DML", func() error {
			res, err := db.ExecContext(ctx, insert, batch)
			if err != nil {
				return err
			}
			if n, err := res.RowsAffected(); n != 3 || err != nil {
				t.Errorf("DML: got %d rows, %v; want 3", n, err)
			}
			return nil
		}, counts{fakebq.Insert: 1, fakebq.GetQueryResults: 1}},
		{
			"a job that goes on",
			func() error { return read(ctx, 3, "SELECT slow", batch) },
			counts{fakebq.Insert: 1, fakebq.GetQueryResults: 3},
		},
		{
			"progress of what ends at once",
			func() error { return read(quiet, 3, "SELECT ?", 1) },
			counts{fakebq.Insert: 1, fakebq.GetQueryResults: 1},
		},
		{"prepared", func() error {
			stmt, err := db.PrepareContext(ctx, "SELECT ?")
			if err != nil {
				return err
			}
			defer stmt.Close()
			rows, err := stmt.QueryContext(ctx, batch, 1)
			if err != nil {
				return err
			}
			readAll(t, rows)
			return nil
		}, counts{fakebq.Insert: 2, fakebq.GetQueryResults: 1}},
		{"script", func() error {
			rows, err := db.QueryContext(ctx, script, batch)
			if err != nil {
				return err
			}
			defer rows.Close()
			sets := 1
			for rows.NextResultSet() {
				sets++
			}
			if sets != 3 || rows.Err() != nil {
				t.Errorf("script: got %d results, %v; want 3", sets, rows.Err())
			}
			return nil
		}, counts{fakebq.Insert: 1, fakebq.GetQueryResults: 3, fakebq.List: 1}},
		{"stats", func() error { return read(driver.WithStats(ctx, &stats), 6, "SELECT name, n FROM t") },
			counts{fakebq.Insert: 1, fakebq.GetQueryResults: 2, fakebq.Get: 1}},
		{"a job that fails", func() error {
			if err := read(ctx, 0, "SELECT broken"); !errors.Is(err, driver.ErrDuplicate) {
				t.Errorf("got %v; want duplicate", err)
			}
			return nil
		}, counts{fakebq.Insert: 1}},
	} {
		server.ResetLog()
		if err := tt.run(); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if got := server.Counts(); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: got requests %v; want %v", tt.name, got, tt.want)
		}
	}
	if stats.StatementType != "SELECT" || stats.BytesProcessed != 100 || stats.BytesBilled != 10<<20 ||
		stats.TotalRows != 6 || stats.Location != "EU" || !strings.HasPrefix(stats.JobID, "report_") {
		t.Errorf("got %+v", stats)
	}
}

// TestInsertedInSession: a session made by a statement that goes by jobs.insert is found and kept.
func TestInsertedInSession(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	server.OnAny(fakebq.Answer{StatementType: "CREATE_TABLE"})
	db := open(t, server, always)
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := conn.ExecContext(t.Context(), "CREATE TEMP TABLE x (a INT64)", batch); err != nil {
			t.Fatal(err)
		}
	}
	if got := server.Sessions(); len(got) != 1 {
		t.Errorf("got %d sessions; want 1", len(got))
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	wantNoSessions(t, db, server)
}

// TestLostInsert: a statement whose answer was lost is not begun twice; the job is adopted. A
// job with our id that we can't have begun is an error.
func TestLostInsert(t *testing.T) {
	t.Parallel()
	duplicate := fakebq.Fail(fakebq.Error{Reason: "duplicate", Message: "Already Exists: Job my-project:EU.x"})
	for _, tt := range []struct {
		name       string
		faults     []fakebq.Fault
		executions int
		inserts    int
		fails      bool
	}{
		{"the answer is cut", []fakebq.Fault{fakebq.Cut(10)}, 1, 2, false},
		{"the connection drops after it began", []fakebq.Fault{fakebq.Drop().After()}, 1, 2, false},
		{"503 after it began", []fakebq.Fault{fakebq.HTML(http.StatusServiceUnavailable).After()}, 1, 2, false},
		{"503 before it began", []fakebq.Fault{fakebq.HTML(http.StatusServiceUnavailable)}, 1, 2, false},
		{"lost twice", []fakebq.Fault{fakebq.Cut(10), fakebq.HTML(http.StatusBadGateway)}, 1, 3, false},
		{"too many requests", []fakebq.Fault{fakebq.Fail(fakebq.Error{Reason: "rateLimitExceeded"})}, 1, 2, false},
		{"duplicate at once", []fakebq.Fault{duplicate}, 0, 1, true},
		{
			"duplicate after a refusal",
			[]fakebq.Fault{fakebq.Fail(fakebq.Error{Reason: "rateLimitExceeded"}), duplicate},
			0,
			2,
			true,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			// Jobs outside of US and EU are found with their location alone, which only the message of
			// the duplicate tells.
			server := fakebq.Run(t, fakebq.Options{Location: "europe-west6"})
			server.On(insert, fakebq.Answer{DML: &fakebq.DML{Inserted: 3}})
			server.Inject(fakebq.Insert, tt.faults...)
			res, err := openPausing(t, server, noPause).ExecContext(t.Context(), insert, batch)
			if tt.fails != errors.Is(err, driver.ErrDuplicate) || !tt.fails && err != nil {
				t.Errorf("got %v", err)
			}
			if err == nil {
				if n, err := res.RowsAffected(); n != 3 || err != nil {
					t.Errorf("got %d rows, %v; want 3", n, err)
				}
			}
			if server.Executions(insert) != tt.executions || server.Count(fakebq.Insert) != tt.inserts {
				t.Errorf("got %d executions by %d requests; want %d by %d",
					server.Executions(insert), server.Count(fakebq.Insert), tt.executions, tt.inserts)
			}
		})
	}
}
