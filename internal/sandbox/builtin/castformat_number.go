package builtin

import (
	"math"
	"math/big"
	"strconv"
	"strings"
)

// numberFormat is the format of a CAST of a number to STRING.
type numberFormat struct {
	digits    string // 0 9 , and the point, V, E or e; or X and x
	point     int    // the place of the point, V or exponent in digits; their number without any
	scale     int    // digits behind the point
	whole     int    // digits in front of it
	firstZero int    // the place of the first 0, -1 for none
	sign      string // S, MI, PR or ""
	signFirst bool
	currency  string
	blank     bool // B
	compact   bool // FM
	hex       bool
	roman     string // RN, rn or ""
}

func badFormat(format string, args ...any) error {
	return failf("Error in format string: "+format, args...)
}

// numberElement returns the next element of a format. up is the element in
// upper case.
func numberElement(f string) (text, up string) {
	for _, w := range []string{"EEEE", "TM9", "TME", "TM", "MI", "PR", "RN", "FM"} {
		if len(f) >= len(w) && strings.EqualFold(f[:len(w)], w) {
			return f[:len(w)], w
		}
	}
	up = strings.ToUpper(f[:1])
	if strings.Contains("$09X.D,GSBVCL", up) {
		return f[:1], up
	}
	return "", ""
}

// parseNumberFormat reads a format; the order of its elements is: [S] digits [point digits] [EEEE]
// [sign], and FM, B and a currency anywhere.
func parseNumberFormat(f string) (numberFormat, error) {
	n := numberFormat{point: -1, firstZero: -1}
	groups, nine, exponent, count := false, false, false, 0
	for i := 0; i < len(f); {
		text, up := numberElement(f[i:])
		if text == "" {
			return n, badFormat("Invalid format element '%s'", string([]rune(f[i:])[:1]))
		}
		i += len(text)
		switch up {
		case "FM":
			if n.compact {
				return n, badFormat("'FM' cannot be repeated")
			}
			n.compact = true
			continue
		case "$", "C", "L":
			if n.currency != "" {
				return n, badFormat("There can be at most one of '$', 'C' or 'L'")
			}
			n.currency = map[string]string{"C": "USD", "c": "usd"}[text]
			if up != "C" {
				n.currency = "$"
			}
			continue
		case "B":
			if n.blank {
				return n, badFormat("There can be at most one 'B'")
			}
			n.blank = true
			continue
		case "TM", "TM9", "TME":
			return n, failf("CAST with the format element %s is not supported by the sandbox", up)
		}
		atStart := count == 0 && n.digits == "" && n.sign == ""
		after := n.sign != "" && !n.signFirst
		switch {
		case n.roman != "":
			return n, badFormat("'RN' cannot appear together with '%s'", up)
		case after && strings.Contains("09XEEEE", up):
			if n.sign == "S" {
				return n, badFormat("'S' can only appear before or after all digits and 'EEEE'")
			}
			return n, badFormat("'%s' can only appear after all digits and 'EEEE'", n.sign)
		case after:
			return n, badFormat("Unexpected format element '%s'", up)
		case n.hex && strings.Contains("9.,DGVEEEERN", up):
			return n, badFormat("'X' cannot appear together with '%s'", up)
		case exponent && (up == "," || up == "G"):
			return n, badFormat("',' or 'G' cannot appear together with 'EEEE'")
		case exponent && up != "S" && up != "MI" && up != "PR":
			return n, badFormat("'%s' cannot appear after 'EEEE'", up)
		}
		switch up {
		case "S", "MI", "PR":
			if n.sign != "" {
				return n, badFormat("There can be at most one of 'S', 'MI', or 'PR'")
			}
			if atStart && up != "S" {
				return n, badFormat("'%s' can only appear after all digits and 'EEEE'", up)
			}
			n.sign, n.signFirst = up, atStart
		case "0", "9":
			if up == "0" && n.firstZero < 0 {
				n.firstZero = len(n.digits)
			}
			nine = nine || up == "9"
			n.digits += up
			count++
			if n.point >= 0 {
				n.scale++
			}
		case "X":
			switch {
			case nine:
				return n, badFormat("'X' cannot appear together with '9'")
			case groups:
				return n, badFormat("'X' cannot appear together with ',' or 'G'")
			case n.point >= 0:
				return n, badFormat("'X' cannot appear together with '%c'", n.digits[n.point])
			}
			n.hex = true
			n.digits += text
			count++
		case ".", "D", "V":
			if n.point >= 0 {
				return n, badFormat("There can be at most one of '.', 'D', or 'V'")
			}
			n.point = len(n.digits)
			n.digits += strings.Replace(up, "D", ".", 1)
		case ",", "G":
			if n.point >= 0 {
				return n, badFormat("',' or 'G' cannot appear after '.', 'D' or 'V'")
			}
			if atStart {
				return n, badFormat("Unexpected '%s'", up)
			}
			groups = true
			n.digits += ","
		case "EEEE":
			if groups {
				return n, badFormat("',' or 'G' cannot appear together with 'EEEE'")
			}
			if atStart {
				return n, badFormat("Unexpected '%s'", up)
			}
			exponent = true
			if n.point < 0 {
				n.point = len(n.digits)
			}
			n.digits += text[:1]
		case "RN":
			if !atStart {
				return n, badFormat("Unexpected '%s'", up)
			}
			n.roman = text
		}
	}
	switch {
	case n.roman != "" && n.currency != "":
		return n, badFormat("'RN' cannot appear together with '%s'", n.currency[:1])
	case n.roman != "" && n.blank:
		return n, badFormat("'RN' cannot appear together with 'B'")
	case n.roman != "":
		return n, nil
	case n.hex && n.currency != "":
		return n, badFormat("'X' cannot appear together with '%s'", strings.ToUpper(n.currency[:1]))
	case n.hex && n.blank:
		return n, badFormat("'X' cannot appear together with 'B'")
	case count == 0:
		return n, badFormat("Format string must contain at least one of 'X', '0' or '9'")
	case n.hex && count > 16:
		return n, badFormat("Max number of 'X' is 16")
	}
	if n.point < 0 {
		n.point = len(n.digits)
	}
	n.whole = count - n.scale
	if exponent && n.point >= 2 { // one digit is in front of the point
		n.digits, n.point = n.digits[n.point-1:], 1
		if n.firstZero >= 0 {
			n.firstZero = strings.IndexByte(n.digits, '0')
		}
	}
	return n, nil
}

func (n numberFormat) exponent() bool { return strings.ContainsAny(n.digits, "Ee") }

// decimalParts has the digits of a number by its format. whole is "" for zero.
type decimalParts struct {
	negative         bool
	whole, frac, exp string
}

// decimalOf writes a NUMERIC in units of 1e-9 with the digits of a format.
func (n numberFormat) decimalOf(d *big.Int) decimalParts {
	p := decimalParts{}
	if !n.exponent() {
		d = roundTo(d, int64(min(n.scale, 9)), quoHalfAway)
		s := new(big.Int).Abs(d).String()
		s = strings.Repeat("0", max(0, 10-len(s))) + s
		p.whole = strings.TrimLeft(s[:len(s)-9], "0")
		p.frac = (s[len(s)-9:] + strings.Repeat("0", n.scale))[:n.scale]
		p.negative = d.Sign() < 0
		return p
	}
	digits := new(big.Int).Abs(d).String()
	exp := len(digits) - 10
	if d.Sign() == 0 {
		exp = 0
	}
	if len(digits) > n.scale+1 {
		power := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(len(digits)-n.scale-1)), nil)
		rounded := quoHalfAway(new(big.Int).Abs(d), power).String()
		exp += len(rounded) - n.scale - 1
		digits = rounded[:n.scale+1]
	}
	digits += strings.Repeat("0", n.scale)
	p.negative = d.Sign() < 0
	p.whole, p.frac = strings.TrimLeft(digits[:1], "0"), digits[1:n.scale+1]
	sign := "+"
	if exp < 0 {
		sign, exp = "-", -exp
	}
	p.exp = sign + strings.Repeat("0", max(0, 2-len(strconv.Itoa(exp)))) + strconv.Itoa(exp)
	return p
}

func (n numberFormat) floatOf(f float64) decimalParts {
	verb := byte('f')
	if n.exponent() {
		verb = 'e'
	}
	s := strconv.FormatFloat(f, verb, n.scale, 64)
	p := decimalParts{negative: strings.HasPrefix(s, "-") && f != 0}
	s, p.exp, _ = strings.Cut(strings.TrimPrefix(s, "-"), "e")
	p.whole, p.frac, _ = strings.Cut(s, ".")
	p.whole = strings.TrimLeft(p.whole, "0")
	return p
}

// write lays a number out.
func (n numberFormat) write(p decimalParts) string {
	if n.compact {
		p.frac = strings.TrimRight(p.frac, "0")
	}
	over := len(p.whole) > n.whole
	blank := n.blank && p.whole == ""
	mask := func(s string) string {
		if blank {
			return strings.Repeat(" ", len(s))
		}
		return s
	}
	whole, padding := "", n.point
	if n.whole > 0 && (p.whole != "" || n.exponent() || n.firstZero >= 0 && n.firstZero < n.point || p.frac == "") {
		digits := p.whole
		if digits == "" {
			digits = "0"
		}
		i, at := len(digits)-1, n.point-1
		for ; at >= 0 && (i >= 0 || n.firstZero >= 0 && at >= n.firstZero); at-- {
			switch {
			case n.digits[at] == ',':
				whole = mask(",") + whole
				continue
			case over:
				whole = "#" + whole
			case i >= 0:
				whole = mask(digits[i:i+1]) + whole
			default:
				whole = mask("0") + whole
			}
			i--
		}
		padding = at + 1
	}
	frac, k := "", 0
	for _, e := range n.digits[n.point:] {
		switch {
		case e == '.':
			frac += mask(".")
		case e == 'V':
		case e == 'E' || e == 'e':
			if over {
				frac += "####"
			} else if blank {
				frac += "    "
			} else {
				frac += string(e) + p.exp
			}
		default:
			if over {
				frac += "#"
			} else if k < len(p.frac) {
				frac += mask(p.frac[k : k+1])
			}
			k++
		}
	}
	prefix, suffix := n.signs(p.negative)
	out := strings.Repeat(" ", padding) + mask(prefix) + mask(n.currency) + whole + frac + mask(suffix)
	if n.compact {
		out = strings.TrimSpace(out)
	}
	return out
}

// signs returns the texts before and after a number.
func (n numberFormat) signs(negative bool) (prefix, suffix string) {
	pick := func(yes, no string) string {
		if negative {
			return yes
		}
		return no
	}
	switch {
	case n.sign == "S" && n.signFirst:
		return pick("-", "+"), ""
	case n.sign == "S":
		return "", pick("-", "+")
	case n.sign == "MI":
		return "", pick("-", " ")
	case n.sign == "PR":
		return pick("<", " "), pick(">", " ")
	}
	return pick("-", " "), ""
}

// hexText writes a whole number in hexadecimal digits.
func (n numberFormat) hexText(v *big.Int) string {
	s := new(big.Int).Abs(v).Text(16)
	kinds := []byte(n.digits)
	letter := byte('X')
	for i := len(kinds) - 1; i >= 0; i-- {
		if kinds[i] == '0' {
			kinds[i] = letter
		}
		letter = kinds[i]
	}
	prefix, suffix := n.signs(v.Sign() < 0)
	if len(s) > len(kinds) {
		return prefix + strings.Repeat("#", len(kinds)) + suffix
	}
	zeros := 0
	if n.firstZero >= 0 {
		zeros = max(0, len(kinds)-n.firstZero-len(s))
	}
	s = strings.Repeat("0", zeros) + s
	out := []byte(s)
	pad := len(kinds) - len(s)
	for i := range out {
		if kinds[pad+i] == 'X' {
			out[i] = strings.ToUpper(s)[i]
		}
	}
	text := strings.Repeat(" ", pad) + prefix + string(out) + suffix
	if n.compact {
		text = strings.TrimSpace(text)
	}
	return text
}

// romanText writes a number from 1 to 3999, in 15 columns.
func (n numberFormat) romanText(v *big.Int) string {
	if !v.IsInt64() || v.Int64() < 1 || v.Int64() > 3999 {
		return strings.Repeat("#", 15)
	}
	left, s := v.Int64(), ""
	for _, r := range []struct {
		value int64
		text  string
	}{{1000, "M"}, {900, "CM"}, {500, "D"}, {400, "CD"}, {100, "C"}, {90, "XC"}, {50, "L"}, {40, "XL"}, {10, "X"},
		{9, "IX"}, {5, "V"}, {4, "IV"}, {1, "I"}} {
		for left >= r.value {
			s += r.text
			left -= r.value
		}
	}
	if n.roman[0] == 'r' {
		s = strings.ToLower(s)
	}
	if n.compact {
		return s
	}
	return strings.Repeat(" ", 15-len(s)) + s
}

func init() {
	whole := func(d *big.Int) *big.Int { return quoHalfAway(d, big.NewInt(1e9)) }
	def("bq_cast_number_int64", "INT64, STRING -> STRING", func(a []Value) (Value, error) {
		d := new(big.Int).Mul(big.NewInt(a[0].Int), big.NewInt(1e9))
		return formatNumber(a[1].Text, func() *big.Int { return big.NewInt(a[0].Int) },
			func(n numberFormat) decimalParts { return n.decimalOf(d) })
	})
	def("bq_cast_number_numeric", "NUMERIC, STRING -> STRING", func(a []Value) (Value, error) {
		return formatNumber(a[1].Text, func() *big.Int { return whole(a[0].Dec) },
			func(n numberFormat) decimalParts { return n.decimalOf(a[0].Dec) })
	})
	def("bq_cast_number_float64", "FLOAT64, STRING -> STRING", func(a []Value) (Value, error) {
		f := a[0].Float
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return null, failf("CAST of %s with FORMAT is not supported by the sandbox", FloatText(f))
		}
		return formatNumber(a[1].Text, func() *big.Int {
			i, _ := new(big.Float).SetFloat64(math.Round(f)).Int(nil)
			return i
		}, func(n numberFormat) decimalParts { return n.floatOf(f) })
	})
}

func formatNumber(format string, whole func() *big.Int, parts func(numberFormat) decimalParts) (Value, error) {
	n, err := parseNumberFormat(format)
	if err != nil {
		return null, err
	}
	var s string
	switch {
	case n.roman != "":
		s = n.romanText(whole())
	case n.hex:
		s = n.hexText(whole())
	default:
		s = n.write(parts(n))
	}
	return text(s), nil
}
