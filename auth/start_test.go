package auth

import (
	"context"
	"errors"
	"net/http"
	"net/http/cookiejar"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/fakegoogle"
)

// blind is a platform that does not tell whose a connection is.
func blind(netip.AddrPort, netip.AddrPort) peer { return peerUnknown }

// opening is a sign-in whose start page has been handed to an opener and not
// been visited.
type opening struct {
	a      *Authenticator
	start  string
	result chan error
}

func (r *rig) opening(edit func(*Config)) *opening {
	r.t.Helper()
	starts := make(chan string, 1)
	o := &opening{result: make(chan error, 1)}
	o.a = r.open(func(c *Config) {
		c.OpenBrowser = func(_ context.Context, address string) error { starts <- address; return nil }
		if edit != nil {
			edit(c)
		}
	})
	go func() { o.result <- o.a.Ensure(r.t.Context()) }()
	select {
	case o.start = <-starts:
	case err := <-o.result:
		r.t.Fatalf("Ensure returned before the browser was opened: %v", err)
	}
	return o
}

// visitLast visits an address as another browser, which ends the listener: it can close before its page is out.
func visitLast(t *testing.T, address string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	must(t, err)
	r.Close = true
	if resp, err := http.DefaultTransport.RoundTrip(r); err == nil {
		resp.Body.Close()
	}
}

// visit makes one request to an address and returns its status and Location.
func visit(t *testing.T, web *http.Client, method, address string, header ...string) (int, string) {
	t.Helper()
	if web == nil {
		web = &http.Client{Transport: plainHTTP.Transport}
	}
	once := *web
	once.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	req, err := http.NewRequestWithContext(t.Context(), method, address, nil)
	must(t, err)
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := once.Do(req)
	must(t, err)
	resp.Body.Close()
	return resp.StatusCode, resp.Header.Get("Location")
}

func newWeb(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	must(t, err)
	return &http.Client{Transport: plainHTTP.Transport, Jar: jar}
}

// S46: what does not count as a visit, and what a second visit gets.
func TestStartPage(t *testing.T) {
	t.Parallel()
	r := newRig(t, fakegoogle.Options{})
	o := r.opening(nil)
	noise := []struct {
		name, method, address string
		header                []string
		want                  int
	}{
		{"HEAD", http.MethodHead, o.start, nil, 405},
		{"POST", http.MethodPost, o.start, nil, 405},
		{"prefetch", http.MethodGet, o.start, []string{"Sec-Purpose", "prefetch"}, 503},
		{"link preview", http.MethodGet, o.start, []string{"Purpose", "preview"}, 503},
		{"other token", http.MethodGet, o.start[:len(o.start)-1], nil, 404},
		{"no token", http.MethodGet, o.start[:strings.LastIndex(o.start, "/")+1], nil, 404},
		{"below it", http.MethodGet, o.start + "/x", nil, 404},
		{"other host", http.MethodGet, strings.Replace(o.start, "127.0.0.1", "localhost", 1), nil, 421},
	}
	for _, tt := range noise {
		if got, location := visit(t, nil, tt.method, tt.address, tt.header...); got != tt.want || location != "" {
			t.Errorf("%s: got %d, %q; want %d", tt.name, got, location, tt.want)
		}
	}
	web := newWeb(t)
	status, consent := visit(t, web, http.MethodGet, o.start)
	if status != http.StatusSeeOther || !strings.Contains(consent, "code_challenge=") {
		t.Fatalf("first visit: got %d, %q; want the consent page", status, consent)
	}
	for name, again := range map[string]*http.Client{"same browser": web, "other browser": nil} {
		if got, location := visit(t, again, http.MethodGet, o.start); got != http.StatusGone || location != "" {
			t.Errorf("second visit, %s: got %d, %q; want 410", name, got, location)
		}
	}
	r.shown(consent)
	must(t, fakegoogle.Consent(t.Context(), web, consent, ""))
	must(t, <-o.result)
}

// S46: the cookie of the start page.
func TestStartCookie(t *testing.T) {
	t.Parallel()
	r := newRig(t, fakegoogle.Options{})
	o := r.opening(nil)
	first := &http.Client{Transport: plainHTTP.Transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := first.Get(o.start)
	must(t, err)
	resp.Body.Close()
	cookies := resp.Cookies()
	if len(cookies) != 1 {
		t.Fatalf("got %d cookies; want 1", len(cookies))
	}
	c := cookies[0]
	if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != callbackPath || c.Domain != "" ||
		len(c.Value) != 43 || strings.Contains(o.start, c.Name) || strings.Contains(o.start, c.Value) {
		t.Errorf("cookie: got %s; want HttpOnly, SameSite=Lax, the callback's path, a random name and value", c)
	}
	consent := resp.Header.Get("Location")
	r.shown(consent)
	state, callback := query(t, consent, "state"), query(t, consent, "redirect_uri")
	answer := callback + "?" + enc("state", state, "code", "4/x")
	for name, header := range map[string][]string{
		"without the cookie": nil,
		"other value":        {"Cookie", c.Name + "=" + other(c.Value)},
		"other name":         {"Cookie", "x" + c.Name + "=" + c.Value},
	} {
		if got, location := visit(t, nil, http.MethodGet, answer, header...); got != 403 || location != "" {
			t.Errorf("%s: got %d, %q; want 403", name, got, location)
		}
	}
	if n := r.google.Counts().Exchanges; n != 0 {
		t.Errorf("%d exchanges; want 0", n)
	}
	web := newWeb(t)
	web.Jar.SetCookies(resp.Request.URL, cookies)
	must(t, fakegoogle.Consent(t.Context(), web, consent, ""))
	must(t, <-o.result)
}

// S46: the terminal's address has a state, verifier and nonce of its own, and
// needs no cookie, whether the start page was visited or not.
func TestTerminalAddressIsSeparate(t *testing.T) {
	t.Parallel()
	for _, visited := range []bool{false, true} {
		r := newRig(t, twoAccounts)
		prompts := &promptLog{}
		o := r.opening(func(c *Config) { c.Prompter, c.Account = prompts, "bob@corp.example" })
		waitFor(t, func() bool { return len(prompts.all()) == 1 })
		shown := prompts.all()[0].URL
		r.shown(shown)
		if visited {
			_, consent := visit(t, newWeb(t), http.MethodGet, o.start)
			r.shown(consent)
			for _, key := range []string{"state", "code_challenge", "nonce"} {
				if a, b := query(t, shown, key), query(t, consent, key); a == "" || a == b {
					t.Errorf("%s: both addresses have %q", key, a)
				}
			}
		}
		must(t, fakegoogle.Consent(t.Context(), plainHTTP, shown, "bob@corp.example"))
		must(t, <-o.result)
	}
}

// S46: where the platform does not tell whose a connection is, a second visitor
// ends the sign-in; the first one's browser may come again.
func TestSecondVisitorEndsSignIn(t *testing.T) {
	t.Parallel()
	r := newRig(t, fakegoogle.Options{})
	o := r.opening(func(c *Config) { c.lookup = blind })
	web := newWeb(t)
	if status, _ := visit(t, web, http.MethodGet, o.start); status != http.StatusSeeOther {
		t.Fatalf("first visit: got %d", status)
	}
	for range 3 {
		visit(t, web, http.MethodGet, o.start)
		visit(t, nil, http.MethodHead, o.start)
		visit(t, nil, http.MethodGet, o.start, "Sec-Purpose", "prefetch")
	}
	select {
	case err := <-o.result:
		t.Fatalf("the same browser's second visit ended the sign-in: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	visitLast(t, o.start)
	if err := <-o.result; err == nil || !strings.Contains(err.Error(), "another user") {
		t.Errorf("got %v; want an error that speaks of another user", err)
	}
	if _, err := r.cfg.Store.Get(t.Context(), o.a.key); !errors.Is(err, ErrNotFound) {
		t.Errorf("the store: got %v; want nothing in it", err)
	}
}

// S46: another user was first and has signed in before the user's own browser
// came: the sign-in is taken back.
func TestSignInIsTakenBack(t *testing.T) {
	t.Parallel()
	r := newRig(t, fakegoogle.Options{})
	o := r.opening(func(c *Config) { c.lookup = blind })
	must(t, fakegoogle.Consent(t.Context(), plainHTTP, o.start, ""))
	must(t, <-o.result)
	if _, err := o.a.Token(); err != nil {
		t.Fatal(err)
	}
	visitLast(t, o.start)
	waitFor(t, func() bool {
		_, err := r.cfg.Store.Get(t.Context(), o.a.key)
		return errors.Is(err, ErrNotFound)
	})
	if _, err := o.a.Token(); !errors.Is(err, ErrConsentRequired) || !strings.Contains(err.Error(), "another user") {
		t.Errorf("Token: got %v; want ErrConsentRequired that speaks of another user", err)
	}
	waitFor(t, func() bool { return strings.Contains(r.log.text(), "sign-in was removed") }) // after the store is empty
}

// S46: Close waits for a second visitor only as long as the user's own browser
// could take to come, and frees the port.
func TestCloseEndsGuard(t *testing.T) {
	t.Parallel()
	for spied, window := range map[bool]time.Duration{false: 700 * time.Millisecond, true: 20 * time.Second} {
		r := newRig(t, fakegoogle.Options{})
		o := r.opening(func(c *Config) { c.lookup, c.takeBack = blind, window })
		must(t, fakegoogle.Consent(t.Context(), plainHTTP, o.start, ""))
		must(t, <-o.result)
		closed := make(chan error, 1)
		go func() { closed <- o.a.Close() }()
		if spied { // the program is about to end, and then the user's browser comes
			time.Sleep(50 * time.Millisecond)
			visitLast(t, o.start)
		}
		select {
		case err := <-closed:
			must(t, err)
		case <-time.After(5 * time.Second):
			t.Fatal("Close did not return")
		}
		if _, err := r.cfg.Store.Get(t.Context(), o.a.key); errors.Is(err, ErrNotFound) != spied {
			t.Errorf("spied %v: the store says %v", spied, err)
		}
		freed(t, strings.Split(o.start, "/")[2])
	}
}

// S14, S46: long after the browser was opened Close does not wait at all.
func TestCloseLaterDoesNotWait(t *testing.T) {
	t.Parallel()
	r := newRig(t, fakegoogle.Options{})
	o := r.opening(func(c *Config) { c.lookup, c.takeBack = blind, 100*time.Millisecond })
	time.Sleep(150 * time.Millisecond)
	must(t, fakegoogle.Consent(t.Context(), plainHTTP, o.start, ""))
	must(t, <-o.result)
	must(t, o.a.Close())
	freed(t, strings.Split(o.start, "/")[2])
}

// S61: the browser ends at an address without code and state, and the port is
// open for it, for two seconds at most.
func TestFinalAddress(t *testing.T) {
	t.Parallel()
	for name, decline := range map[string]bool{"signed in": false, "refused": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, fakegoogle.Options{})
			w := r.startWaiting(func(c *Config) { c.shows = 0 })
			answer := enc("state", w.state, "error", "access_denied")
			if !decline {
				answer = enc("state", w.state, "code", w.code(t))
			}
			status, location := visit(t, w.web, http.MethodGet, w.redirect+"?"+answer)
			if status != http.StatusSeeOther || strings.ContainsAny(location, "?#&=") ||
				strings.Contains(location, w.state) {
				t.Errorf("got %d, %q; want a redirect to an address without parameters", status, location)
			}
			start := time.Now() // no browser follows the redirect
			w.wait(t)
			freed(t, w.addr)
			if d := time.Since(start); d > pageWindow+time.Second {
				t.Errorf("the port was open for %v", d)
			}
		})
	}
}

// S60: who has signed in is logged at info level and shown on the final page.
func TestWhoSignedIn(t *testing.T) {
	t.Parallel()
	r := newRig(t, twoAccounts)
	w := r.startWaiting(func(c *Config) { c.Account = "bob@corp.example" })
	r.shown(w.url)
	var code string
	catch := &http.Client{Transport: plainHTTP.Transport,
		CheckRedirect: func(req *http.Request, _ []*http.Request) error {
			if req.URL.Host == w.addr {
				code = req.URL.Query().Get("code")
				return http.ErrUseLastResponse
			}
			return nil
		}}
	must(t, fakegoogle.Consent(t.Context(), catch, w.url, "bob@corp.example"))
	_, body, _ := w.get(t, enc("state", w.state, "code", code), nil)
	for _, want := range []string{"bob@corp.example", "<code>bigquery</code>"} {
		if !strings.Contains(body, want) {
			t.Errorf("the final page lacks %q: %s", want, body)
		}
	}
	must(t, w.wait(t))
	log := r.log.text()
	if !strings.Contains(log, "level=INFO msg=\"auth: signed in\"") ||
		!strings.Contains(log, "account=bob@corp.example") ||
		!strings.Contains(log, "bigquery") {
		t.Errorf("the log lacks who signed in: %s", log)
	}
}
