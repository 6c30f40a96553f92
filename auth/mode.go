package auth

import (
	"os"
	"os/exec"
	"runtime"
)

// Mode is a way to ask the user.
type Mode int

const (
	// ModeAuto is ModeBrowser if a browser can be shown, else ModeManual if
	// there is a terminal, else ModeNever. The package documentation has the
	// details.
	ModeAuto Mode = iota
	// ModeBrowser opens the system browser.
	ModeBrowser
	// ModeManual prints the address. The answer arrives at the loopback port or
	// is pasted.
	ModeManual
	// ModeNever does not ask the user. The error matches ErrConsentRequired.
	ModeNever
)

var modeNames = [...]string{ModeAuto: "auto", ModeBrowser: "browser", ModeManual: "manual", ModeNever: "never"}

// ParseMode returns the mode named auto, browser, manual or never; "" means
// auto.
func ParseMode(s string) (Mode, error) {
	if s == "" {
		return ModeAuto, nil
	}
	for m, name := range modeNames {
		if s == name {
			return Mode(m), nil
		}
	}
	return ModeAuto, configError("configuration", "the sign-in mode is not known",
		"use auto, browser, manual or never")
}

// String returns the name that ParseMode reads.
func (m Mode) String() string {
	if m < 0 || int(m) >= len(modeNames) {
		return "Mode(" + itoa(int(m)) + ")"
	}
	return modeNames[m]
}

// environment is what ModeAuto depends on.
type environment struct {
	goos     string
	getenv   func(string) string
	lookPath func(string) (string, error)
	terminal func() bool // whether there is a controlling terminal
}

func systemEnvironment() environment {
	return environment{runtime.GOOS, os.Getenv, exec.LookPath, terminalPresent}
}

// resolveMode returns the mode that ModeAuto stands for on this machine. An
// application with its own opener or prompter can show an address.
func (cfg *Config) resolveMode() Mode {
	if cfg.Mode != ModeAuto {
		return cfg.Mode
	}
	if cfg.OpenBrowser != nil {
		return ModeBrowser
	}
	if cfg.env.ci() {
		return ModeNever
	}
	if cfg.env.browser() != nil {
		return ModeBrowser
	}
	if cfg.Prompter != nil || cfg.env.terminal() {
		return ModeManual
	}
	return ModeNever
}

// ci reports whether this is a build machine, where there is no user to ask.
func (env environment) ci() bool {
	ci := env.getenv("CI")
	return ci != "" && ci != "false" && ci != "0"
}

// neverHint returns why the user is not asked, and what to do.
func (cfg *Config) neverHint() string {
	switch {
	case cfg.Mode == ModeNever:
		return "the user must not be asked (login=never); sign in once with login=browser or login=manual"
	case cfg.env.ci():
		return "no user is asked because the environment variable CI is set to " + quoted(cfg.env.getenv("CI")) +
			"; unset it, or sign in with login=manual or login=browser"
	}
	return "no browser and no terminal were found; sign in once from a terminal with login=manual, or on a desktop"
}
