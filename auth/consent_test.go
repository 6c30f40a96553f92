package auth

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/fakegoogle"
)

// T5: a waiter that leaves takes nobody with it; the last one ends the sign-in.
func TestWaitersLeave(t *testing.T) {
	t.Parallel()
	t.Run("the first of two", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, fakegoogle.Options{})
		w := r.startWaiting(nil)
		second := make(chan error, 1)
		go func() { second <- w.a.Ensure(t.Context()) }()
		waitFor(t, func() bool {
			w.a.mu.Lock()
			defer w.a.mu.Unlock()
			return w.a.consent != nil && w.a.consent.waiters == 2
		})
		w.cancel()
		if err := w.wait(t); !errors.Is(err, context.Canceled) {
			t.Errorf("the waiter that left: got %v; want context.Canceled", err)
		}
		if err := fakegoogle.Consent(t.Context(), plainHTTP, w.url, ""); err != nil {
			t.Fatal(err)
		}
		if err := <-second; err != nil {
			t.Errorf("the waiter that stayed: %v", err)
		}
	})
	t.Run("both", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, fakegoogle.Options{})
		w := r.startWaiting(nil)
		w.cancel()
		w.wait(t)
		freed(t, w.addr)
		w.a.Close()
	})
}

// freed waits until the port can be listened on again.
func freed(t *testing.T, addr string) {
	t.Helper()
	start := time.Now()
	waitFor(t, func() bool {
		ln, err := net.Listen("tcp", addr)
		if err == nil {
			ln.Close()
		}
		return err == nil
	})
	if d := time.Since(start); d > 2*time.Second {
		t.Errorf("the port was freed after %v", d)
	}
}

// Once the person has said yes the sign-in is finished and stored, although
// the one who asked for it has left; Close still ends it at once.
func TestWaiterLeavesDuringExchange(t *testing.T) {
	t.Parallel()
	for _, closed := range []bool{false, true} {
		r := newRig(t, fakegoogle.Options{})
		started, release := make(chan struct{}), make(chan struct{})
		r.cfg.HTTPClient = &http.Client{Transport: roundTripper(func(req *http.Request) (*http.Response, error) {
			close(started)
			select {
			case <-release:
				return plainHTTP.Transport.RoundTrip(req)
			case <-req.Context().Done():
				return nil, req.Context().Err()
			}
		})}
		w := r.startWaiting(nil)
		go fakegoogle.Consent(t.Context(), plainHTTP, w.url, "")
		<-started
		w.cancel()
		w.wait(t)
		if closed {
			start := time.Now()
			w.a.Close()
			if d := time.Since(start); d > 5*time.Second {
				t.Errorf("Close took %v", d)
			}
			close(release)
			continue
		}
		close(release)
		waitFor(t, func() bool { _, err := w.a.Token(); return err == nil })
	}
}

// T6: Close ends a sign-in that waits.
func TestCloseDuringConsent(t *testing.T) {
	t.Parallel()
	r := newRig(t, fakegoogle.Options{})
	w := r.startWaiting(nil)
	if err := w.a.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if err := w.wait(t); !errors.Is(err, ErrClosed) {
		t.Errorf("Ensure: got %v; want ErrClosed", err)
	}
	freed(t, w.addr)
	if err := w.a.Ensure(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("Ensure after Close: got %v; want ErrClosed", err)
	}
	if _, err := w.a.Token(); !errors.Is(err, ErrClosed) {
		t.Errorf("Token after Close: got %v; want ErrClosed", err)
	}
	if err := w.a.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

// T15: the port is not on the network.
func TestListenerIsLoopback(t *testing.T) {
	t.Parallel()
	r := newRig(t, fakegoogle.Options{})
	w := r.startWaiting(nil)
	host, port, err := net.SplitHostPort(w.addr)
	if err != nil || host != "127.0.0.1" {
		t.Fatalf("listening on %s; want 127.0.0.1", w.addr)
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addrs {
		ip, ok := a.(*net.IPNet)
		if !ok || ip.IP.IsLoopback() || ip.IP.To4() == nil {
			continue
		}
		if conn, err := net.DialTimeout("tcp", net.JoinHostPort(ip.IP.String(), port), time.Second); err == nil {
			conn.Close()
			t.Errorf("the port answers at %s", ip.IP)
		}
	}
	if runtime.GOOS == "linux" {
		table, err := os.ReadFile("/proc/net/tcp")
		if err != nil {
			t.Fatal(err)
		}
		n, _ := net.LookupPort("tcp", port)
		want := strings.ToUpper("0100007F:" + hex4(n))
		for line := range strings.Lines(string(table)) {
			f := strings.Fields(line)
			if len(f) > 3 && f[3] == "0A" && strings.HasSuffix(f[1], ":"+strings.ToUpper(hex4(n))) && f[1] != want {
				t.Errorf("the kernel lists %s; want %s only", f[1], want)
			}
		}
	}
	w.cancel()
}

func hex4(n int) string {
	const digits = "0123456789ABCDEF"
	return string([]byte{digits[n>>12&15], digits[n>>8&15], digits[n>>4&15], digits[n&15]})
}

// T16: a fixed port is used or it is an error; without IPv4 it is [::1].
func TestRedirectPort(t *testing.T) {
	t.Parallel()
	t.Run("busy", func(t *testing.T) {
		t.Parallel()
		ln, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		_, port, _ := net.SplitHostPort(ln.Addr().String())
		r := newRig(t, fakegoogle.Options{})
		a := r.open(func(c *Config) { c.RedirectPort = ln.Addr().(*net.TCPAddr).Port })
		err = a.Ensure(t.Context())
		if !errors.Is(err, ErrClientConfig) || !strings.Contains(err.Error(), port) {
			t.Errorf("got %v; want ErrClientConfig that names port %s", err, port)
		}
		if n := r.opens.Load(); n != 0 {
			t.Errorf("the browser was opened %d times; want 0", n)
		}
	})
	t.Run("free", func(t *testing.T) {
		t.Parallel()
		ln, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port := ln.Addr().(*net.TCPAddr).Port
		ln.Close()
		r := newRig(t, fakegoogle.Options{})
		w := r.startWaiting(func(c *Config) { c.RedirectPort = port })
		if want := "127.0.0.1:" + itoa(port); w.addr != want {
			t.Errorf("listening on %s; want %s", w.addr, want)
		}
		w.consent(t)
	})
	for _, port := range []int{0, 18543} {
		t.Run("no IPv4 loopback, port "+itoa(port), func(t *testing.T) {
			t.Parallel()
			if ln, err := net.Listen("tcp6", "[::1]:0"); err != nil {
				t.Skip("this machine has no IPv6 loopback")
			} else {
				ln.Close()
			}
			r := newRig(t, fakegoogle.Options{})
			w := r.startWaiting(func(c *Config) {
				c.RedirectPort = port
				c.listen = func(network, address string) (net.Listener, error) {
					if network == "tcp4" {
						return nil, &net.OpError{Op: "listen", Net: network, Err: os.NewSyscallError("bind", syscall.EADDRNOTAVAIL)}
					}
					return net.Listen(network, address)
				}
			})
			if !strings.HasPrefix(w.redirect, "http://[::1]:") {
				t.Errorf("redirect_uri is %s", w.redirect)
			}
			w.consent(t) // the fake compares the redirect_uri of both requests
		})
	}
}

// T17: the authorization request.
func TestAuthorizationRequest(t *testing.T) {
	t.Parallel()
	r := newRig(t, fakegoogle.Options{})
	seen := map[string]bool{}
	var mu sync.Mutex
	for range 3 {
		r.browse = func(ctx context.Context, address string) error {
			u, err := url.Parse(address)
			if err != nil {
				return err
			}
			q := u.Query()
			mu.Lock()
			defer mu.Unlock()
			for _, key := range []string{"state", "code_challenge"} {
				if v := q.Get(key); len(v) != 43 || seen[v] {
					t.Errorf("%s: got %d characters, seen before: %v; want 43 new ones", key, len(v), seen[v])
				}
				seen[q.Get(key)] = true
			}
			for key, want := range map[string]string{
				"response_type": "code", "code_challenge_method": "S256", "access_type": "offline",
				"prompt": "select_account consent", "scope": ScopeBigQuery,
			} {
				if got := q.Get(key); got != want {
					t.Errorf("%s: got %q; want %q", key, got, want)
				}
			}
			for _, key := range []string{"code_verifier", "client_secret", "include_granted_scopes", "nonce", "login_hint", "hd"} {
				if q.Has(key) {
					t.Errorf("the request has %s", key)
				}
			}
			return fakegoogle.Consent(ctx, plainHTTP, address, "")
		}
		r.signIn(func(c *Config) { c.Store = MemoryStore() })
	}
	for _, form := range r.google.Forms() {
		if v := form.Get("code_verifier"); len(v) < 43 || len(v) > 128 || seen[v] {
			t.Errorf("code_verifier has %d characters, or was seen before", len(v))
		}
		seen[form.Get("code_verifier")] = true
	}
}

// T38, S41: nobody is asked again at once after a sign-in that failed.
func TestLoginTimeoutAndBackoff(t *testing.T) {
	t.Parallel()
	r := newRig(t, fakegoogle.Options{})
	r.browse = func(ctx context.Context, _ string) error { <-ctx.Done(); return nil }
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
	r.browse = func(ctx context.Context, url string) error { return fakegoogle.Consent(ctx, plainHTTP, url, "") }
	a.cfg.LoginTimeout = 20 * time.Second
	if err := a.Login(t.Context()); err != nil {
		t.Errorf("Login during the pause: %v", err)
	}
}

func TestBackoffEnds(t *testing.T) {
	t.Parallel()
	r := newRig(t, fakegoogle.Options{})
	deny := func(ctx context.Context, url string) error { return fakegoogle.Deny(ctx, plainHTTP, url) }
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
		{"cloud-platform does not count for drive", []string{"drive.readonly"}, scopePrefix + "cloud-platform", false},
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

// T48: sign-ins that are given up leave nothing behind.
func TestAbortedSignInsLeaveNothing(t *testing.T) {
	r := newRig(t, fakegoogle.Options{})
	opened := make(chan struct{}, 1)
	run := func(n int) {
		for range n {
			a := r.open(func(c *Config) {
				c.OpenBrowser = func(ctx context.Context, _ string) error {
					opened <- struct{}{}
					<-ctx.Done()
					return nil
				}
			})
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- a.Ensure(ctx) }()
			<-opened
			cancel()
			<-done
			a.Close()
		}
	}
	run(5)
	goroutines, fds := runtime.NumGoroutine(), openFiles(t)
	run(200)
	waitFor(t, func() bool { return runtime.NumGoroutine() <= goroutines })
	if got := openFiles(t); got > fds {
		t.Errorf("open files: got %d; want %d as before", got, fds)
	}
	t.Logf("goroutines before and after: %d, %d; open files: %d, %d", goroutines, runtime.NumGoroutine(), fds, openFiles(t))
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0 // only Linux has it
	}
	return len(entries)
}

// T49: programs' pools with the same settings share one consent.
func TestTwoAuthenticatorsShareConsent(t *testing.T) {
	t.Parallel()
	r := newRig(t, fakegoogle.Options{})
	dir := t.TempDir()
	var wg sync.WaitGroup
	for range 2 {
		store, err := FileStore(dir + "/tokens")
		if err != nil {
			t.Fatal(err)
		}
		a := r.open(func(c *Config) { c.Store = store })
		for range 5 {
			wg.Go(func() {
				if err := a.Ensure(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
	if n := r.opens.Load(); n != 1 {
		t.Errorf("the browser was opened %d times; want 1", n)
	}
	r.wantCounts(fakegoogle.Counts{AuthPages: 1, Consents: 1, Exchanges: 1})
}

// The person hears that another process is signing in.
func TestNoticeWhileAnotherSignsIn(t *testing.T) {
	t.Parallel()
	r := newRig(t, fakegoogle.Options{})
	w := r.startWaiting(nil)
	var notices atomic.Int64
	b := r.open(func(c *Config) {
		c.Prompter = noticeCounter{&notices}
		c.notice = 10 * time.Millisecond
	})
	done := make(chan error, 1)
	go func() { done <- b.Ensure(t.Context()) }()
	waitFor(t, func() bool { return notices.Load() == 1 })
	w.consent(t)
	if err := <-done; err != nil {
		t.Error(err)
	}
	r.wantCounts(fakegoogle.Counts{AuthPages: 1, Consents: 1, Exchanges: 1})
}

type noticeCounter struct{ n *atomic.Int64 }

func (noticeCounter) Prompt(context.Context, Prompt) error { return nil }
func (c noticeCounter) Notify(context.Context, string)     { c.n.Add(1) }

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
		"reset": {Reset: true}, "503": {Status: 503}, "empty": {Status: 200}, "server_error": fakegoogle.ErrorReply(400, "server_error", ""),
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
