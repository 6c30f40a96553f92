package googlesql

import (
	"slices"
	"strings"
)

// query parses a query expression.
func (p *parser) query() *query {
	p.enter()
	defer p.leave()
	q := &query{node: node{p.tok().pos}}
	if p.accept("WITH") {
		p.withEntries(q)
	}
	if p.tok().is("FROM") {
		p.fromQuery(q)
		return q
	}
	q.body = p.setOps()
	q.orderAt = p.tok().pos
	if p.accept("ORDER", "BY") {
		q.order = p.orderItems()
	}
	p.limits(q)
	p.pipes(q)
	return q
}

// withEntries reads the entries after WITH. The list of an operator may end
// with a comma.
func (p *parser) withEntries(q *query) {
	q.recursive = p.accept("RECURSIVE")
	for {
		n := p.ident()
		p.expect("AS")
		p.expect("(")
		from := p.i
		c := cte{name: n, q: p.query(), words: map[string]bool{}}
		for _, t := range p.toks[from:p.i] {
			c.words[strings.ToLower(t.text)] = true
		}
		q.with = append(q.with, c)
		p.expect(")")
		if !p.accept(",") || p.tok().is("|>") {
			break
		}
	}
	if q.recursive {
		q.with = dependents(q.with)
	}
}

// dependents moves entries of WITH RECURSIVE after those that they name, unless there is a cycle.
func dependents(entries []cte) []cte {
	var out []cte
	for left := slices.Clone(entries); len(left) > 0; {
		next := slices.IndexFunc(left, func(c cte) bool {
			return !slices.ContainsFunc(left, func(o cte) bool {
				low := strings.ToLower(o.name.text)
				return c.words[low] && !strings.EqualFold(o.name.text, c.name.text)
			})
		})
		next = max(next, 0)
		out, left = append(out, left[next]), slices.Delete(left, next, next+1)
	}
	return out
}

func (p *parser) limits(q *query) {
	if p.accept("LIMIT") {
		q.limit = p.expr()
		if p.accept("OFFSET") {
			q.offset = p.expr()
		}
	}
}

// setOps parses SELECTs joined by set operations of one kind.
func (p *parser) setOps() queryBody {
	left := p.primaryQuery()
	first := ""
	for {
		t := p.tok()
		if !p.setOpNext() {
			return left
		}
		op := &setOp{node: node{t.pos}, l: left}
		p.setOpWords(op)
		kind := op.words()
		if first == "" {
			first = kind
		} else if first != kind {
			fail(p.src, t.pos, "Syntax error: Different set operations cannot be used in the same query without using "+
				"parentheses for grouping")
		}
		op.r = p.primaryQuery()
		left = op
	}
}

// setOpNext reports whether a set operation comes next.
func (p *parser) setOpNext() bool {
	n := 0
	for _, w := range []string{"FULL", "LEFT", "INNER", "OUTER"} {
		if p.ahead(n).is(w) {
			n++
		}
	}
	t := p.ahead(n)
	return t.is("UNION") || t.is("INTERSECT") || t.is("EXCEPT")
}

// setOpWords reads a set operation such as [FULL | LEFT | INNER [OUTER]] UNION ALL [BY NAME
// [ON (..)]].
func (p *parser) setOpWords(op *setOp) {
	for _, w := range []string{"FULL", "LEFT", "INNER"} {
		if p.accept(w) {
			op.mode = w
		}
	}
	p.accept("OUTER")
	op.op = p.tok().text
	p.i++
	switch {
	case p.accept("DISTINCT"):
		op.distinct = true
	case p.accept("ALL"):
	default:
		fail(p.src, p.tok().pos, "Syntax error: Expected keyword ALL or keyword DISTINCT but got %s",
			p.tok().describe())
	}
	if kind := op.words(); kind == "INTERSECT ALL" || kind == "EXCEPT ALL" {
		fail(p.src, op.at, "%s is not supported", kind)
	}
	strict := p.accept("STRICT")
	switch {
	case p.accept("BY", "NAME"):
		op.byName = true
		if p.accept("ON") {
			op.on = p.nameList()
		}
	case p.accept("CORRESPONDING"):
		op.byName = true
		if !strict && op.mode == "" {
			op.mode = "INNER"
		}
		if p.accept("BY") {
			op.on = p.nameList()
		}
	case op.mode != "" || strict:
		p.expect("BY")
	}
}

func (p *parser) primaryQuery() queryBody {
	if p.accept("(") {
		q := p.query()
		p.expect(")")
		return q
	}
	return p.selectQuery()
}

func (p *parser) selectQuery() *selectBody {
	s := p.selectList()
	if p.accept("FROM") {
		s.from = p.fromClause()
	}
	if p.clause(s, "WHERE") {
		s.where = p.expr()
	}
	if p.isWords("GROUP", "BY") {
		s.groupBy = p.groupBy()
	}
	if p.clause(s, "HAVING") {
		s.having = p.expr()
	}
	if p.clause(s, "QUALIFY") {
		s.qualify = p.expr()
	}
	p.note(s, "WINDOW")
	s.windows = p.windowClause()
	return s
}

// clause reads the word of a clause, if it comes next.
func (p *parser) clause(s *selectBody, word string) bool {
	p.note(s, word)
	return p.accept(word)
}

// note keeps where a clause stands, if it comes next.
func (p *parser) note(s *selectBody, word string) {
	if !p.tok().is(word) {
		return
	}
	if s.clauses == nil {
		s.clauses = map[string]node{}
	}
	s.clauses[word] = node{p.tok().pos}
}

// selectList reads SELECT and its items.
func (p *parser) selectList() *selectBody {
	s := &selectBody{node: node{p.expect("SELECT").pos}}
	switch {
	case p.isWords("WITH") && !p.ahead(1).is("("):
		p.refuse(p.tok().pos, "SELECT WITH")
	case p.accept("DISTINCT"):
		s.distinct = true
	default:
		p.accept("ALL")
	}
	if p.isWords("AS", "STRUCT") || p.isWords("AS", "VALUE") {
		s.asKind = strings.ToUpper(p.ahead(1).text)
		p.i += 2
	}
	s.items = p.selectItems()
	return s
}

// selectItems reads items, which may end with a comma.
func (p *parser) selectItems() []selectItem {
	var items []selectItem
	for {
		items = append(items, p.selectItem())
		if !p.accept(",") || p.listEnd() {
			return items
		}
	}
}

// listEnd reports whether a comma before was the trailing one of a list of items.
func (p *parser) listEnd() bool {
	t := p.tok()
	return t.kind == tokEOF || t.is(")") || t.is(";") || t.is("|>") || t.is("FROM") || t.is("GROUP")
}

// windowClause reads WINDOW and its named windows, if it comes next.
func (p *parser) windowClause() map[string]*window {
	if !p.accept("WINDOW") {
		return nil
	}
	windows := map[string]*window{}
	for {
		n := p.ident()
		p.expect("AS")
		windows[strings.ToLower(n.text)] = p.window()
		if !p.accept(",") {
			return windows
		}
	}
}

func (p *parser) selectItem() selectItem {
	it := selectItem{node: node{p.tok().pos}}
	if p.accept("*") {
		it.star = true
		p.starModifiers(&it)
		return it
	}
	it.x = p.expr()
	if p.isWords(".", "*") {
		p.i += 2
		it.star = true
		p.starModifiers(&it)
		return it
	}
	it.alias = p.aliasOpt()
	return it
}

func (p *parser) starModifiers(it *selectItem) {
	if p.isWords("EXCEPT", "(") {
		p.i += 2
		for {
			it.except = append(it.except, p.ident())
			if !p.accept(",") {
				break
			}
		}
		p.expect(")")
	}
	if p.isWords("REPLACE", "(") {
		p.i += 2
		for {
			r := selectItem{node: node{p.tok().pos}, x: p.expr()}
			p.accept("AS")
			n := p.ident()
			r.alias = &n
			it.replace = append(it.replace, r)
			if !p.accept(",") {
				break
			}
		}
		p.expect(")")
	}
}

func (p *parser) groupBy() *grouping {
	g := &grouping{node: node{p.tok().pos}}
	p.i += 2
	if p.accept("ALL") {
		g.all = true
		return g
	}
	for {
		g.items = append(g.items, p.groupItem())
		if !p.accept(",") || p.groupEnd() {
			return g
		}
	}
}

// groupEnd reports whether a trailing comma was the last of a GROUP BY.
func (p *parser) groupEnd() bool {
	t := p.tok()
	return t.kind == tokEOF || t.is(")") || t.is("HAVING") || t.is("ORDER") || t.is("LIMIT") || t.is("QUALIFY") ||
		t.is(";") || t.is("|>")
}

// groupItem reads a key, ROLLUP, CUBE or GROUPING SETS.
func (p *parser) groupItem() groupItem {
	it := groupItem{}
	switch {
	case p.isWords("ROLLUP", "("), p.isWords("CUBE", "("):
		it.kind = p.tok().text
		p.i++
	case p.accept("GROUPING", "SETS"):
		it.kind = "GROUPING SETS"
	case p.accept("(", ")"): // one group of all rows
		return groupItem{kind: "GROUPING SETS", items: []groupItem{{kind: "SET"}}}
	default:
		it.keys = []expr{p.expr()}
		return it
	}
	p.expect("(")
	for {
		it.items = append(it.items, p.groupSet(it.kind == "GROUPING SETS"))
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	return it
}

// groupSet reads a key, (a, b), () or, in GROUPING SETS, ROLLUP and CUBE.
func (p *parser) groupSet(nested bool) groupItem {
	if nested && (p.isWords("ROLLUP", "(") || p.isWords("CUBE", "(")) {
		return p.groupItem()
	}
	set := groupItem{kind: "SET"}
	if nested && p.accept("(", ")") {
		return set
	}
	x := p.expr()
	if st, ok := x.(*structExpr); ok && st.typ == nil && p.src[st.at] == '(' {
		set.keys = st.values
	} else {
		set.keys = []expr{x}
	}
	return set
}

func (p *parser) exprList() []expr {
	list := []expr{p.expr()}
	for p.accept(",") {
		list = append(list, p.expr())
	}
	return list
}

func (p *parser) orderItems() []orderItem {
	var items []orderItem
	for {
		it := orderItem{x: p.expr()}
		if p.tok().is("COLLATE") {
			p.refuse(p.tok().pos, "COLLATE")
		}
		p.orderSuffix(&it)
		items = append(items, it)
		if !p.accept(",") {
			return items
		}
	}
}

// orderSuffix reads [ASC | DESC] [NULLS FIRST | NULLS LAST] and reports whether it was there.
func (p *parser) orderSuffix(it *orderItem) bool {
	i := p.i
	if !p.accept("ASC") {
		it.desc = p.accept("DESC")
	}
	if p.accept("NULLS", "FIRST") {
		it.nulls = "FIRST"
	} else if p.accept("NULLS", "LAST") {
		it.nulls = "LAST"
	}
	return p.i > i
}

// parenQuery reports whether the parentheses that open here contain a query.
func (p *parser) parenQuery() bool {
	n := 0
	for p.ahead(n).is("(") {
		n++
	}
	return p.startsQuery(n)
}

// startsQuery reports whether the n-th token from here begins a query that has no parentheses.
func (p *parser) startsQuery(n int) bool {
	t := p.ahead(n)
	return t.is("SELECT") || t.is("WITH") && !p.ahead(n+1).is("(") || t.is("FROM")
}
