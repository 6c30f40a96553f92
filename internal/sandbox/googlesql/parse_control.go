package googlesql

import "strings"

func (p *scriptParser) ifStep() Step {
	p.expect("IF")
	st := &If{}
	for more := true; more; more = p.accept("ELSEIF") {
		cond := p.value()
		p.expect("THEN")
		st.Branches = append(st.Branches, Branch{cond, p.statements(false, false, "ELSEIF", "ELSE", "END")})
	}
	p.orElse(st)
	p.expect("IF")
	return st
}

// orElse reads [ELSE ...] END.
func (p *scriptParser) orElse(st *If) {
	if p.accept("ELSE") {
		st.Else = p.statements(false, false, "END")
	}
	p.expect("END")
}

func (p *scriptParser) caseStep() Step {
	p.expect("CASE")
	st := &If{}
	var operand *Part
	if !p.tok().is("WHEN") {
		v := p.value()
		operand = &v
	}
	for first := true; first || p.tok().is("WHEN"); first = false {
		p.expect("WHEN")
		cond := p.value()
		if operand != nil {
			cond.operand = operand
			cond.Query = cond.Query || operand.Query
			cond.Params = append(operand.Params[:len(operand.Params):len(operand.Params)], cond.Params...)
		}
		p.expect("THEN")
		st.Branches = append(st.Branches, Branch{cond, p.statements(false, false, "WHEN", "ELSE", "END")})
	}
	p.orElse(st)
	p.expect("CASE")
	return st
}

// inside parses the body of a loop or a block. Its label and variables end with it.
func (p *scriptParser) inside(l label, ends ...string) []Step {
	declared := len(p.declared)
	p.labels = append(p.labels, l)
	body := p.statements(false, !l.loop, ends...)
	p.labels, p.declared = p.labels[:len(p.labels)-1], p.declared[:declared]
	return body
}

// endOf reads END, the word of the statement and, if it is there, its label again.
func (p *scriptParser) endOf(word, name string) {
	p.expect("END")
	if word != "BEGIN" {
		p.expect(word)
	}
	if t := p.tok(); name != "" && (t.kind == tokIdent || t.kind == tokQuoted) {
		if !strings.EqualFold(t.text, name) {
			fail(p.src, t.pos, "Mismatched end label; expected %s, got %s", name, t.text)
		}
		p.i++
	}
}

func (p *scriptParser) loop(name string) Step {
	word := strings.ToUpper(p.tok().text)
	p.i++
	st := &Loop{Label: name}
	end := "END"
	switch word {
	case "WHILE":
		cond := p.value()
		st.While = &cond
		p.expect("DO")
	case "REPEAT":
		end = "UNTIL"
	}
	st.Body = p.inside(label{name, true}, end)
	if p.accept("UNTIL") {
		cond := p.value()
		st.Until = &cond
	}
	p.endOf(word, name)
	return st
}

func (p *scriptParser) forEach(name string) Step {
	p.expect("FOR")
	st := &ForEach{Label: name, Var: p.variable()}
	p.expect("IN")
	if t := p.tok(); !t.is("(") {
		p.expect("(")
	}
	end := p.begin()
	p.expect("(")
	p.query()
	p.expect(")")
	st.Rows = end()
	p.expect("DO")
	declared := len(p.declared)
	p.declare(st.Var)
	st.Body = p.inside(label{name, true}, "END")
	p.declared = p.declared[:declared]
	p.endOf("FOR", name)
	return st
}

func (p *scriptParser) block(name string) Step {
	p.expect("BEGIN")
	b := &Block{Label: name, Body: p.inside(label{name, false}, "EXCEPTION", "END")}
	if p.accept("EXCEPTION") {
		p.expect("WHEN")
		p.expect("ERROR")
		p.expect("THEN")
		b.Handles = true
		p.handling++
		p.labels = append(p.labels, label{name, false})
		b.Handler = p.statements(false, false, "END")
		p.labels = p.labels[:len(p.labels)-1]
		p.handling--
	}
	p.endOf("BEGIN", name)
	return b
}

// open returns the enclosing loop or block with a label.
func (p *scriptParser) open(name string) *label {
	for i := range p.labels {
		if name != "" && strings.EqualFold(p.labels[i].name, name) {
			return &p.labels[i]
		}
	}
	return nil
}

func (p *scriptParser) jump() Step {
	t := p.tok()
	word := strings.ToUpper(t.text)
	p.i++
	st := &Jump{Continue: word == "CONTINUE" || word == "ITERATE"}
	if n := p.tok(); n.kind == tokIdent || n.kind == tokQuoted {
		st.Label = p.ident().text
		l := p.open(st.Label)
		if l == nil {
			fail(p.src, n.pos, "Label %s is not that of a statement around this one", st.Label)
		}
		if st.Continue && !l.loop {
			fail(p.src, n.pos, "%s needs the label of a loop, and %s is that of a block", word, st.Label)
		}
		return st
	}
	for _, l := range p.labels {
		if l.loop {
			return st
		}
	}
	fail(p.src, t.pos, "%s is only allowed inside of a loop body", word)
	return nil
}
