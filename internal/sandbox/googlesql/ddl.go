package googlesql

// columnDef is one column of CREATE TABLE or ALTER TABLE.
type columnDef struct {
	name     name
	typ      Type
	required bool
	def      expr
}

type createTable struct {
	node
	path                   []name
	orReplace, ifNotExists bool
	cols                   []columnDef
	as                     *query
}

func init() {
	statementParsers = map[string]func(*parser) statement{
		"CREATE": (*parser).create,
	}
}

func (p *parser) create() statement {
	at := p.expect("CREATE")
	orReplace := p.accept("OR", "REPLACE")
	if !p.accept("TABLE") {
		p.refuse(at.pos, "CREATE "+p.tok().text)
	}
	c := &createTable{node: node{at.pos}, orReplace: orReplace}
	c.ifNotExists = p.accept("IF", "NOT", "EXISTS")
	c.path = p.tablePath()
	if p.accept("(") {
		for !p.tok().is(")") {
			c.cols = append(c.cols, p.columnDef())
			if !p.accept(",") {
				break
			}
		}
		p.expect(")")
	}
	if p.accept("AS") {
		c.as = p.query()
	}
	return c
}

func (p *parser) columnDef() columnDef {
	d := columnDef{name: p.ident()}
	d.typ = p.parseType()
	for {
		switch {
		case p.accept("NOT", "NULL"):
			d.required = true
		case p.accept("DEFAULT"):
			d.def = p.expr()
		default:
			return d
		}
	}
}

func (c *createTable) write(a *analyzer) *Statement {
	n := a.tableName(c.path, c)
	st := &Statement{Type: "CREATE_TABLE", Target: &n, OrReplace: c.orReplace, IfNotExists: c.ifNotExists}
	for _, d := range c.cols {
		st.NewColumns = append(st.NewColumns, Column{d.name.text, d.typ, d.required})
	}
	return st
}
