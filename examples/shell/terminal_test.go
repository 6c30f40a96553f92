package main

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/hinshun/vt10x"

	"github.com/bigqueryuser/bigqueryuser/examples/internal/local/localtest"
)

// screen is a terminal with the program in it.
type screen struct {
	t    *testing.T
	vt   vt10x.Terminal
	tty  *os.File
	cmd  *exec.Cmd
	done chan error
}

func openScreen(t *testing.T, flags ...string) *screen {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, flags...)
	cmd.Env = append(os.Environ(), "BIGQUERYUSER_EXAMPLE_RUN=1", "TERM=xterm-256color")
	tty, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 60, Cols: 120})
	if err != nil {
		t.Skipf("there are no pseudo-terminals here: %v", err)
	}
	s := &screen{t, vt10x.New(vt10x.WithWriter(tty), vt10x.WithSize(120, 60)), tty, cmd, make(chan error, 1)}
	go func() {
		buffer := make([]byte, 4096)
		for {
			n, err := tty.Read(buffer)
			s.vt.Write(buffer[:n])
			if err != nil {
				s.done <- cmd.Wait()
				return
			}
		}
	}()
	t.Cleanup(func() { cmd.Process.Kill(); tty.Close() })
	return s
}

// text is what the terminal shows, without blanks at the ends of lines.
func (s *screen) text() string {
	var lines []string
	for line := range strings.Lines(s.vt.String()) {
		lines = append(lines, strings.TrimRight(line, " \n"))
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n")
}

// expect waits until the terminal's last lines are these.
func (s *screen) expect(want string) { s.t.Helper(); s.expectMatch(regexp.QuoteMeta(want)) }

// expectMatch waits until the terminal's last lines match an expression.
func (s *screen) expectMatch(want string) {
	s.t.Helper()
	end := regexp.MustCompile("(?:" + want + ")$")
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if end.MatchString(s.text()) {
			return
		}
	}
	s.t.Fatalf("the terminal shows:\n%s\nand not at its end:\n%s", s.text(), want)
}

// send types keys, as late as a user would: what comes while the line editor starts is lost.
func (s *screen) send(keys string) {
	s.t.Helper()
	time.Sleep(200 * time.Millisecond)
	if _, err := s.tty.WriteString(keys); err != nil {
		s.t.Fatal(err)
	}
}

const ready = "\nmy-billing-project=>"

// TestTerminal is a session of a user who types.
func TestTerminal(t *testing.T) {
	localtest.NewComputer(t)
	runShell(t, "whoami") // signs in
	s := openScreen(t, "-ask-above", "0.001")
	s.expect(`lists the commands, \q or Ctrl-D ends.` + ready)
	s.send("SELECT 1 AS x;\r")
	s.expect("=> SELECT 1 AS x;\n┌───┐\n│ x │\n├───┤\n│ 1 │\n└───┘\n(1 row)" + ready)
	s.send("SELECT 'a' AS k,\r")
	s.expect("=> SELECT 'a' AS k,")
	s.send("10 AS n;\r")
	s.expect(
		"=> SELECT 'a' AS k,\n                     10 AS n;\n┌───┬────┐\n│ k │  n │\n├───┼────┤\n│ a │ 10 " +
			"│\n└───┴────┘\n(1 row)" + ready,
	)
	s.send("\\x\r")
	s.expect("Expanded display is on." + ready)
	s.send("SELECT 1 AS x;\r")
	s.expect("-[ row 1 ]-\nx | 1\n(1 row)" + ready)
	s.send("\\x\r")
	s.expect("Expanded display is off." + ready)
	s.send("\\timing\r")
	s.expect("Timing is on." + ready)
	s.send("SELECT 1 AS x;\r")
	s.expectMatch(`\(1 row\)\nTime: \S+, read 0 B, 0 B billed, slots \S+` + ready)
	s.send("\\timing\r")
	s.expect("Timing is off." + ready)
	s.send("SELECT 'a' AS k, 10 AS n;\r")
	s.expect("│ a │ 10 │\n└───┴────┘\n(1 row)" + ready)
	s.send("\\chart\r")
	s.expect("a │" + strings.Repeat("█", 113) + " 10" + ready)
	s.send("SELECT nothing;\r")
	s.expect("SELECT nothing\n       ^" + ready)
	s.send("SELECT COUNT(name) AS n FROM " + names + ";\r")
	s.expect("this will read 3.06 MB (about $0.0000 on demand): run? [y/N]")
	s.send("n\r")
	s.expect("[y/N] n\nnot run" + ready)
	s.send("SELECT COUNT(name) AS n FROM " + names + ";\r")
	s.expect("run? [y/N]")
	s.send("y\r")
	s.expect("│ 382694 │\n└────────┘\n(1 row)" + ready)
	s.send("\x1b[A") // the last statement again
	s.expect("=> SELECT COUNT(name) AS n FROM " + names + ";")
	s.send("\x03") // Ctrl-C drops the line
	s.expect(ready)
	s.send("whoami\r")
	s.expect("ada@example.com, billed to my-billing-project" + ready)
	s.send("\\q\r")
	if err := <-s.done; err != nil {
		t.Errorf("got %v; want exit code 0", err)
	}
}

// TestCancel: Ctrl-C ends the job of a statement that runs, and tells what it cost; the next statement runs.
func TestCancel(t *testing.T) {
	localtest.NewComputer(t)
	runShell(t, "whoami")
	s := openScreen(t)
	s.expect(ready)
	s.send("BEGIN DECLARE i INT64 DEFAULT 0; WHILE i < 100000000 DO SET i = i + 1; END WHILE; END;\r")
	time.Sleep(3 * time.Second) // long enough for its progress to be shown
	s.send("\x03")
	s.expect("read 0 B, billed 0 B" + ready)
	if !strings.Contains(s.text(), "cancelled job ") {
		t.Errorf("the terminal shows:\n%s", s.text())
	}
	s.send("SELECT 1 AS x;\r")
	s.expect("│ 1 │\n└───┘\n(1 row)" + ready)
	s.send("\\q\r")
	if err := <-s.done; err != nil {
		t.Errorf("got %v; want exit code 0", err)
	}
}

// TestPager: a long result stops at each screen.
func TestPager(t *testing.T) {
	localtest.NewComputer(t)
	runShell(t, "whoami")
	s := openScreen(t)
	s.expect(ready)
	s.send("SELECT x FROM UNNEST(GENERATE_ARRAY(1, 100)) AS x ORDER BY x;\r")
	s.expect("│ 55 │\n└────┘\n-- more: Enter, or q --")
	s.send("q\r")
	s.expect(ready)
	s.send("\x04") // Ctrl-D
	if err := <-s.done; err != nil {
		t.Errorf("got %v; want exit code 0", err)
	}
}
