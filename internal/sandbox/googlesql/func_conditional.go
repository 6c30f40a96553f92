package googlesql

import "strings"

func init() {
	code("IF", func(a *analyzer, c *callExpr, s *scope) val {
		a.countArgs(c, 3, 3)
		vs := a.args(c, s)
		cond, ok := a.coerce(vs[0], kind(Bool))
		if !ok {
			a.noSignature(c, vs)
		}
		out, t := a.unify(vs[1:], c, "function IF")
		return merge("(CASE WHEN "+cond.sql+" THEN "+out[0].sql+" ELSE "+out[1].sql+" END)", t, vs...)
	})
	code("COALESCE IFNULL", func(a *analyzer, c *callExpr, s *scope) val {
		if c.name == "IFNULL" {
			a.countArgs(c, 2, 2)
		}
		a.countArgs(c, 1, 1000)
		vs, t := a.unify(a.args(c, s), c, "function "+c.name)
		return merge("coalesce("+joinSQL(vs)+")", t, vs...)
	})
	code("NULLIF", func(a *analyzer, c *callExpr, s *scope) val {
		a.countArgs(c, 2, 2)
		vs, t := a.unify(a.args(c, s), c, "function NULLIF")
		eq := a.compare("=", vs[0], vs[1], c)
		return merge("(CASE WHEN "+eq.sql+" THEN NULL ELSE "+vs[0].sql+" END)", resolved(t), vs...)
	})
	code("GREATEST LEAST", func(a *analyzer, c *callExpr, s *scope) val {
		a.countArgs(c, 1, 1000)
		vs, t := a.unify(a.args(c, s), c, "function "+c.name)
		switch t.Kind {
		case Array, Struct, JSON:
			a.noSignature(c, vs)
		}
		var nulls, nans []string
		for _, v := range vs {
			nulls = append(nulls, v.sql+" IS NULL")
			nans = append(nans, "isnan("+v.sql+")")
		}
		sql := "(CASE WHEN " + strings.Join(nulls, " OR ") + " THEN NULL"
		if t.Kind == Float64 {
			sql += " WHEN " + strings.Join(nans, " OR ") + " THEN 'NaN'::DOUBLE"
		}
		return merge(sql+" ELSE "+strings.ToLower(c.name)+"("+joinSQL(vs)+") END)", resolved(t), vs...)
	})
}

func joinSQL(vs []val) string {
	var parts []string
	for _, v := range vs {
		parts = append(parts, v.sql)
	}
	return strings.Join(parts, ", ")
}

func init() {
	code("ZEROIFNULL NULLIFZERO", func(a *analyzer, c *callExpr, s *scope) val {
		a.countArgs(c, 1, 1)
		v := a.expr(c.args[0], s)
		if v.untyped() {
			v, _ = a.coerce(v, kind(Int64))
		}
		if !v.t.numeric() {
			a.noSignature(c, []val{v})
		}
		zero := "CAST(0 AS " + v.t.DuckDB() + ")"
		if c.name == "NULLIFZERO" {
			return merge("nullif("+v.sql+", "+zero+")", v.t, v)
		}
		return merge("coalesce("+v.sql+", "+zero+")", v.t, v)
	})
	code("TYPEOF", func(a *analyzer, c *callExpr, s *scope) val {
		a.countArgs(c, 1, 1)
		v := a.expr(c.args[0], s)
		return merge(quoteString(v.t.name())+"::VARCHAR", kind(String), v)
	})
	for name, f := range map[string]string{"COSINE_DISTANCE": "bq_cosine_distance",
		"EUCLIDEAN_DISTANCE": "bq_euclidean_distance"} {
		def(name, "ARRAY<FLOAT64>, ARRAY<FLOAT64> -> FLOAT64", f+"({1}, {2})")
	}
	def("PARSE_BIGNUMERIC", "STRING -> BIGNUMERIC", "bq_parse_bignumeric_text({1})")
	def("PARSE_NUMERIC", "STRING -> NUMERIC", "bq_parse_numeric_text({1})")
}
