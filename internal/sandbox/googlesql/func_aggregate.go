package googlesql

import (
	"strings"
)

func init() {
	aggregate("ARRAY_AGG", func(a *analyzer, c *callExpr, vs []val, call aggCall) (string, Type) {
		a.countArgs(c, 1, 1)
		v := vs[0]
		if v.t.Kind == Array {
			a.fail(c, "The argument to ARRAY_AGG must not be an array type but was %s", v.t.name())
		}
		t := resolved(v.t)
		if c.nulls == "IGNORE" {
			return a.cut(c, call("list", v.sql, v.sql+" IS NOT NULL")), arrayOf(t)
		}
		sql := a.cut(c, call("list", v.sql))
		return "(CASE WHEN list_contains(list_transform(" + sql + ", lambda x: x IS NULL), TRUE) THEN error('Array " +
			"cannot have a null element; error in writing field') ELSE " + sql + " END)", arrayOf(t)
	})
	aggregate("ARRAY_CONCAT_AGG", func(a *analyzer, c *callExpr, vs []val, call aggCall) (string, Type) {
		a.countArgs(c, 1, 1)
		if vs[0].t.Kind != Array {
			a.noSignature(c, vs)
		}
		return "flatten(" + a.cut(c, call("list", vs[0].sql, vs[0].sql+" IS NOT NULL")) + ")", vs[0].t
	})
	aggregate("STRING_AGG", func(a *analyzer, c *callExpr, vs []val, call aggCall) (string, Type) {
		a.countArgs(c, 1, 2)
		if vs[0].t.Kind == Bytes {
			a.refuse(c, "STRING_AGG of BYTES")
		}
		v, ok := a.coerce(vs[0], kind(String))
		if !ok {
			a.noSignature(c, vs)
		}
		sep := "','"
		if len(vs) == 2 {
			sep = a.must(vs[1], kind(String), c, "No matching signature for function STRING_AGG for argument types: %s",
				typeList(vs)).sql
		}
		// Through a list: it keeps LIMIT and ORDER BY.
		return "array_to_string(" + a.cut(c, call("list", v.sql, v.sql+" IS NOT NULL")) + ", " + sep + ")", kind(String)
	})
	aggregate("APPROX_COUNT_DISTINCT", func(a *analyzer, c *callExpr, vs []val, call aggCall) (string, Type) {
		a.countArgs(c, 1, 1)
		return call("count", "DISTINCT "+vs[0].sql), kind(Int64)
	})
	aggregate("APPROX_QUANTILES", func(a *analyzer, c *callExpr, vs []val, call aggCall) (string, Type) {
		a.countArgs(c, 2, 2)
		n, ok := ordinal(c.args[1])
		if !ok || n < 1 || n > 1000 {
			a.refuse(c.args[1], "APPROX_QUANTILES with a number that is not a literal between 1 and 1000")
		}
		var points []string
		for i := 0; i <= n; i++ {
			points = append(points, fraction(i, n))
		}
		return call("quantile_disc", vs[0].sql+", ["+strings.Join(points, ", ")+"]"), arrayOf(resolved(vs[0].t))
	})
	for name, fn := range map[string]string{"STDDEV": "stddev_samp", "STDDEV_SAMP": "stddev_samp",
		"STDDEV_POP": "stddev_pop",
		"VARIANCE":   "var_samp", "VAR_SAMP": "var_samp", "VAR_POP": "var_pop"} {
		aggregate(name, func(a *analyzer, c *callExpr, vs []val, call aggCall) (string, Type) {
			return call(fn, "CAST("+a.aggArg(c, vs, Float64, Int64, Numeric).sql+" AS DOUBLE)"), kind(Float64)
		})
	}
	for name, fn := range map[string]string{"CORR": "corr", "COVAR_POP": "covar_pop", "COVAR_SAMP": "covar_samp"} {
		aggregate(name, func(a *analyzer, c *callExpr, vs []val, call aggCall) (string, Type) {
			a.countArgs(c, 2, 2)
			x, ok1 := a.coerce(vs[0], kind(Float64))
			y, ok2 := a.coerce(vs[1], kind(Float64))
			if !ok1 || !ok2 {
				a.noSignature(c, vs)
			}
			return call(fn, x.sql+", "+y.sql), kind(Float64)
		})
	}
	aggregate("MAX_BY MIN_BY", func(a *analyzer, c *callExpr, vs []val, call aggCall) (string, Type) {
		a.countArgs(c, 2, 2)
		fn := map[string]string{"MAX_BY": "arg_max_null", "MIN_BY": "arg_min_null"}[c.name]
		return call(fn, vs[0].sql+", "+vs[1].sql), resolved(vs[0].t)
	})
	aggregate("GROUPING", func(a *analyzer, c *callExpr, vs []val, call aggCall) (string, Type) {
		a.countArgs(c, 1, 1)
		return "CAST(grouping(" + vs[0].sql + ") AS BIGINT)", kind(Int64)
	})
	windowFunc("PERCENTILE_CONT PERCENTILE_DISC",
		func(a *analyzer, c *callExpr, vs []val, call aggCall) (string, Type) {
			a.countArgs(c, 2, 2)
			if vs[0].t.Kind == Numeric || c.nulls == "RESPECT" {
				a.refuse(c, c.name+" like this")
			}
			if vs[1].lit == nil {
				a.refuse(c.args[1], c.name+" with a fraction that is no literal")
			}
			if c.name == "PERCENTILE_DISC" {
				return call("quantile_disc", vs[0].sql+", "+vs[1].lit.text), resolved(vs[0].t)
			}
			v, ok := a.coerce(vs[0], kind(Float64))
			if !ok {
				a.noSignature(c, vs)
			}
			return call("quantile_cont", v.sql+", "+vs[1].lit.text), kind(Float64)
		})
}

// cut applies LIMIT inside an aggregate.
func (a *analyzer) cut(c *callExpr, list string) string {
	if c.limit == nil {
		return list
	}
	return "(" + list + ")[1:" + a.count(c.limit, "LIMIT") + "]"
}

// fraction writes i/n for DuckDB.
func fraction(i, n int) string {
	return strings.TrimSpace(formatFloat(float64(i) / float64(n)))
}
