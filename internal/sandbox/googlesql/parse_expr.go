package googlesql

import "strings"

// expr parses an expression. GoogleSQL's precedence, loosest first: OR, AND, NOT,
// comparisons, |, ^, &, shifts, + -, * / ||, unary, access.
func (p *parser) expr() expr {
	p.enter()
	defer p.leave()
	l := p.andExpr()
	for p.tok().is("OR") {
		p.i++
		l = &binaryExpr{node{l.pos()}, "OR", l, p.andExpr()}
	}
	return l
}

func (p *parser) andExpr() expr {
	l := p.notExpr()
	for p.tok().is("AND") {
		p.i++
		l = &binaryExpr{node{l.pos()}, "AND", l, p.notExpr()}
	}
	return l
}

func (p *parser) notExpr() expr {
	if t := p.tok(); t.is("NOT") {
		p.enter()
		defer p.leave()
		p.i++
		return &unaryExpr{node{t.pos}, "NOT", p.notExpr()}
	}
	return p.comparison()
}

func (p *parser) comparison() expr {
	l := p.binary(0)
	if x := p.comparisonTail(l); x != nil {
		// Comparisons do not associate: a = b = c is a syntax error.
		if n := p.tok(); p.startsComparison() {
			fail(p.src, n.pos, "Syntax error: Unexpected %s", n.describe())
		}
		return x
	}
	return l
}

func (p *parser) startsComparison() bool {
	for _, w := range []string{"=", "<", ">", "<=", ">=", "<>", "!=", "LIKE", "IN", "BETWEEN", "IS"} {
		if p.tok().is(w) && p.tok().kind != tokIdent {
			return true
		}
	}
	return false
}

// comparisonTail parses the rest of a comparison after its left side. It returns nil
// if there is none.
func (p *parser) comparisonTail(l expr) expr {
	t := p.tok()
	at := node{l.pos()}
	for _, op := range []string{"=", "<", ">", "<=", ">=", "<>", "!="} {
		if t.kind == tokPunct && t.text == op {
			p.i++
			if op == "<>" {
				op = "!="
			}
			return &binaryExpr{at, op, l, p.binary(0)}
		}
	}
	if t.is("IS") {
		return p.isTail(l)
	}
	not := t.is("NOT") && (p.ahead(1).is("LIKE") || p.ahead(1).is("IN") || p.ahead(1).is("BETWEEN"))
	if not {
		p.i++
	}
	switch {
	case p.accept("LIKE"):
		if n := p.tok(); n.is("ANY") || n.is("SOME") || n.is("ALL") {
			return p.likeTail(at, l, not)
		}
		op := "LIKE"
		if not {
			op = "NOT LIKE"
		}
		return &binaryExpr{at, op, l, p.binary(0)}
	case p.accept("BETWEEN"):
		lo := p.binary(0)
		p.expect("AND")
		return &betweenExpr{at, l, lo, p.binary(0), not}
	case p.accept("IN"):
		return p.inTail(at, l, not)
	}
	return nil
}

func (p *parser) isTail(l expr) expr {
	at := node{l.pos()}
	p.expect("IS")
	not := p.accept("NOT")
	if p.accept("DISTINCT", "FROM") {
		return &distinctExpr{at, l, p.binary(0), not}
	}
	t := p.tok()
	if t.is("NULL") || t.is("TRUE") || t.is("FALSE") || t.is("UNKNOWN") {
		p.i++
		what := strings.ToUpper(t.text)
		if what == "UNKNOWN" {
			what = "NULL"
		}
		return &isExpr{at, l, not, what}
	}
	p.unexpected()
	return nil
}

func (p *parser) inTail(at node, l expr, not bool) expr {
	in := &inExpr{node: at, x: l, not: not}
	if p.accept("UNNEST", "(") {
		in.unnest = p.expr()
		p.expect(")")
		return in
	}
	if t := p.tok(); t.kind == tokParam || t.is("?") {
		fail(p.src, t.pos, "Syntax error: Expected \"(\" or keyword UNNEST but got %s", t.describe())
	}
	p.expect("(")
	if p.startsQuery(0) || p.tok().is("(") && p.parenQuery() {
		in.query = p.query()
	} else {
		in.list = p.exprList()
	}
	p.expect(")")
	return in
}

// binaryLevels are the left-associative operators, loosest first.
var binaryLevels = [][]string{{"|"}, {"^"}, {"&"}, {"<<", ">>"}, {"+", "-"}, {"*", "/", "||"}}

func (p *parser) binary(level int) expr {
	if level == len(binaryLevels) {
		return p.unary()
	}
	l := p.binary(level + 1)
	for {
		t := p.tok()
		op := ""
		for _, o := range binaryLevels[level] {
			if t.kind == tokPunct && t.text == o {
				op = o
			}
		}
		if op == "" {
			return l
		}
		p.i++
		l = &binaryExpr{node{l.pos()}, op, l, p.binary(level + 1)}
	}
}

func (p *parser) unary() expr {
	t := p.tok()
	if t.kind == tokPunct && (t.text == "-" || t.text == "+" || t.text == "~") {
		p.enter()
		defer p.leave()
		p.i++
		return &unaryExpr{node{t.pos}, t.text, p.unary()}
	}
	return p.access(p.primary())
}

// access parses field and element access after x.
func (p *parser) access(x expr) expr {
	for {
		t := p.tok()
		switch {
		case t.is(".") && !p.ahead(1).is("*"):
			p.i++
			f := p.fieldName()
			if path, ok := x.(*pathExpr); ok {
				path.parts = append(path.parts, f)
			} else {
				x = &dotExpr{node{f.at}, x, f}
			}
			if call := p.dottedCall(x); call != nil {
				x = call
			}
		case t.is("["):
			p.i++
			ix := &indexExpr{node: node{t.pos}, x: x}
			for _, how := range []string{"OFFSET", "ORDINAL", "SAFE_OFFSET", "SAFE_ORDINAL"} {
				if p.accept(how, "(") {
					ix.how = how
					ix.index = p.expr()
					p.expect(")")
				}
			}
			if ix.how == "" {
				ix.index = p.expr()
			}
			p.expect("]")
			x = ix
		default:
			return x
		}
	}
}

// dottedCall parses SAFE.F(..) and NET.F(..) once the path before the parenthesis is read.
func (p *parser) dottedCall(x expr) expr {
	path, ok := x.(*pathExpr)
	if !ok || !p.tok().is("(") {
		return nil
	}
	var words []string
	for _, n := range path.parts {
		words = append(words, strings.ToUpper(n.text))
	}
	safe := words[0] == "SAFE"
	if safe {
		words = words[1:]
	}
	call := p.call(path.at, strings.Join(words, "."), safe).(*callExpr)
	call.path = path.parts
	if safe {
		call.path = call.path[1:]
	}
	return call
}
