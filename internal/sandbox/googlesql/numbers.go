package googlesql

import (
	"bytes"
	"encoding/json"
	"math/big"
	"regexp"
	"strconv"
	"strings"
)

var (
	numericForm = regexp.MustCompile(`^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$`)
	integerForm = regexp.MustCompile(`^\s*[+-]?(\d+|0[xX][0-9a-fA-F]+)\s*$`)
)

// numericText rounds a decimal to NUMERIC's nine digits, half away from zero; false where
// it is none or out of range.
func numericText(s string) (string, bool) {
	s = strings.TrimSpace(s)
	if !numericForm.MatchString(s) {
		return "", false
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return "", false
	}
	text := r.FloatString(9)
	digits := strings.TrimLeft(strings.Replace(strings.TrimPrefix(text, "-"), ".", "", 1), "0")
	return text, len(digits) <= 38
}

// canonicalJSON writes JSON as BigQuery keeps it: without white space, members by name,
// numbers in their shortest form.
func canonicalJSON(s string) (string, bool) {
	d := json.NewDecoder(strings.NewReader(s))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil || !json.Valid([]byte(s)) {
		return "", false
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(shortNumbers(v)); err != nil {
		return "", false
	}
	return strings.TrimSpace(b.String()), true
}

func shortNumbers(v any) any {
	switch x := v.(type) {
	case map[string]any:
		for k, e := range x {
			x[k] = shortNumbers(e)
		}
	case []any:
		for i, e := range x {
			x[i] = shortNumbers(e)
		}
	case json.Number:
		if _, err := x.Int64(); err == nil {
			return x
		}
		if f, err := x.Float64(); err == nil {
			return f
		}
	}
	return v
}

// powerOfTwo writes 2^n, n being at most 64.
func powerOfTwo(n int) string {
	return new(big.Int).Lsh(big.NewInt(1), uint(n)).String() + "::HUGEINT"
}

// formatFloat writes a number with a point, so that DuckDB reads no integer.
func formatFloat(f float64) string { return strconv.FormatFloat(f, 'f', 12, 64) }
