package sandbox

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	bq "google.golang.org/api/bigquery/v2"
)

var update = flag.Bool("update", false, "write the corpus's table into googlesql/README.md")

// corpusCase is a statement of a page of the reference with what it must give: rows as text, or
// "error", or "error: " and a part of the message.
type corpusCase struct{ sql, want string }

// corpusArea is a file of the corpus: a page of the reference.
type corpusArea struct {
	title string
	cases []corpusCase
}

// readCorpus reads one file. Its first line is "# " and a title, later lines with # are comments. A
// statement ends with "-->" and its first row, which is a comment in SQL; the lines after it that begin
// with "-->" are further rows.
func readCorpus(t *testing.T, path string) corpusArea {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	title, rest, _ := strings.Cut(strings.TrimPrefix(string(data), "# "), "\n")
	area := corpusArea{title: title}
	var sql []string
	for i, line := range strings.Split(rest, "\n") {
		text, row, done := strings.Cut(line, "-->")
		row = strings.TrimSpace(row)
		switch {
		case done && strings.TrimSpace(text) != "":
			sql = append(sql, strings.TrimRight(text, " "))
			area.cases = append(area.cases, corpusCase{strings.Join(sql, "\n"), row})
			sql = nil
		case done && len(sql) > 0:
			area.cases = append(area.cases, corpusCase{strings.Join(sql, "\n"), row})
			sql = nil
		case done && len(area.cases) > 0:
			area.cases[len(area.cases)-1].want += "\n" + row
		case len(sql) == 0 && (strings.HasPrefix(line, "#") || strings.TrimSpace(line) == ""):
		case done:
			t.Fatalf("%s:%d: a row without a statement", path, i+2)
		default:
			sql = append(sql, line)
		}
	}
	if len(sql) > 0 {
		t.Fatalf("%s ends within a statement: %s", path, strings.Join(sql, "\n"))
	}
	return area
}

// verdict is what became of a case; the zero value is "right".
type verdict int

const (
	right verdict = iota
	refused
	wrong
)

// judge runs a case: refused is an error that names what the sandbox lacks, wrong is everything else
// that is not wanted.
func judge(svc *bq.Service, dataset string, c corpusCase) (verdict, string) {
	resp, err := svc.Jobs.Query(DefaultProject, &bq.QueryRequest{
		Query: c.sql, UseLegacySql: legacyOff, TimeoutMs: 120_000, MaxResults: 1000,
		DefaultDataset: &bq.DatasetReference{ProjectId: DefaultProject, DatasetId: dataset},
		FormatOptions:  &bq.DataFormatOptions{UseInt64Timestamp: true},
	}).Do()
	if err != nil {
		msg := err.Error()
		part, fails := strings.CutPrefix(c.want, "error")
		switch {
		case strings.Contains(msg, "supported by the sandbox"):
			return refused, msg
		case fails && strings.Contains(msg, strings.TrimPrefix(part, ": ")) && !strings.Contains(msg, "sandbox"):
			return right, msg
		}
		return wrong, msg
	}
	if got := corpusRows(resp); got != c.want {
		return wrong, got
	}
	return right, ""
}

// TestCorpus runs the statements of the reference's pages and holds the table of googlesql/README.md
// against them. With -update it writes the table.
func TestCorpus(t *testing.T) {
	t.Parallel()
	svc, exec := corpusService(t)
	files, err := filepath.Glob("testdata/reference/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("got %d files, %v; want some", len(files), err)
	}
	lines := make([]string, len(files))
	var total [3]int
	var mu sync.Mutex
	t.Run("areas", func(t *testing.T) {
		for i, path := range files {
			dataset := strings.TrimSuffix(filepath.Base(path), ".txt")
			area := readCorpus(t, path)
			exec("CREATE SCHEMA `" + dataset + "`")
			t.Run(dataset, func(t *testing.T) {
				t.Parallel()
				var n [3]int
				for _, c := range area.cases {
					got, text := judge(svc, dataset, c)
					n[got]++
					switch {
					case got == wrong:
						t.Errorf("%s\ngot\n%s\nwant\n%s", c.sql, text, c.want)
					case got == refused:
						t.Logf("refused: %s\n%s", c.sql, text)
					}
				}
				mu.Lock()
				defer mu.Unlock()
				for k := range total {
					total[k] += n[k]
				}
				lines[i] = fmt.Sprintf("| %s | %d | %d | %d |\n", area.title, len(area.cases), n[right], n[refused])
			})
		}
	})
	all := total[right] + total[refused] + total[wrong]
	if all < 1000 {
		t.Errorf("got %d statements; want 1,000 at least", all)
	}
	if total[wrong] == 0 {
		corpusTable(t, strings.Join(lines, "")+fmt.Sprintf("| all | %d | %d | %d |\n", all, total[right], total[refused]))
	}
}

// corpusTable holds the table between the README's marks against lines, or writes it.
func corpusTable(t *testing.T, lines string) {
	const path, from, to = "googlesql/README.md", "<!-- corpus -->\n", "<!-- /corpus -->"
	lines = "| area | tried | right | refused |\n|---|---|---|---|\n" + lines
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(data), from)
	old, tail, ok2 := strings.Cut(rest, to)
	if !ok || !ok2 {
		t.Fatalf("%s has no %q and %q", path, from, to)
	}
	switch {
	case old == lines:
	case *update:
		if err := os.WriteFile(path, []byte(head+from+lines+to+tail), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("the table of %s is of another day; go test -run Corpus -update writes it. Got\n%s", path, lines)
	}
}
