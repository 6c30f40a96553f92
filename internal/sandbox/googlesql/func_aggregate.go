package googlesql

import (
	"fmt"
	"strings"
)

func init() {
	aggregate("ARRAY_AGG", func(a *analyzer, c *callExpr, vs []val, call aggCall) (string, Type) {
		a.countArgs(c, 1, 1)
		v := vs[0]
		if v.t.Kind == Array {
			a.fail(c, "The argument to ARRAY_AGG must not be an array type but was %s", v.t.name())
		}
		t := arrayOf(resolved(v.t))
		var filter []string
		if c.nulls == "IGNORE" {
			filter = append(filter, v.sql+" IS NOT NULL")
		}
		return a.cut(c, call("list", v.sql, filter...), t), t
	})
	aggregate("ARRAY_CONCAT_AGG", func(a *analyzer, c *callExpr, vs []val, call aggCall) (string, Type) {
		a.countArgs(c, 1, 1)
		if vs[0].t.Kind != Array {
			a.noSignature(c, vs)
		}
		return "flatten(" + a.cut(c, call("list", vs[0].sql, vs[0].sql+" IS NOT NULL"), arrayOf(vs[0].t)) + ")", vs[0].t
	})
	aggregate("STRING_AGG", stringAgg)
	aggregate("APPROX_COUNT_DISTINCT", func(a *analyzer, c *callExpr, vs []val, call aggCall) (string, Type) {
		a.countArgs(c, 1, 1)
		if k := vs[0].t.Kind; k == Array || k == Struct || k == Interval || !groupable(vs[0].t) {
			a.noSignature(c, vs)
		}
		return call("count", "DISTINCT "+vs[0].sql), kind(Int64)
	})
	aggregate("APPROX_QUANTILES", approxQuantiles)
	aggregate("APPROX_TOP_COUNT APPROX_TOP_SUM", approxTop)
	for name, fn := range map[string]string{"STDDEV": "stddev_samp", "STDDEV_SAMP": "stddev_samp",
		"STDDEV_POP": "stddev_pop",
		"VARIANCE":   "var_samp", "VAR_SAMP": "var_samp", "VAR_POP": "var_pop"} {
		aggregate(name, func(a *analyzer, c *callExpr, vs []val, call aggCall) (string, Type) {
			v := a.aggArg(c, vs, Float64, Int64, Numeric, BigNumeric)
			if v.t.Kind == Numeric || v.t.Kind == BigNumeric {
				return "bq_" + fn + "_" + strings.ToLower(string(v.t.Kind)) + "(" + call("list", v.sql) + ")",
					kind(Float64)
			}
			return "bq_" + fn + "(" + call("list", "CAST("+v.sql+" AS DOUBLE)") + ")", kind(Float64)
		})
	}
	aggregate("CORR COVAR_POP COVAR_SAMP", func(a *analyzer, c *callExpr, vs []val, call aggCall) (string, Type) {
		a.countArgs(c, 2, 2)
		of, suffix := kind(Float64), ""
		for _, k := range []Kind{BigNumeric, Numeric} { // both are exact numbers
			if x, y := vs[0].t.Kind, vs[1].t.Kind; x != Float64 && y != Float64 && (x == k || y == k) {
				of, suffix = kind(k), "_"+strings.ToLower(string(k))
				break
			}
		}
		x, ok1 := a.coerce(vs[0], of)
		y, ok2 := a.coerce(vs[1], of)
		if !ok1 || !ok2 || of.Kind == Float64 && (vs[0].t.Kind == BigNumeric || vs[1].t.Kind == BigNumeric) {
			a.noSignature(c, vs)
		}
		if c.distinct {
			a.refuse(c, c.name+" with DISTINCT")
		}
		// The lists of a group have the same order. A group without rows has no
		// lists.
		lists := "coalesce(" + call("list", x.sql) + ", []), coalesce(" + call("list", y.sql) + ", [])"
		return "bq_" + strings.ToLower(c.name) + suffix + "(" + lists + ")", kind(Float64)
	})
	aggregate("MAX_BY MIN_BY", func(a *analyzer, c *callExpr, vs []val, call aggCall) (string, Type) {
		a.countArgs(c, 2, 2)
		switch vs[1].t.Kind {
		case Array, Struct, JSON:
			a.noSignature(c, vs)
		}
		return call(extremal[c.name[:3]], vs[0].sql+", "+ordered(vs[1], c.name)), resolved(vs[0].t)
	})
	aggregate("GROUPING", func(a *analyzer, c *callExpr, vs []val, call aggCall) (string, Type) {
		a.countArgs(c, 1, 1)
		return "CAST(grouping(" + vs[0].sql + ") AS BIGINT)", kind(Int64)
	})
	windowFunc("PERCENTILE_CONT PERCENTILE_DISC", percentile)
}

// extremal has the functions that return the value beside the greatest or the least value of
// another column.
var extremal = map[string]string{"MAX": "arg_max_null", "MIN": "arg_min_null"}

// ordered returns a value by which another one is chosen. The order of NaN is not documented.
func ordered(v val, name string) string {
	if v.t.Kind != Float64 || v.lit != nil {
		return v.sql
	}
	return "(CASE WHEN isnan(" + v.sql + ") THEN " + raise(quoteString(unsupported(name+" with NaN")), "DOUBLE") +
		" ELSE " + v.sql + " END)"
}

func stringAgg(a *analyzer, c *callExpr, vs []val, call aggCall) (string, Type) {
	a.countArgs(c, 1, 2)
	t := kind(String)
	if vs[0].t.Kind == Bytes {
		t = kind(Bytes)
	}
	v, ok := a.coerce(vs[0], t)
	if !ok {
		a.noSignature(c, vs)
	}
	sep := val{sql: "','", t: t}
	if t.Kind == Bytes {
		sep.sql = "','::BLOB"
	}
	if len(vs) == 2 {
		if sep, ok = a.coerce(vs[1], t); !ok {
			a.noSignature(c, vs)
		}
		if vs[1].lit == nil && vs[1].param == 0 {
			a.fail(c.args[1], "Argument 2 to STRING_AGG must be a literal or query parameter")
		}
	}
	// Through a list: it keeps LIMIT and ORDER BY.
	list := a.cut(c, call("list", v.sql, v.sql+" IS NOT NULL"), arrayOf(t))
	return "bq_array_text_" + strings.ToLower(string(t.Kind)) + "(nullif(" + list + ", []), " + sep.sql +
		", NULL, FALSE)", t
}

// approxQuantiles writes exact quantiles.
func approxQuantiles(a *analyzer, c *callExpr, vs []val, call aggCall) (string, Type) {
	a.countArgs(c, 2, 2)
	n, ok := ordinal(c.args[1])
	if !ok || n < 1 || n > 1000 {
		a.refuse(c.args[1], "APPROX_QUANTILES with a number that is not a literal between 1 and 1000")
	}
	v := vs[0]
	if v.untyped() {
		v, _ = a.coerce(v, kind(Int64))
	}
	switch v.t.Kind {
	case Array, Struct, JSON, Interval:
		a.noSignature(c, vs)
	}
	var filter []string
	if c.nulls != "RESPECT" {
		filter = append(filter, v.sql+" IS NOT NULL")
	}
	key := "{'n': q IS NOT NULL, 'v': q}"
	if v.t.Kind == Float64 { // NaN comes first, not last
		key = "{'n': q IS NOT NULL, 'w': NOT isnan(q), 'v': q}"
	}
	// The values in order; NULLs come first.
	list := "list_transform(list_sort(list_transform(" + call("list", v.sql, filter...) + ", lambda q: " + key +
		")), lambda r: r.v)"
	at := fmt.Sprintf("greatest(CAST(ceil(i * len(p) / %d.0) AS BIGINT), 1)", n)
	points := fmt.Sprintf("list_transform(range(0, %d), lambda i: p[%s])", n+1, at)
	return overList(list, points), arrayOf(resolved(v.t))
}

// approxTop writes the exact most frequent values, or those of the greatest sums of weights.
func approxTop(a *analyzer, c *callExpr, vs []val, call aggCall) (string, Type) {
	if c.over != nil {
		a.refuse(c, c.name+" with OVER")
	}
	weight, fields := val{}, 2
	if c.name == "APPROX_TOP_SUM" {
		a.countArgs(c, 3, 3)
		weight, fields = vs[1], 3
	}
	a.countArgs(c, fields, fields)
	n, ok := ordinal(c.args[fields-1])
	if !ok || n < 1 || n > 10000 {
		a.refuse(c.args[fields-1], c.name+" with a number that is not a literal between 1 and 10000")
	}
	v := vs[0]
	if v.untyped() {
		v, _ = a.coerce(v, kind(Int64))
	}
	switch v.t.Kind {
	case Array, Struct, JSON, Float64:
		a.refuse(c, c.name+" of "+v.t.name())
	}
	name, w, wt := "count", "1::BIGINT", kind(Int64)
	if fields == 3 {
		name, w, wt = "sum", weight.sql, weight.t
		if !wt.numeric() {
			a.refuse(c, "APPROX_TOP_SUM with weights of type "+wt.name())
		}
	}
	t := Type{Kind: Struct, Fields: []Field{{Name: "value", Type: v.t}, {Name: name, Type: wt}}}
	if fields == 3 {
		w = a.bind([]val{weight}, func(n []string) string {
			bad := n[0] + " < 0"
			if wt.Kind == Float64 {
				bad += " OR isnan(" + n[0] + ")"
			}
			return "(CASE WHEN " + bad + " THEN " + raise("'APPROX_TOP_SUM does not support negative or NaN weights'",
				wt.DuckDB()) + " ELSE " + n[0] + " END)"
		})
	}
	pairs := call("list", "{'v': "+v.sql+", 'w': "+w+"}")
	// Each value with its sum, the greatest first; values of one sum in the order of the values.
	sums := "list_transform(list_distinct(list_transform(p, lambda e: {'v': e.v})), lambda d: " +
		"{'s': -list_sum(list_transform(list_filter(p, lambda e: e.v IS NOT DISTINCT FROM d.v), lambda e: " +
		"e.w)), 'v': d.v})"
	sums = "list_transform(" + sums + ", lambda g: {'n': g.s IS NULL, 's': g.s, 'v': g.v})"
	top := fmt.Sprintf("list_transform(list_sort(%s)[1:%d], lambda r: {'value': r.v, '%s': CAST(-r.s AS %s)})", sums, n,
		name, wt.DuckDB())
	return overList(pairs, top), arrayOf(t)
}

// overList writes body over the list of a group's values, as p. Without values there is no list,
// and the result is NULL.
func overList(list, body string) string {
	return "list_transform([" + list + "], lambda p: CASE WHEN p IS NULL THEN NULL ELSE " + body + " END)[1]"
}

// percentile writes PERCENTILE_CONT and PERCENTILE_DISC.
func percentile(a *analyzer, c *callExpr, vs []val, call aggCall) (string, Type) {
	a.countArgs(c, 2, 2)
	x, p := vs[0], vs[1]
	if _, typed := c.args[1].(*typedLit); !typed && p.lit == nil && p.param == 0 {
		a.fail(c.args[1], "The second argument to %s must be a literal or query parameter", c.name)
	}
	if x.t.Kind == BigNumeric || p.t.Kind == BigNumeric {
		a.refuse(c, c.name+" of BIGNUMERIC")
	}
	nulls := "FALSE"
	if c.nulls == "RESPECT" {
		nulls = "TRUE"
	}
	k := kind(Float64)
	if exact, ok := a.coerce(p, kind(Numeric)); ok && x.t.Kind != Float64 &&
		(x.t.Kind == Numeric || p.t.Kind == Numeric) {
		p, k = exact, kind(Numeric)
	} else if p, ok = a.coerce(p, k); !ok {
		a.noSignature(c, vs)
	}
	if c.name == "PERCENTILE_DISC" && x.t.Kind != Float64 {
		return percentileDisc(a, c, x, p, nulls == "TRUE", call)
	}
	if c.name == "PERCENTILE_DISC" {
		if p, k = vs[1], kind(Float64); p.t.Kind == Numeric {
			a.refuse(c, c.name+" of FLOAT64 with a NUMERIC percentile")
		}
		p, _ = a.coerce(p, k)
	}
	v, ok := a.coerce(x, k)
	if !ok {
		a.noSignature(c, vs)
	}
	name := "bq_" + strings.ToLower(c.name)
	if k.Kind == Numeric {
		name += "_numeric"
	}
	return name + "(" + call("list", v.sql) + ", " + p.sql + ", " + nulls + ")", k
}

// percentileDisc chooses a value of any type that has an order.
func percentileDisc(a *analyzer, c *callExpr, x, p val, nulls bool, call aggCall) (string, Type) {
	t := resolved(x.t)
	switch t.Kind {
	case Array, Struct, JSON:
		a.noSignature(c, []val{x, p})
	}
	list := call("list", x.sql)
	sorted := "list_sort(l, 'ASC', 'NULLS FIRST')"
	if !nulls {
		list = "list_filter(" + list + ", lambda e: e IS NOT NULL)"
	}
	place := "bq_percentile_place_" + strings.ToLower(string(p.t.Kind)) + "(len(l), " + p.sql + ")"
	return "list_transform([" + list + "], lambda l: " + sorted + "[" + place + "])[1]", t
}

// cut applies LIMIT inside an aggregate; without any value the list is NULL.
func (a *analyzer) cut(c *callExpr, list string, t Type) string {
	if c.limit == nil {
		return list
	}
	return "nullif((" + list + ")[1:" + a.count(c.limit, "LIMIT") + "], CAST([] AS " + t.DuckDB() + "))"
}
