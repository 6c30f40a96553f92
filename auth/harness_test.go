package auth

import (
	"context"
	"log/slog"
	"net/http"
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
	opens  atomic.Int64
	browse func(ctx context.Context, url string) error
}

func newRig(t *testing.T, opts fakegoogle.Options) *rig {
	t.Helper()
	r := &rig{t: t, clock: newClock()}
	if opts.Now == nil {
		opts.Now = r.clock.Now
	}
	r.google = fakegoogle.New(opts)
	if _, err := r.google.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.google.Close() })
	r.browse = func(ctx context.Context, url string) error {
		return fakegoogle.Consent(ctx, plainHTTP, url, "")
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
			return r.browse(ctx, url)
		},
		Logger:       slog.New(slog.DiscardHandler),
		LoginTimeout: 20 * time.Second,
		now:          r.clock.Now,
		pause:        time.Millisecond,
	}
	return r
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

// wantCounts compares what Google has seen.
func (r *rig) wantCounts(want fakegoogle.Counts) {
	r.t.Helper()
	if got := r.google.Counts(); got != want {
		r.t.Errorf("requests: got %+v; want %+v", got, want)
	}
}

type quietPrompter struct{}

func (quietPrompter) Prompt(context.Context, Prompt) error { return nil }
