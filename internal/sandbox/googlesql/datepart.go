package googlesql

import "strings"

// parts are the date parts. unit is DuckDB's name in date_trunc and date_diff; add the
// DuckDB function that makes an interval of it and times how many of those it is.
var parts = map[string]partInfo{
	"MICROSECOND": {"microsecond", "to_microseconds", "", false, true},
	"MILLISECOND": {"millisecond", "to_microseconds", " * 1000", false, true},
	"SECOND":      {"second", "to_microseconds", " * 1000000", false, true},
	"MINUTE":      {"minute", "to_microseconds", " * 60000000", false, true},
	"HOUR":        {"hour", "to_microseconds", " * 3600000000", false, true},
	"DAY":         {"day", "to_days", "", true, false},
	"WEEK":        {"week", "to_days", " * 7", true, false},
	"ISOWEEK":     {"week", "", "", true, false},
	"MONTH":       {"month", "to_months", "", true, false},
	"QUARTER":     {"quarter", "to_months", " * 3", true, false},
	"YEAR":        {"year", "to_months", " * 12", true, false},
	"ISOYEAR":     {"isoyear", "", "", true, false},
}

var weekdays = map[string]int{"SUNDAY": 0, "MONDAY": 1, "TUESDAY": 2, "WEDNESDAY": 3, "THURSDAY": 4, "FRIDAY": 5,
	"SATURDAY": 6}

// datePart reads a date part argument: its word, and for weeks the first day (0 is Sunday).
func (a *analyzer) datePart(x expr) (part string, first int) {
	if c, ok := x.(*callExpr); ok && c.name == "WEEK" && len(c.args) == 1 {
		if d, ok := weekdays[word(c.args[0])]; ok {
			return "WEEK", d
		}
	}
	part = word(x)
	if part == "ISOWEEK" {
		return "WEEK", 1
	}
	if part == "" {
		a.fail(x, "A valid date part name is required")
	}
	return part, 0
}

// interval analyzes INTERVAL n PART and INTERVAL '..' PART TO PART.
func (a *analyzer) interval(x *intervalExpr, s *scope) val {
	if x.to != "" {
		a.refuse(x, "INTERVAL with a range of parts")
	}
	v := a.expr(x.x, s)
	n, ok := a.coerce(v, kind(Int64))
	p, known := parts[x.part]
	if !ok || !known || p.add == "" {
		if v.t.Kind == String {
			a.refuse(x, "INTERVAL of a STRING")
		}
		a.fail(x, "Invalid interval literal")
	}
	return merge(p.interval(n.sql), kind(Interval), v)
}

func (p partInfo) interval(n string) string {
	sql := "(" + n + ")" + p.times
	if p.add != "to_microseconds" {
		sql = "CAST(" + sql + " AS INTEGER)"
	}
	return p.add + "(" + sql + ")"
}

type partInfo struct {
	unit, add, times string
	date, time       bool // belongs to DATE, to TIME
}

// dateArithmetic writes + and - of dates and intervals.
func (a *analyzer) dateArithmetic(x *binaryExpr, l, r val) (val, bool) {
	if x.op != "+" && x.op != "-" {
		if x.op == "*" && (l.t.Kind == Interval || r.t.Kind == Interval) {
			a.refuse(x, "INTERVAL arithmetic")
		}
		return val{}, false
	}
	switch {
	case l.t.Kind == Date && (r.t.Kind == Int64 || r.untyped()):
		r, _ = a.coerce(r, kind(Int64))
		return merge("("+l.sql+" "+x.op+" CAST("+r.sql+" AS INTEGER))", kind(Date), l, r), true
	case x.op == "+" && r.t.Kind == Date && l.t.Kind == Int64:
		return merge("("+r.sql+" + CAST("+l.sql+" AS INTEGER))", kind(Date), l, r), true
	case r.t.Kind == Interval || l.t.Kind == Interval:
		return a.plusInterval(x, l, r), true
	case x.op == "-" && l.t.Kind == r.t.Kind && (l.t.Kind == Date || l.t.Kind == Datetime || l.t.Kind == Timestamp):
		days := ""
		if l.t.Kind == Date {
			days = "to_days(CAST(date_diff('day', " + r.sql + ", " + l.sql + ") AS INTEGER))"
		} else {
			days = "to_microseconds(epoch_us(" + l.sql + ") - epoch_us(" + r.sql + "))"
		}
		return merge(days, kind(Interval), l, r), true
	}
	return val{}, false
}

func (a *analyzer) plusInterval(x *binaryExpr, l, r val) val {
	if l.t.Kind == Interval && x.op == "+" && r.t.Kind != Interval {
		l, r = r, l
	}
	switch l.t.Kind {
	case Date:
		return merge("(CAST("+l.sql+" AS TIMESTAMP) "+x.op+" "+r.sql+")", kind(Datetime), l, r)
	case Datetime, Interval:
		return merge("("+l.sql+" "+x.op+" "+r.sql+")", l.t, l, r)
	case Timestamp:
		for _, side := range []expr{x.l, x.r} {
			if iv, ok := side.(*intervalExpr); ok && parts[iv.part].date && iv.part != "DAY" && iv.part != "WEEK" {
				a.fail(x, "TIMESTAMP +/- INTERVAL is not supported for intervals with non-zero MONTH or YEAR part")
			}
		}
		return merge("("+l.sql+" "+x.op+" "+r.sql+")", l.t, l, r)
	}
	a.noMatch(x, x.op, l, r)
	return val{}
}

// extract analyzes EXTRACT(part FROM x [AT TIME ZONE zone]).
func (a *analyzer) extract(x *extractExpr, s *scope) val {
	v := a.expr(x.x, s)
	switch v.t.Kind {
	case Date, Datetime, Timestamp, Time:
	case Interval:
		a.refuse(x, "EXTRACT from an INTERVAL")
	default:
		a.fail(x, "No matching signature for function EXTRACT for argument types: DATE_TIME_PART FROM %s", v.t.name())
	}
	local := v.sql
	if v.t.Kind == Timestamp {
		local = a.local(v.sql, x.zone, s)
	} else if x.zone != nil {
		a.fail(x.zone, "EXTRACT from %s does not support AT TIME ZONE", v.t.Kind)
	}
	part, first := a.datePart(x.part)
	if part == "WEEK" && word(x.part) == "ISOWEEK" {
		part = "ISOWEEK"
	}
	if v.t.Kind == Date && timeParts[part] || v.t.Kind == Time && !timeParts[part] {
		a.fail(x, "EXTRACT from %s does not support the %s date part", v.t.Kind, part)
	}
	switch part {
	case "DATE":
		return merge("CAST("+local+" AS DATE)", kind(Date), v)
	case "TIME":
		return merge("CAST("+local+" AS TIME)", kind(Time), v)
	case "DATETIME":
		return merge(local, kind(Datetime), v)
	case "WEEK": // days before the year's first such weekday are in week 0
		return merge("CAST((extract(doy FROM "+local+") + 6 - (extract(dow FROM "+local+") - "+itoa(first)+
			" + 7) % 7) // 7 AS BIGINT)", kind(Int64), v)
	}
	sql, ok := extracts[part]
	if !ok {
		a.fail(x.part, "A valid date part name is required but found %s", part)
	}
	return merge("CAST("+strings.ReplaceAll(sql, "{1}", local)+" AS BIGINT)", kind(Int64), v)
}

var timeParts = map[string]bool{"MICROSECOND": true, "MILLISECOND": true, "SECOND": true, "MINUTE": true, "HOUR": true,
	"TIME": true, "DATETIME": true}

var extracts = map[string]string{
	"YEAR": "extract(year FROM {1})", "ISOYEAR": "extract(isoyear FROM {1})", "QUARTER": "extract(quarter FROM {1})",
	"MONTH": "extract(month FROM {1})", "ISOWEEK": "extract(week FROM {1})", "DAY": "extract(day FROM {1})",
	"DAYOFWEEK": "(extract(dow FROM {1}) + 1)", "DAYOFYEAR": "extract(doy FROM {1})", "HOUR": "extract(hour FROM {1})",
	"MINUTE": "extract(minute FROM {1})", "SECOND": "extract(second FROM {1})",
	"MILLISECOND": "(extract(millisecond FROM {1}) % 1000)", "MICROSECOND": "(extract(microsecond FROM {1}) % 1000000)",
}

func itoa(n int) string { return string(rune('0' + n)) }

// local is the civil time of a TIMESTAMP in a zone, the default one if zone is nil.
func (a *analyzer) local(sql string, zone expr, s *scope) string {
	return "timezone(" + a.zone(zone, s) + ", " + sql + ")"
}
