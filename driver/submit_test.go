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
func openPausing(t testing.TB, server *fakebq.Server, pause func(time.Duration) time.Duration) *sql.DB {
	t.Helper()
	connector, err := driver.NewConnector(&dsn.Config{Project: "my-project", Auth: "none", Endpoint: server.URL()})
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
	server.On("SELECT name, n FROM t", fakebq.Answer{Fields: numbers.Fields, Rows: numbers.Rows, Repeat: 2, PageSize: 3, Bytes: 100, Billed: 10 << 20})
	server.On(insert, fakebq.Answer{StatementType: "MERGE", DML: &fakebq.DML{Inserted: 1, Updated: 2}})
	server.On("SELECT slow", fakebq.Answer{Fields: numbers.Fields, Rows: numbers.Rows, Incomplete: 2})
	server.On("SELECT ?", fakebq.Answer{Fields: numbers.Fields, Rows: numbers.Rows, Parameters: []fakebq.Parameter{{Type: typeOf("INT64")}}})
	server.On(script, scriptAnswer)
	server.On("SELECT broken", fakebq.Answer{Fields: numbers.Fields, Err: &fakebq.Error{Reason: "duplicate", Message: "Already Exists: Table my-project:d.t"}})
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
		{"SELECT of two pages", func() error { return read(ctx, 6, "SELECT name, n FROM t") }, counts{fakebq.Insert: 1, fakebq.GetQueryResults: 2}},
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
		{"a job that goes on", func() error { return read(ctx, 3, "SELECT slow", batch) }, counts{fakebq.Insert: 1, fakebq.GetQueryResults: 3}},
		{"progress of what ends at once", func() error { return read(quiet, 3, "SELECT ?", 1) }, counts{fakebq.Insert: 1, fakebq.GetQueryResults: 1}},
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
		}, counts{fakebq.Insert: 1, fakebq.GetQueryResults: 1}},
	} {
		server.ResetLog()
		if err := tt.run(); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if got := server.Counts(); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: got requests %v; want %v", tt.name, got, tt.want)
		}
	}
	if stats.StatementType != "SELECT" || stats.BytesProcessed != 100 || stats.BytesBilled != 10<<20 || stats.TotalRows != 6 || stats.Location != "EU" || !strings.HasPrefix(stats.JobID, "report_") {
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

// TestLostInsert: a statement whose answer was lost is not begun twice; the job is adopted. A job with our id that we can't
// have begun is an error.
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
		{"duplicate after a refusal", []fakebq.Fault{fakebq.Fail(fakebq.Error{Reason: "rateLimitExceeded"}), duplicate}, 0, 2, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			// Jobs outside of US and EU are found with their location alone, which only the message of the duplicate tells.
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
				t.Errorf("got %d executions by %d requests; want %d by %d", server.Executions(insert), server.Count(fakebq.Insert), tt.executions, tt.inserts)
			}
		})
	}
}

// TestGivingUpCancels: a job that nobody will ask for any more does not run on at the person's cost.
func TestGivingUpCancels(t *testing.T) {
	t.Parallel()
	many := make([]fakebq.Fault, 20)
	for i := range many {
		many[i] = fakebq.HTML(http.StatusServiceUnavailable)
	}
	lost := append([]fakebq.Fault{fakebq.Cut(10)}, many...)
	for _, tt := range []struct {
		name   string
		method fakebq.Method
		faults []fakebq.Fault
		opts   []any
	}{
		{"polls stay unanswered", fakebq.GetQueryResults, many, nil},
		{"polls of an inserted job stay unanswered", fakebq.GetQueryResults, many, []any{batch}},
		{"an insert stays unanswered", fakebq.Insert, lost, []any{batch}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := fakebq.Run(t, fakebq.Options{})
			server.On("SELECT slow", fakebq.Answer{Fields: numbers.Fields, Incomplete: 1, Until: make(chan struct{})})
			server.Inject(tt.method, tt.faults...)
			db := openPausing(t, server, noPause)
			var e *driver.Error
			if _, err := db.ExecContext(t.Context(), "SELECT slow", tt.opts...); !errors.As(err, &e) || e.Status != http.StatusServiceUnavailable {
				t.Errorf("got %v; want status 503", err)
			}
			if err := db.Close(); err != nil { // waits for what goes on in the background
				t.Error(err)
			}
			if got := server.Cancelled(); got != 1 {
				t.Errorf("got %d jobs cancelled; want 1", got)
			}
			if got := server.Count(tt.method); got != 8 {
				t.Errorf("got %d tries; want 8", got)
			}
		})
	}
}

// TestEndInThePause: ctx ends while the next try is waited for. What an answer that was lost has begun is found and cancelled;
// where nothing can have begun, nothing is sent.
func TestEndInThePause(t *testing.T) {
	t.Parallel()
	running := fakebq.Answer{Fields: numbers.Fields, Rows: numbers.Rows, Until: make(chan struct{}), Incomplete: 1}
	limited := fakebq.Fail(fakebq.Error{Reason: "rateLimitExceeded"})
	for _, tt := range []struct {
		name      string
		answer    fakebq.Answer
		opts      []any
		method    fakebq.Method
		faults    []fakebq.Fault
		pause     int // in which ctx ends, counted from 1
		sent      int // requests to begin the statement
		cancelled int
	}{
		{"a lost answer", running, nil, fakebq.Query, []fakebq.Fault{fakebq.Cut(10)}, 1, 2, 1},
		{"503 after it began", running, nil, fakebq.Query, []fakebq.Fault{fakebq.HTML(http.StatusServiceUnavailable).After()}, 1, 2, 1},
		{"a lost answer, then a refusal", running, nil, fakebq.Query, []fakebq.Fault{fakebq.Cut(10), limited}, 2, 3, 1},
		{"a refusal", running, nil, fakebq.Query, []fakebq.Fault{limited}, 1, 1, 0},
		{"a lost answer of what has ended", numbers, nil, fakebq.Query, []fakebq.Fault{fakebq.Cut(10)}, 1, 2, 0},
		{"a lost answer whose question is lost as well", running, nil, fakebq.Query, []fakebq.Fault{fakebq.Cut(10), fakebq.Cut(10)}, 1, 3, 1},
		{"a lost answer to an insert", running, []any{batch}, fakebq.Insert, []fakebq.Fault{fakebq.Cut(10)}, 1, 1, 1},
		{"a refused insert", running, []any{batch}, fakebq.Insert, []fakebq.Fault{limited}, 1, 1, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := fakebq.Run(t, fakebq.Options{})
			server.On("SELECT slow", tt.answer)
			server.Inject(tt.method, tt.faults...)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			pauses := 0
			db := openPausing(t, server, func(time.Duration) time.Duration {
				if pauses++; pauses == tt.pause {
					cancel()
					return time.Hour
				}
				return 0
			})
			if _, err := db.ExecContext(ctx, "SELECT slow", tt.opts...); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v; want context.Canceled", err)
			}
			if err := db.Close(); err != nil { // waits for what goes on in the background
				t.Error(err)
			}
			if got := server.Count(fakebq.Query, fakebq.Insert); got != tt.sent {
				t.Errorf("got %d requests to begin the statement; want %d", got, tt.sent)
			}
			if got := server.Cancelled(); got != tt.cancelled {
				t.Errorf("got %d jobs cancelled; want %d", got, tt.cancelled)
			}
			if got := server.Executions("SELECT slow"); got > 1 {
				t.Errorf("the statement ran %d times", got)
			}
		})
	}
}

// TestEndInThePauseOfASession: a session that a lost answer would have told is ended.
func TestEndInThePauseOfASession(t *testing.T) {
	t.Parallel()
	server := transactions(t)
	server.Inject(fakebq.Query, fakebq.Cut(10))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	db := openPausing(t, server, func(time.Duration) time.Duration { cancel(); return time.Hour })
	if _, err := db.BeginTx(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v; want context.Canceled", err)
	}
	wantNoSessions(t, db, server)
}

// TestCancelInsert: the caller leaves at once while the insert hangs; the job is cancelled by its own id.
func TestCancelInsert(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	server.On("SELECT slow", fakebq.Answer{Fields: numbers.Fields, Rows: numbers.Rows, Until: make(chan struct{})})
	answer := make(chan struct{})
	server.Inject(fakebq.Insert, fakebq.Hang(answer))
	db := open(t, server)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		server.WaitFor(t, fakebq.Insert, 1)
		cancel()
	}()
	if _, err := db.ExecContext(ctx, "SELECT slow", batch); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v; want context.Canceled", err)
	}
	close(answer)
	server.WaitFor(t, fakebq.Cancel, 1)
	server.WaitIdle(t)
	if got := server.Cancelled(); got != 1 {
		t.Errorf("got %d jobs cancelled; want 1", got)
	}
}
