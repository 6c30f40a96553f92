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

// lockFile takes an advisory lock that the kernel frees when the process ends,
// however it ends. The lock file stays: removing it would let two processes
// lock two different files of the same name. It says who has the lock. Waiting
// ends with ctx.
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

// checkLockFile refuses what is no lock file. Opening it afterwards does not
// follow a link that is put there in between.
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

// maxHolder bounds what is read from a lock file.
const maxHolder = 512

// holderNow describes this process.
func holderNow() string {
	host, err := os.Hostname()
	if err != nil {
		host = "this host"
	}
	return fmt.Sprintf("process %d on %s since %s", os.Getpid(), host, time.Now().UTC().Format(time.RFC3339))
}

// writeHolder notes who has the lock. The lock works without it.
func writeHolder(path, text string) {
	f, err := os.OpenFile(path, os.O_WRONLY|noFollow, 0)
	if err != nil {
		return
	}
	defer f.Close()
	// One write, so that a reader sees one holder; blanks cover the last one's.
	line := text + strings.Repeat(" ", max(0, 120-len(text))) + "\n"
	f.WriteAt([]byte(line), holderOffset)
}

// readHolder returns who has the lock; "" if that is not known.
func readHolder(path string) string {
	f, err := openPrivate(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	raw := make([]byte, maxHolder)
	n, _ := f.ReadAt(raw, holderOffset) // a short file is the rule
	line, _, _ := bytes.Cut(raw[:n], []byte("\n"))
	return printable(string(line))
}
