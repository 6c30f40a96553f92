package builtin

import (
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// node is a JSON value.
type node struct {
	kind byte // n null, b bool, i integer, f float, s string, a array, o object
	bool bool
	// text is a string's value; a number as it was written.
	text  string
	num   float64
	elems []*node // of an array, or an object's values
	keys  []string
}

// maxJSONDepth limits the nesting.
const maxJSONDepth = 500

// jsonReader parses JSON text. It is strict, as RFC 8259 is.
type jsonReader struct {
	s     string
	i     int
	depth int
	wide  string // exact: a number that a FLOAT64 can't hold is an error; round; "" keeps its text
}

func parseJSON(s, wide string) (*node, error) {
	r := &jsonReader{s: s, wide: wide}
	n, err := r.value()
	if err != nil {
		return nil, err
	}
	if r.space(); r.i < len(s) {
		return nil, r.fail("unexpected trailing characters")
	}
	return n, nil
}

func (r *jsonReader) fail(what string) error {
	return failf("syntax error while parsing value - %s at position %d", what, r.i+1)
}

func (r *jsonReader) space() {
	for r.i < len(r.s) && strings.IndexByte(" \t\n\r", r.s[r.i]) >= 0 {
		r.i++
	}
}

func (r *jsonReader) value() (*node, error) {
	r.space()
	if r.i >= len(r.s) {
		return nil, r.fail("unexpected end of input")
	}
	switch c := r.s[r.i]; {
	case c == '{' || c == '[':
		if r.depth++; r.depth > maxJSONDepth {
			return nil, failf("JSON parsing failed due to deeply nested array/struct. Maximum nesting depth is %d",
				maxJSONDepth)
		}
		defer func() { r.depth-- }()
		r.i++
		if c == '[' {
			return r.array()
		}
		return r.object()
	case c == '"':
		s, err := r.str()
		return &node{kind: 's', text: s}, err
	case c == '-' || c >= '0' && c <= '9':
		return r.number()
	}
	for _, word := range []string{"null", "true", "false"} {
		if strings.HasPrefix(r.s[r.i:], word) {
			r.i += len(word)
			if word == "null" {
				return &node{kind: 'n'}, nil
			}
			return &node{kind: 'b', bool: word == "true"}, nil
		}
	}
	return nil, r.fail("invalid literal")
}

func (r *jsonReader) array() (*node, error) {
	n := &node{kind: 'a'}
	if r.space(); r.take(']') {
		return n, nil
	}
	for {
		v, err := r.value()
		if err != nil {
			return nil, err
		}
		n.elems = append(n.elems, v)
		r.space()
		if r.take(']') {
			return n, nil
		}
		if !r.take(',') {
			return nil, r.fail("expected ',' or ']'")
		}
	}
}

func (r *jsonReader) object() (*node, error) {
	n := &node{kind: 'o'}
	if r.space(); r.take('}') {
		return n, nil
	}
	for {
		r.space()
		if r.i >= len(r.s) || r.s[r.i] != '"' {
			return nil, r.fail("expected string literal")
		}
		k, err := r.str()
		if err != nil {
			return nil, err
		}
		if r.space(); !r.take(':') {
			return nil, r.fail("expected ':'")
		}
		v, err := r.value()
		if err != nil {
			return nil, err
		}
		n.keys, n.elems = append(n.keys, k), append(n.elems, v)
		r.space()
		if r.take('}') {
			return n, nil
		}
		if !r.take(',') {
			return nil, r.fail("expected ',' or '}'")
		}
	}
}

func (r *jsonReader) take(c byte) bool {
	if r.i < len(r.s) && r.s[r.i] == c {
		r.i++
		return true
	}
	return false
}

// str reads a string; r stands at its quote.
func (r *jsonReader) str() (string, error) {
	r.i++
	var b strings.Builder
	for r.i < len(r.s) {
		c := r.s[r.i]
		switch {
		case c == '"':
			r.i++
			return b.String(), nil
		case c < 0x20:
			return "", r.fail("invalid string: control character must be escaped")
		case c != '\\':
			_, size := utf8.DecodeRuneInString(r.s[r.i:])
			b.WriteString(r.s[r.i : r.i+size])
			r.i += size
			continue
		}
		if r.i++; r.i >= len(r.s) {
			break
		}
		if k := strings.IndexByte(`"\/bfnrt`, r.s[r.i]); k >= 0 {
			b.WriteByte("\"\\/\b\f\n\r\t"[k])
			r.i++
			continue
		}
		u, ok := r.escape()
		if !ok {
			return "", r.fail("invalid string: bad escape")
		}
		b.WriteRune(u)
	}
	return "", r.fail("invalid string: missing closing quote")
}

// escape reads uXXXX, and a second one after half a pair.
func (r *jsonReader) escape() (rune, bool) {
	hex := func() (rune, bool) {
		if r.i+5 > len(r.s) || r.s[r.i] != 'u' {
			return 0, false
		}
		n, err := strconv.ParseUint(r.s[r.i+1:r.i+5], 16, 32)
		r.i += 5
		return rune(n), err == nil
	}
	u, ok := hex()
	if !ok || !utf16.IsSurrogate(u) {
		return u, ok
	}
	if !r.take('\\') {
		return 0, false
	}
	low, ok := hex()
	u = utf16.DecodeRune(u, low)
	return u, ok && u != utf8.RuneError
}

func (r *jsonReader) number() (*node, error) {
	from := r.i
	digits := func() int {
		at := r.i
		for r.i < len(r.s) && r.s[r.i] >= '0' && r.s[r.i] <= '9' {
			r.i++
		}
		return r.i - at
	}
	r.take('-')
	lead := r.i
	if n := digits(); n == 0 || n > 1 && r.s[lead] == '0' {
		return nil, r.fail("invalid number")
	}
	n := &node{kind: 'i'}
	if r.take('.') {
		n.kind = 'f'
		if digits() == 0 {
			return nil, r.fail("invalid number; expected digit after '.'")
		}
	}
	if r.take('e') || r.take('E') {
		n.kind = 'f'
		if !r.take('+') {
			r.take('-')
		}
		if digits() == 0 {
			return nil, r.fail("invalid number; expected digit after exponent")
		}
	}
	n.text = r.s[from:r.i]
	return n, r.settle(n)
}

// settle converts a number to an integer of 64 bits or a FLOAT64.
func (r *jsonReader) settle(n *node) error {
	if n.kind == 'i' {
		if b, ok := new(big.Int).SetString(n.text, 10); ok && (b.IsInt64() || b.IsUint64()) {
			if r.wide != "" {
				n.text = b.String() // -0 is 0
			}
			n.num, _ = strconv.ParseFloat(n.text, 64)
			return nil
		}
		n.kind = 'f'
	}
	f, err := strconv.ParseFloat(n.text, 64)
	n.num = f
	if r.wide == "" {
		return nil
	}
	if err != nil {
		return failf("Number overflow parsing '%s'", shorten(n.text))
	}
	if r.wide == "exact" && !sameDecimal(n.text, jsonFloat(f)) {
		return failf("Input number: %s cannot round-trip through string representation", n.text)
	}
	return nil
}

// sameDecimal reports whether two texts are the same number.
func sameDecimal(a, b string) bool {
	if len(a) > 1500 {
		return false
	}
	x, ok1 := new(big.Rat).SetString(a)
	y, ok2 := new(big.Rat).SetString(b)
	return ok1 && ok2 && x.Cmp(y) == 0
}

// jsonFloat returns a FLOAT64 in JSON: its shortest digits, with a point or an
// exponent.
func jsonFloat(f float64) string {
	if f == 0 {
		if math.Signbit(f) {
			return "-0.0"
		}
		return "0.0"
	}
	s := strconv.FormatFloat(f, 'e', -1, 64)
	mantissa, exponent, _ := strings.Cut(s, "e")
	exp, _ := strconv.Atoi(exponent)
	if exp >= -4 && exp < 15 {
		s = strconv.FormatFloat(f, 'f', -1, 64)
		if !strings.Contains(s, ".") {
			s += ".0"
		}
		return s
	}
	return mantissa + "e" + exponent
}

// quoteJSON writes a string.
func quoteJSON(b *strings.Builder, s string, separators bool) {
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < 0x20:
			if k := strings.IndexRune("\b\f\n\r\t", r); k >= 0 {
				b.WriteByte('\\')
				b.WriteByte("bfnrt"[k])
			} else {
				b.WriteString(`\u00` + strconv.FormatInt(int64(r)+0x100, 16)[1:])
			}
		case separators && (r == 0x2028 || r == 0x2029):
			b.WriteString(`\u` + strconv.FormatInt(int64(r), 16))
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
}

// write writes a value; indent is "" for one line. raw keeps numbers as they were written.
func (n *node) write(b *strings.Builder, indent string, raw bool) {
	open := func(at byte) {
		b.WriteByte(at)
		indent += "  "
	}
	pretty := indent != ""
	line := func() {
		if pretty {
			b.WriteString(indent)
		}
	}
	switch n.kind {
	case 'n':
		b.WriteString("null")
	case 'b':
		b.WriteString(strconv.FormatBool(n.bool))
	case 'i':
		b.WriteString(n.text)
	case 'f':
		if raw {
			b.WriteString(n.text)
		} else {
			b.WriteString(jsonFloat(n.num))
		}
	case 's':
		quoteJSON(b, n.text, raw)
	case 'a', 'o':
		brackets := "[]"
		if n.kind == 'o' {
			brackets = "{}"
		}
		outer := indent
		open(brackets[0])
		for i, e := range n.elems {
			if i > 0 {
				b.WriteByte(',')
			}
			line()
			if n.kind == 'o' {
				quoteJSON(b, n.keys[i], raw)
				b.WriteByte(':')
				if pretty {
					b.WriteByte(' ')
				}
			}
			inner := indent
			if !pretty {
				inner = ""
			}
			e.write(b, inner, raw)
		}
		if pretty && len(n.elems) > 0 {
			b.WriteString(outer)
		}
		b.WriteByte(brackets[1])
	}
}

// String writes a value of type JSON.
func (n *node) String() string {
	var b strings.Builder
	n.write(&b, "", false)
	return b.String()
}

// canonical orders an object's members by name. Of several with the same name it
// keeps the first.
func (n *node) canonical() *node {
	for _, e := range n.elems {
		e.canonical()
	}
	if n.kind != 'o' {
		return n
	}
	places := make([]int, len(n.keys))
	for i := range places {
		places[i] = i
	}
	slices.SortStableFunc(places, func(a, b int) int { return strings.Compare(n.keys[a], n.keys[b]) })
	var keys []string
	var elems []*node
	for _, p := range places {
		if len(keys) == 0 || keys[len(keys)-1] != n.keys[p] {
			keys, elems = append(keys, n.keys[p]), append(elems, n.elems[p])
		}
	}
	n.keys, n.elems = keys, elems
	return n
}

// member returns the first member with a name, or nil.
func (n *node) member(key string) *node {
	if i := slices.Index(n.keys, key); i >= 0 && n.kind == 'o' {
		return n.elems[i]
	}
	return nil
}

// ParseJSON reads a JSON text as PARSE_JSON does and writes it as BigQuery keeps it.
func ParseJSON(s, wide string) (string, error) {
	n, err := parseJSON(s, wide)
	if err != nil {
		return "", err
	}
	return n.canonical().String(), nil
}
