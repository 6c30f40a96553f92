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
	// patience is how long the beginning of an answer is awaited beyond the time that BigQuery
	// holds the request.
	patience = 15 * time.Second

	// pingAfter and pingTimeout are how a connection is noticed whose network has gone away, as
	// when a laptop slept or a VPN was switched: a PING when nothing has come for a while, and no
	// answer to it.
	pingAfter   = 10 * time.Second
	pingTimeout = 8 * time.Second
)

// errNoAnswer means that no answer has begun in time.
var errNoAnswer = errors.New("no answer came in time")

type holdKey struct{}

// withHold returns a context for a request that BigQuery holds for up to d. The request is given up
// if its answer has not begun well after that. Requests without a hold are not: those of the
// official client may upload files.
func withHold(ctx context.Context, d time.Duration) context.Context {
	return context.WithValue(ctx, holdKey{}, d)
}

// wire is the transport under a client. It gives up requests that nobody answers, and keeps the
// server's clock.
type wire struct {
	base http.RoundTripper
	// ahead is how far the server's clock is ahead of ours, in nanoseconds. Its Date headers say.
	ahead atomic.Int64
}

// RoundTrip waits for the beginning of the answer.
func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	hold, ok := r.Context().Value(holdKey{}).(time.Duration)
	if !ok {
		return w.base.RoundTrip(r)
	}
	ctx, giveUp := context.WithCancelCause(r.Context())
	limit := hold + patience
	timer := time.AfterFunc(time.Hour, func() { giveUp(errNoAnswer) })
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		// A long statement can take its time on a slow network.
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

// serverTime returns the server's clock at a time of ours.
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
