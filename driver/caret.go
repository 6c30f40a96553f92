package driver

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
)

const (
	tabWidth   = 8  // BigQuery counts columns with tabs of this width
	caretLeft  = 60 // characters shown before the place
	caretRight = 40 // characters shown after the place
)

// Format writes the error as Error does. With %+v it adds the line of the statement that the error
// is about, and a caret under the place.
func (e *Error) Format(f fmt.State, verb rune) {
	switch {
	case verb == 'v' && f.Flag('+'):
		io.WriteString(f, e.Error())
		if shown := caret(e.query, e.Location); shown != "" {
			io.WriteString(f, "\n"+shown)
		}
	case verb == 'q':
		fmt.Fprintf(f, "%q", e.Error())
	default:
		io.WriteString(f, e.Error())
	}
}

// about stores the text of the statement in its error, for %+v.
func about(err error, query string) error {
	if e, ok := errors.AsType[*Error](err); ok && e.query == "" {
		e.query = query
	}
	return err
}

// visible returns a character of a statement as a terminal may show it.
func visible(r rune) rune {
	if r != '\t' && !unicode.IsPrint(r) {
		return unicode.ReplacementChar
	}
	return r
}

// caret shows a place "line:column" of a statement; "" if there is no such place. It shows only the
// part of a long line around the place.
func caret(query, place string) string {
	var line, column int
	if _, err := fmt.Sscanf(place, "%d:%d", &line, &column); err != nil {
		return ""
	}
	lines := strings.Split(strings.ReplaceAll(query, "\r\n", "\n"), "\n")
	if line < 1 || line > len(lines) || column < 1 {
		return ""
	}
	var text []rune
	at := -1 // in text
	for width, r := 1, []rune(lines[line-1]); ; {
		if at < 0 && width >= column {
			at = len(text)
		}
		if len(r) == 0 {
			break
		}
		if r[0] == '\t' {
			width += tabWidth - (width-1)%tabWidth
		} else {
			width++
		}
		text, r = append(text, visible(r[0])), r[1:]
	}
	if at < 0 {
		return ""
	}
	from, to := max(0, at-caretLeft), min(len(text), at+caretRight)
	pad := make([]rune, 0, at-from+1)
	for _, r := range text[from:at] {
		if r != '\t' {
			r = ' '
		}
		pad = append(pad, r)
	}
	return string(text[from:to]) + "\n" + string(pad) + "^"
}
