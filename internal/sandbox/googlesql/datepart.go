package googlesql

import (
	"strconv"
	"strings"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/builtin"
)

// parts has the date parts. add is "" for a part without intervals.
var parts = map[string]partInfo{
	"MICROSECOND": {"n", false, true},
	"MILLISECOND": {"n", false, true},
	"SECOND":      {"n", false, true},
	"MINUTE":      {"n", false, true},
	"HOUR":        {"n", false, true},
	"DAY":         {"n", true, false},
	"WEEK":        {"n", true, false},
	"ISOWEEK":     {"", true, false},
	"MONTH":       {"n", true, false},
	"QUARTER":     {"n", true, false},
	"YEAR":        {"n", true, false},
	"ISOYEAR":     {"", true, false},
}

type partInfo struct {
	add        string // "" where there are no intervals of the part
	date, time bool   // belongs to DATE, to TIME
}

var weekdays = map[string]int{"SUNDAY": 0, "MONDAY": 1, "TUESDAY": 2, "WEDNESDAY": 3, "THURSDAY": 4, "FRIDAY": 5,
	"SATURDAY": 6}

func init() {
	for day := range weekdays {
		parts["WEEK("+day+")"] = partInfo{"", true, false}
	}
}

// datePart reads a date part argument: its word, or WEEK(day).
func (a *analyzer) datePart(x expr) string {
	if c, ok := x.(*callExpr); ok && c.name == "WEEK" && len(c.args) == 1 {
		if _, ok := weekdays[word(c.args[0])]; ok {
			return "WEEK(" + word(c.args[0]) + ")"
		}
	}
	part := word(x)
	if part == "" {
		a.fail(x, "A valid date part name is required")
	}
	return part
}

// interval analyzes INTERVAL n PART and INTERVAL '..' PART TO PART.
func (a *analyzer) interval(x *intervalExpr, s *scope) val {
	v := a.expr(x.x, s)
	if x.to != "" {
		if v.lit == nil || v.lit.kind != String {
			a.fail(x, "Invalid interval literal. Expected STRING literal")
		}
		if _, err := builtin.ParseIntervalRange(v.lit.text, x.part, x.to); err != nil {
			a.fail(x.x, "%s", builtinText(err))
		}
		return val{sql: "bq_interval_range(" + v.sql + ", '" + x.part + "', '" + x.to + "')", t: kind(Interval)}
	}
	p, known := parts[x.part]
	if !known || p.add == "" {
		a.fail(x, "Invalid interval literal: %s is not a part of an INTERVAL", x.part)
	}
	if v.lit != nil && v.lit.kind == String { // seconds may have a fraction
		sql, ok := intervalLiteral(v.lit.text, x.part)
		if !ok {
			a.fail(x.x, "Invalid INTERVAL value '%s'", v.lit.text)
		}
		return val{sql: sql, t: kind(Interval)}
	}
	n, ok := a.coerce(v, kind(Int64))
	if !ok {
		a.fail(x, "Invalid interval literal. Expected INT64 or STRING literal, but got %s", v.t.name())
	}
	return merge("bq_interval("+n.sql+", '"+x.part+"')", kind(Interval), v)
}

// intervalLiteral reads INTERVAL '1.5' SECOND and its like.
func intervalLiteral(s, part string) (string, bool) {
	if part == "SECOND" && strings.Contains(s, ".") {
		sign := strings.HasPrefix(s, "-")
		t := strings.TrimLeft(s, "+-")
		if strings.HasPrefix(t, ".") {
			t = "0" + t
		}
		v, err := builtin.ParseIntervalRange("0:"+t, "MINUTE", "SECOND")
		if err != nil || len(s)-len(strings.TrimLeft(s, "+-")) > 1 {
			return "", false
		}
		if sign {
			v.Int = -v.Int
		}
		return "bq_interval(" + strconv.FormatInt(v.Int, 10) + ", 'MICROSECOND')", true
	}
	n, err := strconv.ParseInt(strings.TrimPrefix(s, "+"), 10, 64)
	return "bq_interval(" + strconv.FormatInt(n, 10) + ", '" + part + "')", err == nil
}

// dateArithmetic writes + and - of dates and intervals.
func (a *analyzer) dateArithmetic(x *binaryExpr, l, r val) (val, bool) {
	isInterval := l.t.Kind == Interval || r.t.Kind == Interval
	if x.op != "+" && x.op != "-" {
		if isInterval {
			return a.scaleInterval(x, l, r), true
		}
		return val{}, false
	}
	addDays := func(d, n val) val {
		n, _ = a.coerce(n, kind(Int64))
		count := n.sql
		if x.op == "-" {
			count = "(-" + count + ")"
		}
		return merge("bq_add_date("+d.sql+", "+count+", 'DAY')", kind(Date), l, r)
	}
	switch {
	case isInterval:
		return a.plusInterval(x, l, r), true
	case l.t.Kind == Date && (r.t.Kind == Int64 || r.untyped()):
		return addDays(l, r), true
	case x.op == "+" && r.t.Kind == Date && (l.t.Kind == Int64 || l.untyped()):
		return addDays(r, l), true
	case x.op == "-" && temporalKind(l.t.Kind) && temporalKind(r.t.Kind):
		vs, t := a.unify([]val{l, r}, x, "operator -")
		if t.Kind == Date {
			return merge("bq_interval(bq_diff_date("+vs[0].sql+", "+vs[1].sql+", 'DAY'), 'DAY')", kind(Interval), l, r),
				true
		}
		return merge("bq_interval(epoch_us("+vs[0].sql+") - epoch_us("+vs[1].sql+"), 'MICROSECOND')", kind(Interval), l,
			r), true
	}
	return val{}, false
}

func temporalKind(k Kind) bool { return k == Date || k == Datetime || k == Timestamp }

// scaleInterval writes INTERVAL * n and INTERVAL / n.
func (a *analyzer) scaleInterval(x *binaryExpr, l, r val) val {
	iv, n := l, r
	if x.op == "*" && r.t.Kind == Interval {
		iv, n = r, l
	}
	w, ok := a.coerce(n, kind(Int64))
	f := map[string]string{"*": "bq_interval_mul", "/": "bq_interval_div"}[x.op]
	if !ok || iv.t.Kind != Interval || f == "" {
		a.noMatch(x, x.op, l, r)
	}
	return merge(f+"("+iv.sql+", "+w.sql+")", kind(Interval), l, r)
}

func (a *analyzer) plusInterval(x *binaryExpr, l, r val) val {
	if l.t.Kind == Interval && x.op == "+" && r.t.Kind != Interval {
		l, r = r, l
	}
	if l.untyped() {
		l, _ = a.coerce(l, r.t)
	}
	if r.untyped() {
		r, _ = a.coerce(r, kind(Interval))
	}
	if r.t.Kind != Interval {
		a.noMatch(x, x.op, l, r)
	}
	switch l.t.Kind {
	case Date:
		l, _ = a.coerce(l, kind(Datetime))
		return merge(plusSQL(l, r, x.op == "-"), kind(Datetime), l, r)
	case Datetime:
		return merge(plusSQL(l, r, x.op == "-"), l.t, l, r)
	case Interval:
		sign := "1"
		if x.op == "-" {
			sign = "-1"
		}
		return merge("bq_interval_add("+l.sql+", "+r.sql+", "+sign+")", l.t, l, r)
	case Timestamp:
		for _, side := range []expr{x.l, x.r} {
			if iv, ok := side.(*intervalExpr); ok && parts[iv.part].date && iv.part != "DAY" && iv.part != "WEEK" &&
				iv.to == "" {
				a.fail(x, "TIMESTAMP +/- INTERVAL is not supported for intervals with non-zero MONTH or YEAR part")
			}
		}
		return merge(plusSQL(l, r, x.op == "-"), l.t, l, r)
	}
	a.noMatch(x, x.op, l, r)
	return val{}
}

// extract analyzes EXTRACT(part FROM x [AT TIME ZONE zone]).
func (a *analyzer) extract(x *extractExpr, s *scope) val {
	v := a.expr(x.x, s)
	part := a.datePart(x.part)
	switch v.t.Kind {
	case Date, Datetime, Timestamp, Time:
	case Interval:
		if !intervalParts[part] || x.zone != nil {
			a.fail(x.part, "EXTRACT from INTERVAL does not support the %s part", part)
		}
		return merge("bq_interval_extract("+v.sql+", '"+part+"')", kind(Int64), v)
	default:
		a.fail(x, "No matching signature for function EXTRACT for argument types: DATE_TIME_PART FROM %s", v.t.name())
	}
	local := v.sql
	if v.t.Kind == Timestamp {
		local = a.local(v.sql, x.zone, s)
	} else if x.zone != nil {
		a.fail(x.zone, "EXTRACT from %s does not support AT TIME ZONE", v.t.Kind)
	}
	if v.t.Kind == Date && timeParts[part] || v.t.Kind == Time && !timeParts[part] ||
		(v.t.Kind == Time || v.t.Kind == Datetime) && part == "DATETIME" || v.t.Kind == Time && part == "TIME" {
		a.fail(x, "EXTRACT from %s does not support the %s date part", v.t.Kind, part)
	}
	switch part {
	case "DATE":
		return merge("CAST("+local+" AS DATE)", kind(Date), v)
	case "TIME":
		return merge("CAST("+local+" AS TIME)", kind(Time), v)
	case "DATETIME":
		return merge(local, kind(Datetime), v)
	}
	if part == "WEEK" {
		part = "WEEK(SUNDAY)"
	}
	if day, ok := strings.CutPrefix(part, "WEEK("); ok { // days before the year's first such weekday are in week 0
		first := strconv.Itoa(weekdays[strings.TrimSuffix(day, ")")])
		return merge("CAST((extract(doy FROM "+local+") + 6 - (extract(dow FROM "+local+") - "+first+
			" + 7) % 7) // 7 AS BIGINT)",
			kind(Int64), v)
	}
	sql, ok := extracts[part]
	if !ok {
		a.fail(x.part, "A valid date part name is required but found %s", part)
	}
	return merge("CAST("+strings.ReplaceAll(sql, "{1}", local)+" AS BIGINT)", kind(Int64), v)
}

var timeParts = map[string]bool{"MICROSECOND": true, "MILLISECOND": true, "SECOND": true, "MINUTE": true, "HOUR": true,
	"TIME": true, "DATETIME": true}

var intervalParts = map[string]bool{"YEAR": true, "MONTH": true, "DAY": true, "HOUR": true, "MINUTE": true,
	"SECOND":      true,
	"MILLISECOND": true, "MICROSECOND": true}

var extracts = map[string]string{
	"YEAR": "extract(year FROM {1})", "ISOYEAR": "extract(isoyear FROM {1})", "QUARTER": "extract(quarter FROM {1})",
	"MONTH": "extract(month FROM {1})", "ISOWEEK": "extract(week FROM {1})", "DAY": "extract(day FROM {1})",
	"DAYOFWEEK": "(extract(dow FROM {1}) + 1)", "DAYOFYEAR": "extract(doy FROM {1})", "HOUR": "extract(hour FROM {1})",
	"MINUTE": "extract(minute FROM {1})", "SECOND": "extract(second FROM {1})",
	"MILLISECOND": "(extract(millisecond FROM {1}) % 1000)", "MICROSECOND": "(extract(microsecond FROM {1}) % 1000000)",
}

// local returns the civil time of a TIMESTAMP in a zone, the default one if zone is
// nil.
func (a *analyzer) local(sql string, zone expr, s *scope) string {
	return localSQL(sql, a.zone(zone, s))
}
