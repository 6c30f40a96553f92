package auth

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Errors that callers can test for with errors.Is. The error that carries one
// is usually an *Error with more detail.
var (
	// ErrConsentRequired means that the user has to sign in, and was not asked
	// or must not be asked.
	ErrConsentRequired = errors.New("sign-in required")
	// ErrConsentDenied means that the user, or an administrator's policy, refused
	// the sign-in.
	ErrConsentDenied = errors.New("sign-in refused")
	// ErrLoginTimeout means that the user did not finish the sign-in within
	// Config.LoginTimeout, or that the sign-in of another process did not end
	// in time.
	ErrLoginTimeout = errors.New("sign-in timed out")
	// ErrScopeNotGranted means that the user did not grant a permission that was
	// requested.
	ErrScopeNotGranted = errors.New("permission not granted")
	// ErrWrongAccount means that an account other than Config.Account, or
	// outside of Config.HostedDomain, signed in.
	ErrWrongAccount = errors.New("wrong account")
	// ErrClientConfig means that the OAuth client or the configuration is
	// wrong. Signing in again does not help.
	ErrClientConfig = errors.New("client configuration")
	// ErrClosed means that the Authenticator has been closed.
	ErrClosed = errors.New("sign-in closed")
	// ErrNotFound means that the Store has no record for the key.
	ErrNotFound = errors.New("no stored sign-in")
	// ErrCorrupt means that the Store has a record for the key that can't be
	// read.
	ErrCorrupt = errors.New("stored sign-in cannot be used")
	// ErrNewerRecord means that the Store has a record for the key that a newer
	// version of this package wrote. The record is not changed, and the sign-in is
	// kept in memory until the process ends.
	ErrNewerRecord = errors.New("stored sign-in is of a newer version")
	// ErrStoreUnavailable means that the Store can't be reached, and ends the
	// sign-in. After any other error of a Store the sign-in is kept in memory
	// until the process ends, with a warning.
	ErrStoreUnavailable = errors.New("token store unavailable")
	// ErrNotUserCredential means that the application-default credentials are not a
	// user's.
	ErrNotUserCredential = errors.New("not a user credential")
)

// Error is the error of a sign-in. It never holds a token, a code, a secret or
// the raw body of an answer.
type Error struct {
	Op          string // the operation: "sign-in", "refresh", "revoke", "client secrets", "configuration"
	Code        string // the OAuth error code, such as invalid_grant (RFC 6749, sections 4.1.2.1 and 5.2); "" if none
	Subtype     string // Google's error_subtype, such as invalid_rapt; "" if none
	Description string // what happened; from Google's error_description printable characters only, 200 bytes at most
	Hint        string // what to do about it; "" if there is no advice
	Status      int    // the HTTP status of the answer; 0 if there was none

	kind       error // one of the sentinels, or nil
	cause      error // an error that is known to hold no secret, or nil
	transient  bool
	retryAfter time.Duration // what the server asked for; 0 = nothing
}

// Error returns one line that starts with "auth:".
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("auth: ")
	b.WriteString(e.Op)
	if e.kind != nil {
		b.WriteString(": ")
		b.WriteString(e.kind.Error())
	}
	if e.Code != "" {
		b.WriteString(": ")
		b.WriteString(e.Code)
		if e.Subtype != "" {
			b.WriteString(" (" + e.Subtype + ")")
		}
	}
	if e.Description != "" {
		b.WriteString(": ")
		b.WriteString(e.Description)
	}
	if e.Status != 0 {
		fmt.Fprintf(&b, " [HTTP %d]", e.Status)
	}
	if e.cause != nil {
		b.WriteString(": ")
		b.WriteString(e.cause.Error())
	}
	if e.Hint != "" {
		b.WriteString(" - ")
		b.WriteString(e.Hint)
	}
	return b.String()
}

// Unwrap lets errors.Is find the sentinel and the cause, such as context.Canceled.
func (e *Error) Unwrap() []error {
	var out []error
	if e.kind != nil {
		out = append(out, e.kind)
	}
	if e.cause != nil {
		out = append(out, e.cause)
	}
	return out
}

// Temporary reports whether the same call may succeed a little later, because the
// network or the token endpoint failed. Google's clients retry such errors.
func (e *Error) Temporary() bool { return e.transient }

// configError returns the error of a mistake in the configuration or in the
// OAuth client.
func configError(op, description, hint string) *Error {
	return &Error{Op: op, Description: description, Hint: hint, kind: ErrClientConfig}
}
