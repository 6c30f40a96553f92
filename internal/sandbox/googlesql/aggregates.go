package googlesql

import (
	"slices"
	"strings"
)

// aggs has the aggregate functions. From the typed arguments each returns the type and
// the text, for which call writes DuckDB's function with the modifiers of the call.
type aggCode func(a *analyzer, c *callExpr, vs []val, call aggCall) (string, Type)

// aggCall writes one DuckDB aggregate: fn(DISTINCT args ORDER BY ..) FILTER (..) OVER (..).
type aggCall func(fn, args string, filter ...string) string

var aggs = map[string]aggCode{}

func aggregate(names string, f aggCode) {
	for _, n := range strings.Fields(names) {
		aggs[n] = f
		functions[n] = &function{aggregate: true}
	}
}

// aggregate analyzes an aggregate or window function.
func (a *analyzer) aggregate(f *function, c *callExpr, s *scope) val {
	isWindow := c.over != nil
	switch {
	case isWindow && !s.winOK:
		a.fail(c, "Analytic function not allowed in %s", s.clauseName())
	case !isWindow && !s.aggOK:
		a.fail(c, "Aggregate function %s not allowed in %s", c.name, s.clauseName())
	case !isWindow && s.inAgg:
		a.fail(c, "Aggregations of aggregations are not allowed")
	}
	switch {
	case isWindow && (len(c.order) > 0 || c.limit != nil):
		a.fail(c, "ORDER BY and LIMIT in the arguments of %s are not allowed with OVER", c.name)
	case isWindow && c.distinct && len(c.over.order) > 0:
		a.fail(c, "Window ORDER BY is not allowed if DISTINCT is specified")
	}
	wasAgg := s.inAgg
	if !isWindow {
		s.inAgg, s.sawAgg = true, true
	}
	win := s.winOK
	s.winOK = false
	touched := s.touched
	s.touched = map[string]bool{}
	vs := a.args(c, s)
	if c.havingX != nil {
		c.havingVal = a.expr(c.havingX, s)
	}
	mods := a.aggMods(c, s, vs)
	s.winOK = win
	s.inAgg = wasAgg
	own := ""
	if !isWindow && s.parent != nil && len(s.touched) == 0 {
		own = s.anyColumn()
	}
	for name := range s.touched {
		if touched != nil {
			touched[name] = true
		}
	}
	s.touched = touched
	over := ""
	if isWindow {
		over = " OVER " + a.overClause(c, f, s)
	}
	call := func(fn, args string, filter ...string) string {
		distinct := ""
		if c.distinct {
			distinct = "DISTINCT "
		}
		if a.filter != "" {
			filter = append(filter, a.filter)
		}
		if own != "" { // DuckDB assigns an aggregate to the query whose columns it names
			filter = append(filter, own+" IS NOT DISTINCT FROM "+own)
		}
		out := fn + "(" + distinct + args + mods + ")"
		if len(filter) > 0 {
			out += " FILTER (WHERE " + strings.Join(filter, " AND ") + ")"
		}
		return out + over
	}
	if c.star && c.name != "COUNT" {
		a.fail(c, "Argument * can only be used in COUNT(*)")
	}
	if c.having != "" && c.name != "ANY_VALUE" {
		a.refuse(c, "HAVING MAX or MIN in "+c.name)
	}
	for _, v := range vs {
		if c.distinct && !groupable(v.t) {
			a.fail(c, "Aggregate functions with DISTINCT cannot be used with arguments of type %s", v.t.name())
		}
	}
	if c.name == "GROUPING" && (isWindow || len(vs) == 1 && (s.group == nil || s.group.keys[vs[0].norm] == "")) {
		a.fail(c, "GROUPING must have an argument that exists within the group-by expression list")
	}
	sql, t := aggs[c.name](a, c, vs, call)
	out := merge(sql, t, vs...)
	out.agg = out.agg && isWindow || !isWindow
	out.win = isWindow
	return out
}

// anyColumn returns the text of a column of the scope's FROM, or "".
func (s *scope) anyColumn() string {
	for _, r := range s.rels {
		if r.value != nil && plainColumn.MatchString(r.value.sql) {
			return r.value.sql
		}
		for _, c := range r.cols {
			if plainColumn.MatchString(c.v.sql) {
				return c.v.sql
			}
		}
	}
	return ""
}

func (s *scope) clauseName() string {
	if s.clause == "" {
		return "this clause"
	}
	return s.clause
}

// aggMods writes ORDER BY inside the call and checks the modifiers.
func (a *analyzer) aggMods(c *callExpr, s *scope, vs []val) string {
	listy := c.name == "ARRAY_AGG" || c.name == "STRING_AGG" || c.name == "ARRAY_CONCAT_AGG"
	if c.limit != nil && !listy {
		a.fail(c, "LIMIT is not allowed in arguments of aggregate function %s", c.name)
	}
	if c.nulls != "" && c.name != "ARRAY_AGG" && c.name != "APPROX_QUANTILES" && c.over == nil {
		a.fail(c, "IGNORE NULLS and RESPECT NULLS are not allowed for aggregate function %s", c.name)
	}
	if len(c.order) == 0 {
		if listy && !c.distinct && c.over == nil && len(s.rels) == 1 && s.rels[0].place != "" {
			return " ORDER BY " + s.rels[0].place // as BigQuery does, although it does not document it
		}
		return ""
	}
	if !listy {
		a.fail(c, "ORDER BY is not allowed in arguments of aggregate function %s", c.name)
	}
	for _, it := range c.order {
		if _, number := ordinal(it.x); !c.distinct || number {
			continue
		}
		key := a.expr(it.x, s).norm
		if !slices.ContainsFunc(vs, func(v val) bool { return v.norm == key }) {
			a.fail(it.x, "An aggregate function that has both DISTINCT and ORDER BY arguments can only ORDER BY "+
				"expressions that are arguments to the function")
		}
	}
	return a.orderBy(c.order, s, nil)
}

func init() {
	aggregate("COUNT", func(a *analyzer, c *callExpr, vs []val, call aggCall) (string, Type) {
		if c.star {
			return call("count", "*"), kind(Int64)
		}
		a.countArgs(c, 1, 1)
		v := vs[0]
		if v.untyped() {
			v, _ = a.coerce(v, kind(Int64))
		}
		return call("count", v.sql), kind(Int64)
	})
	aggregate("COUNTIF", func(a *analyzer, c *callExpr, vs []val, call aggCall) (string, Type) {
		b := a.aggArg(c, vs, Bool)
		return "CAST(" + call("count", "CASE WHEN "+b.sql+" THEN 1 END") + " AS BIGINT)", kind(Int64)
	})
	aggregate("SUM AVG", sumAvg)
	aggregate("MIN MAX", minMax)
	aggregate("ANY_VALUE", func(a *analyzer, c *callExpr, vs []val, call aggCall) (string, Type) {
		a.countArgs(c, 1, 1)
		if c.having == "" {
			return call("any_value", vs[0].sql), resolved(vs[0].t)
		}
		by := c.havingVal
		switch by.t.Kind {
		case Array, Struct, JSON:
			a.fail(c.havingX, "HAVING %s does not support expressions of type %s", c.having, by.t.name())
		}
		return call(extremal[c.having], vs[0].sql+", "+ordered(by, "HAVING "+c.having)), resolved(vs[0].t)
	})
	aggregate("LOGICAL_AND", func(a *analyzer, c *callExpr, vs []val, call aggCall) (string, Type) {
		return call("bool_and", a.aggArg(c, vs, Bool).sql), kind(Bool)
	})
	aggregate("LOGICAL_OR", func(a *analyzer, c *callExpr, vs []val, call aggCall) (string, Type) {
		return call("bool_or", a.aggArg(c, vs, Bool).sql), kind(Bool)
	})
	aggregate("BIT_AND BIT_OR BIT_XOR", func(a *analyzer, c *callExpr, vs []val, call aggCall) (string, Type) {
		return call(strings.ToLower(c.name), a.aggArg(c, vs, Int64).sql), kind(Int64)
	})
}

// sumAvg writes SUM and AVG.
func sumAvg(a *analyzer, c *callExpr, vs []val, call aggCall) (string, Type) {
	v := a.aggArg(c, vs, Int64, Float64, Numeric, BigNumeric, Interval)
	fn, name := strings.ToLower(c.name), quoteString(c.name)
	switch {
	case v.t.Kind == BigNumeric:
		return "bq_bignumeric_" + fn + "(" + call("list", v.sql) + ")", v.t
	case v.t.Kind == Interval:
		return "bq_interval_" + fn + "(" + call("list", v.sql) + ")", v.t
	case v.t.Kind == Float64:
		return "bq_float_check(" + call(fn, v.sql) + ", coalesce(" + call("bool_or", "isinf("+v.sql+")") +
			", FALSE), " + name + ")", v.t
	case c.name == "SUM" && v.t.Kind == Int64:
		return "CAST(" + call("sum", v.sql) + " AS BIGINT)", v.t
	case v.t.Kind == Numeric:
		// Whole numbers and fractions are added separately, because an intermediate sum may be out
		// of NUMERIC's range.
		sums := "CAST(" + call("sum", "trunc("+v.sql+")") + " AS VARCHAR), " + call("sum", v.sql+" - trunc("+v.sql+")")
		if c.distinct {
			sums = "'0', " + call("sum", v.sql)
		}
		return "bq_numeric_" + fn + "(" + sums + ", " + call("count", v.sql) + ")", v.t
	}
	return call("avg", v.sql), kind(Float64)
}

// aggArg returns the only argument, converted to the first of the kinds that it can
// take.
func (a *analyzer) aggArg(c *callExpr, vs []val, kinds ...Kind) val {
	a.countArgs(c, 1, 1)
	for _, k := range kinds {
		if vs[0].t.Kind == k || vs[0].untyped() {
			v, _ := a.coerce(vs[0], kind(k))
			return v
		}
	}
	for _, k := range kinds {
		if v, ok := a.coerce(vs[0], kind(k)); ok && vs[0].t.Kind != BigNumeric {
			return v
		}
	}
	a.noSignature(c, vs)
	return val{}
}

// minMax writes MIN and MAX: a NaN makes the answer NaN.
func minMax(a *analyzer, c *callExpr, vs []val, call aggCall) (string, Type) {
	a.countArgs(c, 1, 1)
	v := vs[0]
	if v.untyped() {
		v, _ = a.coerce(v, kind(Int64))
	}
	switch v.t.Kind {
	case Array, Struct, JSON:
		a.noSignature(c, vs)
	}
	sql := call(strings.ToLower(c.name), v.sql)
	if v.t.Kind == Float64 {
		sql = "(CASE WHEN " + call("bool_or", "isnan("+v.sql+")") + " THEN 'NaN'::DOUBLE ELSE " + sql + " END)"
	}
	return sql, v.t
}
