package googlesql

import "strings"

// temporal kinds by the prefix of their functions' names.
var prefixKinds = map[string]Kind{"DATE": Date, "DATETIME": Datetime, "TIMESTAMP": Timestamp, "TIME": Time}

func prefixKind(name string) Kind {
	p, _, _ := strings.Cut(name, "_")
	return prefixKinds[p]
}

func init() {
	code("DATE_ADD DATE_SUB DATETIME_ADD DATETIME_SUB TIMESTAMP_ADD TIMESTAMP_SUB TIME_ADD TIME_SUB", addInterval)
	code("DATE_DIFF DATETIME_DIFF TIMESTAMP_DIFF TIME_DIFF", dateDiff)
	code("DATE_TRUNC DATETIME_TRUNC TIMESTAMP_TRUNC TIME_TRUNC", dateTrunc)
	code("LAST_DAY", lastDay)
	def("DATE_FROM_UNIX_DATE", "INT64 -> DATE", "bq_date_from_days({1})")
	def("UNIX_DATE", "DATE -> INT64", "date_diff('day', DATE '1970-01-01', {1})")
	def("UNIX_SECONDS", "TIMESTAMP -> INT64", "CAST(floor(epoch_us({1}) / 1000000) AS BIGINT)")
	def("UNIX_MILLIS", "TIMESTAMP -> INT64", "CAST(floor(epoch_us({1}) / 1000) AS BIGINT)")
	def("UNIX_MICROS", "TIMESTAMP -> INT64", "epoch_us({1})")
	def("TIMESTAMP_SECONDS", "INT64 -> TIMESTAMP", "bq_timestamp_seconds({1})")
	def("TIMESTAMP_MILLIS", "INT64 -> TIMESTAMP", "bq_timestamp_millis({1})")
	def("TIMESTAMP_MICROS", "INT64 -> TIMESTAMP", "bq_timestamp_micros({1})")
	code("CURRENT_DATE CURRENT_DATETIME CURRENT_TIME", func(a *analyzer, c *callExpr, s *scope) val {
		a.countArgs(c, 0, 1)
		var zone expr
		if len(c.args) == 1 {
			zone = c.args[0]
		}
		k := Kind(strings.TrimPrefix(c.name, "CURRENT_"))
		return val{sql: "CAST(" + a.local("now()", zone, s) + " AS " + duckKinds[k] + ")", t: kind(k)}
	})
	def("CURRENT_TIMESTAMP", "-> TIMESTAMP", "now()")
	constructor("DATE", Date, "bq_make_date", 3)
	constructor("TIME", Time, "bq_make_time", 3)
	constructor("DATETIME", Datetime, "bq_make_datetime", 6)
	code("TIMESTAMP", timestampCall)
	code("STRING", func(a *analyzer, c *callExpr, s *scope) val {
		a.countArgs(c, 1, 2)
		vs := a.args(c, s)
		v := vs[0]
		if v.t.Kind != Timestamp {
			return a.match(stringOf, c, vs)
		}
		var zone expr
		if len(vs) == 2 {
			zone = c.args[1]
		}
		return merge("bq_timestamp_text("+v.sql+", "+a.zone(zone, s)+")", kind(String), vs...)
	})
	def("MAKE_INTERVAL", "INT64, INT64, INT64, INT64, INT64, INT64 -> INTERVAL", "bq_make_interval({*})")
	makeInterval := functions["MAKE_INTERVAL"]
	code("MAKE_INTERVAL", func(a *analyzer, c *callExpr, s *scope) val {
		a.countArgs(c, 0, 6)
		vs := make([]val, 6)
		for i, n := range []string{"year", "month", "day", "hour", "minute", "second"} {
			if i < len(c.args) {
				vs[i] = a.expr(c.args[i], s)
				continue
			}
			vs[i] = val{sql: "0::BIGINT", t: kind(Int64)}
			for _, arg := range c.named {
				if strings.EqualFold(arg.name.text, n) {
					vs[i] = a.expr(arg.x, s)
				}
			}
		}
		a.onlyNamed(c, "year", "month", "day", "hour", "minute", "second")
		return a.match(makeInterval, c, vs)
	})
	def("JUSTIFY_HOURS", "INTERVAL -> INTERVAL", "bq_justify_hours({1})")
	def("JUSTIFY_DAYS", "INTERVAL -> INTERVAL", "bq_justify_days({1})")
	def("JUSTIFY_INTERVAL", "INTERVAL -> INTERVAL", "bq_justify_interval({1})")
}

// stringOf are the signatures of STRING but that of a TIMESTAMP.
var stringOf = &function{sigs: []signature{
	{args: []Type{kind(Date)}, result: kind(String), sql: "bq_date_text({1})"},
	{args: []Type{kind(Datetime)}, result: kind(String), sql: "bq_datetime_text({1}, ' ')"},
	{args: []Type{kind(Time)}, result: kind(String), sql: "bq_time_text({1})"},
	{args: []Type{kind(JSON)}, result: kind(String), sql: "bq_json_text({1})"},
}}

// onlyNamed fails for an argument with another name.
func (a *analyzer) onlyNamed(c *callExpr, names ...string) {
	for i, arg := range c.named {
		known := false
		for _, n := range names {
			known = known || strings.EqualFold(n, arg.name.text)
		}
		if !known {
			a.fail(arg.name, "Named argument %s not found in signature for call to function %s", arg.name.text, c.name)
		}
		for _, other := range c.named[:i] {
			if strings.EqualFold(other.name.text, arg.name.text) {
				a.fail(arg.name, "Duplicate named argument %s found in call to function %s", arg.name.text, c.name)
			}
		}
	}
}

// namedArg returns an argument by its name, or nil.
func (c *callExpr) namedArg(name string) expr {
	for _, arg := range c.named {
		if strings.EqualFold(arg.name.text, name) {
			return arg.x
		}
	}
	return nil
}

// constructor adds DATE, TIME or DATETIME: from its numbers, or from another date or time.
func constructor(name string, to Kind, make string, numbers int) {
	code(name, func(a *analyzer, c *callExpr, s *scope) val {
		a.countArgs(c, 1, numbers)
		vs := a.args(c, s)
		if len(vs) == numbers && numbers > 2 {
			conv := append([]val(nil), vs...)
			for i := range vs {
				w, ok := a.coerce(vs[i], kind(Int64))
				if !ok {
					a.noSignature(c, vs)
				}
				conv[i] = w
			}
			return merge(make+"("+joinSQL(conv)+")", kind(to), vs...)
		}
		if to == Datetime && len(vs) == 2 && vs[0].t.Kind == Date {
			if t, ok := a.coerce(vs[1], kind(Time)); ok {
				return merge("("+vs[0].sql+" + "+t.sql+")", kind(Datetime), vs...)
			}
		}
		return a.toCivil(c, vs, s, to)
	})
}

func timestampCall(a *analyzer, c *callExpr, s *scope) val {
	a.countArgs(c, 1, 2)
	v := a.expr(c.args[0], s)
	var zone expr
	if len(c.args) == 2 {
		zone = c.args[1]
	}
	switch v.t.Kind {
	case Timestamp:
		if zone == nil {
			return v
		}
	case Date, Datetime:
		return merge(instantSQL("CAST("+v.sql+" AS TIMESTAMP)", a.zone(zone, s)), kind(Timestamp), v)
	case String:
		if zone != nil {
			return merge("bq_timestamp_in("+v.sql+", "+a.zone(zone, s)+")", kind(Timestamp), v)
		}
		if v.lit != nil { // a text that is none fails as it runs
			if sql, ok := a.temporalLiteral(Timestamp, v.lit.text); ok {
				return val{sql: sql, t: kind(Timestamp)}
			}
		}
		return merge(a.castSQL(String, Timestamp, v.sql), kind(Timestamp), v)
	case "":
		w, _ := a.coerce(v, kind(Timestamp))
		return w
	}
	a.noSignature(c, []val{v})
	return val{}
}

func joinWith(vs []val, sep string) string {
	var out []string
	for _, v := range vs {
		out = append(out, v.sql)
	}
	return strings.Join(out, sep)
}

// toCivil converts a TIMESTAMP (in a zone), DATE, DATETIME or STRING to a civil type.
func (a *analyzer) toCivil(c *callExpr, vs []val, s *scope, to Kind) val {
	if len(vs) > 2 {
		a.noSignature(c, vs)
	}
	v := vs[0]
	switch {
	case v.untyped() || v.lit != nil && v.t.Kind == String && len(vs) == 2:
		v, _ = a.coerce(v, kind(Timestamp))
	case v.t.Kind == String && len(vs) == 1:
		if v.lit != nil { // a DATE or DATETIME in a text, or the TIMESTAMP that it is
			if w, ok := a.temporalLiteral(to, v.lit.text); ok {
				return val{sql: w, t: kind(to)}
			}
			v, _ = a.coerce(v, kind(Timestamp))
		}
	}
	switch {
	case v.t.Kind == Timestamp:
		var zone expr
		if len(c.args) == 2 {
			zone = c.args[1]
		}
		return merge("CAST("+a.local(v.sql, zone, s)+" AS "+duckKinds[to]+")", kind(to), vs...)
	case len(vs) == 1 && v.t.Kind == to:
		return v
	case len(vs) == 1 && v.t.Kind != Int64 && a.castSQL(v.t.Kind, to, v.sql) != "":
		return merge(a.castSQL(v.t.Kind, to, v.sql), kind(to), v)
	}
	a.noSignature(c, vs)
	return val{}
}

// temporalArg converts an argument to the kind in the function's name.
func (a *analyzer) temporalArg(c *callExpr, i int, s *scope) val {
	v := a.expr(c.args[i], s)
	k := prefixKind(c.name)
	if k == Datetime && v.t.Kind == Timestamp && !strings.HasSuffix(c.name, "_DIFF") {
		return v // the functions of DATETIME and of TIMESTAMP take both
	}
	if k == Timestamp && v.t.Kind == Datetime {
		return v
	}
	if c.name == "LAST_DAY" || k == Date && (v.t.Kind == Datetime || v.t.Kind == Timestamp) {
		if v.t.Kind == Date || v.t.Kind == Datetime || v.t.Kind == Timestamp {
			return v // DATE_TRUNC and its like take the three kinds
		}
		k = Date
	}
	w, ok := a.coerce(v, kind(k))
	if !ok {
		a.noSignature(c, []val{v})
	}
	return w
}

// suits fails if a type does not have the date part.
func (a *analyzer) suits(c *callExpr, x expr, part string, k Kind, exact bool) {
	info, ok := parts[part]
	bad := !ok || k == Date && !info.date || k == Time && !info.time || exact && k == Timestamp && info.date &&
		part != "DAY"
	if bad {
		a.fail(x, "%s does not support the %s date part", c.name, part)
	}
}

func addInterval(a *analyzer, c *callExpr, s *scope) val {
	a.countArgs(c, 2, 2)
	v := a.temporalArg(c, 0, s)
	iv, ok := c.args[1].(*intervalExpr)
	if !ok || iv.to != "" {
		w := a.expr(c.args[1], s)
		if w.t.Kind != Interval || v.t.Kind != Datetime && v.t.Kind != Timestamp {
			a.noSignature(c, []val{v, w})
		}
		return merge(plusSQL(v, w, strings.HasSuffix(c.name, "_SUB")), v.t, v, w)
	}
	part := iv.part
	a.suits(c, iv, part, v.t.Kind, true)
	if parts[part].add == "" {
		a.fail(iv, "%s does not support the %s date part", c.name, part)
	}
	n := a.expr(iv.x, s)
	w, ok := a.coerce(n, kind(Int64))
	if !ok {
		a.noSignature(c, []val{v, n})
	}
	count := w.sql
	if strings.HasSuffix(c.name, "_SUB") {
		count = "(-" + count + ")"
	}
	f := "bq_add_" + strings.ToLower(string(v.t.Kind))
	return merge(f+"("+v.sql+", "+count+", '"+part+"')", v.t, v, n)
}

// plusSQL adds or takes away an INTERVAL.
func plusSQL(v, w val, minus bool) string {
	sign := "1"
	if minus {
		sign = "-1"
	}
	return "bq_" + strings.ToLower(string(v.t.Kind)) + "_plus(" + v.sql + ", " + w.sql + ", " + sign + ")"
}

func lastDay(a *analyzer, c *callExpr, s *scope) val {
	a.countArgs(c, 1, 2)
	v := a.temporalArg(c, 0, s)
	if v.t.Kind == Timestamp {
		a.noSignature(c, []val{v})
	}
	part := "MONTH"
	if len(c.args) == 2 {
		part = a.datePart(c.args[1])
	}
	if info := parts[part]; !info.date || part == "DAY" {
		a.fail(c, "LAST_DAY does not support the %s date part", part)
	}
	return merge("bq_last_day(CAST("+v.sql+" AS DATE), '"+part+"')", kind(Date), v)
}

func dateTrunc(a *analyzer, c *callExpr, s *scope) val {
	a.countArgs(c, 2, 3)
	v := a.temporalArg(c, 0, s)
	part := a.datePart(c.args[1])
	a.suits(c, c.args[1], part, v.t.Kind, false)
	args := v.sql + ", '" + part + "'"
	switch {
	case v.t.Kind == Timestamp:
		var zone expr
		if len(c.args) == 3 {
			zone = c.args[2]
		}
		args += ", " + a.zone(zone, s)
	case len(c.args) == 3:
		a.noSignature(c, []val{v})
	}
	return merge("bq_trunc_"+strings.ToLower(string(v.t.Kind))+"("+args+")", v.t, v)
}

func dateDiff(a *analyzer, c *callExpr, s *scope) val {
	a.countArgs(c, 3, 3)
	l, r := a.temporalArg(c, 0, s), a.temporalArg(c, 1, s)
	if l.t.Kind != r.t.Kind {
		vs, _ := a.unify([]val{l, r}, c, "function "+c.name)
		l, r = vs[0], vs[1]
	}
	part := a.datePart(c.args[2])
	a.suits(c, c.args[2], part, l.t.Kind, true)
	return merge("bq_diff_"+strings.ToLower(string(l.t.Kind))+"("+l.sql+", "+r.sql+", '"+part+"')", kind(Int64), l, r)
}
