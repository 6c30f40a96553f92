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
	// ErrConsentRequired means that only the user can go on, and was not or must
	// not be asked.
	ErrConsentRequired = errors.New("sign-in required")
	// ErrConsentDenied means that the user, or an administrator's policy, said no.
	ErrConsentDenied = errors.New("sign-in refused")
	// ErrLoginTimeout means that the user did not finish within
	// Config.LoginTimeout, or that another process's sign-in did not.
	ErrLoginTimeout = errors.New("sign-in timed out")
	// ErrScopeNotGranted means that the user left out a permission that was asked
	// for.
	ErrScopeNotGranted = errors.New("permission not granted")
	// ErrWrongAccount means that another account than Config.Account, or one
	// outside of Config.HostedDomain, signed in.
	ErrWrongAccount = errors.New("wrong account")
	// ErrClientConfig means that the OAuth client or the configuration is at
	// fault; signing in again does not help.
	ErrClientConfig = errors.New("client configuration")
	// ErrClosed means that the Authenticator has been closed.
	ErrClosed = errors.New("sign-in closed")
	// ErrNotFound means that the Store has no record for the key.
	ErrNotFound = errors.New("no stored sign-in")
	// ErrCorrupt means that the Store has something for the key that cannot be
	// used.
	ErrCorrupt = errors.New("stored sign-in cannot be used")
	// ErrNewerRecord means that the Store has a record for the key that a newer
	// version of this package wrote. It is left as it is, and the sign-in lives in
	// this process alone.
	ErrNewerRecord = errors.New("stored sign-in is of a newer version")
	// ErrStoreUnavailable means that the Store cannot be reached and that the
	// sign-in must not go on without it. A Store's other errors make the sign-in
	// live in this process alone, with a warning.
	ErrStoreUnavailable = errors.New("token store unavailable")
	// ErrNotUserCredential means that the application-default credentials are not a
	// user's.
	ErrNotUserCredential = errors.New("not a user credential")
)

// Error is what went wrong with a sign-in. It never holds a token, a code, a
// secret or an answer's raw body.
type Error struct {
	Op          string // what was being done: "sign-in", "refresh", "revoke", "client secrets", "configuration"
	Code        string // the OAuth error code, such as invalid_grant (RFC 6749, sections 4.1.2.1 and 5.2); "" if none
	Subtype     string // Google's error_subtype, such as invalid_rapt; "" if none
	Description string // what happened; from Google's error_description printable characters only, 200 bytes at most
	Hint        string // what to do about it; "" if there is nothing to say
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

// Temporary reports whether the same call may succeed a little later: the
// network or the token endpoint was at fault. Google's clients retry such errors.
func (e *Error) Temporary() bool { return e.transient }

// configError is a mistake in the configuration or in the OAuth client.
func configError(op, description, hint string) *Error {
	return &Error{Op: op, Description: description, Hint: hint, kind: ErrClientConfig}
}
