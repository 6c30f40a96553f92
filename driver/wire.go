package driver

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"time"
)

const (
	// patience is how long to wait for the start of an answer, in addition to the time that BigQuery
	// holds the request.
	patience = 15 * time.Second

	// slowest is the slowest network, in bytes a second, that a request is sent over.
	slowest = 32 << 10

	// pingAfter and pingTimeout detect a connection whose network has vanished, as after a laptop
	// slept or a VPN was switched: an HTTP/2 PING after a silence, and the wait for its answer.
	pingAfter   = 10 * time.Second
	pingTimeout = 8 * time.Second
)

// errNoAnswer means that no answer has started in time.
var errNoAnswer = errors.New("no answer came in time")

// errEnded means that the server has ended each of several tries that net/http made by itself, without pauses
// and without a limit.
var errEnded = errors.New("the server ended the request again and again")

// errUnprocessed means that the server has closed the connection, or the stream, before it looked at the
// request.
var errUnprocessed = errors.New("the server closed the connection before it took the request")

// unprocessed reports whether an error means that, in net/http's words, which has no error type for it. It
// would have sent the request again, but that is the driver's task.
func unprocessed(err error) bool {
	text := err.Error()
	return strings.Contains(text, "cannot rewind body after connection loss") ||
		strings.Contains(text, "cannot retry err [") && !strings.Contains(text, "PROTOCOL_ERROR")
}

// errNothing means that an answer can't be BigQuery's. The request is made again, as it is where the answer
// can't be read.
var errNothing = errors.New("the answer has nothing in it")

type holdKey struct{}

// withHold returns a context for a request that BigQuery holds for up to d. The request fails if its
// answer has not started well after that. Requests without a hold have no such limit, because those of
// the official client may upload files.
func withHold(ctx context.Context, d time.Duration) context.Context {
	return context.WithValue(ctx, holdKey{}, d)
}

// requestWatcher is notified as a request makes its way to the server.
type requestWatcher interface {
	connecting() (goOn bool) // the transport looks for a connection; false ends the request
	connected()
	wroteHeaders()
}

type watcherKey struct{}

// withWatcher returns a context whose requests report to w. net/http can make a request more than once,
// for example after GOAWAY.
func withWatcher(ctx context.Context, w requestWatcher) context.Context {
	return context.WithValue(ctx, watcherKey{}, w)
}

// noWatcher is for requests without a watcher.
type noWatcher struct{}

func (noWatcher) connecting() bool { return true }
func (noWatcher) connected()       {}
func (noWatcher) wroteHeaders()    {}

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
	x := &exchange{limit: hold + patience, watcher: noWatcher{}}
	if watcher, ok := r.Context().Value(watcherKey{}).(requestWatcher); ok {
		x.watcher = watcher
	}
	x.ctx, x.giveUp = context.WithCancelCause(r.Context())
	x.timer = time.AfterFunc(x.limit, x.late)
	resp, err := w.base.RoundTrip(x.sending(r))
	x.answered.Store(true)
	if err != nil {
		x.end()
		return nil, x.fault(err)
	}
	if resp.StatusCode == http.StatusNoContent { // which none of our methods has
		resp.Body.Close()
		x.end()
		return nil, errNothing
	}
	if at, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		w.ahead.Store(int64(time.Until(at)))
	}
	x.body = resp.Body
	x.timer.Reset(bodyPatience)
	resp.Body = x
	return resp, nil
}

// bodyPatience is how long to wait for the next bytes of an answer.
const bodyPatience = 30 * time.Second

// exchange is a request and its answer, and the reader of the answer's body. If the transport does
// not report how far the request is, as a wrapper may not, the request counts as sent.
type exchange struct {
	watcher requestWatcher
	ctx     context.Context // of the request; giveUp ends it
	giveUp  context.CancelCauseFunc
	limit   time.Duration // until the answer starts
	timer   *time.Timer   // of the limit, then of the next bytes of the body
	body    io.ReadCloser
	trace   httptrace.ClientTrace

	tries                                                 atomic.Int32 // of net/http
	connects, connected, wroteHeaders, wroteAll, answered atomic.Bool
	filling                                               atomic.Bool // the caller makes the next bytes of the request
}

// sending returns the request as the transport sends it: it reports how far it is.
func (x *exchange) sending(r *http.Request) *http.Request {
	r = r.WithContext(x.traced())
	if r.Body == nil || r.Body == http.NoBody {
		return r
	}
	r.Body = &sentBody{r.Body, x}
	if get := r.GetBody; get != nil { // net/http sends it again, for example after GOAWAY
		r.GetBody = func() (io.ReadCloser, error) {
			body, err := get()
			return &sentBody{body, x}, err
		}
	}
	return r
}

// sentBody is the body of a request while it is sent.
type sentBody struct {
	io.ReadCloser
	x *exchange
}

// Read reads the next bytes to send. The network has the limit, and the time that a slow one takes for these
// bytes, until it wants more. The caller, who may make them meanwhile, has no limit.
func (b *sentBody) Read(p []byte) (int, error) {
	b.x.filling.Store(true)
	n, err := b.ReadCloser.Read(p)
	b.x.filling.Store(false)
	if !b.x.answered.Load() {
		b.x.timer.Reset(b.x.limit + time.Duration(n)*time.Second/slowest)
	}
	return n, err
}

// traced returns the context of the request, with which the transport reports how far it is.
func (x *exchange) traced() context.Context {
	x.trace = httptrace.ClientTrace{
		GetConn: func(string) {
			x.connects.Store(true)
			x.connected.Store(false)
			x.wroteAll.Store(false)
			switch {
			case !x.watcher.connecting():
				x.giveUp(nil)
			case x.tries.Add(1) > maxTries:
				x.giveUp(errEnded)
			}
		},
		GotConn: func(httptrace.GotConnInfo) {
			x.connected.Store(true)
			x.watcher.connected()
		},
		WroteHeaders: func() {
			x.wroteHeaders.Store(true)
			x.watcher.wroteHeaders()
		},
		WroteRequest: func(httptrace.WroteRequestInfo) {
			// The limit starts now, because a slow network takes time for a long statement.
			if x.wroteAll.Store(true); !x.answered.Load() {
				x.timer.Reset(x.limit)
			}
		},
	}
	return httptrace.WithClientTrace(x.ctx, &x.trace)
}

// late gives the request up, unless it is not the network that is awaited.
func (x *exchange) late() {
	dials := x.connects.Load() && !x.connected.Load() // which has a limit of its own
	if !x.answered.Load() && !x.wroteAll.Load() && (dials || x.filling.Load()) {
		x.timer.Reset(x.limit)
		return
	}
	x.giveUp(errNoAnswer)
}

// end releases the resources of the request.
func (x *exchange) end() {
	x.timer.Stop()
	x.giveUp(nil)
}

// fault returns the error of a request that has no answer.
func (x *exchange) fault(err error) error {
	switch cause := context.Cause(x.ctx); {
	case cause == errNoAnswer || cause == errEnded:
		return cause
	case x.connects.Load() && !x.wroteHeaders.Load():
		return &unsentError{err}
	case unprocessed(err):
		return errUnprocessed
	}
	return err
}

// Read reads the answer. It fails if nothing arrives for some time.
func (x *exchange) Read(p []byte) (int, error) {
	n, err := x.body.Read(p)
	if err == nil {
		x.timer.Reset(bodyPatience)
	} else if err != io.EOF && context.Cause(x.ctx) == errNoAnswer {
		err = errNoAnswer
	}
	return n, err
}

func (x *exchange) Close() error {
	defer x.end()
	return x.body.Close()
}

// unsentError means that nothing of a request was sent, because no connection could be made.
type unsentError struct{ error }

func (e *unsentError) Unwrap() error { return e.error }

// serverTime converts our time t to the server's clock.
func (w *wire) serverTime(t time.Time) time.Time { return t.Add(time.Duration(w.ahead.Load())) }
