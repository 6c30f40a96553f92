package driver

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// tokenKind tells apart what a GoogleSQL text is made of.
type tokenKind int

const (
	tokenWord       tokenKind = iota // a keyword, a name or a number
	tokenQuoted                      // a string, or a name in backquotes
	tokenPositional                  // ?
	tokenNamed                       // @name; the text is the name
	tokenSystem                      // @@name
	tokenHint                        // the @{ that opens a hint; } ends it
	tokenSymbol                      // any other character, and |>
)

// token is one token of a text. Its position ends where the next one may begin.
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

// nextToken returns the token at or after position i. It reports false at the end of the text. White
// space and comments are no tokens.
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

// atToken reads what begins with a single @. GoogleSQL allows blanks before the name.
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

// skipSpace passes over white space. In GoogleSQL it can be Unicode's, which gets into statements
// by the clipboard.
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
