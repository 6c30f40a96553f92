package builtin

import (
	"math"
	"strings"
	"time"
)

// A part is the name of a date part. Weeks that begin on another day than Sunday have their
// own parts, such as WEEK(MONDAY).
var partMicros = map[string]int64{
	"MICROSECOND": 1, "MILLISECOND": 1000, "SECOND": 1e6, "MINUTE": 60e6, "HOUR": 3600e6, "DAY": dayMicros,
	"WEEK": 7 * dayMicros,
}

var partMonths = map[string]int64{"MONTH": 1, "QUARTER": 3, "YEAR": 12}

var weekdays = map[string]time.Weekday{"WEEK": time.Sunday, "ISOWEEK": time.Monday, "WEEK(SUNDAY)": time.Sunday,
	"WEEK(MONDAY)": time.Monday, "WEEK(TUESDAY)": time.Tuesday, "WEEK(WEDNESDAY)": time.Wednesday,
	"WEEK(THURSDAY)": time.Thursday, "WEEK(FRIDAY)": time.Friday, "WEEK(SATURDAY)": time.Saturday}

func dayOf(days int64) time.Time { return time.Unix(days*86400, 0).UTC() }

func epochDay(t time.Time) int64 { return floorDiv(t.Unix(), 86400) }

// weekStart returns the first day of the week of a day.
func weekStart(days int64, first time.Weekday) int64 {
	return days - int64((int(dayOf(days).Weekday())-int(first)+7)%7)
}

// isoYearStart returns the Monday of the first week of a day's ISO year.
func isoYearStart(days int64) int64 {
	y, _ := dayOf(days).ISOWeek()
	return weekStart(epochDay(time.Date(y, 1, 4, 0, 0, 0, 0, time.UTC)), time.Monday)
}

// truncDay cuts a day at a part of days or more; ok is false for another part.
func truncDay(days int64, part string) (int64, bool) {
	t := dayOf(days)
	switch part {
	case "DAY":
		return days, true
	case "MONTH":
		return days - int64(t.Day()) + 1, true
	case "QUARTER":
		return epochDay(time.Date(t.Year(), (t.Month()-1)/3*3+1, 1, 0, 0, 0, 0, time.UTC)), true
	case "YEAR":
		return epochDay(time.Date(t.Year(), 1, 1, 0, 0, 0, 0, time.UTC)), true
	case "ISOYEAR":
		return isoYearStart(days), true
	}
	first, ok := weekdays[part]
	return weekStart(days, first), ok
}

// truncCivil cuts a civil time.
func truncCivil(micros int64, part string) int64 {
	if day, ok := truncDay(floorDiv(micros, dayMicros), part); ok {
		return day * dayMicros
	}
	return floorDiv(micros, partMicros[part]) * partMicros[part]
}

// addMonths adds months to a day. A day that the month does not have becomes
// its last.
func addMonths(days, months int64) (int64, bool) {
	t := dayOf(days)
	n := int64(t.Year())*12 + int64(t.Month()) - 1
	if months > 200_000 || months < -200_000 {
		return 0, false
	}
	n += months
	year, month := int(floorDiv(n, 12)), int(floorMod(n, 12))+1
	if year < 1 || year > 9999 {
		return 0, false
	}
	return EpochDay(year, month, min(t.Day(), daysIn(year, month)))
}

// addPart adds a number of parts to a civil time.
func addPart(micros, n int64, part string) (int64, bool) {
	if months := partMonths[part]; months > 0 {
		if n > 200_000 || n < -200_000 {
			return 0, false
		}
		day, ok := addMonths(floorDiv(micros, dayMicros), n*months)
		return day*dayMicros + floorMod(micros, dayMicros), ok
	}
	size := partMicros[part]
	if n > math.MaxInt64/size/2 || n < -math.MaxInt64/size/2 {
		return 0, false
	}
	out := micros + n*size
	return out, out >= minMicros && out <= maxMicros
}

// diffCivil counts the boundaries of a part between two civil times.
func diffCivil(x, y int64, part string) int64 {
	dx, dy := floorDiv(x, dayMicros), floorDiv(y, dayMicros)
	switch {
	case partMonths[part] > 0:
		month := func(d int64) int64 { t := dayOf(d); return int64(t.Year())*12 + int64(t.Month()) - 1 }
		return floorDiv(month(dx), partMonths[part]) - floorDiv(month(dy), partMonths[part])
	case part == "ISOYEAR":
		a, _ := dayOf(dx).ISOWeek()
		b, _ := dayOf(dy).ISOWeek()
		return int64(a - b)
	case part == "DAY":
		return dx - dy
	}
	if first, ok := weekdays[part]; ok {
		return (weekStart(dx, first) - weekStart(dy, first)) / 7
	}
	size := partMicros[part]
	return floorDiv(x, size) - floorDiv(y, size)
}

// lastDay returns the last day of a part.
func lastDay(days int64, part string) (int64, bool) {
	first, _ := truncDay(days, part)
	switch part {
	case "MONTH", "QUARTER", "YEAR":
		next, ok := addMonths(first, partMonths[part])
		if !ok { // the last month of year 9999
			return maxDate, true
		}
		return next - 1, true
	case "ISOYEAR":
		return isoYearStart(first+380) - 1, true
	}
	return first + 6, first+6 <= maxDate
}

// civilKind is a type of dates or times, with the length of its unit in
// microseconds.
var civilKind = map[string]int64{"DATE": dayMicros, "DATETIME": 1, "TIME": 1}

func init() {
	for kind, scale := range civilKind {
		name := strings.ToLower(kind)
		def("bq_trunc_"+name, kind+", STRING -> "+kind, func(a []Value) (Value, error) {
			n := truncCivil(a[0].Int*scale, a[1].Text)
			if n < minMicros && kind != "TIME" {
				return null, failf("Truncating %s to the nearest %s causes overflow",
					DateText(floorDiv(a[0].Int*scale, dayMicros)),
					strings.ToLower(a[1].Text))
			}
			return integer(floorDiv(n, scale)), nil
		})
		def("bq_diff_"+name, kind+", "+kind+", STRING -> INT64", func(a []Value) (Value, error) {
			return integer(diffCivil(a[0].Int*scale, a[1].Int*scale, a[2].Text)), nil
		})
		def("bq_add_"+name, kind+", INT64, STRING -> "+kind, func(a []Value) (Value, error) {
			n, ok := addPart(a[0].Int*scale, a[1].Int, a[2].Text)
			if kind == "TIME" {
				size := partMicros[a[2].Text]
				return integer(floorMod(a[0].Int+floorMod(a[1].Int, dayMicros/size)*size, dayMicros)), nil
			}
			if !ok || n < minMicros || n > maxMicros {
				return null, failf("Adding %d %s to %s %s causes overflow", a[1].Int, strings.ToLower(a[2].Text), name,
					DateText(floorDiv(a[0].Int*scale, dayMicros)))
			}
			return integer(floorDiv(n, scale)), nil
		})
	}
	def("bq_last_day", "DATE, STRING -> DATE", func(a []Value) (Value, error) {
		n, ok := lastDay(a[0].Int, a[1].Text)
		if !ok {
			return null, failf("LAST_DAY causes overflow")
		}
		return integer(n), nil
	})
	def("bq_trunc_timestamp", "TIMESTAMP, STRING, STRING -> TIMESTAMP", func(a []Value) (Value, error) {
		loc, err := Zone(a[2].Text)
		if err != nil {
			return null, err
		}
		ts, part := a[0].Int, a[1].Text
		if partMicros[part] > 0 && partMicros[part] < dayMicros {
			offset := int64(offsetAt(ts, loc)) * 1e6
			return instantMicros(truncCivil(ts+offset, part) - offset)
		}
		return instantMicros(Instant(truncCivil(Local(ts, loc), part), loc))
	})
	def("bq_diff_timestamp", "TIMESTAMP, TIMESTAMP, STRING -> INT64", func(a []Value) (Value, error) {
		return integer((a[0].Int - a[1].Int) / partMicros[a[2].Text]), nil
	})
	def("bq_add_timestamp", "TIMESTAMP, INT64, STRING -> TIMESTAMP", func(a []Value) (Value, error) {
		n, ok := addPart(a[0].Int, a[1].Int, a[2].Text)
		if !ok {
			return null, failf("Adding %d %s to timestamp %s causes overflow", a[1].Int, strings.ToLower(a[2].Text),
				timestampText(a[0].Int, time.UTC))
		}
		return integer(n), nil
	})
	defConstructors()
}

// defConstructors adds DATE, TIME and DATETIME from their parts, and from numbers.
func defConstructors() {
	def("bq_make_date", "INT64, INT64, INT64 -> DATE", func(a []Value) (Value, error) {
		if a[0].Int >= 1 && a[0].Int <= 9999 && a[1].Int >= 1 && a[1].Int <= 12 && a[2].Int >= 1 && a[2].Int <= 31 {
			if n, ok := EpochDay(int(a[0].Int), int(a[1].Int), int(a[2].Int)); ok {
				return integer(n), nil
			}
		}
		return null, failf("Input calculates to invalid date: %d-%d-%d", a[0].Int, a[1].Int, a[2].Int)
	})
	clock := func(h, m, s int64) (int64, bool) { // second 60 is the first of the next minute
		return (h*3600 + m*60 + s) * 1e6, h >= 0 && h < 24 && m >= 0 && m < 60 && s >= 0 && s <= 60
	}
	def("bq_make_time", "INT64, INT64, INT64 -> TIME", func(a []Value) (Value, error) {
		n, ok := clock(a[0].Int, a[1].Int, a[2].Int)
		if !ok {
			return null, failf("Input calculates to invalid time: %02d:%02d:%02d", a[0].Int, a[1].Int, a[2].Int)
		}
		return integer(n % dayMicros), nil
	})
	def("bq_make_datetime", "INT64, INT64, INT64, INT64, INT64, INT64 -> DATETIME", func(a []Value) (Value, error) {
		n, ok := clock(a[3].Int, a[4].Int, a[5].Int)
		if ok && a[0].Int >= 1 && a[0].Int <= 9999 && a[1].Int >= 1 && a[1].Int <= 12 && a[2].Int >= 1 &&
			a[2].Int <= 31 {
			day, ok := EpochDay(int(a[0].Int), int(a[1].Int), int(a[2].Int))
			if ok && (day < maxDate || n < dayMicros) {
				return integer(day*dayMicros + n), nil
			}
		}
		return null, failf("Input calculates to invalid datetime: %04d-%02d-%02d %02d:%02d:%02d", a[0].Int, a[1].Int,
			a[2].Int,
			a[3].Int, a[4].Int, a[5].Int)
	})
	def("bq_date_from_days", "INT64 -> DATE", func(a []Value) (Value, error) {
		if a[0].Int < minDate || a[0].Int > maxDate {
			return null, failf("DATE value is out of range: %d days", a[0].Int)
		}
		return a[0], nil
	})
	for name, scale := range map[string]int64{"seconds": 1e6, "millis": 1000, "micros": 1} {
		def("bq_timestamp_"+name, "INT64 -> TIMESTAMP", func(a []Value) (Value, error) {
			n := a[0].Int
			if n > maxMicros/scale || n < minMicros/scale {
				return null, failf("TIMESTAMP value is out of allowed range: %d %s", n, name)
			}
			return integer(n * scale), nil
		})
	}
	def("bq_timestamp_in", "STRING, STRING -> TIMESTAMP", func(a []Value) (Value, error) {
		loc, err := Zone(a[1].Text)
		if err != nil {
			return null, err
		}
		n, ok := ParseDatetime(a[0].Text)
		if !ok {
			if _, err := ParseTimestamp(a[0].Text, loc); err == nil {
				return null, failf("Timezone is not allowed in \"%s\"", a[0].Text)
			}
			return null, failf("Invalid timestamp: '%s'", a[0].Text)
		}
		return instantMicros(Instant(n, loc))
	})
}
