package auth

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bigqueryuser/bigqueryuser/internal/fakegoogle"
)

const testKey = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

func testRecord() *Record {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	return &Record{
		Version: recordVersion, ClientID: "client", Scopes: []string{ScopeBigQuery}, Granted: []string{ScopeBigQuery},
		Account: "ada@example.com", Subject: "1001", RefreshToken: "1//refresh", AccessToken: "ya29.access",
		Expiry: now.Add(time.Hour), Created: now,
	}
}

func put(t *testing.T, s Store, rec *Record) {
	t.Helper()
	if err := s.Update(t.Context(), testKey, func(*Record) (*Record, error) { return rec, nil }); err != nil {
		t.Fatal(err)
	}
}

// plain makes cmp look at the fields, since a Record prints without its tokens.
type plain Record

func sameRecord(t *testing.T, got, want *Record) {
	t.Helper()
	if got == nil || want == nil {
		t.Fatalf("got nil: %v; want nil: %v", got == nil, want == nil)
	}
	if diff := cmp.Diff(plain(*want), plain(*got)); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}
}

// stores makes one of each kind.
func stores(t *testing.T) map[string]Store {
	files, err := FileStore(filepath.Join(t.TempDir(), "tokens"))
	if err != nil {
		t.Fatal(err)
	}
	ring := fakeKeyring(t)
	return map[string]Store{"memory": MemoryStore(), "file": files, "keyring": ring}
}

func TestStores(t *testing.T) {
	t.Parallel()
	for name, s := range stores(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			if _, err := s.Get(ctx, testKey); !errors.Is(err, ErrNotFound) {
				t.Errorf("Get of nothing: got %v; want ErrNotFound", err)
			}
			if err := s.Update(ctx, testKey, func(old *Record) (*Record, error) {
				if old != nil {
					t.Error("fn got a record; want nil")
				}
				return nil, nil
			}); err != nil {
				t.Errorf("removing nothing: %v", err)
			}
			rec := testRecord()
			put(t, s, rec)
			got, err := s.Get(ctx, testKey)
			if err != nil {
				t.Fatal(err)
			}
			sameRecord(t, got, rec)
			got.Scopes[0] = "changed"
			if again, err := s.Get(ctx, testKey); err != nil || again.Scopes[0] != ScopeBigQuery {
				t.Error("a caller's change reached the store")
			}
			failure := errors.New("failure")
			if err := s.Update(ctx, testKey, func(old *Record) (*Record, error) {
				sameRecord(t, old, rec)
				return nil, failure
			}); !errors.Is(err, failure) {
				t.Errorf("Update whose fn fails: got %v", err)
			}
			if _, err := s.Get(ctx, testKey); err != nil {
				t.Errorf("after an Update whose fn failed: %v", err)
			}
			put(t, s, nil)
			if _, err := s.Get(ctx, testKey); !errors.Is(err, ErrNotFound) {
				t.Errorf("Get of what was removed: got %v; want ErrNotFound", err)
			}
		})
	}
}

// T45: a function that panics gives the lock back; waiting for it ends with ctx.
func TestStoreLocks(t *testing.T) {
	t.Parallel()
	for name, s := range stores(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			func() {
				defer func() { recover() }()
				s.Update(t.Context(), testKey, func(*Record) (*Record, error) { panic("in fn") })
			}()
			entered, leave := make(chan struct{}), make(chan struct{})
			done := make(chan error, 1)
			go func() {
				done <- s.Update(t.Context(), testKey, func(*Record) (*Record, error) {
					close(entered)
					<-leave
					return testRecord(), nil
				})
			}()
			<-entered
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			err := s.Update(ctx, testKey, func(*Record) (*Record, error) {
				t.Error("two Updates at the same time")
				return nil, nil
			})
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("waiting for the lock: got %v; want DeadlineExceeded", err)
			}
			if _, err := s.Get(t.Context(), testKey); !errors.Is(err, ErrNotFound) {
				t.Errorf("Get beside an Update: got %v; want ErrNotFound at once", err)
			}
			close(leave)
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
}

// T28, S30: a file that belongs to another sign-in is ignored.
func TestForeignRecord(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(*Record){
		"client":  func(r *Record) { r.ClientID = "another" },
		"scopes":  func(r *Record) { r.Scopes = []string{scopePrefix + "drive"} },
		"account": func(r *Record) { r.Account = "eve@example.com" },
		"domain":  func(r *Record) { r.HostedDomain = "other.example" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, twoAccounts)
			a := r.signIn(func(c *Config) { c.Account, c.HostedDomain = "bob@corp.example", "corp.example" })
			must(t, r.cfg.Store.Update(t.Context(), a.key, func(old *Record) (*Record, error) {
				next := old.clone()
				edit(next)
				return next, nil
			}))
			r.signIn(func(c *Config) { c.Account, c.HostedDomain = "bob@corp.example", "corp.example" })
			r.wantCounts(fakegoogle.Counts{AuthPages: 2, Consents: 2, Exchanges: 2})
		})
	}
}

func TestStoreKeys(t *testing.T) {
	t.Parallel()
	for name, s := range stores(t) {
		if name == "memory" {
			continue
		}
		for _, key := range []string{"", "../../etc/passwd", testKey + "/", strings.ToUpper(testKey[:63]) + "/"} {
			if _, err := s.Get(t.Context(), key); err == nil || errors.Is(err, ErrNotFound) ||
				errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s: key %q: got %v; want a refusal", name, key, err)
			}
		}
	}
}

// logBuffer collects what is logged, from Debug on, with errors in all their forms.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logBuffer) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *logBuffer) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{
		Level: slog.LevelDebug,
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if err, ok := a.Value.Any().(error); ok {
				a.Value = slog.StringValue(fmt.Sprintf("%v %+v %#v", err, err, err))
			}
			return a
		},
	}))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
