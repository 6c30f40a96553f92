package googlesql

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// tokenKind is the kind of a token.
type tokenKind int

const (
	tokEOF tokenKind = iota
	tokIdent
	tokKeyword // a reserved word; text is upper case
	tokQuoted  // `identifier`; text is its content
	tokInt
	tokFloat
	tokString // value is decoded
	tokBytes  // value is decoded
	tokParam  // @name; text is the name
	tokSysVar // @@name; text is the name
	tokPunct
)

// token is one lexical element. pos and end are byte offsets into the statement.
type token struct {
	kind     tokenKind
	text     string
	value    string
	pos, end int
}

// is reports whether t is the given punctuation, reserved word or (unreserved) word.
func (t token) is(word string) bool {
	switch t.kind {
	case tokPunct, tokKeyword:
		return t.text == word
	case tokIdent:
		return strings.EqualFold(t.text, word)
	}
	return false
}

// describe names the token as GoogleSQL's syntax errors do.
func (t token) describe() string {
	switch t.kind {
	case tokEOF:
		return "end of statement"
	case tokIdent:
		return fmt.Sprintf("identifier %q", t.text)
	case tokQuoted:
		return "identifier `" + t.text + "`"
	case tokKeyword:
		return "keyword " + t.text
	case tokInt:
		return fmt.Sprintf("integer literal %q", t.text)
	case tokFloat:
		return fmt.Sprintf("floating point literal %q", t.text)
	case tokString:
		return "string literal " + t.text
	case tokBytes:
		return "bytes literal " + t.text
	case tokParam:
		return "\"@\""
	case tokSysVar:
		return "\"@@\""
	}
	return fmt.Sprintf("%q", t.text)
}

// Reserved reports whether a word is an identifier only in backticks.
func Reserved(word string) bool { return reserved[strings.ToUpper(word)] }

// reserved has GoogleSQL's reserved words, which are identifiers only in backticks.
var reserved = func() map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(`ALL AND ANY ARRAY AS ASC ASSERT_ROWS_MODIFIED AT BETWEEN BY CASE CAST
		COLLATE CONTAINS CREATE CROSS CUBE CURRENT DEFAULT DEFINE DESC DISTINCT ELSE END ENUM ESCAPE EXCEPT
		EXCLUDE EXISTS EXTRACT FALSE FETCH FOLLOWING FOR FROM FULL GROUP GROUPING GROUPS HASH HAVING IF IGNORE
		IN INNER INTERSECT INTERVAL INTO IS JOIN LATERAL LEFT LIKE LIMIT LOOKUP MERGE NATURAL NEW NO NOT NULL
		NULLS OF ON OR ORDER OUTER OVER PARTITION PRECEDING PROTO QUALIFY RANGE RECURSIVE RESPECT RIGHT ROLLUP
		ROWS SELECT SET SOME STRUCT TABLESAMPLE THEN TO TREAT TRUE UNBOUNDED UNION UNNEST USING WHEN WHERE
		WINDOW WITH WITHIN`) {
		m[w] = true
	}
	return m
}()

// lexer cuts a statement into tokens.
type lexer struct {
	src string
	pos int
}

// lex returns all tokens of src, the last one being tokEOF.
func lex(src string) []token { return lexFrom(src, 0) }

// lexFrom returns the tokens from a byte of src on.
func lexFrom(src string, from int) []token {
	l := &lexer{src: src, pos: from}
	if !utf8.ValidString(src) {
		fail(src, 0, "Query string is not valid UTF-8")
	}
	var toks []token
	for {
		t := l.next()
		toks = append(toks, t)
		if t.kind == tokEOF {
			return toks
		}
	}
}

func (l *lexer) peek(n int) byte {
	if l.pos+n < len(l.src) {
		return l.src[l.pos+n]
	}
	return 0
}

// skip passes over white space and comments.
func (l *lexer) skip() {
	for l.pos < len(l.src) {
		r, size := utf8.DecodeRuneInString(l.src[l.pos:])
		switch {
		case isSpace(r):
			l.pos += size
		case r == '#', r == '-' && l.peek(1) == '-':
			if n := strings.IndexAny(l.src[l.pos:], "\n\r"); n >= 0 {
				l.pos += n + 1
			} else {
				l.pos = len(l.src)
			}
		case r == '/' && l.peek(1) == '*':
			n := strings.Index(l.src[l.pos+2:], "*/")
			if n < 0 {
				fail(l.src, l.pos, "Syntax error: Unclosed comment")
			}
			l.pos += n + 4
		default:
			return
		}
	}
}

func isSpace(r rune) bool {
	switch r {
	case ' ', '\t', '\n', '\r', '\v', '\f', 0xA0, 0x1680, 0x202F, 0x205F, 0x3000:
		return true
	}
	return r >= 0x2000 && r <= 0x200A
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isHex(c byte) bool {
	return isDigit(c) || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

// next returns the next token.
func (l *lexer) next() token {
	l.skip()
	start := l.pos
	if start >= len(l.src) {
		return token{kind: tokEOF, pos: start, end: start}
	}
	c := l.src[start]
	switch {
	case isLetter(c):
		if t, ok := l.prefixedString(); ok {
			return t
		}
		text := l.word()
		if up := strings.ToUpper(text); reserved[up] {
			return token{kind: tokKeyword, text: up, pos: start, end: l.pos}
		}
		return token{kind: tokIdent, text: text, pos: start, end: l.pos}
	case isDigit(c), c == '.' && isDigit(l.peek(1)):
		return l.number()
	case c == '"' || c == '\'':
		return l.quoted(start, false, false)
	case c == '`':
		return l.backtick()
	case c == '@':
		return l.parameter()
	}
	return l.punct()
}

// word reads letters, digits and underscores.
func (l *lexer) word() string {
	start := l.pos
	for l.pos < len(l.src) && (isLetter(l.src[l.pos]) || isDigit(l.src[l.pos])) {
		l.pos++
	}
	return l.src[start:l.pos]
}

// number reads an integer or floating point literal. Its value has no sign.
func (l *lexer) number() token {
	start := l.pos
	if l.src[start] == '0' && (l.peek(1) == 'x' || l.peek(1) == 'X') && isHex(l.peek(2)) {
		l.pos += 2
		for l.pos < len(l.src) && isHex(l.src[l.pos]) {
			l.pos++
		}
		return token{kind: tokInt, text: l.src[start:l.pos], pos: start, end: l.pos}
	}
	kind := tokInt
	digits := func() {
		for l.pos < len(l.src) && isDigit(l.src[l.pos]) {
			l.pos++
		}
	}
	digits()
	if l.peek(0) == '.' {
		kind = tokFloat
		l.pos++
		digits()
	}
	if e := l.peek(0); e == 'e' || e == 'E' {
		n := 1
		if s := l.peek(1); s == '+' || s == '-' {
			n = 2
		}
		if isDigit(l.peek(n)) {
			kind = tokFloat
			l.pos += n
			digits()
		}
	}
	return token{kind: kind, text: l.src[start:l.pos], pos: start, end: l.pos}
}

// parameter reads ?, @name, @`name` or @@name.
func (l *lexer) parameter() token {
	start := l.pos
	l.pos++
	kind := tokParam
	if l.peek(0) == '@' {
		kind = tokSysVar
		l.pos++
	}
	l.skip()
	if l.peek(0) == '`' {
		t := l.backtick()
		return token{kind: kind, text: t.text, pos: start, end: l.pos}
	}
	name := l.word()
	if name == "" || isDigit(name[0]) {
		l.pos = start + 1
		return token{kind: tokPunct, text: "@", pos: start, end: l.pos}
	}
	for kind == tokSysVar && l.peek(0) == '.' && isLetter(l.peek(1)) {
		l.pos++
		name += "." + l.word()
	}
	return token{kind: kind, text: name, pos: start, end: l.pos}
}

// punct reads an operator or a bracket.
func (l *lexer) punct() token {
	start := l.pos
	for _, p := range []string{"<=", ">=", "<>", "!=", "||", "<<", ">>", "=>", "->", "|>"} {
		if strings.HasPrefix(l.src[start:], p) {
			l.pos += 2
			return token{kind: tokPunct, text: p, pos: start, end: l.pos}
		}
	}
	if strings.IndexByte("()[]{},.;*/+-<>=&|^~?:", l.src[start]) < 0 {
		r, _ := utf8.DecodeRuneInString(l.src[start:])
		fail(l.src, start, "Syntax error: Illegal input character %q", string(r))
	}
	l.pos++
	return token{kind: tokPunct, text: l.src[start:l.pos], pos: start, end: l.pos}
}
