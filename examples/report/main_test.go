package main

import (
	"encoding/csv"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bigqueryuser/bigqueryuser/examples/internal/local/localtest"
)

func TestMain(m *testing.M) { os.Exit(localtest.Main(m, main)) }

func TestReport(t *testing.T) {
	localtest.NewComputer(t)
	dir := filepath.Join(t.TempDir(), "new", "report")
	out, err := localtest.Run(t, "-o", dir)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, name := range []string{"totals.csv", "years.csv", "names.html"} {
		if want := "wrote " + filepath.Join(dir, name) + "\n"; !strings.Contains(out, want) {
			t.Errorf("printed no %q:\n%s", want, out)
		}
	}
	totals, years := readCSV(t, filepath.Join(dir, "totals.csv")), readCSV(t, filepath.Join(dir, "years.csv"))
	if got := fmt.Sprint(totals[:3], len(totals)); got != "[[name total] [James 284318] [John 244130]] 11" {
		t.Errorf("totals.csv: got %s", got)
	}
	if got := fmt.Sprint(years[:2], len(years)); got != "[[name year number] [James 1910 403]] 343" {
		t.Errorf("years.csv: got %s", got)
	}
	// The years of a name add up to its total.
	sums := map[string]int{}
	for _, row := range years[1:] {
		var number int
		if _, err := fmt.Sscan(row[2], &number); err != nil {
			t.Fatal(err)
		}
		sums[row[0]] += number
	}
	for _, row := range totals[1:4] {
		if got := fmt.Sprint(sums[row[0]]); got != row[1] {
			t.Errorf("%s: the years add up to %s; want %s", row[0], got, row[1])
		}
	}
	html, err := os.ReadFile(filepath.Join(dir, "names.html"))
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range totals[1:] {
		if want := `{"value":` + row[1] + `}`; !strings.Contains(string(html), want) {
			t.Errorf("names.html has no %s, the total of %s", want, row[0])
		}
	}
	for _, row := range years[1:] {
		if want := `["` + row[1] + `",` + row[2] + `]`; !strings.Contains(string(html), want) {
			t.Errorf("names.html has no %s, a year of %s", want, row[0])
		}
	}
	for _, want := range []string{
		"<h1>Names in the United States</h1>", "Source: bigquery-public-data.usa_names.usa_1910_current", "only Texas",
		"<td>James</td><td>284318</td>", "<td>1910</td><td>403</td>", "The query read ", " are billed: about $0.00006",
	} {
		if !strings.Contains(string(html), want) {
			t.Errorf("names.html has no %q", want)
		}
	}
	for _, load := range []string{"<script src", "<link"} {
		if strings.Contains(string(html), load) {
			t.Errorf("names.html loads something: it has %s", load)
		}
	}
	t.Run("in a browser", func(t *testing.T) { browse(t, filepath.Join(dir, "names.html")) })
}

// TestFolder: a folder that can't be made is told before anything is asked.
func TestFolder(t *testing.T) {
	localtest.NewComputer(t)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := localtest.Run(t, "-o", file); err == nil || !strings.Contains(out, file) || strings.Contains(out,
		"sandbox: a local") {
		t.Errorf("-o with a file: got %v, %q; want an error that names it, and no sandbox", err, out)
	}
}

// browse has Chromium run the page: without the chart library, or with an error in the page, there are no drawings.
func browse(t *testing.T, page string) {
	var chromium string
	for _, name := range []string{"chromium", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			chromium = path
			break
		}
	}
	if chromium == "" {
		t.Skip("needs Chromium: apt-get install chromium")
	}
	dom, err := exec.CommandContext(t.Context(), chromium, "--headless", "--no-sandbox", "--disable-gpu",
		"--disable-background-networking",
		"--virtual-time-budget=3000", "--user-data-dir="+t.TempDir(), "--dump-dom", "file://"+page).Output()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(string(dom), "<canvas "); got != 2 {
		t.Errorf("got %d drawings; want 2", got)
	}
}

func readCSV(t *testing.T, path string) [][]string {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}
