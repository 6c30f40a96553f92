//go:build unix

package auth

import (
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// signalGrace is the time that an application has to end the sign-in itself
// after a signal that it handles.
const signalGrace = 200 * time.Millisecond

// signalWatch restores the terminal before a signal ends the program, and then
// lets the signal have its effect. A signal that stops the program (Ctrl-Z) is
// left to the system, because Go can't give such a signal its effect back, and
// shells restore the terminal themselves.
type signalWatch struct {
	signals chan os.Signal
	quit    chan struct{}
	done    sync.WaitGroup
}

// watchSignals calls around with a function that passes the signal on.
func watchSignals(around func(pass func())) *signalWatch {
	w := &signalWatch{signals: make(chan os.Signal, 1), quit: make(chan struct{})}
	w.notify()
	w.done.Go(func() {
		for {
			select {
			case <-w.quit:
				return
			case got := <-w.signals:
				around(func() { w.pass(got) })
			}
		}
	})
	return w
}

// notify listens for the signals that the application does not ignore.
func (w *signalWatch) notify() {
	for _, s := range []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT} {
		if !signal.Ignored(s) {
			signal.Notify(w.signals, s)
		}
	}
}

// pass sends a signal again after this package has stopped listening for it. An
// application that handles the signal has already received it, and gets time to end the
// sign-in first.
func (w *signalWatch) pass(got os.Signal) {
	select {
	case <-w.quit:
		return
	case <-time.After(signalGrace):
	}
	signal.Stop(w.signals)
	syscall.Kill(syscall.Getpid(), got.(syscall.Signal))
	w.notify()
}

func (w *signalWatch) stop() {
	signal.Stop(w.signals)
	close(w.quit)
	w.done.Wait()
}
