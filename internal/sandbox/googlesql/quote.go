package googlesql

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// prefixedString reads a string or bytes literal with an r, b, rb or br prefix, if
// there is one here.
func (l *lexer) prefixedString() (token, bool) {
	start := l.pos
	raw, isBytes := false, false
	for n := 0; n < 3; n++ {
		switch c := l.peek(n); {
		case (c == 'r' || c == 'R') && !raw:
			raw = true
		case (c == 'b' || c == 'B') && !isBytes:
			isBytes = true
		case (c == '"' || c == '\'') && n > 0:
			l.pos += n
			return l.quoted(start, raw, isBytes), true
		default:
			return token{}, false
		}
	}
	return token{}, false
}

// quoted reads a single or triple quoted literal whose quotes begin at l.pos; its
// prefix begins at start.
func (l *lexer) quoted(start int, raw, isBytes bool) token {
	quote := l.src[l.pos : l.pos+1]
	triple := strings.HasPrefix(l.src[l.pos:], quote+quote+quote)
	if triple {
		quote += quote + quote
	}
	body := l.pos + len(quote)
	i := body
	for {
		switch {
		case i >= len(l.src), !triple && (l.src[i] == '\n' || l.src[i] == '\r'):
			what := "string"
			if isBytes {
				what = "bytes"
			}
			if triple {
				what = "triple-quoted " + what
			}
			fail(l.src, start, "Syntax error: Unclosed %s literal", what)
		case l.src[i] == '\\':
			i++
			if i < len(l.src) {
				i++
			}
			continue
		case strings.HasPrefix(l.src[i:], quote):
			l.pos = i + len(quote)
			t := token{kind: tokString, text: l.src[start:l.pos], pos: start, end: l.pos}
			if isBytes {
				t.kind = tokBytes
			}
			t.value = l.unescape(body, i, raw, isBytes)
			return t
		}
		i++
	}
}

// backtick reads a quoted identifier.
func (l *lexer) backtick() token {
	start := l.pos
	i := start + 1
	for ; ; i++ {
		if i >= len(l.src) || l.src[i] == '\n' {
			fail(l.src, start, "Syntax error: Unclosed identifier literal")
		}
		if l.src[i] == '\\' {
			i++
			continue
		}
		if l.src[i] == '`' {
			break
		}
	}
	l.pos = i + 1
	text := l.unescape(start+1, i, false, false)
	if text == "" {
		fail(l.src, start, "Syntax error: Invalid empty identifier")
	}
	return token{kind: tokQuoted, text: text, pos: start, end: l.pos}
}

// simpleEscapes are the one-letter escapes of literals.
const simpleEscapes = "abfnrtv\\?\"'`"
const simpleValues = "\a\b\f\n\r\t\v\\?\"'`"

// unescape decodes src[from:to], the inside of a literal.
func (l *lexer) unescape(from, to int, raw, isBytes bool) string {
	s := l.src[from:to]
	if raw || !strings.ContainsAny(s, "\\\r") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		c := s[i]
		if c == '\r' { // a literal's line ends are \n
			b.WriteByte('\n')
			i++
			if i < len(s) && s[i] == '\n' {
				i++
			}
			continue
		}
		if c != '\\' {
			b.WriteByte(c)
			i++
			continue
		}
		n, ok := escape(&b, s[i+1:], isBytes)
		if !ok {
			fail(l.src, from+i, "Syntax error: Illegal escape sequence: \\%s", firstRune(s[i+1:]))
		}
		i += 1 + n
	}
	return b.String()
}

func firstRune(s string) string {
	_, n := utf8.DecodeRuneInString(s)
	return s[:n]
}

// escape decodes one escape sequence, of which s is what follows the backslash, and
// returns its length.
func escape(b *strings.Builder, s string, isBytes bool) (int, bool) {
	if s == "" {
		return 0, false
	}
	if n := strings.IndexByte(simpleEscapes, s[0]); n >= 0 {
		b.WriteByte(simpleValues[n])
		return 1, true
	}
	digits, base, skip := 0, 16, 1
	switch s[0] {
	case 'x', 'X':
		digits = 2
	case 'u':
		digits = 4
	case 'U':
		digits = 8
	case '0', '1', '2', '3':
		digits, base, skip = 3, 8, 0
	}
	if digits == 0 || len(s) < skip+digits || isBytes && digits > 3 {
		return 0, false
	}
	v, err := strconv.ParseUint(s[skip:skip+digits], base, 32)
	if err != nil {
		return 0, false
	}
	switch {
	case digits <= 3 && isBytes:
		b.WriteByte(byte(v))
	case utf8.ValidRune(rune(v)) && v <= utf8.MaxRune:
		b.WriteRune(rune(v))
	default:
		return 0, false
	}
	return skip + digits, true
}
