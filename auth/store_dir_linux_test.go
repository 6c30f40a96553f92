package auth

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bigqueryuser/bigqueryuser/internal/fakegoogle"
)

// giveAway makes a file another user's, which only root can.
func giveAway(t *testing.T, path string, uid int) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away; CI runs this test as root")
	}
	must(t, os.Lchown(path, uid, uid))
}

// S56: whose the token directory and its parents may be, and who may write to them.
func TestTokenDirectory(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		prepare func(t *testing.T, base string) // base/parent/tokens is there, 0700
		want    string                          // part of the error; "" is accepted
	}{
		{"the user's own", func(*testing.T, string) {}, ""},
		{"another user's", func(t *testing.T, base string) { giveAway(t, base+"/parent/tokens", 12345) },
			"another user"},
		{"others may write", func(t *testing.T, base string) { must(t, os.Chmod(base+"/parent/tokens", 0o777)) },
			"others may write"},
		{"sticky itself", func(t *testing.T, base string) {
			must(t, os.Chmod(base+"/parent/tokens", 0o777|os.ModeSticky))
		}, "others may write"},
		{"parent that others may write to", func(t *testing.T,
			base string) {
			must(t, os.Chmod(base+"/parent", 0o777))
		},
			"could replace"},
		{"grandparent that others may write to", func(t *testing.T, base string) { must(t, os.Chmod(base, 0o777)) },
			"could replace"},
		{"sticky parent", func(t *testing.T, base string) {
			must(t, os.Chmod(base+"/parent", 0o777|os.ModeSticky))
		}, ""},
		{"parent of the user's group", func(t *testing.T, base string) { must(t, os.Chmod(base+"/parent", 0o775)) },
			""},
		{"parent of another group", func(t *testing.T, base string) {
			giveAway(t, base+"/parent", 0)
			must(t, os.Chown(base+"/parent", 0, 12345))
			must(t, os.Chmod(base+"/parent", 0o775))
		}, "could replace"},
		{"behind a link from a bad place", func(t *testing.T, base string) {
			must(t, os.Rename(base+"/parent", base+"/real"))
			must(t, os.Mkdir(base+"/parent", 0o700))
			must(t, os.Symlink(base+"/real/tokens", base+"/parent/tokens"))
			must(t, os.Chmod(base+"/parent", 0o777))
		}, "could replace"},
		{"behind a link to a bad place", func(t *testing.T, base string) {
			must(t, os.Rename(base+"/parent", base+"/real"))
			must(t, os.Symlink(base+"/real", base+"/parent"))
			must(t, os.Chmod(base+"/real", 0o777))
		}, "could replace"},
		{"a file", func(t *testing.T, base string) {
			must(t, os.Remove(base+"/parent/tokens"))
			must(t, os.WriteFile(base+"/parent/tokens", nil, 0o600))
		}, "not a directory"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			base := filepath.Join(t.TempDir(), "base")
			dir := base + "/parent/tokens"
			must(t, os.MkdirAll(dir, 0o700))
			early, err := FileStore(dir) // before it is made unfit
			must(t, err)
			tt.prepare(t, base)
			_, opened := FileStore(dir)
			used := early.Update(t.Context(), testKey, func(*Record) (*Record, error) { return testRecord(), nil })
			for door, err := range map[string]error{"FileStore": opened, "Update": used} {
				switch {
				case tt.want == "" && err != nil:
					t.Errorf("%s: %v", door, err)
				case tt.want == "" || tt.want == "not a directory" && door == "Update":
				case !errors.Is(err, ErrClientConfig) || !strings.Contains(err.Error(), tt.want):
					t.Errorf("%s: got %v; want ErrClientConfig with %q", door, err, tt.want)
				case tt.want != "not a directory" && (!strings.Contains(err.Error(), "token_store=memory") ||
					!strings.Contains(err.Error(), "chown")):
					t.Errorf("%s: got %v; want what to do", door, err)
				}
			}
		})
	}
}

// S57: a lock file that is a link is not followed, and nothing is made where it
// leads.
func TestLockFileLinks(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "tokens")
	s, err := FileStore(dir)
	must(t, err)
	must(t, os.MkdirAll(dir, 0o700))
	target := filepath.Join(t.TempDir(), "target")
	lock := filepath.Join(dir, testKey+".lock")
	must(t, os.Symlink(target, lock))
	save := func(*Record) (*Record, error) { t.Error("the lock was taken"); return nil, nil }
	if err := s.Update(t.Context(), testKey, save); err == nil {
		t.Error("Update: no error")
	}
	// Without the check that comes first, as when the link is put there after it.
	for path, want := range map[string]string{lock: "", lock + "2": target + "2"} {
		if want != "" {
			must(t, os.WriteFile(want, []byte("text"), 0o600))
			must(t, os.Symlink(want, path))
		}
		if f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|noFollow, 0o600); err == nil {
			f.Close()
			t.Errorf("%s was opened", path)
		}
		writeHolder(path, "somebody")
	}
	if _, err := os.Lstat(target); err == nil {
		t.Error("a file was made where the link leads")
	}
	if text, err := os.ReadFile(target + "2"); err != nil || string(text) != "text" {
		t.Errorf("the file where the link leads: %q, %v", text, err)
	}
}

// S58: what a newer version wrote is left as it is, and the user is told.
func TestNewerRecord(t *testing.T) {
	t.Parallel()
	r := newRig(t, fakegoogle.Options{})
	dir := filepath.Join(t.TempDir(), "tokens")
	store, err := FileStore(dir)
	must(t, err)
	log := &logBuffer{}
	a := r.open(func(c *Config) { c.Store, c.Logger = store, log.logger() })
	must(t, os.MkdirAll(dir, 0o700))
	path := filepath.Join(dir, a.key+".json")
	newer := []byte(`{"version": 99, "client_id": "x", "refresh_token": "1//of-the-future"}`)
	must(t, os.WriteFile(path, newer, 0o600))
	must(t, a.Ensure(t.Context()))
	r.clock.Add(2 * 3600e9)
	if _, err := a.Token(); err != nil {
		t.Errorf("Token in the same process: %v", err)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != string(newer) {
		t.Errorf("the newer record: %q, %v", text, err)
	}
	if err := a.Logout(t.Context()); !errors.Is(err, ErrNewerRecord) {
		t.Errorf("Logout: got %v; want ErrNewerRecord", err)
	}
	for _, want := range []string{"newer version", "99", "update this program"} {
		if !strings.Contains(log.text(), want) {
			t.Errorf("the log lacks %q:\n%s", want, log.text())
		}
	}
	if strings.Contains(log.text(), "of-the-future") {
		t.Error("the log shows the record's token")
	}
}

// After one run with sudo files belong to root. asUser runs the rest as another
// user, who owns the directory.
func TestFilesOfAnotherUser(t *testing.T) {
	t.Parallel()
	for _, what := range []string{"record", "lock", "record and lock", "directory"} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			if os.Geteuid() != 0 {
				t.Skip("only root can make the files of two users; CI runs this test as root")
			}
			home := publicDir(t)
			dir := filepath.Join(home, "tokens")
			must(t, os.MkdirAll(dir, 0o700))
			good, err := testRecord().Encode()
			must(t, err)
			for suffix, data := range map[string][]byte{".json": good, ".lock": nil} {
				if strings.Contains(what, map[string]string{".json": "record", ".lock": "lock"}[suffix]) {
					must(t, os.WriteFile(filepath.Join(dir, testKey+suffix), data, 0o600))
				}
			}
			giveAway(t, home, nobody)
			if what != "directory" {
				giveAway(t, dir, nobody)
			}
			got := stranger(t, "store", dir)
			switch {
			case what == "directory":
				if !strings.Contains(got, "belongs to another user (root)") ||
					!strings.Contains(got, fmt.Sprintf("sudo chown -R %d %s", nobody, dir)) {
					t.Errorf("got %s; want whose it is and what to do", got)
				}
			case !strings.HasSuffix(got, "saved"):
				t.Errorf("got %s; want a sign-in that is saved", got)
			case strings.Contains(what, "record") &&
				!strings.Contains(got, fmt.Sprintf("sudo chown %d %s", nobody, dir)):
				t.Errorf("got %s; want what to do", got)
			}
			aside, err := filepath.Glob(filepath.Join(dir, "*.corrupt-*"))
			if err != nil || (len(aside) == 1) != strings.Contains(what, "record") {
				t.Errorf("set aside: %v, %v", aside, err)
			}
		})
	}
}

// Records in the directory of earlier versions are found and moved.
func TestFormerDirectory(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	former := &fileStore{dir: filepath.Join(base, "roaming"), rename: os.Rename, busy: sharingViolation,
		sync: (*os.File).Sync}
	put(t, former, testRecord())
	s := &fileStore{dir: filepath.Join(base, "local"), former: former.dir, rename: os.Rename, busy: sharingViolation,
		sync: (*os.File).Sync}
	got, err := s.Get(t.Context(), testKey)
	if err != nil || got.RefreshToken != testRecord().RefreshToken {
		t.Errorf("before the move: %v, %v", got, err)
	}
	must(t, s.Update(t.Context(), testKey, func(old *Record) (*Record, error) {
		if old == nil {
			t.Error("Update did not find the record")
		}
		return old, nil
	}))
	if _, err := os.Stat(filepath.Join(s.dir, testKey+".json")); err != nil {
		t.Errorf("the record was not moved: %v", err)
	}
	if _, err := former.Get(t.Context(), testKey); !errors.Is(err, ErrNotFound) {
		t.Errorf("the old place: got %v; want ErrNotFound", err)
	}
	// A deleted record does not come back from there.
	put(t, former, testRecord())
	must(t, s.Update(t.Context(), testKey, func(*Record) (*Record, error) { return nil, nil }))
	if _, err := s.Get(t.Context(), testKey); !errors.Is(err, ErrNotFound) {
		t.Errorf("after the deletion: got %v; want ErrNotFound", err)
	}
}
