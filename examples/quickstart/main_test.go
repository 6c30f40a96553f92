package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/examples/internal/local/localtest"
)

// TestTwoRuns: the first run asks once, the second not at all, both print the answer.
func TestTwoRuns(t *testing.T) {
	localtest.NewComputer(t)
	for i, wantConsents := range []int{1, 0} {
		var out bytes.Buffer
		cfg := &dsn.Config{}
		consents, err := localtest.CountConsents(t, func() error { return run(t.Context(), &out, cfg, names) })
		if err != nil {
			t.Fatalf("run %d: %v\n%s", i+1, err, &out)
		}
		if consents != wantConsents {
			t.Errorf("run %d: %d consents; want %d", i+1, consents, wantConsents)
		}
		for _, want := range []string{
			"William: 184498\n", "signed in as ada@example.com", "billed to project my-billing-project",
		} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("run %d printed no %q:\n%s", i+1, want, &out)
			}
		}
	}
}

// TestScript: every SELECT of a script is printed.
func TestScript(t *testing.T) {
	localtest.NewComputer(t)
	var out bytes.Buffer
	if err := run(t.Context(), &out, &dsn.Config{}, "SELECT 'one'; SELECT 'two', NULL, b'ab'"); err != nil {
		t.Fatal(err)
	}
	if want := "one\n\ntwo: NULL: 6162\n"; !strings.Contains(out.String(), want) {
		t.Errorf("printed no %q:\n%s", want, &out)
	}
}
