package builtin

import (
	"fmt"
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// FormatPart is a piece of FORMAT's pattern: literal text, or a specifier with its flags.
type FormatPart struct {
	Text      string
	Verb      byte // 0 for text
	Flags     string
	Width     string // digits, * or ""
	Precision string // digits, * or ""; HasPrecision tells "." from nothing
	HasPrec   bool
}

var formatSpec = regexp.MustCompile(`^%([-+ #'0]*)(\*|[0-9]*)(\.(?:\*|[0-9]*))?(.)`)

// SplitFormat cuts a pattern.
func SplitFormat(pattern string) ([]FormatPart, error) {
	var parts []FormatPart
	for pattern != "" {
		at := strings.IndexByte(pattern, '%')
		if at != 0 {
			if at < 0 {
				at = len(pattern)
			}
			parts = append(parts, FormatPart{Text: pattern[:at]})
			pattern = pattern[at:]
			continue
		}
		m := formatSpec.FindStringSubmatch(pattern)
		switch {
		case m == nil, m[4] == "%" && m[0] != "%%":
			return nil, failf("Invalid FORMAT string: \"%s\"", pattern)
		case m[4] == "%":
			parts = append(parts, FormatPart{Text: "%"})
		case !strings.Contains("diouxXfFeEgGspPtT", m[4]):
			return nil, failf("Invalid format specifier character \"%s\" in FORMAT string: \"%s\"", m[4], pattern)
		default:
			parts = append(parts, FormatPart{Verb: m[4][0], Flags: m[1], Width: m[2],
				Precision: strings.TrimPrefix(m[3], "."), HasPrec: m[3] != ""})
		}
		pattern = pattern[len(m[0]):]
	}
	return parts, nil
}

// spec is a specifier with its width and precision.
type spec struct {
	verb                         byte
	left, plus, blank, alt, zero bool
	grouping                     bool
	width, precision             int
	hasPrecision                 bool
}

func readSpec(s string) (spec, error) {
	parts, err := SplitFormat(s)
	if err != nil {
		return spec{}, err
	}
	p := parts[0]
	sp := spec{verb: p.Verb, hasPrecision: p.HasPrec}
	for _, f := range p.Flags {
		switch f {
		case '-':
			sp.left = true
		case '+':
			sp.plus = true
		case ' ':
			sp.blank = true
		case '#':
			sp.alt = true
		case '0':
			sp.zero = true
		case '\'':
			sp.grouping = true
		}
	}
	sp.width, _ = strconv.Atoi(p.Width)
	sp.precision, _ = strconv.Atoi(p.Precision)
	if sp.width > maxText || sp.precision > maxText {
		return spec{}, failf("Output string too long while evaluating FORMAT; limit %d", maxText)
	}
	return sp, nil
}

// pad fills up to the width; body has the digits after a sign and a prefix.
func (sp spec) pad(prefix, body string, zeros bool) string {
	n := sp.width - utf8.RuneCountInString(prefix) - utf8.RuneCountInString(body)
	switch {
	case n <= 0:
		return prefix + body
	case sp.left:
		return prefix + body + strings.Repeat(" ", n)
	case zeros && sp.zero:
		return prefix + strings.Repeat("0", n) + body
	}
	return strings.Repeat(" ", n) + prefix + body
}

func (sp spec) sign(negative bool) string {
	switch {
	case negative:
		return "-"
	case sp.plus:
		return "+"
	case sp.blank:
		return " "
	}
	return ""
}

// group puts a comma between groups of digits.
func group(digits string, size int) string {
	for i := len(digits) - size; i > 0; i -= size {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

func (sp spec) integer(n int64) string {
	magnitude := uint64(n)
	if n < 0 {
		magnitude = -magnitude
	}
	base, size, prefix := 10, 3, ""
	switch sp.verb {
	case 'o':
		base, size = 8, 4
	case 'x', 'X':
		base, size = 16, 4
		if sp.alt && n != 0 {
			prefix = "0" + string(sp.verb)
		}
	}
	digits := strconv.FormatUint(magnitude, base)
	if sp.verb == 'X' {
		digits = strings.ToUpper(digits)
	}
	if sp.hasPrecision {
		if len(digits) < sp.precision {
			digits = strings.Repeat("0", sp.precision-len(digits)) + digits
		}
		if sp.precision == 0 && n == 0 {
			digits = ""
		}
	}
	if sp.verb == 'o' && sp.alt && !strings.HasPrefix(digits, "0") {
		digits = "0" + digits
	}
	if sp.grouping {
		digits = group(digits, size)
	}
	return sp.pad(sp.sign(n < 0)+prefix, digits, !sp.hasPrecision)
}

// number pads digits with a sign before them.
func (sp spec) number(s string) string {
	negative := strings.HasPrefix(s, "-")
	s = strings.TrimPrefix(s, "-")
	if sp.grouping {
		end := strings.IndexAny(s, ".eE")
		if end < 0 {
			end = len(s)
		}
		s = group(s[:end], 3) + s[end:]
	}
	return sp.pad(sp.sign(negative), s, true)
}

func (sp spec) float(f float64) string {
	upper := sp.verb == 'F' || sp.verb == 'E' || sp.verb == 'G'
	cased := func(s string) string {
		if upper {
			return strings.ToUpper(s)
		}
		return s
	}
	switch {
	case math.IsNaN(f):
		return sp.pad(sp.sign(false), cased("nan"), false)
	case math.IsInf(f, 0):
		return sp.pad(sp.sign(f < 0), cased("inf"), false)
	case f == 0:
		f = 0 // without a sign
	}
	precision := 6
	if sp.hasPrecision {
		precision = sp.precision
	}
	var s string
	switch sp.verb {
	case 'f', 'F':
		s = strconv.FormatFloat(f, 'f', precision, 64)
	case 'e', 'E':
		s = strconv.FormatFloat(f, 'e', precision, 64)
	default:
		s = formatG(f, max(precision, 1), sp.alt)
	}
	if sp.alt && precision == 0 && !strings.Contains(s, ".") {
		mantissa, exponent, has := strings.Cut(s, "e")
		s = mantissa + "."
		if has {
			s += "e" + exponent
		}
	}
	return sp.number(cased(s))
}

// numeric writes a NUMERIC exactly.
func (sp spec) numeric(d *big.Int) (string, error) {
	precision := 6
	if sp.hasPrecision {
		precision = sp.precision
	}
	r := new(big.Rat).SetFrac(d, unit)
	switch sp.verb {
	case 'f', 'F':
		s := r.FloatString(precision)
		if d.Sign() < 0 && strings.Trim(s, "-0.") == "" {
			s = strings.TrimPrefix(s, "-")
		}
		return sp.number(s), nil
	}
	return "", failf("FORMAT of a NUMERIC with %%%c is not supported by the sandbox", sp.verb)
}

func (sp spec) text(s string) string {
	if sp.hasPrecision {
		if r := []rune(s); len(r) > sp.precision {
			s = string(r[:sp.precision])
		}
	}
	return sp.pad("", s, false)
}

// fillStar puts a number in the place of the first asterisk of a specifier.
func fillStar(s string, n int64) string {
	at := strings.IndexByte(s, '*')
	switch {
	case at < 0:
		return s
	case n < 0 && at > 0 && s[at-1] == '.': // a negative precision is none
		return s[:at-1] + s[at+1:]
	}
	w := strconv.FormatInt(n, 10)
	if n < 0 { // a negative width goes to the left
		w = strings.TrimPrefix(w, "-")
		s = s[:1] + "-" + s[1:]
		at++
	}
	return s[:at] + w + s[at+1:]
}

func init() {
	one := func(name, kind string, write func(sp spec, v Value) (string, error)) {
		def(name, "STRING, "+kind+" -> STRING", func(a []Value) (Value, error) {
			sp, err := readSpec(a[0].Text)
			if err != nil {
				return null, err
			}
			s, err := write(sp, a[1])
			return either(text(s), err)
		})
	}
	one("bq_format_int", "INT64", func(sp spec, v Value) (string, error) { return sp.integer(v.Int), nil })
	one("bq_format_float", "FLOAT64", func(sp spec, v Value) (string, error) { return sp.float(v.Float), nil })
	one("bq_format_numeric", "NUMERIC", func(sp spec, v Value) (string, error) { return sp.numeric(v.Dec) })
	one("bq_format_text", "STRING", func(sp spec, v Value) (string, error) { return sp.text(v.Text), nil })
	// The specifier with a width and a precision in the places of its asterisks.
	def("bq_format_spec", "STRING, INT64... -> STRING", func(a []Value) (Value, error) {
		s := a[0].Text
		for _, n := range a[1:] {
			s = fillStar(s, n.Int)
		}
		return text(s), nil
	})
	def("bq_string_literal", "STRING -> STRING", func(a []Value) (Value, error) {
		return text(StringLiteral(a[0].Text)),
			nil
	})
	def("bq_bytes_literal", "BYTES -> STRING", func(a []Value) (Value,
		error) {
		return text(`b` + bytesLiteral(a[0].Text)), nil
	})
	def("bq_bytes_escaped", "BYTES -> STRING", func(a []Value) (Value, error) {
		return text(escapeBytes(a[0].Text, 0)),
			nil
	})
}

// StringLiteral writes a text as a literal of GoogleSQL.
func StringLiteral(s string) string {
	quote := byte('"')
	if strings.Contains(s, `"`) && !strings.Contains(s, "'") {
		quote = '\''
	}
	var b strings.Builder
	b.WriteByte(quote)
	for _, r := range s {
		switch {
		case r == rune(quote) || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case strings.ContainsRune("\n\r\t", r):
			b.WriteByte('\\')
			b.WriteByte("nrt"[strings.IndexRune("\n\r\t", r)])
		case r < 0x20 || r == 0x7f:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte(quote)
	return b.String()
}

func bytesLiteral(s string) string {
	quote := byte('"')
	if strings.Contains(s, `"`) && !strings.Contains(s, "'") {
		quote = '\''
	}
	return string(quote) + escapeBytes(s, quote) + string(quote)
}

// escapeBytes escapes bytes that are not printable ASCII.
func escapeBytes(s string, quote byte) string {
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case c == '\\' || quote != 0 && c == quote:
			b.WriteByte('\\')
			b.WriteByte(c)
		case c == '\n' || c == '\r' || c == '\t':
			b.WriteByte('\\')
			b.WriteByte("nrt"[strings.IndexByte("\n\r\t", c)])
		case c < 0x20 || c >= 0x7f:
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
