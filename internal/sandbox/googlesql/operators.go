package googlesql

import (
	"strings"
)

func (a *analyzer) unary(x *unaryExpr, s *scope) val {
	if l, ok := x.x.(*literal); ok && x.op == "-" && (l.kind == Int64 || l.kind == Float64) &&
		!strings.HasPrefix(l.text, "-") {
		return a.negative(x, l)
	}
	v := a.expr(x.x, s)
	switch x.op {
	case "NOT":
		b := a.must(v, kind(Bool), x, "No matching signature for operator NOT for argument types: %s", v.t.name())
		return merge("(NOT "+b.sql+")", kind(Bool), v)
	case "+":
		if !v.untyped() && v.t.number() {
			return v
		}
	case "-":
		if v.untyped() {
			v, _ = a.coerce(v, kind(Int64))
		}
		if v.t.Kind == BigNumeric {
			return merge("bq_bignumeric_neg("+v.sql+")", v.t, v)
		}
		if v.t.numeric() || v.t.Kind == Interval {
			return merge("(-"+v.sql+")", v.t, v)
		}
	case "~":
		switch {
		case v.untyped():
			v, _ = a.coerce(v, kind(Int64))
			fallthrough
		case v.t.Kind == Int64:
			return merge("(~"+v.sql+")", v.t, v)
		case v.t.Kind == Bytes:
			return merge("bq_bytes_not("+v.sql+")", v.t, v)
		}
	}
	a.fail(x, "No matching signature for operator %s for argument types: %s", x.op, v.t.name())
	return val{}
}

// negative returns a literal with its sign.
func (a *analyzer) negative(x *unaryExpr, l *literal) val {
	if n, ok := integer(l.text); l.kind == Int64 && ok && n.IsUint64() && n.Uint64() == 1<<63 {
		return val{sql: "(-9223372036854775807-1)::BIGINT", t: kind(Int64),
			lit: &literal{x.node, Int64, "-9223372036854775808"}}
	}
	v := a.literal(l)
	text := "-" + v.lit.text
	if l.kind == Int64 {
		return val{sql: "(" + text + "::BIGINT)", t: v.t, lit: &literal{x.node, Int64, text}}
	}
	return val{sql: "(-" + v.sql + ")", t: v.t, lit: &literal{x.node, Float64, text}}
}

func (a *analyzer) binary(x *binaryExpr, s *scope) val {
	l, r := a.expr(x.l, s), a.expr(x.r, s)
	switch x.op {
	case "AND", "OR":
		lb, ok1 := a.coerce(l, kind(Bool))
		rb, ok2 := a.coerce(r, kind(Bool))
		if !ok1 || !ok2 {
			a.noMatch(x, x.op, l, r)
		}
		return merge("("+lb.sql+" "+x.op+" "+rb.sql+")", kind(Bool), l, r)
	case "=", "!=", "<", ">", "<=", ">=":
		return a.compare(x.op, l, r, x)
	case "LIKE", "NOT LIKE":
		return a.like(x, l, r)
	case "||":
		return a.concat(x, l, r)
	case "&", "|", "^":
		return a.bits(x, l, r)
	case "<<", ">>":
		return a.shift(x, l, r)
	}
	return a.arithmetic(x, l, r)
}

func (a *analyzer) noMatch(x interface{ pos() int }, op string, vs ...val) {
	a.fail(x, "No matching signature for operator %s for argument types: %s", op, typeList(vs))
}

// compare writes a comparison. As in GoogleSQL, NaN is unequal to and unordered with
// every number.
func (a *analyzer) compare(op string, l, r val, x interface{ pos() int }) val {
	t, ok := a.supertype([]val{l, r})
	if !ok {
		a.noMatch(x, op, l, r)
	}
	if t.Kind == "" {
		t = kind(Int64)
	}
	switch equality := op == "=" || op == "!="; {
	case t.Kind == JSON && equality, t.Kind == Array && equality:
		a.fail(x, "Equality is not defined for arguments of type %s", t.name())
	case t.Kind == JSON, t.Kind == Array, t.Kind == Struct && !equality:
		a.noMatch(x, op, l, r)
	case t.Kind == Struct:
		return a.compareStructs(op, l, r, t, x)
	}
	l1, ok1 := a.coerce(l, t)
	r1, ok2 := a.coerce(r, t)
	if !ok1 || !ok2 {
		a.noMatch(x, op, l, r)
	}
	sql := "(" + l1.sql + " " + strings.Replace(op, "!=", "<>", 1) + " " + r1.sql + ")"
	if t.Kind == Float64 {
		sql = nanCompare(op, l1, r1, sql)
	}
	return merge(sql, kind(Bool), l, r)
}

// compareStructs compares field by field, because DuckDB treats NULLs inside STRUCTs
// as equal.
func (a *analyzer) compareStructs(op string, l, r val, t Type, x interface{ pos() int }) val {
	l1, _ := a.coerce(l, t)
	r1, _ := a.coerce(r, t)
	var all []string
	for i, f := range t.FieldNames() {
		at := ", " + quoteString(f) + ")"
		all = append(all, a.compare("=", val{sql: "struct_extract(" + l1.sql + at, t: t.Fields[i].Type},
			val{sql: "struct_extract(" + r1.sql + at, t: t.Fields[i].Type}, x).sql)
	}
	if len(all) == 0 {
		a.refuse(x, "Comparison of STRUCTs without fields")
	}
	sql := "(" + strings.Join(all, " AND ") + ")"
	if op == "!=" {
		sql = "(NOT " + sql + ")"
	}
	return merge(sql, kind(Bool), l, r)
}

// nanCompare guards a comparison of FLOAT64s. DuckDB treats NaN as equal to itself
// and greater than all numbers.
func nanCompare(op string, l, r val, sql string) string {
	var guards []string
	if l.lit == nil && (op == ">" || op == ">=" || r.lit == nil) {
		guards = append(guards, "isnan("+l.sql+")")
	}
	if r.lit == nil && (op == "<" || op == "<=" || l.lit == nil && len(guards) == 0) {
		guards = append(guards, "isnan("+r.sql+")")
	}
	if len(guards) == 0 {
		return sql
	}
	answer := "FALSE"
	if op == "!=" {
		answer = "TRUE"
	}
	return "(CASE WHEN (" + strings.Join(guards, " OR ") + ") AND (" + l.sql + ") IS NOT NULL AND (" + r.sql +
		") IS NOT NULL THEN " + answer + " ELSE " + sql + " END)"
}

func (a *analyzer) like(x *binaryExpr, l, r val) val {
	t := kind(String)
	if l.t.Kind == Bytes || r.t.Kind == Bytes {
		t = kind(Bytes)
	}
	ls, ok1 := a.coerce(l, t)
	rs, ok2 := a.coerce(r, t)
	if !ok1 || !ok2 {
		a.noMatch(x, x.op, l, r)
	}
	return merge(likeSQL(x.op, ls, rs), kind(Bool), l, r)
}

// likeSQL writes LIKE or NOT LIKE of two STRINGs or BYTES.
func likeSQL(op string, l, r val) string {
	sql := "bq_like_string(" + l.sql + ", " + r.sql + ")"
	switch {
	case l.t.Kind == Bytes:
		sql = "bq_like_bytes(" + l.sql + ", " + r.sql + ")"
	case r.lit != nil && !strings.Contains(r.lit.text, `\`):
		return "(" + l.sql + " " + op + " " + r.sql + ` ESCAPE '\')`
	}
	if op == "NOT LIKE" {
		return "(NOT " + sql + ")"
	}
	return sql
}

func (a *analyzer) concat(x *binaryExpr, l, r val) val {
	vs := []val{l, r}
	for i := range vs {
		if vs[i].untyped() {
			other := vs[1-i].t
			if other.Kind == "" {
				other = kind(String)
			}
			vs[i], _ = a.coerce(vs[i], other)
		}
	}
	t, ok := a.supertype(vs)
	if !ok || t.Kind != String && t.Kind != Bytes && t.Kind != Array { // as text, like CONCAT
		t = kind(String)
		for i, v := range vs {
			switch {
			case concatCasts[v.t.Kind]:
				vs[i] = merge(a.castSQL(v.t.Kind, String, v.sql), t, v)
			case v.t.Kind != String:
				a.noMatch(x, x.op, l, r)
			}
		}
	}
	l1, _ := a.coerce(vs[0], t)
	r1, _ := a.coerce(vs[1], t)
	if t.Kind == Array {
		return merge("(CASE WHEN "+l1.sql+" IS NULL OR "+r1.sql+" IS NULL THEN NULL ELSE list_concat("+l1.sql+", "+
			r1.sql+") END)", t, l, r)
	}
	return merge("("+l1.sql+" || "+r1.sql+")", t, l, r)
}

func (a *analyzer) bits(x *binaryExpr, l, r val) val {
	if l.t.Kind == Bytes || r.t.Kind == Bytes {
		l1, ok1 := a.coerce(l, kind(Bytes))
		r1, ok2 := a.coerce(r, kind(Bytes))
		if !ok1 || !ok2 {
			a.noMatch(x, x.op, l, r)
		}
		f := map[string]string{"&": "bq_bytes_and", "|": "bq_bytes_or", "^": "bq_bytes_xor"}[x.op]
		return merge(f+"("+l1.sql+", "+r1.sql+")", kind(Bytes), l, r)
	}
	l1, ok1 := a.coerce(l, kind(Int64))
	r1, ok2 := a.coerce(r, kind(Int64))
	if !ok1 || !ok2 {
		a.noMatch(x, x.op, l, r)
	}
	sql := "(" + l1.sql + " " + x.op + " " + r1.sql + ")"
	if x.op == "^" {
		sql = "xor(" + l1.sql + ", " + r1.sql + ")"
	}
	return merge(sql, kind(Int64), l, r)
}

// shift writes << and >>: bits fall off both ends, and >> does not keep the sign.
func (a *analyzer) shift(x *binaryExpr, l, r val) val {
	t := kind(Int64)
	if l.t.Kind == Bytes {
		t = kind(Bytes)
	}
	l1, ok1 := a.coerce(l, t)
	r1, ok2 := a.coerce(r, kind(Int64))
	if !ok1 || !ok2 {
		a.noMatch(x, x.op, l, r)
	}
	f := "shift_right"
	if x.op == "<<" {
		f = "shift_left"
	}
	if t.Kind == Bytes {
		f = "bytes_" + f
	}
	return merge("bq_"+f+"("+l1.sql+", "+r1.sql+")", t, l, r)
}

func (a *analyzer) is(x *isExpr, s *scope) val {
	v := a.expr(x.x, s)
	not := ""
	if x.not {
		not = "NOT "
	}
	if x.what == "NULL" {
		if v.untyped() {
			v, _ = a.coerce(v, kind(Int64))
		}
		return merge("("+v.sql+" IS "+not+"NULL)", kind(Bool), v)
	}
	b := a.must(v, kind(Bool), x, "No matching signature for operator IS %s for argument types: %s", x.what, v.t.name())
	return merge("(("+b.sql+") IS "+not+"DISTINCT FROM "+x.what+")", kind(Bool), v).flipDistinct(x.not)
}

// flipDistinct converts IS [NOT] DISTINCT FROM to the sense of IS [NOT] TRUE.
func (v val) flipDistinct(not bool) val {
	if not {
		v.sql = strings.Replace(v.sql, ") IS NOT DISTINCT FROM", ") IS DISTINCT FROM", 1)
		return v
	}
	v.sql = strings.Replace(v.sql, ") IS DISTINCT FROM", ") IS NOT DISTINCT FROM", 1)
	return v
}

func (a *analyzer) isDistinct(x *distinctExpr, s *scope) val {
	l, r := a.expr(x.l, s), a.expr(x.r, s)
	vs, t := a.unify([]val{l, r}, x, "operator IS DISTINCT FROM")
	if !groupable(t) {
		a.noMatch(x, "IS DISTINCT FROM", l, r)
	}
	not := ""
	if x.not {
		not = "NOT "
	}
	return merge("("+vs[0].sql+" IS "+not+"DISTINCT FROM "+vs[1].sql+")", kind(Bool), l, r)
}

func (a *analyzer) between(x *betweenExpr, s *scope) val {
	v, lo, hi := a.expr(x.x, s), a.expr(x.lo, s), a.expr(x.hi, s)
	t, ok := a.supertype([]val{v, lo, hi})
	if !ok {
		a.noMatch(x, "BETWEEN", v, lo, hi)
	}
	t = resolved(t)
	for _, w := range []*val{&v, &lo, &hi} {
		*w = a.must(*w, t, x, "No matching signature for operator BETWEEN")
	}
	sql := "(" + a.compare(">=", v, lo, x).sql + " AND " + a.compare("<=", v, hi, x).sql + ")"
	if x.not {
		sql = "(NOT " + sql + ")"
	}
	return merge(sql, kind(Bool), v, lo, hi)
}

func (a *analyzer) in(x *inExpr, s *scope) val {
	v := a.expr(x.x, s)
	var out val
	switch {
	case x.query != nil:
		out = a.inQuery(x, v, s)
	case x.unnest != nil:
		out = a.inArray(x, v, s)
	default:
		vs := []val{v}
		for _, e := range x.list {
			vs = append(vs, a.expr(e, s))
		}
		t, ok := a.supertype(vs)
		if !ok {
			a.fail(x, "No matching signature for operator IN for argument types: %s", typeList(vs))
		}
		t = resolved(t)
		for i := range vs {
			vs[i], _ = a.coerce(vs[i], t)
		}
		var ors []string
		for _, e := range vs[1:] {
			ors = append(ors, e.sql)
		}
		switch {
		case t.Kind == Float64 || t.Kind == Struct:
			for i, e := range vs[1:] {
				ors[i] = a.compare("=", vs[0], e, x).sql
			}
			out = merge("("+strings.Join(ors, " OR ")+")", kind(Bool), vs...)
		case t.Kind == JSON || t.Kind == Array:
			a.refuse(x, "IN with values of type "+t.name())
		default:
			out = merge("("+vs[0].sql+" IN ("+strings.Join(ors, ", ")+"))", kind(Bool), vs...)
		}
	}
	if x.not {
		out.sql = "(NOT " + out.sql + ")"
	}
	return out
}

func (a *analyzer) inQuery(x *inExpr, v val, s *scope) val {
	r := a.query(x.query, s, s.ctes)
	if len(r.cols) != 1 {
		a.fail(x, "Subquery of type IN must have only one output column")
	}
	t, ok := a.supertype(append([]val{v}, r.columnVals(0)...))
	if !ok || t.Kind == JSON || t.Kind == Array {
		a.fail(x, "Cannot execute IN subquery with uncomparable types %s and %s", v.t.name(), r.cols[0].v.t.name())
	}
	t = resolved(t)
	r = a.convert(r, []Type{t})
	v, _ = a.coerce(v, t)
	if t.Kind != Struct && t.Kind != Float64 {
		return merge("("+v.sql+" IN ("+r.sql+"))", kind(Bool), v)
	}
	// DuckDB's IN treats NaNs and NULLs in STRUCTs as equal.
	id := a.id("t")
	eq := a.compare("=", v, val{sql: id + "." + r.cols[0].v.sql, t: t}, x).sql
	sql := "(SELECT CASE WHEN bool_or(" + eq + ") THEN TRUE WHEN count(*) > count(" + eq +
		") THEN NULL ELSE FALSE END FROM (" +
		r.sql + ") AS " + id + ")"
	return merge(sql, kind(Bool), v)
}

func (a *analyzer) inArray(x *inExpr, v val, s *scope) val {
	arr := a.expr(x.unnest, s)
	if v.untyped() && arr.t.Kind == Array {
		v, _ = a.coerce(v, *arr.t.Elem)
	}
	if arr.untyped() {
		arr, _ = a.coerce(arr, arrayOf(resolved(v.t)))
	}
	if arr.t.Kind != Array {
		a.fail(x.unnest, "Second argument of IN UNNEST must be an array but was %s", arr.t.name())
	}
	if w, ok := a.coerce(v, *arr.t.Elem); ok {
		v = w
	} else {
		arr = a.must(arr, arrayOf(v.t), x, "No matching signature for operator IN UNNEST for argument types: %s, %s",
			v.t.name(), arr.t.name())
	}
	t := *arr.t.Elem
	if t.Kind != Struct && t.Kind != Float64 {
		return merge("("+v.sql+" IN (SELECT unnest("+arr.sql+")))", kind(Bool), v, arr)
	}
	sql := a.bind([]val{v, arr}, func(n []string) string {
		eq := a.compare("=", val{sql: n[0], t: t}, val{sql: "e", t: t}, x).sql
		return "(CASE WHEN coalesce(len(" + n[1] + "), 0) = 0 THEN FALSE WHEN len(list_filter(" + n[1] +
			", lambda e: " + eq +
			")) > 0 THEN TRUE WHEN len(list_filter(" + n[1] + ", lambda e: (" + eq +
			") IS NULL)) > 0 THEN NULL ELSE FALSE END)"
	})
	return merge(sql, kind(Bool), v, arr)
}
