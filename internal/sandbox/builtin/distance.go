package builtin

import (
	"math"
	"math/big"
	"regexp"
	"strings"
)

// looseNumber matches a text of PARSE_NUMERIC without white space and commas, with a sign on
// either side.
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
	for name, f := range map[string]func(x, y []Value) (Value, error){
		"EUCLIDEAN_DISTANCE": euclidean, "COSINE_DISTANCE": cosine,
	} {
		both := func(x, y []Value) (Value, error) {
			for i := range x {
				if x[i].Null || y[i].Null {
					return null, failf("Cannot compute %s against vectors that contain NULL values.", name)
				}
			}
			return f(x, y)
		}
		def("bq_"+strings.ToLower(name), "[]FLOAT64, []FLOAT64 -> FLOAT64", func(a []Value) (Value, error) {
			if len(a[0].List) != len(a[1].List) {
				return null, failf("Array length mismatch: %d and %d.", len(a[0].List), len(a[1].List))
			}
			return both(a[0].List, a[1].List)
		})
		def("bq_"+strings.ToLower(name)+"_sparse", "[]STRING, []FLOAT64, []STRING, []FLOAT64 -> FLOAT64",
			func(a []Value) (Value, error) {
				x, y, err := dense(a)
				if err != nil {
					return null, err
				}
				return both(x, y)
			})
	}
}

// dense converts two sparse vectors, each a list of dimensions and one of numbers, to the same
// dimensions.
func dense(a []Value) (x, y []Value, err error) {
	place := map[string]int{}
	for v := 0; v < len(a); v += 2 {
		if len(a[v].List) != len(a[v+1].List) {
			return nil, nil, failf("Array length mismatch: %d and %d.", len(a[v].List), len(a[v+1].List))
		}
		seen := map[string]bool{}
		for _, key := range a[v].List {
			if key.Null || seen[key.Text] {
				return nil, nil, failf("A dimension of a vector is NULL or stands twice: %q", key.Text)
			}
			seen[key.Text] = true
			if _, ok := place[key.Text]; !ok {
				place[key.Text] = len(place)
			}
		}
	}
	x, y = make([]Value, len(place)), make([]Value, len(place))
	for i, key := range a[0].List {
		x[place[key.Text]] = a[1].List[i]
	}
	for i, key := range a[2].List {
		y[place[key.Text]] = a[3].List[i]
	}
	return x, y, nil
}

func euclidean(x, y []Value) (Value, error) {
	sum := 0.0
	for i := range x {
		d := x[i].Float - y[i].Float
		sum += d * d
	}
	return float(math.Sqrt(sum)), nil
}

func cosine(x, y []Value) (Value, error) {
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
}
