package googlesql

import "strings"

// call parses a function's arguments and the clauses after them.
func (p *parser) call(at int, fname string, safe bool) expr {
	c := &callExpr{node: node{at}, name: fname, safe: safe, path: []name{{node: node{at}, text: fname}}}
	p.expect("(")
	c.distinct = p.accept("DISTINCT")
	switch {
	case p.tok().is("*") && !c.distinct:
		p.i++
		c.star = true
	case !p.tok().is(")") && !p.tok().is("ORDER") && !p.tok().is("LIMIT"):
		p.arg(c)
		for p.accept(",") {
			p.arg(c)
		}
	}
	p.nullsWord(c)
	if p.accept("HAVING") {
		c.having = strings.ToUpper(p.tok().text)
		if c.having != "MAX" && c.having != "MIN" {
			p.unexpected()
		}
		p.i++
		c.havingX = p.expr()
	}
	if p.accept("ORDER", "BY") {
		c.order = p.orderItems()
	}
	if p.accept("LIMIT") {
		c.limit = p.expr()
	}
	p.expect(")")
	p.nullsWord(c)
	if p.accept("OVER") {
		if p.tok().is("(") {
			c.over = p.window()
		} else {
			n := p.ident()
			c.over = &window{node: n.node, base: n.text}
		}
	}
	return c
}

func (p *parser) nullsWord(c *callExpr) {
	for _, w := range []string{"IGNORE", "RESPECT"} {
		if p.accept(w, "NULLS") {
			c.nulls = w
		}
	}
}

// arg parses one argument: an expression, or name => expression.
func (p *parser) arg(c *callExpr) {
	if p.ahead(1).is("=>") {
		n := p.fieldName()
		p.expect("=>")
		c.named = append(c.named, namedArg{n, p.expr()})
		return
	}
	if t := p.tok(); p.startsQuery(0) {
		fail(p.src, t.pos, "Syntax error: Unexpected keyword %s", t.text)
	}
	if len(c.named) > 0 {
		fail(p.src, p.tok().pos, "Call to function %s must not specify positional arguments after named arguments",
			c.name)
	}
	c.args = append(c.args, p.expr())
	if p.tok().is("->") {
		fail(p.src, p.tok().pos, "Lambda expressions are not supported") // by BigQuery
	}
	if p.accept("AS") { // only a few functions know such arguments
		p.refuse(p.toks[p.i-1].pos, "An argument with an alias")
	}
}

// window parses (base PARTITION BY .. ORDER BY .. frame) or a name.
func (p *parser) window() *window {
	w := &window{node: node{p.tok().pos}}
	if !p.tok().is("(") {
		w.base = p.ident().text
		return w
	}
	p.expect("(")
	if p.tok().kind == tokIdent || p.tok().kind == tokQuoted {
		w.base = p.ident().text
	}
	if p.accept("PARTITION", "BY") {
		w.partition = p.exprList()
	}
	if p.accept("ORDER", "BY") {
		w.order = p.orderItems()
	}
	if p.tok().is("ROWS") || p.tok().is("RANGE") {
		f := &frame{unit: p.tok().text}
		p.i++
		if p.accept("BETWEEN") {
			f.lo = p.bound()
			p.expect("AND")
			f.hi = p.bound()
		} else {
			f.lo = p.bound()
			f.hi = bound{kind: "CURRENT ROW"}
		}
		w.frame = f
	}
	p.expect(")")
	return w
}

func (p *parser) bound() bound {
	for _, k := range [][]string{{"UNBOUNDED", "PRECEDING"}, {"UNBOUNDED", "FOLLOWING"}, {"CURRENT", "ROW"}} {
		if p.accept(k...) {
			return bound{kind: strings.Join(k, " ")}
		}
	}
	x := p.expr()
	switch {
	case p.accept("PRECEDING"):
		return bound{"PRECEDING", x}
	case p.accept("FOLLOWING"):
		return bound{"FOLLOWING", x}
	}
	p.unexpected()
	return bound{}
}
