package googlesql

import (
	"strings"
)

// result is an analyzed query. Each column's v.sql is its name in sql; lit, param and
// untyped tell set operations and INSERT how the column may be converted.
type result struct {
	sql   string
	cols  []column
	value bool // SELECT AS STRUCT or AS VALUE
	plain bool // has no ORDER BY or LIMIT that needs parentheses
	// rows are the rows of SELECTs of values alone, joined by UNION ALL.
	rows [][]val
	// ordered reports whether the rows are in an order that the query requests.
	ordered bool
}

// query analyzes a query expression.
func (a *analyzer) query(q *query, outer *scope, ctes *cteScope) *result {
	with, words, ctes := a.withEntries(q, outer, ctes)
	var r *result
	refs := a.selfRefs
	switch b := q.body.(type) {
	case *selectBody:
		r = a.selectQuery(b, q, outer, ctes)
	case *pipeBody:
		r = a.pipes(b, q.keepOrder, outer, ctes)
	default:
		r = a.body(q.body, outer, ctes)
		if len(q.order) > 0 || q.limit != nil {
			r = a.wrapOrder(r, q, &scope{parent: outer, ctes: ctes, clause: "ORDER BY clause after set operation"})
		}
	}
	r.ordered = r.ordered || len(q.order) > 0
	if a.selfRefs > refs && (len(q.order) > 0 || q.limit != nil) {
		a.fail(q, "A recursive reference cannot stand under ORDER BY or LIMIT")
	}
	if len(with) > 0 {
		r.sql = words + strings.Join(with, ", ") + " " + r.sql
		r.plain, r.rows = false, nil
	}
	return r
}

// withEntries analyzes the entries of WITH. It returns their texts, the words before them, and
// their names.
func (a *analyzer) withEntries(q *query, outer *scope, ctes *cteScope) ([]string, string, *cteScope) {
	var with []string
	words := "WITH "
	seen := map[string]bool{}
	for _, c := range q.with {
		if low := strings.ToLower(c.name.text); seen[low] {
			a.fail(c.name, "Duplicate alias %s for WITH subquery", c.name.text)
		} else {
			seen[low] = true
		}
	}
	if q.recursive {
		words = "WITH RECURSIVE "
		for _, c := range q.with {
			ctes = &cteScope{parent: ctes, name: c.name.text, later: true}
		}
	}
	for _, c := range q.with {
		if q.recursive && refersTo(c) {
			with = append(with, a.recursive(&c, outer, &ctes))
			continue
		}
		r := a.query(c.q, outer, ctes)
		id := a.id("w")
		with = append(with, id+" AS ("+r.sql+")")
		ctes = &cteScope{parent: ctes, name: c.name.text, sql: id, cols: r.cols}
	}
	return with, words, ctes
}

func typesOf(r *result) []Type {
	ts := make([]Type, len(r.cols))
	for i, c := range r.cols {
		ts[i] = resolved(c.v.t)
	}
	return ts
}

// body analyzes a SELECT, a set operation or a parenthesized query.
func (a *analyzer) body(b queryBody, outer *scope, ctes *cteScope) *result {
	switch b := b.(type) {
	case *selectBody:
		return a.selectQuery(b, nil, outer, ctes)
	case *setOp:
		return a.setOp(b, outer, ctes)
	case *query:
		r := a.query(b, outer, ctes)
		if !r.plain {
			return a.rewrap(r)
		}
		return r
	case *analyzed:
		if !b.r.plain {
			return a.rewrap(b.r)
		}
		return b.r
	}
	a.refuse(b, "This query")
	return nil
}

// rewrap converts a query with ORDER BY, LIMIT or WITH to one that a set operation
// can contain.
func (a *analyzer) rewrap(r *result) *result {
	id := a.id("t")
	out := &result{cols: r.cols, value: r.value, plain: true}
	out.sql = "SELECT * FROM (" + r.sql + ") AS " + id
	return out
}

// convert casts a query's columns to types. The casts must be possible.
func (a *analyzer) convert(r *result, ts []Type) *result {
	same := true
	for i, c := range r.cols {
		same = same && !c.v.untyped() && c.v.t.DuckDB() == ts[i].DuckDB()
	}
	if same {
		return r
	}
	id := a.id("t")
	out := &result{value: r.value, plain: true}
	var items []string
	for i, c := range r.cols {
		v := c.v
		v.sql = id + "." + v.sql
		w, ok := a.coerce(v, ts[i])
		if !ok {
			w = a.castTo(v, ts[i])
		}
		if v.param > 0 { // the column has taken the parameter's type
			w = a.castTo(v, ts[i])
		}
		n := a.id("c")
		items = append(items, w.sql+" AS "+n)
		out.cols = append(out.cols, column{c.name, val{sql: n, t: ts[i], part: c.v.part}})
	}
	out.sql = "SELECT " + strings.Join(items, ", ") + " FROM (" + r.sql + ") AS " + id
	return out
}

// wrapOrder sorts and cuts a query by its output columns, which it adds to s.
func (a *analyzer) wrapOrder(r *result, q *query, s *scope) *result {
	id := a.id("t")
	out := &result{value: r.value}
	var items []string
	var vals []val
	for _, c := range r.cols {
		v := c.v
		v.sql = id + "." + v.sql
		v.t = resolved(v.t)
		if s.under == nil {
			s.cols = append(s.cols, column{c.name, v})
		} else {
			s.aliases = append(s.aliases, column{c.name, v})
		}
		vals = append(vals, v)
		n := a.id("c")
		items = append(items, v.sql+" AS "+n)
		out.cols = append(out.cols, column{c.name, val{sql: n, t: v.t, part: v.part}})
	}
	out.sql = "SELECT " + strings.Join(items, ", ") + " FROM (" + r.sql + ") AS " + id +
		a.orderBy(q.order, s, vals) + a.limits(q, s)
	return out
}

// limits writes LIMIT and OFFSET.
func (a *analyzer) limits(q *query, s *scope) string {
	out := ""
	for _, l := range []struct {
		word string
		x    expr
	}{{"LIMIT", q.limit}, {"OFFSET", q.offset}} {
		if l.x == nil {
			continue
		}
		out += " " + l.word + " " + a.count(l.x, l.word)
	}
	return out
}

// count analyzes the number of LIMIT and OFFSET: a literal or a parameter.
func (a *analyzer) count(x expr, word string) string {
	switch x.(type) {
	case *literal, *paramExpr, *castExpr:
	default:
		a.fail(x, "%s expects an integer literal or parameter", word)
	}
	v := a.expr(x, &scope{})
	if v.untyped() && v.param == 0 {
		a.fail(x, "%s must not be null", word)
	}
	if !v.untyped() && v.t.Kind != Int64 {
		a.fail(x, "%s expects an integer literal or parameter", word)
	}
	v = a.must(v, kind(Int64), x, "%s expects an integer literal or parameter", word)
	if v.lit != nil {
		return v.sql
	}
	// DuckDB takes NULL for no limit.
	return "(CASE WHEN " + v.sql + " IS NULL THEN " + raise(quoteString(word+" must not be null"), "BIGINT") +
		" ELSE " + v.sql + " END)"
}

// orderBy writes ORDER BY. outs are the output columns that ordinals refer to.
func (a *analyzer) orderBy(items []orderItem, s *scope, outs []val) string {
	if len(items) == 0 {
		return ""
	}
	var keys []string
	for _, it := range items {
		var v val
		if n, ok := ordinal(it.x); ok && outs == nil {
			continue // in a window a number is a constant, not an ordinal
		} else if ok {
			if n < 1 || n > len(outs) {
				a.fail(it.x, "ORDER BY column number item is out of range. Column numbers should be between 1 and %d",
					len(outs))
			}
			v = outs[n-1]
		} else {
			v = a.expr(it.x, s)
		}
		keys = append(keys, a.sortKeys(v, it)...)
	}
	if len(keys) == 0 {
		return ""
	}
	return " ORDER BY " + strings.Join(keys, ", ")
}

func ordinal(x expr) (int, bool) {
	l, ok := x.(*literal)
	if !ok || l.kind != Int64 {
		return 0, false
	}
	n, ok := smallInt(l.text)
	if !ok {
		return -1, true
	}
	return n, true
}

// sortKeys writes one item of ORDER BY with GoogleSQL's places of NULL and NaN: both
// come before everything else, unless NULLS says so.
func (a *analyzer) sortKeys(v val, it orderItem) []string {
	switch v.t.Kind {
	case Array, JSON, Struct:
		a.fail(it.x, "ORDER BY does not support expressions of type %s", v.t.name())
	}
	dir, nulls := "ASC", "FIRST"
	if it.desc {
		dir, nulls = "DESC", "LAST"
	}
	if it.nulls != "" {
		nulls = it.nulls
	}
	var keys []string
	if v.t.Kind == Float64 && v.lit == nil {
		keys = append(keys, "(NOT isnan("+v.sql+")) "+dir+" NULLS "+nulls)
	}
	if v.sql == "NULL" || v.lit != nil { // a constant is no ordinal
		return []string{"CAST(NULL AS BIGINT)"}
	}
	return append(keys, "("+v.sql+") "+dir+" NULLS "+nulls)
}
