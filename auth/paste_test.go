package auth

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/fakegoogle"
)

// T37, S42: what may be pasted.
func TestPaste(t *testing.T) {
	t.Parallel()
	const redirect = "http://127.0.0.1:5555/oauth2/callback"
	newTest := func() *attempt { return newAttempt(newAnswerSlot(), redirect, "https://accounts.google.com", false) }
	tests := []struct {
		name string
		text func(good string) string
		ok   bool
	}{
		{"right", func(s string) string { return s }, true},
		{"spaces around", func(s string) string { return "  " + s + "\t\r\n" }, true},
		{"wrapped", func(s string) string { return s[:60] + "\n   " + s[60:] }, true},
		{"quotes", func(s string) string { return `"` + s + `"` }, true},
		{"angle brackets", func(s string) string { return "<" + s + ">" }, true},
		{"bracketed paste", func(s string) string { return "\x00" + s }, true},
		{"localhost", func(s string) string { return strings.Replace(s, "127.0.0.1", "localhost", 1) }, true},
		{"https", func(s string) string { return strings.Replace(s, "http://", "https://", 1) }, true},
		{"with a fragment", func(s string) string { return s + "#" }, true},
		{"error", func(s string) string { return strings.Replace(s, "code=4/x", "error=access_denied", 1) }, true},
		{"nothing", func(string) string { return " \n" }, false},
		{"bare code", func(string) string { return "4/x" }, false},
		{"code and state", func(s string) string { return s[strings.Index(s, "?")+1:] }, false},
		{"wrong state", func(s string) string { return strings.Replace(s, "state=", "state=x", 1) }, false},
		{"no state", func(string) string { return redirect + "?code=4/x" }, false},
		{"state twice", func(s string) string { return s + "&state=x" }, false},
		{"no code", func(s string) string { return strings.Replace(s, "code=4/x", "x=y", 1) }, false},
		{"other port", func(s string) string { return strings.Replace(s, ":5555", ":5556", 1) }, false},
		{"no port", func(s string) string { return strings.Replace(s, ":5555", "", 1) }, false},
		{"other host", func(s string) string { return strings.Replace(s, "127.0.0.1", "evil.example", 1) }, false},
		{"other path", func(s string) string { return strings.Replace(s, "callback", "x", 1) }, false},
		{"user name", func(s string) string { return strings.Replace(s, "http://", "http://a@", 1) }, false},
		{"consent page", func(string) string { return "https://accounts.google.com/o/oauth2/v2/auth?x=y" }, false},
		{"other issuer", func(s string) string { return s + "&iss=https://evil.example" }, false},
		{"1 MiB", func(s string) string { return s + strings.Repeat("x", 1<<20) }, false},
		{"not an address", func(string) string { return "http://[::1" }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			at := newTest()
			good := redirect + "?state=" + at.state + "&code=4/x"
			err := at.paste(tt.text(good))
			if (err == nil) != tt.ok || len(at.slot.first) == 1 != tt.ok {
				t.Errorf("got %v, answers %d; want accepted: %v", err, len(at.slot.first), tt.ok)
			}
			if err != nil && (strings.Contains(err.Error(), at.state) || len(err.Error()) > 200) {
				t.Errorf("the text for the user quotes the paste: %v", err)
			}
			if !tt.ok {
				if err := at.paste(good); err != nil || len(at.slot.first) != 1 {
					t.Errorf("the right address afterwards: %v", err)
				}
			}
		})
	}
}

// pasting is a prompter that pastes what its channel brings.
type pasting struct {
	shown  chan Prompt
	text   chan string
	result chan error
}

func newPasting() *pasting {
	return &pasting{shown: make(chan Prompt, 1), text: make(chan string), result: make(chan error, 8)}
}

func (p *pasting) Prompt(ctx context.Context, prompt Prompt) error {
	p.shown <- prompt
	for {
		select {
		case text := <-p.text:
			p.result <- prompt.Paste(text)
		case <-ctx.Done():
			return nil
		}
	}
}

// address lets the fake consent and returns where the browser would end.
func (p *pasting) address(t *testing.T, url string) string {
	t.Helper()
	w := &waiting{url: url, addr: strings.Split(strings.SplitAfter(query(t, url, "redirect_uri"), "//")[1], "/")[0]}
	return query(t, url, "redirect_uri") + "?" +
		enc("state", query(t, url, "state"), "code", w.code(t), "scope", ScopeBigQuery)
}

// T37: a sign-in by paste, after some wrong ones.
func TestPasteSignsIn(t *testing.T) {
	t.Parallel()
	r := newRig(t, fakegoogle.Options{})
	p := newPasting()
	a := r.open(func(c *Config) { c.Mode, c.Prompter, c.OpenBrowser = ModeManual, p, nil })
	done := make(chan error, 1)
	go func() { done <- a.Ensure(t.Context()) }()
	prompt := <-p.shown
	if prompt.Opened || !strings.HasPrefix(prompt.RedirectAddr, "127.0.0.1:") {
		t.Errorf("prompt: opened %v, address %s", prompt.Opened, prompt.RedirectAddr)
	}
	r.opened(prompt.URL)
	for _, wrong := range []string{"4/x", "http://" + prompt.RedirectAddr + "/oauth2/callback?code=4/x&state=y"} {
		p.text <- wrong
		if err := <-p.result; err == nil {
			t.Errorf("%q was accepted", wrong)
		}
	}
	p.text <- p.address(t, prompt.URL)
	must(t, <-p.result)
	must(t, <-done)
	r.wantCounts(fakegoogle.Counts{AuthPages: 1, Consents: 1, Exchanges: 1})
}

// T37: the paste and the browser bring the answer at the same time.
func TestPasteAndCallback(t *testing.T) {
	t.Parallel()
	r := newRig(t, fakegoogle.Options{})
	r.google.ScriptToken(fakegoogle.Reply{Delay: 2 * time.Second}) // so that both find the port open
	p := newPasting()
	a := r.open(func(c *Config) { c.Mode, c.Prompter, c.OpenBrowser = ModeManual, p, nil })
	done := make(chan error, 1)
	go func() { done <- a.Ensure(t.Context()) }()
	prompt := <-p.shown
	address := p.address(t, prompt.URL)
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := prompt.Paste(address); err != nil {
			t.Errorf("Paste: %v", err)
		}
	})
	wg.Go(func() {
		resp, err := plainHTTP.Get(address)
		if err != nil {
			t.Errorf("GET: %v", err)
			return
		}
		resp.Body.Close()
		if resp.StatusCode != 200 {
			t.Errorf("page: got %d; want 200", resp.StatusCode)
		}
	})
	wg.Wait()
	must(t, <-done)
	r.wantCounts(fakegoogle.Counts{AuthPages: 1, Consents: 1, Exchanges: 1})
	// After the end a paste does no harm.
	prompt.Paste(address)
}

// A prompter that cannot show anything ends the sign-in, unless a browser shows it.
func TestPromptFails(t *testing.T) {
	t.Parallel()
	r := newRig(t, fakegoogle.Options{})
	a := r.open(func(c *Config) { c.Mode, c.Prompter, c.OpenBrowser = ModeManual, failingPrompter{}, nil })
	if err := a.Ensure(t.Context()); !errors.Is(err, ErrConsentRequired) {
		t.Errorf("manual: got %v; want ErrConsentRequired", err)
	}
	r.signIn(func(c *Config) { c.Prompter = failingPrompter{} })
	// A browser that is slow to come still counts.
	r.signIn(func(c *Config) {
		open := c.OpenBrowser
		c.Prompter, c.patience, c.Store = failingPrompter{}, time.Millisecond, MemoryStore()
		c.OpenBrowser = func(ctx context.Context, address string) error {
			time.Sleep(50 * time.Millisecond)
			return open(ctx, address)
		}
	})
}

type failingPrompter struct{}

func (failingPrompter) Prompt(context.Context, Prompt) error { return errors.New("no window") }
