package googlesql

import "strings"

// expr parses an expression. GoogleSQL's precedence, loosest first: OR, AND, NOT,
// comparisons, |, ^, &, shifts, + -, * / ||, unary, access.
func (p *parser) expr() expr {
	p.enter()
	defer p.leave()
	l := p.andExpr()
	for p.tok().is("OR") {
		at := p.tok().pos
		p.i++
		l = &binaryExpr{node{at}, "OR", l, p.andExpr()}
	}
	return l
}

func (p *parser) andExpr() expr {
	l := p.notExpr()
	for p.tok().is("AND") {
		at := p.tok().pos
		p.i++
		l = &binaryExpr{node{at}, "AND", l, p.notExpr()}
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
	t := p.tok()
	if x := p.comparisonTail(l); x != nil {
		// Comparisons do not associate: a = b = c is a syntax error.
		if n := p.tok(); p.startsComparison() {
			fail(p.src, n.pos, "Syntax error: Unexpected %s", n.describe())
		}
		return x
	}
	_ = t
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

// comparisonTail parses what follows the left side of a comparison; nil if none does.
func (p *parser) comparisonTail(l expr) expr {
	t := p.tok()
	at := node{t.pos}
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
			p.refuse(n.pos, "LIKE "+n.text)
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
	at := node{p.expect("IS").pos}
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
	if p.tok().is("SELECT") || p.tok().is("WITH") || p.tok().is("(") && p.parenQuery() {
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
		l = &binaryExpr{node{t.pos}, op, l, p.binary(level + 1)}
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
	return p.call(path.at, strings.Join(words, "."), safe)
}

func (p *parser) primary() expr {
	t := p.tok()
	at := node{t.pos}
	switch t.kind {
	case tokInt:
		p.i++
		return &literal{at, Int64, t.text}
	case tokFloat:
		p.i++
		return &literal{at, Float64, t.text}
	case tokString:
		p.i++
		v := t.value
		for p.tok().kind == tokString {
			fail(p.src, p.tok().pos, "Syntax error: Expected end of input but got %s", p.tok().describe())
		}
		return &literal{at, String, v}
	case tokBytes:
		p.i++
		return &literal{at, Bytes, t.value}
	case tokParam:
		p.i++
		return p.named(t)
	case tokSysVar:
		p.i++
		return &sysVarExpr{at, strings.ToLower(t.text)}
	case tokQuoted:
		return &pathExpr{at, []name{p.ident()}}
	case tokIdent:
		return p.identPrimary()
	case tokKeyword:
		return p.keywordPrimary()
	}
	switch t.text {
	case "?":
		p.i++
		if !p.positional {
			fail(p.src, t.pos, "Positional parameters are not supported")
		}
		p.params = append(p.params, paramUse{pos: t.pos})
		return &paramExpr{at, len(p.params) - 1}
	case "(":
		return p.paren()
	case "[":
		p.i++
		return p.arrayElems(&arrayExpr{node: at})
	}
	p.unexpected()
	return nil
}

// named returns the parameter of a name, the same one for each use.
func (p *parser) named(t token) expr {
	if p.positional {
		fail(p.src, t.pos, "Named parameters are not supported")
	}
	for i, u := range p.params {
		if strings.EqualFold(u.name, t.text) {
			return &paramExpr{node{t.pos}, i}
		}
	}
	p.params = append(p.params, paramUse{t.text, t.pos})
	return &paramExpr{node{t.pos}, len(p.params) - 1}
}

// typedLiterals are the words that make a typed literal with the string after them.
var typedLiterals = map[string]Kind{
	"DATE": Date, "TIME": Time, "DATETIME": Datetime, "TIMESTAMP": Timestamp,
	"NUMERIC": Numeric, "DECIMAL": Numeric, "BIGNUMERIC": BigNumeric, "BIGDECIMAL": BigNumeric, "JSON": JSON,
}

func (p *parser) identPrimary() expr {
	t := p.tok()
	at := node{t.pos}
	word := strings.ToUpper(t.text)
	next := p.ahead(1)
	if kind := typedLiterals[word]; kind != "" && next.kind == tokString {
		p.i += 2
		return &typedLit{at, kind, next.value}
	}
	if next.is("(") {
		p.i++
		switch word {
		case "SAFE_CAST":
			return p.cast(t.pos, true)
		}
		return p.call(t.pos, word, false)
	}
	switch word {
	case "CURRENT_DATE", "CURRENT_TIME", "CURRENT_DATETIME", "CURRENT_TIMESTAMP":
		p.i++
		return &callExpr{node: at, name: word}
	}
	return &pathExpr{at, []name{p.ident()}}
}

func (p *parser) keywordPrimary() expr {
	t := p.tok()
	at := node{t.pos}
	switch t.text {
	case "NULL":
		p.i++
		return &literal{at, "", ""}
	case "TRUE", "FALSE":
		p.i++
		return &literal{at, Bool, t.text}
	case "CASE":
		return p.caseExpr()
	case "CAST":
		p.i++
		return p.cast(t.pos, false)
	case "EXTRACT":
		return p.extract()
	case "EXISTS":
		p.i++
		return p.subquery(at, "EXISTS")
	case "ARRAY":
		return p.array()
	case "STRUCT":
		return p.structCtor()
	case "INTERVAL":
		return p.interval()
	case "IF", "LEFT", "RIGHT", "GROUPING", "RANGE", "COLLATE":
		if p.ahead(1).is("(") {
			p.i++
			return p.call(t.pos, t.text, false)
		}
	case "DEFAULT":
		p.i++
		return &defaultExpr{at}
	}
	p.unexpected()
	return nil
}

// subquery parses a query in parentheses.
func (p *parser) subquery(at node, kind string) expr {
	p.expect("(")
	q := p.query()
	p.expect(")")
	return &subqueryExpr{at, kind, q}
}

// paren parses (expr), (a, b) and (SELECT ..).
func (p *parser) paren() expr {
	at := node{p.tok().pos}
	if p.ahead(1).is("SELECT") || p.ahead(1).is("WITH") {
		return p.subquery(at, "")
	}
	if p.parenQuery() {
		if p.tries++; p.tries > maxDepth {
			fail(p.src, at.at, "Syntax error: statement is nested too deeply")
		}
		// ((SELECT ..) UNION ..) and ((SELECT ..) + 1) begin alike: try the query.
		i, params, depth := p.i, len(p.params), p.depth
		if q := p.tryQuery(at); q != nil {
			return q
		}
		p.i, p.params, p.depth = i, p.params[:params], depth
	}
	p.expect("(")
	x := p.expr()
	if !p.tok().is(",") {
		p.expect(")")
		if path, ok := x.(*pathExpr); ok { // (a).b is access on a
			return &parenExpr{at, path}
		}
		return x
	}
	st := &structExpr{node: at, values: []expr{x}, names: []string{""}}
	for p.accept(",") {
		st.values = append(st.values, p.expr())
		st.names = append(st.names, "")
	}
	p.expect(")")
	return st
}

// parenExpr keeps (a) apart from the path a, whose fields would join it.
type parenExpr struct {
	node
	x expr
}

// tryQuery parses a parenthesized query, or returns nil where it is none.
func (p *parser) tryQuery(at node) (x expr) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(bailout); !ok {
				panic(r)
			}
			x = nil
		}
	}()
	return p.subquery(at, "")
}

func (p *parser) caseExpr() expr {
	c := &caseExpr{node: node{p.expect("CASE").pos}}
	if !p.tok().is("WHEN") {
		c.operand = p.expr()
	}
	for p.accept("WHEN") {
		cond := p.expr()
		p.expect("THEN")
		c.whens = append(c.whens, when{cond, p.expr()})
	}
	if len(c.whens) == 0 {
		p.expect("WHEN")
	}
	if p.accept("ELSE") {
		c.other = p.expr()
	}
	p.expect("END")
	return c
}

func (p *parser) cast(at int, safe bool) expr {
	p.expect("(")
	c := &castExpr{node: node{at}, safe: safe, x: p.expr()}
	p.expect("AS")
	c.to = p.parseType()
	if p.accept("FORMAT") {
		p.refuse(p.toks[p.i-1].pos, "CAST with FORMAT")
	}
	p.expect(")")
	return c
}

func (p *parser) extract() expr {
	e := &extractExpr{node: node{p.expect("EXTRACT").pos}}
	p.expect("(")
	e.part = p.binary(0)
	p.expect("FROM")
	e.x = p.expr()
	if p.accept("AT", "TIME", "ZONE") {
		e.zone = p.expr()
	}
	p.expect(")")
	return e
}

func (p *parser) array() expr {
	at := node{p.expect("ARRAY").pos}
	if p.tok().is("(") {
		return p.subquery(at, "ARRAY")
	}
	a := &arrayExpr{node: at}
	if p.tok().is("<") {
		p.i--
		t := p.parseType()
		a.typ = &t
	}
	p.expect("[")
	return p.arrayElems(a)
}

func (p *parser) arrayElems(a *arrayExpr) expr {
	if !p.tok().is("]") {
		a.elems = p.exprList()
	}
	p.expect("]")
	return a
}

func (p *parser) structCtor() expr {
	s := &structExpr{node: node{p.expect("STRUCT").pos}}
	if p.tok().is("<") {
		p.i--
		t := p.parseType()
		s.typ = &t
	}
	p.expect("(")
	for !p.tok().is(")") {
		s.values = append(s.values, p.expr())
		n := ""
		if p.accept("AS") {
			n = p.ident().text
		}
		s.names = append(s.names, n)
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	return s
}

func (p *parser) interval() expr {
	iv := &intervalExpr{node: node{p.expect("INTERVAL").pos}}
	iv.x = p.binary(0)
	iv.part = strings.ToUpper(p.ident().text)
	if p.accept("TO") {
		iv.to = strings.ToUpper(p.ident().text)
	}
	return iv
}
