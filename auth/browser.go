package auth

import (
	"context"
	"net/url"
	"os/exec"
	"strings"
	"time"
)

// openerWatch is how long an opener is watched for a failure. Some openers run
// until the browser is closed.
const openerWatch = 3 * time.Second

// windowsOpener is the function that rundll32 calls to open an address without
// a shell.
const windowsOpener = "url.dll,FileProtocolHandler"

// openerError says why the system's browser could not be opened, without the
// address.
type openerError string

func (e openerError) Error() string { return "auth: " + string(e) }

// browser returns the command that opens an address in the user's browser,
// without the address; nil if a browser cannot be shown here.
func (env environment) browser() []string {
	have := func(name string) bool {
		_, err := env.lookPath(name)
		return err == nil
	}
	remote := env.getenv("SSH_CONNECTION") != "" || env.getenv("SSH_TTY") != ""
	switch env.goos {
	case "windows":
		if !remote { // otherwise the window would open on the remote machine's screen
			return []string{"rundll32.exe", windowsOpener}
		}
	case "darwin":
		if !remote {
			return []string{"/usr/bin/open"}
		}
	default:
		// Editors with a remote mode set BROWSER to a helper that opens the
		// browser on the user's own machine.
		if b := env.getenv("BROWSER"); b != "" && !strings.ContainsAny(b, "%: ") && have(b) {
			return []string{b}
		}
		wsl := env.getenv("WSL_DISTRO_NAME") != "" || env.getenv("WSL_INTEROP") != ""
		if wsl && have("wslview") {
			return []string{"wslview"}
		}
		// Without wslview, WSL can run Windows' own opener. Its folder need not be in
		// PATH.
		for _, name := range []string{"rundll32.exe", "/mnt/c/Windows/System32/rundll32.exe"} {
			if wsl && have(name) {
				return []string{name, windowsOpener}
			}
		}
		// Without a display xdg-open would start a text browser. With one over
		// SSH the display was forwarded on purpose.
		if env.getenv("DISPLAY") != "" || env.getenv("WAYLAND_DISPLAY") != "" {
			for _, name := range []string{"xdg-open", "x-www-browser"} {
				if have(name) {
					return []string{name}
				}
			}
		}
	}
	return nil
}

// openSystemBrowser starts the browser and returns when it has run for
// openerWatch or has ended. The address is one argument, and no shell reads it.
func openSystemBrowser(ctx context.Context, env environment, address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && !(u.Scheme == "http" && loopbackHost(u.Hostname())) {
		return openerError("only https addresses are opened")
	}
	argv := env.browser()
	if argv == nil {
		return openerError("no browser was found")
	}
	// Not CommandContext, because the browser outlives the sign-in. Its output
	// is dropped, because stdout belongs to the application.
	cmd := exec.Command(argv[0], append(argv[1:], address)...)
	detach(cmd)
	if err := cmd.Start(); err != nil {
		return openerError(argv[0] + " could not be started")
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }() // ends with the browser, and reaps the process
	timer := time.NewTimer(openerWatch)
	defer timer.Stop()
	select {
	case err := <-ended:
		if err != nil {
			return openerError(argv[0] + " failed: " + err.Error())
		}
	case <-timer.C:
	case <-ctx.Done():
	}
	return nil
}
