package builtin

import "math/big"

// maxGenerated is the largest number of elements of a generated array.
const maxGenerated = 1 << 20

// generate counts from lo to hi. next returns an element by its number, and beyond reports
// the end.
func generate(name string, next func(i int64) (Value, bool)) (Value, error) {
	v := Value{List: []Value{}}
	for i := int64(0); ; i++ {
		e, ok := next(i)
		if !ok {
			return v, nil
		}
		if i >= maxGenerated {
			return null, failf("%s produced too many elements; the limit of the sandbox is %d", name, maxGenerated)
		}
		v.List = append(v.List, e)
	}
}

var errStep = Error("Sequence step cannot be 0.")

func init() {
	def("bq_generate_array_int64", "INT64, INT64, INT64 -> []INT64", func(a []Value) (Value, error) {
		lo, hi, step := a[0].Int, a[1].Int, a[2].Int
		if step == 0 {
			return null, errStep
		}
		n := new(big.Int)
		return generate("GENERATE_ARRAY", func(i int64) (Value, bool) {
			n.Mul(big.NewInt(i), big.NewInt(step)).Add(n, big.NewInt(lo))
			if !n.IsInt64() {
				return null, false
			}
			x := n.Int64()
			return integer(x), step > 0 && x <= hi || step < 0 && x >= hi
		})
	})
	def("bq_generate_array_float64", "FLOAT64, FLOAT64, FLOAT64 -> []FLOAT64", func(a []Value) (Value, error) {
		lo, hi, step := a[0].Float, a[1].Float, a[2].Float
		switch {
		case step == 0:
			return null, errStep
		case !isFinite(lo) || !isFinite(hi) || !isFinite(step):
			return null, failf("Sequence arguments of GENERATE_ARRAY must be finite")
		}
		return generate("GENERATE_ARRAY", func(i int64) (Value, bool) {
			x := lo + float64(i)*step
			return float(x), step > 0 && x <= hi || step < 0 && x >= hi
		})
	})
	def("bq_generate_array_numeric", "NUMERIC, NUMERIC, NUMERIC -> []NUMERIC", func(a []Value) (Value, error) {
		lo, hi, step := a[0].Dec, a[1].Dec, a[2].Dec
		if step.Sign() == 0 {
			return null, errStep
		}
		return generate("GENERATE_ARRAY", func(i int64) (Value, bool) {
			x := new(big.Int).Mul(step, big.NewInt(i))
			x.Add(x, lo)
			return decimal(x), InNumericRange(x) && (step.Sign() > 0 && x.Cmp(hi) <= 0 || step.Sign() < 0 &&
				x.Cmp(hi) >= 0)
		})
	})
	for kind, scale := range map[string]int64{"DATE": dayMicros, "TIMESTAMP": 1, "DATETIME": 1} {
		def("bq_generate_"+lowerASCII(kind), kind+", "+kind+", INT64, STRING -> []"+kind,
			func(a []Value) (Value, error) {
				lo, hi, step, part := a[0].Int*scale, a[1].Int*scale, a[2].Int, a[3].Text
				if step == 0 {
					return null, errStep
				}
				return generate("GENERATE_"+kind+"_ARRAY", func(i int64) (Value, bool) {
					x, ok := addPart(lo, i*step, part)
					return integer(floorDiv(x, scale)), ok && (step > 0 && x <= hi || step < 0 && x >= hi)
				})
			})
	}
}
