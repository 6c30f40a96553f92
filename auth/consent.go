package auth

import (
	"context"
	"errors"
	"sync"
	"time"
)

// helperWindow is how long a prompter or opener may take to notice the end.
const helperWindow = time.Second

// runConsent is the flight behind Ensure. It holds the store's lock while the
// person is asked, so that other processes wait for this sign-in instead of
// starting theirs.
//
// If the sign-in that was waited for failed, this one fails too: a person who
// says no to the first of ten programs has said it to all.
func (a *Authenticator) runConsent(ctx context.Context, f *flight) error {
	var s *signIn
	var failed error
	began := time.Now()
	notes, _ := a.cfg.Store.(failureNotes)
	err := a.update(ctx, a.notifyWaiting(ctx), func(old *Record) (*Record, error) {
		rec, err := a.renew(ctx, f, old)
		if err == nil || !errors.Is(err, ErrConsentRequired) {
			return rec, err // another process has signed in meanwhile, or cannot be told
		}
		if notes != nil && notes.failedAt(a.key).After(began) {
			return nil, &Error{Op: "sign-in", kind: ErrConsentRequired,
				Description: "the sign-in that another process started has just failed"}
		}
		s, rec, failed = a.ask(ctx, f)
		if failed != nil {
			if notes != nil && f.asked {
				notes.noteFailure(a.key)
			}
			return nil, nil // old is of no use either
		}
		return rec, nil
	})
	if err == nil {
		err = failed
	}
	return a.concluded(s, f, err)
}

// runLogin is the flight behind Login. It takes the lock only to save, so that
// silent refreshes by other processes go on meanwhile.
func (a *Authenticator) runLogin(ctx context.Context, f *flight) error {
	s, rec, err := a.ask(ctx, f)
	if err == nil {
		err = a.update(f.lasting, nil, func(*Record) (*Record, error) { return rec, nil })
	}
	return a.concluded(s, f, err)
}

// concluded shows the person the end, and remembers a failure for a while.
func (a *Authenticator) concluded(s *signIn, f *flight, err error) error {
	a.mu.Lock()
	unsaved := a.unsaved != nil
	if f.asked {
		a.backoff.until, a.backoff.err = time.Time{}, nil
		if err != nil && a.cfg.PromptBackoff > 0 {
			a.backoff.until, a.backoff.err = a.cfg.now().Add(a.cfg.PromptBackoff), err
		}
	}
	a.mu.Unlock()
	if s != nil {
		s.end(finalPage(err, unsaved))
	}
	return err
}

// notifyWaiting returns a function that tells the person that another process
// is signing in; nil if that cannot be shown.
func (a *Authenticator) notifyWaiting(ctx context.Context) func() {
	n, ok := a.prompter.(Notifier)
	if !ok {
		return nil
	}
	return func() { n.Notify(ctx, "Another process is signing in to Google. Waiting for it to finish.") }
}

// signIn is one time that the person is asked.
type signIn struct {
	rc      *receiver
	cancel  context.CancelFunc // ends the opener and the prompter
	helpers sync.WaitGroup
}

// end shows the final page, frees the port and sees the helpers off. One that
// ignores its ctx is left behind.
func (s *signIn) end(final page) {
	s.rc.finish(final)
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

// ask runs one sign-in up to the tokens. The signIn is to be ended by the
// caller when the record has been saved; it is nil if nothing was started.
func (a *Authenticator) ask(ctx context.Context, f *flight) (*signIn, *Record, error) {
	mode := a.cfg.resolveMode()
	if mode == ModeNever {
		return nil, nil, a.neverError(nil)
	}
	rc, err := newReceiver(&a.cfg, a.cfg.identified())
	if err != nil {
		return nil, nil, err
	}
	f.asked = true
	hctx, cancel := context.WithCancel(ctx)
	s := &signIn{rc: rc, cancel: cancel}
	got, err := a.await(ctx, hctx, mode, s)
	if err != nil {
		return s, nil, err
	}
	if got.err != "" {
		return s, nil, deniedError(got)
	}
	rec, life, err := a.redeem(f.lasting, rc.attempt, got.code)
	if err != nil {
		return s, nil, err
	}
	a.adopt(f, rec, life)
	a.cfg.Logger.DebugContext(ctx, "auth: signed in", "account", rec.Account)
	return s, rec, nil
}

// await shows the address and waits for the answer.
func (a *Authenticator) await(ctx, hctx context.Context, mode Mode, s *signIn) (answer, error) {
	at := s.rc.attempt
	a.mu.Lock()
	reason := a.reason
	a.mu.Unlock()
	p := Prompt{
		URL:          at.authURL(a.cfg.Client, a.cfg.requestScopes(), a.cfg.Account, a.cfg.HostedDomain),
		RedirectAddr: s.rc.addr,
		Opened:       mode == ModeBrowser,
		Reason:       reason,
		Paste:        at.paste,
	}
	opened := make(chan error, 1)
	if p.Opened {
		s.helpers.Go(func() { opened <- a.openBrowser(hctx, p.URL) })
	}
	prompting, stop := context.WithCancel(hctx)
	defer stop()
	first, stopFirst := context.WithCancel(prompting)
	defer stopFirst()
	shown := a.show(first, s, p)

	timer := time.NewTimer(a.cfg.LoginTimeout)
	defer timer.Stop()
	for {
		select {
		case got := <-at.answers:
			return got, nil
		case err := <-opened:
			if err == nil {
				continue
			}
			a.cfg.Logger.WarnContext(ctx, "auth: the browser could not be opened", "opener", openerText(err))
			stopFirst()
			p.Opened = false
			shown = a.show(prompting, s, p)
		case err := <-shown:
			if err != nil && !p.Opened {
				return answer{}, &Error{Op: "sign-in", kind: ErrConsentRequired,
					Description: "the address of the sign-in page could not be shown"}
			}
		case <-timer.C:
			return answer{}, &Error{Op: "sign-in", kind: ErrLoginTimeout,
				Description: "no answer within " + a.cfg.LoginTimeout.String(),
				Hint: "if the sign-in page showed an error (redirect_uri_mismatch, org_internal, " +
					"disallowed_useragent, invalid_client, deleted_client), " +
					"the application is not told of it; see the documentation of package auth"}
		case <-ctx.Done():
			return answer{}, &Error{Op: "sign-in", cause: context.Cause(ctx)}
		}
	}
}

// show calls the prompter; its error comes over the channel.
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
// opener may quote the address, which is nothing for a log.
func openerText(err error) string {
	if own, ok := errors.AsType[openerError](err); ok {
		return string(own)
	}
	return "the application's own"
}

func deniedError(got answer) error {
	e := &Error{Op: "sign-in", Code: printable(got.err), Description: printable(got.text)}
	classify(e, nil)
	return e
}

// redeem exchanges the code and checks what came of it.
func (a *Authenticator) redeem(ctx context.Context, at *attempt, code string) (*Record, time.Duration, error) {
	g, err := a.endpoint.exchange(ctx, code, at.verifier, at.redirectURI)
	if err != nil {
		return nil, 0, err
	}
	if g.scopes != nil {
		if missing := missingScopes(a.cfg.requestScopes(), g.scopes); len(missing) > 0 {
			return nil, 0, &Error{Op: "sign-in", kind: ErrScopeNotGranted, Description: printable(missing[0]),
				Hint: "leave all boxes on the sign-in page ticked"}
		}
	}
	granted := g.scopes
	if granted == nil { // as asked for (RFC 6749, section 5.1)
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
