package auth

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
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

// T28, S27, S28: whatever is found in the file's place is not used, not
// followed, not waited for, and replaced.
func TestUnusableFiles(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("the file kinds are those of Unix")
	}
	good, err := testRecord().Encode()
	if err != nil {
		t.Fatal(err)
	}
	write := func(data string) func(*testing.T, string) {
		return func(t *testing.T, path string) { must(t, os.WriteFile(path, []byte(data), 0o600)) }
	}
	tests := []struct {
		name  string
		plant func(t *testing.T, path string)
	}{
		{"empty", write("")},
		{"truncated", write(string(good[:len(good)/2]))},
		{"binary", write("\x00\xff\x01\x02")},
		{"wrong version", write(strings.Replace(string(good), `"version":2`, `"version":99`, 1))},
		{"no version", write(strings.Replace(string(good), `"version":2`, `"version":0`, 1))},
		{"wrong types", write(strings.Replace(string(good), `"refresh_token":"1//refresh"`, `"refresh_token":7`, 1))},
		{"a list", write("[]")},
		{"null", write("null")},
		{"sparse", func(t *testing.T, path string) {
			write("")(t, path)
			must(t, os.Truncate(path, 1<<30))
		}},
		{"directory", func(t *testing.T, path string) { must(t, os.Mkdir(path, 0o700)) }},
		{"full directory", func(t *testing.T, path string) {
			must(t, os.Mkdir(path, 0o700))
			must(t, os.WriteFile(filepath.Join(path, "x"), nil, 0o600))
		}},
		{"pipe", makePipe},
		{"link to a file", func(t *testing.T, path string) { must(t, os.Symlink("/etc/passwd", path)) }},
		{"link to a record", func(t *testing.T, path string) {
			must(t, os.WriteFile(path+".real", good, 0o600))
			must(t, os.Symlink(path+".real", path))
		}},
		{"dangling link", func(t *testing.T, path string) { must(t, os.Symlink(path+".none", path)) }},
		{"another user's", func(t *testing.T, path string) {
			must(t, os.WriteFile(path, good, 0o600))
			if err := os.Chown(path, 12345, 12345); err != nil {
				t.Skip("only root can give files away")
			}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, fakegoogle.Options{})
			dir := filepath.Join(t.TempDir(), "tokens")
			store, err := FileStore(dir)
			if err != nil {
				t.Fatal(err)
			}
			log := &logBuffer{}
			a := r.open(func(c *Config) { c.Store, c.Logger = store, log.logger() })
			must(t, os.MkdirAll(dir, 0o700))
			path := filepath.Join(dir, a.key+".json")
			tt.plant(t, path)
			if err := a.Ensure(t.Context()); err != nil {
				t.Fatal(err)
			}
			r.wantCounts(fakegoogle.Counts{AuthPages: 1, Consents: 1, Exchanges: 1})
			if n := strings.Count(log.text(), "level=WARN"); n != 1 || strings.Contains(log.text(), "refresh_token") {
				t.Errorf("got %d warnings; want one, without content:\n%s", n, log.text())
			}
			info, err := os.Lstat(path)
			if err != nil || !info.Mode().IsRegular() || info.Mode().Perm() != 0o600 {
				t.Errorf("the fresh file: %v, %v", info, err)
			}
			aside, err := filepath.Glob(path[:len(path)-len(".json")] + ".corrupt-*")
			if err != nil || len(aside) != 1 {
				t.Errorf("set aside: %v, %v; want one", aside, err)
			}
			r.signIn(func(c *Config) { c.Store = store }) // silently
			r.wantCounts(fakegoogle.Counts{AuthPages: 1, Consents: 1, Exchanges: 1})
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

// S27: a file that others can read is closed to them and used.
func TestFileModeIsRepaired(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("modes are those of Unix")
	}
	dir := filepath.Join(t.TempDir(), "tokens")
	s, err := FileStore(dir)
	must(t, err)
	put(t, s, testRecord())
	path := filepath.Join(dir, testKey+".json")
	must(t, os.Chmod(path, 0o644))
	if _, err := s.Get(t.Context(), testKey); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode: got %v, %v; want 0600", info.Mode(), err)
	}
}

// S26, S29, S31: modes, names, and nothing left over.
func TestFilesOnDisk(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "with space", "ünï", "tokens")
	s, err := FileStore(dir)
	must(t, err)
	// What a killed process has left is readable by nobody else and goes with the next save.
	must(t, os.MkdirAll(dir, 0o700))
	must(t, os.WriteFile(filepath.Join(dir, testKey+".tmp-1"), []byte("cut off"), 0o600))
	put(t, s, testRecord())
	info, err := os.Stat(dir)
	if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o700 {
		t.Errorf("directory: %v, %v", info.Mode(), err)
	}
	var names []string
	entries, err := os.ReadDir(dir)
	must(t, err)
	for _, e := range entries {
		names = append(names, e.Name())
		if info, err := e.Info(); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v; want 0600", e.Name(), info.Mode(), err)
		}
	}
	if diff := cmp.Diff([]string{testKey + ".json", testKey + ".lock"}, names); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

// T29: a crash before the rename leaves the old record.
func TestCrashBeforeRename(t *testing.T) {
	t.Parallel()
	s, err := FileStore(filepath.Join(t.TempDir(), "tokens"))
	must(t, err)
	put(t, s, testRecord())
	files := s.(*fileStore)
	files.rename = func(string, string) error { return errors.New("power cut") }
	next := testRecord()
	next.RefreshToken = "1//other"
	if err := s.Update(t.Context(), testKey, func(*Record) (*Record, error) { return next, nil }); err == nil {
		t.Error("the save succeeded")
	}
	got, err := s.Get(t.Context(), testKey)
	must(t, err)
	sameRecord(t, got, testRecord())
	if left, _ := filepath.Glob(filepath.Join(files.dir, "*.tmp-*")); len(left) != 0 {
		t.Errorf("left over: %v", left)
	}
}

// T31: a reader never sees a part of a record.
func TestReadersSeeWholeRecords(t *testing.T) {
	t.Parallel()
	s, err := FileStore(filepath.Join(t.TempDir(), "tokens"))
	must(t, err)
	s.(*fileStore).sync = func(*os.File) error { return nil } // for a power cut, which this is not about
	rec := testRecord()
	rec.AccessToken = "a"
	put(t, s, rec)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			got, err := s.Get(t.Context(), testKey)
			if err != nil || got.AccessToken == "" || strings.Trim(got.AccessToken, got.AccessToken[:1]) != "" {
				t.Errorf("a reader saw a part of a record, or %v", err)
				return
			}
		}
	})
	for i := range 1000 {
		rec := testRecord()
		rec.AccessToken = strings.Repeat(string(rune('a'+i%26)), 1+i*2)
		put(t, s, rec)
	}
	close(stop)
	wg.Wait()
}

// T31: where an open file cannot be replaced, it is tried again for a while.
func TestRenameIsTriedAgain(t *testing.T) {
	t.Parallel()
	busy := errors.New("the file is open")
	s, err := FileStore(filepath.Join(t.TempDir(), "tokens"))
	must(t, err)
	files := s.(*fileStore)
	files.busy = func(err error) bool { return errors.Is(err, busy) }
	tries := 0
	files.rename = func(from, to string) error {
		if tries++; tries < 4 {
			return &os.LinkError{Op: "rename", Old: from, New: to, Err: busy}
		}
		return os.Rename(from, to)
	}
	put(t, s, testRecord())
	if tries != 4 {
		t.Errorf("%d tries; want 4", tries)
	}
	files.rename = func(string, string) error { tries++; return busy }
	if err := s.Update(t.Context(), testKey, func(*Record) (*Record, error) { return testRecord(), nil }); !errors.Is(err, busy) {
		t.Errorf("a file that stays open: got %v", err)
	}
	if tries > 20 {
		t.Errorf("%d tries; want an end", tries)
	}
}

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
	dead.ClientID, dead.RefreshToken, dead.Expiry = r.cfg.Client.id, "1//dead-refresh-token", r.clock.Now().Add(-time.Hour)
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

// T30: the page tells the person that the sign-in was not saved.
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
		// Nothing is read-only for root, but nobody can make a directory in a file.
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

func TestFileStoreDirectory(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("modes are those of Unix")
	}
	open := t.TempDir()
	must(t, os.Chmod(open, 0o777))
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, 0o600))
	for name, dir := range map[string]string{"others may write": open, "a file": file, "sticky": os.TempDir()} {
		if _, err := FileStore(dir); !errors.Is(err, ErrClientConfig) {
			t.Errorf("%s: got %v; want ErrClientConfig", name, err)
		}
	}
}

func TestStoreKeys(t *testing.T) {
	t.Parallel()
	for name, s := range stores(t) {
		if name == "memory" {
			continue
		}
		for _, key := range []string{"", "../../etc/passwd", testKey + "/", strings.ToUpper(testKey[:63]) + "/"} {
			if _, err := s.Get(t.Context(), key); err == nil || errors.Is(err, ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s: key %q: got %v; want a refusal", name, key, err)
			}
		}
	}
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
