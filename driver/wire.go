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
	var p progressOfRequest
	limit := hold + patience
	timer := time.AfterFunc(limit, func() {
		if !p.connecting() { // dialing and sending have limits of their own
			giveUp(errNoAnswer)
		}
	})
	defer timer.Stop()
	ctx = httptrace.WithClientTrace(ctx, p.trace(func() { timer.Reset(limit) }))
	resp, err := w.base.RoundTrip(r.WithContext(ctx))
	p.answered.Store(true)
	if err != nil {
		switch {
		case context.Cause(ctx) == errNoAnswer:
			err = errNoAnswer
		case p.unsent():
			err = &unsentError{err}
		}
		giveUp(nil)
		return nil, err
	}
	if at, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		w.ahead.Store(int64(time.Until(at)))
	}
	resp.Body = newWireBody(ctx, resp.Body, giveUp)
	return resp, nil
}

// progressOfRequest is how far a request has come. A transport that does not report it, as a wrapper can be, is taken
// for one that has sent the request.
type progressOfRequest struct {
	connects, wroteHeaders, wroteAll, answered atomic.Bool
}

// trace calls sent when the request has been written. A slow network takes time for a long statement.
func (p *progressOfRequest) trace(sent func()) *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn:      func(string) { p.connects.Store(true) },
		WroteHeaders: func() { p.wroteHeaders.Store(true) },
		WroteRequest: func(httptrace.WroteRequestInfo) {
			if p.wroteAll.Store(true); !p.answered.Load() {
				sent()
			}
		},
	}
}

func (p *progressOfRequest) connecting() bool { return p.connects.Load() && !p.wroteAll.Load() }
func (p *progressOfRequest) unsent() bool     { return p.connects.Load() && !p.wroteHeaders.Load() }

// unsentError is that of a request of which nothing was sent: the connection could not be made.
type unsentError struct{ error }

func (e *unsentError) Unwrap() error { return e.error }

// serverTime converts our time t to the server's clock.
func (w *wire) serverTime(t time.Time) time.Time { return t.Add(time.Duration(w.ahead.Load())) }

// bodyPatience is how long the next bytes of an answer are awaited.
const bodyPatience = 30 * time.Second

// wireBody ends the request's context with the body, and the body when nothing arrives any more.
type wireBody struct {
	io.ReadCloser
	ctx  context.Context
	done context.CancelCauseFunc
	idle *time.Timer
}

func newWireBody(ctx context.Context, body io.ReadCloser, done context.CancelCauseFunc) *wireBody {
	return &wireBody{body, ctx, done, time.AfterFunc(bodyPatience, func() { done(errNoAnswer) })}
}

func (b *wireBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == nil {
		b.idle.Reset(bodyPatience)
	} else if err != io.EOF && context.Cause(b.ctx) == errNoAnswer {
		err = errNoAnswer
	}
	return n, err
}

func (b *wireBody) Close() error {
	b.idle.Stop()
	defer b.done(nil)
	return b.ReadCloser.Close()
}
