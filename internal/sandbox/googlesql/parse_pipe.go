package googlesql

import "strings"

// pipeBody is a table with pipe operators after it.
type pipeBody struct {
	node
	from tableExpr
	ops  []pipeOp
}

// pipeOp is one pipe operator.
type pipeOp interface {
	pos() int
	apply(p *pipeline)
}

// pipeInput is the operators' input as the left side of a join or the table of a PIVOT. It is set
// when its operator is analyzed.
type pipeInput struct {
	node
	s   *scope
	sql string
}

// pipeItem is an item of AGGREGATE, which may also be a key of the order.
type pipeItem struct {
	selectItem
	order *orderItem
}

type (
	pipeSelect struct {
		node
		body *selectBody
	}
	pipeExtend struct {
		node
		items   []selectItem
		windows map[string]*window
		window  bool // the operator WINDOW
	}
	pipeSet struct {
		node
		cols   []name
		values []expr
	}
	pipeDrop struct {
		node
		cols []name
	}
	pipeRename struct {
		node
		from, to []name
	}
	pipeAs struct {
		node
		alias name
	}
	pipeWhere struct {
		node
		x expr
	}
	pipeLimit struct {
		node
		q query
	}
	pipeOrder struct {
		node
		items []orderItem
	}
	pipeAggregate struct {
		node
		aggs  []pipeItem
		keys  []pipeItem // of a plain GROUP BY, in its order; those of sets are of no order
		group *grouping
	}
	pipeDistinct struct{ node }
	// pipeTable is JOIN, PIVOT or UNPIVOT: a table of the input.
	pipeTable struct {
		node
		in    *pipeInput
		table tableExpr
	}
	pipeSetOp struct {
		node
		op      setOp
		queries []queryBody
	}
	pipeWith struct {
		node
		q query
	}
)

// fromQuery reads a query that begins with FROM.
func (p *parser) fromQuery(q *query) {
	at := node{p.expect("FROM").pos}
	body := &pipeBody{node: at, from: p.fromClause()}
	body.ops = p.pipeOps()
	q.body = body
	if t := p.tok(); t.is("WHERE") || t.is("GROUP") || t.is("SELECT") || t.is("ORDER") || t.is("LIMIT") {
		fail(p.src, t.pos,
			"Syntax error: Unexpected keyword %s; a clause after a FROM query needs the pipe operator |>",
			strings.ToUpper(t.text))
	}
}

// pipes reads the operators after a query. They can use its WITH. A query in parentheses may have
// an alias for them.
func (p *parser) pipes(q *query) {
	var alias *name
	if _, parens := q.body.(*query); parens && len(q.order) == 0 && q.limit == nil &&
		(p.tok().is("AS") && p.ahead(2).is("|>") || p.ahead(1).is("|>") && p.tok().kind == tokIdent) {
		alias = p.aliasOpt()
	}
	if !p.tok().is("|>") {
		return
	}
	inner := &query{node: q.node, body: q.body, order: q.order, limit: q.limit, offset: q.offset}
	q.order, q.limit, q.offset = nil, nil, nil
	q.body = &pipeBody{q.node, &subqueryRef{q.node, inner, alias}, p.pipeOps()}
}

func (p *parser) pipeOps() []pipeOp {
	var ops []pipeOp
	for p.accept("|>") {
		if op := p.pipeOp(); op != nil {
			ops = append(ops, op)
		}
	}
	return ops
}

// refusedPipes are the operators of GoogleSQL that the sandbox lacks.
var refusedPipes = []string{"CALL", "ASSERT", "DESCRIBE", "STATIC_DESCRIBE", "IF", "FORK", "TEE", "FINISH", "LOG",
	"CREATE", "EXPORT", "INSERT", "RECURSIVE", "MATCH_RECOGNIZE"}

// pipeOp reads one operator. It returns nil for one that changes nothing.
func (p *parser) pipeOp() pipeOp {
	t := p.tok()
	at := node{t.pos}
	for _, w := range refusedPipes {
		if t.is(w) {
			p.refuse(t.pos, "The pipe operator "+w)
		}
	}
	in := &pipeInput{node: at}
	switch {
	case t.is("SELECT"):
		body := p.selectList()
		body.from = in
		body.windows = p.windowClause()
		return &pipeSelect{at, body}
	case p.accept("EXTEND"), p.accept("WINDOW"):
		x := &pipeExtend{node: at, items: p.selectItems(), window: t.is("WINDOW")}
		x.windows = p.windowClause()
		return x
	case p.accept("SET"):
		x := &pipeSet{node: at}
		p.pipeList(func() {
			x.cols = append(x.cols, p.ident())
			p.expect("=")
			x.values = append(x.values, p.expr())
		})
		return x
	case p.accept("DROP"):
		x := &pipeDrop{node: at}
		p.pipeList(func() { x.cols = append(x.cols, p.ident()) })
		return x
	case p.accept("RENAME"):
		x := &pipeRename{node: at}
		p.pipeList(func() {
			x.from = append(x.from, p.ident())
			p.accept("AS")
			x.to = append(x.to, p.ident())
		})
		return x
	case p.accept("AS"):
		return &pipeAs{at, p.ident()}
	case p.accept("WHERE"):
		return &pipeWhere{at, p.expr()}
	case t.is("LIMIT"):
		x := &pipeLimit{node: at}
		p.limits(&x.q)
		return x
	case p.accept("ORDER", "BY"):
		return &pipeOrder{at, p.orderItems()}
	case p.accept("AGGREGATE"):
		return p.pipeAggregate(at)
	case p.accept("DISTINCT"):
		return &pipeDistinct{at}
	case p.setOpNext():
		return p.pipeSetOp(at)
	case p.accept("WITH"):
		x := &pipeWith{node: at}
		p.withEntries(&x.q)
		return x
	case p.tableSample():
		return nil
	}
	if table := p.pivotTail(in); table != in {
		return &pipeTable{at, in, table}
	}
	if table := p.join(in); table != nil {
		return &pipeTable{at, in, table}
	}
	p.unexpected()
	return nil
}

// pipeList reads a list, which may end with a comma.
func (p *parser) pipeList(item func()) {
	for {
		item()
		if !p.accept(",") || p.listEnd() {
			return
		}
	}
}

// pipeAggregate reads [aggregates] [GROUP [AND ORDER] BY items].
func (p *parser) pipeAggregate(at node) pipeOp {
	x := &pipeAggregate{node: at}
	if !p.listEnd() {
		p.pipeList(func() { x.aggs = append(x.aggs, p.pipeItem()) })
	}
	word := p.tok()
	ordered := p.accept("GROUP", "AND", "ORDER", "BY")
	if !ordered && !p.accept("GROUP", "BY") {
		if len(x.aggs) == 0 {
			fail(p.src, at.at, "Pipe AGGREGATE cannot have both an empty aggregate list and an empty GROUP BY")
		}
		return x
	}
	if t := p.tok(); t.is("ALL") {
		fail(p.src, t.pos, "Syntax error: Unexpected keyword ALL")
	}
	if p.accept("(", ")") {
		if len(x.aggs) == 0 {
			fail(p.src, at.at, "Pipe AGGREGATE cannot have both an empty aggregate list and an empty GROUP BY")
		}
		return x
	}
	x.group = &grouping{node: node{word.pos}}
	p.pipeList(func() { p.pipeKey(x, ordered) })
	return x
}

// pipeKey reads one item of the GROUP BY of AGGREGATE.
func (p *parser) pipeKey(x *pipeAggregate, ordered bool) {
	t := p.tok()
	if p.isWords("ROLLUP", "(") || p.isWords("CUBE", "(") || p.isWords("GROUPING", "SETS") {
		if ordered {
			fail(p.src, t.pos, "GROUP AND ORDER BY cannot be used with %s", strings.ToUpper(t.text))
		}
		it := p.groupItem()
		x.group.items = append(x.group.items, it)
		for _, k := range it.allKeys() {
			x.keys = append(x.keys, pipeItem{selectItem: selectItem{node: node{k.pos()}, x: k}})
		}
		return
	}
	it := p.pipeItem()
	if _, ok := ordinal(it.x); ok || it.star {
		fail(p.src, t.pos, "GROUP BY ordinal not allowed in pipe AGGREGATE")
	}
	if ordered && it.order == nil {
		it.order = &orderItem{x: it.x}
	}
	x.group.items = append(x.group.items, groupItem{keys: []expr{it.x}})
	x.keys = append(x.keys, it)
}

// allKeys lists the keys of sets.
func (g groupItem) allKeys() []expr {
	keys := g.keys
	for _, it := range g.items {
		keys = append(keys, it.allKeys()...)
	}
	return keys
}

// pipeItem reads an item of AGGREGATE with its alias and its order.
func (p *parser) pipeItem() pipeItem {
	it := pipeItem{selectItem: p.selectItem()}
	order := orderItem{x: it.x}
	if p.orderSuffix(&order) {
		it.order = &order
		if it.alias == nil && !it.star {
			it.alias = p.aliasOpt()
		}
	}
	return it
}

func (p *parser) pipeSetOp(at node) pipeOp {
	x := &pipeSetOp{node: at}
	x.op.node = at
	p.setOpWords(&x.op)
	p.pipeList(func() {
		p.expect("(")
		x.queries = append(x.queries, p.query())
		p.expect(")")
	})
	return x
}
