package googlesql

import "strings"

// assertStmt is ASSERT condition [AS description].
type assertStmt struct {
	node
	cond        expr
	description string
}

func (p *parser) assert() statement {
	st := &assertStmt{node: node{p.expect("ASSERT").pos}}
	st.cond = p.expr()
	if p.accept("AS") {
		x := p.expr()
		lit, ok := x.(*literal)
		if !ok || lit.kind != String {
			fail(p.src, x.pos(), "Syntax error: Expected string literal after AS")
		}
		st.description = lit.text
	}
	return st
}

// write returns a query of one row, which fails unless the condition is true.
func (st *assertStmt) write(a *analyzer) *Statement {
	cond := a.boolean(st.cond, &scope{clause: "ASSERT"}, "ASSERT expression")
	message := "Assertion failed"
	if st.description != "" {
		message += ": " + st.description
	}
	return &Statement{Type: "ASSERT", SQL: "SELECT CASE WHEN " + cond + " THEN TRUE ELSE " +
		raise(quoteString(strings.ReplaceAll(message, "\x00", "")), "BOOLEAN") + " END"}
}
