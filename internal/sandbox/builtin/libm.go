package builtin

/*
#cgo LDFLAGS: -lm
#include <math.h>

// Rounds to a digit after the point in long double, as GoogleSQL does: 2.675 is a little
// less than its text and becomes 2.67.
static double sandbox_round(double in, int digits, int mode) {
	long double power = 1;
	for (int i = 0; i < digits; i++) power /= 10;
	for (int i = 0; i > digits; i--) power *= 10;
	long double x = in / power;
	if (!isfinite(x)) return in;
	x = mode == 0 ? roundl(x) : mode == 1 ? truncl(x) : nearbyintl(x);
	return (double)(x * power);
}
*/
import "C"

import "math"

// The functions of C's library. Go's own sometimes differ from them in the last digit.
var libm = map[string]func(x float64) float64{
	"EXP":   func(x float64) float64 { return float64(C.exp(C.double(x))) },
	"LN":    func(x float64) float64 { return float64(C.log(C.double(x))) },
	"LOG10": func(x float64) float64 { return float64(C.log10(C.double(x))) },
	"SQRT":  math.Sqrt, "CBRT": math.Cbrt,
	"SIN":   func(x float64) float64 { return float64(C.sin(C.double(x))) },
	"COS":   func(x float64) float64 { return float64(C.cos(C.double(x))) },
	"TAN":   func(x float64) float64 { return float64(C.tan(C.double(x))) },
	"ASIN":  func(x float64) float64 { return float64(C.asin(C.double(x))) },
	"ACOS":  func(x float64) float64 { return float64(C.acos(C.double(x))) },
	"ATAN":  func(x float64) float64 { return float64(C.atan(C.double(x))) },
	"SINH":  func(x float64) float64 { return float64(C.sinh(C.double(x))) },
	"COSH":  func(x float64) float64 { return float64(C.cosh(C.double(x))) },
	"TANH":  func(x float64) float64 { return float64(C.tanh(C.double(x))) },
	"ASINH": func(x float64) float64 { return float64(C.asinh(C.double(x))) },
	"ACOSH": func(x float64) float64 { return float64(C.acosh(C.double(x))) },
	"ATANH": func(x float64) float64 { return float64(C.atanh(C.double(x))) },
	"COT":   func(x float64) float64 { return 1 / float64(C.tan(C.double(x))) },
	"COTH":  func(x float64) float64 { return 1 / float64(C.tanh(C.double(x))) },
	"CSC":   func(x float64) float64 { return 1 / float64(C.sin(C.double(x))) },
	"CSCH":  func(x float64) float64 { return 1 / float64(C.sinh(C.double(x))) },
	"SEC":   func(x float64) float64 { return 1 / float64(C.cos(C.double(x))) },
	"SECH":  func(x float64) float64 { return 1 / float64(C.cosh(C.double(x))) },
}

// overflows has the functions whose errors mention an overflow.
var overflows = map[string]bool{"COSH": true, "SINH": true, "TAN": true}

func pow(x, y float64) float64 { return float64(C.pow(C.double(x), C.double(y))) }

func atan2(y, x float64) float64 { return float64(C.atan2(C.double(y), C.double(x))) }

// Modes of rounding.
const (
	halfAway = iota
	towardZero
	toEven
)

// roundFloat rounds at a digit after the point, which may be negative.
func roundFloat(f float64, digits int64, mode int) (Value, error) {
	switch {
	case math.IsNaN(f) || math.IsInf(f, 0) || digits > 323:
		return float(f), nil
	case digits < -308:
		return float(0), nil
	}
	z := float64(C.sandbox_round(C.double(f), C.int(digits), C.int(mode)))
	if math.IsInf(z, 0) {
		return null, failf("Floating point overflow in function: ROUND(%s, %d)", FloatText(f), digits)
	}
	return float(z), nil
}

func isFinite(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }

func init() {
	for name, f := range libm {
		defFinite(name, f)
	}
	def("bq_pow", "FLOAT64, FLOAT64 -> FLOAT64", func(a []Value) (Value, error) {
		x, y := a[0].Float, a[1].Float
		z := pow(x, y)
		if !isFinite(z) && isFinite(x) && isFinite(y) {
			return null, failf("Floating point error in function: POW(%s, %s)", FloatText(x), FloatText(y))
		}
		return float(z), nil
	})
	def("bq_atan2", "FLOAT64, FLOAT64 -> FLOAT64", func(a []Value) (Value, error) {
		return float(atan2(a[0].Float, a[1].Float)), nil
	})
	def("bq_log", "FLOAT64, FLOAT64 -> FLOAT64", func(a []Value) (Value, error) {
		x, base := a[0].Float, a[1].Float
		z := math.NaN()
		if isFinite(base) && base > 0 {
			z = libm["LN"](x) / libm["LN"](base)
		}
		if !isFinite(z) && isFinite(x) && isFinite(base) {
			return null, failf("Floating point error in function: LOG(%s, %s)", FloatText(x), FloatText(base))
		}
		return float(z), nil
	})
	for name, mode := range map[string]int{"round": halfAway, "trunc": towardZero, "round_even": toEven} {
		def("bq_float_"+name, "FLOAT64, INT64 -> FLOAT64", func(a []Value) (Value, error) {
			return roundFloat(a[0].Float, a[1].Int, mode)
		})
	}
}

// defFinite adds a function that fails if a finite argument has no finite result.
func defFinite(name string, f func(float64) float64) {
	def("bq_"+lowerASCII(name), "FLOAT64 -> FLOAT64", func(a []Value) (Value, error) {
		x := a[0].Float
		z := f(x)
		switch {
		case name == "SQRT" && x < 0:
			return null, failf("Argument to SQRT cannot be negative: %s", FloatText(x))
		case isFinite(z) || !isFinite(x):
			return float(z), nil
		case overflows[name]:
			return null, failf("Floating point overflow in function: %s(%s)", name, FloatText(x))
		}
		return null, failf("Floating point error in function: %s(%s)", name, FloatText(x))
	})
}

func lowerASCII(s string) string { return asciiCase(s, 'A', 'a') }
