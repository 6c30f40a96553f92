package builtin

import (
	"math"
	"regexp"
	"strconv"
	"strings"
)

// FloatText writes a FLOAT64 as GoogleSQL's CAST does: with 15 digits if they determine
// the value, else with 17. NaN and zero have no sign.
func FloatText(f float64) string {
	switch {
	case math.IsNaN(f):
		return "nan"
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	case f == 0:
		return "0"
	}
	return roundTrip(f)
}

// roundTrip keeps the sign of a zero.
func roundTrip(f float64) string {
	s := formatG(f, 15, false)
	if back, err := strconv.ParseFloat(s, 64); err == nil && back == f {
		return s
	}
	return formatG(f, 17, false)
}

// formatG returns C's %.<digits>g; alternate keeps trailing zeros.
func formatG(f float64, digits int, alternate bool) string {
	if f == 0 {
		digits = max(digits, 1)
		zero := "0"
		if math.Signbit(f) {
			zero = "-0"
		}
		if alternate && digits > 1 {
			zero += "." + strings.Repeat("0", digits-1)
		}
		return zero
	}
	digits = max(digits, 1)
	s := strconv.FormatFloat(f, 'e', digits-1, 64) // d.ddde+XX
	mantissa, exponent, _ := strings.Cut(s, "e")
	exp, _ := strconv.Atoi(exponent)
	if exp < -4 || exp >= digits {
		if !alternate {
			mantissa = trimZeros(mantissa)
		}
		return mantissa + "e" + exponent
	}
	s = strconv.FormatFloat(f, 'f', digits-1-exp, 64)
	if !alternate {
		s = trimZeros(s)
	}
	return s
}

// trimZeros drops the zeros at the end of a fraction.
func trimZeros(s string) string {
	if !strings.Contains(s, ".") {
		return s
	}
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

var (
	floatForm = regexp.MustCompile(`(?i)^[+-]?(([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?|inf|infinity|nan)$`)
	intForm   = regexp.MustCompile(`^[+-]?[0-9]+$`)
	hexForm   = regexp.MustCompile(`^[+-]?0[xX][0-9a-fA-F]+$`)
)

// space has the characters that the parsers of numbers skip.
const space = " \t\n\v\f\r"

// shorten returns a value as errors show it.
func shorten(s string) string {
	if len(s) > 32 {
		return s[:32] + "..."
	}
	return s
}

// ParseFloat reads a STRING as CAST does.
func ParseFloat(s string) (float64, error) {
	t := strings.Trim(s, space)
	if !floatForm.MatchString(t) {
		return 0, failf("Bad double value: %s", shorten(s))
	}
	f, err := strconv.ParseFloat(t, 64)
	if strings.EqualFold(t[1:], "nan") { // with a sign
		return math.NaN(), nil
	}
	if err != nil && !math.IsInf(f, 0) {
		return 0, failf("Bad double value: %s", shorten(s))
	}
	return f, nil
}

// ParseInt reads a STRING as CAST does: decimal or hexadecimal, with a sign.
func ParseInt(s string) (int64, error) {
	t := strings.Trim(s, space)
	switch {
	case intForm.MatchString(t):
		if n, err := strconv.ParseInt(t, 10, 64); err == nil {
			return n, nil
		}
	case hexForm.MatchString(strings.TrimLeft(s, " ")) || hexForm.MatchString(t):
		sign := ""
		if t[0] == '-' || t[0] == '+' {
			sign, t = t[:1], t[1:]
		}
		if n, err := strconv.ParseInt(sign+t[2:], 16, 64); err == nil {
			return n, nil
		}
	}
	return 0, failf("Bad int64 value: %s", shorten(s))
}

func init() {
	def("bq_float_text", "FLOAT64 -> STRING", func(a []Value) (Value, error) {
		return text(FloatText(a[0].Float)),
			nil
	})
	def("bq_float_literal", "FLOAT64 -> STRING", func(a []Value) (Value, error) {
		return text(floatLiteral(a[0].Float)),
			nil
	})
	def("bq_parse_float", "STRING -> FLOAT64", func(a []Value) (Value, error) {
		f, err := ParseFloat(a[0].Text)
		return either(float(f), err)
	})
	def("bq_parse_int", "STRING -> INT64", func(a []Value) (Value, error) {
		n, err := ParseInt(a[0].Text)
		return either(integer(n), err)
	})
	def("bq_parse_bool", "STRING -> BOOL", func(a []Value) (Value, error) {
		switch strings.ToLower(a[0].Text) {
		case "true":
			return boolean(true), nil
		case "false":
			return boolean(false), nil
		}
		return null, failf("Bad bool value: %s", shorten(a[0].Text))
	})
	def("bq_float_int", "FLOAT64 -> INT64", func(a []Value) (Value, error) {
		f := math.Round(a[0].Float)
		switch {
		case math.IsNaN(f) || math.IsInf(f, 0):
			return null, failf("Illegal conversion of non-finite floating point number to an integer: %s", FloatText(f))
		case f < -1<<63 || f >= 1<<63:
			return null, failf("int64 out of range: %s", FloatText(a[0].Float))
		}
		return integer(int64(f)), nil
	})
}

// floatLiteral returns the text of %t: a number always has a point or an
// exponent.
func floatLiteral(f float64) string {
	s := FloatText(f)
	if strings.Trim(s, "-0123456789") == "" {
		s += ".0"
	}
	return s
}
