package driver_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// TestCancelRunningJob: the end of ctx ends the statement and the job that it started.
func TestCancelRunningJob(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	server.On("SELECT slow", fakebq.Answer{
		Fields:     numbers.Fields,
		Rows:       numbers.Rows,
		Incomplete: 1000,
		Until:      make(chan struct{}),
	})
	server.Inject(fakebq.GetQueryResults, fakebq.Hang(nil))
	db := open(t, server)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		server.WaitFor(t, fakebq.GetQueryResults, 1)
		cancel()
	}()
	if _, err := db.QueryContext(ctx, "SELECT slow"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v; want context.Canceled", err)
	}
	server.WaitFor(t, fakebq.Cancel, 1)
}

// TestCancelBeforeJobIsKnown: the caller leaves at once; when the answer comes it names the
// job, which is then cancelled.
func TestCancelBeforeJobIsKnown(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	server.On("SELECT slow", fakebq.Answer{
		Fields:     numbers.Fields,
		Rows:       numbers.Rows,
		Incomplete: 1000,
		Until:      make(chan struct{}),
	})
	answer := make(chan struct{})
	server.Inject(fakebq.Query, fakebq.Hang(answer))
	db := open(t, server)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		server.WaitFor(t, fakebq.Query, 1)
		cancel()
	}()
	if _, err := db.ExecContext(ctx, "SELECT slow"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v; want context.Canceled", err)
	}
	if got := server.Count(fakebq.Cancel); got != 0 {
		t.Errorf("got %d cancels before the job was known; want 0", got)
	}
	close(answer)
	server.WaitFor(t, fakebq.Cancel, 1)
}

// TestCancelBetweenPages: no page is fetched after ctx has ended, and Rows says why it stopped.
func TestCancelBetweenPages(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	server.On("SELECT *", fakebq.Answer{Fields: numbers.Fields, Rows: numbers.Rows, Repeat: 100, PageSize: 3})
	server.Inject(fakebq.GetQueryResults, fakebq.Hang(nil))
	db := open(t, server)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	rows, err := db.QueryContext(ctx, "SELECT *")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	go func() {
		server.WaitFor(t, fakebq.GetQueryResults, 1)
		cancel()
	}()
	n := 0
	for rows.Next() {
		n++
	}
	if n > 3 || !errors.Is(rows.Err(), context.Canceled) {
		t.Errorf("got %d rows and %v; want at most 3 and context.Canceled", n, rows.Err())
	}
}

// TestEachPageOnce: a result that is read to its end takes one request for each page after the
// first. The server is one where no request that was given up can still come in.
func TestEachPageOnce(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	server.On("SELECT *", fakebq.Answer{Fields: numbers.Fields, Rows: numbers.Rows, Repeat: 100, PageSize: 3})
	if rows := readAllOf(t, open(t, server), "SELECT *"); rows != 300 || server.Count(fakebq.GetQueryResults) != 99 {
		t.Errorf("got %d rows by %d requests for further pages; want 300 by 99", rows, server.Count(fakebq.GetQueryResults))
	}
}

// TestCloseEarly: of rows that are closed after the first no more pages are fetched than are
// held ahead: those whose runs wait, one that is decoded and one that comes.
func TestCloseEarly(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	server.On("SELECT *", fakebq.Answer{Fields: numbers.Fields, Rows: numbers.Rows, Repeat: 100, PageSize: 3})
	db := open(t, server)
	for range 20 {
		rows, err := db.QueryContext(t.Context(), "SELECT *")
		if err != nil {
			t.Fatal(err)
		}
		if !rows.Next() {
			t.Fatal(rows.Err())
		}
		if err := rows.Close(); err != nil {
			t.Error(err)
		}
	}
	server.WaitIdle(t)
	const ahead = 4 + 1 + 1 // of pages that are a run each
	if got := server.Count(fakebq.GetQueryResults); got > 20*ahead {
		t.Errorf("got %d requests for further pages of 20 results; want at most %d each", got, ahead)
	}
	if rows := readAllOf(t, db, "SELECT *"); rows != 300 {
		t.Errorf("all rows: got %d; want 300", rows)
	}
	if got := db.Stats().OpenConnections; got != 1 {
		t.Errorf("got %d connections; want the first one to be used again", got)
	}
}

// TestBadPages: a page that can't be right is an error, never a wrong or missing row.
func TestBadPages(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]fakebq.Fault{
		"garbage":      fakebq.Garbage(`{"jobComplete":true,"rows":[{"f":[{"v":"x"}]}]}`),
		"not complete": fakebq.Garbage(`{"jobComplete":false}`),
		"not JSON":     fakebq.Garbage(`<html>`),
		"cut off":      fakebq.Truncate(60),
		"an error":     fakebq.Fail(fakebq.Error{Reason: "notFound", Message: "Not found: Job"}),
	} {
		server := fakebq.Run(t, fakebq.Options{})
		server.On("SELECT *", fakebq.Answer{Fields: numbers.Fields, Rows: numbers.Rows, Repeat: 2, PageSize: 3})
		server.Inject(fakebq.GetQueryResults, fault)
		rows, err := open(t, server).QueryContext(t.Context(), "SELECT *")
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for rows.Next() {
			n++
		}
		if n != 3 || rows.Err() == nil {
			t.Errorf("%s: got %d rows and %v; want 3 and an error", name, n, rows.Err())
		}
		rows.Close()
	}
}

// TestEmptyPages: an empty page in the middle is not the end.
func TestEmptyPages(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	server.On("SELECT *", fakebq.Answer{
		Fields:     numbers.Fields,
		Rows:       numbers.Rows,
		Repeat:     3,
		PageSize:   3,
		EmptyPages: []int{0, 1, 2},
		RowsFirst:  true,
	})
	rows, err := open(t, server).QueryContext(t.Context(), "SELECT *")
	if err != nil {
		t.Fatal(err)
	}
	if got := readAll(t, rows); len(got) != 9 {
		t.Errorf("got %d rows; want 9", len(got))
	}
}

func readAllOf(t *testing.T, db *sql.DB, query string) int {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	return len(readAll(t, rows))
}

// TestDeadlineNamesTheJob: BigQuery does not hold an answer beyond the deadline, so that the
// job is known and cancelled at once.
func TestDeadlineNamesTheJob(t *testing.T) {
	t.Parallel()
	for name, incomplete := range map[string]int{"the first request": 0, "a poll": 1} {
		server := fakebq.Run(t, fakebq.Options{})
		server.On("SELECT slow", fakebq.Answer{Fields: numbers.Fields, Incomplete: incomplete, Until: make(chan struct{})})
		db := open(t, server)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if _, err := db.ExecContext(ctx, "SELECT slow"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: got %v; want context.DeadlineExceeded", name, err)
		}
		if err := db.Close(); err != nil { // waits for what goes on in the background, and not for ten seconds
			t.Error(err)
		}
		// On a busy machine the deadline can come before the request is sent.
		if got, ran := server.Cancelled(), server.Executions("SELECT slow"); got != ran || ran > 1 {
			t.Errorf("%s: got %d jobs cancelled of %d", name, got, ran)
		}
	}
}

// TestCancelWhileTheAnswerIsHeld: a context that is cancelled has no deadline by which BigQuery
// could answer. It is asked which job it is, so that the job ends also if the program ends
// soon.
func TestCancelWhileTheAnswerIsHeld(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]any{"jobs.query": nil, "jobs.insert": {batch}} {
		for _, inTx := range []bool{false, true} {
			t.Run(fmt.Sprint(name, ", in a transaction: ", inTx), func(t *testing.T) {
				t.Parallel()
				server := transactions(t)
				server.On("SELECT slow", fakebq.Answer{Fields: numbers.Fields, Until: make(chan struct{})})
				db := open(t, server)
				exec := db.ExecContext
				if inTx {
					tx := beginTx(t, db)
					defer tx.Rollback()
					exec = tx.ExecContext
				}
				method, answer := fakebq.Query, make(chan struct{})
				if opts != nil {
					method = fakebq.Insert
					server.Inject(method, fakebq.Hang(answer)) // jobs.insert holds no answer of itself
				}
				before := server.Count(method)
				ctx, cancel := context.WithCancel(t.Context())
				go func() {
					server.WaitFor(t, method, before+1)
					cancel()
				}()
				if _, err := exec(ctx, "SELECT slow", opts...); !errors.Is(err, context.Canceled) {
					t.Errorf("got %v; want context.Canceled", err)
				}
				close(answer)
				server.WaitFor(t, fakebq.Cancel, 1)
				server.WaitIdle(t)
				if got := server.Executions("SELECT slow"); got != 1 || server.Cancelled() != 1 {
					t.Errorf("got %d jobs cancelled of %d; want 1 of 1", server.Cancelled(), got)
				}
			})
		}
	}
}
