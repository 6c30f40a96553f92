package driver

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/bits"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

var errJSON = errors.New("malformed JSON")

// cursor reads JSON text in place. It builds no tree of interface values, which would cost more
// than the values themselves.
type cursor struct {
	buf   []byte
	pos   int
	boxes *boxes // creates the values
}

func (c *cursor) space() {
	for c.pos < len(c.buf) && c.buf[c.pos] <= ' ' {
		switch c.buf[c.pos] {
		case ' ', '\n', '\r', '\t':
			c.pos++
		default:
			return
		}
	}
}

// accept skips white space and reads ch if it is next.
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

// literal reads exactly these bytes if they are next. It is a fast path for text that BigQuery
// always writes the same way.
func (c *cursor) literal(s string) bool {
	if len(c.buf)-c.pos >= len(s) && string(c.buf[c.pos:c.pos+len(s)]) == s {
		c.pos += len(s)
		return true
	}
	return false
}

// null reads a null if it is next.
func (c *cursor) null() bool {
	c.space()
	return c.literal("null")
}

// str reads a string and returns its content. If it has no escapes, the result is a part of the
// page and must be copied.
func (c *cursor) str() ([]byte, error) {
	if err := c.expect('"'); err != nil {
		return nil, err
	}
	start := c.pos
	i := start + plain(c.buf[start:])
	switch {
	case i == len(c.buf) || c.buf[i] < ' ':
		return nil, errJSON
	case c.buf[i] == '\\':
		return c.escaped(start, i)
	}
	c.pos = i + 1
	return c.buf[start:i], nil
}

const (
	eachByte = 0x0101010101010101
	highBits = 0x80 * eachByte
)

// plain returns the number of bytes before the first quote, backslash or control character. It
// checks eight bytes at a time, because most of a page is text.
func plain(b []byte) int {
	i := 0
	for ; len(b)-i >= 8; i += 8 {
		w := binary.LittleEndian.Uint64(b[i:])
		quote, slash := w^'"'*eachByte, w^'\\'*eachByte
		// The lowest set bit belongs to the first such byte, because a borrow only reaches later
		// bytes.
		found := ((quote-eachByte)&^quote | (slash-eachByte)&^slash | (w-' '*eachByte)&^w) & highBits
		if found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for ; i < len(b); i++ {
		if ch := b[i]; ch == '"' || ch == '\\' || ch < ' ' {
			break
		}
	}
	return i
}

// escaped reads the rest of a string that starts at start and has its first escape at i.
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

// unicodeEscape reads \uXXXX, or a surrogate pair of two, and returns the character and the number
// of bytes read; 0 bytes if it is malformed.
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

// skip skips one value. It only finds the end of the value and does not check its content.
func (c *cursor) skip() error {
	depth := 0
	for {
		if c.pos >= len(c.buf) {
			return errJSON
		}
		switch c.buf[c.pos] {
		case ' ', '\n', '\r', '\t':
			c.pos++
			continue
		case '"':
			if err := c.skipString(); err != nil {
				return err
			}
		case '{':
			depth++
			c.pos++
			c.literal(`"v":`) // most objects are cells
		case '[':
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

var scalarEnd = []byte(",:}]{[ \n\r\t\"")

func (c *cursor) skipString() error {
	for c.pos++; ; {
		c.pos += plain(c.buf[c.pos:])
		if c.pos >= len(c.buf) {
			return errJSON
		}
		switch c.buf[c.pos] {
		case '"':
			c.pos++
			return nil
		case '\\':
			c.pos = min(c.pos+2, len(c.buf))
		default: // a control character, which str refuses
			c.pos++
		}
	}
}
