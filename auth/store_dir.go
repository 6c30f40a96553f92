package auth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// configDirs returns the directory under which sign-ins are kept, and the one
// where earlier versions kept them, or "". On Windows it is a directory that
// does not roam, so that tokens stay on this machine.
func configDirs(getenv func(string) string, userConfigDir func() (string, error)) (dir, former string, err error) {
	dir, err = userConfigDir()
	if err == nil && runtime.GOOS == "windows" {
		if local := getenv("LocalAppData"); local != "" {
			return local, dir, nil
		}
	}
	return dir, "", err
}

// checkDir refuses a directory in which others could plant or replace files.
func (s *fileStore) checkDir() error {
	if err := s.checkParents(); err != nil {
		return err
	}
	info, err := os.Stat(s.dir)
	switch {
	case err != nil: // the directory is created when needed; the error is reported then
		return nil
	case !info.IsDir():
		return configError("configuration", "the token directory is not a directory: "+s.dir, "name another one")
	case !ownedByUser(info) && !ownedByRoot(info):
		return configError("configuration",
			"the token directory "+s.dir+" belongs to another user ("+ownerText(info)+")", dirHint(s.dir))
	case s.private && info.Mode().Perm()&0o077 != 0 && ownedByUser(info):
		if os.Chmod(s.dir, 0o700) == nil {
			return nil
		}
	}
	if othersMayWrite(info) {
		return configError("configuration", "others may write to the token directory "+s.dir,
			"chmod it to 0700, or "+dirHint(s.dir))
	}
	return nil
}

// checkParents refuses a directory that others could rename and replace,
// because they may write to one of its parents, and that is not sticky. It
// checks the path as it is written and the one without links.
func (s *fileStore) checkParents() error {
	paths := []string{s.dir}
	if real, err := filepath.EvalSymlinks(s.dir); err == nil && real != s.dir {
		paths = append(paths, real)
	}
	for _, path := range paths {
		for parent := filepath.Dir(path); ; parent = filepath.Dir(parent) {
			if info, err := os.Stat(parent); err == nil && othersMayReplace(info) {
				return configError("configuration",
					"others may write to "+parent+", so they could replace the token directory "+s.dir,
					"chmod o-w,g-w "+parent+", or "+dirHint(s.dir))
			}
			if parent == filepath.Dir(parent) {
				break
			}
		}
	}
	return nil
}

// makeDir creates the directory and checks it.
func (s *fileStore) makeDir() error {
	if err := s.checkParents(); err != nil {
		return err
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return fmt.Errorf("auth: creating the token directory: %w%s", err, dirCure(filepath.Dir(s.dir)))
	}
	return s.checkDir()
}

// lock takes the lock of a key. In a directory of the user's own it replaces a
// lock file of another user, which a run with sudo has left.
func (s *fileStore) lock(ctx context.Context, key string) (func(), error) {
	path := filepath.Join(s.dir, key+".lock")
	unlock, err := lockFile(ctx, path)
	if !errors.Is(err, fs.ErrPermission) {
		return unlock, err
	}
	info, lerr := os.Lstat(path)
	if lerr != nil || ownedByUser(info) || !ownDir(s.dir) || os.Remove(path) != nil {
		return nil, fmt.Errorf("%w%s", err, dirCure(s.dir))
	}
	return lockFile(ctx, path)
}

// fetchFormer moves a record from the directory of earlier versions. The lock
// is held.
func (s *fileStore) fetchFormer(key string) {
	if s.former == "" {
		return
	}
	from := filepath.Join(s.former, key+".json")
	if _, err := os.Lstat(s.path(key)); errors.Is(err, fs.ErrNotExist) {
		if data, err := readPrivate(from); err != nil || s.write(key, data) != nil {
			return // Get reads it where it is
		}
	}
	os.Remove(from)
}

// ownDir reports whether a directory is the user's own.
func ownDir(dir string) bool {
	info, err := os.Stat(dir)
	return err == nil && info.IsDir() && ownedByUser(info)
}

// foreignFile says who owns a file, and what to do about it.
func foreignFile(path string, info fs.FileInfo) string {
	return "it belongs to another user (" + ownerText(info) + "), perhaps since a run with sudo; " +
		"to use it again: sudo chown " + itoa(os.Geteuid()) + " " + path
}

// dirCure says what to do about a directory that can't be used. It returns ""
// for the user's own.
func dirCure(dir string) string {
	info, err := os.Stat(dir)
	if err != nil || ownedByUser(info) || !info.IsDir() {
		return ""
	}
	return "; " + dir + " belongs to another user (" + ownerText(info) + "), perhaps since a run with sudo: " +
		dirHint(dir)
}

// dirHint says what to do about a directory that is refused.
func dirHint(dir string) string {
	return "change its owner (sudo chown -R " + itoa(os.Geteuid()) + " " + dir +
		"), name another one, or keep the sign-in in memory (token_store=memory)"
}

// readPrivate reads a small file that only the user can read. It does not
// follow a symbolic link and does not wait for the writer of a pipe.
func readPrivate(path string) ([]byte, error) {
	f, err := openPrivate(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, ErrNotFound
	case err != nil:
		info, lerr := os.Lstat(path)
		switch {
		case lerr == nil && !info.Mode().IsRegular():
			return nil, fmt.Errorf("%w: it is not a regular file", ErrCorrupt)
		case lerr == nil && !ownedByUser(info):
			return nil, fmt.Errorf("%w: %s", ErrCorrupt, foreignFile(path, info))
		case errors.Is(err, fs.ErrPermission):
			return nil, fmt.Errorf("auth: reading the stored sign-in: %w%s", err, dirCure(filepath.Dir(path)))
		}
		return nil, fmt.Errorf("auth: reading the stored sign-in: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, fmt.Errorf("auth: reading the stored sign-in: %w", err)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%w: it is not a regular file", ErrCorrupt)
	case !ownedByUser(info):
		return nil, fmt.Errorf("%w: %s", ErrCorrupt, foreignFile(path, info))
	case info.Size() > maxRecord:
		return nil, fmt.Errorf("%w: it is larger than 64 KiB", ErrCorrupt)
	case othersMayRead(info):
		if err := f.Chmod(0o600); err != nil {
			return nil, fmt.Errorf("%w: others can read it and that cannot be repaired", ErrCorrupt)
		}
	}
	data, err := io.ReadAll(io.LimitReader(f, maxRecord+1))
	if err != nil {
		return nil, fmt.Errorf("auth: reading the stored sign-in: %w", err)
	}
	return data, nil
}
