package builtin

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// The range of an INTERVAL's parts: 10,000 years.
const (
	maxMonths         = 120_000
	maxIntervalDays   = 3_660_000
	maxIntervalMicros = maxIntervalDays * dayMicros
)

// interval returns an INTERVAL, or an error if a part is out of range.
func interval(months, days, micros int64) (Value, error) {
	switch {
	case months > maxMonths || months < -maxMonths:
		return null, failf("Interval field months '%d' is out of range -120000 to 120000", months)
	case days > maxIntervalDays || days < -maxIntervalDays:
		return null, failf("Interval field days '%d' is out of range -3660000 to 3660000", days)
	case micros > maxIntervalMicros || micros < -maxIntervalMicros:
		return null, failf("Interval field nanoseconds is out of range")
	}
	return Value{Months: int32(months), Days: int32(days), Int: micros}, nil
}

// intervalOf returns an INTERVAL of a number of parts.
func intervalOf(n int64, part string) (Value, error) {
	times := func(size, limit int64) (int64, error) {
		if n > limit/size || n < -limit/size {
			return 0, failf("Interval value '%d' is out of range", n)
		}
		return n * size, nil
	}
	switch part {
	case "YEAR", "QUARTER", "MONTH":
		m, err := times(partMonths[part], maxMonths)
		if err != nil {
			return null, err
		}
		return interval(m, 0, 0)
	case "WEEK", "DAY":
		d, err := times(partMicros[part]/dayMicros, maxIntervalDays)
		if err != nil {
			return null, err
		}
		return interval(0, d, 0)
	}
	size, ok := partMicros[part]
	if !ok {
		return null, failf("Unsupported interval datetime field %s", part)
	}
	u, err := times(size, maxIntervalMicros)
	if err != nil {
		return null, err
	}
	return interval(0, 0, u)
}

// IntervalText writes Y-M D H:M:S[.ffffff].
func IntervalText(v Value) string {
	months, sign := int64(v.Months), ""
	if months < 0 {
		months, sign = -months, "-"
	}
	micros, clock := v.Int, ""
	if micros < 0 {
		micros, clock = -micros, "-"
	}
	return fmt.Sprintf("%s%d-%d %d %s%d:%d:%d%s", sign, months/12, months%12, v.Days, clock, micros/3600e6,
		micros/60e6%60,
		micros/1e6%60, fraction(micros))
}

// intervalISO writes P1Y2M3DT4H5M6.7S.
func intervalISO(v Value) string {
	var b strings.Builder
	b.WriteByte('P')
	put := func(n int64, unit string) {
		if n != 0 {
			fmt.Fprintf(&b, "%d%s", n, unit)
		}
	}
	put(int64(v.Months/12), "Y")
	put(int64(v.Months%12), "M")
	put(int64(v.Days), "D")
	if v.Int != 0 {
		b.WriteByte('T')
	}
	put(v.Int/3600e6, "H")
	put(v.Int/60e6%60, "M")
	if micros := v.Int % 60e6; micros != 0 {
		sign := ""
		if micros < 0 {
			sign, micros = "-", -micros
		}
		b.WriteString(sign + trimZeros(fmt.Sprintf("%d.%06d", micros/1e6, micros%1e6)) + "S")
	}
	if b.Len() == 1 {
		return "P0Y"
	}
	return b.String()
}

// The fields of INTERVAL literals, largest first, with the text before each.
var fields = []struct{ name, pattern, before string }{
	{"YEAR", `(\d+)`, ``}, {"MONTH", `(\d+)`, `-`}, {"DAY", `([-+]?\d+)`, ` `}, {"HOUR", `(\d+)`, ` `},
	{"MINUTE", `(\d+)`, `:`}, {"SECOND", `(\d+(?:\.\d{1,6})?)`, `:`},
}

// ParseIntervalRange reads a text with the fields from one part to another.
func ParseIntervalRange(s, from, to string) (Value, error) {
	bad := failf("Invalid INTERVAL value '%s'", s)
	var pattern strings.Builder
	pattern.WriteByte('^')
	first, last := -1, -1
	for i, f := range fields {
		if f.name == from {
			first = i
		}
		if f.name == to {
			last = i
		}
	}
	if first < 0 || last <= first {
		return null, failf("Invalid interval datetime fields: %s TO %s", from, to)
	}
	for i := first; i <= last; i++ {
		f := fields[i]
		if i > first {
			pattern.WriteString(f.before)
		}
		if i == first && f.name != "DAY" || f.name == "HOUR" {
			pattern.WriteString(`([-+]?)`)
		}
		pattern.WriteString(f.pattern)
	}
	m := regexp.MustCompile(pattern.String() + `$`).FindStringSubmatch(s)
	if m == nil {
		return null, bad
	}
	m = m[1:]
	next := func() string { t := m[0]; m = m[1:]; return t }
	var months, days, micros int64
	monthSign, clockSign := "", ""
	for i := first; i <= last; i++ {
		f := fields[i]
		if i == first && f.name != "DAY" || f.name == "HOUR" {
			if i <= 1 {
				monthSign = next()
			} else {
				clockSign = next()
			}
		}
		t := next()
		if f.name == "SECOND" {
			whole, frac, _ := strings.Cut(t, ".")
			n, err := strconv.ParseInt(whole, 10, 40)
			if err != nil {
				return null, bad
			}
			u, _ := strconv.ParseInt((frac + "000000")[:6], 10, 64)
			micros += n*1e6 + u
			continue
		}
		n, err := strconv.ParseInt(strings.TrimPrefix(t, "+"), 10, 32)
		if err != nil {
			return null, bad
		}
		switch f.name {
		case "YEAR":
			months += 12 * n
		case "MONTH":
			months += n
		case "DAY":
			days = n
		default:
			micros += n * partMicros[f.name]
		}
	}
	if monthSign == "-" {
		months = -months
	}
	if clockSign == "-" {
		micros = -micros
	}
	return interval(months, days, micros)
}

var isoForm = regexp.MustCompile(`^P(?:([-+]?\d+)Y)?(?:([-+]?\d+)M)?(?:([-+]?\d+)W)?(?:([-+]?\d+)D)?` +
	`(T(?:([-+]?\d+)H)?(?:([-+]?\d+)M)?(?:([-+]?)(\d*)(?:[.,](\d{1,6}))?S)?)?$`)

// ParseInterval reads a STRING as CAST does: the canonical form or a part of it, or ISO 8601's.
func ParseInterval(s string) (Value, error) {
	if strings.HasPrefix(s, "P") {
		return parseISO(s)
	}
	for _, f := range [][2]string{{"YEAR", "SECOND"}, {"YEAR", "DAY"}, {"DAY", "SECOND"}, {"HOUR", "SECOND"},
		{"YEAR", "MONTH"},
		{"YEAR", "HOUR"}, {"YEAR", "MINUTE"}} {
		if v, err := ParseIntervalRange(s, f[0], f[1]); err == nil {
			return v, nil
		}
	}
	return null, failf("Invalid INTERVAL value '%s'", s)
}

func parseISO(s string) (Value, error) {
	bad := failf("Invalid INTERVAL value '%s'", s)
	m := isoForm.FindStringSubmatch(s)
	if m == nil || s == "P" || strings.HasSuffix(s, "T") {
		return null, bad
	}
	number := func(t string) int64 {
		n, err := strconv.ParseInt(strings.TrimPrefix(t, "+"), 10, 40)
		if err != nil && t != "" {
			return math.MaxInt32 * 4096
		}
		return n
	}
	micros := number(m[6])*3600e6 + number(m[7])*60e6
	seconds := number(m[9]) * 1e6
	if m[10] != "" {
		u, _ := strconv.ParseInt((m[10] + "000000")[:6], 10, 64)
		seconds += u
	}
	if m[8] == "-" {
		seconds = -seconds
	}
	return interval(number(m[1])*12+number(m[2]), number(m[3])*7+number(m[4]), micros+seconds)
}

// justify carries hours into days and days into months.
func justify(v Value, hours, days bool) (Value, error) {
	months, d, u := int64(v.Months), int64(v.Days), v.Int
	if hours {
		d, u = d+u/dayMicros, u%dayMicros
	}
	if days {
		months, d = months+d/30, d%30
		switch {
		case months > 0 && (d < 0 || d == 0 && u < 0 && hours):
			months, d = months-1, d+30
		case months < 0 && (d > 0 || d == 0 && u > 0 && hours):
			months, d = months+1, d-30
		}
	}
	if hours {
		switch {
		case d > 0 && u < 0:
			d, u = d-1, u+dayMicros
		case d < 0 && u > 0:
			d, u = d+1, u-dayMicros
		}
	}
	return interval(months, d, u)
}

// addInterval adds an INTERVAL to a civil time, sign times.
func addInterval(local int64, v Value, sign int64) (Value, error) {
	day, ok := addMonths(floorDiv(local, dayMicros), sign*int64(v.Months))
	if !ok {
		return null, failf("Adding an interval causes overflow")
	}
	n := day*dayMicros + floorMod(local, dayMicros) + sign*(int64(v.Days)*dayMicros+v.Int)
	if n < minMicros || n > maxMicros {
		return null, failf("Adding an interval causes overflow")
	}
	return integer(n), nil
}

func init() {
	def("bq_interval", "INT64, STRING -> INTERVAL",
		func(a []Value) (Value, error) { return intervalOf(a[0].Int, a[1].Text) })
	def("bq_interval_range", "STRING, STRING, STRING -> INTERVAL", func(a []Value) (Value, error) {
		return ParseIntervalRange(a[0].Text, a[1].Text, a[2].Text)
	})
	def("bq_parse_interval", "STRING -> INTERVAL", func(a []Value) (Value, error) { return ParseInterval(a[0].Text) })
	def("bq_interval_text", "INTERVAL -> STRING",
		func(a []Value) (Value, error) { return text(IntervalText(a[0])), nil })
	def("bq_interval_iso", "INTERVAL -> STRING", func(a []Value) (Value, error) { return text(intervalISO(a[0])), nil })
	def("bq_make_interval", "INT64, INT64, INT64, INT64, INT64, INT64 -> INTERVAL", func(a []Value) (Value, error) {
		for _, v := range a {
			if v.Int > 1e12 || v.Int < -1e12 {
				return null, failf("Interval field is out of range")
			}
		}
		return interval(a[0].Int*12+a[1].Int, a[2].Int, (a[3].Int*3600+a[4].Int*60+a[5].Int)*1e6)
	})
	def("bq_justify_hours", "INTERVAL -> INTERVAL",
		func(a []Value) (Value, error) { return justify(a[0], true, false) })
	def("bq_justify_days", "INTERVAL -> INTERVAL", func(a []Value) (Value, error) { return justify(a[0], false, true) })
	def("bq_justify_interval", "INTERVAL -> INTERVAL",
		func(a []Value) (Value, error) { return justify(a[0], true, true) })
	def("bq_interval_add", "INTERVAL, INTERVAL, INT64 -> INTERVAL", func(a []Value) (Value, error) {
		x, y, sign := a[0], a[1], a[2].Int
		return interval(int64(x.Months)+sign*int64(y.Months), int64(x.Days)+sign*int64(y.Days), x.Int+sign*y.Int)
	})
	def("bq_interval_mul", "INTERVAL, INT64 -> INTERVAL", func(a []Value) (Value, error) {
		v, n := a[0], a[1].Int
		if n > maxIntervalMicros || n < -maxIntervalMicros || v.Int != 0 && abs(n) > math.MaxInt64/abs(v.Int) {
			return null, failf("Interval overflow during multiplication")
		}
		return interval(int64(v.Months)*n, int64(v.Days)*n, v.Int*n)
	})
	def("bq_interval_div", "INTERVAL, INT64 -> INTERVAL", func(a []Value) (Value, error) {
		v, n := a[0], a[1].Int
		if n == 0 {
			return null, failf("Interval division by zero")
		}
		months := int64(v.Months)
		days := int64(v.Days) + months%n*30
		micros := v.Int + days%n*dayMicros
		return interval(months/n, days/n, micros/n)
	})
	def("bq_interval_extract", "INTERVAL, STRING -> INT64", func(a []Value) (Value, error) {
		v := a[0]
		parts := map[string]int64{"YEAR": int64(v.Months / 12), "MONTH": int64(v.Months % 12), "DAY": int64(v.Days),
			"HOUR": v.Int / 3600e6, "MINUTE": v.Int / 60e6 % 60, "SECOND": v.Int / 1e6 % 60,
			"MILLISECOND": v.Int % 1e6 / 1000, "MICROSECOND": v.Int % 1e6}
		n, ok := parts[a[1].Text]
		if !ok {
			return null, failf("EXTRACT from INTERVAL does not support the %s part", a[1].Text)
		}
		return integer(n), nil
	})
	def("bq_datetime_plus", "DATETIME, INTERVAL, INT64 -> DATETIME", func(a []Value) (Value, error) {
		return addInterval(a[0].Int, a[1], a[2].Int)
	})
	def("bq_timestamp_plus", "TIMESTAMP, INTERVAL, INT64 -> TIMESTAMP", func(a []Value) (Value, error) {
		if a[1].Months != 0 {
			return null, failf("TIMESTAMP +/- INTERVAL is not supported for intervals with non-zero MONTH or YEAR part")
		}
		return addInterval(a[0].Int, a[1], a[2].Int)
	})
	defIntervalSum()
}

func abs(n int64) int64 {
	if n < 0 {
		return -n
	}
	return n
}

// defIntervalSum adds SUM and AVG of a list of INTERVALs.
func defIntervalSum() {
	sum := func(list []Value) (months, days, micros, n int64) {
		for _, v := range list {
			if !v.Null {
				months, days, micros, n = months+int64(v.Months), days+int64(v.Days), micros+v.Int, n+1
			}
		}
		return
	}
	def("bq_interval_sum", "[]INTERVAL -> INTERVAL", func(a []Value) (Value, error) {
		months, days, micros, n := sum(a[0].List)
		if n == 0 {
			return null, nil
		}
		return interval(months, days, micros)
	})
	def("bq_interval_avg", "[]INTERVAL -> INTERVAL", func(a []Value) (Value, error) {
		months, days, micros, n := sum(a[0].List)
		if n == 0 {
			return null, nil
		}
		days += months % n * 30
		micros += days % n * dayMicros
		return interval(months/n, days/n, micros/n)
	})
}
