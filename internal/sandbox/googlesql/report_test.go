package googlesql_test

import (
	"os"
	"strings"
	"testing"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

// TestReports runs ordinary statements of reports: each translates, runs and answers in
// the types that were announced.
func TestReports(t *testing.T) {
	db, cat := open(t)
	text, err := os.ReadFile("testdata/reports.sql")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(lines) < 100 {
		t.Fatalf("got %d statements; want at least 100", len(lines))
	}
	for _, q := range lines {
		st, err := googlesql.Translate(q, options(cat))
		if err != nil {
			t.Errorf("%s\n%v", q, err)
			continue
		}
		rows, err := run(db, st)
		if err != nil {
			t.Errorf("%s\n%s\n%v", q, st.SQL, err)
		}
		if os.Getenv("GOOGLESQL_DEBUG") != "" {
			t.Logf("%s\n%s", q, rows)
		}
	}
}
