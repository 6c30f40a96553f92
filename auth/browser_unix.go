//go:build unix

package auth

import (
	"os/exec"
	"syscall"
)

// detach puts the browser into a session of its own, so that Ctrl-C in the
// application's terminal does not close it.
func detach(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }
