package auth

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// screen is the user's end of a pseudo-terminal: what is shown is kept, and
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

// expectEcho waits until the terminal shows what is typed, or does not.
func (c *screen) expectEcho(want bool) {
	c.t.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		mode, err := unix.IoctlGetTermios(int(c.master.Fd()), unix.TCGETS)
		must(c.t, err)
		if (mode.Lflag&unix.ECHO != 0) == want {
			return
		}
		if time.Now().After(end) {
			c.t.Fatalf("the terminal's echo is not %v", want)
		}
	}
}

// shellMain is a shell with job control: it starts a program in the background,
// and brings it to the foreground when its standard input says so.
func shellMain() {
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	job := exec.Command(os.Args[0], os.Args[4], os.Args[2], os.Args[3])
	job.Stdout, job.Stderr = os.Stdout, os.Stderr
	job.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := job.Start(); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Fprintln(tty, "job", job.Process.Pid, ".")
	signal.Ignore(syscall.SIGTTOU) // it is in the background while the job is in the foreground
	go func() {
		for commands := bufio.NewScanner(os.Stdin); commands.Scan(); {
			group := map[string]int{"fg": job.Process.Pid, "bg": os.Getpid()}[commands.Text()]
			unix.IoctlSetPointerInt(int(tty.Fd()), unix.TIOCSPGRP, group)
			job.Process.Signal(syscall.SIGCONT)
		}
	}()
	err = job.Wait()
	fmt.Fprintln(tty, "job ended", err)
}
