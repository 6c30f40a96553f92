//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package auth

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"
)

const (
	getTermios = unix.TIOCGETA
	setTermios = unix.TIOCSETA
)

// pollInput waits for input by select: poll does not work for terminals on macOS.
func pollInput(fd int, limit time.Duration) (bool, error) {
	if fd >= unix.FD_SETSIZE {
		return false, errors.New("auth: too many open files to read the terminal")
	}
	var set unix.FdSet
	set.Set(fd)
	wait := unix.NsecToTimeval(limit.Nanoseconds())
	n, err := unix.Select(fd+1, &set, nil, nil, &wait)
	return n > 0, err
}
