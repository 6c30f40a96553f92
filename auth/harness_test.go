package auth

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/netip"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/fakegoogle"
)

var plainHTTP = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

// clock is a clock that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// rig is a fake Google and the configuration of a program that uses it. The
// browser is the function browse; it consents unless a test replaces it.
type rig struct {
	t      *testing.T
	google *fakegoogle.Server
	clock  *clock
	cfg    Config
	log    *logBuffer
	opens  atomic.Int64

	mu     sync.Mutex
	urls   []string // consent pages
	browse func(ctx context.Context, web *http.Client, url string) error
}

func newRig(t *testing.T, opts fakegoogle.Options) *rig {
	t.Helper()
	r := &rig{t: t, clock: newClock(), log: &logBuffer{}}
	if opts.Now == nil {
		opts.Now = r.clock.Now
	}
	opts.HTTP2 = *overHTTP2
	r.google = fakegoogle.New(opts)
	if _, err := r.google.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		r.sweep("the log", r.log.text())
		r.google.Close()
	})
	r.browse = func(ctx context.Context, web *http.Client, url string) error {
		return fakegoogle.Consent(ctx, web, url, "")
	}
	client, err := ParseClient(r.google.ClientSecrets())
	if err != nil {
		t.Fatal(err)
	}
	r.cfg = Config{
		Client:   client,
		Mode:     ModeBrowser,
		Store:    MemoryStore(),
		Prompter: quietPrompter{},
		OpenBrowser: func(ctx context.Context, url string) error {
			r.opens.Add(1)
			web, consent, err := openStart(ctx, url)
			if err != nil {
				return err
			}
			r.shown(consent)
			return r.browse(ctx, web, consent)
		},
		Logger:       r.log.logger(),
		LoginTimeout: 20 * time.Second,
		now:          r.clock.Now,
		pause:        time.Millisecond,
		shows:        10 * time.Second, // the tests' browsers come late if the machine is busy
		lookup:       testLookup(),
	}
	return r
}

// testLookup is nil where the platform tells whose a connection is. Elsewhere all
// are the user's, so that most tests are the same everywhere.
func testLookup() func(client, server netip.AddrPort) peer {
	if runtime.GOOS == "linux" {
		return nil
	}
	return func(netip.AddrPort, netip.AddrPort) peer { return peerUser }
}

// open makes an Authenticator; edit may change its configuration first.
func (r *rig) open(edit func(*Config)) *Authenticator {
	r.t.Helper()
	cfg := r.cfg
	if edit != nil {
		edit(&cfg)
	}
	a, err := New(cfg)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { a.Close() })
	return a
}

func (r *rig) signIn(edit func(*Config)) *Authenticator {
	r.t.Helper()
	a := r.open(edit)
	if err := a.Ensure(r.t.Context()); err != nil {
		r.t.Fatalf("Ensure: %v", err)
	}
	return a
}

// openStart plays a browser that opens the start page: it keeps the cookie and
// returns where it was sent.
func openStart(ctx context.Context, start string) (web *http.Client, consent string, err error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, "", err
	}
	web = &http.Client{Transport: plainHTTP.Transport, Jar: jar}
	first := &http.Client{Transport: plainHTTP.Transport, Jar: jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, start, nil)
	if err != nil {
		return nil, "", err
	}
	resp, err := first.Do(req)
	if err != nil {
		return nil, "", err
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusSeeOther {
		return nil, "", fmt.Errorf("the start page answered %s", resp.Status)
	}
	return web, resp.Header.Get("Location"), nil
}

// opened notes that the browser was asked to show a consent page.
func (r *rig) opened(address string) {
	r.opens.Add(1)
	r.shown(address)
}

// shown notes a consent page, whose state must not be seen anywhere.
func (r *rig) shown(address string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.urls = append(r.urls, address)
}

// secrets are all the values that must not be seen anywhere: what went to the
// token endpoint and what came from it, and the states and nonces.
func (r *rig) secrets() []string {
	out := []string{"GOCSPX-fake-client-secret"}
	for _, form := range r.google.Forms() {
		for _, key := range []string{"code", "code_verifier", "refresh_token", "token", "client_secret"} {
			out = append(out, form.Get(key))
		}
	}
	state, err := r.google.State()
	if err != nil {
		r.t.Error(err)
	}
	var tokens struct{ Access, Refresh map[string]any }
	if err := json.Unmarshal(state, &tokens); err != nil {
		r.t.Error(err)
	}
	out = slices.AppendSeq(out, maps.Keys(tokens.Access))
	out = slices.AppendSeq(out, maps.Keys(tokens.Refresh))
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, address := range r.urls {
		if u, err := url.Parse(address); err == nil {
			out = append(out, u.Query().Get("state"), u.Query().Get("nonce"))
		}
	}
	return slices.DeleteFunc(out, func(s string) bool { return len(s) < 8 }) // made up by a test
}

// sweep fails the test if a secret is in the text.
func (r *rig) sweep(where, text string) {
	r.t.Helper()
	for _, secret := range r.secrets() {
		for _, form := range []string{secret, url.QueryEscape(secret)} {
			if i := strings.Index(text, form); i >= 0 {
				r.t.Errorf("%s shows a secret: ...%s...", where, text[max(0, i-80):min(len(text), i+10)])
			}
		}
	}
}

// wantCounts compares what Google has seen.
func (r *rig) wantCounts(want fakegoogle.Counts) {
	r.t.Helper()
	if got := r.google.Counts(); got != want {
		r.t.Errorf("requests: got %+v; want %+v", got, want)
	}
}

type quietPrompter struct{}

func (quietPrompter) Prompt(context.Context, Prompt) error { return nil }

// waiting is a sign-in that is open in the browser: the consent page's address
// has been handed out and not answered.
type waiting struct {
	a        *Authenticator
	start    string       // the start page
	web      *http.Client // the browser that was opened
	url      string       // the consent page
	redirect string       // the redirect_uri
	addr     string       // host:port of the listener
	state    string
	cancel   context.CancelFunc
	result   chan error // what Ensure returned
}

// startWaiting calls Ensure and returns when the browser has been opened.
func (r *rig) startWaiting(edit func(*Config)) *waiting {
	r.t.Helper()
	opened := make(chan string, 8)
	a := r.open(func(c *Config) {
		c.OpenBrowser = func(ctx context.Context, url string) error {
			r.opens.Add(1)
			opened <- url
			<-ctx.Done()
			return nil
		}
		if edit != nil {
			edit(c)
		}
	})
	ctx, cancel := context.WithCancel(r.t.Context())
	w := &waiting{a: a, cancel: cancel, result: make(chan error, 1)}
	r.t.Cleanup(cancel)
	go func() { w.result <- a.Ensure(ctx) }()
	select {
	case w.start = <-opened:
	case err := <-w.result:
		r.t.Fatalf("Ensure returned before the browser was opened: %v", err)
	case <-time.After(10 * time.Second):
		r.t.Fatal("the browser was not opened")
	}
	var err error
	if w.web, w.url, err = openStart(r.t.Context(), w.start); err != nil {
		r.t.Fatal(err)
	}
	r.shown(w.url)
	u, err := url.Parse(w.url)
	if err != nil {
		r.t.Fatal(err)
	}
	w.redirect, w.state = u.Query().Get("redirect_uri"), u.Query().Get("state")
	ru, err := url.Parse(w.redirect)
	if err != nil {
		r.t.Fatal(err)
	}
	w.addr = ru.Host
	return w
}

// get fetches the redirect address with the given query and returns status and body.
func (w *waiting) get(t *testing.T, query string, edit func(*http.Request)) (int, string, http.Header) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.redirect+"?"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	if edit != nil {
		edit(req)
	}
	resp, err := w.web.Do(req)
	if err != nil {
		t.Fatalf("GET %s: %v", query, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body), resp.Header
}

// consent answers the page and checks that the sign-in ends well.
func (w *waiting) consent(t *testing.T) {
	t.Helper()
	if err := fakegoogle.Consent(t.Context(), w.web, w.url, ""); err != nil {
		t.Fatalf("the right answer did not work any more: %v", err)
	}
	if err := w.wait(t); err != nil {
		t.Fatalf("Ensure: %v", err)
	}
	freed(t, w.addr)
}

// wait returns what Ensure returned.
func (w *waiting) wait(t *testing.T) error {
	t.Helper()
	select {
	case err := <-w.result:
		return err
	case <-time.After(20 * time.Second):
		t.Fatal("Ensure did not return")
		return nil
	}
}

// code gets a valid code from Google without bringing it to the application.
func (w *waiting) code(t *testing.T) string {
	t.Helper()
	var got string
	client := &http.Client{Transport: plainHTTP.Transport,
		CheckRedirect: func(req *http.Request, _ []*http.Request) error {
			if req.URL.Host == w.addr {
				got = req.URL.Query().Get("code")
				return http.ErrUseLastResponse
			}
			return nil
		}}
	if err := fakegoogle.Consent(t.Context(), client, w.url, ""); err != nil {
		t.Fatal(err)
	}
	if got == "" {
		t.Fatal("the fake sent no code")
	}
	return got
}

// promptLog keeps what the user was asked.
type promptLog struct {
	mu  sync.Mutex
	got []Prompt
}

func (p *promptLog) Prompt(_ context.Context, prompt Prompt) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.got = append(p.got, prompt)
	return nil
}

func (p *promptLog) all() []Prompt {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Prompt(nil), p.got...)
}

func reasons(prompts []Prompt) []string {
	var out []string
	for _, p := range prompts {
		out = append(out, p.Reason)
	}
	return out
}

// query returns one parameter of an address.
func query(t *testing.T, address, key string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query().Get(key)
}
