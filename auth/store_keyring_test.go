package auth

import (
	"errors"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/zalando/go-keyring"

	"github.com/bigqueryuser/bigqueryuser/internal/fakegoogle"
)

// fakeKeyring is a KeyringStore on a map.
func fakeKeyring(t *testing.T) *keyringStore {
	t.Helper()
	store, err := KeyringStore(t.TempDir() + "/locks")
	must(t, err)
	s := store.(*keyringStore)
	var mu sync.Mutex
	entries := map[string]string{}
	s.get = func(service, user string) (string, error) {
		mu.Lock()
		defer mu.Unlock()
		if text, ok := entries[service+user]; ok {
			return text, nil
		}
		return "", keyring.ErrNotFound
	}
	s.set = func(service, user, secret string) error {
		mu.Lock()
		defer mu.Unlock()
		entries[service+user] = secret
		return nil
	}
	s.del = func(service, user string) error {
		mu.Lock()
		defer mu.Unlock()
		if _, ok := entries[service+user]; !ok {
			return keyring.ErrNotFound
		}
		delete(entries, service+user)
		return nil
	}
	return s
}

func TestKeyringSignIn(t *testing.T) {
	t.Parallel()
	r := newRig(t, fakegoogle.Options{})
	s := fakeKeyring(t)
	r.signIn(func(c *Config) { c.Store = s })
	r.signIn(func(c *Config) { c.Store = s })
	r.wantCounts(fakegoogle.Counts{AuthPages: 1, Consents: 1, Exchanges: 1})
	entries, err := os.ReadDir(s.files.dir)
	must(t, err)
	if len(entries) != 1 || !strings.HasSuffix(entries[0].Name(), ".lock") {
		t.Errorf("files: got %v; want a lock file alone", entries)
	}
}

// There is no silent way from the keyring to a file or to memory.
func TestKeyringUnavailable(t *testing.T) {
	t.Parallel()
	hang := make(chan struct{})
	t.Cleanup(func() { close(hang) })
	for name, get := range map[string]func(string, string) (string, error){
		"no service": func(string, string) (string, error) { return "", errors.New("no such bus") },
		"hangs":      func(string, string) (string, error) { <-hang; return "", errors.New("late") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, fakegoogle.Options{})
			s := fakeKeyring(t)
			s.get, s.timeout = get, 20*time.Millisecond
			a := r.open(func(c *Config) { c.Store = s })
			if err := a.Ensure(t.Context()); !errors.Is(err, ErrStoreUnavailable) ||
				!strings.Contains(err.Error(), "token_store=file") {
				t.Errorf("Ensure: got %v; want ErrStoreUnavailable that says what to do", err)
			}
			if err := a.Logout(t.Context()); !errors.Is(err, ErrStoreUnavailable) {
				t.Errorf("Logout: got %v; want ErrStoreUnavailable", err)
			}
			r.wantCounts(fakegoogle.Counts{})
		})
	}
	t.Run("cannot save", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, fakegoogle.Options{})
		s := fakeKeyring(t)
		s.set = func(string, string, string) error { return keyring.ErrSetDataTooBig }
		a := r.open(func(c *Config) { c.Store = s })
		if err := a.Ensure(t.Context()); !errors.Is(err, ErrStoreUnavailable) {
			t.Errorf("Ensure: got %v; want ErrStoreUnavailable", err)
		}
	})
}

// A record that is too large for some platforms goes without its access token.
func TestKeyringRecordFits(t *testing.T) {
	t.Parallel()
	s := fakeKeyring(t)
	rec := testRecord()
	rec.AccessToken = strings.Repeat("a", 2048)
	rec.RefreshToken = strings.Repeat("r", 512)
	put(t, s, rec)
	got, err := s.Get(t.Context(), testKey)
	must(t, err)
	if got.RefreshToken != rec.RefreshToken || got.AccessToken != "" || !got.Expiry.IsZero() {
		t.Errorf("refresh token of %d bytes, access token of %d; want 512 and 0", len(got.RefreshToken),
			len(got.AccessToken))
	}
}

// The real thing, on a machine that has none.
func TestKeyringWithoutService(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("macOS and Windows always have one")
	}
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path="+t.TempDir()+"/none")
	s, err := KeyringStore(t.TempDir() + "/locks")
	must(t, err)
	if _, err := s.Get(t.Context(), testKey); !errors.Is(err, ErrStoreUnavailable) {
		t.Errorf("Get: got %v; want ErrStoreUnavailable", err)
	}
	err = s.Update(t.Context(), testKey, func(*Record) (*Record, error) { return testRecord(), nil })
	if !errors.Is(err, ErrStoreUnavailable) || strings.Contains(err.Error(), "refresh") {
		t.Errorf("Update: got %v; want ErrStoreUnavailable", err)
	}
}
