package auth

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/fakegoogle"
)

// T5: a waiter that leaves does not end the others; the last one ends the sign-in.
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
		if err := fakegoogle.Consent(t.Context(), w.web, w.url, ""); err != nil {
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

// Once the user has said yes the sign-in is finished and stored, although
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
		go fakegoogle.Consent(t.Context(), w.web, w.url, "")
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

// T17: the authorization request.
func TestAuthorizationRequest(t *testing.T) {
	t.Parallel()
	r := newRig(t, fakegoogle.Options{})
	seen := map[string]bool{}
	var mu sync.Mutex
	for range 3 {
		r.browse = func(ctx context.Context, web *http.Client, address string) error {
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
			for _, key := range []string{"code_verifier", "client_secret", "include_granted_scopes", "nonce",
				"login_hint", "hd"} {
				if q.Has(key) {
					t.Errorf("the request has %s", key)
				}
			}
			return fakegoogle.Consent(ctx, web, address, "")
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
	waitFor(t, func() bool { return openFiles(t) <= fds })
	t.Logf("goroutines before and after: %d, %d; open files: %d, %d", goroutines, runtime.NumGoroutine(), fds,
		openFiles(t))
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

// The user hears that another process is signing in.
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
