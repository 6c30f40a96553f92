package auth

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// FileStore returns a Store that keeps each sign-in in a file of the directory
// dir. "" means the directory bigqueryuser in the user's configuration
// directory, on Windows in the one that does not roam. A leading "~/" means the
// home directory. The directory is created with mode 0700 when it is first
// needed. Files have mode 0600, are written whole or not at all, and are named
// by a hash.
//
// FileStore refuses a directory of another user except root, a directory that
// others may write to, and one that others could replace because of the modes
// of its parents. An error in creating or writing the directory comes when it
// is used.
func FileStore(dir string) (Store, error) {
	s := &fileStore{rename: os.Rename, busy: sharingViolation, sync: (*os.File).Sync}
	if dir == "" {
		base, former, err := configDirs(os.Getenv, os.UserConfigDir)
		if err != nil {
			s.unusable = errors.New("auth: the user's configuration directory is not known; set HOME or name a " +
				"token directory")
			return s, nil
		}
		s.dir, s.private = filepath.Join(base, "bigqueryuser"), true
		if former != "" {
			s.former = filepath.Join(former, "bigqueryuser")
		}
		return s, s.checkDir()
	}
	dir, err := expandHome(dir)
	if err != nil {
		return nil, err
	}
	if s.dir, err = filepath.Abs(dir); err != nil {
		return nil, configError("configuration", "the token directory cannot be found", "write its path in full")
	}
	return s, s.checkDir()
}

var (
	_ failureNotes = (*fileStore)(nil)
	_ holders      = (*fileStore)(nil)
)

type fileStore struct {
	dir      string
	former   string // where earlier versions kept the records; "" means in dir
	private  bool   // the directory is this package's own, so its mode may be repaired
	unusable error  // why there is no directory at all
	rename   func(from, to string) error
	busy     func(error) bool // whether rename failed because the target is open
	sync     func(*os.File) error
}

func (s *fileStore) path(key string) string { return filepath.Join(s.dir, key+".json") }

// Get reads the record without waiting for the lock: files are replaced whole.
func (s *fileStore) Get(_ context.Context, key string) (*Record, error) {
	if err := errors.Join(s.unusable, checkKey(key)); err != nil {
		return nil, err
	}
	data, err := readPrivate(s.path(key))
	if errors.Is(err, ErrNotFound) && s.former != "" {
		data, err = readPrivate(filepath.Join(s.former, key+".json"))
	}
	if err != nil {
		return nil, err
	}
	return DecodeRecord(data)
}

// Update runs fn under the lock file beside the record.
func (s *fileStore) Update(ctx context.Context, key string, fn func(*Record) (*Record, error)) error {
	if err := errors.Join(s.unusable, checkKey(key)); err != nil {
		return err
	}
	if err := s.makeDir(); err != nil {
		return err
	}
	unlock, err := s.lock(ctx, key)
	if err != nil {
		return err
	}
	defer unlock()

	s.fetchFormer(key)
	old, err := s.Get(ctx, key)
	if errors.Is(err, ErrCorrupt) {
		err = s.setAside(key)
	}
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	next, err := fn(old)
	if err != nil {
		return err
	}
	s.clean(key, ".tmp-")
	if next == old {
		return nil
	}
	if next == nil {
		if err := os.Remove(s.path(key)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("auth: removing the stored sign-in: %w", err)
		}
		return nil
	}
	data, err := next.Encode()
	if err != nil {
		return err
	}
	return s.write(key, data)
}

// write replaces the file in one step: a reader sees the old or the new record.
func (s *fileStore) write(key string, data []byte) (err error) {
	f, err := os.CreateTemp(s.dir, key+".tmp-*") // made with mode 0600
	if err != nil {
		return fmt.Errorf("auth: saving the sign-in: %w", err)
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
			err = fmt.Errorf("auth: saving the sign-in: %w", err)
		}
	}()
	if err = f.Chmod(0o600); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	if _, err = f.Write(data); err != nil {
		return err
	}
	if err = s.sync(f); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	if err = s.replace(f.Name(), s.path(key)); err != nil {
		return err
	}
	syncDir(s.dir)
	return nil
}

// replace renames a file. It tries again for a second while another process has
// the target open, because Windows does not rename then.
func (s *fileStore) replace(from, to string) error {
	var err error
	for delay := 5 * time.Millisecond; delay < time.Second; delay *= 2 {
		if err = s.rename(from, to); err == nil || !s.busy(err) {
			return err
		}
		time.Sleep(delay)
	}
	return err
}

// noteFailure leaves an empty file whose time is that of the failure. If that
// fails, another process asks the user once more, which does no harm.
func (s *fileStore) noteFailure(key string) {
	path := filepath.Join(s.dir, key+".failed")
	os.Remove(path)
	if f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600); err == nil {
		f.Close()
	}
}

// holder returns the process that holds the lock of a key.
func (s *fileStore) holder(key string) string { return readHolder(filepath.Join(s.dir, key+".lock")) }

func (s *fileStore) failedAt(key string) time.Time {
	info, err := os.Lstat(filepath.Join(s.dir, key+".failed"))
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

// setAside renames a record that could not be read. Only the latest one is
// kept.
func (s *fileStore) setAside(key string) error {
	s.clean(key, ".corrupt-")
	aside := filepath.Join(s.dir, key+".corrupt-"+time.Now().UTC().Format("20060102T150405Z"))
	if err := os.Rename(s.path(key), aside); err != nil {
		return fmt.Errorf("auth: setting an unusable stored sign-in aside: %w", err)
	}
	if info, err := os.Lstat(aside); err == nil && info.Mode().IsRegular() {
		os.Chmod(aside, 0o600) // fails only for a file of another user, who can read it anyway
	}
	return nil
}

// clean removes files that a killed process has left for the key. The lock is
// held.
func (s *fileStore) clean(key, kind string) {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), key+kind) {
			os.Remove(filepath.Join(s.dir, e.Name()))
		}
	}
}
