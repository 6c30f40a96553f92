package googlesql

import "strings"

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
	if p.accept("ORDER", "BY") {
		q.order = p.orderItems()
	}
	p.limits(q)
	p.pipes(q)
	return q
}

// withEntries reads what follows WITH. An operator's list may end with a comma.
func (p *parser) withEntries(q *query) {
	q.recursive = p.accept("RECURSIVE")
	for {
		n := p.ident()
		p.expect("AS")
		p.expect("(")
		q.with = append(q.with, cte{n, p.query()})
		p.expect(")")
		if !p.accept(",") || p.tok().is("|>") {
			break
		}
	}
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

// setOpWords reads [FULL | LEFT | INNER [OUTER]] UNION ALL [BY NAME [ON (..)]] and its like.
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
	if p.accept("WHERE") {
		s.where = p.expr()
	}
	if p.isWords("GROUP", "BY") {
		s.groupBy = p.groupBy()
	}
	if p.accept("HAVING") {
		s.having = p.expr()
	}
	if p.accept("QUALIFY") {
		s.qualify = p.expr()
	}
	s.windows = p.windowClause()
	return s
}

// selectList reads SELECT and its items.
func (p *parser) selectList() *selectBody {
	s := &selectBody{node: node{p.expect("SELECT").pos}}
	switch {
	case p.isWords("WITH"):
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

// selectItems reads items, the last of which may have a comma behind it.
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

func (p *parser) fromClause() tableExpr {
	left := p.joins()
	for p.tok().is(",") {
		at := p.tok().pos
		p.i++
		// A comma binds looser than JOIN on its left side and takes one table on its right:
		// a, b JOIN c is (a, b) JOIN c.
		left = &joinRef{node: node{at}, kind: "CROSS", l: left, r: p.tablePrimary()}
		left = p.joinTail(left)
	}
	return left
}

func (p *parser) joins() tableExpr {
	p.enter()
	defer p.leave()
	return p.joinTail(p.tablePrimary())
}

func (p *parser) joinTail(left tableExpr) tableExpr {
	for {
		j := p.join(left)
		if j == nil {
			return left
		}
		left = j
	}
}

// join reads one JOIN with what is on the right of it, nil if none comes next.
func (p *parser) join(left tableExpr) tableExpr {
	at := p.tok().pos
	kind := ""
	switch {
	case p.accept("JOIN"), p.accept("INNER", "JOIN"):
		kind = "INNER"
	case p.accept("CROSS", "JOIN"):
		kind = "CROSS"
	case p.accept("LEFT", "JOIN"), p.accept("LEFT", "OUTER", "JOIN"):
		kind = "LEFT"
	case p.accept("RIGHT", "JOIN"), p.accept("RIGHT", "OUTER", "JOIN"):
		kind = "RIGHT"
	case p.accept("FULL", "JOIN"), p.accept("FULL", "OUTER", "JOIN"):
		kind = "FULL"
	case p.tok().is("NATURAL"):
		fail(p.src, at, "Natural join not supported") // by BigQuery
	default:
		return nil
	}
	j := &joinRef{node: node{at}, kind: kind, l: left, r: p.tablePrimary()}
	switch {
	case kind == "CROSS":
	case p.accept("ON"):
		j.on = p.expr()
	case p.accept("USING"):
		p.expect("(")
		for {
			j.using = append(j.using, p.ident())
			if !p.accept(",") {
				break
			}
		}
		p.expect(")")
	default:
		if _, ok := j.r.(*unnestRef); !ok && !isPath(j.r) {
			fail(p.src, p.tok().pos, "Syntax error: Expected keyword ON or keyword USING but got %s",
				p.tok().describe())
		}
	}
	return j
}

// isPath reports whether t may be an array path, whose join needs no condition.
func isPath(t tableExpr) bool {
	r, ok := t.(*tableRef)
	return ok && len(r.path) > 1
}

func (p *parser) tablePrimary() tableExpr {
	at := p.tok().pos
	var t tableExpr
	switch {
	case p.tok().is("(") && p.parenQuery():
		p.i++
		q := p.query()
		p.expect(")")
		t = &subqueryRef{node{at}, q, p.aliasOpt()}
	case p.accept("("):
		t = p.joins()
		p.expect(")")
	case p.accept("UNNEST", "("):
		u := &unnestRef{node: node{at}, x: p.expr()}
		p.expect(")")
		u.alias = p.aliasOpt()
		p.withOffset(u)
		t = u
	case p.tok().kind == tokIdent || p.tok().kind == tokQuoted:
		path := p.tablePath()
		if p.tok().is("(") {
			if name := upperPath(path); name == "GRAPH_TABLE" || reference[name] || family(name) != "" {
				p.refuse(at, "The table function "+name)
			}
			call := p.call(at, upperPath(path), false).(*callExpr)
			call.path = path
			t = &tableCall{node{at}, call, p.aliasOpt()}
			break
		}
		r := &tableRef{node{at}, path, nil}
		p.systemTime()
		r.alias = p.aliasOpt()
		p.systemTime()
		t = r
		if p.isWords("WITH", "OFFSET") {
			x := &pathExpr{node{at}, path}
			u := &unnestRef{node: node{at}, x: x, alias: r.alias}
			if u.alias == nil {
				u.alias = &path[len(path)-1]
			}
			p.withOffset(u)
			t = u
		}
	default:
		p.unexpected()
	}
	if p.isWords("MATCH_RECOGNIZE", "(") {
		p.refuse(p.tok().pos, "MATCH_RECOGNIZE")
	}
	t = p.pivotTail(t)
	p.tableSample()
	return t
}

// tableSample reads TABLESAMPLE. A small table is one block, of which a sample is all or nothing.
func (p *parser) tableSample() bool {
	if !p.accept("TABLESAMPLE") {
		return false
	}
	p.expect("SYSTEM")
	p.expect("(")
	p.primary()
	p.expect("PERCENT")
	p.expect(")")
	return true
}

// systemTime reads FOR SYSTEM_TIME AS OF, which can only be now.
func (p *parser) systemTime() {
	at := p.tok().pos
	if !p.accept("FOR", "SYSTEM_TIME") && !p.accept("FOR", "SYSTEM", "TIME") {
		return
	}
	p.expect("AS")
	p.expect("OF")
	if c, ok := p.expr().(*callExpr); !ok || c.name != "CURRENT_TIMESTAMP" {
		p.refuse(at, "FOR SYSTEM_TIME AS OF anything but CURRENT_TIMESTAMP()")
	}
}

func (p *parser) withOffset(u *unnestRef) {
	if p.accept("WITH", "OFFSET") {
		u.withOffset = true
		u.offset = p.aliasOpt()
	}
}

// parenQuery reports whether the parentheses that open here hold a query.
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
	return t.is("SELECT") || t.is("WITH") || t.is("FROM")
}
