package auth

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/fakegoogle"
)

// T25: the grant must cover what was asked for.
func TestGrantedScopes(t *testing.T) {
	t.Parallel()
	const drive = scopePrefix + "drive.readonly"
	tests := []struct {
		name   string
		want   []string
		answer any // the scope field; nil = left out
		ok     bool
	}{
		{"as asked", []string{"bigquery", "drive.readonly"}, ScopeBigQuery + " " + drive, true},
		{"reordered", []string{"bigquery", "drive.readonly"}, drive + " " + ScopeBigQuery, true},
		{"superset", []string{"bigquery"}, ScopeBigQuery + " " + drive + " openid", true},
		{"cloud-platform counts for bigquery", []string{"bigquery"}, scopePrefix + "cloud-platform", true},
		{"bigquery counts for bigquery.readonly", []string{"bigquery.readonly"}, ScopeBigQuery, true},
		{"left out", []string{"bigquery"}, nil, true},
		{"one refused", []string{"bigquery", "drive.readonly"}, ScopeBigQuery, false},
		{"readonly does not count for bigquery", []string{"bigquery"}, scopePrefix + "bigquery.readonly", false},
		{"cloud-platform does not count for drive", []string{"drive.readonly"}, scopePrefix + "cloud-platform",
			false},
		{"another", []string{"bigquery"}, "openid", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, fakegoogle.Options{})
			r.google.EditToken(func(f map[string]any) {
				if tt.answer == nil {
					delete(f, "scope")
				} else {
					f["scope"] = tt.answer
				}
			})
			a := r.open(func(c *Config) { c.Scopes = tt.want })
			err := a.Ensure(t.Context())
			if tt.ok && err != nil {
				t.Errorf("got %v", err)
			}
			if !tt.ok {
				if !errors.Is(err, ErrScopeNotGranted) {
					t.Errorf("got %v; want ErrScopeNotGranted", err)
				}
				if _, err := r.cfg.Store.Get(t.Context(), a.key); !errors.Is(err, ErrNotFound) {
					t.Errorf("the store has something: %v", err)
				}
			}
		})
	}
}

// T24: an answer that is not complete is refused, and nothing is stored.
func TestIncompleteExchange(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(map[string]any){
		"no refresh token":    func(f map[string]any) { delete(f, "refresh_token") },
		"empty refresh token": func(f map[string]any) { f["refresh_token"] = "" },
		"no access token":     func(f map[string]any) { delete(f, "access_token") },
		"other token type":    func(f map[string]any) { f["token_type"] = "mac" },
		"no token type":       func(f map[string]any) { delete(f, "token_type") },
		"line break in token": func(f map[string]any) { f["access_token"] = "a\r\nb" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, fakegoogle.Options{})
			r.google.EditToken(edit)
			a := r.open(nil)
			if err := a.Ensure(t.Context()); err == nil {
				t.Error("the sign-in succeeded")
			}
			if _, err := r.cfg.Store.Get(t.Context(), a.key); !errors.Is(err, ErrNotFound) {
				t.Errorf("the store has something: %v", err)
			}
			if n := r.google.Counts().Exchanges; n != 1 {
				t.Errorf("%d exchanges; want 1", n)
			}
		})
	}
}

// T22: a consent that ends badly is not started again by itself.
func TestExchangeFailureDoesNotLoop(t *testing.T) {
	t.Parallel()
	r := newRig(t, fakegoogle.Options{})
	a := r.signIn(nil)
	r.google.RevokeAccount("ada@example.com")
	r.clock.Add(2 * time.Hour)
	r.google.ScriptToken(
		fakegoogle.ErrorReply(400, "invalid_grant", ""), // the refresh
		fakegoogle.ErrorReply(400, "invalid_grant", ""), // the exchange after the new consent
	)
	err := a.Ensure(t.Context())
	if e, ok := errors.AsType[*Error](err); !ok || e.Code != "invalid_grant" || errors.Is(err, ErrConsentRequired) {
		t.Errorf("got %v; want invalid_grant of the exchange", err)
	}
	if n := r.opens.Load(); n != 2 {
		t.Errorf("the browser was opened %d times; want 2", n)
	}
	r.wantCounts(fakegoogle.Counts{AuthPages: 2, Consents: 2, Exchanges: 2, Refreshes: 1})
}

// T26: what is asked for decides which sign-in it is.
func TestKeys(t *testing.T) {
	t.Parallel()
	r := newRig(t, fakegoogle.Options{})
	key := func(edit func(*Config)) string { return r.open(edit).key }
	base := key(nil)
	same := map[string]func(*Config){
		"full scope":       func(c *Config) { c.Scopes = []string{ScopeBigQuery} },
		"scope repeated":   func(c *Config) { c.Scopes = []string{"bigquery", ScopeBigQuery, "bigquery"} },
		"mode and timeout": func(c *Config) { c.Mode, c.LoginTimeout = ModeManual, time.Hour },
	}
	for name, edit := range same {
		if key(edit) != base {
			t.Errorf("%s: another key", name)
		}
	}
	other := map[string]func(*Config){
		"scope":        func(c *Config) { c.Scopes = []string{"bigquery", "drive.readonly"} },
		"account":      func(c *Config) { c.Account = "bob@example.com" },
		"domain":       func(c *Config) { c.HostedDomain = "example.com" },
		"profile":      func(c *Config) { c.Profile = "example.com" },
		"profile name": func(c *Config) { c.Profile = "bob@example.com" },
		"client": func(c *Config) {
			c.Client = &Client{id: "other", authURL: c.Client.authURL, tokenURL: c.Client.tokenURL}
		},
		"endpoint": func(c *Config) { c.Client = &Client{id: c.Client.id, tokenURL: "http://127.0.0.1:1/token"} },
	}
	keys := []string{base}
	for name, edit := range other {
		k := key(edit)
		if slices.Contains(keys, k) {
			t.Errorf("%s: the same key as another", name)
		}
		keys = append(keys, k)
	}
	drive := func(order ...string) string { return key(func(c *Config) { c.Scopes = order }) }
	if drive("bigquery", "drive.readonly") != drive("drive.readonly", "bigquery") {
		t.Error("the order of scopes makes another key")
	}
	account := func(s string) string { return key(func(c *Config) { c.Account = s }) }
	if account("Bob@Example.com") != account("bob@example.com") {
		t.Error("the letter case of the account makes another key")
	}
	// A new scope set asks again and leaves the old record alone.
	r.signIn(nil)
	r.signIn(func(c *Config) { c.Scopes = []string{"bigquery", "drive.readonly"} })
	r.signIn(nil)
	r.wantCounts(fakegoogle.Counts{AuthPages: 2, Consents: 2, Exchanges: 2})
}

// S23: a code is sent once, also when the answer is lost.
func TestExchangeIsNotRepeated(t *testing.T) {
	t.Parallel()
	for name, reply := range map[string]fakegoogle.Reply{
		"reset": {Reset: true}, "503": {Status: 503}, "empty": {Status: 200},
		"server_error": fakegoogle.ErrorReply(400, "server_error", ""),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, fakegoogle.Options{})
			r.google.ScriptToken(reply)
			if err := r.open(nil).Ensure(t.Context()); err == nil {
				t.Error("the sign-in succeeded")
			}
			r.wantCounts(fakegoogle.Counts{AuthPages: 1, Consents: 1, Exchanges: 1})
		})
	}
}
