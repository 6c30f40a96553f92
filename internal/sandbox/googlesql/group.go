package googlesql

import (
	"slices"
	"strconv"
	"strings"
)

// groupKeys analyzes GROUP BY and returns its text and its keys.
func (a *analyzer) groupKeys(b *selectBody, s *scope) (string, map[string]string) {
	g := &grouper{a: a, b: b, s: s, keys: map[string]string{}}
	if b.groupBy == nil {
		return "", g.keys
	}
	g.list = &scope{parent: s.parent, ctes: s.ctes, rels: s.rels, cols: s.cols, pseudo: s.pseudo,
		windows: s.windows, aggOK: true, winOK: true, clause: "GROUP BY clause", group: &groupCheck{}}
	s.group = &groupCheck{} // so that keys are compared by norm
	defer func() { s.group = nil }()
	if b.groupBy.all {
		return g.all(), g.keys
	}
	var items []string
	for _, it := range b.groupBy.items {
		items = append(items, g.item(it))
	}
	if slices.ContainsFunc(b.groupBy.items, func(it groupItem) bool { return it.kind != "" }) {
		g.checkParts()
	}
	return " GROUP BY " + strings.Join(items, ", "), g.keys
}

// grouper collects the keys of a GROUP BY.
type grouper struct {
	a       *analyzer
	b       *selectBody
	s, list *scope
	keys    map[string]string
	parts   []keyParts
}

// keyParts are the columns of a key that is an expression.
type keyParts struct {
	at      interface{ pos() int }
	columns map[string]bool
}

// checkParts refuses sets with an expression and with all its columns. BigQuery computes the
// expression from the columns in each set, but DuckDB treats it as a key that the set lacks.
func (g *grouper) checkParts() {
	for _, p := range g.parts {
		keyed := 0
		for c := range p.columns {
			if g.keys[c] != "" {
				keyed++
			}
		}
		if keyed > 0 && keyed == len(p.columns) {
			g.a.refuse(p.at, "ROLLUP, CUBE or GROUPING SETS over an expression and over its columns")
		}
	}
}

// all is GROUP BY ALL: the items of the select list without aggregates. Without any it is one group
// of all rows.
func (g *grouper) all() string {
	var parts []string
	aggregated := false
	for _, o := range g.a.selectList(g.b, g.list) {
		switch {
		case o.v.agg:
			aggregated = true
		case o.v.win, o.v.lit != nil, o.v.untyped():
		default:
			parts = append(parts, g.key(o.v, o.at))
		}
	}
	if len(parts) > 0 {
		return " GROUP BY " + strings.Join(parts, ", ")
	}
	if aggregated {
		return ""
	}
	return " GROUP BY ()"
}

// key records a key and writes it. Parentheses keep a literal from being read as an
// ordinal.
func (g *grouper) key(v val, x interface{ pos() int }) string {
	if v.agg || v.win {
		g.a.fail(x, "Aggregate and analytic functions are not allowed in GROUP BY")
	}
	if !groupable(v.t) {
		g.a.fail(x, "Grouping by expressions of type %s is not allowed", v.t.name())
	}
	norm := v.norm
	if norm == "" {
		norm = v.sql
	}
	if have := g.keys[norm]; have != "" {
		v.sql = have
	}
	columns := map[string]bool{}
	for _, s := range []*scope{g.s, g.list} {
		for c := range s.touched {
			columns[c] = true
		}
		s.touched = nil
	}
	if !columns[v.sql] {
		g.parts = append(g.parts, keyParts{x, columns})
	}
	g.keys[norm] = v.sql
	return "(" + v.sql + ")"
}

// item writes one item: a key, or a set of sets of keys.
func (g *grouper) item(it groupItem) string {
	if it.kind == "" {
		return g.key(g.analyze(it.keys[0]), it.keys[0])
	}
	var parts []string
	for _, sub := range it.items {
		switch {
		case sub.kind != "" && sub.kind != "SET":
			parts = append(parts, g.item(sub))
		default:
			var keys []string
			for _, k := range sub.keys {
				keys = append(keys, g.key(g.analyze(k), k))
			}
			parts = append(parts, "("+strings.Join(keys, ", ")+")")
		}
	}
	return it.kind + " (" + strings.Join(parts, ", ") + ")"
}

// analyze analyzes one key: an ordinal, an alias of the select list, or an expression.
func (g *grouper) analyze(k expr) val {
	g.s.touched, g.list.touched = map[string]bool{}, map[string]bool{}
	if n, ok := ordinal(k); ok {
		outs := g.a.selectList(g.b, g.list)
		if n < 1 || n > len(outs) {
			g.a.fail(k, "GROUP BY is out of SELECT clause's range: column number %d, and there are %d columns", n,
				len(outs))
		}
		return g.selected(outs[n-1].v, strconv.Itoa(n), k)
	}
	if p, ok := k.(*pathExpr); ok && len(p.parts) == 1 {
		for _, it := range g.b.items {
			if it.alias != nil && !it.star && strings.EqualFold(it.alias.text, p.parts[0].text) {
				return g.selected(g.a.expr(it.x, g.list), it.alias.text, k)
			}
		}
	}
	g.s.clause = "GROUP BY clause"
	v := g.a.expr(k, g.s)
	if v.lit != nil || v.untyped() && v.param == 0 {
		g.a.fail(k, "Cannot GROUP BY literal values")
	}
	return v
}

// selected returns a column of the select list that a key names by its number or its
// alias.
func (g *grouper) selected(v val, name string, k expr) val {
	const bad = "Column %s contains an %s function, which is not allowed in GROUP BY"
	if v.agg {
		g.a.fail(k, bad, name, "aggregation")
	}
	if v.win {
		g.a.fail(k, bad, name, "analytic")
	}
	return v
}
