package driver

import (
	"bytes"
	"errors"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

var errJSON = errors.New("malformed JSON")

// cursor walks JSON text in place. It builds nothing: rows are read from the bytes of the
// page that holds them, since a tree of interface values would cost more than the
// values themselves.
type cursor struct {
	buf   []byte
	pos   int
	boxes *boxes // makes the values
}

func (c *cursor) space() {
	for c.pos < len(c.buf) {
		switch c.buf[c.pos] {
		case ' ', '\n', '\r', '\t':
			c.pos++
		default:
			return
		}
	}
}

// accept takes ch if it is next, after white space.
func (c *cursor) accept(ch byte) bool {
	c.space()
	if c.pos < len(c.buf) && c.buf[c.pos] == ch {
		c.pos++
		return true
	}
	return false
}

func (c *cursor) expect(ch byte) error {
	if !c.accept(ch) {
		return errJSON
	}
	return nil
}

// literal takes a run of exactly these bytes. It is the fast path over what BigQuery
// always sends in the same way.
func (c *cursor) literal(s string) bool {
	if len(c.buf)-c.pos >= len(s) && string(c.buf[c.pos:c.pos+len(s)]) == s {
		c.pos += len(s)
		return true
	}
	return false
}

// null takes a null if it is next.
func (c *cursor) null() bool {
	c.space()
	return c.literal("null")
}

// str takes a string and returns its content. Without an escape in it, that is a part of
// the page: it must be copied before the page goes.
func (c *cursor) str() ([]byte, error) {
	if err := c.expect('"'); err != nil {
		return nil, err
	}
	start := c.pos
	for i := start; i < len(c.buf); i++ {
		switch ch := c.buf[i]; {
		case ch == '"':
			c.pos = i + 1
			return c.buf[start:i], nil
		case ch == '\\':
			return c.escaped(start, i)
		case ch < ' ':
			return nil, errJSON
		}
	}
	return nil, errJSON
}

// escaped finishes a string that began at start and has its first escape at i.
func (c *cursor) escaped(start, i int) ([]byte, error) {
	out := append(make([]byte, 0, 2*(i-start)+16), c.buf[start:i]...)
	for i < len(c.buf) {
		ch := c.buf[i]
		switch {
		case ch == '"':
			c.pos = i + 1
			return out, nil
		case ch < ' ':
			return nil, errJSON
		case ch != '\\':
			out = append(out, ch)
			i++
			continue
		}
		if i+1 >= len(c.buf) {
			return nil, errJSON
		}
		if c.buf[i+1] == 'u' {
			r, n := unicodeEscape(c.buf[i:])
			if n == 0 {
				return nil, errJSON
			}
			out = utf8.AppendRune(out, r)
			i += n
			continue
		}
		at := bytes.IndexByte([]byte(`"\/bfnrt`), c.buf[i+1])
		if at < 0 {
			return nil, errJSON
		}
		out = append(out, "\"\\/\b\f\n\r\t"[at])
		i += 2
	}
	return nil, errJSON
}

// unicodeEscape reads \uXXXX, or two of them that make a surrogate pair, and returns the
// character and the bytes that it took; 0 bytes if it is malformed.
func unicodeEscape(b []byte) (rune, int) {
	first, ok := hex4(b)
	if !ok {
		return 0, 0
	}
	if !utf16.IsSurrogate(first) {
		return first, 6
	}
	if second, ok := hex4(b[6:]); ok {
		if r := utf16.DecodeRune(first, second); r != utf8.RuneError {
			return r, 12
		}
	}
	return utf8.RuneError, 6
}

func hex4(b []byte) (rune, bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(b[2:6]), 16, 32)
	return rune(n), err == nil
}

// skip passes over one value. It checks no more than that the value ends: what is
// kept of it is checked by whoever reads it.
func (c *cursor) skip() error {
	depth := 0
	for {
		c.space()
		if c.pos >= len(c.buf) {
			return errJSON
		}
		switch ch := c.buf[c.pos]; ch {
		case '"':
			if err := c.skipString(); err != nil {
				return err
			}
		case '{', '[':
			depth++
			c.pos++
		case '}', ']':
			depth--
			c.pos++
		case ',', ':':
			if depth == 0 {
				return errJSON
			}
			c.pos++
		default:
			start := c.pos
			for c.pos < len(c.buf) && bytes.IndexByte(scalarEnd, c.buf[c.pos]) < 0 {
				c.pos++
			}
			if c.pos == start {
				return errJSON
			}
		}
		if depth == 0 {
			return nil
		}
		if depth < 0 {
			return errJSON
		}
	}
}

var scalarEnd = []byte(",:}] \n\r\t\"")

func (c *cursor) skipString() error {
	for c.pos++; ; {
		i := bytes.IndexByte(c.buf[c.pos:], '"')
		if i < 0 {
			return errJSON
		}
		end := c.pos + i
		slashes := 0
		for end-1-slashes >= c.pos && c.buf[end-1-slashes] == '\\' {
			slashes++
		}
		c.pos = end + 1
		if slashes%2 == 0 {
			return nil
		}
	}
}
