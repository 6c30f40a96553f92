package auth

import (
	"context"
	"errors"
	"time"
)

// Identity is what is known about a sign-in. It holds no secret.
type Identity struct {
	// Account is the e-mail address. It is known only if Config.Account or
	// Config.HostedDomain was set, or openid and email were among the scopes;
	// else "" (ask BigQuery for SESSION_USER() instead).
	Account string
	// Subject is Google's stable id of the account; "" if Account is.
	Subject string
	// HostedDomain is the Workspace domain; "" for a consumer account or if Account is.
	HostedDomain string
	// Scopes are those that were granted.
	Scopes []string
	// SignedIn is when the user consented.
	SignedIn time.Time
	// Expiry is when the present access token ends; it is refreshed silently.
	Expiry time.Time
}

// Identity reports what is known about the stored sign-in, without a request.
// The error matches ErrConsentRequired if there is none.
func (a *Authenticator) Identity(ctx context.Context) (Identity, error) {
	rec, err := a.load(ctx)
	if err != nil {
		return Identity{}, err
	}
	if rec == nil {
		return Identity{}, a.required()
	}
	id := Identity{
		Account: rec.Account, Subject: rec.Subject, HostedDomain: rec.HostedDomain,
		Scopes: rec.Granted, SignedIn: rec.Created, Expiry: rec.Expiry,
	}
	if id.Scopes == nil {
		id.Scopes = rec.Scopes
	}
	return id, nil
}

// Logout removes the stored sign-in on this machine. It makes no request:
// Google still knows the grant, and other machines stay signed in.
func (a *Authenticator) Logout(ctx context.Context) error {
	return a.remove(ctx, "logout", func(*Record) error { return nil })
}

// Revoke asks Google to end the grant, then does Logout. Google ends everything
// that the user has granted to any client of the application's project, so
// the user is signed out on all machines. It never happens by itself. If
// Google cannot be reached the sign-in is kept and the error is Temporary.
func (a *Authenticator) Revoke(ctx context.Context) error {
	return a.remove(ctx, "revoke", func(rec *Record) error {
		gone, err := a.endpoint.revoke(ctx, rec.RefreshToken)
		if gone {
			a.cfg.Logger.DebugContext(ctx, "auth: the grant had ended before it was revoked")
		}
		return err
	})
}

// remove calls last with the record, if there is one, and removes it. It holds
// the lock, so a refresh by another process cannot bring the record back.
func (a *Authenticator) remove(ctx context.Context, op string, last func(*Record) error) error {
	var failed error
	err := a.locked(ctx, func(old *Record) (*Record, error) {
		if rec := a.mine(old); rec != nil {
			failed = last(rec)
		}
		return nil, failed
	})
	if failed != nil {
		return failed
	}
	a.mu.Lock()
	a.memory, a.unsaved, a.reason = memoryToken{}, nil, ""
	a.mu.Unlock()
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrStoreUnavailable), errors.Is(err, ErrLoginTimeout):
		return err
	}
	return &Error{Op: op, Description: "the stored sign-in could not be removed", cause: err}
}
