package auth

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/fakegoogle"
)

// T38, S41: the user is not asked again at once after a sign-in that failed.
func TestLoginTimeoutAndBackoff(t *testing.T) {
	t.Parallel()
	r := newRig(t, fakegoogle.Options{})
	r.browse = func(ctx context.Context, _ *http.Client, _ string) error { <-ctx.Done(); return nil }
	a := r.open(func(c *Config) { c.LoginTimeout = 50 * time.Millisecond })
	err := a.Ensure(t.Context())
	if !errors.Is(err, ErrLoginTimeout) || !strings.Contains(err.Error(), "redirect_uri_mismatch") {
		t.Fatalf("got %v; want ErrLoginTimeout that names Google's error pages", err)
	}
	for range 3 {
		if err := a.Ensure(t.Context()); !errors.Is(err, ErrConsentRequired) || !errors.Is(err, ErrLoginTimeout) {
			t.Errorf("at once after: got %v; want ErrConsentRequired because of ErrLoginTimeout", err)
		}
	}
	if n := r.opens.Load(); n != 1 {
		t.Errorf("the browser was opened %d times; want 1", n)
	}
	r.browse = func(ctx context.Context, web *http.Client, url string) error {
		return fakegoogle.Consent(ctx, web, url, "")
	}
	a.cfg.LoginTimeout = 20 * time.Second
	if err := a.Login(t.Context()); err != nil {
		t.Errorf("Login during the pause: %v", err)
	}
}

func TestBackoffEnds(t *testing.T) {
	t.Parallel()
	r := newRig(t, fakegoogle.Options{})
	deny := func(ctx context.Context, web *http.Client, url string) error { return fakegoogle.Deny(ctx, web, url) }
	r.browse = deny
	a := r.open(func(c *Config) { c.PromptBackoff = time.Minute })
	for i := range 3 {
		if err := a.Ensure(t.Context()); !errors.Is(err, ErrConsentDenied) {
			t.Errorf("try %d: got %v; want ErrConsentDenied", i, err)
		}
		r.clock.Add(59 * time.Second)
		if err := a.Ensure(t.Context()); !errors.Is(err, ErrConsentRequired) {
			t.Errorf("59 s later: got %v; want ErrConsentRequired", err)
		}
		r.clock.Add(2 * time.Second)
	}
	if n := r.opens.Load(); n != 3 {
		t.Errorf("the browser was opened %d times; want 3", n)
	}
}

// A loop of queries with short time-outs must not open tab after tab.
func TestBackoffAfterAbandonedSignIn(t *testing.T) {
	t.Parallel()
	r := newRig(t, fakegoogle.Options{})
	w := r.startWaiting(nil)
	w.cancel()
	w.wait(t)
	waitFor(t, func() bool {
		w.a.mu.Lock()
		defer w.a.mu.Unlock()
		return w.a.consent == nil
	})
	if err := w.a.Ensure(t.Context()); !errors.Is(err, ErrConsentRequired) {
		t.Errorf("got %v; want ErrConsentRequired", err)
	}
	if n := r.opens.Load(); n != 1 {
		t.Errorf("the browser was opened %d times; want 1", n)
	}
}
