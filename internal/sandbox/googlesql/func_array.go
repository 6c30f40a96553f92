package googlesql

import "strings"

func init() {
	code("ARRAY_LENGTH", func(a *analyzer, c *callExpr, s *scope) val {
		a.countArgs(c, 1, 1)
		v := a.arrayArg(c, a.args(c, s))
		return merge("CAST(len("+v.sql+") AS BIGINT)", kind(Int64), v)
	})
	code("ARRAY_REVERSE", func(a *analyzer, c *callExpr, s *scope) val {
		a.countArgs(c, 1, 1)
		v := a.arrayArg(c, a.args(c, s))
		return merge("list_reverse("+v.sql+")", v.t, v)
	})
	code("ARRAY_FIRST ARRAY_LAST", func(a *analyzer, c *callExpr, s *scope) val {
		a.countArgs(c, 1, 1)
		v := a.arrayArg(c, a.args(c, s))
		at := "1"
		if c.name == "ARRAY_LAST" {
			at = "-1"
		}
		return merge("(CASE WHEN len("+v.sql+") = 0 THEN error('"+c.name+" cannot get an element of an empty array') ELSE ("+v.sql+")["+at+"] END)", *v.t.Elem, v)
	})
	code("ARRAY_CONCAT", func(a *analyzer, c *callExpr, s *scope) val {
		a.countArgs(c, 1, 1000)
		vs, t := a.unify(a.args(c, s), c, "function ARRAY_CONCAT")
		if t.Kind != Array {
			a.noSignature(c, vs)
		}
		var nulls []string
		sql := vs[0].sql
		for i, v := range vs {
			nulls = append(nulls, v.sql+" IS NULL")
			if i > 0 {
				sql = "list_concat(" + sql + ", " + v.sql + ")"
			}
		}
		return merge("(CASE WHEN "+strings.Join(nulls, " OR ")+" THEN NULL ELSE "+sql+" END)", t, vs...)
	})
	code("ARRAY_TO_STRING", func(a *analyzer, c *callExpr, s *scope) val {
		a.countArgs(c, 2, 3)
		vs := a.args(c, s)
		v := a.arrayArg(c, vs)
		if v.t.Elem.Kind != String {
			a.noSignature(c, vs)
		}
		list := v.sql
		if len(vs) == 3 {
			n := a.must(vs[2], kind(String), c, "No matching signature for function ARRAY_TO_STRING")
			list = "list_transform(" + list + ", lambda x: coalesce(x, " + n.sql + "))"
		}
		d := a.must(vs[1], kind(String), c, "No matching signature for function ARRAY_TO_STRING")
		return merge("array_to_string("+list+", "+d.sql+")", kind(String), vs...)
	})
	code("GENERATE_ARRAY", generateArray)
	code("GENERATE_DATE_ARRAY", generateDates)
	code("GENERATE_TIMESTAMP_ARRAY", func(a *analyzer, c *callExpr, s *scope) val {
		a.countArgs(c, 3, 3)
		lo := a.must(a.expr(c.args[0], s), kind(Timestamp), c, "No matching signature for function GENERATE_TIMESTAMP_ARRAY")
		hi := a.must(a.expr(c.args[1], s), kind(Timestamp), c, "No matching signature for function GENERATE_TIMESTAMP_ARRAY")
		iv, ok := c.args[2].(*intervalExpr)
		if !ok || !parts[iv.part].time && iv.part != "DAY" {
			a.refuse(c.args[2], "GENERATE_TIMESTAMP_ARRAY with this step")
		}
		step := a.interval(iv, s)
		return merge("CAST(generate_series(timezone('UTC', "+lo.sql+"), timezone('UTC', "+hi.sql+"), "+step.sql+") AS TIMESTAMPTZ[])", arrayOf(kind(Timestamp)), lo, hi, step)
	})
}

// arrayArg is the first argument, which must be an array.
func (a *analyzer) arrayArg(c *callExpr, vs []val) val {
	v := vs[0]
	if v.untyped() {
		v, _ = a.coerce(v, arrayOf(kind(Int64)))
	}
	if v.t.Kind != Array {
		a.noSignature(c, vs)
	}
	return v
}

func generateArray(a *analyzer, c *callExpr, s *scope) val {
	a.countArgs(c, 2, 3)
	vs := a.args(c, s)
	for i, v := range vs {
		if v.t.Kind == Float64 || v.t.Kind == Numeric {
			a.refuse(c, "GENERATE_ARRAY of "+v.t.name())
		}
		vs[i] = a.must(v, kind(Int64), c, "No matching signature for function GENERATE_ARRAY for argument types: %s", typeList(vs))
	}
	if len(vs) == 2 {
		return merge("generate_series("+joinSQL(vs)+")", arrayOf(kind(Int64)), vs...)
	}
	return merge("(CASE WHEN "+vs[2].sql+" = 0 THEN error('Sequence step cannot be 0.') ELSE generate_series("+joinSQL(vs)+") END)", arrayOf(kind(Int64)), vs...)
}

// generateDates counts steps from the first date, as months have not all the same days.
func generateDates(a *analyzer, c *callExpr, s *scope) val {
	a.countArgs(c, 2, 3)
	var vs []val
	for _, x := range c.args[:2] {
		v := a.expr(x, s)
		vs = append(vs, a.must(v, kind(Date), x, "No matching signature for function GENERATE_DATE_ARRAY for argument types: %s", v.t.name()))
	}
	part, n := "DAY", "1"
	if len(c.args) == 3 {
		iv, ok := c.args[2].(*intervalExpr)
		if !ok || !parts[iv.part].date || parts[iv.part].add == "" {
			a.refuse(c.args[2], "GENERATE_DATE_ARRAY with this step")
		}
		l, ok := iv.x.(*literal)
		if !ok || l.kind != Int64 || l.text == "0" {
			a.refuse(iv, "GENERATE_DATE_ARRAY with a step that is not a positive literal")
		}
		part, n = iv.part, l.text
	}
	step := parts[part].interval("i * " + n)
	sql := "list_filter(list_transform(generate_series(0, date_diff('" + parts[part].unit + "', " + vs[0].sql + ", " + vs[1].sql + ") // " + n +
		"), lambda i: CAST(" + vs[0].sql + " + " + step + " AS DATE)), lambda d: d <= " + vs[1].sql + ")"
	return merge(sql, arrayOf(kind(Date)), vs...)
}
