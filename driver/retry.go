package driver

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"syscall"
	"time"

	"google.golang.org/api/googleapi"
)

// maxTries bounds the requests for one call, and with the pauses below the time that a
// caller without a deadline waits for a service that is down: about 15 seconds.
const maxTries = 6

const (
	firstPause = 250 * time.Millisecond
	maxPause   = 8 * time.Second
)

// call makes a request until it succeeds or fails for good. A failure is retried where
// trying again may help and can do no harm: every request is either a read, a dry run, a cancel or
// a statement with a request id. A refused access token is replaced once.
func call[T any](ctx context.Context, c *Connector, request func(*client) (T, error)) (T, error) {
	renewed := false
	pause := firstPause
	for try := 1; ; try++ {
		cl, err := c.clientFor(ctx)
		if err != nil {
			var none T
			return none, err
		}
		v, err := request(cl)
		if err == nil {
			return v, nil
		}
		if unauthorized(err) && !renewed {
			renewed = true
			c.tokens.refused()
			continue
		}
		if try >= maxTries || !retryable(err) {
			return v, err
		}
		select {
		case <-time.After(rand.N(pause)):
		case <-ctx.Done():
			return v, ctx.Err()
		}
		pause = min(2*pause, maxPause)
	}
}

func unauthorized(err error) bool {
	var api *googleapi.Error
	return errors.As(err, &api) && api.Code == http.StatusUnauthorized
}

// retryableReasons are the reasons that BigQuery's documentation asks to retry, whatever
// status they come with.
var retryableReasons = []string{"backendError", "internalError", "rateLimitExceeded", "jobBackendError", "jobInternalError", "jobRateLimitExceeded"}

// retryable is the one place that decides whether a request is sent again.
func retryable(err error) bool {
	var api *googleapi.Error
	if errors.As(err, &api) {
		switch api.Code {
		case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
			return true
		}
		return slices.ContainsFunc(api.Errors, func(e googleapi.ErrorItem) bool { return slices.Contains(retryableReasons, e.Reason) })
	}
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET)
}
