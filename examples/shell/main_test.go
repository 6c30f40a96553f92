package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

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
		{"a comment at the end", "SELECT 1 AS x; -- one\n/* done; */\n# really", []string{"-format", "csv"}, "x\n1\n", "", 0},
		{"only a comment", "", []string{"-c", "-- nothing"}, "", "", 0},
		{"control characters", `SELECT 'a\x1b[31mb\rc\td\u009be' AS x, 'l1\nl2 ż' AS y`, nil,
			"┌─────────────────────────┬──────┐\n│ x                       │ y    │\n├─────────────────────────┼──────┤\n" +
				"│ a\\x1b[31mb\\rc\\td\\u009be │ l1   │\n│                         │ l2 ż │\n" +
				"└─────────────────────────┴──────┘\n(1 row)\n", "", 0},
		{"control characters, expanded", "\\x\nSELECT 'a\\x1b[31mb' AS x", nil,
			"-[ row 1 ]-\nx | a\\x1b[31mb\n(1 row)\n", "", 0},
		{"numbers that are none in JSON", "SELECT CAST('inf' AS FLOAT64) AS a, STRUCT(CAST('-inf' AS FLOAT64) AS b, " +
			"CAST('nan' AS FLOAT64) AS c) AS s, CAST('nan' AS FLOAT64) AS d, CAST('-inf' AS FLOAT64) AS e",
			[]string{"-format", "jsonl"},
			`{"a":"Infinity","s":{"b":"-Infinity","c":"NaN"},"d":"NaN","e":"-Infinity"}` + "\n", "", 0},
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
		{"revoked", "revoke\nwhoami", nil, "ada@example.com", "revoked\n", 0},
		{"datasets", "CREATE SCHEMA shell_list;\n\\l", []string{"-format", "csv"}, "dataset,location,created\nshell_list,US,20", "", 0},
		{"tables", "CREATE SCHEMA shell_tables; CREATE TABLE shell_tables.t (x INT64);\n\\dt shell_tables",
			[]string{"-format", "csv"}, "name,type,created\nt,BASE TABLE,20", "", 0},
		{"timing", "\\timing\nSELECT 1 AS x;\n\\timing", []string{"-format", "csv"}, "x\n1\n",
			"Timing is on.\nTime: ", 0},
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
