package auth

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/fakegoogle"
)

// fakeEnv is an environment of the given variables and programs.
func fakeEnv(goos string, vars map[string]string, programs []string, tty bool) environment {
	return environment{
		goos:   goos,
		getenv: func(key string) string { return vars[key] },
		lookPath: func(name string) (string, error) {
			if slices.Contains(programs, name) {
				return "/usr/bin/" + name, nil
			}
			return "", exec.ErrNotFound
		},
		terminal: func() bool { return tty },
	}
}

// T36: what is done where.
func TestModeAuto(t *testing.T) {
	t.Parallel()
	xdg := []string{"xdg-open"}
	type vars = map[string]string
	tests := []struct {
		name string
		env  environment
		want Mode
		argv string
	}{
		{"nothing", fakeEnv("linux", nil, nil, false), ModeNever, ""},
		{"terminal", fakeEnv("linux", nil, xdg, true), ModeManual, ""},
		{"display", fakeEnv("linux", vars{"DISPLAY": ":0"}, xdg, true), ModeBrowser, "xdg-open"},
		{"Wayland", fakeEnv("linux", vars{"WAYLAND_DISPLAY": "w"}, xdg, false), ModeBrowser, "xdg-open"},
		{"display, other opener", fakeEnv("linux", vars{"DISPLAY": ":0"}, []string{"x-www-browser"}, true),
			ModeBrowser, "x-www-browser"},
		{"display, no opener", fakeEnv("linux", vars{"DISPLAY": ":0"}, nil, true), ModeManual, ""},
		{"SSH", fakeEnv("linux", vars{"SSH_CONNECTION": "x"}, xdg, true), ModeManual, ""},
		{"SSH with a display", fakeEnv("linux", vars{"SSH_CONNECTION": "x", "DISPLAY": "localhost:10.0"}, xdg, true),
			ModeBrowser, "xdg-open"},
		{"remote editor", fakeEnv("linux", vars{"SSH_CONNECTION": "x", "BROWSER": "/x/helper.sh"},
			[]string{"/x/helper.sh"}, true), ModeBrowser, "/x/helper.sh"},
		{"BROWSER with a list", fakeEnv("linux", vars{"BROWSER": "a:b %s"}, nil, true), ModeManual, ""},
		{"WSL", fakeEnv("linux", vars{"WSL_DISTRO_NAME": "Debian"}, []string{"wslview"}, true), ModeBrowser,
			"wslview"},
		{"WSL without wslview", fakeEnv("linux", vars{"WSL_DISTRO_NAME": "Debian"}, nil, true), ModeManual, ""},
		{"WSL with Windows in PATH", fakeEnv("linux", vars{"WSL_DISTRO_NAME": "Debian", "DISPLAY": ":0"},
			[]string{"rundll32.exe", "xdg-open"}, true), ModeBrowser, "rundll32.exe url.dll,FileProtocolHandler"},
		{"WSL without Windows in PATH", fakeEnv("linux", vars{"WSL_INTEROP": "x"},
			[]string{"/mnt/c/Windows/System32/rundll32.exe"}, false), ModeBrowser,
			"/mnt/c/Windows/System32/rundll32.exe url.dll,FileProtocolHandler"},
		{"no WSL", fakeEnv("linux", nil, []string{"rundll32.exe"}, true), ModeManual, ""},
		{"WSL with a display", fakeEnv("linux", vars{"WSL_DISTRO_NAME": "Debian", "DISPLAY": ":0"}, xdg, true),
			ModeBrowser, "xdg-open"},
		{"CI", fakeEnv("linux", vars{"CI": "true", "DISPLAY": ":99"}, xdg, true), ModeNever, ""},
		{"CI=false", fakeEnv("linux", vars{"CI": "false", "DISPLAY": ":0"}, xdg, true), ModeBrowser, "xdg-open"},
		{"macOS", fakeEnv("darwin", nil, nil, true), ModeBrowser, "/usr/bin/open"},
		{"macOS over SSH", fakeEnv("darwin", vars{"SSH_CONNECTION": "x"}, nil, true), ModeManual, ""},
		{"Windows", fakeEnv("windows", nil, nil, true), ModeBrowser, "rundll32.exe url.dll,FileProtocolHandler"},
		{"Windows over SSH", fakeEnv("windows", vars{"SSH_CONNECTION": "x"}, nil, false), ModeNever, ""},
	}
	for _, tt := range tests {
		cfg := Config{env: tt.env}
		if got := cfg.resolveMode(); got != tt.want {
			t.Errorf("%s: got %v; want %v", tt.name, got, tt.want)
		}
		if tt.want == ModeBrowser {
			if got := strings.Join(tt.env.browser(), " "); got != tt.argv {
				t.Errorf("%s: opener: got %q; want %q", tt.name, got, tt.argv)
			}
		}
	}
	own := Config{env: fakeEnv("linux", nil, nil, false), Prompter: quietPrompter{}}
	if got := own.resolveMode(); got != ModeManual {
		t.Errorf("own prompter: got %v; want manual", got)
	}
	own.OpenBrowser = func(context.Context, string) error { return nil }
	if got := own.resolveMode(); got != ModeBrowser {
		t.Errorf("own opener: got %v; want browser", got)
	}
}

// T36, S40: where no user can be asked the error comes at once, and no port is opened.
func TestHeadlessFailsFast(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(*Config){
		"auto":  func(c *Config) { c.Mode = ModeAuto; c.env = fakeEnv("linux", nil, nil, false) },
		"never": func(c *Config) { c.Mode = ModeNever },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, fakegoogle.Options{})
			a := r.open(func(c *Config) {
				c.OpenBrowser, c.Prompter = nil, nil
				c.listen = func(string, string) (net.Listener, error) {
					t.Error("a port was opened")
					return nil, errors.New("no")
				}
				edit(c)
			})
			start := time.Now()
			err := a.Ensure(t.Context())
			if d := time.Since(start); d > 2*time.Second {
				t.Errorf("it took %v", d)
			}
			if !errors.Is(err, ErrConsentRequired) || !strings.Contains(err.Error(), "login=manual") {
				t.Errorf("Ensure: got %v; want ErrConsentRequired that says what to do", err)
			}
			if err := a.Login(t.Context()); !errors.Is(err, ErrConsentRequired) {
				t.Errorf("Login: got %v; want ErrConsentRequired", err)
			}
		})
	}
}

// S40: a program that may not ask does not wait for one that asks, either.
func TestNeverDoesNotWait(t *testing.T) {
	t.Parallel()
	r := newRig(t, fakegoogle.Options{})
	w := r.startWaiting(nil)
	b := r.open(func(c *Config) { c.Mode = ModeNever })
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := b.Ensure(ctx); !errors.Is(err, ErrConsentRequired) {
		t.Errorf("got %v; want ErrConsentRequired at once", err)
	}
	w.consent(t)
	if err := b.Ensure(ctx); err != nil {
		t.Errorf("after the sign-in of the other: %v", err)
	}
}

// T35, S18: the opener gets the address unchanged as one argument; its output
// and its failure do no harm.
func TestOpener(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the openers of this test are shell scripts")
	}
	t.Parallel()
	const address = `https://accounts.google.com/o/oauth2/v2/auth?a=1&b='x'&c="y"&d=$(touch%20z)&e=;true;%20%%&f=` +
		"`id`"
	dir := t.TempDir()
	script := func(name, body string) string {
		path := filepath.Join(dir, name)
		must(t, os.WriteFile(path, []byte("#!/bin/sh\n"+body+"\n"), 0o700))
		return path
	}
	env := func(program string) environment {
		return fakeEnv("linux", map[string]string{"BROWSER": program}, []string{program}, false)
	}
	t.Run("address", func(t *testing.T) {
		t.Parallel()
		out := filepath.Join(dir, "args")
		must(t, openSystemBrowser(t.Context(), env(script("args.sh", `echo noise; printf '%s\n' "$#" "$1" > `+out)),
			address))
		got, err := os.ReadFile(out)
		must(t, err)
		if want := "1\n" + address + "\n"; string(got) != want {
			t.Errorf("arguments: got %q; want %q", got, want)
		}
	})
	t.Run("fails at once", func(t *testing.T) {
		t.Parallel()
		err := openSystemBrowser(t.Context(), env(script("fail.sh", "exit 1")), address)
		if err == nil || strings.Contains(err.Error(), "accounts.google.com") {
			t.Errorf("got %v; want an error without the address", err)
		}
	})
	t.Run("stays", func(t *testing.T) {
		t.Parallel()
		pidFile := filepath.Join(dir, "pid")
		program := script("stay.sh", "echo $$ > "+pidFile+"; exec sleep 600")
		start := time.Now()
		must(t, openSystemBrowser(t.Context(), env(program), address))
		if d := time.Since(start); d > openerWatch+2*time.Second {
			t.Errorf("returned after %v", d)
		}
		endProcess(t, pidFile)
	})
	t.Run("missing", func(t *testing.T) {
		t.Parallel()
		if err := openSystemBrowser(t.Context(), env(filepath.Join(dir, "none")), address); err == nil {
			t.Error("no error")
		}
		if err := openSystemBrowser(t.Context(), fakeEnv("linux", nil, nil, true), address); err == nil {
			t.Error("no opener: no error")
		}
	})
	t.Run("other schemes", func(t *testing.T) {
		t.Parallel()
		for _, bad := range []string{"file:///etc/passwd", "http://example.com/", "javascript:alert(1)", "-flag",
			""} {
			if err := openSystemBrowser(t.Context(), env(script("x.sh", "exit 0")), bad); err == nil {
				t.Errorf("%q was opened", bad)
			}
		}
	})
	t.Run("failure is not the end", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, fakegoogle.Options{})
		prompts := &promptLog{}
		w := make(chan error, 1)
		a := r.open(func(c *Config) {
			c.OpenBrowser, c.Prompter = nil, prompts
			c.env = env(script("broken.sh", "exit 1"))
		})
		go func() { w <- a.Ensure(t.Context()) }()
		waitFor(t, func() bool { return len(prompts.all()) == 2 })
		if got := prompts.all(); !got[0].Opened || got[1].Opened || got[0].URL != got[1].URL {
			t.Error("the second prompt does not say that no browser was opened")
		}
		r.opened(prompts.all()[1].URL) // so that the log is swept for it
		must(t, fakegoogle.Consent(t.Context(), plainHTTP, prompts.all()[1].URL, ""))
		must(t, <-w)
	})
}
