package googlesql

// tableKey parses [CONSTRAINT name] PRIMARY KEY or FOREIGN KEY among the columns of a table.
func (p *parser) tableKey() (tableKey, bool) {
	name := p.ahead(1).kind
	named := p.tok().is("CONSTRAINT") && (name == tokIdent || name == tokQuoted) &&
		(p.ahead(2).is("PRIMARY") || p.ahead(2).is("FOREIGN"))
	if !named && !p.isWords("PRIMARY", "KEY") && !p.isWords("FOREIGN", "KEY") {
		return tableKey{}, false
	}
	p.constraintName()
	key := tableKey{node: node{p.tok().pos}, primary: p.tok().is("PRIMARY")}
	p.i += 2 // the words
	key.cols = p.keyColumns()
	if !key.primary {
		p.references(&key)
	}
	p.notEnforced()
	return key, true
}

// columnKey parses the key that a column has in its definition.
func (p *parser) columnKey() tableKey {
	p.constraintName()
	key := tableKey{node: node{p.tok().pos}, primary: p.accept("PRIMARY", "KEY")}
	if !key.primary {
		p.references(&key)
	}
	p.notEnforced()
	return key
}

func (p *parser) constraintName() {
	if p.accept("CONSTRAINT") {
		p.accept("IF", "NOT", "EXISTS")
		p.ident()
	}
}

func (p *parser) references(key *tableKey) {
	p.expect("REFERENCES")
	key.to = p.tablePath()
	key.toCols = p.keyColumns()
}

func (p *parser) keyColumns() []name {
	p.expect("(")
	cols := []name{p.ident()}
	for p.accept(",") {
		cols = append(cols, p.ident())
	}
	p.expect(")")
	return cols
}

// notEnforced reads NOT ENFORCED, without which BigQuery takes no key.
func (p *parser) notEnforced() {
	at := p.tok().pos
	if !p.accept("NOT", "ENFORCED") {
		p.refuse(at, "A key that is not marked NOT ENFORCED")
	}
}

// checkKeys checks the columns of the keys, which change no answer.
func (c *createTable) checkKeys(a *analyzer, cols []Column) {
	own := &Table{Columns: cols}
	primary := false
	for _, key := range c.keys {
		if key.primary && primary {
			a.fail(key, "Multiple primary keys are not allowed")
		}
		primary = primary || key.primary
		for _, n := range key.cols {
			if findTableColumn(own, n.text) == nil {
				a.fail(n, "Column %s of the key does not exist in the table", n.text)
			}
		}
		if key.to == nil {
			continue
		}
		if len(key.toCols) != len(key.cols) {
			a.fail(key, "A foreign key must have as many columns as it refers to")
		}
		other := own
		if n := a.tableName(key.to, key); n != a.createName(c) {
			other = a.lookup(n, key)
		}
		for _, n := range key.toCols {
			if findTableColumn(other, n.text) == nil {
				a.fail(n, "Column %s of the key does not exist in %s", n.text, joinNames(key.to))
			}
		}
	}
}

// columnsLike takes the columns of another table.
func (c *createTable) columnsLike(a *analyzer) {
	tab := a.lookup(a.tableName(c.like, c), c)
	if tab.View != nil {
		a.fail(c, "%s is not allowed for this operation because it is currently a VIEW.", tab.Name)
	}
	for _, col := range tab.Columns {
		d := columnDef{name: name{node: c.node, text: col.Name, quoted: true}, typ: col.Type, required: col.Required,
			defText: col.Default}
		if col.Default != "" {
			d.def = a.parseBody(col.Default)
		}
		c.cols = append(c.cols, d)
	}
}
