package driver

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"google.golang.org/api/googleapi"
)

const (
	// maxTries bounds the requests for one call, as pauseBudget and tryLimit do.
	maxTries = 8
	// pauseBudget bounds the pauses between tries together.
	pauseBudget = 30 * time.Second
	// tryLimit bounds the time of all tries: BigQuery remembers a request id for 15 minutes.
	tryLimit = 10 * time.Minute

	firstPause = 250 * time.Millisecond
	maxPause   = 8 * time.Second
)

// caller is what requests are made with: a connector's client and its tokens.
type caller interface {
	clientFor(ctx context.Context) (*client, error)
	// ready returns when a token is at hand.
	ready(ctx context.Context) error
}

// once makes a request, and a second one if the access token was refused. After the end of ctx
// nothing is sent.
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

// ask makes a request that changes nothing until it succeeds or fails for good, or ctx ends.
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

// pauses are those between the tries of one request. They grow, are chosen by chance, and are as
// long as Retry-After asks, within bounds.
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

// wait pauses after a try that failed with err. It reports false if there is to be no further one.
// The error is that of ctx where it has ended, or would before the next try.
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

// gaveUp is the error of a call that ctx leaves no time to try again.
type gaveUp struct{ end, last error }

func (e *gaveUp) Error() string   { return e.end.Error() + ": the last try failed: " + e.last.Error() }
func (e *gaveUp) Unwrap() []error { return []error{e.end, e.last} }

// withEnd is the error of the last try, with the end of the context that allowed no further one, if
// that is why.
func withEnd(end, last error) error {
	if end == nil {
		return last
	}
	return &gaveUp{end, last}
}

// endedBy is why a statement ends that its own context does not end.
type endedBy struct{ error }

// endOf returns the error of a context that has ended: its own, or that of what ended the statement
// instead, which is its transaction or the connector.
func endOf(ctx context.Context) error {
	if by, ok := errors.AsType[endedBy](context.Cause(ctx)); ok {
		return by.error
	}
	return ctx.Err()
}

// asEnded is the error of a try that ctx has ended, or that failed when ctx had ended.
func asEnded(ctx context.Context, last error) error {
	if errors.Is(last, context.Canceled) || errors.Is(last, context.DeadlineExceeded) {
		return endOf(ctx)
	}
	return withEnd(endOf(ctx), last)
}

// pauseFor sleeps, unless ctx is to end before: then there is no use in waiting for that.
func pauseFor(ctx context.Context, d time.Duration) error {
	if deadline, ok := ctx.Deadline(); ok && ctx.Err() == nil && time.Until(deadline) <= d {
		return context.DeadlineExceeded
	}
	return sleep(ctx, d)
}

// retryAfter is the pause that the service asks for, in seconds or until a time (RFC 9110, section
// 10.2.3); 0 if it asks for none.
func retryAfter(err error) time.Duration {
	var api *googleapi.Error
	if !errors.As(err, &api) {
		return 0
	}
	text := api.Header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(text, 10, 32); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(time.Until(at), 0)
	}
	return 0
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
