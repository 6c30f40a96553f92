package driver_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq/faultproxy"
)

// TestRetryAfter: the service is given the time that it asks for.
func TestRetryAfter(t *testing.T) {
	t.Parallel()
	limited := fakebq.Error{Reason: "rateLimitExceeded"}
	for header, atLeast := range map[string]time.Duration{
		"1": time.Second, "0": 0, "soon": 0, "-1": 0, "Thu, 01 Jan 1970 00:00:00 GMT": 0,
	} {
		t.Run(header, func(t *testing.T) {
			t.Parallel()
			server := fakebq.Run(t, fakebq.Options{})
			server.On(insert, fakebq.Answer{DML: &fakebq.DML{Inserted: 1}})
			server.Inject(fakebq.Query, fakebq.FailRetryAfter(limited, header))
			started := time.Now()
			if _, err := openPausing(t, server, noPause).ExecContext(t.Context(), insert); err != nil {
				t.Fatal(err)
			}
			if got := time.Since(started); got < atLeast {
				t.Errorf("tried again after %v; want %v at least", got, atLeast)
			}
		})
	}
	for _, header := range []string{"20", "86400", time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)} {
		t.Run("later than the deadline: "+header, func(t *testing.T) {
			t.Parallel()
			server := fakebq.Run(t, fakebq.Options{})
			server.On(insert, fakebq.Answer{DML: &fakebq.DML{Inserted: 1}})
			server.Inject(fakebq.Query, fakebq.FailRetryAfter(limited, header))
			ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
			defer cancel()
			_, err := openPausing(t, server, noPause).ExecContext(ctx, insert)
			if !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil || server.Count() != 1 {
				t.Errorf("got %v after %d requests; want context.DeadlineExceeded after one, before the deadline",
					err, server.Count())
			}
		})
	}
}

// TestRetryAfterByServersClock: a time is one of the server's clock, since the clock here may be wrong.
func TestRetryAfterByServersClock(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	server.On(insert, fakebq.Answer{DML: &fakebq.DML{Inserted: 1}})
	proxy := faultproxy.Run(t, server.URL())
	busy := faultproxy.HTML(http.StatusTooManyRequests, faultproxy.Before)
	now := time.Now().Add(time.Hour).UTC()
	busy.Header.Set("Date", now.Format(http.TimeFormat))
	busy.Header.Set("Retry-After", now.Add(time.Second).Format(http.TimeFormat))
	proxy.Inject(fakebq.Query, busy)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, err := openThrough(t, proxy).ExecContext(ctx, insert); err != nil {
		t.Errorf("got %v; want another try a second later", err)
	}
}

// TestDeadlineBeforeTheNextTry: if the deadline is before the next try, the call returns at once, with the
// error of the last try.
func TestDeadlineBeforeTheNextTry(t *testing.T) {
	t.Parallel()
	unavailable := fakebq.HTML(http.StatusServiceUnavailable)
	for name, run := range map[string]func(context.Context, *fakebq.Server) error{
		"Query": func(ctx context.Context, s *fakebq.Server) error {
			_, err := openHourly(t, s).QueryContext(ctx, "SELECT name, n FROM t")
			return err
		},
		"Exec": func(ctx context.Context, s *fakebq.Server) error {
			_, err := openHourly(t, s).ExecContext(ctx, insert)
			return err
		},
		"Exec by jobs.insert": func(ctx context.Context, s *fakebq.Server) error {
			_, err := openHourly(t, s).ExecContext(ctx, insert, batch)
			return err
		},
		"Prepare": func(ctx context.Context, s *fakebq.Server) error {
			_, err := openHourly(t, s).PrepareContext(ctx, insert)
			return err
		},
		"Ping": func(ctx context.Context, s *fakebq.Server) error { return openHourly(t, s).PingContext(ctx) },
		"Begin": func(ctx context.Context, s *fakebq.Server) error {
			_, err := openHourly(t, s).BeginTx(ctx, nil)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := transactions(t)
			server.Inject(fakebq.Query, unavailable)
			server.Inject(fakebq.Insert, unavailable)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			err := run(ctx, server)
			e, ok := errors.AsType[*driver.Error](err)
			if !errors.Is(err, context.DeadlineExceeded) || !ok ||
				e.Status != http.StatusServiceUnavailable || ctx.Err() != nil {
				t.Errorf("got %v; want context.DeadlineExceeded and the 503, before the deadline", err)
			}
			if err != nil && (!strings.Contains(err.Error(), "context deadline exceeded") ||
				!strings.Contains(err.Error(), "HTTP status 503")) {
				t.Errorf("got the text %q", err)
			}
		})
	}
}

// TestDeadlineAfterALostAnswer: what a lost answer has begun is cancelled, also where the next
// try would come too late, or was the last.
func TestDeadlineAfterALostAnswer(t *testing.T) {
	t.Parallel()
	tries := make([]fakebq.Fault, 8)
	for i := range tries {
		tries[i] = fakebq.HTML(http.StatusServiceUnavailable)
	}
	tries[0] = fakebq.Cut(10)
	for _, tt := range []struct {
		name   string
		faults []fakebq.Fault
		limit  time.Duration // of ctx; 0 is none
		pause  time.Duration
	}{
		{"the deadline is near", tries[:1], 20 * time.Second, time.Hour},
		{"all tries are used up", tries, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := fakebq.Run(t, fakebq.Options{})
			server.On("SELECT slow", fakebq.Answer{Fields: numbers.Fields, Incomplete: 1, Until: make(chan struct{})})
			server.Inject(fakebq.Query, tt.faults...)
			labelled := func(c *dsn.Config) { c.LabelJobs = true }
			db := openPausing(t, server, func(time.Duration) time.Duration { return tt.pause }, labelled)
			ctx := t.Context()
			if tt.limit > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, tt.limit)
				defer cancel()
			}
			if _, err := db.ExecContext(ctx, "SELECT slow"); err == nil {
				t.Error("got no error")
			}
			if err := db.Close(); err != nil { // waits for what goes on in the background
				t.Error(err)
			}
			if got := server.Cancelled(); got != 1 || server.Executions("SELECT slow") != 1 {
				t.Errorf("got %d jobs cancelled of %d; want 1 of 1", got, server.Executions("SELECT slow"))
			}
		})
	}
}

// TestBackoff: pauses are chosen below a limit that doubles, up to eight seconds, for seven
// more tries.
func TestBackoff(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	for range 10 {
		server.Inject(fakebq.Query, fakebq.Fail(fakebq.Error{Reason: "rateLimitExceeded"})) // which has begun nothing
	}
	var limits []time.Duration
	db := openPausing(t, server, func(limit time.Duration) time.Duration {
		limits = append(limits, limit)
		return 0
	})
	_, err := db.ExecContext(t.Context(), insert)
	e, ok := errors.AsType[*driver.Error](err)
	if !ok || e.Reason != "rateLimitExceeded" {
		t.Errorf("got %v; want rateLimitExceeded", err)
	}
	ms := time.Millisecond
	want := []time.Duration{250 * ms, 500 * ms, 1000 * ms, 2000 * ms, 4000 * ms, 8000 * ms, 8000 * ms}
	if !slices.Equal(limits, want) {
		t.Errorf("got %v; want %v", limits, want)
	}
	ids := map[string]int{}
	for _, r := range server.Requests(fakebq.Query) {
		req, err := r.QueryRequest()
		if err != nil {
			t.Fatal(err)
		}
		ids[req.RequestId]++
	}
	if len(ids) != 1 || server.Count(fakebq.Query) != 8 {
		t.Errorf("got the request ids %v; want one, eight times", ids)
	}
}
