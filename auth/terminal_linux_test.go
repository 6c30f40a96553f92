package auth

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/bigqueryuser/bigqueryuser/internal/fakegoogle"
)

// screen is the person's end of a pseudo-terminal: what is shown is kept, and
// what is typed goes to the program.
type screen struct {
	t      *testing.T
	master *os.File
	mu     sync.Mutex
	shown  bytes.Buffer
	ended  chan struct{}
}

// startOnTerminal starts the program with a pseudo-terminal as its controlling
// terminal, and with other standard streams, as in a pipeline.
func startOnTerminal(t *testing.T, cmd *exec.Cmd) *screen {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("this machine has no pseudo-terminals: %v", err)
	}
	must(t, unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0))
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	must(t, err)
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		master.Close()
		t.Skipf("the pseudo-terminal cannot be opened: %v", err)
	}
	defer slave.Close()
	cmd.ExtraFiles = []*os.File{slave} // file 3 of the child
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 3}
	must(t, cmd.Start())
	c := &screen{t: t, master: master, ended: make(chan struct{})}
	go func() {
		defer close(c.ended)
		buf := make([]byte, 4096)
		for {
			n, err := master.Read(buf)
			c.mu.Lock()
			c.shown.Write(buf[:n])
			c.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() { master.Close(); <-c.ended })
	return c
}

func (c *screen) text() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.shown.String()
}

// expect waits for a text on the screen.
func (c *screen) expect(text string) {
	c.t.Helper()
	for end := time.Now().Add(20 * time.Second); !strings.Contains(c.text(), text); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			c.t.Fatalf("the terminal does not show %q:\n%s", text, c.text())
		}
	}
}

// consentURL is the address that the terminal shows.
func (c *screen) consentURL() string {
	c.t.Helper()
	c.expect("open this address in a browser")
	c.expect("press Enter")
	for _, field := range strings.Fields(c.text()) {
		if strings.HasPrefix(field, "http") && strings.Contains(field, "code_challenge=") {
			return field
		}
	}
	c.t.Fatalf("no address on the terminal:\n%s", c.text())
	return ""
}

// S42 and the manual mode: a person at a terminal pastes the address, with
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

// The person has forwarded the port: the browser brings the answer while the
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

// The person goes away: the sign-in goes on waiting for the port alone.
func TestManualModeTerminalHangsUp(t *testing.T) {
	t.Parallel()
	f := newFamily(t, fakegoogle.Options{})
	cmd := f.command("manual")
	var stdout bytes.Buffer
	cmd.Stdout = &stdout
	c := startOnTerminal(t, cmd)
	url := c.consentURL()
	io.WriteString(c.master, "\x04") // end of input
	must(t, fakegoogle.Consent(t.Context(), plainHTTP, url, ""))
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v\n%s", err, c.text())
	}
	if !strings.HasSuffix(stdout.String(), "done\n") {
		t.Errorf("standard output: got %q", stdout.String())
	}
}
