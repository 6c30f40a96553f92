package auth

import (
	"context"
	"errors"
	"sync"
	"time"
)

// helperWindow is how long a prompter or opener may take to notice the end.
const helperWindow = time.Second

// signIn is one request to the user to sign in.
type signIn struct {
	rc       *receiver
	answered *attempt           // the request that got the answer
	cancel   context.CancelFunc // ends the opener and the prompter
	helpers  sync.WaitGroup
}

// end shows the final page and waits for the helpers, except for one that
// ignores its ctx. The port stays open until rc.close.
func (s *signIn) end(final page, result error) {
	s.rc.finish(final, result)
	s.cancel()
	gone := make(chan struct{})
	go func() {
		s.helpers.Wait()
		close(gone)
	}()
	select {
	case <-gone:
	case <-time.After(helperWindow):
	}
}

// ask runs one sign-in until it has the tokens. The caller ends the signIn when
// the record has been saved. The signIn is nil if nothing was started.
func (a *Authenticator) ask(ctx context.Context, f *flight) (*signIn, *Record, error) {
	mode := a.cfg.resolveMode()
	if mode == ModeNever {
		return nil, nil, a.neverError(nil)
	}
	rc, err := newReceiver(&a.cfg, mode == ModeBrowser)
	if err != nil {
		return nil, nil, err
	}
	f.asked = true
	hctx, cancel := context.WithCancel(ctx)
	s := &signIn{rc: rc, cancel: cancel}
	got, err := a.await(ctx, hctx, s)
	switch {
	case err != nil:
		return s, nil, err
	case got.failed != nil:
		return s, nil, got.failed
	case got.err != "":
		return s, nil, deniedError(got)
	}
	s.answered = got.attempt
	rec, life, err := a.redeem(f.lasting, got.attempt, got.code)
	if err != nil {
		return s, nil, err
	}
	a.adopt(f, rec, life)
	return s, rec, nil
}

// await shows the address and waits for the answer. If the browser has not
// loaded the start page after a while, it may never do so. The user then sees
// the address as if there were no browser.
func (a *Authenticator) await(ctx, hctx context.Context, s *signIn) (answer, error) {
	p := a.prompt(s.rc)
	opened := make(chan error, 1)
	var patience <-chan time.Time
	var visited <-chan struct{}
	if p.Opened {
		s.helpers.Go(func() { opened <- a.openBrowser(hctx, s.rc.address(s.rc.start.path)) })
		late := time.NewTimer(a.cfg.patience)
		defer late.Stop()
		patience, visited = late.C, s.rc.start.visited
	}
	prompting, stop := context.WithCancel(hctx)
	defer stop()
	first, stopFirst := context.WithCancel(prompting)
	defer stopFirst()
	shown := a.show(first, s, p)
	alone := !p.Opened // only the prompter shows the address
	offerPaste := func(trouble string) {
		if p.Opened {
			stopFirst()
			if shown != nil { // the first text must be shown before the second
				select {
				case <-shown:
				case <-time.After(helperWindow):
				}
			}
			p.Opened, p.Trouble = false, trouble
			shown = a.show(prompting, s, p)
		}
	}

	timer := time.NewTimer(a.cfg.LoginTimeout)
	defer timer.Stop()
	for {
		select {
		case got := <-s.rc.slot.first:
			return got, nil
		case <-visited:
			patience, visited = nil, nil
		case <-patience:
			patience = nil
			offerPaste("no browser has opened the sign-in page so far")
		case err := <-opened:
			if err != nil {
				a.cfg.Logger.WarnContext(ctx, "auth: the browser could not be opened", "opener", openerText(err))
				alone = true
				offerPaste("the browser could not be opened")
			}
		case err := <-shown:
			shown = nil // it has been shown
			if err != nil && alone {
				return answer{}, &Error{Op: "sign-in", kind: ErrConsentRequired,
					Description: "the address of the sign-in page could not be shown"}
			}
		case <-timer.C:
			return answer{}, a.timeoutError()
		case <-ctx.Done():
			return answer{}, &Error{Op: "sign-in", cause: context.Cause(ctx)}
		}
	}
}

// prompt returns the first prompt for the user.
func (a *Authenticator) prompt(rc *receiver) Prompt {
	a.mu.Lock()
	defer a.mu.Unlock()
	return Prompt{
		URL:          rc.shown.authURL(a.cfg.Client, a.cfg.requestScopes(), a.cfg.Account, a.cfg.HostedDomain),
		RedirectAddr: rc.addr,
		RedirectURI:  rc.uri.String(),
		Opened:       rc.start != nil,
		Reason:       a.reason,
		Paste:        rc.paste,
	}
}

func (a *Authenticator) timeoutError() error {
	return &Error{Op: "sign-in", kind: ErrLoginTimeout,
		Description: "no answer within " + a.cfg.LoginTimeout.String(),
		Hint: "if the sign-in page showed an error (redirect_uri_mismatch, org_internal, disallowed_useragent, " +
			"invalid_client, deleted_client), the application does not learn of it; " +
			"see the documentation of package auth"}
}

// show calls the prompter and sends its error over the channel.
func (a *Authenticator) show(ctx context.Context, s *signIn, p Prompt) <-chan error {
	shown := make(chan error, 1)
	s.helpers.Go(func() { shown <- a.prompter.Prompt(ctx, p) })
	return shown
}

func (a *Authenticator) openBrowser(ctx context.Context, address string) error {
	if a.cfg.OpenBrowser != nil {
		return a.cfg.OpenBrowser(ctx, address)
	}
	return openSystemBrowser(ctx, a.cfg.env, address)
}

// openerText returns the text of this package's own errors. An application's
// opener may quote the address, which must not be in a log.
func openerText(err error) string {
	if own, ok := errors.AsType[openerError](err); ok {
		return string(own)
	}
	return "the application's own"
}

func deniedError(got answer) error {
	secrets := []string{got.attempt.state, got.attempt.verifier, got.attempt.nonce}
	e := &Error{Op: "sign-in", Code: printable(got.err, secrets...), Description: printable(got.text, secrets...)}
	classify(e, nil)
	return e
}

// redeem exchanges the code and checks the answer.
func (a *Authenticator) redeem(ctx context.Context, at *attempt, code string) (*Record, time.Duration, error) {
	g, err := a.endpoint.exchange(ctx, code, at.verifier, at.redirectURI)
	if err != nil {
		return nil, 0, err
	}
	if g.scopes != nil {
		if missing := missingScopes(a.cfg.requestScopes(), g.scopes); len(missing) > 0 {
			return nil, 0, &Error{Op: "sign-in", kind: ErrScopeNotGranted, Description: printable(missing[0]),
				Hint: "tick all boxes on the sign-in page"}
		}
	}
	granted := g.scopes
	if granted == nil { // as requested (RFC 6749, section 5.1)
		granted = a.cfg.requestScopes()
	}
	now := a.cfg.now()
	rec := &Record{
		Version: recordVersion, ClientID: a.cfg.Client.id, Scopes: a.cfg.Scopes, Granted: granted,
		RefreshToken: g.refreshToken, AccessToken: g.accessToken, Expiry: now.Add(g.life), Created: now,
	}
	if a.cfg.identified() {
		who, err := checkIDToken(g.idToken, a.cfg.Client, at.nonce, now)
		if err != nil {
			return nil, 0, err
		}
		if err := checkAccount(who, a.cfg.Account, a.cfg.HostedDomain); err != nil {
			return nil, 0, err
		}
		rec.Account, rec.Subject, rec.HostedDomain = who.Email, who.Subject, who.HostedDomain
	}
	return rec, g.life, nil
}
