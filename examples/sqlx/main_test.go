package main

import (
	"os"
	"strings"
	"testing"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/examples/internal/local/localtest"
)

func TestMain(m *testing.M) { os.Exit(localtest.Main(m, main)) }

func TestSqlx(t *testing.T) {
	localtest.NewComputer(t)
	for run := 1; run <= 2; run++ { // the second one finds what the first one left
		out, err := localtest.Run(t)
		if err != nil {
			t.Fatalf("run %d: %v\n%s", run, err, out)
		}
		for _, want := range []string{
			"since 2000: [{Jose 46998} {Jacob 45058} {Daniel 41477}]\n", "named: {William 184498}\n",
			"Ada and Grace: 28521\n", "kept: [Jose Jacob Daniel]\n",
		} {
			if !strings.Contains(out, want) {
				t.Errorf("run %d printed no %q:\n%s", run, want, out)
			}
		}
	}
}

// TestFlags: a command line that says too little or too much is refused before anything is started.
func TestFlags(t *testing.T) {
	localtest.NewComputer(t)
	t.Setenv(driver.ClientSecretsEnv, "")
	for _, c := range []struct {
		name  string
		flags []string
		want  string
	}{
		{"no project", []string{"-client-secrets", "x.json"}, "needs -project"},
		{"no client secrets", []string{"-project", "my-project"}, "needs -client-secrets"},
		{"an argument", []string{"SELECT 1"}, "takes only flags"},
	} {
		if out, err := localtest.Run(t, c.flags...); err == nil || !strings.Contains(out, c.want) ||
			strings.Contains(out, "sandbox: a local") {
			t.Errorf("%s: got %v, %q; want an error that says %q, and no sandbox", c.name, err, out, c.want)
		}
	}
}
