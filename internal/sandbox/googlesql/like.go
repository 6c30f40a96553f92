package googlesql

import "strings"

// likeExpr is x [NOT] LIKE ANY | ALL of patterns: a list, a query or an array.
type likeExpr struct {
	node
	x      expr
	not    bool
	all    bool
	list   []expr
	query  *query
	unnest expr
}

// likeTail parses what follows LIKE ANY, SOME or ALL.
func (p *parser) likeTail(at node, l expr, not bool) expr {
	x := &likeExpr{node: at, x: l, not: not, all: p.tok().is("ALL")}
	p.i++
	if p.accept("UNNEST", "(") {
		x.unnest = p.expr()
		p.expect(")")
		return x
	}
	p.expect("(")
	if p.startsQuery(0) {
		x.query = p.query()
	} else {
		x.list = p.exprList()
	}
	p.expect(")")
	return x
}

func (a *analyzer) likeAny(x *likeExpr, s *scope) val {
	v := a.expr(x.x, s)
	op := "LIKE"
	if x.not {
		op = "NOT LIKE"
	}
	word := " OR "
	if x.all {
		word = " AND "
	}
	if x.list != nil {
		var parts []string
		vs := []val{v}
		for _, e := range x.list {
			p := a.expr(e, s)
			parts = append(parts, a.like(&binaryExpr{x.node, op, x.x, e}, v, p).sql)
			vs = append(vs, p)
		}
		return merge("("+strings.Join(parts, word)+")", kind(Bool), vs...)
	}
	var source string
	var pattern val
	id := a.id("t")
	if x.query != nil {
		r := a.query(x.query, s, s.ctes)
		if len(r.cols) != 1 {
			a.fail(x, "Subquery of type LIKE must have only one output column")
		}
		source, pattern = "("+r.sql+") AS "+id, r.cols[0].v
		pattern.sql = id + "." + pattern.sql
	} else {
		arr := a.expr(x.unnest, s)
		if w, ok := a.coerce(arr, arrayOf(kind(String))); ok {
			arr = w
		}
		if arr.t.Kind != Array {
			a.fail(x.unnest, "Second argument of LIKE UNNEST must be an array but was %s", arr.t.name())
		}
		source, pattern = "(SELECT unnest("+arr.sql+") AS p) AS "+id, val{sql: id + ".p", t: *arr.t.Elem}
	}
	m := a.like(&binaryExpr{x.node, op, x.x, x.x}, v, pattern).sql
	first, empty := "bool_or("+m+") THEN TRUE", "FALSE"
	last := "FALSE"
	if x.all {
		first, empty, last = "NOT bool_and("+m+") THEN FALSE", "TRUE", "TRUE"
	}
	return merge("(SELECT CASE WHEN count(*) = 0 THEN "+empty+" WHEN "+first+" WHEN count(*) > count("+m+
		") THEN NULL ELSE "+last+
		" END FROM "+source+")", kind(Bool), v)
}
