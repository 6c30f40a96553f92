package auth

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// lockFile takes an advisory lock, which the kernel frees when the process
// ends, however it ends. It waits until ctx ends. The lock file names the
// process that has the lock. It is not removed, because then two processes
// could lock two different files of the same name.
func lockFile(ctx context.Context, path string) (unlock func(), err error) {
	if err := checkLockFile(path); err != nil {
		return nil, err
	}
	lock := flock.New(path, flock.SetFlag(os.O_CREATE|os.O_RDWR|noFollow), flock.SetPermissions(0o600))
	for delay := 50 * time.Millisecond; ; delay = min(delay*3/2, time.Second) {
		ok, err := lock.TryLock()
		switch {
		case err != nil:
			lock.Close()
			return nil, fmt.Errorf("auth: locking the stored sign-in: %w", err)
		case ok:
			writeHolder(path, holderNow())
			return func() {
				writeHolder(path, "")
				lock.Close()
			}, nil
		}
		timer := time.NewTimer(delay)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			lock.Close()
			return nil, context.Cause(ctx)
		}
	}
}

// checkLockFile refuses a path that is not a regular file. Opening the file
// afterwards does not follow a link that was put there meanwhile.
func checkLockFile(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("auth: locking the stored sign-in: %w", err)
	case !info.Mode().IsRegular():
		return errors.New("auth: the lock file is not a regular file: " + path)
	}
	return nil
}

// maxHolder is the number of bytes that are read from a lock file.
const maxHolder = 512

// holderNow describes this process.
func holderNow() string {
	host, err := os.Hostname()
	if err != nil {
		host = "this host"
	}
	return fmt.Sprintf("process %d on %s since %s", os.Getpid(), host, time.Now().UTC().Format(time.RFC3339))
}

// writeHolder writes this process into the lock file. The lock also works
// without that.
func writeHolder(path, text string) {
	f, err := os.OpenFile(path, os.O_WRONLY|noFollow, 0)
	if err != nil {
		return
	}
	defer f.Close()
	// One write, so that a reader sees one holder. Blanks overwrite the
	// previous one.
	line := text + strings.Repeat(" ", max(0, 120-len(text))) + "\n"
	f.WriteAt([]byte(line), holderOffset)
}

// readHolder returns the process that has the lock, or "" if it is not known.
func readHolder(path string) string {
	f, err := openPrivate(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	raw := make([]byte, maxHolder)
	n, _ := f.ReadAt(raw, holderOffset) // the file is usually shorter
	line, _, _ := bytes.Cut(raw[:n], []byte("\n"))
	return printable(string(line))
}
