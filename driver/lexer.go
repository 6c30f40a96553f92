package driver

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// parameters are the placeholders of a statement: `?` by number or `@name` by name, each
// name once and in lower case, since GoogleSQL's parameter names have no case.
type parameters struct {
	positional int
	names      []string
	script     bool // several statements, or a CALL: a part of it may have run when it fails
}

func (p parameters) count() int {
	if len(p.names) > 0 {
		return len(p.names)
	}
	return p.positional
}

// mode is the REST API's parameterMode.
func (p parameters) mode() string {
	if len(p.names) > 0 {
		return "NAMED"
	}
	return "POSITIONAL"
}

// slot returns the place of a name among the names, or -1.
func (p parameters) slot(name string) int { return slices.Index(p.names, strings.ToLower(name)) }

func (p *parameters) add(name string) {
	if name != "" && p.slot(name) < 0 {
		p.names = append(p.names, strings.ToLower(name))
	}
}

// findParameters finds the placeholders of a GoogleSQL text: not those inside strings,
// quoted identifiers and comments, and not @@system_variables. Text that does not end
// where it should is BigQuery's to refuse.
func findParameters(sql string) (parameters, error) {
	var p parameters
	var words int  // seen so far, in a loose sense
	var ended bool // a semicolon was the last of them
	for i := 0; i < len(sql); {
		if end := skipSpace(sql, i); end > i {
			i = end
			continue
		}
		ch := sql[i]
		if ch != '#' && !strings.HasPrefix(sql[i:], "--") && !strings.HasPrefix(sql[i:], "/*") {
			p.script = p.script || ended || words == 0 && strings.EqualFold(sql[i:skipName(sql, i)], "call")
			words++
			ended = ch == ';'
		}
		switch {
		case ch == '\'' || ch == '"' || ch == '`':
			i = skipQuoted(sql, i)
		case ch == '#' || strings.HasPrefix(sql[i:], "--"):
			i = skipLine(sql, i)
		case strings.HasPrefix(sql[i:], "/*"):
			i = skipComment(sql, i+2)
		case ch == '?':
			p.positional++
			i++
		case strings.HasPrefix(sql[i:], "@@"):
			i = skipName(sql, i+2)
		case ch == '@':
			start := skipBlank(sql, i+1) // GoogleSQL allows it
			if i = skipName(sql, start); i == start && start < len(sql) && sql[start] == '`' {
				i = skipQuoted(sql, start)
			}
			p.add(strings.Trim(sql[start:i], "`")) // nothing in a hint, @{...}
		case isNameByte(ch):
			i = skipName(sql, i)
		default:
			i++
		}
	}
	if p.positional > 0 && len(p.names) > 0 {
		return p, fmt.Errorf("bigqueryuser: the statement mixes ? and @%s: BigQuery takes one style or the other", p.names[0])
	}
	return p, nil
}

// skipQuoted returns the position after the quoted text that starts at i. A backslash
// keeps the next character from ending it, in a raw string too, so prefixes don't matter.
func skipQuoted(sql string, i int) int {
	quote := sql[i : i+1]
	if quote != "`" && strings.HasPrefix(sql[i:], quote+quote+quote) {
		quote = sql[i : i+3]
	}
	for i += len(quote); i < len(sql); i++ {
		if sql[i] == '\\' {
			i++
			continue
		}
		if strings.HasPrefix(sql[i:], quote) {
			return i + len(quote)
		}
	}
	return len(sql)
}

func skipLine(sql string, i int) int {
	if at := strings.IndexAny(sql[i:], "\r\n"); at >= 0 {
		return i + at + 1
	}
	return len(sql)
}

func skipComment(sql string, i int) int {
	if at := strings.Index(sql[i:], "*/"); at >= 0 {
		return i + at + len("*/")
	}
	return len(sql)
}

// skipBlank passes over white space and comments.
func skipBlank(sql string, i int) int {
	for start := -1; i > start; {
		start = i
		switch i = skipSpace(sql, i); {
		case strings.HasPrefix(sql[i:], "#") || strings.HasPrefix(sql[i:], "--"):
			i = skipLine(sql, i)
		case strings.HasPrefix(sql[i:], "/*"):
			i = skipComment(sql, i+2)
		}
	}
	return i
}

// skipSpace passes over white space, which in GoogleSQL can be Unicode's: it gets into statements by the clipboard.
func skipSpace(sql string, i int) int {
	for i < len(sql) {
		r, n := utf8.DecodeRuneInString(sql[i:])
		if !unicode.IsSpace(r) && r != '\b' {
			break
		}
		i += n
	}
	return i
}

func skipName(sql string, i int) int {
	for i < len(sql) && isNameByte(sql[i]) {
		r, n := utf8.DecodeRuneInString(sql[i:])
		if unicode.IsSpace(r) {
			break
		}
		i += n
	}
	return i
}

func isNameByte(b byte) bool {
	return b == '_' || b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= 0x80
}
