package googlesql

import (
	"strings"
	"time"
)

// Procedure is a procedure of a user, in SQL.
type Procedure struct {
	Name   TableName
	Params []ProcedureParam
	// Body is a script: BEGIN ... END.
	Body string
	// Project and Dataset complete the names in the body.
	Project, Dataset string
	// Created is when it was made, and Description that of OPTIONS; the caller keeps both.
	Created     time.Time
	Description string
	// at is where the body begins in the statement.
	at int
}

// ProcedureParam is a parameter of a Procedure. Mode is IN, OUT or INOUT; a nil Type is ANY TYPE.
type ProcedureParam struct {
	Name, Mode string
	Type       *Type
}

// Call is CALL of a user's procedure.
type Call struct {
	Part
	Path []string
	Args []Part
}

type createProcedure struct {
	node
	path                   []name
	orReplace, ifNotExists bool
	proc                   Procedure
	options                []option
}

// createProcedure parses a statement after CREATE [OR REPLACE] PROCEDURE.
func (p *parser) createProcedure(at node, orReplace bool) statement {
	c := &createProcedure{node: at, orReplace: orReplace, ifNotExists: p.accept("IF", "NOT", "EXISTS")}
	c.path = p.tablePath()
	p.expect("(")
	body := &scriptParser{parser: p}
	for !p.tok().is(")") {
		c.proc.Params = append(c.proc.Params, p.procedureParam(body))
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	for _, w := range []string{"EXTERNAL", "WITH", "LANGUAGE"} {
		if t := p.tok(); t.is(w) {
			p.refuse(t.pos, "A procedure in another language than SQL")
		}
	}
	c.options = p.options()
	from, params := p.tok(), len(p.params)
	body.block("")
	if len(p.params) > params {
		fail(p.src, p.params[params].pos, "Query parameters cannot be used inside a procedure")
	}
	c.proc.at = from.pos
	c.proc.Body = p.src[from.pos:p.toks[p.i-1].end]
	return c
}

func (p *parser) procedureParam(body *scriptParser) ProcedureParam {
	pp := ProcedureParam{Mode: "IN"}
	// A parameter may have the name of a mode.
	mode := p.tok().is("IN") || p.ahead(1).kind == tokQuoted
	if p.ahead(1).kind == tokIdent {
		after := p.ahead(2)
		mode = mode || !after.is(",") && !after.is(")") && !after.is("(")
	}
	if mode {
		for _, mode := range []string{"IN", "OUT", "INOUT"} {
			if p.accept(mode) {
				pp.Mode = mode
				break
			}
		}
	}
	n := p.ident()
	pp.Name = n.text
	body.declare(Name{n.text, n.at})
	if !p.accept("ANY", "TYPE") {
		t := p.parseType()
		pp.Type = &t
	}
	return pp
}

func (c *createProcedure) write(a *analyzer) *Statement {
	temp := a.opts.Temp
	a.opts.Temp = nil
	c.proc.Name = a.tableName(c.path, c)
	a.opts.Temp = temp
	c.proc.Project, c.proc.Dataset = a.opts.DefaultProject, a.opts.DefaultDataset
	st := &Statement{Type: "CREATE_PROCEDURE", Target: &c.proc.Name, NewProcedure: &c.proc, OrReplace: c.orReplace,
		IfNotExists: c.ifNotExists}
	a.setOptions(st, optionsOfProcedure, c.options)
	return st
}

// InPlace returns the body with blanks for the text before it, so that positions in it are
// positions in the CREATE PROCEDURE statement.
func (p *Procedure) InPlace(statement string) string {
	blank := strings.Map(func(r rune) rune {
		if r == '\n' || r == '\r' || r == '\t' {
			return r
		}
		return ' '
	}, statement[:min(p.at, len(statement))])
	return blank + p.Body
}

// call parses CALL. A call of BigQuery's own procedure is an ordinary statement.
func (p *scriptParser) call() Step {
	i := p.i
	at := p.expect("CALL").pos
	c := &Call{Path: pathText(p.tablePath())}
	if strings.EqualFold(strings.Join(c.Path, "."), "BQ.ABORT_SESSION") {
		p.i = i
		p.statement()
		return &Run{}
	}
	if len(c.Path) == 2 && strings.EqualFold(c.Path[0], "BQ") { // which has BigQuery's own procedures
		p.refuse(at, "CALL "+strings.Join(c.Path, "."))
	}
	p.expect("(")
	for !p.tok().is(")") {
		if p.ahead(1).is("=>") {
			p.refuse(p.tok().pos, "A named argument of CALL")
		}
		c.Args = append(c.Args, p.value())
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	return c
}
