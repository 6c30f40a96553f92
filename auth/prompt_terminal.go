package auth

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

const (
	// pollInterval is how long one poll of the terminal waits for input.
	pollInterval = 100 * time.Millisecond
	// pasteGap ends a paste. Lines that arrive faster were pasted together,
	// such as an address that was copied in two lines.
	pasteGap = 2 * pollInterval
)

// console is the controlling terminal. It is read, and its echo turned off,
// only while foreground reports true, because the system stops programs that
// touch the terminal from the background.
type console interface {
	io.Writer
	// foreground reports whether this program may read the terminal.
	foreground() bool
	// wait waits for input for a short time and reports whether there is any.
	wait(limit time.Duration) (bool, error)
	// read returns the lines that were typed; 0 bytes mean the end of input.
	read(p []byte) (int, error)
	// hide turns off the terminal's echo.
	hide()
	// Close turns the echo on again.
	io.Closer
}

// errNoInput means that a read found no input.
var errNoInput = errors.New("no input")

// terminalPrompter uses the controlling terminal or, without one, standard
// error. It never uses standard input or output, which belong to the
// application.
type terminalPrompter struct {
	open     func() (console, error)
	fallback io.Writer
}

var (
	_ Prompter = (*terminalPrompter)(nil)
	_ Notifier = (*terminalPrompter)(nil)
)

func newTerminalPrompter() *terminalPrompter {
	return &terminalPrompter{open: openTerminal, fallback: os.Stderr}
}

func (t *terminalPrompter) Notify(_ context.Context, text string) {
	tty, err := t.open()
	if err != nil {
		fmt.Fprintln(t.fallback, text)
		return
	}
	defer tty.Close()
	fmt.Fprintln(tty, text)
}

func (t *terminalPrompter) Prompt(ctx context.Context, p Prompt) error {
	tty, err := t.open()
	if err != nil {
		_, err := io.WriteString(t.fallback, promptText(p, false))
		return err
	}
	defer tty.Close()
	if _, err := io.WriteString(tty, promptText(p, true)); err != nil || p.Opened {
		return err
	}
	r := &pasteReader{tty: tty, paste: p.Paste}
	r.run(ctx)
	return nil
}

func terminalPresent() bool {
	tty, err := openTerminal()
	if err != nil {
		return false
	}
	tty.Close()
	return true
}

// pasteReader takes pasted addresses from a terminal.
type pasteReader struct {
	tty        console
	paste      func(string) error
	background bool   // the user was told that the terminal is not read
	typed      []byte // input without the end of its line
	tooLong    bool   // typed has lost its beginning
	earlier    string // lines that were no address by themselves
}

// run reads until a paste has ended the sign-in, ctx ends, or the terminal is
// gone.
func (r *pasteReader) run(ctx context.Context) {
	for {
		lines, err := r.next(ctx)
		if ctx.Err() != nil {
			return
		}
		if lines != nil && r.offer(lines) {
			return
		}
		switch {
		case errors.Is(err, io.EOF):
			fmt.Fprintln(r.tty, "The terminal is not read any more. Still waiting for the browser to bring the answer.")
			return
		case err != nil:
			return // the terminal has hung up; the answer can still arrive at the port
		}
	}
}

// next returns the lines of the next paste.
func (r *pasteReader) next(ctx context.Context) ([]string, error) {
	var quiet time.Duration
	buf := make([]byte, 4096)
	for ctx.Err() == nil {
		if !r.inForeground() {
			sleep(ctx, pollInterval)
			continue
		}
		r.tty.hide()
		ready, err := r.tty.wait(pollInterval)
		if err != nil {
			return nil, err
		}
		if !ready {
			quiet += pollInterval
			if quiet >= pasteGap && bytes.HasSuffix(r.typed, []byte("\n")) {
				return r.take(), nil
			}
			continue
		}
		quiet = 0
		n, err := r.tty.read(buf)
		switch {
		case errors.Is(err, errNoInput):
		case err != nil:
			return nil, err
		case n == 0:
			return r.take(), io.EOF
		default:
			r.add(buf[:n])
		}
	}
	return nil, nil
}

// inForeground reports whether the terminal may be read. If it may not, it
// tells the user so once.
func (r *pasteReader) inForeground() bool {
	fg := r.tty.foreground()
	switch {
	case !fg && !r.background:
		fmt.Fprintln(r.tty, "This program runs in the background and does not read the terminal. "+
			"Bring it to the foreground (fg) to paste;\n"+
			"with timeout, use timeout --foreground. The answer of a browser on this machine arrives in any case.")
	case fg && r.background:
		fmt.Fprintln(r.tty, "Now the address can be pasted here.")
	}
	r.background = !fg
	return fg
}

func (r *pasteReader) add(data []byte) {
	r.typed = append(r.typed, data...)
	if cut := len(r.typed) - maxPaste; cut > 0 {
		r.typed, r.tooLong = append([]byte(nil), r.typed[cut:]...), true
	}
}

// take returns the typed lines that are not empty.
func (r *pasteReader) take() []string {
	var lines []string
	for line := range strings.Lines(string(r.typed)) {
		if text := strings.TrimSpace(line); text != "" {
			lines = append(lines, text)
		}
	}
	r.typed = nil
	if r.tooLong {
		r.tooLong = false
		fmt.Fprintln(r.tty, "That is too long to be the address. Please paste it again.")
		return nil
	}
	return lines
}

// offer tries the lines as one address, then without the first ones, each time
// with and without the earlier lines. It reports whether the sign-in has ended.
func (r *pasteReader) offer(lines []string) bool {
	if len(lines) == 0 {
		return false
	}
	whole := strings.Join(lines, "")
	tries := []string{whole}
	if r.earlier != "" {
		tries = []string{r.earlier + whole, whole}
	}
	for i := 1; i < len(lines); i++ {
		tries = append(tries, strings.Join(lines[i:], ""))
	}
	var first error
	for _, text := range tries {
		err := r.paste(text)
		if err == nil {
			fmt.Fprintln(r.tty, "Thank you. You are signed in.")
			return true
		}
		if _, ended := errors.AsType[*Error](err); ended {
			fmt.Fprintln(r.tty, "The sign-in has ended: "+err.Error()+".")
			return true
		}
		if first == nil || text == whole {
			first = err
		}
	}
	fmt.Fprintln(r.tty, "That did not work: "+first.Error()+".")
	r.earlier = whole
	if len(whole) > maxPaste/2 {
		r.earlier = ""
	}
	return false
}
