package driver_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	bq "google.golang.org/api/bigquery/v2"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

type told struct {
	stats driver.Stats
	err   error
}

// observed opens a database whose statements are told to the returned function's list.
func observed(t *testing.T, server *fakebq.Server) (*sql.DB, func() []told) {
	t.Helper()
	var mu sync.Mutex
	var all []told
	connector, err := driver.NewConnector(&dsn.Config{Project: "my-project", Auth: "none", Endpoint: server.URL()},
		driver.WithObserver(func(_ context.Context, s driver.Stats, err error) {
			mu.Lock()
			defer mu.Unlock()
			all = append(all, told{s, err})
		}))
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	t.Cleanup(func() { db.Close() })
	return db, func() []told {
		mu.Lock()
		defer mu.Unlock()
		out := all
		all = nil
		return out
	}
}

// TestObserver: the observer gets each statement once, when it has ended, with its cost.
func TestObserver(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	server.On("SELECT name, n FROM t", fakebq.Answer{
		Fields:     numbers.Fields,
		Rows:       numbers.Rows,
		Bytes:      100,
		Billed:     10 << 20,
		SlotMillis: 1500,
	})
	server.On("MERGE t", fakebq.Answer{StatementType: "MERGE", DML: &fakebq.DML{Inserted: 1, Updated: 2, Deleted: 3}})
	server.On("SELECT x", fakebq.Answer{
		Reject: &fakebq.Error{Reason: "invalidQuery", Message: "Unrecognized name: x at [1:8]"},
	})
	server.On("SELECT late", fakebq.Answer{
		Incomplete: 1,
		Err:        &fakebq.Error{Reason: "resourcesExceeded", Message: "too much"},
	})
	db, list := observed(t, server)

	rows, err := db.QueryContext(t.Context(), "SELECT name, n FROM t")
	if err != nil {
		t.Fatal(err)
	}
	if got := list(); len(got) != 0 {
		t.Errorf("before the rows are read: got %+v; want nothing told", got)
	}
	rows.Next()
	rows.Close()
	rows.Close()
	got := list()
	if len(got) != 1 || got[0].err != nil {
		t.Fatalf("a query: got %+v; want one, without an error", got)
	}
	s := got[0].stats
	if s.Query != "SELECT name, n FROM t" || s.StatementType != "SELECT" || s.JobID == "" ||
		s.BytesProcessed != 100 || s.BytesBilled != 10<<20 ||
		s.SlotTime != 1500*time.Millisecond || s.Duration <= 0 ||
		s.RowsRead != 1 || s.TotalRows != int64(len(numbers.Rows)) {
		t.Errorf("a query: got %+v", s)
	}
	want := "https://console.cloud.google.com/bigquery?j=bq%3AUS%3A" + s.JobID +
		"&page=queryresults&project=my-project"
	if s.ConsoleURL() != want {
		t.Errorf("console: got %s; want %s", s.ConsoleURL(), want)
	}
	if got := (driver.Stats{}).ConsoleURL(); got != "" {
		t.Errorf("without a job: got %s; want none", got)
	}

	if _, err := db.ExecContext(t.Context(), "MERGE t"); err != nil {
		t.Fatal(err)
	}
	got = list()
	if len(got) != 1 || got[0].stats.RowsAffected != 6 || got[0].stats.RowsInserted != 1 ||
		got[0].stats.RowsUpdated != 2 || got[0].stats.RowsDeleted != 3 {
		t.Errorf("DML: got %+v", got)
	}
	for _, text := range []string{"SELECT x", "SELECT late"} {
		_, err = db.ExecContext(t.Context(), text)
		got = list()
		if len(got) != 1 || got[0].err != err || got[0].stats.Query != text ||
			(got[0].stats.JobID != "") != (text == "SELECT late") {
			t.Errorf("%s: got %+v; want one with %v", text, got, err)
		}
	}
}

// TestStatsAreWhole: no field of Stats stays empty where there is something to tell.
func TestStatsAreWhole(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	server.On("SELECT paged", fakebq.Answer{
		Fields:     numbers.Fields,
		Rows:       numbers.Rows,
		Repeat:     3,
		PageSize:   3,
		Bytes:      100,
		Billed:     10 << 20,
		SlotMillis: 1500,
		CacheHit:   true,
		Warnings:   []fakebq.Error{{Reason: "invalid", Message: "The table has no rows of today."}},
	})
	server.On("MERGE t", fakebq.Answer{StatementType: "MERGE", DML: &fakebq.DML{Inserted: 1, Updated: 2, Deleted: 3}})
	db, list := observed(t, server)
	rows, err := db.QueryContext(t.Context(), "SELECT paged")
	if err != nil {
		t.Fatal(err)
	}
	if got := readAll(t, rows); len(got) != 9 {
		t.Errorf("got %d rows; want 9", len(got))
	}
	if _, err := db.ExecContext(t.Context(), "MERGE t"); err != nil {
		t.Fatal(err)
	}
	all := list()
	if len(all) != 2 {
		t.Fatalf("got %+v; want two statements", all)
	}
	read, merged := reflect.ValueOf(all[0].stats), reflect.ValueOf(all[1].stats)
	for i := range read.NumField() {
		// Fallback is there only where the Storage Read API was refused, Columns only of a statement
		// that was prepared, and package bulk writes: these have tests of their own.
		elsewhere := []string{"Fallback", "Columns", "BytesWritten", "WriteAPI"}
		if name := read.Type().Field(i).Name; !slices.Contains(elsewhere, name) && read.Field(i).IsZero() && merged.Field(i).IsZero() {
			t.Errorf("%s is empty in %+v and %+v", name, all[0].stats, all[1].stats)
		}
	}
	if s := all[0].stats; s.ReadAPI != "rest" || !s.CacheHit || s.RowsRead != 9 || s.TotalRows != 9 || s.Location != "US" {
		t.Errorf("got %+v", s)
	}
}

// TestProgress: WithProgress reports how far a long statement is. Other statements need no request for it.
func TestProgress(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	server.On("SELECT long", fakebq.Answer{
		Fields:     numbers.Fields,
		Rows:       numbers.Rows,
		Incomplete: 3,
		Running: &bq.JobStatistics2{
			TotalBytesProcessed: 7 << 20,
			QueryPlan: []*bq.ExplainQueryStage{
				{Name: "S00", Status: "COMPLETE"},
				{Name: "S01", Status: "RUNNING"},
			},
		},
	})
	db := open(t, server)
	var all []driver.Progress
	ctx := driver.WithProgress(t.Context(), func(p driver.Progress) { all = append(all, p) })
	if _, err := db.ExecContext(ctx, "SELECT long"); err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Fatal("got no progress")
	}
	if p := all[0]; p.Stages != 2 || p.StagesDone != 1 || p.BytesProcessed != 7<<20 ||
		p.State != "RUNNING" || p.JobID == "" || p.Elapsed <= 0 {
		t.Errorf("got %+v", p)
	}
	before := server.Count(fakebq.Get)
	if _, err := db.ExecContext(t.Context(), "SELECT long"); err != nil {
		t.Fatal(err)
	}
	if got := server.Count(fakebq.Get); got != before {
		t.Errorf("without WithProgress: got %d requests for the job; want none", got-before)
	}
}

// TestCaret: %+v shows the line of the statement that BigQuery is unhappy with, and the place
// in it.
func TestCaret(t *testing.T) {
	t.Parallel()
	long := "SELECT " + strings.Repeat("a, ", 100) + "x FROM t"
	for _, tt := range []struct{ name, sql, place, want string }{
		{"one line", "SELECT x", "1:8", "SELECT x\n       ^"},
		{"a later line", "SELECT a,\r\n  x\r\nFROM t", "2:3", "  x\n  ^"},
		{"after a tab, which counts to the next eighth column", "SELECT\n\tx FROM t", "2:9", "\tx FROM t\n\t^"},
		{"characters, not bytes", "SELECT 'äöü', x", "1:15", "SELECT 'äöü', x\n              ^"},
		{"at the end", "SELECT", "1:7", "SELECT\n      ^"},
		{"a long line", long, "1:308", strings.Repeat("a, ", 20) + "x FROM t\n" + strings.Repeat(" ", 60) + "^"},
		{"no such line", "SELECT x", "7:1", ""},
		{"no such column", "SELECT x", "1:70", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := fakebq.Run(t, fakebq.Options{})
			server.On(tt.sql, fakebq.Answer{
				Reject: &fakebq.Error{Reason: "invalidQuery", Message: "Unrecognized name: x at [" + tt.place + "]"},
			})
			db := open(t, server)
			_, err := db.QueryContext(t.Context(), tt.sql)
			e, ok := errors.AsType[*driver.Error](err)
			if !ok || e.Location != tt.place {
				t.Fatalf("got %v; want an error at %s", err, tt.place)
			}
			want := e.Error()
			if tt.want != "" {
				want += "\n" + tt.want
			}
			if got := fmt.Sprintf("%+v", e); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			if got := fmt.Sprintf("%v|%s|%q", e, e, e); got != fmt.Sprintf("%s|%s|%q", e.Error(), e.Error(), e.Error()) {
				t.Errorf("other verbs: got %s", got)
			}
			_, err = db.PrepareContext(t.Context(), tt.sql)
			if got := fmt.Sprintf("%+v", err); got != strings.Replace(want, e.Error(), fmt.Sprint(err), 1) {
				t.Errorf("Prepare: got %+v", err)
			}
		})
	}
}
