package auth

import (
	"context"
	"errors"
	"time"
)

// Identity describes a sign-in. It holds no secret.
type Identity struct {
	// Account is the e-mail address. It is known if Config.Account or
	// Config.HostedDomain was set, or if openid and email were among the
	// scopes. Otherwise it is ""; SELECT SESSION_USER() asks BigQuery for it.
	Account string
	// Subject is Google's stable id of the account; "" if Account is "".
	Subject string
	// HostedDomain is the Workspace domain; "" for a consumer account or if Account is
	// "".
	HostedDomain string
	// Scopes are the scopes that were granted.
	Scopes []string
	// SignedIn is when the user consented.
	SignedIn time.Time
	// Expiry is when the current access token expires. It is refreshed
	// silently.
	Expiry time.Time
}

// Identity describes the stored sign-in, without a request. If there is none,
// the error matches ErrConsentRequired.
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

// Logout removes the stored sign-in from this machine. It makes no request: the
// grant at Google remains, and other machines stay signed in.
func (a *Authenticator) Logout(ctx context.Context) error {
	return a.remove(ctx, "logout", func(*Record) error { return nil })
}

// Revoke asks Google to end the grant, and then removes the stored sign-in as
// Logout does. Google ends everything that the user has granted to any client
// of the application's project, so the user is signed out on all machines. If
// Google can't be reached the sign-in is kept, and the error is Temporary.
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
// the lock, so that a refresh by another process can't restore the record.
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
