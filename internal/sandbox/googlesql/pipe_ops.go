package googlesql

import (
	"slices"
	"strconv"
	"strings"
)

func (x *pipeWhere) apply(p *pipeline) {
	if p.stage > stageFrom {
		p.emit("SELECT ", nil)
	}
	v := p.expr(x.x, "WHERE clause")
	b, ok := p.a.coerce(v, kind(Bool))
	if !ok {
		p.a.fail(x.x, "WHERE clause should return type BOOL, but returns type %s", v.t.name())
	}
	p.a.filters(x.x, p.s)
	word := " WHERE "
	if v.win {
		word = " QUALIFY "
	}
	p.clause(stageWhere, word+b.sql)
	if v.win {
		p.emit("SELECT ", nil)
	}
	p.order = false
}

func (x *pipeOrder) apply(p *pipeline) {
	if p.stage >= stageOrder {
		p.emit("SELECT ", nil)
	}
	p.s.clause, p.s.winOK = "ORDER BY clause", true
	vals := make([]val, len(p.s.cols))
	for i, c := range p.s.cols {
		vals[i] = c.v
	}
	order := p.a.orderBy(x.items, p.s, vals)
	p.s.winOK = false
	p.clause(stageOrder, order)
	p.order = true
}

func (x *pipeLimit) apply(p *pipeline) { p.clause(stageLimit, p.a.limits(&x.q, p.s)) }

func (x *pipeSelect) apply(p *pipeline) {
	p.settle()
	outs := p.items(x.body, "pipe SELECT")
	ordered, place := p.order && !x.body.distinct, p.place
	if x.body.distinct || x.body.asKind != "" {
		place = ""
	}
	r := p.a.project(x.body, outs)
	if place != "" {
		n := p.a.id("c")
		r.sql += ", " + place + " AS " + n
		place = n
	}
	r.sql += " FROM " + p.from + p.tail
	for i, c := range r.cols {
		if c.v.param > 0 && c.v.untyped() {
			r.cols[i].v, _ = p.a.coerce(c.v, kind(Int64))
			r.cols[i].v.sql = c.v.sql
		}
	}
	p.table(r, x)
	p.order = ordered
	if place != "" {
		p.place = p.from[strings.LastIndex(p.from, " ")+1:] + "." + place
	}
}

func (x *pipeExtend) apply(p *pipeline) {
	p.settle()
	for _, it := range x.items {
		if it.star && it.x == nil {
			p.a.fail(it, "EXTEND cannot have a * of all columns")
		}
	}
	outs := p.items(&selectBody{node: x.node, items: x.items, windows: x.windows}, "pipe EXTEND")
	for _, o := range outs {
		if x.window && !o.v.win {
			p.a.fail(o.at, "Pipe WINDOW expression must include an analytic function")
		}
	}
	p.plain()
	p.emit("SELECT ", outs)
}

func (x *pipeSet) apply(p *pipeline) {
	p.settle()
	p.twice(x.cols, "SET")
	places := make([]int, len(x.cols))
	var outs []output
	for i, c := range x.cols {
		places[i] = p.one(c, "SET", "update", false)
		v := p.expr(x.values[i], "pipe SET clause")
		p.order = p.order && !v.win
		outs = append(outs, output{name: p.s.cols[places[i]].name, v: v})
	}
	p.plain()
	n := len(p.s.cols)
	p.emit("SELECT ", outs)
	for i, at := range places {
		p.s.cols[at] = p.s.cols[n+i]
	}
	p.s.cols = p.s.cols[:n]
}

func (x *pipeDrop) apply(p *pipeline) {
	p.twice(x.cols, "DROP")
	for _, c := range x.cols {
		p.one(c, "DROP", "drop", true)
		p.s.cols = dropColumn(p.s.cols, c.text)
	}
	if len(p.s.cols) == 0 {
		p.a.fail(x, "Pipe DROP dropped all columns in the input table")
	}
	p.plain()
}

func (x *pipeRename) apply(p *pipeline) {
	p.twice(x.from, "RENAME")
	cols := slices.Clone(p.s.cols)
	for i, c := range x.from {
		cols[p.one(c, "RENAME", "rename", false)].name = x.to[i].text
	}
	p.s.cols = cols
	p.plain()
}

func (x *pipeAs) apply(p *pipeline) {
	if p.value == nil {
		p.expanded(x)
	}
	rel := &relation{alias: x.alias.text, value: p.value, pseudo: p.s.pseudo}
	if p.value != nil && p.value.t.Kind != Struct {
		p.s.cols = p.a.valueColumns(rel.alias, *p.value)
	}
	rel.cols = slices.Clone(p.s.cols)
	p.s.rels = []*relation{rel}
}

func (x *pipeDistinct) apply(p *pipeline) {
	if p.stage > stageFrom {
		p.emit("SELECT ", nil)
	}
	seen := map[string]bool{}
	for i, c := range p.s.cols {
		if !groupable(c.v.t) {
			p.a.fail(x, "Column %s of type %s cannot be used in DISTINCT", orNumber(c.name, i), c.v.t.name())
		}
		seen[c.v.sql] = true
	}
	for i, r := range p.s.rels {
		rel := *r
		rel.pseudo, rel.value = nil, nil
		rel.cols = slices.DeleteFunc(slices.Clone(r.cols), func(c column) bool { return !seen[c.v.sql] })
		if r.value != nil && (seen[r.value.sql] || p.value != nil) {
			rel.value = r.value
		}
		p.s.rels[i] = &rel
	}
	p.s.pseudo, p.place, p.order = nil, "", false
	p.emit("SELECT DISTINCT ", nil)
}

func (x *pipeTable) apply(p *pipeline) {
	if p.stage > stageFrom {
		p.emit("SELECT ", nil)
	}
	if _, join := x.table.(*joinRef); !join {
		p.expanded(x)
	}
	x.in.s, x.in.sql = p.s, p.from
	s := &scope{parent: p.s.parent, ctes: p.s.ctes, clause: "FROM clause", group: &groupCheck{}}
	p.from = p.a.from(x.table, s)
	p.s, p.place, p.value, p.order = s, "", nil, false
}

// pipeIn is the input of a join or a PIVOT.
func (a *analyzer) pipeIn(t *pipeInput, s *scope) string {
	s.rels = append(s.rels, t.s.rels...)
	s.cols = append(s.cols, t.s.cols...)
	s.pseudo = append(s.pseudo, t.s.pseudo...)
	return t.sql
}

// analyzed is a query that has been analyzed.
type analyzed struct {
	node
	r *result
}

func (x *pipeSetOp) apply(p *pipeline) {
	with := p.with
	p.with = nil
	var left queryBody = &analyzed{x.node, p.result(x)}
	p.with = with
	for _, q := range x.queries {
		op := x.op
		op.l, op.r = left, q
		left = &op
	}
	p.table(p.a.setOp(left.(*setOp), p.s.parent, p.s.ctes), x)
}

func (x *pipeWith) apply(p *pipeline) {
	with, words, ctes := p.a.withEntries(&x.q, p.s.parent, p.s.ctes)
	p.with, p.s.ctes = append(p.with, with...), ctes
	if words > p.words {
		p.words = words
	}
}

func (x *pipeAggregate) apply(p *pipeline) {
	p.settle()
	a, s := p.a, p.s
	s.clause = "GROUP BY clause"
	group, keys := a.groupKeys(&selectBody{node: x.node, groupBy: x.group}, s)
	s.group = &groupCheck{keys: keys}
	s.aggOK = true
	var outs []output
	var order []orderItem
	sets := x.group != nil && slices.ContainsFunc(x.group.items, func(g groupItem) bool { return g.kind != "" })
	var seen []string
	add := func(it pipeItem, v val) {
		outs = append(outs, output{name: implicitName(it.selectItem), v: v, at: it.node})
		if it.order != nil {
			o := *it.order
			o.x = &literal{node{o.x.pos()}, Int64, strconv.Itoa(len(outs))}
			order = append(order, o)
		}
	}
	for _, k := range x.keys {
		s.group.loose = nil
		v := a.expr(k.x, s)
		if sets && slices.Contains(seen, v.sql) { // sets have a column for each key
			continue
		}
		seen = append(seen, v.sql)
		add(k, v)
	}
	s.clause = "pipe AGGREGATE"
	for _, it := range x.aggs {
		if it.star {
			a.refuse(it, "A star in AGGREGATE")
		}
		s.group.loose = nil
		v := a.expr(it.x, s)
		if !v.agg {
			a.fail(it, "Pipe AGGREGATE cannot include non-aggregate expressions")
		}
		if len(s.group.loose) > 0 {
			l := s.group.loose[0]
			fail(a.src, l.at, "AGGREGATE list expression references column %s which is not aggregated", l.name)
		}
		add(it, v)
	}
	s.aggOK = false
	r := a.project(&selectBody{node: x.node}, outs)
	for i, o := range outs {
		r.cols[i].v = val{sql: r.cols[i].v.sql, t: o.v.t}
	}
	r.sql += " FROM " + p.from + p.tail + group
	p.table(r, x)
	if len(order) > 0 {
		(&pipeOrder{x.node, order}).apply(p)
	}
}
