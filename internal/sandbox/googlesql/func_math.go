package googlesql

import "strings"

func init() {
	def("DIV", "INT64, INT64 -> INT64", "bq_int_div({1}, {2})")
	def("DIV", "NUMERIC, NUMERIC -> NUMERIC", "bq_numeric_div({1}, {2})")
	def("MOD", "INT64, INT64 -> INT64", "bq_int_mod({1}, {2})")
	def("MOD", "NUMERIC, NUMERIC -> NUMERIC", "bq_numeric_mod({1}, {2})")
	def("ABS", "INT64 -> INT64", "bq_abs({1})")
	def("ABS", "FLOAT64 -> FLOAT64", "abs({1})")
	def("ABS", "NUMERIC -> NUMERIC", "abs({1})")
	def("SIGN", "INT64 -> INT64", "CAST(sign({1}) AS BIGINT)")
	def("SIGN", "FLOAT64 -> FLOAT64", "(CASE WHEN isnan({1}) THEN {1} ELSE CAST(sign({1}) AS DOUBLE) END)")
	def("SIGN", "NUMERIC -> NUMERIC", "CAST(sign({1}) AS DECIMAL(38,9))")
	def("CEIL CEILING", "FLOAT64 -> FLOAT64", "ceil({1})")
	def("FLOOR", "FLOAT64 -> FLOAT64", "floor({1})")
	def("CEIL CEILING", "NUMERIC -> NUMERIC", "bq_numeric_ceil({1}, 0)")
	def("FLOOR", "NUMERIC -> NUMERIC", "bq_numeric_floor({1}, 0)")
	def("DIV", "BIGNUMERIC, BIGNUMERIC -> BIGNUMERIC", "bq_bignumeric_div({1}, {2})")
	def("MOD", "BIGNUMERIC, BIGNUMERIC -> BIGNUMERIC", "bq_bignumeric_mod({1}, {2})")
	def("ABS", "BIGNUMERIC -> BIGNUMERIC", "bq_bignumeric_abs({1})")
	def("SIGN", "BIGNUMERIC -> BIGNUMERIC", "bq_bignumeric_sign({1})")
	def("CEIL CEILING", "BIGNUMERIC -> BIGNUMERIC", "bq_bignumeric_ceil({1}, 0)")
	def("FLOOR", "BIGNUMERIC -> BIGNUMERIC", "bq_bignumeric_floor({1}, 0)")
	for _, name := range []string{"ROUND", "TRUNC"} {
		f := strings.ToLower(name)
		def(name, "FLOAT64 -> FLOAT64", "bq_float_"+f+"({1}, 0)")
		def(name, "FLOAT64, INT64 -> FLOAT64", "bq_float_"+f+"({1}, {2})")
		def(name, "NUMERIC -> NUMERIC", "bq_numeric_"+f+"({1}, 0)")
		def(name, "NUMERIC, INT64 -> NUMERIC", "bq_numeric_"+f+"({1}, {2})")
		def(name, "BIGNUMERIC -> BIGNUMERIC", "bq_bignumeric_"+f+"({1}, 0)")
		def(name, "BIGNUMERIC, INT64 -> BIGNUMERIC", "bq_bignumeric_"+f+"({1}, {2})")
	}
	round := functions["ROUND"]
	code("ROUND", func(a *analyzer, c *callExpr, s *scope) val {
		vs := a.args(c, s)
		if len(vs) != 3 {
			return a.match(round, c, vs)
		}
		mode := vs[2].lit
		if mode == nil || mode.kind != String || mode.text != "ROUND_HALF_AWAY_FROM_ZERO" &&
			mode.text != "ROUND_HALF_EVEN" {
			a.fail(c.args[2], "The rounding mode of ROUND must be ROUND_HALF_AWAY_FROM_ZERO or ROUND_HALF_EVEN")
		}
		t := kind(Numeric)
		if vs[0].t.Kind == BigNumeric {
			t = kind(BigNumeric)
		}
		x, ok1 := a.coerce(vs[0], t)
		n, ok2 := a.coerce(vs[1], kind(Int64))
		if !ok1 || !ok2 {
			a.noSignature(c, vs)
		}
		f := map[string]string{"ROUND_HALF_EVEN": "round_even"}[mode.text]
		if f == "" {
			f = "round"
		}
		return merge("bq_"+strings.ToLower(string(t.Kind))+"_"+f+"("+x.sql+", "+n.sql+")", t, vs...)
	})
	for _, f := range strings.Fields(`SQRT CBRT EXP LN LOG10 SIN COS TAN ASIN ACOS ATAN SINH COSH TANH ASINH ACOSH ATANH
		COT COTH CSC CSCH SEC SECH`) {
		def(f, "FLOAT64 -> FLOAT64", "bq_"+strings.ToLower(f)+"({1})")
	}
	for _, k := range []string{"NUMERIC", "BIGNUMERIC"} {
		f, one, two := "bq_"+strings.ToLower(k)+"_", k+" -> "+k, k+", "+k+" -> "+k
		for _, name := range strings.Fields("SQRT CBRT EXP LN LOG10") {
			def(name, one, f+strings.ToLower(name)+"({1})")
		}
		def("LOG", one, f+"ln({1})")
		def("LOG", two, f+"log({1}, {2})")
		def("POW POWER", two, f+"pow({1}, {2})")
	}
	def("LOG", "FLOAT64 -> FLOAT64", "bq_ln({1})")
	def("LOG", "FLOAT64, FLOAT64 -> FLOAT64", "bq_log({1}, {2})")
	def("POW POWER", "FLOAT64, FLOAT64 -> FLOAT64", "bq_pow({1}, {2})")
	def("ATAN2", "FLOAT64, FLOAT64 -> FLOAT64", "bq_atan2({1}, {2})")
	def("IS_NAN", "FLOAT64 -> BOOL", "isnan({1})")
	def("IS_INF", "FLOAT64 -> BOOL", "isinf({1})")
	def("BIT_COUNT", "INT64 -> INT64", "CAST(bit_count({1}) AS BIGINT)")
	def("BIT_COUNT", "BYTES -> INT64", "bq_bit_count({1})")
	def("RAND", "-> FLOAT64", "random()")
	def("IEEE_DIVIDE", "FLOAT64, FLOAT64 -> FLOAT64", "bq_ieee_divide({1}, {2})")
	for name, op := range map[string]string{"SAFE_ADD": "+", "SAFE_SUBTRACT": "-", "SAFE_MULTIPLY": "*",
		"SAFE_DIVIDE": "/"} {
		code(name, func(a *analyzer, c *callExpr, s *scope) val {
			a.countArgs(c, 2, 2)
			vs, t := a.unify(a.args(c, s), c, "function "+c.name)
			if t.Kind == "" || t.Kind == Int64 && op == "/" {
				t = kind(Float64)
				for i := range vs {
					vs[i], _ = a.coerce(vs[i], t)
				}
			}
			if !t.number() {
				a.noSignature(c, vs)
			}
			return a.safe(vs, t, func(n []string) string { return arithmeticSQL(op, n[0], n[1], t) })
		})
	}
	code("SAFE_NEGATE", func(a *analyzer, c *callExpr, s *scope) val {
		a.countArgs(c, 1, 1)
		v := a.expr(c.args[0], s)
		if v.untyped() {
			v, _ = a.coerce(v, kind(Int64))
		}
		if !v.t.number() {
			a.noSignature(c, []val{v})
		}
		minus := "-"
		if v.t.Kind == BigNumeric {
			minus = "bq_bignumeric_neg"
		}
		return a.safe([]val{v}, v.t, func(n []string) string { return "(" + minus + "(" + n[0] + "))" })
	})
}
