package auth

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"golang.org/x/oauth2"
)

// earlyExpiry is how long before its expiry a token is replaced. Google's
// client libraries ask for a new one 3 min 45 s before the expiry, in the
// background, and must not get the old one again.
const earlyExpiry = 5 * time.Minute

// Authenticator owns one sign-in. It is an oauth2.TokenSource, and safe for
// concurrent use. Keep it as long as the sql.DB.
type Authenticator struct {
	cfg      Config
	key      string
	endpoint *endpoint
	prompter Prompter
	running  sync.WaitGroup  // flights
	life     context.Context // ends with Close
	end      context.CancelFunc

	mu      sync.Mutex
	closed  bool
	silent  *flight // from memory, store or refresh; never asks
	consent *flight // asks the user
	memory  memoryToken
	refused [sha256.Size]byte // hash of the access token that Invalidate was told of
	reason  string            // why the user has to be asked again; "" = first time
	unsaved *Record           // the sign-in, if the store did not take it
	warned  map[string]bool
	backoff struct {
		until time.Time
		err   error
	}
}

// memoryToken is the access token in use.
type memoryToken struct {
	access string
	expiry time.Time
	stale  time.Time // when to get a new token
}

var _ oauth2.TokenSource = (*Authenticator)(nil)

// New checks the configuration and returns an Authenticator. It does not ask
// the user, and reads no stored sign-in yet. Errors match ErrClientConfig.
func New(cfg Config) (*Authenticator, error) {
	cfg, err := cfg.check()
	if err != nil {
		return nil, err
	}
	a := &Authenticator{
		cfg:      cfg,
		key:      cfg.key(),
		endpoint: newEndpoint(cfg.Client, cfg.HTTPClient),
		prompter: cfg.Prompter,
		warned:   map[string]bool{},
	}
	if a.prompter == nil {
		a.prompter = newTerminalPrompter()
	}
	a.life, a.end = context.WithCancel(context.Background())
	return a, nil
}

// Ensure gets a usable access token: from memory, from the store, by a refresh,
// or by asking the user, in this order. If a sign-in is already running, Ensure
// waits for it. It returns when ctx ends; the sign-in stops when no caller
// waits for it any more.
//
// After a failed sign-in the user is not asked again for Config.PromptBackoff.
// Until then the error matches ErrConsentRequired.
func (a *Authenticator) Ensure(ctx context.Context) error {
	_, err := a.TokenContext(ctx)
	if !errors.Is(err, ErrConsentRequired) {
		return err
	}
	required := err
	if a.cfg.resolveMode() == ModeNever {
		return a.neverError(required)
	}
	_, err = a.join(ctx, &a.consent, true, func() (bool, error) {
		if a.freshLocked() != nil {
			return true, nil // another caller's sign-in has just succeeded
		}
		return false, a.backoffLocked()
	}, a.runConsent)
	return err
}

// Token returns a valid access token. It never asks the user: if a new consent
// is needed, the error matches ErrConsentRequired.
func (a *Authenticator) Token() (*oauth2.Token, error) {
	return a.TokenContext(context.Background())
}

// TokenContext is like Token, and returns when ctx ends. A refresh that has
// begun goes on, for the next caller.
func (a *Authenticator) TokenContext(ctx context.Context) (*oauth2.Token, error) {
	var tok *oauth2.Token
	f, err := a.join(ctx, &a.silent, false, func() (bool, error) {
		tok = a.freshLocked()
		return tok != nil, nil
	}, a.runSilent)
	if err != nil {
		return nil, err
	}
	if tok == nil {
		copied := *f.token
		tok = &copied
	}
	return tok, nil
}

// Login asks the user even if there is a stored sign-in, and replaces it. If
// the user is already being asked, Login waits for that sign-in.
func (a *Authenticator) Login(ctx context.Context) error {
	if a.cfg.resolveMode() == ModeNever {
		return a.neverError(nil)
	}
	for {
		f, err := a.join(ctx, &a.consent, true, func() (bool, error) { return false, nil }, a.runLogin)
		if err != nil || f.asked {
			return err
		}
		// That sign-in ended without asking, because another process had signed in.
	}
}

// Invalidate forgets an access token that the API refused, so that the next
// call refreshes it. It has no effect if another token is in use.
func (a *Authenticator) Invalidate(accessToken string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.refused = sha256.Sum256([]byte(accessToken))
	if a.memory.access == accessToken {
		a.memory = memoryToken{}
	}
}

// Close stops a running sign-in and frees its port. Waiting and later calls
// return ErrClosed. Close may be called more than once.
func (a *Authenticator) Close() error {
	a.end()
	a.mu.Lock()
	a.closed = true
	for _, f := range []*flight{a.silent, a.consent} {
		if f != nil {
			f.kill(ErrClosed)
		}
	}
	a.mu.Unlock()
	a.running.Wait()
	return nil
}

// Client returns the OAuth client that the sign-in is for.
func (a *Authenticator) Client() *Client { return a.cfg.Client }

// String returns the id of the client. An Authenticator never prints its
// tokens.
func (a *Authenticator) String() string { return "auth.Authenticator(client " + a.cfg.Client.id + ")" }

// Format prints String for every verb.
func (a *Authenticator) Format(f fmt.State, _ rune) { io.WriteString(f, a.String()) }

// freshLocked returns the token in memory if it can still be used. a.mu is held.
func (a *Authenticator) freshLocked() *oauth2.Token {
	m := a.memory
	if m.access == "" || !a.cfg.now().Before(m.stale) {
		return nil
	}
	return &oauth2.Token{AccessToken: m.access, TokenType: "Bearer", Expiry: m.expiry}
}

// adopt makes the record's access token the one in use. life is the lifetime of
// a token that was issued just now, else 0.
func (a *Authenticator) adopt(f *flight, rec *Record, life time.Duration) {
	early := earlyExpiry
	if life > 0 {
		// Otherwise a token that lives for less than earlyExpiry would be
		// replaced at every call.
		early = min(early, life/2)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.memory = memoryToken{access: rec.AccessToken, expiry: rec.Expiry, stale: rec.Expiry.Add(-early)}
	a.reason = ""
	f.token = &oauth2.Token{AccessToken: rec.AccessToken, TokenType: "Bearer", Expiry: rec.Expiry}
}

// usable reports whether the record's access token can be used for a while. If
// the token seems to live for more than a day, the clock was changed.
func (a *Authenticator) usable(rec *Record) bool { return a.usableFor(rec, earlyExpiry) }

// usableFor reports whether the record's access token can be used for longer than least.
func (a *Authenticator) usableFor(rec *Record, least time.Duration) bool {
	if rec == nil || rec.AccessToken == "" {
		return false
	}
	left := rec.Expiry.Sub(a.cfg.now())
	a.mu.Lock()
	defer a.mu.Unlock()
	return left > least && left <= maxTokenLife && sha256.Sum256([]byte(rec.AccessToken)) != a.refused
}

// backoffLocked returns an error as long as the user must not be asked again after a
// failed sign-in. a.mu is held.
func (a *Authenticator) backoffLocked() error {
	if wait := a.backoff.until.Sub(a.cfg.now()); wait > 0 && wait <= a.cfg.PromptBackoff {
		return &Error{
			Op: "sign-in", kind: ErrConsentRequired, cause: a.backoff.err,
			Description: "the user is not asked again so soon after a failed sign-in",
			Hint:        "try again in " + wait.Round(time.Second).String(),
		}
	}
	return nil
}

// neverError returns ErrConsentRequired with advice, for a program that can't ask
// the user.
func (a *Authenticator) neverError(required error) error {
	e := &Error{Op: "sign-in", kind: ErrConsentRequired}
	if r, ok := errors.AsType[*Error](required); ok {
		*e = *r
	}
	hint := a.cfg.neverHint()
	if e.Hint != "" {
		hint = e.Hint + "; " + hint
	}
	e.Hint = hint
	return e
}

// warnOnce logs a warning the first time it occurs. err must hold no secret.
func (a *Authenticator) warnOnce(text string, err error) {
	a.mu.Lock()
	again := a.warned[text]
	a.warned[text] = true
	a.mu.Unlock()
	if !again {
		a.cfg.Logger.Warn("auth: "+text, "error", err)
	}
}
