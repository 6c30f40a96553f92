package auth

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/fakegoogle"
)

var twoAccounts = fakegoogle.Options{Accounts: []fakegoogle.Account{
	{Email: "ada@example.com", Sub: "1001"},
	{Email: "bob@corp.example", Sub: "1002", HostedDomain: "corp.example"},
}}

// T27: an account other than the one asked for is refused, and nothing is stored.
func TestWrongAccount(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name            string
		account, domain string
		signsIn         string
		ok              bool
	}{
		{"right account", "bob@corp.example", "", "bob@corp.example", true},
		{"other letter case", "Bob@Corp.Example", "", "bob@corp.example", true},
		{"right domain", "", "corp.example", "bob@corp.example", true},
		{"both right", "bob@corp.example", "corp.example", "bob@corp.example", true},
		{"wrong account", "bob@corp.example", "", "ada@example.com", false},
		{"wrong domain", "", "corp.example", "ada@example.com", false},
		{"right account, wrong domain", "ada@example.com", "corp.example", "ada@example.com", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, twoAccounts)
			r.browse = func(ctx context.Context, web *http.Client, url string) error {
				if !strings.Contains(url, "openid") || tt.account != "" && !strings.Contains(url, "login_hint=") ||
					tt.domain != "" && !strings.Contains(url, "hd=") {
					t.Error("the request lacks openid, login_hint or hd")
				}
				return fakegoogle.Consent(ctx, web, url, tt.signsIn)
			}
			a := r.open(func(c *Config) { c.Account, c.HostedDomain = tt.account, tt.domain })
			err := a.Ensure(t.Context())
			if tt.ok {
				if err != nil {
					t.Fatal(err)
				}
				id, err := a.Identity(t.Context())
				if err != nil || id.Account != tt.signsIn || id.Subject != "1002" ||
					id.HostedDomain != "corp.example" {
					t.Errorf("Identity: got %+v, %v", id, err)
				}
				return
			}
			if !errors.Is(err, ErrWrongAccount) {
				t.Errorf("got %v; want ErrWrongAccount", err)
			}
			if _, err := r.cfg.Store.Get(t.Context(), a.key); !errors.Is(err, ErrNotFound) {
				t.Errorf("the store has something: %v", err)
			}
			if _, err := a.Token(); !errors.Is(err, ErrConsentRequired) {
				t.Errorf("Token: got %v; want ErrConsentRequired", err)
			}
		})
	}
}

// Two accounts of the same program live side by side.
func TestTwoAccounts(t *testing.T) {
	t.Parallel()
	r := newRig(t, twoAccounts)
	r.browse = func(ctx context.Context, web *http.Client, url string) error {
		return fakegoogle.Consent(ctx, web, url, "")
	}
	emails := []string{"ada@example.com", "bob@corp.example"}
	for range 2 { // the second time silently
		for _, email := range emails {
			a := r.signIn(func(c *Config) { c.Account = email })
			tok, err := a.Token()
			if err != nil {
				t.Fatal(err)
			}
			if g, ok := r.google.Verify(tok.AccessToken); !ok || g.Email != email {
				t.Errorf("got %q; want %q", g.Email, email)
			}
		}
	}
	r.wantCounts(fakegoogle.Counts{AuthPages: 2, Consents: 2, Exchanges: 2})
}

func TestIdentityWithoutIDToken(t *testing.T) {
	t.Parallel()
	r := newRig(t, fakegoogle.Options{})
	a := r.open(nil)
	if _, err := a.Identity(t.Context()); !errors.Is(err, ErrConsentRequired) {
		t.Errorf("before the sign-in: got %v; want ErrConsentRequired", err)
	}
	if err := a.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	id, err := a.Identity(t.Context())
	if err != nil || id.Account != "" || !slices.Equal(id.Scopes, []string{ScopeBigQuery}) ||
		!id.SignedIn.Equal(r.clock.Now()) {
		t.Errorf("got %+v, %v", id, err)
	}
}

// The ID token is checked before it is believed.
func TestIDToken(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	client := &Client{id: "me", authURL: "https://accounts.google.com/o/oauth2/auth", tokenURL: gcloudTokenURL}
	good := map[string]any{
		"iss": "https://accounts.google.com", "aud": "me", "sub": "1", "email": "a@b.example", "email_verified": true,
		"exp": now.Unix() + 3600, "nonce": "n",
	}
	tests := []struct {
		name string
		edit map[string]any
		ok   bool
	}{
		{"good", nil, true},
		{"short issuer", map[string]any{"iss": "accounts.google.com"}, true},
		{"other issuer", map[string]any{"iss": "https://evil.example"}, false},
		{"other audience", map[string]any{"aud": "you"}, false},
		{"list of one audience", map[string]any{"aud": []string{"me"}}, true},
		{"list of another audience", map[string]any{"aud": []string{"you"}}, false},
		{"list of audiences", map[string]any{"aud": []string{"me", "you"}}, false},
		{"list of audiences for this client", map[string]any{"aud": []string{"me", "you"}, "azp": "me"}, true},
		{"list of audiences for another client", map[string]any{"aud": []string{"me", "you"}, "azp": "you"}, false},
		{"empty list of audiences", map[string]any{"aud": []string{}}, false},
		{"fraction of a second", map[string]any{"exp": float64(now.Unix()) + 3600.25}, true},
		{"expired, with a fraction", map[string]any{"exp": float64(now.Unix()) - 3600.25}, false},
		{"end of time", map[string]any{"exp": 1e300}, true},
		{"before all time", map[string]any{"exp": -1e300}, false},
		{"other nonce", map[string]any{"nonce": "m"}, false},
		{"expired", map[string]any{"exp": now.Unix() - 3600}, false},
		{"a little expired", map[string]any{"exp": now.Unix() - 60}, true},
		{"no subject", map[string]any{"sub": ""}, false},
		{"wrong type", map[string]any{"sub": 7}, false},
	}
	for _, tt := range tests {
		c := map[string]any{}
		for k, v := range good {
			c[k] = v
		}
		for k, v := range tt.edit {
			c[k] = v
		}
		raw, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		_, err = checkIDToken("h."+base64.RawURLEncoding.EncodeToString(raw)+".s", client, "n", now)
		if (err == nil) != tt.ok {
			t.Errorf("%s: got %v", tt.name, err)
		}
	}
	for _, token := range []string{"", "a.b", "a.%%%.c", "a.bm8.c"} {
		if _, err := checkIDToken(token, client, "n", now); err == nil {
			t.Errorf("%q was accepted", token)
		}
	}
	unverified := &claims{Email: "a@b.example", EmailVerified: false}
	if err := checkAccount(unverified, "a@b.example", ""); !errors.Is(err, ErrWrongAccount) {
		t.Errorf("an address that is not verified: got %v; want ErrWrongAccount", err)
	}
}

// T43, S37, S43: Logout is local; Revoke makes one request, with the token in its body.
func TestLogoutAndRevoke(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		reply  *fakegoogle.Reply
		revoke bool
		kept   bool
	}{
		{"logout", nil, false, false},
		{"revoke", nil, true, false},
		{"revoke, already invalid", &fakegoogle.Reply{Status: 400, Body: `{"error":"invalid_token"}`}, true, false},
		{"revoke, 400 of another kind", &fakegoogle.Reply{Status: 400, Body: `{"error":"invalid_request"}`}, true,
			true},
		{"revoke, 400 of a proxy", &fakegoogle.Reply{Status: 400, Body: `<html>invalid_token</html>`}, true, true},
		{"revoke, 401", &fakegoogle.Reply{Status: 401, Body: `{"error":"invalid_client"}`}, true, true},
		{"revoke, 404", &fakegoogle.Reply{Status: 404, Body: `{"error":"invalid_token"}`}, true, true},
		{"revoke, redirect", &fakegoogle.Reply{Status: 302, Header: http.Header{"Location": {"/"}}}, true, true},
		{"revoke, 503", &fakegoogle.Reply{Status: 503}, true, true},
		{"revoke, reset", &fakegoogle.Reply{Reset: true}, true, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, fakegoogle.Options{})
			other := r.signIn(func(c *Config) { c.Profile = "other" })
			a := r.signIn(nil)
			rec, err := r.cfg.Store.Get(t.Context(), a.key)
			if err != nil {
				t.Fatal(err)
			}
			before := r.google.Counts()
			if tt.reply != nil {
				r.google.ScriptRevoke(*tt.reply)
			}
			if tt.revoke {
				err = a.Revoke(t.Context())
				before.Revokes++
			} else {
				err = a.Logout(t.Context())
			}
			r.wantCounts(before)
			if tt.kept {
				e, ok := errors.AsType[*Error](err)
				passing := tt.reply.Reset || tt.reply.Status == 503
				if !ok || e.Temporary() != passing || strings.Contains(err.Error(), rec.RefreshToken) {
					t.Errorf("got %v; want an *Error, Temporary %v", err, passing)
				}
			} else if err != nil {
				t.Errorf("got %v", err)
			}
			if tt.revoke {
				forms := r.google.Forms()
				if form := forms[len(forms)-1]; form.Get("token") != rec.RefreshToken || len(form) != 1 {
					t.Error("the form does not hold the refresh token alone")
				}
			}
			if _, err := r.cfg.Store.Get(t.Context(), a.key); errors.Is(err, ErrNotFound) == tt.kept {
				t.Errorf("record kept: %v; want %v", !tt.kept, tt.kept)
			}
			if _, err := a.Token(); errors.Is(err, ErrConsentRequired) == tt.kept {
				t.Errorf("Token: got %v", err)
			}
			if _, err := r.cfg.Store.Get(t.Context(), other.key); err != nil {
				t.Errorf("the other sign-in: %v", err)
			}
		})
	}
}

// T44: a refresh that is under way does not bring back what was removed.
func TestLogoutDuringRefresh(t *testing.T) {
	t.Parallel()
	r := newRig(t, fakegoogle.Options{})
	store, err := FileStore(t.TempDir() + "/tokens")
	if err != nil {
		t.Fatal(err)
	}
	useStore := func(c *Config) { c.Store = store }
	a, b := r.signIn(useStore), r.open(useStore)
	r.clock.Add(2 * time.Hour)
	r.google.ScriptToken(fakegoogle.Reply{Delay: 300 * time.Millisecond})
	refreshed := make(chan error, 1)
	go func() { _, err := b.Token(); refreshed <- err }()
	waitFor(t, func() bool { return r.google.Counts().Refreshes == 1 })
	if err := a.Logout(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-refreshed; err != nil {
		t.Errorf("the refresh: %v", err)
	}
	if _, err := store.Get(t.Context(), a.key); !errors.Is(err, ErrNotFound) {
		t.Errorf("the record is back: %v", err)
	}
	r.clock.Add(2 * time.Hour)
	if _, err := b.Token(); !errors.Is(err, ErrConsentRequired) {
		t.Errorf("the next refresh: got %v; want ErrConsentRequired", err)
	}
	if _, err := store.Get(t.Context(), a.key); !errors.Is(err, ErrNotFound) {
		t.Errorf("the record is back: %v", err)
	}
}

// An app can bring its own transport, and redirects are refused with it too.
func TestOwnHTTPClient(t *testing.T) {
	t.Parallel()
	r := newRig(t, fakegoogle.Options{})
	n := 0
	r.signIn(func(c *Config) {
		c.HTTPClient = &http.Client{Transport: roundTripper(func(req *http.Request) (*http.Response, error) {
			n++
			return plainHTTP.Transport.RoundTrip(req)
		})}
	})
	if n != 1 {
		t.Errorf("%d requests went through the application's transport; want 1", n)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
