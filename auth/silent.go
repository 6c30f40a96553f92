package auth

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
)

const (
	refreshTries  = 3
	refreshWindow = 10 * time.Second // no new try after this

	// lastUse is how long an access token must still be valid to be used while the token endpoint
	// fails.
	lastUse = 20 * time.Second
)

// runSilent is the flight of Token. It gets a token without the user.
func (a *Authenticator) runSilent(ctx context.Context, f *flight) error {
	rec, err := a.load(ctx)
	switch {
	case err != nil:
		return err
	case a.usable(rec):
		a.adopt(f, rec, 0)
		return nil
	case rec == nil:
		// Do not wait for the lock: a sign-in that takes minutes may hold it.
		return a.required()
	}
	var failed error
	err = a.update(ctx, nil, func(old *Record) (*Record, error) {
		rec, err := a.renew(ctx, f, old)
		if errors.Is(err, ErrConsentRequired) {
			failed = err
			return nil, nil // the record can't be used any more
		}
		return rec, err
	})
	if err != nil {
		return err
	}
	return failed
}

// required returns the error for a missing sign-in.
func (a *Authenticator) required() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return &Error{Op: "sign-in", kind: ErrConsentRequired, Description: a.reason}
}

// renew returns old if it is usable, or else refreshes it, and adopts the
// token. If the error matches ErrConsentRequired, old can't be used any more.
func (a *Authenticator) renew(ctx context.Context, f *flight, old *Record) (*Record, error) {
	switch {
	case old == nil:
		return nil, a.required()
	case a.usable(old):
		a.adopt(f, old, 0)
		return old, nil
	}
	next, life, err := a.refresh(ctx, old)
	if errors.Is(err, ErrConsentRequired) {
		// If locks do not work, another process may have signed in meanwhile.
		if now, lerr := a.load(ctx); lerr == nil && now != nil && now.RefreshToken != old.RefreshToken {
			if a.usable(now) {
				a.adopt(f, now, 0)
				return now, nil
			}
			next, life, err = a.refresh(ctx, now)
		}
	}
	if e, ok := errors.AsType[*Error](err); ok && e.transient && a.usableFor(old, lastUse) {
		a.adopt(f, old, old.Expiry.Sub(a.cfg.now())) // and tries again when half of that is over
		return old, nil
	}
	if err != nil {
		if e, ok := errors.AsType[*Error](err); ok && errors.Is(err, ErrConsentRequired) {
			a.mu.Lock()
			a.reason = e.Hint
			a.mu.Unlock()
		}
		return nil, err
	}
	a.adopt(f, next, life)
	return next, nil
}

// refresh asks for a new access token. If the network or the server failed, it
// tries again a few times.
func (a *Authenticator) refresh(ctx context.Context, old *Record) (*Record, time.Duration, error) {
	start := time.Now()
	pause := a.cfg.pause
	for try := 1; ; try++ {
		g, err := a.endpoint.refresh(ctx, old.RefreshToken)
		if err == nil {
			next := old.clone()
			next.AccessToken, next.Expiry = g.accessToken, a.cfg.now().Add(g.life)
			if g.refreshToken != "" {
				next.RefreshToken = g.refreshToken
			}
			a.cfg.Logger.DebugContext(ctx, "auth: access token refreshed", "expiry", next.Expiry)
			return next, g.life, nil
		}
		e, ok := errors.AsType[*Error](err)
		if !ok || !e.transient {
			return nil, 0, err
		}
		wait := max(pause, e.retryAfter)
		if try == refreshTries || time.Since(start)+wait > refreshWindow {
			return nil, 0, err
		}
		a.cfg.Logger.DebugContext(ctx, "auth: refresh failed, trying again", "error", err, "wait", wait)
		if sleep(ctx, wait) != nil {
			return nil, 0, err
		}
		pause *= 2
	}
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

// load returns the stored record, or the one that could not be stored. It
// returns nil if there is none or if it can't be used.
func (a *Authenticator) load(ctx context.Context) (*Record, error) {
	rec, err := a.cfg.Store.Get(ctx, a.key)
	if errors.Is(err, ErrStoreUnavailable) {
		return nil, err
	}
	if err != nil && !errors.Is(err, ErrNotFound) && ctx.Err() == nil {
		a.warnOnce("the stored sign-in cannot be read", err)
		rec = nil
	}
	return a.mine(rec), nil
}

// mine returns rec if it belongs to this sign-in, because a file can be copied
// to the name of another. A newer record that could not be stored takes
// precedence.
func (a *Authenticator) mine(rec *Record) *Record {
	a.mu.Lock()
	unsaved := a.unsaved.clone()
	a.mu.Unlock()
	if rec == nil || unsaved != nil && !rec.Created.After(unsaved.Created) {
		return unsaved
	}
	switch {
	case rec.ClientID != a.cfg.Client.id, !slices.Equal(rec.Scopes, a.cfg.Scopes), rec.RefreshToken == "",
		a.cfg.Account != "" && !strings.EqualFold(rec.Account, a.cfg.Account),
		a.cfg.HostedDomain != "" && rec.Version > 1 && !strings.EqualFold(rec.HostedDomain, a.cfg.HostedDomain):
		a.warnOnce("the stored sign-in is of another client, scope or account and is ignored", nil)
		return unsaved
	}
	return rec
}

// update runs fn on the stored record under the store's lock. If the store
// fails, the sign-in is kept in memory, with one warning. update calls notice,
// if it is not nil, when it has waited for the lock for some time.
func (a *Authenticator) update(ctx context.Context, notice func(), fn func(old *Record) (*Record, error)) error {
	if notice != nil {
		timer := time.AfterFunc(a.cfg.notice, notice)
		defer timer.Stop()
		inner := fn
		fn = func(old *Record) (*Record, error) {
			timer.Stop()
			return inner(old)
		}
	}
	var ran bool
	var next *Record
	var failed error
	err := a.locked(ctx, func(old *Record) (*Record, error) {
		ran = true
		next, failed = fn(a.mine(old))
		return next, failed
	})
	switch {
	case ran && failed != nil:
		return failed
	case !ran && ctx.Err() != nil:
		return &Error{Op: "sign-in", cause: context.Cause(ctx)}
	case errors.Is(err, ErrStoreUnavailable), !ran && errors.Is(err, ErrLoginTimeout):
		return err
	case err != nil && !ran:
		old, lerr := a.load(ctx)
		if lerr != nil {
			return lerr
		}
		if next, failed = fn(old); failed != nil {
			return failed
		}
	}
	a.mu.Lock()
	a.unsaved = nil
	if err != nil {
		a.unsaved = next.clone()
	}
	a.mu.Unlock()
	if err != nil {
		a.warnOnce("the sign-in cannot be saved and ends with this process", err)
	}
	return nil
}
