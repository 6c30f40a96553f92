package auth

import (
	"context"
	"errors"

	"golang.org/x/oauth2"
)

// flight is an operation that any number of callers wait for.
type flight struct {
	done    chan struct{} // closed at the end; err, token and asked are set before
	err     error
	token   *oauth2.Token // what a successful flight got
	asked   bool          // the user was asked
	waiters int           // callers that still wait; guarded by Authenticator.mu
	dying   bool          // all callers have left; guarded by Authenticator.mu

	// lasting ends with Close alone. Once the user has consented, the rest is
	// done even if no caller waits any more.
	lasting context.Context
	abandon context.CancelCauseFunc // ends the ctx that run got, but not lasting
	kill    context.CancelCauseFunc // ends both
}

var errNobodyWaits = errors.New("no caller waits for the sign-in any more")

// join waits for the flight in *slot, and starts one with run if there is none.
// A caller leaves when its own ctx ends. If abandon is set, the flight is
// cancelled when the last caller leaves. The flight's ctx has the values of the
// first caller's ctx, but does not end with it.
//
// join calls before under a.mu when a new flight would start. If before returns
// an error or true, join returns and starts none.
func (a *Authenticator) join(ctx context.Context, slot **flight, abandon bool,
	before func() (bool, error), run func(context.Context, *flight) error) (*flight, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, leftEarly(ctx, false)
		}
		a.mu.Lock()
		if a.closed {
			a.mu.Unlock()
			return nil, errClosed()
		}
		f := *slot
		if f != nil && f.dying {
			// It still holds the port and the lock.
			a.mu.Unlock()
			select {
			case <-f.done:
				continue
			case <-ctx.Done():
				return nil, leftEarly(ctx, false)
			}
		}
		if f == nil {
			if done, err := before(); done || err != nil {
				a.mu.Unlock()
				return nil, err
			}
			f = a.startLocked(ctx, slot, run)
		}
		f.waiters++
		a.mu.Unlock()

		select {
		case <-f.done:
			return f, f.err
		case <-ctx.Done():
		}
		a.mu.Lock()
		f.waiters--
		if f.waiters == 0 && abandon && !f.dying {
			f.dying = true
			f.abandon(errNobodyWaits)
		}
		a.mu.Unlock()
		return nil, leftEarly(ctx, abandon)
	}
}

// startLocked starts a flight. a.mu is held.
func (a *Authenticator) startLocked(ctx context.Context, slot **flight,
	run func(context.Context, *flight) error) *flight {
	f := &flight{done: make(chan struct{})}
	f.lasting, f.kill = context.WithCancelCause(context.WithoutCancel(ctx))
	work, cancel := context.WithCancelCause(f.lasting)
	f.abandon = cancel
	*slot = f
	a.running.Add(1)
	go func() {
		defer a.running.Done()
		defer f.kill(nil)
		err := run(work, f)
		a.mu.Lock()
		if a.closed && err != nil {
			err = errClosed()
		}
		f.err = err
		*slot = nil
		a.mu.Unlock()
		if err != nil {
			a.cfg.Logger.DebugContext(work, "auth: no token", "error", err)
		}
		close(f.done)
	}()
	return f
}

// leftEarly returns the error of a caller whose own ctx has ended.
func leftEarly(ctx context.Context, asking bool) error {
	e := &Error{Op: "sign-in", cause: ctx.Err()}
	if asking && errors.Is(e.cause, context.DeadlineExceeded) {
		e.Hint = "the sign-in in the browser was still open; allow more time for the first connection"
	}
	return e
}

func errClosed() error { return &Error{Op: "sign-in", kind: ErrClosed} }
