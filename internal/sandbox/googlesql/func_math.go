package googlesql

import (
	"strconv"
	"strings"
)

func init() {
	def("DIV", "INT64, INT64 -> INT64", "(CASE WHEN {2} = 0 THEN error('division by zero: DIV') ELSE {1} // {2} END)")
	def("DIV", "NUMERIC, NUMERIC -> NUMERIC", "")
	def("MOD", "NUMERIC, NUMERIC -> NUMERIC", "(CASE WHEN {2} = 0 THEN error('division by zero: MOD') ELSE {1} % "+
		"{2} END)")
	def("MOD", "INT64, INT64 -> INT64", "(CASE WHEN {2} = 0 THEN error('division by zero: MOD') ELSE {1} % {2} END)")
	def("ABS", "INT64 -> INT64", "abs({1})")
	def("ABS", "FLOAT64 -> FLOAT64", "abs({1})")
	def("ABS", "NUMERIC -> NUMERIC", "abs({1})")
	def("SIGN", "INT64 -> INT64", "CAST(sign({1}) AS BIGINT)")
	def("SIGN", "FLOAT64 -> FLOAT64", "(CASE WHEN isnan({1}) THEN {1} ELSE CAST(sign({1}) AS DOUBLE) END)")
	def("SIGN", "NUMERIC -> NUMERIC", "CAST(sign({1}) AS DECIMAL(38,9))")
	for name, fn := range map[string]string{"CEIL": "ceil", "CEILING": "ceil", "FLOOR": "floor", "TRUNC": "trunc",
		"ROUND": "round"} {
		def(name, "FLOAT64 -> FLOAT64", fn+"({1})")
		def(name, "NUMERIC -> NUMERIC", "CAST("+fn+"({1}) AS DECIMAL(38,9))")
	}
	for _, name := range []string{"ROUND", "TRUNC"} {
		def(name, "FLOAT64, INT64 -> FLOAT64", strings.ToLower(name)+"({1}, CAST({2} AS INTEGER))")
		one := functions[name]
		code(name, func(a *analyzer, c *callExpr, s *scope) val {
			vs := a.args(c, s)
			if len(vs) == 2 && vs[0].t.Kind == Numeric {
				return a.roundNumeric(c, vs)
			}
			return a.match(one, c, vs)
		})
	}
	for _, f := range []string{"SQRT", "LN", "LOG10"} {
		def(f, "FLOAT64 -> FLOAT64", strings.ToLower(f)+"({1})")
		def(f, "NUMERIC -> NUMERIC", "")
	}
	def("EXP", "FLOAT64 -> FLOAT64", finite("EXP", "exp(q.x)", "{1}"))
	def("EXP", "NUMERIC -> NUMERIC", "")
	def("LOG", "FLOAT64 -> FLOAT64", "ln({1})")
	def("LOG", "FLOAT64, FLOAT64 -> FLOAT64", "(ln({1}) / ln({2}))")
	def("LOG", "NUMERIC -> NUMERIC", "")
	def("LOG POW POWER", "NUMERIC, NUMERIC -> NUMERIC", "")
	def("POW POWER", "FLOAT64, FLOAT64 -> FLOAT64", finite("POW", "pow(q.x, q.y)", "{1}", "{2}"))
	for name, fn := range map[string]string{"SIN": "sin", "COS": "cos", "TAN": "tan", "ASIN": "asin", "ACOS": "acos",
		"ATAN": "atan",
		"TANH": "tanh", "CBRT": "cbrt"} {
		def(name, "FLOAT64 -> FLOAT64", fn+"({1})")
	}
	def("SINH", "FLOAT64 -> FLOAT64", finite("SINH", "sinh(q.x)", "{1}"))
	def("COSH", "FLOAT64 -> FLOAT64", finite("COSH", "cosh(q.x)", "{1}"))
	def("ATAN2", "FLOAT64, FLOAT64 -> FLOAT64", "atan2({1}, {2})")
	def("IS_NAN", "FLOAT64 -> BOOL", "isnan({1})")
	def("IS_INF", "FLOAT64 -> BOOL", "isinf({1})")
	def("BIT_COUNT", "INT64 -> INT64", "CAST(bit_count({1}) AS BIGINT)")
	def("RAND", "-> FLOAT64", "random()")
	def("IEEE_DIVIDE", "FLOAT64, FLOAT64 -> FLOAT64", "({1} / {2})")
	def("SAFE_DIVIDE", "FLOAT64, FLOAT64 -> FLOAT64", "(CASE WHEN {2} <> 0 THEN {1} / {2} END)")
	def("SAFE_DIVIDE", "NUMERIC, NUMERIC -> NUMERIC", "(CASE WHEN {2} <> 0 THEN "+numericDivide("{1}", "{2}")+" END)")
	for name, op := range map[string]string{"SAFE_ADD": "+", "SAFE_SUBTRACT": "-", "SAFE_MULTIPLY": "*"} {
		code(name, func(a *analyzer, c *callExpr, s *scope) val {
			a.countArgs(c, 2, 2)
			vs, t := a.unify(a.args(c, s), c, "function "+c.name)
			if !t.numeric() {
				a.noSignature(c, vs)
			}
			if t.Kind == Float64 {
				l, r := vs[0].sql, vs[1].sql
				return merge("(CASE WHEN NOT ("+overflow(op, l, r)+") THEN "+l+" "+op+" "+r+" END)", t, vs...)
			}
			return a.safe(c, merge(arithmeticSQL(op, vs[0].sql, vs[1].sql, t), t, vs...))
		})
	}
	code("SAFE_NEGATE", func(a *analyzer, c *callExpr, s *scope) val {
		a.countArgs(c, 1, 1)
		v := a.expr(c.args[0], s)
		if !v.t.numeric() {
			a.noSignature(c, []val{v})
		}
		return a.safe(c, merge("(-"+v.sql+")", v.t, v))
	})
}

// roundNumeric rounds or cuts a NUMERIC at a digit, which DuckDB needs as a constant.
func (a *analyzer) roundNumeric(c *callExpr, vs []val) val {
	n := vs[1]
	if n.lit == nil || n.t.Kind != Int64 {
		a.refuse(c.args[1], c.name+" of a NUMERIC to digits that are no literal")
	}
	digits, err := strconv.Atoi(n.lit.text)
	if err != nil || digits < -29 || digits > 9 {
		a.refuse(c.args[1], c.name+" of a NUMERIC to "+n.lit.text+" digits")
	}
	fn := map[string]string{"ROUND": "round", "TRUNC": "trunc"}[c.name]
	return merge("CAST("+fn+"("+vs[0].sql+", "+n.lit.text+") AS DECIMAL(38,9))", vs[0].t, vs...)
}

// finite writes a function of FLOAT64s that fails where finite arguments have no finite
// result; DuckDB goes on with infinity or NaN. The one-element list is DuckDB's way to
// say let: the arguments are q.x and q.y.
func finite(name, call string, args ...string) string {
	var binds, texts, ok []string
	for i, arg := range args {
		field := string("xy"[i])
		binds = append(binds, "'"+field+"': "+arg)
		texts = append(texts, "CAST(q."+field+" AS VARCHAR)")
		ok = append(ok, "isfinite(q."+field+")")
	}
	return "list_transform([{" + strings.Join(binds, ", ") + "}], lambda q: CASE WHEN NOT isfinite(" + call + ") AND " +
		strings.Join(ok, " AND ") +
		" THEN error('Floating point error in function: " + name + "(' || " + strings.Join(texts, " || ', ' || ") +
		" || ')') ELSE " + call + " END)[1]"
}
