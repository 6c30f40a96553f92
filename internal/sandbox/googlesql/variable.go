package googlesql

import "strings"

// variable returns a variable of the script, which is passed as a parameter.
func (a *analyzer) variable(name string) (val, bool) {
	for _, v := range a.opts.Variables {
		if !strings.EqualFold(v.Name, name) {
			continue
		}
		n := -1
		for i, p := range a.params {
			if p.Variable && p.Name == v.Name {
				n = i
			}
		}
		if n < 0 {
			n = len(a.params)
			a.params = append(a.params, Param{Name: v.Name, Type: v.Type.bare(), Variable: true})
			a.inferred, a.known = append(a.inferred, false), append(a.known, true)
		}
		return val{sql: paramSQL(n), t: v.Type.bare()}, true
	}
	return val{}, false
}

// parserOf returns a parser of a part of a script. Positions refer to the whole
// text.
func (a *analyzer) parserOf(part *Part) *parser {
	text := a.src[:min(part.To, len(a.src))]
	return &parser{src: a.src, positional: a.opts.Positional, toks: lexFrom(text, part.From), params: a.uses}
}

// parsePart parses a part that is an expression.
func (a *analyzer) parsePart(part *Part) expr {
	var operand expr
	if part.operand != nil {
		operand = a.parsePart(part.operand)
	}
	p := a.parserOf(part)
	x := p.expr()
	if p.tok().kind != tokEOF {
		p.unexpectedAfter()
	}
	a.uses = p.params
	if operand != nil {
		x = &binaryExpr{node{x.pos()}, "=", operand, x}
	}
	return x
}

// scalar returns a query for the value of an expression.
func (a *analyzer) scalar(x expr, want Type) *Statement {
	if st, ok := x.(*structExpr); ok && st.typ == nil && want.Kind == Struct && len(want.Fields) == len(st.values) {
		// The fields of SET (a, b) = (x, y) convert one by one, as literals do.
		st.typ = &want
	}
	v := a.expr(x, &scope{clause: "a script's expression"})
	switch {
	case want.Kind != "":
		v = a.must(v, want, x, "Cannot coerce expression of type %s to type %s", v.t.name(), want.bare())
		v = fit(v, want)
	case v.untyped():
		v, _ = a.coerce(v, kind(Int64))
	}
	t := v.t.bare()
	out := &Statement{Type: "SELECT", SQL: "SELECT " + v.sql + " AS c1", Columns: []Column{{Name: "value", Type: t}}}
	if t.Kind == Array {
		out.SQL = "SELECT c1, c1 IS NULL FROM (" + out.SQL + ")"
		out.Columns = append(out.Columns, Column{Name: "is_null", Type: kind(Bool)})
	}
	return out
}
