package builtin

import (
	"math"
	"math/big"
	"strings"
)

// A BIGNUMERIC is computed as an integer in units of 1e-38. It is kept as 32 bytes that sort like
// the numbers: the two's complement, highest byte first, with the sign bit inverted.
var (
	bigUnit   = new(big.Int).Exp(ten, big.NewInt(38), nil)
	bigOffset = new(big.Int).Lsh(big.NewInt(1), 255)
)

// bigDigits are the digits of a BIGNUMERIC after the point.
const bigDigits = 38

// InBigNumericRange reports whether a BIGNUMERIC holds the value, in units of 1e-38.
func InBigNumericRange(d *big.Int) bool {
	return d.Cmp(bigOffset) < 0 && d.Cmp(new(big.Int).Neg(bigOffset)) >= 0
}

// EncodeBigNumeric writes the bytes of a value in range.
func EncodeBigNumeric(d *big.Int) string {
	return string(new(big.Int).Add(d, bigOffset).FillBytes(make([]byte, 32)))
}

// DecodeBigNumeric reads the bytes.
func DecodeBigNumeric(b []byte) *big.Int {
	d := new(big.Int).SetBytes(b)
	return d.Sub(d, bigOffset)
}

// ParseBigNumeric reads a decimal text; it is rounded half away from zero at the 38th digit.
func ParseBigNumeric(s string) (*big.Int, bool) {
	n, ok := parseDecimal(s, bigDigits, 78)
	return n, ok && InBigNumericRange(n)
}

// BigNumericText writes a BIGNUMERIC without trailing zeros.
func BigNumericText(d *big.Int) string { return decimalText(d, bigDigits) }

// bigInRange returns a value, or an error if it is out of range.
func bigInRange(d *big.Int, format string, args ...any) (Value, error) {
	if !InBigNumericRange(d) {
		return null, failf(format, args...)
	}
	return decimal(d), nil
}

func fromFloat(f float64) (*big.Int, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, failf("Illegal conversion of non-finite floating point number to BIGNUMERIC: %s", FloatText(f))
	}
	r := new(big.Rat).SetFloat64(f)
	d := quoHalfAway(new(big.Int).Mul(r.Num(), bigUnit), r.Denom())
	if !InBigNumericRange(d) {
		return nil, failf("BIGNUMERIC out of range: %s", FloatText(f))
	}
	return d, nil
}

func init() {
	def("bq_bignumeric_text", "BIGNUMERIC -> STRING",
		func(a []Value) (Value, error) { return text(BigNumericText(a[0].Dec)), nil })
	def("bq_parse_bignumeric", "STRING -> BIGNUMERIC", func(a []Value) (Value, error) {
		d, ok := ParseBigNumeric(a[0].Text)
		if !ok {
			return null, failf("Invalid BIGNUMERIC value: %s", shorten(a[0].Text))
		}
		return decimal(d), nil
	})
	def("bq_float_bignumeric", "FLOAT64 -> BIGNUMERIC", func(a []Value) (Value, error) {
		d, err := fromFloat(a[0].Float)
		return either(decimal(d), err)
	})
	def("bq_int_bignumeric", "INT64 -> BIGNUMERIC", func(a []Value) (Value, error) {
		return decimal(new(big.Int).Mul(big.NewInt(a[0].Int), bigUnit)), nil
	})
	finer := new(big.Int).Exp(ten, big.NewInt(bigDigits-9), nil)
	def("bq_numeric_bignumeric", "NUMERIC -> BIGNUMERIC", func(a []Value) (Value, error) {
		return decimal(new(big.Int).Mul(a[0].Dec, finer)), nil
	})
	def("bq_bignumeric_numeric", "BIGNUMERIC -> NUMERIC", func(a []Value) (Value, error) {
		return inRange(quoHalfAway(a[0].Dec, finer), "numeric out of range: %s", BigNumericText(a[0].Dec))
	})
	def("bq_bignumeric_float", "BIGNUMERIC -> FLOAT64", func(a []Value) (Value, error) {
		f, _ := new(big.Rat).SetFrac(a[0].Dec, bigUnit).Float64()
		return float(f), nil
	})
	def("bq_bignumeric_int", "BIGNUMERIC -> INT64", func(a []Value) (Value, error) {
		n := quoHalfAway(a[0].Dec, bigUnit)
		if !n.IsInt64() {
			return null, failf("int64 out of range: %s", BigNumericText(a[0].Dec))
		}
		return integer(n.Int64()), nil
	})
	bigArithmetic()
	bigRounding()
	list := func(name string, f func(sum *big.Int, n int64) (Value, error)) {
		def("bq_bignumeric_"+name, "[]BIGNUMERIC -> BIGNUMERIC", func(a []Value) (Value, error) {
			sum, n := new(big.Int), int64(0)
			for _, v := range a[0].List {
				if !v.Null {
					sum.Add(sum, v.Dec)
					n++
				}
			}
			if n == 0 {
				return null, nil
			}
			return f(sum, n)
		})
	}
	list("sum", func(sum *big.Int, _ int64) (Value, error) { return bigInRange(sum, "BIGNUMERIC overflow in SUM") })
	list("avg", func(sum *big.Int, n int64) (Value, error) {
		return bigInRange(quoHalfAway(sum, big.NewInt(n)), "BIGNUMERIC overflow in AVG")
	})
}

func bigArithmetic() {
	binary := func(name, op string, f func(x, y *big.Int) *big.Int) {
		def("bq_bignumeric_"+name, "BIGNUMERIC, BIGNUMERIC -> BIGNUMERIC", func(a []Value) (Value, error) {
			x, y := a[0].Dec, a[1].Dec
			if (op == "/" || op == "%") && y.Sign() == 0 {
				return null, failf("division by zero: %s %s %s", BigNumericText(x), op, BigNumericText(y))
			}
			return bigInRange(f(x, y), "BIGNUMERIC overflow: %s %s %s", BigNumericText(x), op, BigNumericText(y))
		})
	}
	binary("add", "+", func(x, y *big.Int) *big.Int { return new(big.Int).Add(x, y) })
	binary("sub", "-", func(x, y *big.Int) *big.Int { return new(big.Int).Sub(x, y) })
	binary("mul", "*", func(x, y *big.Int) *big.Int { return quoHalfAway(new(big.Int).Mul(x, y), bigUnit) })
	binary("quo", "/", func(x, y *big.Int) *big.Int { return quoHalfAway(new(big.Int).Mul(x, bigUnit), y) })
	binary("div", "/", func(x, y *big.Int) *big.Int { return new(big.Int).Mul(new(big.Int).Quo(x, y), bigUnit) })
	binary("mod", "%", func(x, y *big.Int) *big.Int { return new(big.Int).Rem(x, y) })
	unary := func(name string, f func(x *big.Int) *big.Int) {
		def("bq_bignumeric_"+name, "BIGNUMERIC -> BIGNUMERIC", func(a []Value) (Value, error) {
			return bigInRange(f(a[0].Dec), "BIGNUMERIC overflow: %s(%s)", strings.ToUpper(name),
				BigNumericText(a[0].Dec))
		})
	}
	unary("neg", func(x *big.Int) *big.Int { return new(big.Int).Neg(x) })
	unary("abs", func(x *big.Int) *big.Int { return new(big.Int).Abs(x) })
	unary("sign", func(x *big.Int) *big.Int { return new(big.Int).Mul(big.NewInt(int64(x.Sign())), bigUnit) })
}

func bigRounding() {
	for name, round := range map[string]func(n, d *big.Int) *big.Int{
		"round": quoHalfAway, "trunc": cut, "floor": floorQuo, "ceil": ceilQuo, "round_even": halfEven,
	} {
		def("bq_bignumeric_"+name, "BIGNUMERIC, INT64 -> BIGNUMERIC", func(a []Value) (Value, error) {
			return bigInRange(roundAt(a[0].Dec, bigDigits, a[1].Int, round), "BIGNUMERIC overflow: %s(%s)",
				strings.ToUpper(name), BigNumericText(a[0].Dec))
		})
	}
	def("bq_bignumeric_fit", "BIGNUMERIC, INT64, INT64 -> BIGNUMERIC", func(a []Value) (Value, error) {
		d, precision, scale := a[0].Dec, a[1].Int, a[2].Int
		r := roundAt(d, bigDigits, scale, quoHalfAway)
		if r.CmpAbs(new(big.Int).Exp(ten, big.NewInt(precision-scale+bigDigits), nil)) >= 0 {
			return null, failf("BIGNUMERIC out of range: Value has more than %d digits before the decimal point: %s",
				precision-scale, BigNumericText(d))
		}
		return bigInRange(r, "BIGNUMERIC out of range: %s", BigNumericText(d))
	})
}
