package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/fakegoogle"
)

// T18, S21, S23, S36: faults of the token endpoint, met by a refresh.
func TestRefreshFaults(t *testing.T) {
	t.Parallel()
	var elsewhere atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	t.Cleanup(other.Close)
	html := http.Header{"Content-Type": {"text/html"}}
	json := http.Header{"Content-Type": {"application/json"}}
	tests := []struct {
		name      string
		reply     fakegoogle.Reply
		tries     int // requests that are made
		temporary bool
		kind      error
	}{
		{"500", fakegoogle.Reply{Status: 500}, 3, true, nil},
		{"503", fakegoogle.Reply{Status: 503}, 3, true, nil},
		{"429 that asks for an hour", fakegoogle.Reply{Status: 429, Header: http.Header{"Retry-After": {"3600"}}}, 1,
			true, nil},
		{"server_error", fakegoogle.ErrorReply(400, "server_error", ""), 3, true, nil},
		{"internal_failure", fakegoogle.ErrorReply(400, "internal_failure", ""), 3, true, nil},
		{"reset", fakegoogle.Reply{Reset: true}, 3, true, nil},
		{"hang", fakegoogle.Reply{Hang: true}, 3, true, context.DeadlineExceeded},
		{"truncated JSON", fakegoogle.Reply{Status: 200, Header: json, Body: `{"access_token": "ya29.cut`}, 3, true,
			nil},
		{"empty body", fakegoogle.Reply{Status: 200, Header: json}, 3, true, nil},
		{"no access token", fakegoogle.Reply{Status: 200, Header: json, Body: `{"token_type":"Bearer"}`}, 3, true,
			nil},
		{"10 MiB", fakegoogle.Reply{Status: 200, Header: json,
			Body: `{"access_token": "` + strings.Repeat("x", 10<<20) + `"}`}, 3, true, nil},
		{"HTML page", fakegoogle.Reply{Status: 502, Header: html, Body: "<html>ECHO</html>"}, 3, true, nil},
		{"error in a 200", fakegoogle.ErrorReply(200, "invalid_client", ""), 1, false, ErrClientConfig},
		{"redirect", fakegoogle.Reply{Status: 307, Header: http.Header{"Location": {other.URL + "/token"}}}, 1, false,
			nil},
		{"invalid_client", fakegoogle.ErrorReply(401, "invalid_client", ""), 1, false, ErrClientConfig},
		{"unauthorized_client", fakegoogle.ErrorReply(400, "unauthorized_client", ""), 1, false, ErrClientConfig},
		{"invalid_scope", fakegoogle.ErrorReply(400, "invalid_scope", ""), 1, false, ErrClientConfig},
		{"admin policy", fakegoogle.ErrorReply(400, "admin_policy_enforced", ""), 1, false, ErrConsentDenied},
		{"unknown code", fakegoogle.ErrorReply(400, "something_new", ""), 1, false, nil},
		{"fields of other types", fakegoogle.Reply{Status: 400, Header: json,
			Body: `{"error": {"code": 400, "status": "X"}}`}, 1, false, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, fakegoogle.Options{})
			var tries atomic.Int64 // counted here: one that times out early may not reach the server
			r.cfg.HTTPClient = &http.Client{Transport: roundTripper(func(req *http.Request) (*http.Response, error) {
				tries.Add(1)
				return plainHTTP.Transport.RoundTrip(req)
			})}
			a := r.signIn(nil)
			tries.Store(0)
			if tt.reply.Hang {
				a.endpoint.http.Timeout = 50 * time.Millisecond
			}
			before, err := r.cfg.Store.Get(t.Context(), a.key)
			if err != nil {
				t.Fatal(err)
			}
			r.clock.Add(2 * time.Hour)
			tt.reply.Body = strings.ReplaceAll(tt.reply.Body, "ECHO", before.RefreshToken)
			r.google.ScriptToken(tt.reply, tt.reply, tt.reply)
			_, err = a.Token()
			e, ok := errors.AsType[*Error](err)
			if !ok {
				t.Fatalf("got %v; want an *Error", err)
			}
			if e.Temporary() != tt.temporary {
				t.Errorf("Temporary: got %v; want %v (%v)", e.Temporary(), tt.temporary, err)
			}
			if tt.kind != nil && !errors.Is(err, tt.kind) || errors.Is(err, ErrConsentRequired) {
				t.Errorf("got %v; want %v", err, tt.kind)
			}
			if text := fmt.Sprintf("%v %+v %#v", err, err, err); strings.Contains(text, before.RefreshToken) ||
				len(err.Error()) > 600 {
				t.Errorf("the error quotes the answer: %.300s", text)
			}
			if n := tries.Load(); n != int64(tt.tries) {
				t.Errorf("%d requests; want %d", n, tt.tries)
			}
			after, err := r.cfg.Store.Get(t.Context(), a.key)
			if err != nil || after.RefreshToken != before.RefreshToken {
				t.Errorf("the record was touched: %v", err)
			}
			if n := elsewhere.Load(); n != 0 {
				t.Error("the refresh token was sent elsewhere")
			}
		})
	}
}

// A server that asks to wait a little gets its wish.
func TestRefreshHonoursRetryAfter(t *testing.T) {
	t.Parallel()
	r := newRig(t, fakegoogle.Options{})
	a := r.signIn(nil)
	r.clock.Add(2 * time.Hour)
	r.google.ScriptToken(fakegoogle.Reply{Status: 503, Header: http.Header{"Retry-After": {"1"}}})
	start := time.Now()
	if _, err := a.Token(); err != nil {
		t.Fatal(err)
	}
	if d := time.Since(start); d < time.Second {
		t.Errorf("tried again after %v; want 1 s at least", d)
	}
}

// T19, T20: a dead refresh token leads to one consent at the next Ensure, with
// the reason, and to none from Token.
func TestReconsent(t *testing.T) {
	t.Parallel()
	for _, subtype := range []string{"", "invalid_rapt", "rapt_required"} {
		t.Run("subtype "+subtype, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, fakegoogle.Options{})
			prompts := &promptLog{}
			a := r.signIn(func(c *Config) { c.Prompter = prompts })
			r.clock.Add(2 * time.Hour)
			r.google.ScriptToken(fakegoogle.ErrorReply(400, "invalid_grant", subtype))
			_, err := a.Token()
			e, ok := errors.AsType[*Error](err)
			if !ok || !errors.Is(err, ErrConsentRequired) || e.Code != "invalid_grant" || e.Subtype != subtype ||
				e.Status != 400 {
				t.Fatalf("Token: got %v; want ErrConsentRequired with subtype %q", err, subtype)
			}
			if got := strings.Contains(e.Hint, "session control"); got != (subtype != "") {
				t.Errorf("hint: got %q", e.Hint)
			}
			if n := r.opens.Load(); n != 1 {
				t.Errorf("Token opened the browser %d times; want 0", n-1)
			}
			if _, err := r.cfg.Store.Get(t.Context(), a.key); !errors.Is(err, ErrNotFound) {
				t.Errorf("the dead record is still there: %v", err)
			}
			if _, err := a.Token(); !errors.Is(err, ErrConsentRequired) {
				t.Errorf("Token again: got %v; want ErrConsentRequired", err)
			}
			if err := a.Ensure(t.Context()); err != nil {
				t.Fatal(err)
			}
			r.wantCounts(fakegoogle.Counts{AuthPages: 2, Consents: 2, Exchanges: 2, Refreshes: 1})
			if got := prompts.all(); len(got) != 2 || got[0].Reason != "" || got[1].Reason != e.Hint {
				t.Errorf("prompts: got %d, reasons %q", len(got), reasons(got))
			}
		})
	}
}

// S39, T19: Ensure meets the dead token itself.
func TestReconsentFromEnsure(t *testing.T) {
	t.Parallel()
	r := newRig(t, fakegoogle.Options{RefreshTokenLife: 7 * 24 * time.Hour})
	prompts := &promptLog{}
	a := r.signIn(func(c *Config) { c.Prompter = prompts })
	r.clock.Add(8 * 24 * time.Hour)
	if err := a.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.wantCounts(fakegoogle.Counts{AuthPages: 2, Consents: 2, Exchanges: 2, Refreshes: 1})
	if got := reasons(prompts.all()); len(got) != 2 || !strings.Contains(got[1], "seven days") {
		t.Errorf("reasons: got %q", got)
	}
}

// T21: where locks do not work, another process may have stored a new sign-in
// while the old one was being refreshed.
func TestRefreshPrefersNewerRecord(t *testing.T) {
	t.Parallel()
	r := newRig(t, fakegoogle.Options{})
	store := &openStore{Store: MemoryStore()}
	edit := func(c *Config) { c.Store = store }
	a := r.signIn(edit)
	old, err := store.Get(t.Context(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	newer := old.clone()
	for _, tt := range []struct {
		name   string
		access string
		want   fakegoogle.Counts
	}{
		{"with a good access token", "ya29.newer",
			fakegoogle.Counts{AuthPages: 2, Consents: 2, Exchanges: 2, Refreshes: 1}},
		{"without one", "", fakegoogle.Counts{AuthPages: 2, Consents: 2, Exchanges: 2, Refreshes: 3}},
	} {
		b := r.open(func(c *Config) { c.Store = MemoryStore() })
		if tt.access != "" {
			if err := b.Login(t.Context()); err != nil {
				t.Fatal(err)
			}
			rec, err := b.cfg.Store.Get(t.Context(), b.key)
			if err != nil {
				t.Fatal(err)
			}
			newer.RefreshToken = rec.RefreshToken
		}
		r.clock.Add(2 * time.Hour)
		newer.AccessToken, newer.Expiry = tt.access, r.clock.Now().Add(time.Hour)
		if tt.access == "" {
			// The store shows the old record first and the newer one then.
			store.reset(old)
			a.Invalidate("ya29.newer")
		}
		store.during = newer
		r.google.ScriptToken(fakegoogle.ErrorReply(400, "invalid_grant", ""))
		tok, err := a.Token()
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if tt.access != "" && tok.AccessToken != tt.access {
			t.Errorf("%s: the newer record was not used", tt.name)
		}
		rec, err := store.Get(t.Context(), a.key)
		if err != nil || rec.RefreshToken != newer.RefreshToken {
			t.Errorf("%s: the newer record is gone (%v)", tt.name, err)
		}
		r.wantCounts(tt.want)
	}
}

// openStore is a Store in which another process writes without the lock.
type openStore struct {
	Store
	during *Record // appears when an Update has begun
	shown  *Record
}

func (s *openStore) reset(rec *Record) { s.shown = rec }

func (s *openStore) Get(ctx context.Context, key string) (*Record, error) {
	if s.shown != nil {
		return s.shown.clone(), nil
	}
	return s.Store.Get(ctx, key)
}

func (s *openStore) Update(ctx context.Context, key string, fn func(*Record) (*Record, error)) error {
	return s.Store.Update(ctx, key, func(old *Record) (*Record, error) {
		if s.shown != nil {
			old = s.shown
		}
		if s.during != nil {
			s.shown, s.during = s.during, nil
		}
		next, err := fn(old)
		if err == nil {
			s.shown = nil
		}
		return next, err
	})
}

// T24: a rotated refresh token is kept, and without a new one the old one is.
func TestRefreshTokenRotation(t *testing.T) {
	t.Parallel()
	for _, rotate := range []bool{false, true} {
		r := newRig(t, fakegoogle.Options{RotateRefreshTokens: rotate})
		a := r.signIn(nil)
		before, err := r.cfg.Store.Get(t.Context(), a.key)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			r.clock.Add(2 * time.Hour)
			if _, err := a.Token(); err != nil {
				t.Fatal(err)
			}
		}
		after, err := r.cfg.Store.Get(t.Context(), a.key)
		if err != nil {
			t.Fatal(err)
		}
		if (before.RefreshToken != after.RefreshToken) != rotate || before.AccessToken == after.AccessToken ||
			after.Created != before.Created {
			t.Errorf("rotate %v: refresh token changed: %v", rotate, before.RefreshToken != after.RefreshToken)
		}
	}
}

// T39: nothing hangs on the ctx of the call that signed in.
func TestRefreshOutlivesCallersContext(t *testing.T) {
	t.Parallel()
	r := newRig(t, fakegoogle.Options{})
	a := r.open(nil)
	ctx, cancel := context.WithCancel(t.Context())
	if err := a.Ensure(ctx); err != nil {
		t.Fatal(err)
	}
	cancel()
	r.clock.Add(time.Hour)
	if _, err := a.Token(); err != nil {
		t.Errorf("an hour later: %v", err)
	}
	if err := a.Ensure(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("with the ended ctx: got %v; want context.Canceled", err)
	}
}

// T40: strange lifetimes and clocks lead neither to a loop nor to a dead token.
func TestStrangeLifetimes(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]any{
		"zero": 0, "missing": nil, "negative": -5, "text": "3600", "huge": 1000000000000000000, "ten seconds": 10,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, fakegoogle.Options{})
			r.google.EditToken(func(f map[string]any) {
				if value == nil {
					delete(f, "expires_in")
				} else {
					f["expires_in"] = value
				}
			})
			a := r.signIn(nil)
			for range 20 {
				tok, err := a.Token()
				if err != nil {
					t.Fatal(err)
				}
				if left := tok.Expiry.Sub(r.clock.Now()); left <= 0 || left > maxTokenLife {
					t.Errorf("the token lives for %v", left)
				}
			}
			r.wantCounts(fakegoogle.Counts{AuthPages: 1, Consents: 1, Exchanges: 1})
			r.clock.Add(25 * time.Hour)
			if _, err := a.Token(); err != nil {
				t.Fatal(err)
			}
			if n := r.google.Counts().Refreshes; n != 1 {
				t.Errorf("%d refreshes after 25 h; want 1", n)
			}
		})
	}
}

func TestClockJumps(t *testing.T) {
	t.Parallel()
	r := newRig(t, fakegoogle.Options{})
	r.signIn(nil)
	r.clock.Add(-26 * time.Hour)
	b := r.signIn(nil) // the stored token seems to live for 27 hours
	for range 10 {
		if _, err := b.Token(); err != nil {
			t.Fatal(err)
		}
	}
	if n := r.google.Counts().Refreshes; n != 1 {
		t.Errorf("clock back a day: %d refreshes; want 1", n)
	}
	r.clock.Add(24 * time.Hour)
	for range 10 {
		if _, err := b.Token(); err != nil {
			t.Fatal(err)
		}
	}
	if n := r.google.Counts().Refreshes; n != 2 {
		t.Errorf("clock forward a day: %d refreshes; want 2", n)
	}
}

// T41: an access token that the API refuses is replaced by one refresh.
func TestInvalidate(t *testing.T) {
	t.Parallel()
	r := newRig(t, fakegoogle.Options{})
	a := r.signIn(nil)
	tok, err := a.Token()
	if err != nil {
		t.Fatal(err)
	}
	a.Invalidate("another token")
	if again, err := a.Token(); err != nil || again.AccessToken != tok.AccessToken {
		t.Errorf("Invalidate of another token changed the token (%v)", err)
	}
	for i := range 2 {
		a.Invalidate(tok.AccessToken)
		next, err := a.Token()
		if err != nil || next.AccessToken == tok.AccessToken {
			t.Fatalf("after Invalidate: the same token (%v)", err)
		}
		a.Invalidate(tok.AccessToken) // a late report about the old one
		if again, err := a.Token(); err != nil || again.AccessToken != next.AccessToken {
			t.Errorf("a late Invalidate changed the token (%v)", err)
		}
		if n := r.google.Counts().Refreshes; n != i+1 {
			t.Errorf("%d refreshes; want %d", n, i+1)
		}
		tok = next
	}
	if n := r.opens.Load(); n != 1 {
		t.Errorf("the browser was opened %d times; want 1", n)
	}
}
