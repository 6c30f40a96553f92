package builtin

import (
	"math"
	"math/big"
	"regexp"
	"strings"
)

// looseNumber is what PARSE_NUMERIC reads once white space and commas are gone: a sign on either
// side.
var looseNumber = regexp.MustCompile(`^([+-]?)([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?([+-]?)$`)

// parseLoose reads a decimal text with white space around its sign and commas among its digits.
func parseLoose(s string, parse func(string) (*big.Int, bool)) (*big.Int, bool) {
	t := strings.TrimSpace(s)
	sign := ""
	if t != "" && strings.ContainsAny(t[:1], "+-") {
		sign, t = t[:1], strings.TrimSpace(t[1:])
	} else if n := len(t); n > 0 && strings.ContainsAny(t[n-1:], "+-") {
		sign, t = t[n-1:], strings.TrimSpace(t[:n-1])
	}
	_, rest, _ := strings.Cut(t, ".")
	if strings.Contains(rest, ",") {
		return nil, false
	}
	t = strings.ReplaceAll(t, ",", "")
	if m := looseNumber.FindStringSubmatch(t); m == nil || m[1] != "" || m[4] != "" {
		return nil, false
	}
	return parse(sign + t)
}

func init() {
	for kind, parse := range map[string]func(string) (*big.Int, bool){"NUMERIC": ParseNumeric,
		"BIGNUMERIC": ParseBigNumeric} {
		def("bq_parse_"+strings.ToLower(kind)+"_text", "STRING -> "+kind, func(a []Value) (Value, error) {
			d, ok := parseLoose(a[0].Text, parse)
			if !ok {
				return null, failf("Invalid input to PARSE_%s: %s", kind, a[0].Text)
			}
			return decimal(d), nil
		})
	}
	distance := func(name string, f func(x, y []Value) (Value, error)) {
		def("bq_"+strings.ToLower(name), "[]FLOAT64, []FLOAT64 -> FLOAT64", func(a []Value) (Value, error) {
			x, y := a[0].List, a[1].List
			if len(x) != len(y) {
				return null, failf("Array length mismatch: %d and %d.", len(x), len(y))
			}
			for i := range x {
				if x[i].Null || y[i].Null {
					return null, failf("Cannot compute %s against vectors that contain NULL values.", name)
				}
			}
			return f(x, y)
		})
	}
	distance("EUCLIDEAN_DISTANCE", func(x, y []Value) (Value, error) {
		sum := 0.0
		for i := range x {
			d := x[i].Float - y[i].Float
			sum += d * d
		}
		return float(math.Sqrt(sum)), nil
	})
	distance("COSINE_DISTANCE", func(x, y []Value) (Value, error) {
		var xy, xx, yy float64
		for i := range x {
			xy += x[i].Float * y[i].Float
			xx += x[i].Float * x[i].Float
			yy += y[i].Float * y[i].Float
		}
		if xx == 0 || yy == 0 {
			return null, failf("Cannot compute cosine distance against zero vector.")
		}
		return float(1 - xy/(math.Sqrt(xx)*math.Sqrt(yy))), nil
	})
}
