package oauthserver

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bigqueryuser/bigqueryuser/auth"
	"github.com/bigqueryuser/bigqueryuser/internal/fakegoogle"
)

type silent struct{}

func (silent) Prompt(context.Context, auth.Prompt) error { return nil }

// config signs in at the server by plain HTTP; edit may change it.
func (s *server) config(t *testing.T) auth.Config {
	return auth.Config{
		Client: s.client(t), Mode: auth.ModeBrowser, Store: auth.MemoryStore(), Prompter: silent{},
		Logger:       slog.New(slog.DiscardHandler),
		LoginTimeout: 30 * time.Second,
		OpenBrowser: func(ctx context.Context, address string) error {
			return fakegoogle.Consent(ctx, nil, address, "")
		},
	}
}

func open(t *testing.T, cfg auth.Config) *auth.Authenticator {
	t.Helper()
	a, err := auth.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a
}

// TestSignIn: a sign-in with PKCE, an ID token whose audience is a list, and
// refresh tokens that work once, for many callers at a time.
func TestSignIn(t *testing.T) {
	t.Parallel()
	for name, account := range map[string]string{"anybody": "", "one account": email} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, false)
			cfg := s.config(t)
			cfg.Account = account
			a := open(t, cfg)
			if err := a.Ensure(t.Context()); err != nil {
				t.Fatal(err)
			}
			id, err := a.Identity(t.Context())
			if err != nil || id.Account != account {
				t.Errorf("Identity: got %+v, %v; want account %q", id, err, account)
			}
			for range 3 {
				tok, err := a.Token()
				if err != nil {
					t.Fatal(err)
				}
				a.Invalidate(tok.AccessToken)
				var wg sync.WaitGroup
				for range 8 {
					wg.Go(func() {
						if again, err := a.Token(); err != nil || again.AccessToken == tok.AccessToken {
							t.Errorf("after Invalidate: the same token, or %v", err)
						}
					})
				}
				wg.Wait()
			}
			if n := len(s.requests()); n != 4 {
				t.Errorf("%d token requests; want one exchange and three refreshes", n)
			}
		})
	}
}

// TestWrongAccount: the ID token of another user is refused.
func TestWrongAccount(t *testing.T) {
	t.Parallel()
	s := newServer(t, false)
	cfg := s.config(t)
	cfg.Account = "bob@example.com"
	if err := open(t, cfg).Ensure(t.Context()); !errors.Is(err, auth.ErrWrongAccount) {
		t.Errorf("got %v; want ErrWrongAccount", err)
	}
}

// TestServerEnforcesPKCE: the test would not notice a missing verifier at a
// server that does not look at it.
func TestServerEnforcesPKCE(t *testing.T) {
	t.Parallel()
	s := newServer(t, false)
	cfg := s.config(t)
	cfg.OpenBrowser = func(ctx context.Context, address string) error {
		// The same request with another challenge: the answer comes back to the
		// program, whose verifier does not fit it.
		jarred, consent := follow(t, address)
		q := consent.Query()
		q.Set("code_challenge", strings.Repeat("A", 43))
		consent.RawQuery = q.Encode()
		return fakegoogle.Consent(ctx, jarred, consent.String(), "")
	}
	err := open(t, cfg).Ensure(t.Context())
	refused, ok := errors.AsType[*auth.Error](err)
	if !ok || refused.Code != "invalid_grant" {
		t.Errorf("got %v; want invalid_grant", err)
	}
	// Its words must not show what was sent.
	verifier := s.requests()[0].Get("code_verifier")
	if len(verifier) != 43 || strings.Contains(refused.Error(), verifier) {
		t.Errorf("the error shows the verifier: %v", refused)
	}
}

// TestTokenReuse: a refresh token that was used already ends the grant, and the
// next Ensure asks.
func TestTokenReuse(t *testing.T) {
	t.Parallel()
	s := newServer(t, false)
	cfg := s.config(t)
	asked := 0
	consent := cfg.OpenBrowser
	cfg.OpenBrowser = func(ctx context.Context, address string) error { asked++; return consent(ctx, address) }
	a := open(t, cfg)
	if err := a.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	tok, err := a.Token()
	if err != nil {
		t.Fatal(err)
	}
	a.Invalidate(tok.AccessToken)
	if tok, err = a.Token(); err != nil {
		t.Fatal(err)
	}
	// A thief uses a copy of the first refresh token.
	first := s.requests()[1]
	resp, err := http.PostForm(s.URL+"/token", url.Values{
		"grant_type": {"refresh_token"}, "refresh_token": first["refresh_token"],
		"client_id": {clientID}, "client_secret": {secret},
	})
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	if resp.StatusCode < 400 {
		t.Fatalf("the server took a used refresh token: %s", resp.Status)
	}
	a.Invalidate(tok.AccessToken)
	if _, err := a.Token(); !errors.Is(err, auth.ErrConsentRequired) {
		t.Errorf("Token: got %v; want ErrConsentRequired", err)
	}
	if err := a.Ensure(t.Context()); err != nil || asked != 2 {
		t.Errorf("Ensure: %v, asked %d times; want 2", err, asked)
	}
}

// TestRevokeRefused: this server wants the client to name itself when it
// revokes, which Google does not. That is no proof that the token has gone.
func TestRevokeRefused(t *testing.T) {
	t.Parallel()
	s := newServer(t, false)
	a := open(t, s.config(t))
	if err := a.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := a.Revoke(t.Context()); err == nil {
		t.Error("Revoke: no error")
	}
	if _, err := a.Token(); err != nil {
		t.Errorf("the sign-in is gone: %v", err)
	}
}

// TestRefusal: the user presses no.
func TestRefusal(t *testing.T) {
	t.Parallel()
	s := newServer(t, false)
	cfg := s.config(t)
	cfg.OpenBrowser = func(ctx context.Context, address string) error {
		return fakegoogle.Deny(ctx, nil, address)
	}
	if err := open(t, cfg).Ensure(t.Context()); !errors.Is(err, auth.ErrConsentDenied) {
		t.Errorf("got %v; want ErrConsentDenied", err)
	}
}

// TestChromium: the same in a real browser, which has to bring the cookie back.
func TestChromium(t *testing.T) {
	t.Parallel()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Skip("Chromium is not installed; on Debian: apt-get install chromium")
	}
	s := newServer(t, true)
	cfg := s.config(t)
	cfg.Account = email
	profile := t.TempDir()
	var browser sync.WaitGroup
	cfg.OpenBrowser = func(ctx context.Context, address string) error {
		args := []string{"--headless=new", "--disable-gpu", "--no-first-run", "--user-data-dir=" + profile,
			"--remote-debugging-port=0"} // keeps it running
		if os.Geteuid() == 0 {
			args = append(args, "--no-sandbox") // Chromium's own sandbox refuses to run as root
		}
		cmd := exec.CommandContext(t.Context(), path, append(args, address)...)
		if err := cmd.Start(); err != nil {
			return err
		}
		browser.Go(func() {
			<-ctx.Done()
			cmd.Process.Signal(os.Interrupt)
			cmd.Wait()
		})
		return nil
	}
	a := open(t, cfg)
	if err := a.Ensure(t.Context()); err != nil {
		t.Error(err)
	}
	browser.Wait()
	if id, err := a.Identity(t.Context()); err != nil || id.Account != email {
		t.Errorf("Identity: got %+v, %v", id, err)
	}
}
