package googlesql

import (
	"math"
	"strconv"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/builtin"
)

// numericLiteral writes a decimal text as a NUMERIC, rounded half away from zero at the ninth
// digit. It returns false if the text is no number or out of range.
func numericLiteral(s string) (string, bool) {
	d, ok := builtin.ParseNumeric(s)
	if !ok {
		return "", false
	}
	return "'" + builtin.NumericText(d) + "'::DECIMAL(38,9)", true
}

// bigNumericLiteral writes a decimal text as a BIGNUMERIC.
func bigNumericLiteral(s string) (string, bool) {
	d, ok := builtin.ParseBigNumeric(s)
	if !ok {
		return "", false
	}
	return bytesSQL(builtin.EncodeBigNumeric(d)), true
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
