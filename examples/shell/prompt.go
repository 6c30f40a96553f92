package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/reeflective/readline"
)

// prompt reads statements from the user until Ctrl-D or \q.
func (s *shell) prompt(ctx context.Context) int {
	rl := readline.NewShell()
	rl.Prompt.Primary(func() string { return s.colour(bold) + s.project + s.colour(plain) + "=> " })
	rl.AcceptMultiline = func(line []rune) bool { return complete(string(line)) }
	if file, err := historyFile(); err == nil {
		if history, err := readline.NewHistoryFromFile(file); err == nil {
			rl.History.Add("statements", history)
		}
	}
	fmt.Fprintln(s.errOut, `Statements end with a semicolon; \? lists the commands, \q or Ctrl-D ends.`)
	for {
		text, err := rl.Readline()
		switch {
		case errors.Is(err, io.EOF):
			return 0
		case err != nil: // Ctrl-C: the line is dropped
			continue
		}
		for _, statement := range all(text) {
			if err := s.run(ctx, statement); errors.Is(err, io.EOF) {
				return 0
			} else if err != nil {
				break
			}
		}
	}
}

// complete reports whether the input can be run: statements with their semicolons, or a command.
func complete(text string) bool {
	_, rest := split(text)
	return blank(rest)
}

// historyFile is a file that only the user can read.
func historyFile() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", err
	}
	dir = filepath.Join(dir, "bigqueryuser-shell")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	path := filepath.Join(dir, "history")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return "", err
	}
	return path, f.Close()
}
