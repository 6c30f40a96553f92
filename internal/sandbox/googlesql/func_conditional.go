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
		fn := strings.ToLower(c.name) + "(" + joinSQL(vs) + ")"
		switch t.Kind {
		case Array, Struct, JSON:
			a.noSignature(c, vs)
		case Interval: // DuckDB's greatest compares months, then days, then microseconds
			fn = "list_" + map[string]string{"GREATEST": "max", "LEAST": "min"}[c.name] + "([" + joinSQL(vs) + "])"
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
		return merge(sql+" ELSE "+fn+" END)", resolved(t), vs...)
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
	code("COSINE_DISTANCE EUCLIDEAN_DISTANCE", distance)
	def("PARSE_BIGNUMERIC", "STRING -> BIGNUMERIC", "bq_parse_bignumeric_text({1})")
	def("PARSE_NUMERIC", "STRING -> NUMERIC", "bq_parse_numeric_text({1})")
}

// distance returns the distance of two vectors: arrays of numbers, or of STRUCTs of a
// dimension and a number.
func distance(a *analyzer, c *callExpr, s *scope) val {
	a.countArgs(c, 2, 2)
	vs := a.args(c, s)
	f := "bq_" + strings.ToLower(c.name)
	if t := vs[0].t; t.Kind == Array && t.Elem.Kind == Struct && t.equal(vs[1].t) && len(t.Elem.Fields) == 2 {
		key, n := t.Elem.Fields[0].Type.Kind, t.Elem.Fields[1].Type.Kind
		if key != Int64 && key != String || n != Int64 && n != Float64 {
			a.noSignature(c, vs)
		}
		names := t.Elem.FieldNames()
		lists := a.bind(vs, func(q []string) string {
			var out []string
			for _, v := range q {
				for i, as := range []string{"VARCHAR", "DOUBLE"} {
					out = append(out, "list_transform("+v+", lambda e: CAST(struct_extract(e, "+quoteString(names[i])+
						") AS "+as+"))")
				}
			}
			return f + "_sparse(" + strings.Join(out, ", ") + ")"
		})
		return merge(lists, kind(Float64), vs...)
	}
	for i := range vs {
		w, ok := a.coerce(vs[i], arrayOf(kind(Float64)))
		if !ok {
			a.noSignature(c, vs)
		}
		vs[i] = w
	}
	return merge(f+"("+joinSQL(vs)+")", kind(Float64), vs...)
}
