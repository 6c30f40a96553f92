package auth

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"
)

// Prompter shows the address of the consent page to the person.
//
// Prompt may return at once, or stay to take a pasted address until its ctx
// ends. Its error ends the sign-in unless a browser was opened.
type Prompter interface {
	Prompt(ctx context.Context, p Prompt) error
}

// Notifier is implemented by a Prompter that can also show a line of text that
// asks for nothing, such as that another process is signing in.
type Notifier interface {
	Notify(ctx context.Context, text string)
}

// Prompt is what the person is asked.
type Prompt struct {
	// URL is the consent page. It belongs to this one sign-in: show it to the
	// person and put it nowhere else.
	URL string
	// RedirectAddr is the loopback host:port at which the answer is awaited.
	RedirectAddr string
	// Opened says that a browser is being opened with URL.
	Opened bool
	// Reason says why the person is asked again; "" for the first time.
	Reason string
	// Paste takes the address that the browser ended at and completes the
	// sign-in. Its error is meant for the person, who may try again.
	Paste func(redirectURL string) error
}

// String leaves the address out.
func (p Prompt) String() string { return "auth.Prompt(answer at " + p.RedirectAddr + ")" }

// Format prints String for every verb.
func (p Prompt) Format(f fmt.State, _ rune) { io.WriteString(f, p.String()) }

// terminalPrompter uses the controlling terminal, else standard error. It
// never touches standard input or output, which are the application's.
type terminalPrompter struct {
	open     func() (in, out *os.File, err error)
	fallback io.Writer
}

func newTerminalPrompter() *terminalPrompter {
	return &terminalPrompter{open: openTerminal, fallback: os.Stderr}
}

var _ Notifier = (*terminalPrompter)(nil)

func (t *terminalPrompter) Notify(_ context.Context, text string) {
	in, out, err := t.open()
	if err != nil {
		fmt.Fprintln(t.fallback, text)
		return
	}
	defer closeTerminal(in, out)
	fmt.Fprintln(out, text)
}

func (t *terminalPrompter) Prompt(ctx context.Context, p Prompt) error {
	in, out, err := t.open()
	if err != nil {
		_, err := io.WriteString(t.fallback, promptText(p, false))
		return err
	}
	defer closeTerminal(in, out)
	if _, err := io.WriteString(out, promptText(p, true)); err != nil || p.Opened {
		return err
	}
	// Ending the wait for input is up to the terminal's driver; where it
	// cannot, the reader stays until the next line is typed.
	stop := context.AfterFunc(ctx, func() {
		if in.SetReadDeadline(time.Now()) != nil {
			in.Close()
		}
	})
	defer stop()
	return readPaste(ctx, in, out, p.Paste)
}

// promptText is what the person reads. paste says that an address can be
// pasted where this is shown.
func promptText(p Prompt, paste bool) string {
	var b strings.Builder
	b.WriteString("\n")
	if p.Reason != "" {
		b.WriteString("You are asked again: " + p.Reason + ".\n\n")
	}
	if p.Opened {
		b.WriteString("Your browser is being opened to sign in to Google. If it does not appear, open this " +
			"address on this machine:\n\n")
	} else {
		b.WriteString("To sign in to Google, open this address in a browser:\n\n")
	}
	b.WriteString("    " + p.URL + "\n\n")
	if !p.Opened {
		_, port, _ := net.SplitHostPort(p.RedirectAddr) // it came from a listener
		b.WriteString("If the browser is on this machine, that is all. If it is on another one, it will end at a " +
			"page that\n" +
			"cannot be shown; its address begins with http://" + p.RedirectAddr + "/.\n")
		if paste {
			b.WriteString("Copy that whole address from the browser's address bar, paste it here and press Enter.\n" +
				"Paste only what came from a sign-in that you started yourself just now.\n")
		} else {
			b.WriteString("There is no terminal to paste that address into, so forward the port first, on the " +
				"machine with the browser:\n\n" +
				"    ssh -L " + port + ":" + p.RedirectAddr + " <this machine>\n")
		}
		b.WriteString("\n")
	}
	return b.String()
}

// readPaste reads lines until one completes the sign-in, ctx ends, or the
// terminal is gone.
func readPaste(ctx context.Context, in io.Reader, out io.Writer, paste func(string) error) error {
	lines := bufio.NewReaderSize(in, maxPaste)
	for {
		line, err := lines.ReadSlice('\n')
		if ctx.Err() != nil {
			return nil
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			for errors.Is(err, bufio.ErrBufferFull) {
				_, err = lines.ReadSlice('\n')
			}
			fmt.Fprintln(out, "That is too long to be the address. Please paste it again.")
			continue
		}
		if text := strings.TrimSpace(string(line)); text != "" {
			perr := paste(text)
			if perr == nil {
				fmt.Fprintln(out, "Thank you. Signing in...")
				return nil
			}
			fmt.Fprintln(out, "That did not work: "+perr.Error()+".")
		}
		if err != nil {
			// The terminal has hung up. The answer can still come over the port.
			return nil
		}
	}
}

func closeTerminal(in, out *os.File) {
	in.Close()
	if out != in {
		out.Close()
	}
}
