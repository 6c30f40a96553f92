//go:build unix

package auth

import (
	"os/exec"
	"syscall"
)

// detach starts the browser in its own session, so that Ctrl-C in the
// application's terminal does not close it.
func detach(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }
