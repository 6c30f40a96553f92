package auth

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/bigqueryuser/bigqueryuser/internal/fakegoogle"
	"github.com/google/go-cmp/cmp"
)

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
	// What a killed process has left is readable by the user alone and goes with the next save.
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
	save := func(*Record) (*Record, error) { return testRecord(), nil }
	if err := s.Update(t.Context(), testKey, save); !errors.Is(err, busy) {
		t.Errorf("a file that stays open: got %v", err)
	}
	if tries > 20 {
		t.Errorf("%d tries; want an end", tries)
	}
}

func TestFileStoreDirectory(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("modes are those of Unix")
	}
	open := t.TempDir()
	must(t, os.Chmod(open, 0o777))
	sticky := t.TempDir() // as /tmp is
	must(t, os.Chmod(sticky, os.ModeSticky|0o777))
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, 0o600))
	for name, dir := range map[string]string{"others may write": open, "a file": file, "sticky": sticky} {
		if _, err := FileStore(dir); !errors.Is(err, ErrClientConfig) {
			t.Errorf("%s: got %v; want ErrClientConfig", name, err)
		}
	}
}
