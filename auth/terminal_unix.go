//go:build unix

package auth

import "os"

// openTerminal opens the controlling terminal for reading and writing; the
// standard streams may be redirected.
func openTerminal() (in, out *os.File, err error) {
	f, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	return f, f, err
}

func terminalPresent() bool {
	f, _, err := openTerminal()
	if err != nil {
		return false
	}
	f.Close()
	return true
}
