package auth

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/fakegoogle"
)

// T30, T45, S32: without a working store the sign-in lives in this process.
func TestSignInWithoutWorkingStore(t *testing.T) {
	t.Parallel()
	noHome := &fileStore{unusable: errors.New("HOME is not set")}
	for name, store := range map[string]Store{
		"no home directory": noHome,
		"disk full":         &faultyStore{save: errors.New("no space left on device")},
		"locks unsupported": &faultyStore{lock: errors.New("no locks available")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, fakegoogle.Options{})
			log := &logBuffer{}
			a := r.open(func(c *Config) { c.Store, c.Logger = store, log.logger() })
			for range 3 {
				if err := a.Ensure(t.Context()); err != nil {
					t.Fatal(err)
				}
				r.clock.Add(2 * time.Hour)
			}
			if n := r.google.Counts().Consents; n != 1 {
				t.Errorf("%d consents; want 1", n)
			}
			if n := strings.Count(log.text(), "cannot be saved"); n != 1 {
				t.Errorf("%d warnings about saving; want 1:\n%s", n, log.text())
			}
		})
	}
}

// T30: a record that cannot be removed or replaced does not come back.
func TestUnsavedSignInWins(t *testing.T) {
	t.Parallel()
	r := newRig(t, fakegoogle.Options{})
	dead := testRecord()
	dead.ClientID, dead.RefreshToken, dead.Expiry = r.cfg.Client.id, "1//dead-refresh-token",
		r.clock.Now().Add(-time.Hour)
	dead.Created = r.clock.Now().Add(-24 * time.Hour)
	a := r.open(func(c *Config) { c.Store = &faultyStore{kept: dead, save: errors.New("read-only file system")} })
	for range 3 {
		must(t, a.Ensure(t.Context()))
		r.clock.Add(2 * time.Hour)
	}
	if n := r.google.Counts().Consents; n != 1 {
		t.Errorf("%d consents; want 1", n)
	}
}

// T30: the page tells the user that the sign-in was not saved.
func TestPageWhenNotSaved(t *testing.T) {
	t.Parallel()
	r := newRig(t, fakegoogle.Options{})
	w := r.startWaiting(func(c *Config) { c.Store = &faultyStore{save: errors.New("disk full")} })
	_, body, _ := w.get(t, enc("state", w.state, "code", w.code(t)), nil)
	if !strings.Contains(body, "could not be saved") {
		t.Errorf("page: got %q", body)
	}
	must(t, w.wait(t))
}

// T30: a directory in which nothing can be made.
func TestReadOnlyDirectory(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 {
		// Nothing is read-only for root, but a directory can't be made in a file.
		file := filepath.Join(t.TempDir(), "file")
		must(t, os.WriteFile(file, nil, 0o600))
		r := newRig(t, fakegoogle.Options{})
		r.signIn(func(c *Config) {
			s, err := FileStore(filepath.Join(file, "tokens"))
			must(t, err)
			c.Store = s
		})
		return
	}
	dir := filepath.Join(t.TempDir(), "tokens")
	must(t, os.Mkdir(dir, 0o500))
	r := newRig(t, fakegoogle.Options{})
	r.signIn(func(c *Config) {
		s, err := FileStore(dir)
		must(t, err)
		c.Store = s
	})
}

// faultyStore fails to lock or to save; kept is what it has.
type faultyStore struct {
	lock, save error
	kept       *Record
}

func (s *faultyStore) Get(context.Context, string) (*Record, error) {
	if s.kept == nil {
		return nil, ErrNotFound
	}
	return s.kept.clone(), nil
}

func (s *faultyStore) Update(_ context.Context, _ string, fn func(*Record) (*Record, error)) error {
	if s.lock != nil {
		return s.lock
	}
	if _, err := fn(s.kept.clone()); err != nil {
		return err
	}
	return s.save
}
