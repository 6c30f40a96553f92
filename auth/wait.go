package auth

import (
	"context"
	"errors"
	"time"
)

// errWaited ends the wait for another sign-in.
var errWaited = errors.New("waited long enough")

// locked runs fn on the stored record under the store's lock. It waits for the
// lock for a limited time: its holder may take Config.LoginTimeout for its
// user, and a slow holder can't be told from a stopped one. fn itself may run
// until ctx ends.
func (a *Authenticator) locked(ctx context.Context, fn func(old *Record) (*Record, error)) error {
	waiting, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	limit := a.cfg.LoginTimeout + a.cfg.margin
	timer := time.AfterFunc(limit, func() { stop(errWaited) })
	defer timer.Stop()
	ran := false
	err := a.cfg.Store.Update(waiting, a.key, func(old *Record) (*Record, error) {
		timer.Stop()
		ran = true
		return fn(old)
	})
	if err != nil && !ran && errors.Is(context.Cause(waiting), errWaited) {
		return &Error{Op: "sign-in", kind: ErrLoginTimeout,
			Description: "another sign-in has not ended within " + limit.String() + a.holderText(": ", ""),
			Hint:        "finish the sign-in there, or continue or end that process, and try again"}
	}
	return err
}

// holders is implemented by the stores of this package. They know which process
// has the lock.
type holders interface {
	holder(key string) string // "" if not known
}

// holderText returns the process that has the lock, between two texts, or "" if
// it is not known.
func (a *Authenticator) holderText(before, after string) string {
	if h, ok := a.cfg.Store.(holders); ok {
		if who := h.holder(a.key); who != "" {
			return before + who + after
		}
	}
	return ""
}
