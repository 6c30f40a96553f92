package literal

import (
	"fmt"
	"strings"
)

// Interpolate replaces each ? of a statement by the literal of its argument, except in strings,
// names in backticks and comments. The result is for users to read, or for libraries that can't
// pass parameters.
func Interpolate(statement string, args ...any) (string, error) {
	var b []byte
	next := 0
	for i := 0; i < len(statement); {
		if statement[i] == '?' {
			if next == len(args) {
				return "", fmt.Errorf(
					"the statement has more placeholders than arguments: %d",
					len(args),
				)
			}
			var err error
			if b, err = Append(b, args[next]); err != nil {
				return "", fmt.Errorf("argument %d: %w", next+1, err)
			}
			next++
			i++
			continue
		}
		n := skip(statement[i:])
		b = append(b, statement[i:i+n]...)
		i += n
	}
	if next < len(args) {
		return "", fmt.Errorf("placeholders: %d, arguments: %d", next, len(args))
	}
	return string(b), nil
}

// skip returns the length of the string, name, comment or single byte at the start of s, which is not empty.
func skip(s string) int {
	until := func(open int, end string) int {
		if n := strings.Index(s[open:], end); n >= 0 {
			return open + n + len(end)
		}
		return len(s)
	}
	switch {
	case s[0] == '#' || strings.HasPrefix(s, "--"):
		return until(1, "\n")
	case strings.HasPrefix(s, "/*"):
		return until(2, "*/")
	}
	quote := s[:1]
	switch s[0] {
	default:
		return 1
	case '\'', '"':
		if triple := strings.Repeat(quote, 3); strings.HasPrefix(s, triple) {
			quote = triple
		}
	case '`':
	}
	for i := len(quote); i < len(s); i++ {
		switch {
		case s[i] == '\\': // also in a raw string, where a backslash keeps the next quote from ending the string
			i++
		case strings.HasPrefix(s[i:], quote):
			return i + len(quote)
		}
	}
	return len(s)
}

// Blank reports whether a text has no statement: only white space, comments and semicolons.
func Blank(text string) bool {
	for i := 0; i < len(text); {
		switch rest := text[i:]; {
		case strings.ContainsAny(rest[:1], " \t\r\n;"):
			i++
		case rest[0] == '#', strings.HasPrefix(rest, "--"), strings.HasPrefix(rest, "/*"):
			i += skip(rest)
		default:
			return false
		}
	}
	return true
}
