package builtin

import (
	"math"
	"math/big"
	"regexp"
	"strings"
)

// A NUMERIC is passed as an integer in units of 1e-9.
var (
	unit       = big.NewInt(1_000_000_000)
	maxNumeric = new(big.Int).Sub(new(big.Int).Exp(big.NewInt(10), big.NewInt(38), nil), big.NewInt(1))
	ten        = big.NewInt(10)
)

// InNumericRange reports whether a NUMERIC holds the value.
func InNumericRange(d *big.Int) bool { return d.CmpAbs(maxNumeric) <= 0 }

// inRange returns a value, or an error if it is out of range.
func inRange(d *big.Int, format string, args ...any) (Value, error) {
	if !InNumericRange(d) {
		return null, failf(format, args...)
	}
	return decimal(d), nil
}

// quoHalfAway divides and rounds half away from zero.
func quoHalfAway(n, d *big.Int) *big.Int {
	q, r := new(big.Int).QuoRem(n, d, new(big.Int))
	if r.Abs(r).Lsh(r, 1).CmpAbs(d) >= 0 {
		if n.Sign()*d.Sign() < 0 {
			return q.Sub(q, big.NewInt(1))
		}
		return q.Add(q, big.NewInt(1))
	}
	return q
}

// ratToUnits rounds half away from zero at the ninth digit.
func ratToUnits(r *big.Rat) *big.Int {
	n := new(big.Int).Mul(r.Num(), unit)
	return quoHalfAway(n, r.Denom())
}

var numericForm = regexp.MustCompile(`^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,9})?$`)

// ParseNumeric reads a decimal text; it is rounded half away from zero at the ninth digit.
func ParseNumeric(s string) (*big.Int, bool) {
	n, ok := parseDecimal(s, 9, 38)
	return n, ok && InNumericRange(n)
}

// parseDecimal reads a decimal text in units of a digit after the point, where the number has most
// digits at most.
func parseDecimal(s string, scale, most int) (*big.Int, bool) {
	t := strings.Trim(s, space)
	if !numericForm.MatchString(t) {
		return nil, false
	}
	mantissa, exponent, _ := strings.Cut(strings.ToLower(t), "e")
	exp := 0
	if exponent != "" {
		n, err := ParseInt(exponent)
		if err != nil {
			return nil, false
		}
		exp = int(n)
	}
	whole, frac, _ := strings.Cut(mantissa, ".")
	digits := whole + frac
	sign := strings.HasPrefix(digits, "-")
	digits = strings.TrimLeft(strings.TrimLeft(digits, "+-"), "0")
	if digits == "" {
		return new(big.Int), true
	}
	// The value is digits * 10^(exp-len(frac)); in units scale more.
	shift := exp - len(frac) + scale
	if len(digits)+shift > most {
		return nil, false
	}
	if len(digits)+shift < 0 {
		return new(big.Int), true
	}
	n, ok := new(big.Int).SetString(digits, 10)
	if !ok {
		return nil, false
	}
	power := new(big.Int).Exp(ten, big.NewInt(int64(max(shift, -shift))), nil)
	if shift >= 0 {
		n.Mul(n, power)
	} else {
		n = quoHalfAway(n, power)
	}
	if sign {
		n.Neg(n)
	}
	return n, true
}

// NumericText writes a NUMERIC without trailing zeros.
func NumericText(d *big.Int) string { return decimalText(d, 9) }

func decimalText(d *big.Int, scale int) string {
	s := new(big.Int).Abs(d).String()
	if len(s) <= scale {
		s = strings.Repeat("0", scale+1-len(s)) + s
	}
	s = trimZeros(s[:len(s)-scale] + "." + s[len(s)-scale:])
	if d.Sign() < 0 {
		s = "-" + s
	}
	return s
}

// FloatNumeric converts a FLOAT64's exact value.
func FloatNumeric(f float64) (*big.Int, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, failf("Illegal conversion of non-finite floating point number to numeric: %s", FloatText(f))
	}
	r := new(big.Rat).SetFloat64(f)
	d := ratToUnits(r)
	if !InNumericRange(d) {
		return nil, failf("numeric out of range: %s", FloatText(f))
	}
	return d, nil
}

// NumericFloat returns the nearest FLOAT64.
func NumericFloat(d *big.Int) float64 {
	f, _ := new(big.Rat).SetFrac(d, unit).Float64()
	return f
}

// roundTo rounds (or cuts) a NUMERIC at a digit after the point, which may be negative.
func roundTo(d *big.Int, digits int64, round func(n, power *big.Int) *big.Int) *big.Int {
	return roundAt(d, 9, digits, round)
}

// roundAt is roundTo for a number in units of another digit.
func roundAt(d *big.Int, scale, digits int64, round func(n, power *big.Int) *big.Int) *big.Int {
	if digits >= scale {
		return d
	}
	if digits < -40 {
		return new(big.Int)
	}
	power := new(big.Int).Exp(ten, big.NewInt(scale-digits), nil)
	q := round(d, power)
	return q.Mul(q, power)
}

func cut(n, power *big.Int) *big.Int { return new(big.Int).Quo(n, power) }

func floorQuo(n, power *big.Int) *big.Int {
	q, r := new(big.Int).QuoRem(n, power, new(big.Int))
	if r.Sign() < 0 {
		q.Sub(q, big.NewInt(1))
	}
	return q
}

func ceilQuo(n, power *big.Int) *big.Int {
	q, r := new(big.Int).QuoRem(n, power, new(big.Int))
	if r.Sign() > 0 {
		q.Add(q, big.NewInt(1))
	}
	return q
}

// halfEven divides and rounds half to even.
func halfEven(n, d *big.Int) *big.Int {
	q, r := new(big.Int).QuoRem(n, d, new(big.Int))
	twice := new(big.Int).Lsh(new(big.Int).Abs(r), 1)
	if c := twice.CmpAbs(d); c > 0 || c == 0 && q.Bit(0) == 1 {
		if n.Sign()*d.Sign() < 0 {
			return q.Sub(q, big.NewInt(1))
		}
		return q.Add(q, big.NewInt(1))
	}
	return q
}

func init() {
	def("bq_numeric_text", "NUMERIC -> STRING", func(a []Value) (Value, error) {
		return text(NumericText(a[0].Dec)),
			nil
	})
	def("bq_parse_numeric", "STRING -> NUMERIC", func(a []Value) (Value, error) {
		d, ok := ParseNumeric(a[0].Text)
		if !ok {
			return null, failf("Invalid NUMERIC value: %s", shorten(a[0].Text))
		}
		return decimal(d), nil
	})
	def("bq_float_numeric", "FLOAT64 -> NUMERIC", func(a []Value) (Value, error) {
		d, err := FloatNumeric(a[0].Float)
		return either(decimal(d), err)
	})
	def("bq_numeric_float", "NUMERIC -> FLOAT64",
		func(a []Value) (Value, error) { return float(NumericFloat(a[0].Dec)), nil })
	def("bq_numeric_int", "NUMERIC -> INT64", func(a []Value) (Value, error) {
		n := quoHalfAway(a[0].Dec, unit)
		if !n.IsInt64() {
			return null, failf("int64 out of range: %s", NumericText(a[0].Dec))
		}
		return integer(n.Int64()), nil
	})
	binary := func(name, op string, f func(x, y *big.Int) *big.Int) {
		def(name, "NUMERIC, NUMERIC -> NUMERIC", func(a []Value) (Value, error) {
			x, y := a[0].Dec, a[1].Dec
			if (op == "/" || op == "%") && y.Sign() == 0 {
				return null, failf("division by zero: %s %s %s", NumericText(x), op, NumericText(y))
			}
			return inRange(f(x, y), "numeric overflow: %s %s %s", NumericText(x), op, NumericText(y))
		})
	}
	binary("bq_numeric_add", "+", func(x, y *big.Int) *big.Int { return new(big.Int).Add(x, y) })
	binary("bq_numeric_sub", "-", func(x, y *big.Int) *big.Int { return new(big.Int).Sub(x, y) })
	binary("bq_numeric_mul", "*", func(x, y *big.Int) *big.Int {
		return quoHalfAway(new(big.Int).Mul(x, y), unit)
	})
	binary("bq_numeric_quo", "/", func(x, y *big.Int) *big.Int {
		return quoHalfAway(new(big.Int).Mul(x, unit), y)
	})
	binary("bq_numeric_div", "/", func(x, y *big.Int) *big.Int {
		return new(big.Int).Mul(new(big.Int).Quo(x, y), unit)
	})
	binary("bq_numeric_mod", "%", func(x, y *big.Int) *big.Int { return new(big.Int).Rem(x, y) })
	rounding := map[string]func(n, d *big.Int) *big.Int{
		"round": quoHalfAway, "trunc": cut, "floor": floorQuo, "ceil": ceilQuo, "round_even": halfEven,
	}
	for name, round := range rounding {
		def("bq_numeric_"+name, "NUMERIC, INT64 -> NUMERIC", func(a []Value) (Value, error) {
			return inRange(roundTo(a[0].Dec, a[1].Int, round), "numeric overflow: %s(%s)", strings.ToUpper(name),
				NumericText(a[0].Dec))
		})
	}
	def("bq_numeric_fit", "NUMERIC, INT64, INT64 -> NUMERIC", func(a []Value) (Value, error) {
		return fitNumeric(a[0].Dec, a[1].Int, a[2].Int)
	})

}

// fitNumeric checks and rounds a value for NUMERIC(precision, scale).
func fitNumeric(d *big.Int, precision, scale int64) (Value, error) {
	r := roundTo(d, scale, quoHalfAway)
	limit := new(big.Int).Exp(ten, big.NewInt(precision-scale+9), nil)
	if r.CmpAbs(limit) >= 0 {
		return null, failf("numeric out of range: Value has more than %d digits before the decimal point: %s",
			precision-scale, NumericText(d))
	}
	return decimal(r), nil
}
