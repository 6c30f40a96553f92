package googlesql

import "strings"

// control is BEGIN, COMMIT or ROLLBACK of a transaction.
type control struct {
	node
	typ string // BigQuery's statementType
}

// abortSession is CALL BQ.ABORT_SESSION(), with the session's id if it names one.
type abortSession struct {
	node
	id string
}

// control reads a statement about transactions. BEGIN with anything else after it opens a
// block of a script.
func (p *parser) control() statement {
	t := p.tok()
	word := strings.ToUpper(t.text)
	p.i++
	if !p.accept("TRANSACTION") && word == "BEGIN" && p.tok().kind != tokEOF && !p.tok().is(";") {
		p.refuse(t.pos, "A BEGIN ... END block")
	}
	return &control{node{t.pos}, word + "_TRANSACTION"}
}

// callProcedure reads the only system procedure that the sandbox has.
func (p *parser) callProcedure() statement {
	c := &abortSession{node: node{p.expect("CALL").pos}}
	var parts []string
	for _, n := range p.tablePath() {
		parts = append(parts, n.text)
	}
	if name := strings.Join(parts, "."); !strings.EqualFold(name, "BQ.ABORT_SESSION") {
		p.refuse(c.at, "CALL "+name)
	}
	p.expect("(")
	if !p.tok().is(")") {
		x := p.expr()
		l, ok := x.(*literal)
		if !ok || l.kind != String {
			p.refuse(x.pos(), "BQ.ABORT_SESSION of anything but a literal")
		}
		c.id = l.text
	}
	p.expect(")")
	return c
}

func (c *control) write(*analyzer) *Statement { return &Statement{Type: c.typ} }

func (c *abortSession) write(*analyzer) *Statement {
	return &Statement{Type: "CALL", Session: c.id}
}
