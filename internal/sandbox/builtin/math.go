package builtin

import (
	"math"
	"math/bits"
)

// floatOp adds an operation of two FLOAT64s: an infinite result of finite operands fails.
func floatOp(name, op string, f func(x, y float64) float64) {
	def(name, "FLOAT64, FLOAT64 -> FLOAT64", func(a []Value) (Value, error) {
		x, y := a[0].Float, a[1].Float
		if op == "/" && y == 0 {
			return null, failf("division by zero: %s / %s", FloatText(x), FloatText(y))
		}
		z := f(x, y)
		if math.IsInf(z, 0) && !math.IsInf(x, 0) && !math.IsInf(y, 0) {
			return null, failf("double overflow: %s %s %s", FloatText(x), op, FloatText(y))
		}
		return float(z), nil
	})
}

// intOp adds an operation of two INT64s.
func intOp(name, shown string, f func(x, y int64) (int64, bool)) {
	def(name, "INT64, INT64 -> INT64", func(a []Value) (Value, error) {
		x, y := a[0].Int, a[1].Int
		if y == 0 && (shown == "DIV" || shown == "MOD") {
			return null, failf("division by zero: %s(%d, %d)", shown, x, y)
		}
		z, ok := f(x, y)
		if !ok {
			return null, failf("int64 overflow: %s(%d, %d)", shown, x, y)
		}
		return integer(z), nil
	})
}

func shift(name string, f func(x uint64, n uint) uint64) {
	def(name, "INT64, INT64 -> INT64", func(a []Value) (Value, error) {
		switch n := a[1].Int; {
		case n < 0:
			return null, failf("Bitwise shift by negative offset.")
		case n >= 64:
			return integer(0), nil
		default:
			return integer(int64(f(uint64(a[0].Int), uint(n)))), nil
		}
	})
}

func init() {
	floatOp("bq_float_add", "+", func(x, y float64) float64 { return x + y })
	floatOp("bq_float_sub", "-", func(x, y float64) float64 { return x - y })
	floatOp("bq_float_mul", "*", func(x, y float64) float64 { return x * y })
	floatOp("bq_float_quo", "/", func(x, y float64) float64 { return x / y })
	intOp("bq_int_div", "DIV", func(x, y int64) (int64, bool) { return x / y, x != math.MinInt64 || y != -1 })
	intOp("bq_int_mod", "MOD", func(x, y int64) (int64, bool) {
		if y == -1 {
			return 0, true
		}
		return x % y, true
	})
	shift("bq_shift_left", func(x uint64, n uint) uint64 { return x << n })
	shift("bq_shift_right", func(x uint64, n uint) uint64 { return x >> n })
	def("bq_bit_count", "BYTES -> INT64", func(a []Value) (Value, error) {
		n := 0
		for i := range len(a[0].Text) {
			n += bits.OnesCount8(a[0].Text[i])
		}
		return integer(int64(n)), nil
	})
	def("bq_abs", "INT64 -> INT64", func(a []Value) (Value, error) {
		switch n := a[0].Int; {
		case n == math.MinInt64:
			return null, failf("int64 overflow: ABS(%d)", n)
		case n < 0:
			return integer(-n), nil
		default:
			return integer(n), nil
		}
	})
}
