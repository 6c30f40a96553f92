package driver

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"google.golang.org/api/googleapi"
)

const (
	// maxTries bounds the number of requests of a call.
	maxTries = 8
	// pauseBudget bounds the sum of the pauses between tries.
	pauseBudget = 30 * time.Second
	// tryLimit bounds the time of all tries, because BigQuery remembers a request id for 15 minutes.
	tryLimit = 10 * time.Minute

	firstPause = 250 * time.Millisecond
	maxPause   = 8 * time.Second
)

// caller provides the client and the tokens of a request.
type caller interface {
	clientFor(ctx context.Context) (*client, error)
	// ready waits until a valid token is available.
	ready(ctx context.Context) error
}

// once makes a request, and a second one if the access token was refused. It sends nothing after ctx has
// ended.
func once[T any](ctx context.Context, c caller, request func(*client) (T, error)) (v T, err error) {
	for renewed := false; ; renewed = true {
		cl, err := c.clientFor(ctx)
		if err == nil {
			err = c.ready(ctx) // the HTTP transport would wait for a token without regard to ctx
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return v, err
		}
		if v, err = request(cl); err == nil || renewed || faultOf(err) != faultToken {
			return v, err
		}
	}
}

// ask repeats a request that changes nothing until it succeeds, fails permanently, or ctx ends.
func ask[T any](ctx context.Context, c caller, request func(*client) (T, error)) (T, error) {
	for p := newPauses(c); ; {
		v, err := once(ctx, c, request)
		if err == nil || ctx.Err() != nil || !faultOf(err).passing() {
			return v, err
		}
		if again, end := p.wait(ctx, err); end != nil || !again {
			return v, withEnd(end, err)
		}
	}
}

// pauses are the pauses between the tries of a request. They grow exponentially with jitter, and follow
// Retry-After within bounds.
type pauses struct {
	caller caller
	began  time.Time
	tries  int // made so far
	next   time.Duration
	spent  time.Duration
}

func newPauses(c caller) *pauses {
	return &pauses{caller: c, began: time.Now(), tries: 1, next: firstPause}
}

// wait pauses after a try that failed with err. It returns false if no further try may be made. end is
// the error of ctx if ctx has ended, or would end before the next try.
func (p *pauses) wait(ctx context.Context, err error) (again bool, end error) {
	left := pauseBudget - p.spent
	if p.tries >= maxTries || left <= 0 || time.Since(p.began) > tryLimit {
		return false, nil
	}
	cl, end := p.caller.clientFor(ctx)
	if end != nil {
		return false, end
	}
	pause := min(max(cl.pause(p.next), retryAfter(err)), left)
	p.tries++
	p.spent += pause
	p.next = min(2*p.next, maxPause)
	if end := pauseFor(ctx, pause); end != nil {
		if ctx.Err() != nil {
			end = endOf(ctx)
		}
		return false, end
	}
	return true, nil
}

// gaveUp is the error of a call whose context leaves no time for another try.
type gaveUp struct{ end, last error }

func (e *gaveUp) Error() string   { return e.end.Error() + ": the last try failed: " + e.last.Error() }
func (e *gaveUp) Unwrap() []error { return []error{e.end, e.last} }

// withEnd returns the error of the last try. If end is not nil, it also wraps end.
func withEnd(end, last error) error {
	if end == nil {
		return last
	}
	return &gaveUp{end, last}
}

// endedBy is the cause of a statement that is ended by its transaction or its connector.
type endedBy struct{ error }

// endOf returns the error of a context that has ended. If the transaction or the connector has ended the
// statement, it returns their error.
func endOf(ctx context.Context) error {
	if by, ok := errors.AsType[endedBy](context.Cause(ctx)); ok {
		return by.error
	}
	return ctx.Err()
}

// asEnded returns the error of a try that ctx has ended, or that failed after ctx had ended.
func asEnded(ctx context.Context, last error) error {
	if errors.Is(last, context.Canceled) || errors.Is(last, context.DeadlineExceeded) {
		return endOf(ctx)
	}
	return withEnd(endOf(ctx), last)
}

// pauseFor sleeps. It returns at once if ctx would end before.
func pauseFor(ctx context.Context, d time.Duration) error {
	if deadline, ok := ctx.Deadline(); ok && ctx.Err() == nil && time.Until(deadline) <= d {
		return context.DeadlineExceeded
	}
	return sleep(ctx, d)
}

// retryAfter returns the pause of a Retry-After header, in seconds or until a time (RFC 9110, section
// 10.2.3); 0 if there is none.
func retryAfter(err error) time.Duration {
	api, ok := errors.AsType[*googleapi.Error](err)
	if !ok {
		return 0
	}
	text := api.Header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(text, 10, 32); err == nil {
		return time.Duration(seconds) * time.Second
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	if now, err := http.ParseTime(api.Header.Get("Date")); err == nil { // the clock here may be wrong
		return max(at.Sub(now), 0)
	}
	return max(time.Until(at), 0)
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// alonePeriod is how long the connector requests one page at a time after a quota has refused one of several.
const alonePeriod = time.Minute

// quickAnswer is the longest time that an answer takes on a fast network. There, decoding takes
// longer than waiting, and requesting several pages only takes memory.
const quickAnswer = 25 * time.Millisecond

// crowd decides whether the connector may request several pages of a result at a time.
type crowd struct {
	quick time.Duration // quickAnswer
	alone atomic.Pointer[time.Time]
}

// disperse makes the connector request the pages of each result one at a time for alonePeriod.
func (c *crowd) disperse() {
	end := time.Now().Add(alonePeriod)
	c.alone.Store(&end)
}

func (c *crowd) dispersed() bool {
	end := c.alone.Load()
	return end != nil && time.Now().Before(*end)
}
