package auth

import (
	"bufio"
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/fakegoogle"
)

// startHolder starts a program that asks and gets no answer.
func (f *family) startHolder() *exec.Cmd {
	f.t.Helper()
	holder := f.command("hold")
	stdout, err := holder.StdoutPipe()
	must(f.t, err)
	must(f.t, holder.Start())
	if line, err := bufio.NewReader(stdout).ReadString('\n'); err != nil || line != "open\n" {
		f.t.Fatalf("the first program said %q, %v", line, err)
	}
	f.t.Cleanup(func() { holder.Process.Kill(); holder.Wait() })
	return holder
}

// S50: no program waits endlessly, whether the holder is slow or stopped (Ctrl-Z),
// and the error names it.
func TestWaitForHolderEnds(t *testing.T) {
	t.Parallel()
	for _, stopped := range []bool{false, true} {
		f := newFamily(t, fakegoogle.Options{})
		holder := f.startHolder()
		if stopped && !stopProcess(holder.Process) {
			t.Skip("this platform does not stop processes")
		}
		start := time.Now()
		out, err := f.command("impatient").CombinedOutput()
		if d := time.Since(start); d > 10*time.Second {
			t.Errorf("stopped %v: it waited for %v", stopped, d)
		}
		for _, want := range []string{"waiting\n", "sign-in timed out",
			"process " + itoa(holder.Process.Pid) + " on ",
			"since 20", "end that process"} {
			if !strings.Contains(string(out), want) {
				t.Errorf("stopped %v: got %q, %v; want %q in it", stopped, out, err, want)
			}
		}
	}
}

// S50: a sign-in that takes long by itself is not cut short by that limit, and
// what comes of it is saved.
func TestLongSignInIsSaved(t *testing.T) {
	t.Parallel()
	r := newRig(t, fakegoogle.Options{})
	w := r.startWaiting(func(c *Config) {
		c.LoginTimeout, c.margin = 10*time.Second,
			-10*time.Second+50*time.Millisecond
	})
	time.Sleep(100 * time.Millisecond) // longer than the wait for a lock may take
	w.consent(t)
	if _, err := r.cfg.Store.Get(t.Context(), w.a.key); err != nil {
		t.Errorf("the sign-in was not saved: %v", err)
	}
}

// S50: within one program as well, and for Logout.
func TestWaitInOneProgram(t *testing.T) {
	t.Parallel()
	r := newRig(t, fakegoogle.Options{})
	w := r.startWaiting(nil)
	b := r.open(func(c *Config) { c.LoginTimeout, c.margin = 50*time.Millisecond, 50*time.Millisecond })
	if err := b.Ensure(t.Context()); !errors.Is(err, ErrLoginTimeout) ||
		!strings.Contains(err.Error(), "another sign-in") {
		t.Errorf("Ensure: got %v; want ErrLoginTimeout that speaks of another sign-in", err)
	}
	if err := b.Logout(t.Context()); !errors.Is(err, ErrLoginTimeout) {
		t.Errorf("Logout: got %v; want ErrLoginTimeout", err)
	}
	w.consent(t)
}

// The programs that waited for a sign-in that was refused say what to do.
func TestSharedRefusalSaysWhatToDo(t *testing.T) {
	t.Parallel()
	f := newFamily(t, fakegoogle.Options{})
	holder := f.startHolder()
	results := make(chan string, 9)
	for range cap(results) {
		cmd := f.command("deny")
		out, err := cmd.StdoutPipe()
		must(t, err)
		must(t, cmd.Start())
		lines := bufio.NewReader(out)
		if line, err := lines.ReadString('\n'); err != nil || line != "waiting\n" {
			t.Fatalf("a program that should wait said %q, %v", line, err)
		}
		go func() {
			line, _ := lines.ReadString('\n') // an empty line fails the test below
			cmd.Wait()
			results <- line
		}()
	}
	must(t, holder.Process.Kill())
	shared := 0
	for range cap(results) {
		if line := <-results; !strings.Contains(line, "access_denied") {
			shared++
			if !strings.Contains(line, "run this program again") {
				t.Errorf("got %q; want what to do", line)
			}
		}
	}
	if shared != 8 {
		t.Errorf("%d of 9 programs shared the refusal; want 8", shared)
	}
}
