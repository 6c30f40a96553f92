package auth

import (
	"context"
	"errors"
	"time"
)

// runConsent is the flight of Ensure. It holds the store's lock while the user
// is asked, so that other processes wait for this sign-in and do not start
// their own.
//
// If it waited for another sign-in and that one failed, it fails too. A user
// who refuses the first of ten programs has refused all of them.
func (a *Authenticator) runConsent(ctx context.Context, f *flight) error {
	var s *signIn
	var rec *Record
	var failed error
	began := time.Now()
	notes, _ := a.cfg.Store.(failureNotes)
	err := a.update(ctx, a.notifyWaiting(ctx), func(old *Record) (*Record, error) {
		renewed, err := a.renew(ctx, f, old)
		if err == nil || !errors.Is(err, ErrConsentRequired) {
			return renewed, err // another process has signed in meanwhile, or the refresh failed
		}
		if notes != nil && notes.failedAt(a.key).After(began) {
			return nil, &Error{Op: "sign-in", kind: ErrConsentRequired,
				Description: "the sign-in that another process started has just failed",
				Hint:        "run this program again; programs that wait for the same sign-in share its outcome"}
		}
		s, rec, failed = a.ask(ctx, f)
		if failed != nil {
			if notes != nil && f.asked {
				notes.noteFailure(a.key)
			}
			return nil, nil // old can't be used either
		}
		return rec, nil
	})
	if err == nil {
		err = failed
	}
	return a.concluded(ctx, s, f, rec, err)
}

// runLogin is the flight of Login. It takes the lock only to save, so that
// silent refreshes by other processes go on meanwhile.
func (a *Authenticator) runLogin(ctx context.Context, f *flight) error {
	s, rec, err := a.ask(ctx, f)
	if err == nil {
		err = a.update(f.lasting, nil, func(*Record) (*Record, error) { return rec, nil })
	}
	return a.concluded(ctx, s, f, rec, err)
}

// concluded shows the user the outcome, and remembers a failure for a while.
func (a *Authenticator) concluded(ctx context.Context, s *signIn, f *flight, rec *Record, err error) error {
	a.mu.Lock()
	unsaved := a.unsaved != nil
	if f.asked {
		a.backoff.until, a.backoff.err = time.Time{}, nil
		if err != nil && a.cfg.PromptBackoff > 0 {
			a.backoff.until, a.backoff.err = a.cfg.now().Add(a.cfg.PromptBackoff), err
		}
	}
	a.mu.Unlock()
	if s == nil {
		return err
	}
	if err == nil {
		a.cfg.Logger.InfoContext(ctx, "auth: signed in",
			"account", accountText(rec), "scopes", shortNames(rec.Granted))
	}
	s.end(finalPage(err, unsaved, rec), err)
	if err == nil && s.rc.start != nil && s.rc.start.blindFor(s.answered) {
		a.running.Go(func() {
			defer s.rc.close()
			if s.rc.start.guard(a.life) {
				a.takeBack(rec)
			}
		})
		return nil
	}
	s.rc.close()
	return err
}

// accountText returns the account of a record for a log line.
func accountText(rec *Record) string {
	if rec.Account == "" {
		return "not requested"
	}
	return printable(rec.Account)
}

// takeBack removes a sign-in that may be another user's.
func (a *Authenticator) takeBack(rec *Record) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(a.life), takeBackWindow)
	defer cancel()
	a.mu.Lock()
	if a.memory.access == rec.AccessToken {
		a.memory = memoryToken{}
	}
	if a.unsaved != nil && a.unsaved.Created.Equal(rec.Created) {
		a.unsaved = nil
	}
	a.reason = errStartedTwice.Description
	a.mu.Unlock()
	err := a.locked(ctx, func(old *Record) (*Record, error) {
		if old == nil || !old.Created.Equal(rec.Created) {
			return old, nil
		}
		return nil, nil
	})
	a.cfg.Logger.Warn("auth: the sign-in was removed", "reason", errStartedTwice, "removed", err == nil)
}

// notifyWaiting returns a function that tells the user that another process is
// signing in, or nil if the prompter shows no messages.
func (a *Authenticator) notifyWaiting(ctx context.Context) func() {
	n, ok := a.prompter.(Notifier)
	if !ok {
		return nil
	}
	return func() {
		n.Notify(ctx, "Another process is signing in to Google"+a.holderText(" (", ")")+". Waiting for it to finish.")
	}
}
