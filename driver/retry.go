package driver

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"syscall"
	"time"

	"google.golang.org/api/googleapi"
)

// maxTries bounds the requests for one call, and with the pauses below the time that a caller
// without a deadline waits for a service that is down: 24 seconds at most, half of it on average, unless the
// service asks for more.
const maxTries = 8

const (
	firstPause = 250 * time.Millisecond
	maxPause   = 8 * time.Second
	// maxRetryAfter bounds what a Retry-After can ask for.
	maxRetryAfter = 30 * time.Second
)

// call makes a request until it succeeds or fails for good, or ctx ends: after that nothing is
// sent any more. A failure is retried where again says so, and where ctx leaves the time for it. A refused
// access token is replaced once.
func call[T any](ctx context.Context, c *Connector, again func(error) bool, request func(*client) (T, error)) (T, error) {
	var none T
	renewed := false
	pause := firstPause
	for try := 1; ; try++ {
		cl, err := c.clientFor(ctx)
		if err == nil {
			// The HTTP transport would wait for a token without regard to ctx.
			err = c.tokens.ready(ctx)
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return none, err
		}
		v, err := request(cl)
		if err == nil {
			return v, nil
		}
		if unauthorized(err) && !renewed {
			renewed = true
			continue
		}
		if try >= maxTries || !again(err) {
			return v, err
		}
		if end := pauseFor(ctx, max(cl.pause(pause), retryAfter(err))); end != nil {
			return v, &gaveUp{end, err}
		}
		pause = min(2*pause, maxPause)
	}
}

// gaveUp is the error of a call that ctx leaves no time to try again: the error of ctx and what the last try failed with.
type gaveUp struct{ end, last error }

func (e *gaveUp) Error() string   { return e.end.Error() + ": the last try failed: " + e.last.Error() }
func (e *gaveUp) Unwrap() []error { return []error{e.end, e.last} }

// pauseFor sleeps, unless ctx is to end before: then nobody has to wait for that.
func pauseFor(ctx context.Context, d time.Duration) error {
	if deadline, ok := ctx.Deadline(); ok && ctx.Err() == nil && time.Until(deadline) <= d {
		return context.DeadlineExceeded
	}
	return sleep(ctx, d)
}

// retryAfter is the pause that the service asks for, in seconds or until a time (RFC 9110, section 10.2.3); 0 if it asks for none.
func retryAfter(err error) time.Duration {
	var api *googleapi.Error
	if !errors.As(err, &api) {
		return 0
	}
	text := api.Header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(text, 10, 32); err == nil {
		return min(time.Duration(seconds)*time.Second, maxRetryAfter)
	}
	if at, err := http.ParseTime(text); err == nil {
		return min(max(time.Until(at), 0), maxRetryAfter)
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

func unauthorized(err error) bool {
	var api *googleapi.Error
	return errors.As(err, &api) && api.Code == http.StatusUnauthorized
}

// passing are the reasons of a request that failed for the moment; jobFailed those of a job that
// did, which a request can only learn of: asking for its result again changes nothing, sending
// its statement again runs it again. backendError and internalError can be either.
var (
	passing   = []string{"backendError", "internalError", "rateLimitExceeded"}
	jobFailed = []string{"jobBackendError", "jobInternalError", "jobRateLimitExceeded"}
)

// retryable decides whether a request is sent again that starts nothing.
func retryable(err error) bool {
	var api *googleapi.Error
	if errors.As(err, &api) {
		switch api.Code {
		case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
			return true
		}
		return hasReason(api, passing)
	}
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, wsaConnReset)
}

// wsaConnReset is what Windows says for ECONNRESET.
const wsaConnReset = syscall.Errno(10054)

// restartable decides whether a statement is sent again, under the request id that keeps BigQuery
// from running it twice. A job that failed by BigQuery's fault has changed nothing, but for
// that of a script, whose first statements stand.
// Nor must one of a transaction be, which such a failure has rolled back.
func restartable(partial bool) func(error) bool {
	return func(err error) bool {
		var api *googleapi.Error
		return retryable(err) || !partial && errors.As(err, &api) && hasReason(api, jobFailed)
	}
}

func hasReason(api *googleapi.Error, reasons []string) bool {
	return slices.ContainsFunc(api.Errors, func(e googleapi.ErrorItem) bool { return slices.Contains(reasons, e.Reason) })
}
