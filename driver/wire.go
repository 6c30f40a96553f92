package driver

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

const (
	// patience is how long to wait for the start of an answer, in addition to the time that BigQuery
	// holds the request.
	patience = 15 * time.Second

	// pingAfter and pingTimeout detect a connection whose network has vanished, as after a laptop
	// slept or a VPN was switched: an HTTP/2 PING after a silence, and the wait for its answer.
	pingAfter   = 10 * time.Second
	pingTimeout = 8 * time.Second
)

// errNoAnswer means that no answer has started in time.
var errNoAnswer = errors.New("no answer came in time")

type holdKey struct{}

// withHold returns a context for a request that BigQuery holds for up to d. The request fails if its
// answer has not started well after that. Requests without a hold have no such limit, because those of
// the official client may upload files.
func withHold(ctx context.Context, d time.Duration) context.Context {
	return context.WithValue(ctx, holdKey{}, d)
}

// wire is the HTTP transport of a client. It ends requests that are not answered, and records the
// server's clock.
type wire struct {
	base http.RoundTripper
	// ahead is how far the server's clock is ahead of ours, in nanoseconds, by its Date headers.
	ahead atomic.Int64
}

// RoundTrip makes a request, and fails if the answer does not start in time.
func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	hold, ok := r.Context().Value(holdKey{}).(time.Duration)
	if !ok {
		return w.base.RoundTrip(r)
	}
	ctx, giveUp := context.WithCancelCause(r.Context())
	limit := hold + patience
	timer := time.AfterFunc(time.Hour, func() { giveUp(errNoAnswer) })
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		// The limit starts here, because a slow network takes time for a long statement.
		WroteRequest: func(httptrace.WroteRequestInfo) { timer.Reset(limit) },
	})
	resp, err := w.base.RoundTrip(r.WithContext(ctx))
	timer.Stop()
	if err != nil {
		if context.Cause(ctx) == errNoAnswer {
			err = errNoAnswer
		}
		giveUp(nil)
		return nil, err
	}
	if at, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		w.ahead.Store(int64(time.Until(at)))
	}
	resp.Body = &wireBody{resp.Body, giveUp}
	return resp, nil
}

// serverTime converts our time t to the server's clock.
func (w *wire) serverTime(t time.Time) time.Time { return t.Add(time.Duration(w.ahead.Load())) }

// wireBody ends the request's context with the body.
type wireBody struct {
	io.ReadCloser
	done context.CancelCauseFunc
}

func (b *wireBody) Close() error {
	defer b.done(nil)
	return b.ReadCloser.Close()
}
