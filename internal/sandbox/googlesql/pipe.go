package googlesql

import (
	"slices"
	"strings"
)

// pipeline is the input of the next pipe operator: the visible names, and the text of the table.
// An operator changes both.
type pipeline struct {
	a     *analyzer
	s     *scope
	from  string // the text after FROM
	tail  string // the clauses after it that are not written yet
	stage stage
	place string // the ordinal of an UNNEST's elements, "" for none
	value *val   // the row of a value table
	with  []string
	words string // WITH or WITH RECURSIVE
	order bool   // the rows are in a requested order
}

// stage is the last clause of a pipeline's tail.
type stage int

const (
	stageFrom stage = iota
	stageWhere
	stageOrder
	stageLimit
)

// pipes analyzes a query with pipe operators.
func (a *analyzer) pipes(b *pipeBody, keepOrder bool, outer *scope, ctes *cteScope) *result {
	p := &pipeline{a: a, s: &scope{parent: outer, ctes: ctes}}
	p.s.clause = "FROM clause"
	refs := a.selfRefs
	p.from = a.from(b.from, p.s)
	if len(p.s.rels) == 1 {
		p.value, p.place = p.s.rels[0].value, p.s.rels[0].place
	}
	p.s.group = &groupCheck{}
	for _, op := range b.ops {
		if a.selfRefs > refs {
			a.refuse(op, "A pipe operator over a recursive reference")
		}
		op.apply(p)
	}
	if keepOrder && !p.order && p.place != "" {
		p.clause(stageOrder, " ORDER BY "+p.place)
	}
	return p.result(b)
}

// clause adds a clause to the tail.
func (p *pipeline) clause(at stage, sql string) {
	if p.stage >= at {
		p.emit("SELECT ", nil)
	}
	p.tail += sql
	p.stage = at
}

// settle writes the tail, unless a SELECT list can precede it.
func (p *pipeline) settle() {
	if p.stage > stageWhere {
		p.emit("SELECT ", nil)
	}
}

// emit writes the operators so far as a separate table, with more columns.
func (p *pipeline) emit(words string, more []output) {
	id := p.a.id("t")
	var items []string
	to := map[string]string{}
	carry := func(v *val) {
		have, ok := to[v.sql]
		if !ok {
			n := p.a.id("c")
			items = append(items, v.sql+" AS "+n)
			have = id + "." + n
			to[v.sql] = have
		}
		v.sql, v.norm = have, ""
	}
	columns := func(cols []column) []column {
		out := make([]column, len(cols))
		for i, c := range cols {
			carry(&c.v)
			out[i] = c
		}
		return out
	}
	p.s.cols = columns(p.s.cols)
	rels := make([]*relation, len(p.s.rels))
	for i, r := range p.s.rels {
		rel := *r
		rel.cols, rel.pseudo, rel.place = columns(r.cols), columns(r.pseudo), ""
		if r.value != nil {
			v := *r.value
			carry(&v)
			rel.value = &v
		}
		rels[i] = &rel
	}
	p.s.rels, p.s.pseudo = rels, columns(p.s.pseudo)
	if p.value != nil {
		v := *p.value
		carry(&v)
		p.value = &v
	}
	if p.place != "" {
		v := val{sql: p.place}
		carry(&v)
		p.place = v.sql
	}
	for _, o := range more {
		v := p.a.outputValue(o.v)
		n := p.a.id("c")
		items = append(items, v.sql+" AS "+n)
		p.s.cols = append(p.s.cols, column{o.name, val{sql: id + "." + n, t: v.t, part: v.part}})
	}
	if len(items) == 0 {
		items = []string{"1"}
	}
	p.from = "(" + words + strings.Join(items, ", ") + " FROM " + p.from + p.tail + ") AS " + id
	p.tail, p.stage = "", stageFrom
}

// outputValue returns an expression in the form for a column.
func (a *analyzer) outputValue(v val) val {
	if v.untyped() {
		v, _ = a.coerce(v, kind(Int64))
	}
	return val{sql: exact(v), t: v.t}
}

// table makes a query's result the input.
func (p *pipeline) table(r *result, x interface{ pos() int }) {
	p.s = &scope{parent: p.s.parent, ctes: p.s.ctes, group: &groupCheck{}}
	p.place, p.value, p.order = "", nil, false
	id := p.a.addResult(&relation{}, r.cols, r.value, p.s, x)
	if len(p.s.rels) == 1 {
		p.value = p.s.rels[0].value
	}
	p.from, p.tail, p.stage = "("+r.sql+") AS "+id, "", stageFrom
}

// result returns the pipeline as a query.
func (p *pipeline) result(x interface{ pos() int }) *result {
	r := &result{plain: p.stage <= stageWhere, ordered: p.order}
	cols := p.s.cols
	if p.value != nil && p.value.t.Kind == Struct {
		cols, r.value = []column{{"", *p.value}}, true
	} else {
		p.expanded(x)
	}
	var items []string
	for _, c := range cols {
		n := p.a.id("c")
		items = append(items, c.v.sql+" AS "+n)
		r.cols = append(r.cols, column{c.name, val{sql: n, t: c.v.t, part: c.v.part}})
	}
	if len(items) == 0 {
		fail(p.a.src, 0, "The query has no columns")
	}
	r.sql = "SELECT " + strings.Join(items, ", ") + " FROM " + p.from + p.tail
	if len(p.with) == 0 {
		return r
	}
	r.sql = p.words + strings.Join(p.with, ", ") + " " + r.sql
	id := p.a.id("t")
	r.sql = "SELECT * FROM (" + r.sql + ") AS " + id
	return r
}

// expr analyzes an expression that may hold window functions.
func (p *pipeline) expr(x expr, clause string) val {
	p.s.clause, p.s.winOK = clause, true
	defer func() { p.s.winOK = false }()
	return p.a.expr(x, p.s)
}

// items analyzes a select list; their window functions end the order of the rows.
func (p *pipeline) items(b *selectBody, clause string) []output {
	p.s.clause, p.s.winOK, p.s.windows = clause, true, b.windows
	outs := p.a.selectList(b, p.s)
	p.s.winOK, p.s.windows = false, nil
	for _, o := range outs {
		p.order = p.order && !o.v.win
	}
	return outs
}

// one finds a column that an operator names. Only with many the column may be named
// more than once.
func (p *pipeline) one(n name, operator, does string, many bool) int {
	_, count := findColumn(p.s.cols, n.text)
	switch {
	case p.s.findRel(n.text) != nil && (count == 0 || p.s.findRel(n.text).value == nil && !many):
		p.a.fail(n, "Name in pipe %s is a table alias; %s can only %s columns: %s", operator, operator, does, n.text)
	case count == 0:
		p.a.fail(n, "Column name in pipe %s not found in input table: %s", operator, n.text)
	case count > 1 && !many:
		p.a.fail(n, "Column name in pipe %s exists more than once in input table: %s", operator, n.text)
	}
	for _, r := range p.s.rels {
		if r.value == nil || r.value.t.Kind != Struct {
			continue
		}
		if c, k := findColumn(r.cols, n.text); k > 0 && slices.ContainsFunc(p.s.cols, func(have column) bool {
			return have.v.sql == c.v.sql
		}) {
			p.a.fail(n, "Name in pipe %s is a field inside a value table; %s can only %s columns: %s", operator,
				operator, does, n.text)
		}
	}
	return slices.IndexFunc(p.s.cols, func(c column) bool { return strings.EqualFold(c.name, n.text) })
}

// twice fails for a name that occurs twice in an operator.
func (p *pipeline) twice(cols []name, operator string) {
	seen := map[string]bool{}
	for _, c := range cols {
		low := strings.ToLower(c.text)
		if seen[low] {
			p.a.fail(c, "Duplicate column name in pipe %s: %s", operator, c.text)
		}
		seen[low] = true
	}
}

// expanded refuses an operator that would show the fields of a value table where BigQuery
// shows the value.
func (p *pipeline) expanded(x interface{ pos() int }) {
	for _, r := range p.s.rels {
		if r.value != nil && r.value.t.Kind == Struct {
			p.a.refuse(x, "A value table of STRUCTs beside other columns, without a SELECT,")
		}
	}
}

// plain makes the rows those of an ordinary table and not of a value table.
func (p *pipeline) plain() { p.value = nil }

// mentions looks for a table name in the table and the operators.
func (b *pipeBody) mentions(name string) bool {
	if tableMentions(b.from, name) {
		return true
	}
	for _, op := range b.ops {
		switch op := op.(type) {
		case *pipeTable:
			if j, ok := op.table.(*joinRef); ok && tableMentions(j.r, name) {
				return true
			}
		case *pipeSetOp:
			for _, q := range op.queries {
				if mentions(q, name) {
					return true
				}
			}
		}
	}
	return false
}
