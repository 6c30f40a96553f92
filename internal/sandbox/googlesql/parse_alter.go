package googlesql

import "strings"

func (p *parser) alter() statement {
	at := node{p.expect("ALTER").pos}
	for _, what := range []string{"SCHEMA", "VIEW", "MATERIALIZED VIEW"} {
		if p.accept(strings.Fields(what)...) {
			return p.alterOther(&alterOther{node: at, what: what})
		}
	}
	if !p.accept("TABLE") {
		p.refuse(at.at, "ALTER "+strings.ToUpper(p.tok().text))
	}
	st := &alterTable{node: at, ifExists: p.accept("IF", "EXISTS")}
	st.path = p.tablePath()
	if p.accept("RENAME", "TO") {
		n := p.ident()
		st.rename = &n
		return st
	}
	for {
		st.actions = append(st.actions, p.alterAction())
		if !p.accept(",") {
			return st
		}
	}
}

func (p *parser) alterOther(st *alterOther) statement {
	st.ifExists = p.accept("IF", "EXISTS")
	st.path = p.tablePath()
	for {
		act := p.alterAction()
		if act.what != "OPTIONS" && (act.what != "DESCRIBE" || st.what != "VIEW") {
			fail(p.src, act.at, "ALTER %s does not support this action", st.what)
		}
		st.actions = append(st.actions, act)
		if !p.accept(",") {
			return st
		}
	}
}

func (p *parser) alterAction() alterAction {
	act := alterAction{node: node{p.tok().pos}}
	switch {
	case p.accept("ADD", "COLUMN"):
		act.what, act.lenient = "ADD", p.accept("IF", "NOT", "EXISTS")
		table := &createTable{}
		act.def = p.columnDef(table)
		if len(table.keys) > 0 {
			p.refuse(table.keys[0].at, "A key of a column that is added")
		}
		act.column = act.def.name
	case p.accept("ADD"):
		key, ok := p.tableKey()
		if !ok {
			p.refuse(act.at, "ALTER ... ADD "+strings.ToUpper(p.tok().text))
		}
		act.what, act.key = "ADD KEY", key
	case p.accept("DROP", "COLUMN"):
		act.what, act.lenient = "DROP", p.accept("IF", "EXISTS")
		act.column = p.ident()
	case p.accept("DROP", "PRIMARY", "KEY"):
		act.what, act.lenient = "DROP PRIMARY KEY", p.accept("IF", "EXISTS")
		act.column = name{node: act.node, text: primaryName, quoted: true}
	case p.accept("DROP", "CONSTRAINT"):
		act.what, act.lenient = "DROP CONSTRAINT", p.accept("IF", "EXISTS")
		act.column = p.ident()
	case p.accept("RENAME", "COLUMN"):
		act.what, act.lenient = "RENAME", p.accept("IF", "EXISTS")
		act.column = p.ident()
		p.expect("TO")
		act.to = p.ident()
	case p.accept("ALTER", "COLUMN"):
		act.lenient = p.accept("IF", "EXISTS")
		act.column = p.ident()
		p.alterColumnAction(&act)
	case p.isWords("SET", "OPTIONS"):
		p.i++
		act.what, act.options = "OPTIONS", p.options()
	default:
		p.refuse(act.at, "ALTER ... "+strings.ToUpper(p.tok().text+" "+p.ahead(1).text))
	}
	return act
}

func (p *parser) alterColumnAction(act *alterAction) {
	switch {
	case p.accept("SET", "DATA", "TYPE"):
		act.what, act.def.typ = "TYPE", p.parseType()
	case p.accept("DROP", "NOT", "NULL"):
		act.what = "NULLABLE"
	case p.accept("SET", "DEFAULT"):
		act.what = "DEFAULT"
		act.def.def = p.constant("a DEFAULT expression")
		act.def.defText = p.src[act.def.def.pos():p.toks[p.i-1].end]
	case p.accept("DROP", "DEFAULT"):
		act.what = "DEFAULT"
	case p.isWords("SET", "OPTIONS"):
		p.i++
		act.what = "DESCRIBE"
		text := p.description()
		if text == nil {
			act.what = "" // OPTIONS()
			return
		}
		act.def.description = *text
	default:
		p.refuse(act.at, "ALTER COLUMN "+strings.ToUpper(p.tok().text+" "+p.ahead(1).text))
	}
}
