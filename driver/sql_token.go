package driver

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// tokenKind is the kind of a token of GoogleSQL.
type tokenKind int

const (
	tokenWord       tokenKind = iota // a keyword, a name or a number
	tokenQuoted                      // a string, or a name in backquotes
	tokenPositional                  // ?
	tokenNamed                       // @name; the text is the name
	tokenSystem                      // @@name
	tokenHint                        // the @{ that starts a hint; } ends it
	tokenSymbol                      // any other character, and |>
)

// token is a token of a text. The next one may start where it ends.
type token struct {
	kind tokenKind
	text string
	end  int
}

// is reports whether the token is this keyword.
func (t token) is(keyword string) bool {
	return t.kind == tokenWord && strings.EqualFold(t.text, keyword)
}

// symbol reports whether the token is this symbol.
func (t token) symbol(ch string) bool { return t.kind == tokenSymbol && t.text == ch }

// nextToken returns the token at or after position i. It skips white space and comments, and
// returns false at the end of the text.
func nextToken(sql string, i int) (token, bool) {
	i = skipBlank(sql, i)
	if i == len(sql) {
		return token{}, false
	}
	switch ch := sql[i]; {
	case ch == '\'' || ch == '"' || ch == '`':
		end := skipQuoted(sql, i)
		return token{tokenQuoted, sql[i:end], end}, true
	case ch == '?':
		return token{tokenPositional, "?", i + 1}, true
	case strings.HasPrefix(sql[i:], "@@"):
		end := skipName(sql, i+2)
		return token{tokenSystem, sql[i:end], end}, true
	case ch == '@':
		return atToken(sql, i), true
	case isNameByte(ch):
		end := skipName(sql, i)
		return token{tokenWord, sql[i:end], end}, true
	}
	_, n := utf8.DecodeRuneInString(sql[i:])
	if strings.HasPrefix(sql[i:], "|>") {
		n = len("|>")
	}
	return token{tokenSymbol, sql[i : i+n], i + n}, true
}

// atToken reads a token that starts with a single @. GoogleSQL allows blanks before the name.
func atToken(sql string, i int) token {
	start := skipBlank(sql, i+1)
	if strings.HasPrefix(sql[start:], "{") {
		return token{tokenHint, "{", start + 1}
	}
	end := skipName(sql, start)
	if end == start && start < len(sql) && sql[start] == '`' {
		end = skipQuoted(sql, start)
	}
	return token{tokenNamed, strings.Trim(sql[start:end], "`"), end}
}

// skipQuoted returns the position after the quoted text that starts at i. A backslash escapes the
// next character, also in a raw string, so prefixes don't matter.
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

// skipBlank skips white space and comments.
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

// skipSpace skips white space, Unicode's included, which GoogleSQL allows and which comes with text
// from the clipboard.
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
