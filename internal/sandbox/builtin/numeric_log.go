package builtin

import (
	"math"
	"math/big"
)

// workBits is the precision of the logarithms and powers below, enough for the 77 digits of a BIGNUMERIC.
const workBits = 640

func realOf(x float64) *big.Float { return new(big.Float).SetPrec(workBits).SetFloat64(x) }

func blank() *big.Float { return new(big.Float).SetPrec(workBits) }

// toReal is a decimal in units of one of its digits.
func toReal(d *big.Int, unit *big.Int) *big.Float {
	return blank().Quo(blank().SetInt(d), blank().SetInt(unit))
}

// tiny reports whether a term no longer changes a sum.
func tiny(term *big.Float) bool { return term.Sign() == 0 || term.MantExp(nil) < -workBits }

// expReal is e^x: the series of x/2^k, squared k times.
func expReal(x *big.Float) *big.Float {
	const halvings = 40
	k := max(x.MantExp(nil), 0) + halvings
	y := blank().SetMantExp(x, -k)
	sum, term := realOf(1), realOf(1)
	for i := 1.0; ; i++ {
		term = blank().Quo(blank().Mul(term, y), realOf(i))
		if tiny(term) {
			break
		}
		sum.Add(sum, term)
	}
	for range k {
		sum = blank().Mul(sum, sum)
	}
	return sum
}

// atanhSeries is 2*atanh(z), the logarithm of (1+z)/(1-z).
func atanhSeries(z *big.Float) *big.Float {
	square := blank().Mul(z, z)
	sum, power := blank(), z
	for i := 1.0; !tiny(power); i += 2 {
		sum.Add(sum, blank().Quo(power, realOf(i)))
		power = blank().Mul(power, square)
	}
	return sum.Mul(sum, realOf(2))
}

var ln2 = atanhSeries(blank().Quo(realOf(1), realOf(3)))

// lnReal is the logarithm of a positive number.
func lnReal(x *big.Float) *big.Float {
	m := blank()
	exp := x.MantExp(m) // x = m * 2^exp, m from 0.5 to 1
	z := blank().Quo(blank().Sub(m, realOf(1)), blank().Add(m, realOf(1)))
	return z.Add(atanhSeries(z), blank().Mul(ln2, realOf(float64(exp))))
}

// decimals is a decimal type: NUMERIC or BIGNUMERIC.
type decimals struct {
	kind     string
	name     string // of its functions
	unit     *big.Int
	digits   int // after the point
	fraction int // binary digits after the point in which BigQuery computes
	fits     func(*big.Int) bool
}

var decimalTypes = []decimals{
	{"NUMERIC", "numeric", unit, 9, 94, InNumericRange},
	{"BIGNUMERIC", "bignumeric", bigUnit, bigDigits, 254, InBigNumericRange},
}

// round turns an exact result into the decimal that BigQuery gives. BigQuery computes with a fixed number of
// binary digits, growth times less exact than those: a result is refused where that could decide its last digit.
func (t decimals) round(x *big.Float, growth float64, call string) (Value, error) {
	units := blank().Mul(x, blank().SetInt(t.unit))
	half := realOf(0.5)
	if units.Sign() < 0 {
		half.Neg(half)
	}
	n, _ := blank().Add(units, half).Int(nil)
	if !t.fits(n) {
		return null, failf("%s overflow: %s", t.name, call)
	}
	rest, _ := blank().Sub(units, blank().SetInt(n)).Float64() // from -0.5 to 0.5
	lost := math.Abs(growth) * math.Pow(10, float64(t.digits)) * math.Pow(2, float64(8-t.fraction))
	if !(lost < 0.25) || 0.5-math.Abs(rest) < lost+1e-12 {
		return null, failf("%s of a %s whose last digit is not certain is not supported by the sandbox", call, t.kind)
	}
	return decimal(n), nil
}

// text writes a value.
func (t decimals) text(d *big.Int) string { return decimalText(d, t.digits) }

// magnitude is a value's, at least 1.
func magnitude(x *big.Float) float64 {
	f, _ := x.Float64()
	return max(math.Abs(f), 1)
}

func init() {
	for _, t := range decimalTypes {
		t.logarithms()
		t.roots()
		t.powers()
	}
}

// logarithms adds LN, LOG10 and LOG.
func (t decimals) logarithms() {
	log := func(name string, base *big.Float, growth float64) {
		def("bq_"+t.name+"_"+lowerASCII(name), t.kind+" -> "+t.kind, func(a []Value) (Value, error) {
			call := name + "(" + t.text(a[0].Dec) + ")"
			if a[0].Dec.Sign() <= 0 {
				return null, failf("%s is undefined for zero or negative value: %s", name, call)
			}
			return t.round(blank().Quo(lnReal(toReal(a[0].Dec, t.unit)), base), growth, call)
		})
	}
	log("LN", realOf(1), 1)
	log("LOG10", lnReal(realOf(10)), 1)
	def("bq_"+t.name+"_log", t.kind+", "+t.kind+" -> "+t.kind, func(a []Value) (Value, error) {
		call := "LOG(" + t.text(a[0].Dec) + ", " + t.text(a[1].Dec) + ")"
		if a[0].Dec.Sign() <= 0 || a[1].Dec.Sign() <= 0 || a[1].Dec.Cmp(t.unit) == 0 {
			return null, failf("LOG is undefined for zero or negative value, or when base equals 1: %s", call)
		}
		base := lnReal(toReal(a[1].Dec, t.unit))
		x := blank().Quo(lnReal(toReal(a[0].Dec, t.unit)), base)
		small, _ := base.Float64()
		return t.round(x, magnitude(x)*(1+1/math.Abs(small)), call)
	})
}

// roots adds SQRT and CBRT.
func (t decimals) roots() {
	def("bq_"+t.name+"_sqrt", t.kind+" -> "+t.kind, func(a []Value) (Value, error) {
		x := a[0].Dec
		if x.Sign() < 0 {
			return null, failf("SQRT is undefined for negative value: SQRT(%s)", t.text(x))
		}
		// The root of x*unit units, with one more digit to round by.
		scaled := new(big.Int).Mul(x, new(big.Int).Mul(t.unit, big.NewInt(100)))
		return decimal(quoHalfAway(new(big.Int).Sqrt(scaled), ten)), nil
	})
	def("bq_"+t.name+"_cbrt", t.kind+" -> "+t.kind, func(a []Value) (Value, error) {
		x := toReal(new(big.Int).Abs(a[0].Dec), t.unit)
		if x.Sign() == 0 {
			return a[0], nil
		}
		root := expReal(blank().Quo(lnReal(x), realOf(3)))
		if a[0].Dec.Sign() < 0 {
			root.Neg(root)
		}
		return t.round(root, magnitude(root), "CBRT("+t.text(a[0].Dec)+")")
	})
}

// powers adds EXP and POW.
func (t decimals) powers() {
	def("bq_"+t.name+"_exp", t.kind+" -> "+t.kind, func(a []Value) (Value, error) {
		call := "EXP(" + t.text(a[0].Dec) + ")"
		if a[0].Dec.Cmp(new(big.Int).Mul(t.unit, big.NewInt(1000))) > 0 {
			return null, failf("%s overflow: %s", t.name, call)
		}
		if a[0].Dec.Cmp(new(big.Int).Mul(t.unit, big.NewInt(-1000))) < 0 {
			return decimal(new(big.Int)), nil
		}
		x := expReal(toReal(a[0].Dec, t.unit))
		return t.round(x, magnitude(x), call)
	})
	def("bq_"+t.name+"_pow", t.kind+", "+t.kind+" -> "+t.kind, func(a []Value) (Value, error) {
		return t.pow(a[0].Dec, a[1].Dec)
	})
}

// pow is a power.
func (t decimals) pow(base, exp *big.Int) (Value, error) {
	call := "POW(" + t.text(base) + ", " + t.text(exp) + ")"
	whole, part := new(big.Int).QuoRem(exp, t.unit, new(big.Int))
	switch {
	case exp.Sign() == 0:
		return decimal(t.unit), nil
	case base.Sign() == 0 && exp.Sign() < 0:
		return null, failf("division by zero: %s", call)
	case base.Sign() == 0 || exp.Cmp(t.unit) == 0:
		return decimal(base), nil
	case base.Sign() < 0 && part.Sign() != 0:
		return null, failf("Negative %s value cannot be raised to a fractional power: %s", t.kind, call)
	}
	abs := new(big.Int).Abs(base)
	if abs.Cmp(t.unit) == 0 {
		return t.signed(t.unit, base, whole), nil
	}
	x := blank().Mul(lnReal(toReal(abs, t.unit)), toReal(exp, t.unit))
	if log, _ := x.Float64(); log > 1000 {
		return null, failf("%s overflow: %s", t.name, call)
	} else if log < -1000 {
		return decimal(new(big.Int)), nil
	}
	if v, ok, err := t.exactPower(abs, whole, part, call); ok || err != nil {
		return t.signed(v, base, whole), err
	}
	r := expReal(x)
	n, _ := toReal(exp, t.unit).Float64()
	b, _ := toReal(abs, t.unit).Float64()
	growth, _ := r.Float64()
	v, err := t.round(r, (growth+1)*(1+math.Abs(n))*(1+1/b), call)
	if err != nil {
		return null, err
	}
	return t.signed(v.Dec, base, whole), nil
}

// exactPower is a power of a whole number, which BigQuery computes without rounding.
func (t decimals) exactPower(base, whole, part *big.Int, call string) (*big.Int, bool, error) {
	n, rest := new(big.Int).QuoRem(base, t.unit, new(big.Int))
	if part.Sign() != 0 || rest.Sign() != 0 || whole.Sign() < 0 || !whole.IsInt64() || whole.Int64() > 1000 {
		return nil, false, nil
	}
	v := n.Mul(n.Exp(n, whole, nil), t.unit)
	if !t.fits(v) {
		return nil, false, failf("%s overflow: %s", t.name, call)
	}
	return v, true, nil
}

// signed gives a power its sign: that of the base where the exponent is odd.
func (t decimals) signed(v, base, exp *big.Int) Value {
	if v == nil {
		return null
	}
	if base.Sign() < 0 && exp.Bit(0) == 1 {
		v = new(big.Int).Neg(v)
	}
	return decimal(v)
}
