package driver_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// TestGivingUpCancels: a job whose caller has gone does not run on at the user's
// cost.
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
			_, err := db.ExecContext(t.Context(), "SELECT slow", tt.opts...)
			e, ok := errors.AsType[*driver.Error](err)
			if !ok ||
				e.Status != http.StatusServiceUnavailable {
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

// TestEndInThePause: ctx ends while the next try is waited for. Nothing is sent any more. A job
// whose answer was lost is found and cancelled where it has an id or a label of its own; without
// one it can't be told from another.
func TestEndInThePause(t *testing.T) {
	t.Parallel()
	running := fakebq.Answer{Fields: numbers.Fields, Rows: numbers.Rows, Until: make(chan struct{}), Incomplete: 1}
	limited := fakebq.Fail(fakebq.Error{Reason: "rateLimitExceeded"})
	unavailable := fakebq.HTML(http.StatusServiceUnavailable)
	for _, tt := range []struct {
		name      string
		answer    fakebq.Answer
		opts      []any
		label     bool
		faults    []fakebq.Fault
		list      []fakebq.Fault // of jobs.list
		pause     int            // in which ctx ends, counted from 1
		cancelled int
	}{
		{name: "lost", answer: running, label: true, faults: []fakebq.Fault{fakebq.Cut(10)}, pause: 1, cancelled: 1},
		{name: "lost, no label", answer: running, faults: []fakebq.Fault{fakebq.Cut(10)}, pause: 1},
		{
			name: "503 after it began", answer: running, label: true, faults: []fakebq.Fault{unavailable.After()},
			pause: 1, cancelled: 1,
		},
		{
			name: "lost, then a refusal", answer: running, label: true, faults: []fakebq.Fault{fakebq.Cut(10), limited},
			pause: 2, cancelled: 1,
		},
		{name: "a refusal", answer: running, label: true, faults: []fakebq.Fault{limited}, pause: 1},
		{name: "lost, and it has ended", answer: numbers, label: true, faults: []fakebq.Fault{fakebq.Cut(10)}, pause: 1},
		{
			name: "lost, and the list as well", answer: running, label: true, faults: []fakebq.Fault{fakebq.Cut(10)},
			list: []fakebq.Fault{fakebq.Fail(fakebq.Error{Reason: "accessDenied"})}, pause: 1, cancelled: 1,
		},
		{
			name: "an insert is lost", answer: running, opts: []any{batch}, faults: []fakebq.Fault{fakebq.Cut(10)},
			pause: 1, cancelled: 1,
		},
		{name: "an insert is refused", answer: running, opts: []any{batch}, faults: []fakebq.Fault{limited}, pause: 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := fakebq.Run(t, fakebq.Options{})
			server.On("SELECT slow", tt.answer)
			method := fakebq.Query
			if tt.opts != nil {
				method = fakebq.Insert
			}
			server.Inject(method, tt.faults...)
			server.Inject(fakebq.List, tt.list...)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			pauses := 0
			db := openPausing(t, server, func(time.Duration) time.Duration {
				if pauses++; pauses == tt.pause {
					cancel()
					return time.Hour
				}
				return 0
			}, func(c *dsn.Config) { c.LabelJobs = tt.label })
			if _, err := db.ExecContext(ctx, "SELECT slow", tt.opts...); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v; want context.Canceled", err)
			}
			if err := db.Close(); err != nil { // waits for what goes on in the background
				t.Error(err)
			}
			if got := server.Count(fakebq.Query, fakebq.Insert); got != len(tt.faults) {
				t.Errorf("got %d requests to begin the statement; want %d", got, len(tt.faults))
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

// TestEndInThePauseOfASession: BEGIN is not sent again in order to learn the session of a lost
// answer. The session is empty, and ends by itself.
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
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	if got := server.Count(fakebq.Query); got != 1 {
		t.Errorf("got %d requests; want 1", got)
	}
}

// TestCancelInsert: the caller leaves at once while the insert hangs; the job is cancelled by
// its own id.
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
