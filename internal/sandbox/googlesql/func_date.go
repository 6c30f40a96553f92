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
	def("DATE_FROM_UNIX_DATE", "INT64 -> DATE", "(DATE '1970-01-01' + CAST({1} AS INTEGER))")
	def("UNIX_DATE", "DATE -> INT64", "date_diff('day', DATE '1970-01-01', {1})")
	def("UNIX_SECONDS", "TIMESTAMP -> INT64", "CAST(floor(epoch_us({1}) / 1000000) AS BIGINT)")
	def("UNIX_MILLIS", "TIMESTAMP -> INT64", "CAST(floor(epoch_us({1}) / 1000) AS BIGINT)")
	def("UNIX_MICROS", "TIMESTAMP -> INT64", "epoch_us({1})")
	def("TIMESTAMP_SECONDS", "INT64 -> TIMESTAMP", "timezone('UTC', make_timestamp({1} * 1000000))")
	def("TIMESTAMP_MILLIS", "INT64 -> TIMESTAMP", "timezone('UTC', make_timestamp({1} * 1000))")
	def("TIMESTAMP_MICROS", "INT64 -> TIMESTAMP", "timezone('UTC', make_timestamp({1}))")
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
	code("DATE", func(a *analyzer, c *callExpr, s *scope) val {
		a.countArgs(c, 1, 3)
		vs := a.args(c, s)
		if len(vs) == 3 {
			for i := range vs {
				vs[i] = a.must(vs[i], kind(Int64), c, "No matching signature for function DATE for argument types: %s",
					typeList(vs))
			}
			return merge("make_date("+joinSQL(vs)+")", kind(Date), vs...)
		}
		return a.toCivil(c, vs, s, Date)
	})
	code("DATETIME", func(a *analyzer, c *callExpr, s *scope) val {
		a.countArgs(c, 1, 6)
		vs := a.args(c, s)
		if len(vs) == 6 {
			for i := range vs {
				vs[i] = a.must(vs[i], kind(Int64), c, "No matching signature for function DATETIME for argument "+
					"types: %s", typeList(vs))
			}
			return merge("make_timestamp("+joinSQL(vs)+")", kind(Datetime), vs...)
		}
		if len(vs) == 2 && vs[0].t.Kind == Date && vs[1].t.Kind == Time {
			return merge("("+joinWith(vs, " + ")+")", kind(Datetime), vs...)
		}
		return a.toCivil(c, vs, s, Datetime)
	})
	code("TIME", func(a *analyzer, c *callExpr, s *scope) val {
		a.countArgs(c, 1, 3)
		vs := a.args(c, s)
		if len(vs) == 3 {
			for i := range vs {
				vs[i] = a.must(vs[i], kind(Int64), c, "No matching signature for function TIME for argument types: %s",
					typeList(vs))
			}
			return merge("make_time("+joinSQL(vs)+")", kind(Time), vs...)
		}
		return a.toCivil(c, vs, s, Time)
	})
	code("TIMESTAMP", func(a *analyzer, c *callExpr, s *scope) val {
		a.countArgs(c, 1, 2)
		v := a.expr(c.args[0], s)
		var zone expr
		if len(c.args) == 2 {
			zone = c.args[1]
		}
		switch v.t.Kind {
		case Timestamp:
			return v
		case Date, Datetime:
			return merge("timezone("+a.zone(zone, s)+", CAST("+v.sql+" AS TIMESTAMP))", kind(Timestamp), v)
		case String:
			if zone != nil {
				a.refuse(c, "TIMESTAMP of a STRING with a time zone")
			}
			if w, ok := a.coerce(v, kind(Timestamp)); ok {
				return w
			}
			return merge(a.castSQL(String, Timestamp, v.sql), kind(Timestamp), v)
		}
		a.noSignature(c, []val{v})
		return val{}
	})

	code("STRING", func(a *analyzer, c *callExpr, s *scope) val {
		a.countArgs(c, 1, 2)
		vs := a.args(c, s)
		switch {
		case len(vs) == 2 && vs[0].t.Kind == Timestamp:
			zone := a.zone(c.args[1], s)
			return merge(strings.ReplaceAll(zonedText(zone), "{1}", vs[0].sql), kind(String), vs...)
		case vs[0].t.Kind == Timestamp:
			return merge(a.castSQL(Timestamp, String, vs[0].sql), kind(String), vs...)
		}
		return a.match(functions["STRING"], c, vs)
	})
	def("STRING", "DATE -> STRING", casts[[2]Kind{Date, String}])
	def("STRING", "DATETIME -> STRING", casts[[2]Kind{Datetime, String}])
	def("STRING", "TIME -> STRING", casts[[2]Kind{Time, String}])
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
	if v.lit != nil && v.t.Kind == String || v.untyped() {
		w, _ := a.coerce(v, kind(Timestamp))
		v = w
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
	case len(vs) == 1 && a.castSQL(v.t.Kind, to, v.sql) != "" && v.t.Kind != Int64:
		return merge(a.castSQL(v.t.Kind, to, v.sql), kind(to), v)
	}
	a.noSignature(c, vs)
	return val{}
}

// temporalArg converts an argument to the kind in the function's name.
func (a *analyzer) temporalArg(c *callExpr, i int, s *scope) val {
	v := a.expr(c.args[i], s)
	k := prefixKind(c.name)
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

// civil is a temporal value as DuckDB's TIMESTAMP, DATE or TIME without a zone.
func civil(v val) string {
	if v.t.Kind == Timestamp {
		return "timezone('UTC', " + v.sql + ")"
	}
	return v.sql
}

// back turns a civil TIMESTAMP into the kind of v.
func back(sql string, k Kind) string {
	if k == Timestamp {
		return "timezone('UTC', " + sql + ")"
	}
	return "CAST(" + sql + " AS " + duckKinds[k] + ")"
}

func addInterval(a *analyzer, c *callExpr, s *scope) val {
	a.countArgs(c, 2, 2)
	v := a.temporalArg(c, 0, s)
	iv, ok := c.args[1].(*intervalExpr)
	if !ok {
		a.refuse(c.args[1], c.name+" of anything but INTERVAL n PART")
	}
	part := iv.part
	info := parts[part]
	bad := info.add == "" || v.t.Kind == Date && !info.date || v.t.Kind == Time && !info.time ||
		v.t.Kind == Timestamp && info.date && part != "DAY"
	if bad {
		a.fail(iv, "%s does not support the %s date part", c.name, part)
	}
	n := a.interval(iv, s)
	op := " + "
	if strings.HasSuffix(c.name, "_SUB") {
		op = " - "
	}
	return merge(back("("+civil(v)+op+n.sql+")", v.t.Kind), v.t, v, n)
}

func lastDay(a *analyzer, c *callExpr, s *scope) val {
	a.countArgs(c, 1, 2)
	v := a.temporalArg(c, 0, s)
	if v.t.Kind == Timestamp {
		a.noSignature(c, []val{v})
	}
	part, first := "MONTH", 0
	if len(c.args) == 2 {
		part, first = a.datePart(c.args[1])
	}
	info := parts[part]
	if !info.date || part == "DAY" || info.add == "" {
		a.fail(c, "LAST_DAY does not support the %s date part", part)
	}
	start := truncSQL("CAST("+v.sql+" AS DATE)", part, first)
	return merge("CAST("+start+" + "+info.interval("1::BIGINT")+" - to_days(1) AS DATE)", kind(Date), v)
}

func dateTrunc(a *analyzer, c *callExpr, s *scope) val {
	a.countArgs(c, 2, 3)
	v := a.temporalArg(c, 0, s)
	part, first := a.datePart(c.args[1])
	info, ok := parts[part]
	if !ok || v.t.Kind == Date && !info.date || v.t.Kind == Time && !info.time {
		a.fail(c.args[1], "%s does not support the %s date part", c.name, part)
	}
	if len(c.args) == 3 {
		if v.t.Kind != Timestamp {
			a.noSignature(c, []val{v})
		}
		zone := a.zone(c.args[2], s)
		return merge("timezone("+zone+", "+truncSQL("timezone("+zone+", "+v.sql+")", part, first)+")", v.t, v)
	}
	if v.t.Kind == Time {
		return merge("CAST("+truncSQL("(DATE '1970-01-01' + "+v.sql+")", part, first)+" AS TIME)", v.t, v)
	}
	if v.t.Kind == Timestamp {
		zone := a.zone(nil, s)
		return merge("timezone("+zone+", "+truncSQL("timezone("+zone+", "+v.sql+")", part, first)+")", v.t, v)
	}
	return merge(back(truncSQL(civil(v), part, first), v.t.Kind), v.t, v)
}

// truncSQL truncates a civil DATE or TIMESTAMP to a TIMESTAMP.
func truncSQL(x, part string, first int) string {
	x = "CAST(" + x + " AS TIMESTAMP)"
	switch part {
	case "WEEK": // DuckDB's weeks begin on Monday
		shift := itoa((8 - first) % 7)
		return "(date_trunc('week', " + x + " + to_days(" + shift + ")) - to_days(" + shift + "))"
	case "ISOYEAR":
		return "date_trunc('week', make_date(extract(isoyear FROM " + x + "), 1, 4)::TIMESTAMP)"
	}
	return "date_trunc('" + parts[part].unit + "', " + x + ")"
}

func dateDiff(a *analyzer, c *callExpr, s *scope) val {
	a.countArgs(c, 3, 3)
	l, r := a.temporalArg(c, 0, s), a.temporalArg(c, 1, s)
	if l.t.Kind != r.t.Kind {
		vs, _ := a.unify([]val{l, r}, c, "function "+c.name)
		l, r = vs[0], vs[1]
	}
	part, first := a.datePart(c.args[2])
	info, ok := parts[part]
	bad := !ok || l.t.Kind == Date && !info.date || l.t.Kind == Time && !info.time || l.t.Kind == Timestamp &&
		info.date && part != "DAY"
	if bad {
		a.fail(c.args[2], "%s does not support the %s date part", c.name, part)
	}
	x, y := civil(l), civil(r)
	var sql string
	switch {
	case part == "WEEK":
		sql = "(date_diff('day', " + truncSQL(y, part, first) + ", " + truncSQL(x, part, first) + ") // 7)"
	case part == "ISOYEAR":
		sql = "(extract(isoyear FROM " + x + ") - extract(isoyear FROM " + y + "))"
	case l.t.Kind == Timestamp: // whole units that have passed, not boundaries
		sql = "date_sub('" + info.unit + "', " + y + ", " + x + ")"
	default:
		sql = "date_diff('" + info.unit + "', " + y + ", " + x + ")"
	}
	return merge(sql, kind(Int64), l, r)
}
