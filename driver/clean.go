package driver

import (
	"strings"
	"unicode"
)

// oneLine makes a server's text fit for one line of an error or a log: it replaces characters that
// control a terminal, change the direction of text or break lines by blanks, and runs of blanks by
// one.
func oneLine(text string) string {
	var b strings.Builder
	blank := false
	for _, r := range text {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) || r == ' ' {
			blank = true
			continue
		}
		if blank && b.Len() > 0 {
			b.WriteByte(' ')
		}
		blank = false
		b.WriteRune(r)
	}
	return b.String()
}

// cleanError is an error whose text may quote a server.
type cleanError struct{ error }

func (e cleanError) Error() string { return oneLine(e.error.Error()) }

func (e cleanError) Unwrap() error { return e.error }
