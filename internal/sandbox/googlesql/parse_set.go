package googlesql

import "strings"

// setStmt is SET of a system variable.
type setStmt struct {
	node
	name string
	x    expr
}

// assignable are the system variables that SET may change.
var assignable = map[string]bool{"time_zone": true, "dataset_id": true, "dataset_project_id": true}

func (p *parser) set() statement {
	st := &setStmt{node: node{p.expect("SET").pos}}
	t := p.tok()
	if t.kind != tokSysVar {
		p.refuse(st.at, "SET of anything but a system variable")
	}
	p.i++
	st.name = strings.ToLower(t.text)
	switch {
	case st.name == "session_id" || st.name == "project_id":
		fail(p.src, t.pos, "Cannot assign to the read-only system variable @@%s", t.text)
	case !assignable[st.name]:
		p.refuse(t.pos, "System variable @@"+t.text)
	}
	p.expect("=")
	st.x = p.expr()
	return st
}

func (st *setStmt) write(a *analyzer) *Statement {
	v := a.expr(st.x, &scope{clause: "SET"})
	if st.name == "time_zone" && v.lit != nil && v.t.Kind == String {
		if problem := CheckTimeZone(v.lit.text); problem != "" {
			a.fail(st.x, "%s", problem)
		}
	}
	v = a.must(v, kind(String), st.x, "Cannot coerce expression of type %s to type STRING of the system variable @@%s",
		v.t.name(), st.name)
	return &Statement{Type: "SCRIPT", SQL: "SELECT " + v.sql, SystemVariable: st.name}
}
