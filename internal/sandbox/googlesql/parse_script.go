package googlesql

import (
	"slices"
	"strings"
)

// scriptParser extends the parser of statements by the language of scripts.
type scriptParser struct {
	*parser
	declared []string // variables of the blocks that are open
	labels   []label  // loops and blocks that are open
	handling int      // exception handlers that are open
}

// label is an open loop or block; its name may be "".
type label struct {
	name string
	loop bool
}

// ParseScript splits a text into its statements and parses them. It does not resolve names
// and types. It checks BigQuery's rules for where variables can be declared, where jumps can
// lead and where an error can be raised again. Its errors are *Error.
func ParseScript(sql string, positional bool) (s *Script, err error) {
	defer recoverError(&err)
	p := &scriptParser{parser: &parser{src: sql, toks: lex(sql), positional: positional}}
	s = &Script{src: sql, Body: p.statements(true, true)}
	if positional {
		for _, u := range p.params {
			s.Params = append(s.Params, u.pos)
		}
	}
	return s, nil
}

// stepParsers has the parsers of the language's statements, by their first
// word.
var stepParsers map[string]func(*scriptParser) Step

// labelled are the statements that may have a label.
var labelled map[string]func(*scriptParser, string) Step

func init() {
	stepParsers = map[string]func(*scriptParser) Step{
		"DECLARE": (*scriptParser).declareVars, "SET": (*scriptParser).set, "IF": (*scriptParser).ifStep,
		"CASE":  (*scriptParser).caseStep,
		"CALL":  (*scriptParser).call,
		"RAISE": (*scriptParser).raise, "EXECUTE": (*scriptParser).execute,
		"BREAK": (*scriptParser).jump, "LEAVE": (*scriptParser).jump, "CONTINUE": (*scriptParser).jump,
		"ITERATE": (*scriptParser).jump,
		"RETURN":  func(p *scriptParser) Step { p.i++; return &Return{} },
	}
	labelled = map[string]func(*scriptParser, string) Step{
		"BEGIN": (*scriptParser).block, "LOOP": (*scriptParser).loop, "WHILE": (*scriptParser).loop,
		"REPEAT": (*scriptParser).loop, "FOR": (*scriptParser).forEach,
	}
}

// statements parses statements up to one of the words, or at the top up to the end of the text.
// block reports a body that may begin with DECLARE.
func (p *scriptParser) statements(top, block bool, ends ...string) []Step {
	var steps []Step
	for {
		for top && p.accept(";") {
		}
		if top && p.tok().kind == tokEOF || slices.ContainsFunc(ends, func(w string) bool { return p.tok().is(w) }) {
			return steps
		}
		if declares := p.tok().is("DECLARE"); declares && !block {
			fail(p.src, p.tok().pos, "Variable declarations are allowed only at the start of a block or script")
		} else if !declares {
			block = false
		}
		steps = append(steps, p.step(top))
	}
}

// step parses one statement and its semicolon, which only the last statement of a text can
// omit.
func (p *scriptParser) step(top bool) Step {
	p.enter()
	defer p.leave()
	end := p.begin()
	st := p.anyStep()
	part := end()
	switch t := p.tok(); {
	case p.accept(";"):
		part.To = t.end
	case !top:
		p.expect(";")
	case t.kind != tokEOF:
		p.unexpectedAfter()
	}
	st.place(part)
	return st
}

func (p *scriptParser) anyStep() Step {
	name := ""
	t := p.tok()
	if (t.kind == tokIdent || t.kind == tokQuoted) && p.ahead(1).is(":") {
		name = t.text
		if p.open(name) != nil {
			fail(p.src, t.pos, "Label %s is in use by a statement around this one", name)
		}
		p.i += 2
	}
	word, plain := strings.ToUpper(p.tok().text), p.tok().kind == tokIdent || p.tok().kind == tokKeyword
	if f := labelled[word]; f != nil && plain && !p.beginsTransaction() {
		return f(p, name)
	}
	if name != "" {
		p.unexpected()
	}
	// SET @@name is not a statement of the language, because it sets no variable of
	// the script.
	if f := stepParsers[word]; f != nil && plain && p.ahead(1).kind != tokSysVar {
		return f(p)
	}
	p.statement()
	return &Run{}
}

// beginsTransaction distinguishes BEGIN TRANSACTION from a block.
func (p *scriptParser) beginsTransaction() bool {
	next := p.ahead(1)
	return p.tok().is("BEGIN") && (next.is("TRANSACTION") || next.is(";") || next.kind == tokEOF)
}

// begin records the start of a part, and returns the function that ends it.
func (p *scriptParser) begin() func() Part {
	i, params := p.i, len(p.params)
	return func() Part {
		part := Part{From: p.toks[i].pos, To: p.toks[max(i, p.i-1)].end}
		for n := params; p.positional && n < len(p.params); n++ {
			part.Params = append(part.Params, n)
		}
		for n := i; n < p.i; n++ {
			part.Query = part.Query || p.toks[n].is("SELECT") || p.toks[n].is("(") && p.toks[n+1].is("FROM")
		}
		return part
	}
}

// value parses an expression.
func (p *scriptParser) value() Part {
	end := p.begin()
	p.expr()
	part := end()
	part.expr = true
	return part
}

func (p *scriptParser) variable() Name {
	n := p.ident()
	return Name{n.text, n.at}
}

func (p *scriptParser) variables() []Name {
	names := []Name{p.variable()}
	for p.accept(",") {
		names = append(names, p.variable())
	}
	return names
}

// declare adds a variable. A block must not declare a variable of an enclosing block
// again.
func (p *scriptParser) declare(n Name) {
	if slices.ContainsFunc(p.declared, func(d string) bool { return strings.EqualFold(d, n.Text) }) {
		fail(p.src, n.At, "Variable '%s' redeclaration", n.Text)
	}
	p.declared = append(p.declared, n.Text)
}

func (p *scriptParser) declareVars() Step {
	p.expect("DECLARE")
	d := &Declare{Names: p.variables()}
	if !p.tok().is("DEFAULT") {
		t := p.parseType()
		d.Type = &t
	}
	if p.accept("DEFAULT") {
		v := p.value()
		d.Default = &v
	}
	for _, n := range d.Names {
		p.declare(n)
	}
	return d
}

func (p *scriptParser) set() Step {
	p.expect("SET")
	a := &Assign{}
	if a.Tuple = p.accept("("); a.Tuple {
		a.Names = p.variables()
		p.expect(")")
	} else {
		a.Names = []Name{p.variable()}
	}
	for i, n := range a.Names {
		if slices.ContainsFunc(a.Names[:i], func(m Name) bool { return strings.EqualFold(m.Text, n.Text) }) {
			fail(p.src, n.At, "Assigning multiple values to variable: %s", n.Text)
		}
	}
	p.expect("=")
	a.Value = p.value()
	return a
}

func (p *scriptParser) raise() Step {
	at := p.expect("RAISE").pos
	r := &Raise{}
	if p.accept("USING") {
		p.expect("MESSAGE")
		p.expect("=")
		v := p.value()
		r.Message = &v
	} else if p.handling == 0 {
		fail(p.src, at, "Cannot re-raise an existing exception outside of an exception handler")
	}
	return r
}

func (p *scriptParser) execute() Step {
	p.expect("EXECUTE")
	p.expect("IMMEDIATE")
	x := &Execute{SQL: p.value()}
	if p.accept("INTO") {
		x.Into = p.variables()
	}
	for more := p.accept("USING"); more; more = p.accept(",") {
		u := Using{Value: p.value()}
		if p.accept("AS") {
			u.Name = p.ident().text
		}
		if len(x.Using) > 0 && (u.Name == "") != (x.Using[0].Name == "") {
			fail(p.src, u.Value.From, "Cannot mix named and positional parameters in EXECUTE IMMEDIATE")
		}
		x.Using = append(x.Using, u)
	}
	return x
}
