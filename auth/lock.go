package auth

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/gofrs/flock"
)

// lockFile takes an advisory lock that the kernel frees when the process ends,
// however it ends. The lock file stays: removing it would let two processes
// lock two different files of the same name. Waiting ends with ctx.
func lockFile(ctx context.Context, path string) (unlock func(), err error) {
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		return nil, errors.New("auth: the lock file is not a regular file")
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("auth: locking the stored sign-in: %w", err)
	}
	lock := flock.New(path, flock.SetPermissions(0o600))
	for delay := 50 * time.Millisecond; ; delay = min(delay*3/2, time.Second) {
		ok, err := lock.TryLock()
		switch {
		case err != nil:
			lock.Close()
			return nil, fmt.Errorf("auth: locking the stored sign-in: %w", err)
		case ok:
			return func() { lock.Close() }, nil
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
