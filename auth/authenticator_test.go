package auth

import (
	"sync"
	"testing"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/fakegoogle"
)

func TestEnsureAsksOnceAndRefreshesSilently(t *testing.T) {
	t.Parallel()
	r := newRig(t, fakegoogle.Options{})
	store, err := FileStore(t.TempDir() + "/tokens")
	if err != nil {
		t.Fatal(err)
	}
	useStore := func(c *Config) { c.Store = store }
	a := r.signIn(useStore)
	tok, err := a.Token()
	if err != nil {
		t.Fatal(err)
	}
	if g, ok := r.google.Verify(tok.AccessToken); !ok || g.Email != "ada@example.com" {
		t.Errorf("Verify: got %+v, %v", g, ok)
	}
	// A second program finds the stored token and makes no request.
	b := r.signIn(useStore)
	r.wantCounts(fakegoogle.Counts{AuthPages: 1, Consents: 1, Exchanges: 1})
	// Later ones refresh.
	r.clock.Add(2 * time.Hour)
	if _, err := b.Token(); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Token(); err != nil {
		t.Fatal(err)
	}
	r.wantCounts(fakegoogle.Counts{AuthPages: 1, Consents: 1, Exchanges: 1, Refreshes: 1})
}

func TestConcurrentEnsureAsksOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t, fakegoogle.Options{})
	a := r.open(nil)
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if err := a.Ensure(t.Context()); err != nil {
				t.Errorf("Ensure: %v", err)
			}
			if _, err := a.Token(); err != nil {
				t.Errorf("Token: %v", err)
			}
		})
	}
	wg.Wait()
	if n := r.opens.Load(); n != 1 {
		t.Errorf("browser opened %d times; want 1", n)
	}
	r.wantCounts(fakegoogle.Counts{AuthPages: 1, Consents: 1, Exchanges: 1})
}
