//go:build unix

package auth

import (
	"errors"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// tty is the controlling terminal; the standard streams may be redirected. It
// is read without Go's poller, which can't wait for a terminal on macOS. A
// reader that can't be stopped would take a line that is meant for the
// application.
type tty struct {
	file *os.File
	fd   int

	mu      sync.Mutex
	saved   *unix.Termios // the settings before hide; nil if they are unchanged
	signals bool          // a signal is being passed on: hide does nothing
	watch   *signalWatch
}

func openTerminal() (console, error) {
	fd, err := unix.Open("/dev/tty", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	return &tty{file: os.NewFile(uintptr(fd), "/dev/tty"), fd: fd}, nil
}

func (t *tty) foreground() bool {
	group, err := unix.IoctlGetInt(t.fd, unix.TIOCGPGRP)
	return err == nil && int32(group) == int32(unix.Getpgrp())
}

// Write shows text. It writes nothing from the background if the terminal stops
// programs that do (stty tostop).
func (t *tty) Write(p []byte) (int, error) {
	if !t.foreground() {
		if mode, err := unix.IoctlGetTermios(t.fd, getTermios); err == nil && mode.Lflag&unix.TOSTOP != 0 {
			return len(p), nil
		}
	}
	return t.file.Write(p)
}

func (t *tty) wait(limit time.Duration) (bool, error) {
	ready, err := pollInput(t.fd, limit)
	if errors.Is(err, unix.EINTR) {
		return false, nil
	}
	return ready, err
}

func (t *tty) read(p []byte) (int, error) {
	n, err := unix.Read(t.fd, p)
	switch {
	case err == nil:
		return n, nil
	case errors.Is(err, unix.EINTR), errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EIO) && !t.foreground():
		return 0, errNoInput
	}
	return 0, err
}

// hide turns the echo off until Close, or until a signal ends the program.
func (t *tty) hide() {
	t.mu.Lock()
	defer t.mu.Unlock()
	mode, err := unix.IoctlGetTermios(t.fd, getTermios)
	if err != nil || mode.Lflag&unix.ECHO == 0 || t.signals {
		return
	}
	if t.watch == nil {
		t.watch = watchSignals(t.passSignal)
	}
	before := *mode
	t.saved = &before
	mode.Lflag &^= unix.ECHO
	unix.IoctlSetTermios(t.fd, setTermios, mode)
}

// restore turns the echo on again. A shell that has taken the terminal back has
// done so itself.
func (t *tty) restore() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.saved != nil && t.foreground() {
		unix.IoctlSetTermios(t.fd, setTermios, t.saved)
	}
	t.saved = nil
}

// passSignal turns the echo on while pass sends a signal on.
func (t *tty) passSignal(pass func()) {
	t.mu.Lock()
	t.signals = true
	t.mu.Unlock()
	t.restore()
	pass()
	t.mu.Lock()
	t.signals = false
	t.mu.Unlock()
}

func (t *tty) Close() error {
	t.restore()
	if t.watch != nil {
		t.watch.stop()
	}
	return t.file.Close()
}
