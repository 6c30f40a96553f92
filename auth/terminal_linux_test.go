package auth

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/fakegoogle"
)

// S42 and the manual mode: a user at a terminal pastes the address, with
// standard input and output being something else.
func TestManualModeAtTerminal(t *testing.T) {
	t.Parallel()
	f := newFamily(t, fakegoogle.Options{})
	cmd := f.command("manual")
	cmd.Stdin = strings.NewReader("select 1\n") // the application's business
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	c := startOnTerminal(t, cmd)
	url := c.consentURL()
	p := &pasting{}
	address := p.address(t, url)
	io.WriteString(c.master, "4/just-a-code\n")
	c.expect("a code alone is not accepted")
	io.WriteString(c.master, "  \""+address+"\"\n")
	c.expect("Thank you")
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v\n%s", err, c.text())
	}
	if got := stdout.String(); got != "signed in, browser opened 0 times\ndone\n" {
		t.Errorf("standard output: got %q", got)
	}
	if strings.Contains(stderr.String(), "code_challenge") {
		t.Errorf("standard error shows the address: %s", stderr.String())
	}
	if got, want := f.google.Counts(), (fakegoogle.Counts{AuthPages: 1, Consents: 1, Exchanges: 1}); got != want {
		t.Errorf("requests: got %+v; want %+v", got, want)
	}
}

// The user has forwarded the port: the browser brings the answer while the
// terminal waits for a paste, and the program goes on without a key press.
func TestManualModeWithForwardedPort(t *testing.T) {
	t.Parallel()
	f := newFamily(t, fakegoogle.Options{})
	cmd := f.command("manual")
	var stdout bytes.Buffer
	cmd.Stdout = &stdout
	c := startOnTerminal(t, cmd)
	url := c.consentURL()
	must(t, fakegoogle.Consent(t.Context(), &http.Client{Transport: plainHTTP.Transport}, url, ""))
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v\n%s", err, c.text())
	}
	if !strings.HasSuffix(stdout.String(), "done\n") {
		t.Errorf("standard output: got %q", stdout.String())
	}
}

// The user goes away: the sign-in goes on waiting for the port alone.
func TestManualModeTerminalHangsUp(t *testing.T) {
	t.Parallel()
	f := newFamily(t, fakegoogle.Options{})
	cmd := f.command("manual")
	var stdout bytes.Buffer
	cmd.Stdout = &stdout
	c := startOnTerminal(t, cmd)
	url := c.consentURL()
	c.expectEcho(false)
	io.WriteString(c.master, "\x04") // end of input
	c.expect("The terminal is not read any more. Still waiting for the browser")
	c.expectEcho(true)
	must(t, fakegoogle.Consent(t.Context(), plainHTTP, url, ""))
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v\n%s", err, c.text())
	}
	if !strings.HasSuffix(stdout.String(), "done\n") {
		t.Errorf("standard output: got %q", stdout.String())
	}
}

// pasteCase is what a user may paste at the terminal.
var pasteCases = []struct {
	name string
	text func(good string) string
}{
	{"as it is", func(s string) string { return s + "\n" }},
	{"in two lines", func(s string) string { return s[:70] + "\n" + s[70:] + "\n" }},
	{"in two lines, carriage returns", func(s string) string { return s[:70] + "\r" + s[70:] + "\r" }},
	{"in three lines with blanks", func(s string) string {
		return s[:40] + " \n  " + s[40:90] + "\n  " + s[90:] +
			"\n"
	}},
	{"cut inside the code", func(s string) string {
		cut := strings.Index(s, "code=") + 12
		return s[:cut] + "\n" + s[cut:] + "\n"
	}},
	{"bracketed paste", func(s string) string { return "\x1b[200~" + s + "\x1b[201~\n" }},
	{"bracketed paste in two lines", func(s string) string {
		return "\x1b[200~" + s[:70] + "\n" + s[70:] +
			"\x1b[201~\n"
	}},
	{"without http://", func(s string) string { return strings.TrimPrefix(s, "http://") + "\n" }},
	{"in quotes", func(s string) string { return `"` + s + "\"\n" }},
	{"in typographic quotes", func(s string) string { return "“" + s + "”\n" }},
	{"in angle brackets", func(s string) string { return "  <" + s + ">\n" }},
	{"after something else", func(s string) string { return "ls -l\n" + s + "\n" }},
	{"after empty lines", func(s string) string { return "\n\n  \n" + s + "\n" }},
}

// T37: users paste badly.
func TestPasteAtTerminal(t *testing.T) {
	t.Parallel()
	for _, tt := range pasteCases {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFamily(t, fakegoogle.Options{})
			cmd := f.command("manual")
			c := startOnTerminal(t, cmd)
			url := c.consentURL()
			c.expectEcho(false)
			address := (&pasting{}).address(t, url)
			io.WriteString(c.master, tt.text(address))
			c.expect("Thank you")
			if err := cmd.Wait(); err != nil {
				t.Errorf("%v\n%s", err, c.text())
			}
			// S61: what is pasted is not shown, and the terminal echoes again.
			if code := query(t, address, "code"); strings.Contains(c.text(), code[:12]) {
				t.Errorf("the terminal shows the pasted address:\n%s", c.text())
			}
			c.expectEcho(true)
			if got, want := f.google.Counts(),
				(fakegoogle.Counts{AuthPages: 1, Consents: 1, Exchanges: 1}); got != want {
				t.Errorf("requests: got %+v; want %+v", got, want)
			}
		})
	}
}

// A pasted refusal ends the sign-in, without thanks.
func TestPasteOfRefusal(t *testing.T) {
	t.Parallel()
	f := newFamily(t, fakegoogle.Options{})
	cmd := f.command("manual")
	var stdout bytes.Buffer
	cmd.Stdout = &stdout
	c := startOnTerminal(t, cmd)
	url := c.consentURL()
	refusal := query(t, url, "redirect_uri") + "?" + enc("state", query(t, url, "state"), "error", "access_denied")
	io.WriteString(c.master, refusal+"\n")
	c.expect("sign-in refused")
	cmd.Wait() // it ends with the error
	if strings.Contains(c.text(), "Thank you") || !strings.Contains(stdout.String(), "access_denied") {
		t.Errorf("terminal:\n%s\nstandard output: %s", c.text(), stdout.String())
	}
}

// A code that Google does not take ends the sign-in, without thanks.
func TestPasteOfBadCode(t *testing.T) {
	t.Parallel()
	f := newFamily(t, fakegoogle.Options{})
	cmd := f.command("manual")
	c := startOnTerminal(t, cmd)
	url := c.consentURL()
	bad := query(t, url, "redirect_uri") + "?" + enc("state", query(t, url, "state"), "code", "4/0Aunknown-code")
	io.WriteString(c.master, bad+"\n")
	c.expect("invalid_grant")
	cmd.Wait()
	if strings.Contains(c.text(), "Thank you") {
		t.Errorf("terminal:\n%s", c.text())
	}
}

// Ctrl-C: the terminal is in order afterwards, and the error gives no advice
// about time.
func TestInterruptAtTerminal(t *testing.T) {
	t.Parallel()
	for _, job := range []string{"manual", "interrupted"} {
		t.Run(job, func(t *testing.T) {
			t.Parallel()
			f := newFamily(t, fakegoogle.Options{})
			cmd := f.command(job)
			var stdout bytes.Buffer
			cmd.Stdout = &stdout
			c := startOnTerminal(t, cmd)
			c.consentURL()
			c.expectEcho(false)
			start := time.Now()
			io.WriteString(c.master, "\x03")
			err := cmd.Wait()
			if d := time.Since(start); d > 15*time.Second { // some of a second, if the machine is not busy
				t.Errorf("it took %v to end", d)
			}
			state, _ := cmd.ProcessState.Sys().(syscall.WaitStatus)
			switch job {
			case "manual":
				if !state.Signaled() || state.Signal() != syscall.SIGINT {
					t.Errorf("it ended by %v; want the signal", err)
				}
			case "interrupted":
				if got := stdout.String(); !strings.Contains(got, "context canceled") ||
					strings.Contains(got, "time") {
					t.Errorf("standard output: got %q; want the end of the context without advice about time", got)
				}
			}
			c.expectEcho(true)
		})
	}
}

// An opener that ends well or stays, and shows nothing: after a while the
// terminal takes the address.
func TestNoWindowAppears(t *testing.T) {
	t.Parallel()
	for _, job := range []string{"no window", "hanging opener"} {
		t.Run(job, func(t *testing.T) {
			t.Parallel()
			f := newFamily(t, fakegoogle.Options{})
			cmd := f.command(job)
			c := startOnTerminal(t, cmd)
			c.expect("no browser has opened the sign-in page so far")
			url := c.consentURL()
			io.WriteString(c.master, (&pasting{}).address(t, url)+"\n")
			c.expect("Thank you")
			if err := cmd.Wait(); err != nil {
				t.Errorf("%v\n%s", err, c.text())
			}
		})
	}
}

// S49: a program in the background is not stopped by the terminal: it waits for
// the browser, and reads when it comes to the foreground.
func TestBackgroundProgram(t *testing.T) {
	t.Parallel()
	for _, foreground := range []bool{false, true} {
		t.Run(fmt.Sprint("to the foreground ", foreground), func(t *testing.T) {
			t.Parallel()
			f := newFamily(t, fakegoogle.Options{})
			shell := f.command("shell")
			shell.Args = append(shell.Args, "manual")
			control, err := shell.StdinPipe()
			must(t, err)
			var stdout bytes.Buffer
			shell.Stdout = &stdout
			c := startOnTerminal(t, shell)
			url := c.consentURL()
			c.expect("runs in the background and does not read the terminal")
			c.expectEcho(true)
			io.WriteString(c.master, "for the shell\n")
			if foreground {
				fmt.Fprintln(control, "fg")
				c.expect("Now the address can be pasted here")
				io.WriteString(c.master, (&pasting{}).address(t, url)+"\n")
				c.expect("Thank you")
			} else {
				must(t, fakegoogle.Consent(t.Context(), plainHTTP, url, ""))
			}
			waitFor(t, func() bool { return strings.Contains(c.text(), "job ended") })
			control.Close()
			if err := shell.Wait(); err != nil || !strings.Contains(stdout.String(), "done\n") {
				t.Errorf("%v\n%s\n%s", err, stdout.String(), c.text())
			}
		})
	}
}

// Ctrl-Z stops the program as any other, and in the background it goes on
// without the terminal.
func TestSuspendAtTerminal(t *testing.T) {
	t.Parallel()
	f := newFamily(t, fakegoogle.Options{})
	shell := f.command("shell")
	shell.Args = append(shell.Args, "manual")
	control, err := shell.StdinPipe()
	must(t, err)
	var stdout bytes.Buffer
	shell.Stdout = &stdout
	c := startOnTerminal(t, shell)
	url := c.consentURL()
	c.expect(" .")
	var pid int
	_, err = fmt.Sscanf(c.text()[strings.Index(c.text(), "job "):], "job %d", &pid)
	must(t, err)
	fmt.Fprintln(control, "fg")
	c.expectEcho(false)
	io.WriteString(c.master, "\x1a")
	waitFor(t, func() bool {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		return err == nil && strings.Contains(string(stat), ") T ")
	})
	fmt.Fprintln(control, "bg")
	must(t, fakegoogle.Consent(t.Context(), plainHTTP, url, ""))
	c.expect("job ended")
	control.Close()
	if err := shell.Wait(); err != nil || !strings.Contains(stdout.String(), "done\n") {
		t.Errorf("%v\n%s\n%s", err, stdout.String(), c.text())
	}
}

// A line that is typed after the sign-in belongs to the application.
func TestLaterLineIsTheApplications(t *testing.T) {
	t.Parallel()
	f := newFamily(t, fakegoogle.Options{})
	cmd := f.command("manual and read")
	var stdout bytes.Buffer
	cmd.Stdout = &stdout
	c := startOnTerminal(t, cmd)
	url := c.consentURL()
	c.expectEcho(false)
	must(t, fakegoogle.Consent(t.Context(), plainHTTP, url, ""))
	c.expectEcho(true) // the reader has gone
	io.WriteString(c.master, "for the application\n")
	if err := cmd.Wait(); err != nil || !strings.Contains(stdout.String(), `read "for the application\n"`) {
		t.Errorf("%v\n%s\n%s", err, stdout.String(), c.text())
	}
}
