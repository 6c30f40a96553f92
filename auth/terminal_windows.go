package auth

import (
	"errors"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/windows"
)

// winConsole is the console; the standard streams may be redirected.
type winConsole struct {
	in, out *os.File

	mu     sync.Mutex
	saved  uint32
	hidden bool
}

func openTerminal() (console, error) {
	in, err := os.OpenFile("CONIN$", os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	out, err := os.OpenFile("CONOUT$", os.O_RDWR, 0)
	if err != nil {
		in.Close()
		return nil, err
	}
	return &winConsole{in: in, out: out}, nil
}

func (c *winConsole) Write(p []byte) (int, error) { return c.out.Write(p) }

// foreground returns true, because Windows has no process groups that must not
// read.
func (c *winConsole) foreground() bool { return true }

// wait reports whether a key was pressed. The read then waits for the line.
func (c *winConsole) wait(limit time.Duration) (bool, error) {
	event, err := windows.WaitForSingleObject(windows.Handle(c.in.Fd()), uint32(limit.Milliseconds()))
	return event == windows.WAIT_OBJECT_0, err
}

func (c *winConsole) read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	if errors.Is(err, io.EOF) { // Ctrl-Z
		return 0, nil
	}
	return n, err
}

func (c *winConsole) hide() {
	c.mu.Lock()
	defer c.mu.Unlock()
	handle := windows.Handle(c.in.Fd())
	var mode uint32
	if c.hidden || windows.GetConsoleMode(handle, &mode) != nil {
		return
	}
	c.hidden = windows.SetConsoleMode(handle, mode&^windows.ENABLE_ECHO_INPUT) == nil
	c.saved = mode
}

func (c *winConsole) Close() error {
	c.mu.Lock()
	if c.hidden {
		windows.SetConsoleMode(windows.Handle(c.in.Fd()), c.saved)
		c.hidden = false
	}
	c.mu.Unlock()
	return errors.Join(c.in.Close(), c.out.Close())
}
