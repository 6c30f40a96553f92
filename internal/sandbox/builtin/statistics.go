package builtin

import (
	"cmp"
	"math"
	"math/big"
	"slices"
	"strings"
)

// variance computes the sum of the squares of differences from the mean, and how many values there
// are, value by value so that large means do no harm.
func variance(list []Value) (m2 float64, n int64) {
	mean := 0.0
	for _, v := range list {
		if v.Null {
			continue
		}
		n++
		d := v.Float - mean
		mean += d / float64(n)
		m2 += d * (v.Float - mean)
	}
	return m2, n
}

// exactVariance does the same for NUMERICs, without rounding.
func exactVariance(list []Value, unit *big.Int) (m2 *big.Rat, n int64) {
	sum, squares := new(big.Int), new(big.Int)
	for _, v := range list {
		if v.Null {
			continue
		}
		n++
		sum.Add(sum, v.Dec)
		squares.Add(squares, new(big.Int).Mul(v.Dec, v.Dec))
	}
	if n == 0 {
		return new(big.Rat), 0
	}
	m2 = new(big.Rat).SetInt(squares)
	m2.Sub(m2, new(big.Rat).SetFrac(new(big.Int).Mul(sum, sum), big.NewInt(n)))
	return m2.Quo(m2, new(big.Rat).SetInt(new(big.Int).Mul(unit, unit))), n
}

// statistics are the functions of one set of values: whether it is a sample, and whether the
// result is the root.
var statistics = map[string][2]bool{"var_samp": {true, false}, "var_pop": {false, false}, "stddev_samp": {true, true},
	"stddev_pop": {false, true}}

// pairs are the sums of a set of pairs: how many, and the co-moments around the means.
type pairs struct {
	n          int64
	xx, yy, xy float64
	bad        bool     // a value is NaN or infinite
	exact      *big.Rat // xy of NUMERICs; nil for FLOAT64
}

// covariance returns the co-moment of both values over a number of pairs.
func (p pairs) covariance(n int64) Value {
	switch {
	case n < 1:
		return null
	case p.bad:
		return float(math.NaN())
	case p.exact != nil:
		f, _ := new(big.Rat).Quo(p.exact, new(big.Rat).SetInt64(n)).Float64()
		return float(f)
	}
	return float(p.xy / float64(n))
}

// exactPairs does for NUMERICs what pairsOf does for FLOAT64s, without rounding.
func exactPairs(xs, ys []Value, unit *big.Int) pairs {
	var p pairs
	x, y, xx, yy, xy := new(big.Int), new(big.Int), new(big.Int), new(big.Int), new(big.Int)
	for i := range min(len(xs), len(ys)) {
		if xs[i].Null || ys[i].Null {
			continue
		}
		p.n++
		a, b, product := xs[i].Dec, ys[i].Dec, new(big.Int)
		x.Add(x, a)
		y.Add(y, b)
		xx.Add(xx, product.Mul(a, a))
		yy.Add(yy, product.Mul(b, b))
		xy.Add(xy, product.Mul(a, b))
	}
	if p.n == 0 {
		return p
	}
	n, scale := big.NewInt(p.n), new(big.Int).Mul(unit, unit)
	moment := func(a, b, ab *big.Int) (*big.Rat, float64) {
		m := new(big.Int).Mul(ab, n)
		r := new(big.Rat).SetFrac(m.Sub(m, new(big.Int).Mul(a, b)), new(big.Int).Mul(n, scale))
		f, _ := r.Float64()
		return r, f
	}
	_, p.xx = moment(x, x, xx)
	_, p.yy = moment(y, y, yy)
	p.exact, p.xy = moment(x, y, xy)
	return p
}

func pairsOf(xs, ys []Value) pairs {
	var p pairs
	var mx, my float64
	both := func(f func(x, y float64)) {
		for i := range min(len(xs), len(ys)) {
			if !xs[i].Null && !ys[i].Null {
				f(xs[i].Float, ys[i].Float)
			}
		}
	}
	var x0, y0 float64
	flatX, flatY := true, true // all values are the same: the mean is one of them, not what a sum rounds to
	both(func(x, y float64) {
		p.bad = p.bad || !isFinite(x) || !isFinite(y)
		if p.n == 0 {
			x0, y0 = x, y
		}
		flatX, flatY = flatX && x == x0, flatY && y == y0
		p.n++
		mx += x
		my += y
	})
	mx, my = mx/float64(p.n), my/float64(p.n)
	if flatX {
		mx = x0
	}
	if flatY {
		my = y0
	}
	both(func(x, y float64) {
		p.xx += (x - mx) * (x - mx)
		p.yy += (y - my) * (y - my)
		p.xy += (x - mx) * (y - my)
	})
	return p
}

// compareFloats orders FLOAT64s with NaN first.
func compareFloats(a, b Value) int { return cmp.Compare(a.Float, b.Float) }

// sorted returns the values in order; NULLs come first, or not at all.
func sorted(list []Value, nulls bool) []Value {
	var out []Value
	n := 0
	for _, v := range list {
		switch {
		case !v.Null:
			out = append(out, v)
		case nulls:
			n++
		}
	}
	slices.SortStableFunc(out, compareFloats)
	return append(slices.Repeat([]Value{null}, n), out...)
}

// percentilePlace returns the place p*n, exactly: its whole part, and the weights of the values on
// both sides of it.
func percentilePlace(p float64, n int64) (index int64, left, right float64) {
	at := new(big.Rat).SetFloat64(p)
	at.Mul(at, new(big.Rat).SetInt64(n))
	whole, rest := new(big.Int).QuoRem(at.Num(), at.Denom(), new(big.Int))
	part := new(big.Rat).SetFrac(rest, at.Denom())
	if part.Cmp(big.NewRat(1, 2)) > 0 {
		left, _ = new(big.Rat).Sub(big.NewRat(1, 1), part).Float64()
		return whole.Int64(), left, 1 - left
	}
	right, _ = part.Float64()
	return whole.Int64(), 1 - right, right
}

// between interpolates: of a NULL and a value it is the value.
func between(list []Value, p float64) Value {
	if len(list) == 0 {
		return null
	}
	i, left, right := percentilePlace(p, int64(len(list)-1))
	lo := list[i]
	if right == 0 || int(i)+1 == len(list) {
		return lo
	}
	hi := list[i+1]
	switch {
	case lo.Null:
		return hi
	case lo.Float == hi.Float:
		return lo
	}
	return float(lo.Float*left + hi.Float*right)
}

// discretePlace returns the place, from zero, of the first of n values that has the share p of them
// before it or at it.
func discretePlace(p float64, n int64) int64 {
	i, _, right := percentilePlace(p, n)
	if i > 0 && right == 0 {
		i--
	}
	return i
}

// numericPercentile is PERCENTILE_CONT of NUMERICs, with p in units of 1e-9.
func numericPercentile(list []Value, p *big.Int, nulls bool) Value {
	var out []Value
	n := 0
	for _, v := range list {
		switch {
		case !v.Null:
			out = append(out, v)
		case nulls:
			n++
		}
	}
	slices.SortStableFunc(out, func(x, y Value) int { return x.Dec.Cmp(y.Dec) })
	out = append(slices.Repeat([]Value{null}, n), out...)
	if len(out) == 0 {
		return null
	}
	at, part := new(big.Int).DivMod(new(big.Int).Mul(p, big.NewInt(int64(len(out)-1))), unit, new(big.Int))
	lo := out[at.Int64()]
	if part.Sign() == 0 {
		return lo
	}
	hi := out[at.Int64()+1]
	if lo.Null {
		return hi
	}
	sum := new(big.Int).Mul(lo.Dec, new(big.Int).Sub(unit, part))
	return decimal(quoHalfAway(sum.Add(sum, new(big.Int).Mul(hi.Dec, part)), unit))
}

func init() {
	for name, kind := range statistics {
		finish := func(m2 float64, n int64) Value {
			switch {
			case n == 0 || kind[0] && n < 2:
				return null
			case kind[0]:
				m2 /= float64(n - 1)
			default:
				m2 /= float64(n)
			}
			if kind[1] {
				m2 = math.Sqrt(m2)
			}
			return float(m2)
		}
		def("bq_"+name, "[]FLOAT64 -> FLOAT64", func(a []Value) (Value, error) {
			m2, n := variance(a[0].List)
			lost := func(v Value) bool { return !v.Null && !isFinite(v.Float) }
			if !isFinite(m2) && !slices.ContainsFunc(a[0].List, lost) {
				return null, failf("double overflow: %s", strings.ToUpper(name))
			}
			return finish(m2, n), nil
		})
		for _, t := range decimalTypes {
			def("bq_"+name+"_"+t.name, "[]"+t.kind+" -> FLOAT64", func(a []Value) (Value, error) {
				m2, n := exactVariance(a[0].List, t.unit)
				d := n
				if kind[0] {
					d--
				}
				if d <= 0 {
					return null, nil
				}
				f, _ := m2.Quo(m2, new(big.Rat).SetInt64(d)).Float64()
				if kind[1] {
					f = math.Sqrt(f)
				}
				return float(f), nil
			})
		}

	}
	two := func(name string, f func(p pairs) Value) {
		def("bq_"+name, "[]FLOAT64, []FLOAT64 -> FLOAT64", func(a []Value) (Value, error) {
			p := pairsOf(a[0].List, a[1].List)
			if !p.bad && p.n > 0 && !isFinite(p.xx+p.yy+p.xy) {
				return null, failf("double overflow: %s", strings.ToUpper(name))
			}
			return f(p), nil
		})
		for _, t := range decimalTypes {
			def("bq_"+name+"_"+t.name, "[]"+t.kind+", []"+t.kind+" -> FLOAT64", func(a []Value) (Value, error) {
				return f(exactPairs(a[0].List, a[1].List, t.unit)), nil
			})
		}
	}
	two("corr", func(p pairs) Value {
		switch {
		case p.n < 2:
			return null
		case p.bad || p.xx == 0 || p.yy == 0:
			return float(math.NaN())
		}
		return float(max(-1, min(1, p.xy/math.Sqrt(p.xx*p.yy))))
	})
	two("covar_pop", func(p pairs) Value { return p.covariance(p.n) })
	two("covar_samp", func(p pairs) Value { return p.covariance(p.n - 1) })
	def("bq_percentile_cont", "[]FLOAT64, FLOAT64, BOOL -> FLOAT64", func(a []Value) (Value, error) {
		if p := a[1].Float; !(p >= 0 && p <= 1) {
			return null, failf("The second argument to the function PERCENTILE_CONT must be in the range [0, 1]")
		}
		return between(sorted(a[0].List, a[2].Bool), a[1].Float), nil
	})
	def("bq_percentile_disc", "[]FLOAT64, FLOAT64, BOOL -> FLOAT64", func(a []Value) (Value, error) {
		p := a[1].Float
		if !(p >= 0 && p <= 1) {
			return null, failf("The second argument to the function PERCENTILE_DISC must be in the range [0, 1]")
		}
		list := sorted(a[0].List, a[2].Bool)
		if len(list) == 0 {
			return null, nil
		}
		return list[discretePlace(p, int64(len(list)))], nil
	})
	// The place, from one, of PERCENTILE_DISC among a number of sorted values; NULL without any.
	def("bq_percentile_place_float64", "INT64, FLOAT64 -> INT64", func(a []Value) (Value, error) {
		p := a[1].Float
		if !(p >= 0 && p <= 1) {
			return null, failf("The second argument to the function PERCENTILE_DISC must be in the range [0, 1]")
		}
		return Value{Int: discretePlace(p, a[0].Int) + 1, Null: a[0].Int < 1}, nil
	})
	def("bq_percentile_place_numeric", "INT64, NUMERIC -> INT64", func(a []Value) (Value, error) {
		p := a[1].Dec
		if p.Sign() < 0 || p.Cmp(unit) > 0 {
			return null, failf("The second argument to the function PERCENTILE_DISC must be in the range [0, 1]")
		}
		at := ceilQuo(new(big.Int).Mul(p, big.NewInt(a[0].Int)), unit).Int64()
		return Value{Int: max(at, 1), Null: a[0].Int < 1}, nil
	})
	def("bq_percentile_cont_numeric", "[]NUMERIC, NUMERIC, BOOL -> NUMERIC", func(a []Value) (Value, error) {
		p := a[1].Dec
		if p.Sign() < 0 || p.Cmp(unit) > 0 {
			return null, failf("The second argument to the function PERCENTILE_CONT must be in the range [0, 1]")
		}
		return numericPercentile(a[0].List, p, a[2].Bool), nil
	})
	for name, divide := range map[string]bool{"sum": false, "avg": true} {
		// The sum of the whole numbers, that of the fractions, and how many there are.
		def("bq_numeric_"+name, "STRING, NUMERIC, INT64 -> NUMERIC", func(a []Value) (Value, error) {
			sum, ok := new(big.Int).SetString(a[0].Text, 10)
			if !ok || a[2].Int == 0 {
				return null, nil
			}
			sum.Add(sum.Mul(sum, unit), a[1].Dec)
			if divide {
				sum = quoHalfAway(sum, big.NewInt(a[2].Int))
			}
			return inRange(sum, "numeric overflow: %s", strings.ToUpper(name))
		})
	}
	// An infinite sum or mean of finite values is an overflow.
	def("bq_float_check", "FLOAT64, BOOL, STRING -> FLOAT64", func(a []Value) (Value, error) {
		if math.IsInf(a[0].Float, 0) && !a[1].Bool {
			return null, failf("double overflow: %s", a[2].Text)
		}
		return a[0], nil
	})
}
