package googlesql

import (
	"math"
	"math/big"
	"strconv"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/builtin"
)

// numericLiteral writes a decimal text as a NUMERIC, rounded half away from zero at the ninth
// digit; false where it is none or out of range.
func numericLiteral(s string) (string, bool) {
	d, ok := builtin.ParseNumeric(s)
	if !ok {
		return "", false
	}
	return "'" + builtin.NumericText(d) + "'::DECIMAL(38,9)", true
}

// floatSQL writes a FLOAT64.
func floatSQL(f float64) string {
	switch {
	case math.IsNaN(f):
		return "'NaN'::DOUBLE"
	case math.IsInf(f, 1):
		return "'Infinity'::DOUBLE"
	case math.IsInf(f, -1):
		return "'-Infinity'::DOUBLE"
	}
	return "'" + strconv.FormatFloat(f, 'g', -1, 64) + "'::DOUBLE"
}

// powerOfTwo writes 2^n, n being at most 64.
func powerOfTwo(n int) string {
	return new(big.Int).Lsh(big.NewInt(1), uint(n)).String() + "::HUGEINT"
}

// formatFloat writes a number with a point, so that DuckDB reads no integer.
func formatFloat(f float64) string { return strconv.FormatFloat(f, 'f', 12, 64) }
