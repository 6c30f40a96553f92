package googlesql

import (
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/builtin"
)

// temporalLiteral reads the text of a DATE, TIME, DATETIME or TIMESTAMP literal and
// writes DuckDB's literal.
func (a *analyzer) temporalLiteral(k Kind, s string) (string, bool) {
	switch k {
	case Date:
		n, ok := builtin.ParseDate(s)
		return "DATE '" + builtin.DateText(n) + "'", ok
	case Time:
		n, ok := builtin.ParseTime(s)
		return "TIME '" + builtin.TimeText(n) + "'", ok
	case TimestampPicos:
		d, err := builtin.ParsePicos(s, a.location)
		if err != nil {
			return "", false
		}
		return "'" + d.String() + "'::HUGEINT", true
	case Datetime:
		n, ok := builtin.ParseDatetime(s)
		return "TIMESTAMP '" + builtin.DatetimeText(n, " ") + "'", ok
	}
	n, err := builtin.ParseTimestamp(s, a.location)
	return "TIMESTAMPTZ '" + builtin.DatetimeText(n, " ") + "+00'", err == nil
}
