package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bigqueryuser/bigqueryuser/dsn"
)

// The test binary is also the browser that the sign-in opens, as the program is.
func TestMain(m *testing.M) {
	if consent(os.Args) {
		return
	}
	os.Exit(m.Run())
}

// TestTwoRuns: the first run asks once, the second not at all, both print the answer.
func TestTwoRuns(t *testing.T) {
	home := t.TempDir()
	for _, name := range []string{"XDG_CONFIG_HOME", "HOME", "AppData"} {
		t.Setenv(name, home)
	}
	t.Setenv("CI", "true") // no browser
	t.Setenv("BROWSER", "")
	t.Setenv(consentEnv, "")
	for i, wantConsents := range []int{1, 0} {
		var out bytes.Buffer
		cfg := &dsn.Config{}
		consents, err := countConsents(t, func() error { return run(t.Context(), &out, cfg, names) })
		if err != nil {
			t.Fatalf("run %d: %v\n%s", i+1, err, &out)
		}
		if consents != wantConsents {
			t.Errorf("run %d: %d consents; want %d", i+1, consents, wantConsents)
		}
		for _, want := range []string{"William: 184498\n", "signed in as ada@example.com", "billed to project my-billing-project"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("run %d printed no %q:\n%s", i+1, want, &out)
			}
		}
	}
}

// countConsents counts how often f starts the browser, through a script that notes it.
func countConsents(t *testing.T, f func() error) (int, error) {
	t.Helper()
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("needs a shell to count how often the browser is started")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	log, script := filepath.Join(dir, "log"), filepath.Join(dir, "browser")
	text := "#!/bin/sh\necho opened >> '" + log + "'\n" + consentEnv + "=1 exec '" + self + "' \"$1\"\n"
	if err := os.WriteFile(script, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	old := browser
	browser = func() (string, error) { return script, nil }
	defer func() { browser = old }()
	err = f()
	opened, readErr := os.ReadFile(log)
	if readErr != nil && !os.IsNotExist(readErr) {
		t.Fatal(readErr)
	}
	return bytes.Count(opened, []byte("opened")), err
}
