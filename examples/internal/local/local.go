// Package local is shared by the examples. It has the flags that choose where
// they run, and starts the sandbox if there are none. Your own program does not
// need it.
package local

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox"
)

// ConsentEnv makes a second instance of the program act as the browser.
const ConsentEnv = "BIGQUERYUSER_EXAMPLE_CONSENT"

// That instance ends here, before main.
func init() {
	if os.Getenv(ConsentEnv) == "" || len(os.Args) != 2 {
		return
	}
	Check(sandbox.Consent(context.Background(), os.Args[1]))
	os.Exit(0)
}

// Check ends the program if err is not nil.
func Check(err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", filepath.Base(os.Args[0]), err)
		os.Exit(1)
	}
}

// Flags parses the command line with -project and -client-secrets, and returns their values. The help
// text begins with about. An invalid command line ends the program. Define other flags before.
func Flags(about string) *dsn.Config {
	cfg := &dsn.Config{}
	flag.Usage = func() {
		fmt.Fprintf(flag.CommandLine.Output(), "%s %s.\n\n", filepath.Base(os.Args[0]), about)
		flag.PrintDefaults()
	}
	flag.StringVar(&cfg.Project, "project", "",
		"the `id` of the project to bill; without it a local BigQuery is used, which costs nothing")
	flag.StringVar(&cfg.ClientSecrets, "client-secrets", "",
		"the `path` of a client_secrets.json, with -project (or $"+driver.ClientSecretsEnv+")")
	flag.Parse()
	switch {
	case flag.NArg() > 0:
		misused("got the argument %q, but takes only flags; -help lists them", flag.Arg(0))
	case cfg.Project == "" && cfg.ClientSecrets != "":
		misused("-client-secrets needs -project, the project to bill; without both a local BigQuery is used")
	case cfg.Project != "" && cfg.ClientSecrets == "" && os.Getenv(driver.ClientSecretsEnv) == "":
		misused("-project needs -client-secrets, the path of a client_secrets.json; " +
			"https://github.com/bigqueryuser/bigqueryuser#get-a-client_secretsjson says how to get one")
	}
	return cfg
}

func misused(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%s: %s\n", filepath.Base(os.Args[0]), fmt.Sprintf(format, args...))
	os.Exit(2)
}

// Start starts the sandbox and sets cfg for it, unless cfg has a project. The state of the sandbox
// and of its sign-in is in a separate folder, apart from the user's real sign-ins. Start prints
// its steps to out.
func Start(ctx context.Context, out io.Writer, cfg *dsn.Config) (stop func(), err error) {
	if cfg.Project != "" {
		return func() {}, nil
	}
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
	cfg.Endpoint, cfg.StorageEndpoint = server.Endpoint(), server.StorageEndpoint()
	cfg.TokenDir = filepath.Join(dir, "sign-ins")
	cfg.ClientSecrets = filepath.Join(dir, "client_secrets.json")
	if err := os.WriteFile(cfg.ClientSecrets, server.ClientSecrets(), 0o600); err != nil {
		return nil, err
	}
	fmt.Fprintf(out, "sandbox: a local Google sign-in and BigQuery at %s (names: Texas only, 1910-2023)\n",
		server.Endpoint())
	if from := server.MovedFrom(); from != "" {
		fmt.Fprintf(out, "sandbox: its address %s is in use by another program, so you need to sign in again\n", from)
	}
	if cfg.Login == "" && !browserHere() {
		if err := playBrowser(); err != nil {
			return nil, err
		}
		cfg.Login = "browser"
		fmt.Fprintln(out, "sandbox: there is no browser here, so this program signs in as the user, if necessary")
	}
	return func() { server.Close() }, nil
}

// browserHere reports whether a browser would be visible to the user.
func browserHere() bool {
	switch {
	case os.Getenv("CI") != "":
		return false
	case runtime.GOOS == "windows", runtime.GOOS == "darwin",
		os.Getenv("BROWSER") != "", os.Getenv("WSL_DISTRO_NAME") != "":
		return true
	}
	return os.Getenv("DISPLAY") != "" || os.Getenv("WAYLAND_DISPLAY") != ""
}

// Browser is the program that the sign-in opens if there is no browser: this one.
var Browser = os.Executable

func playBrowser() error {
	path, err := Browser()
	if err != nil {
		return err
	}
	return errors.Join(os.Setenv(ConsentEnv, "1"), os.Setenv("BROWSER", path))
}
