package googlesql

type (
	insertStmt struct {
		node
		path []name
		cols []name
		rows [][]expr
		q    *query
	}
	assignment struct {
		col []name
		x   expr
	}
	updateStmt struct {
		node
		path  []name
		alias *name
		set   []assignment
		from  tableExpr
		where expr
	}
	deleteStmt struct {
		node
		path  []name
		alias *name
		where expr
	}
	mergeStmt struct {
		node
		path   []name
		alias  *name
		source tableExpr
		on     expr
		whens  []mergeWhen
	}
	mergeWhen struct {
		node
		kind   string // MATCHED, NOT MATCHED, NOT MATCHED BY SOURCE
		cond   expr
		action string // UPDATE, DELETE, INSERT, INSERT ROW
		set    []assignment
		cols   []name
		values []expr
	}
)

func (p *parser) insert() statement {
	st := &insertStmt{node: node{p.expect("INSERT").pos}}
	p.accept("INTO")
	st.path = p.tablePath()
	if p.tok().is("(") && !p.parenQuery() {
		st.cols = p.nameList()
	}
	if p.accept("VALUES") {
		for {
			st.rows = append(st.rows, p.row())
			if !p.accept(",") {
				return st
			}
		}
	}
	st.q = p.query()
	return st
}

func (p *parser) nameList() []name {
	p.expect("(")
	var list []name
	for {
		list = append(list, p.ident())
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	return list
}

func (p *parser) row() []expr {
	p.expect("(")
	row := p.exprList()
	p.expect(")")
	return row
}

func (p *parser) assignments() []assignment {
	var set []assignment
	for {
		if next := p.ahead(1); p.tok().is("(") && (next.is("INSERT") || next.is("UPDATE") || next.is("DELETE")) {
			p.refuse(p.tok().pos, "Nested DML")
		}
		as := assignment{col: []name{p.ident()}}
		for p.accept(".") {
			as.col = append(as.col, p.fieldName())
		}
		p.expect("=")
		as.x = p.expr()
		set = append(set, as)
		if !p.accept(",") {
			return set
		}
	}
}

func (p *parser) update() statement {
	u := &updateStmt{node: node{p.expect("UPDATE").pos}}
	u.path = p.tablePath()
	if !p.tok().is("SET") {
		u.alias = p.aliasOpt()
	}
	p.expect("SET")
	u.set = p.assignments()
	if p.accept("FROM") {
		u.from = p.fromClause()
	}
	if !p.tok().is("WHERE") {
		p.whereMissing("UPDATE")
	}
	p.i++
	u.where = p.expr()
	return u
}

func (p *parser) whereMissing(what string) {
	t := p.tok()
	if t.kind == tokEOF || t.is(";") {
		fail(p.src, t.pos, "%s must have a WHERE clause", what)
	}
	p.expect("WHERE")
}

func (p *parser) delete() statement {
	d := &deleteStmt{node: node{p.expect("DELETE").pos}}
	p.accept("FROM")
	d.path = p.tablePath()
	d.alias = p.aliasOpt()
	if !p.tok().is("WHERE") {
		p.whereMissing("DELETE")
	}
	p.i++
	d.where = p.expr()
	return d
}

func (p *parser) merge() statement {
	m := &mergeStmt{node: node{p.expect("MERGE").pos}}
	p.accept("INTO")
	m.path = p.tablePath()
	m.alias = p.aliasOpt()
	p.expect("USING")
	m.source = p.tablePrimary()
	if u, ok := m.source.(*unnestRef); ok && !u.withOffset && u.alias != nil {
		item := selectItem{node: u.node, x: &pathExpr{u.node, []name{*u.alias}}}
		body := &selectBody{node: u.node, asKind: "VALUE", items: []selectItem{item}, from: u}
		m.source = &subqueryRef{u.node, &query{node: u.node, body: body}, u.alias}
	}
	p.expect("ON")
	m.on = p.expr()
	for p.tok().is("WHEN") {
		m.whens = append(m.whens, p.mergeWhen())
	}
	if len(m.whens) == 0 {
		p.expect("WHEN")
	}
	return m
}

func (p *parser) mergeWhen() mergeWhen {
	w := mergeWhen{node: node{p.expect("WHEN").pos}, kind: "MATCHED"}
	if p.accept("NOT") {
		w.kind = "NOT MATCHED"
	}
	p.expect("MATCHED")
	if w.kind == "NOT MATCHED" && p.accept("BY") {
		if p.accept("SOURCE") {
			w.kind = "NOT MATCHED BY SOURCE"
		} else {
			p.expect("TARGET")
		}
	}
	if p.accept("AND") {
		w.cond = p.expr()
	}
	p.expect("THEN")
	switch {
	case w.kind == "NOT MATCHED" && p.accept("INSERT"):
		w.action = "INSERT"
		if p.tok().is("(") {
			w.cols = p.nameList()
		}
		if p.accept("ROW") {
			w.action = "INSERT ROW"
			return w
		}
		p.expect("VALUES")
		w.values = p.row()
	case w.kind != "NOT MATCHED" && p.accept("DELETE"):
		w.action = "DELETE"
	case w.kind != "NOT MATCHED" && p.accept("UPDATE"):
		w.action = "UPDATE"
		p.expect("SET")
		w.set = p.assignments()
	default:
		p.unexpected()
	}
	return w
}
