package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox"
)

// consentEnv tells a second start of this program that it is there to play the browser.
const consentEnv = "QUICKSTART_CONSENT"

// useSandbox starts the sandbox and points cfg at it. What the sandbox and its sign-in keep lies in a
// folder of its own, apart from the person's real sign-ins.
func useSandbox(ctx context.Context, out io.Writer, cfg *dsn.Config) (stop func(), err error) {
	config, err := os.UserConfigDir()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(config, "bigqueryuser-sandbox")
	server, err := sandbox.Start(ctx, sandbox.Config{StateDir: dir})
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			server.Close()
		}
	}()
	cfg.Project = "my-billing-project"
	cfg.Endpoint = server.Endpoint()
	cfg.TokenDir = filepath.Join(dir, "sign-ins")
	cfg.ClientSecrets = filepath.Join(dir, "client_secrets.json")
	if err := os.WriteFile(cfg.ClientSecrets, server.ClientSecrets(), 0o600); err != nil {
		return nil, err
	}
	fmt.Fprintf(out, "sandbox: a local Google sign-in and BigQuery at %s (names: Texas only, 1910-2023)\n", server.Endpoint())
	if from := server.MovedFrom(); from != "" {
		fmt.Fprintf(out, "sandbox: its address %s is in use by something else, so the sign-in is asked for anew\n", from)
	}
	if cfg.Login == "" && !browserHere() {
		if err := playBrowser(); err != nil {
			return nil, err
		}
		cfg.Login = "browser"
		fmt.Fprintln(out, "sandbox: no browser can be opened here, so this program follows the consent page itself, over HTTP, if it is asked")
	}
	return func() { server.Close() }, nil
}

// browserHere tells whether a person could see a browser.
func browserHere() bool {
	switch {
	case os.Getenv("CI") != "":
		return false
	case runtime.GOOS == "windows", runtime.GOOS == "darwin", os.Getenv("BROWSER") != "", os.Getenv("WSL_DISTRO_NAME") != "":
		return true
	}
	return os.Getenv("DISPLAY") != "" || os.Getenv("WAYLAND_DISPLAY") != ""
}

// browser is the program that the sign-in opens where there is no real one: this one.
var browser = os.Executable

func playBrowser() error {
	path, err := browser()
	if err != nil {
		return err
	}
	return errors.Join(os.Setenv(consentEnv, "1"), os.Setenv("BROWSER", path))
}

// consent is that browser: it presses Allow on the page whose address it is given.
func consent(args []string) bool {
	if os.Getenv(consentEnv) == "" || len(args) != 2 {
		return false
	}
	if err := sandbox.Consent(context.Background(), args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
	return true
}
