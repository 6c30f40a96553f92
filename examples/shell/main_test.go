package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/creack/pty"
	"github.com/hinshun/vt10x"

	"github.com/bigqueryuser/bigqueryuser/examples/internal/local/localtest"
)

func TestMain(m *testing.M) { os.Exit(localtest.Main(m, main)) }

const names = "`bigquery-public-data.usa_names.usa_1910_current`"

// runShell runs the program without a terminal, with stdin.
func runShell(t *testing.T, stdin string, flags ...string) (stdout, stderr string, code int) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, flags...)
	cmd.Env = append(os.Environ(), "BIGQUERYUSER_EXAMPLE_RUN=1")
	var out, errOut bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errOut
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return out.String(), errOut.String(), cmd.ProcessState.ExitCode()
}

// TestScript: what a script gets on stdout, in each format, and how the program ends.
func TestScript(t *testing.T) {
	localtest.NewComputer(t)
	query := "SELECT 'it''s' AS a, 1 AS b UNION ALL SELECT NULL, 20 ORDER BY b"
	query = strings.ReplaceAll(query, "''", `\'`)
	path := filepath.Join(t.TempDir(), "statements.sql")
	if err := os.WriteFile(path, []byte("SELECT 1 AS x;\nSELECT 2 AS x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, stdin string
		flags       []string
		stdout      string
		stderr      string
		code        int
	}{
		{"table", "", []string{"-c", query},
			"┌──────┬────┐\n│ a    │  b │\n├──────┼────┤\n│ it's │  1 │\n│ NULL │ 20 │\n└──────┴────┘\n(2 rows)\n",
			"", 0},
		{"csv", query, []string{"-format", "csv"}, "a,b\nit's,1\n,20\n", "", 0},
		{"json", query + ";", []string{"-format", "json"},
			"[\n{\"a\":\"it's\",\"b\":1},\n{\"a\":null,\"b\":20}\n]\n", "", 0},
		{"jsonl", "", []string{"-format", "jsonl", "-c", query},
			"{\"a\":\"it's\",\"b\":1}\n{\"a\":null,\"b\":20}\n", "", 0},
		{"markdown", "", []string{"-format", "markdown", "-c", query},
			"| a | b |\n| --- | ---:|\n| it's | 1 |\n| NULL | 20 |\n", "", 0},
		{"a file", "", []string{"-format", "csv", "-f", path}, "x\n1\nx\n2\n", "", 0},
		{"a script and a session", "DECLARE n INT64 DEFAULT 2;\nIF n > 1 THEN SELECT 'big' AS w; END IF;\nSELECT n + " +
			"1 AS n;", []string{"-format", "csv"}, "w\nbig\nn\n3\n", "", 0},
		{"types", "SELECT DATE '2020-01-02' AS d, DATETIME '2020-01-02 03:04:05.5' AS dt, TIMESTAMP '2020-01-02 " +
			"03:04:05+00' AS ts, b'a' AS b, [1, 2] AS arr, STRUCT(1 AS x) AS s, JSON '{\"k\":1}' AS j, NUMERIC " +
			"'1.50' AS n",
			[]string{"-format", "jsonl"},
			`{"d":"2020-01-02","dt":"2020-01-02 03:04:05.5","ts":"2020-01-02 03:04:05 UTC",` +
				`"b":"YQ==","arr":[1,2],"s":{"x":1},"j":{"k":1},"n":"1.5"}` + "\n", "", 0},
		{"changes", "CREATE SCHEMA shell_test; CREATE TABLE shell_test.t (x INT64); INSERT INTO shell_test.t VALUES " +
			"(1), (2);\n\\d shell_test.t\n\\dt shell_test\n", []string{"-format", "csv"},
			"name,type,nullable,default\nx,INT64,YES,\n", "CREATE TABLE\nINSERT: 2 rows\n", 0},
		{"expanded", "\\x\nSELECT 1 AS a, 'b' AS long", nil, "-[ row 1 ]-\na    | 1\nlong | b\n(1 row)\n",
			"Expanded display is on.\n", 0},
		{"no rows", "SELECT 1 AS x FROM UNNEST([1]) WHERE FALSE", []string{"-format", "json"}, "[]\n", "", 0},
		{"an error ends it", "SELECT 1 AS x;\nSELECT nothing;\nSELECT 3 AS x", []string{"-format", "csv"}, "x\n1\n",
			"SELECT nothing\n       ^\n", 1},
		{"a limit", "SELECT COUNT(name) FROM " + names, []string{"-ask-above", "0.001"}, "",
			"this will read 3.06 MB (about $0.0000 on demand): run? Say so with -yes, or raise -ask-above\n", 3},
		{"agreed to", "SELECT COUNT(DISTINCT name) > 1 AS x FROM " + names, []string{"-ask-above", "0.001", "-yes",
			"-format", "csv"}, "x\ntrue\n", "", 0},
		{"whoami", "whoami", nil, "ada@example.com, billed to my-billing-project\n", "", 0},
		{"end", "\\q\nSELECT 1", nil, "", "", 0},
		{"a wrong command", `\nothing`, nil, "", `there is no command \nothing; \? lists them`, 1},
		{"a wrong format", "", []string{"-format", "xml"}, "", `there is no format "xml"`, 2},
		{"signing in and out", "whoami\nlogout\nlogin\nwhoami\n", nil,
			strings.Repeat("ada@example.com, billed to my-billing-project\n", 2), "logged out\n", 0},
		{"a file inside", "\\i " + path + "\n\\i nothing.sql", []string{"-format", "csv"}, "x\n1\nx\n2\n",
			"nothing.sql", 1},
		{"the list of commands", `\?`, nil, "", "\\timing", 0},
		{"bars", "SELECT 'a' AS k, 10 AS n UNION ALL SELECT 'bb', 5 ORDER BY k;\n\\chart", []string{"-format",
			"csv"}, "k,n\na,10\nbb,5\na  │" + strings.Repeat("█", 72) + " 10\nbb │" + strings.Repeat("█", 36) +
			" 5\n", "", 0},
		{"no chart", "SELECT 'a' AS k;\n\\chart", []string{"-format", "csv"}, "k\na\n", "two columns", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			stdout, stderr, code := runShell(t, c.stdin, c.flags...)
			if !strings.HasPrefix(stdout, c.stdout) || c.stdout == "" && stdout != "" ||
				!strings.Contains(stderr, c.stderr) ||
				code != c.code {
				t.Errorf(
					"got exit code %d, stdout:\n%s\nstderr:\n%s\nwant %d, %q and %q",
					code,
					stdout,
					stderr,
					c.code,
					c.stdout,
					c.stderr,
				)
			}
			if strings.Contains(stdout+stderr, "\x1b") {
				t.Errorf("colours without a terminal: %q, %q", stdout, stderr)
			}
		})
	}
}

func TestParquet(t *testing.T) {
	localtest.NewComputer(t)
	path := filepath.Join(t.TempDir(), "x.parquet")
	query := "SELECT 1 AS i, 1.5 AS f, TRUE AS b, 's' AS s, b'a' AS y, NUMERIC '2.5' AS n, DATE '2020-01-02' AS d, " +
		"TIMESTAMP '2020-01-02 00:00:00+00' AS t, [1] AS a " +
		"UNION ALL SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL ORDER BY i DESC"
	if _, stderr, code := runShell(t, query, "-format", "parquet", "-o", path); code != 0 {
		t.Fatalf("got exit code %d: %s", code, stderr)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	reader, err := file.NewParquetReader(f)
	if err != nil {
		t.Fatal(err)
	}
	arrowReader, err := pqarrow.NewFileReader(reader, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	table, err := arrowReader.ReadTable(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer table.Release()
	var got []string
	for i := range int(table.NumCols()) {
		column := table.Column(i)
		got = append(got, fmt.Sprint(column.DataType(), " ", column.Data().Chunk(0)))
	}
	want := []string{
		"int64 [1 (null)]", "float64 [1.5 (null)]", "bool [true (null)]", `utf8 ["s" (null)]`,
		`binary ["a" (null)]`, "decimal(38, 9) [2.5 (null)]",
		"date32 [2020-01-02 (null)]", "timestamp[us, tz=UTC] [1577923200000000 (null)]", `utf8 ["[1]" "[]"]`,
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

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
func (s *screen) expect(want string) {
	s.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if strings.HasSuffix(s.text(), want) {
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
