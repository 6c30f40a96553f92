package googlesql

import "strings"

func (p *parser) primary() expr {
	t := p.tok()
	at := node{t.pos}
	switch t.kind {
	case tokInt, tokFloat:
		p.i++
		if next := p.tok(); next.kind == tokIdent && next.pos == t.end {
			fail(p.src, next.pos, "Syntax error: Missing whitespace between literal and alias")
		}
		kind := Int64
		if t.kind == tokFloat {
			kind = Float64
		}
		return &literal{at, kind, t.text}
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
		if p.ahead(1).is("(") {
			path := p.tablePart(true)
			call := p.call(t.pos, upperPath(path), false).(*callExpr)
			call.path = path
			return call
		}
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

// named returns the parameter with a name, the same one for each use.
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

// typedLiterals are the words that form a typed literal with the string after them.
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
		call := p.call(t.pos, word, false).(*callExpr)
		call.path[0].text = t.text
		return call
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
	case "WITH":
		return p.with()
	case "RANGE":
		return p.rangePrimary()
	case "IF", "LEFT", "RIGHT", "GROUPING", "COLLATE":
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
	if p.startsQuery(1) {
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

// parenExpr distinguishes (a) from the path a, which a field name would extend.
type parenExpr struct {
	node
	x expr
}

// tryQuery parses a query in parentheses, or returns nil if it is none.
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
		c.format = p.expr()
		if p.accept("AT", "TIME", "ZONE") {
			c.zone = p.expr()
		}
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

// with parses the expression WITH(a AS x, b AS y, result).
func (p *parser) with() expr {
	w := &withExpr{node: node{p.expect("WITH").pos}}
	p.expect("(")
	for p.ahead(1).is("AS") {
		w.names = append(w.names, p.ident())
		p.expect("AS")
		w.values = append(w.values, p.expr())
		p.expect(",")
	}
	w.result = p.expr()
	p.expect(")")
	return w
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
