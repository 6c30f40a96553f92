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

// canonicalJSON writes JSON without white space, keeping the order of members.
func canonicalJSON(s string) (string, bool) {
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(s)); err != nil {
		return "", false
	}
	return b.String(), true
}

// powerOfTwo writes 2^n, n being at most 64.
func powerOfTwo(n int) string {
	return new(big.Int).Lsh(big.NewInt(1), uint(n)).String() + "::HUGEINT"
}

// formatFloat writes a number with a point, so that DuckDB reads no integer.
func formatFloat(f float64) string { return strconv.FormatFloat(f, 'f', 12, 64) }
