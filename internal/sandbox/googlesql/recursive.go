package googlesql

import (
	"fmt"
	"slices"
	"strings"
)

// maxIterations is the largest number of iterations of a recursive term in
// BigQuery.
const maxIterations = 500

// iteration is the name of the column that counts the iterations. No statement can
// contain it.
const iteration = "\x00iteration"

// refersTo reports whether a WITH RECURSIVE entry is recursive.
func refersTo(c cte) bool { return mentions(c.q.body, c.name.text) }

// mentions looks for the table name in the FROM clauses of a body.
func mentions(b queryBody, name string) bool {
	switch b := b.(type) {
	case *selectBody:
		return b.from != nil && tableMentions(b.from, name)
	case *setOp:
		return mentions(b.l, name) || mentions(b.r, name)
	case *query:
		return mentions(b.body, name)
	case *pipeBody:
		return b.mentions(name)
	}
	return false
}

func tableMentions(t tableExpr, name string) bool {
	switch t := t.(type) {
	case *tableRef:
		return len(t.path) == 1 && strings.EqualFold(t.path[0].text, name)
	case *joinRef:
		return tableMentions(t.l, name) || tableMentions(t.r, name)
	case *subqueryRef:
		return mentions(t.q.body, name)
	}
	return false
}

// recursive analyzes a recursive WITH entry. The first term determines the
// types.
func (a *analyzer) recursive(c *cte, outer *scope, ctes **cteScope) string {
	op, ok := c.q.body.(*setOp)
	if _, piped := c.q.body.(*pipeBody); piped {
		a.refuse(c.q, "A recursive WITH entry with pipe operators")
	}
	switch {
	case !ok:
		a.fail(c.q, "A recursive WITH entry must be a UNION ALL of two terms")
	case op.op != "UNION" || op.distinct || op.byName:
		a.fail(op, "A recursive WITH entry must be a UNION ALL of two terms")
	case mentions(op.l, c.name.text):
		a.fail(op, "A recursive reference cannot stand in the first term of a recursive WITH entry")
	case len(c.q.order) > 0 || c.q.limit != nil || len(c.q.with) > 0:
		a.fail(op, "A recursive WITH entry cannot have WITH, ORDER BY or LIMIT outside of its terms")
	}
	base := a.body(op.l, outer, *ctes)
	base = a.convert(base, typesOf(base))
	id := a.id("w")
	var names []string
	self := &cteScope{parent: *ctes, name: c.name.text, sql: id, self: true}
	for _, b := range base.cols {
		n := a.id("c")
		names = append(names, n)
		self.cols = append(self.cols, column{b.name, val{sql: n, t: b.v.t}})
	}
	*ctes = self
	term, counted := count(op.r, c.name.text)
	refs := a.selfRefs
	step := a.body(term, outer, *ctes)
	self.self = false
	if a.selfRefs != refs+1 {
		a.fail(op.r, "A recursive term must refer to %s once", c.name.text)
	}
	a.selfRefs = refs
	first := base.sql
	wanted := typesOf(base)
	if counted {
		wanted = append(wanted, kind(Int64))
	}
	if len(step.cols) != len(wanted) {
		n := len(step.cols) - len(wanted) + len(base.cols)
		a.fail(op.r, "Queries in UNION have mismatched column count; query 1 has %d column(s), query 2 has %d "+
			"column(s)", len(base.cols), n)
	}
	for i, col := range step.cols {
		if _, ok := a.coerce(col.v, wanted[i]); !ok {
			a.fail(op.r, "Column %d of the recursive term has the type %s, which cannot be coerced to %s of the first "+
				"term", i+1, col.v.t.name(), wanted[i].name())
		}
	}
	step = a.convert(step, wanted)
	if counted {
		names = append(names, `"iteration"`)
		first = fmt.Sprintf("SELECT *, 0 FROM (%s) AS %s", first, a.id("t"))
		step = a.limitIterations(step)
	}
	return fmt.Sprintf("%s(%s) AS (%s UNION ALL %s)", id, strings.Join(names, ", "), first, step.sql)
}

// count makes a recursive term select the number of its iteration, where its SELECT reads the
// entry itself.
func count(term queryBody, self string) (queryBody, bool) {
	b := term
	for {
		q, ok := b.(*query)
		if !ok || len(q.order) > 0 || q.limit != nil || len(q.with) > 0 {
			break
		}
		b = q.body
	}
	sel, ok := b.(*selectBody)
	if !ok || sel.asKind != "" || sel.from == nil || !directly(sel.from, self) {
		return term, false
	}
	counting := *sel
	at := sel.node
	item := selectItem{node: at, x: &pathExpr{at, []name{{node: at, text: iteration}}}}
	counting.items = append(slices.Clone(sel.items), item)
	return &counting, true
}

// directly reports whether a FROM clause names a table outside of subqueries.
func directly(t tableExpr, name string) bool {
	if j, ok := t.(*joinRef); ok {
		return directly(j.l, name) || directly(j.r, name)
	}
	_, ok := t.(*tableRef)
	return ok && tableMentions(t, name)
}

// limitIterations ends a recursion with BigQuery's error.
func (a *analyzer) limitIterations(step *result) *result {
	id := a.id("t")
	var items []string
	last := ""
	for _, c := range step.cols {
		last = id + "." + c.v.sql
		items = append(items, last)
	}
	items[len(items)-1] = last + " + 1"
	text := fmt.Sprintf("'A recursive CTE has reached the maximum number of iterations: %d'", maxIterations)
	return &result{cols: step.cols, sql: fmt.Sprintf("SELECT %s FROM (%s) AS %s WHERE CASE WHEN %s >= %d THEN %s ELSE "+
		"TRUE END", strings.Join(items, ", "), step.sql, id, last, maxIterations, raise(text, "BOOLEAN"))}
}

// withRef is a reference to a WITH entry.
func (a *analyzer) withRef(c *cteScope, alias name, t *tableRef, s *scope) string {
	if c.later {
		a.refuse(t, "A WITH RECURSIVE entry that names itself in a subquery, or a later one,")
	}
	rel := &relation{alias: alias.text}
	id := a.addResult(rel, c.cols, false, s, t)
	if c.self {
		a.selfRefs++
		if c.refs++; c.refs > 1 {
			a.fail(t, "A recursive term must refer to %s once", c.name)
		}
		rel.self = true
		s.pseudo = append(s.pseudo, column{iteration, val{sql: id + `."iteration"`, t: kind(Int64)}})
	}
	return c.sql + " AS " + id
}

// recursiveJoin refuses a recursive reference on the side of a join that is padded with NULLs.
func (a *analyzer) recursiveJoin(j *joinRef, s *scope, right int) {
	for i, rel := range s.rels {
		if rel.self && (j.kind == "FULL" || j.kind == "LEFT" && i >= right || j.kind == "RIGHT" && i < right) {
			a.fail(j, "A recursive reference cannot stand there in a %s JOIN", j.kind)
		}
	}
}

// recursiveSelect refuses what a SELECT that reads a recursive reference cannot do.
func (a *analyzer) recursiveSelect(b *selectBody, s *scope, outs []output, grouped bool) {
	if grouped || s.sawAgg {
		a.fail(b, "A recursive reference cannot stand under GROUP BY or an aggregate function")
	}
	for _, o := range outs {
		if o.v.win {
			a.fail(b, "A recursive reference cannot stand under an analytic function")
		}
	}
	if b.qualify != nil {
		a.fail(b, "A recursive reference cannot stand under QUALIFY")
	}
}
