package driver_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// TestGivingUpCancels: a job that nobody will ask for any more does not run on at the person's
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
			var e *driver.Error
			if _, err := db.ExecContext(t.Context(), "SELECT slow", tt.opts...); !errors.As(err, &e) ||
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

// TestEndInThePause: ctx ends while the next try is waited for. What an answer that was lost
// has begun is found and cancelled; where nothing can have begun, nothing is sent.
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
		{
			"503 after it began",
			running,
			nil,
			fakebq.Query,
			[]fakebq.Fault{fakebq.HTML(http.StatusServiceUnavailable).After()},
			1,
			2,
			1,
		},
		{"a lost answer, then a refusal", running, nil, fakebq.Query, []fakebq.Fault{fakebq.Cut(10), limited}, 2, 3, 1},
		{"a refusal", running, nil, fakebq.Query, []fakebq.Fault{limited}, 1, 1, 0},
		{"a lost answer of what has ended", numbers, nil, fakebq.Query, []fakebq.Fault{fakebq.Cut(10)}, 1, 2, 0},
		{
			"a lost answer whose question is lost as well",
			running,
			nil,
			fakebq.Query,
			[]fakebq.Fault{fakebq.Cut(10), fakebq.Cut(10)},
			1,
			3,
			1,
		},
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
