// Package localtest runs the examples in tests as on a computer with no
// sign-in.
package localtest

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/bigqueryuser/bigqueryuser/examples/internal/local"
)

// NewComputer prepares a test without a stored sign-in and without a browser. The test binary acts
// as the browser, as the examples do.
func NewComputer(t *testing.T) {
	t.Helper()
	home := t.TempDir()
	for _, name := range []string{"XDG_CONFIG_HOME", "HOME", "AppData"} {
		t.Setenv(name, home)
	}
	t.Setenv("CI", "true")
	t.Setenv("BROWSER", "")
	t.Setenv(local.ConsentEnv, "")
}

// CountConsents counts how often f starts the browser, through a script that records it.
func CountConsents(t *testing.T, f func() error) (int, error) {
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
	text := "#!/bin/sh\necho opened >> '" + log + "'\n" + local.ConsentEnv + "=1 exec '" + self + "' \"$1\"\n"
	if err := os.WriteFile(script, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	old := local.Browser
	local.Browser = func() (string, error) { return script, nil }
	defer func() { local.Browser = old }()
	err = f()
	opened, readErr := os.ReadFile(log)
	if readErr != nil && !os.IsNotExist(readErr) {
		t.Fatal(readErr)
	}
	return bytes.Count(opened, []byte("opened")), err
}

// runEnv makes the test binary run the program.
const runEnv = "BIGQUERYUSER_EXAMPLE_RUN"

// Main is the TestMain of a program that Run runs.
func Main(m *testing.M, main func()) int {
	if os.Getenv(runEnv) != "" {
		main()
		return 0
	}
	return m.Run()
}

// Run runs the program with flags and returns its output.
func Run(t *testing.T, flags ...string) (string, error) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, flags...)
	cmd.Env = append(os.Environ(), runEnv+"=1")
	out, err := cmd.CombinedOutput()
	return string(out), err
}
