package googlesql

import "strings"

type (
	// columnDef is one column of CREATE TABLE.
	columnDef struct {
		name     name
		typ      Type
		required bool
		def      expr
		defText  string

		description string
	}
	createTable struct {
		node
		path                   []name
		temp                   bool
		orReplace, ifNotExists bool
		cols                   []columnDef
		partition              expr
		cluster                []expr
		as                     *query
		like                   []name // the table whose columns are copied
		copied                 string // COPY, CLONE or SNAPSHOT: the rows of like, too; "" for none
		keys                   []tableKey
		options                []option
	}
	// tableKey is a PRIMARY or a FOREIGN KEY, which BigQuery does not enforce.
	tableKey struct {
		node
		primary bool
		named   *name // nil without a CONSTRAINT
		lenient bool  // CONSTRAINT IF NOT EXISTS
		cols    []name
		to      []name // of a FOREIGN KEY: the table and its columns
		toCols  []name
	}
	createSchema struct {
		node
		path        []name
		ifNotExists bool
		options     []option
	}
	dropStmt struct {
		node
		what     string // TABLE, SCHEMA
		path     []name
		ifExists bool
		cascade  bool
	}
	truncateStmt struct {
		node
		path []name
	}
)

func init() {
	statementParsers = map[string]func(*parser) statement{
		"CREATE":   (*parser).create,
		"DROP":     (*parser).drop,
		"TRUNCATE": (*parser).truncate,
		"INSERT":   (*parser).insert,
		"UPDATE":   (*parser).update,
		"DELETE":   (*parser).delete,
		"MERGE":    (*parser).merge,
		"BEGIN":    (*parser).control,
		"COMMIT":   (*parser).control,
		"ROLLBACK": (*parser).control,
		"CALL":     (*parser).callProcedure,
		"SET":      (*parser).set,
		"ALTER":    (*parser).alter,
		"ASSERT":   (*parser).assert,
		"UNDROP": func(p *parser) statement {
			p.refuse(p.tok().pos, "UNDROP")
			return nil
		},
	}
}

func (p *parser) create() statement {
	at := node{p.expect("CREATE").pos}
	orReplace := p.accept("OR", "REPLACE")
	temp := p.accept("TEMP") || p.accept("TEMPORARY")
	switch {
	case !temp && p.accept("SCHEMA"):
		c := &createSchema{node: at, ifNotExists: p.accept("IF", "NOT", "EXISTS")}
		c.path = p.tablePath()
		p.noCollation()
		c.options = p.options()
		return c
	case !temp && p.accept("PROCEDURE"):
		return p.createProcedure(at, orReplace)
	case p.accept("FUNCTION"):
		return p.createRoutine(at, orReplace, temp, false)
	case !temp && p.accept("TABLE", "FUNCTION"):
		return p.createRoutine(at, orReplace, false, true)
	case !temp && p.accept("VIEW"):
		return p.createViewTail(at, orReplace, false)
	case !temp && p.accept("MATERIALIZED", "VIEW"):
		return p.createViewTail(at, orReplace, true)
	case !temp && !orReplace && p.accept("SNAPSHOT", "TABLE"):
		return p.createSnapshot(at)
	case p.accept("TABLE"):
	default:
		word := strings.ToUpper(p.tok().text)
		if temp {
			word = "TEMP " + word
		}
		p.refuse(at.at, "CREATE "+word)
	}
	c := &createTable{node: at, temp: temp, orReplace: orReplace}
	c.ifNotExists = p.accept("IF", "NOT", "EXISTS")
	c.path = p.tablePath()
	if p.accept("(") {
		for !p.tok().is(")") {
			if key, ok := p.tableKey(); ok {
				c.keys = append(c.keys, key)
			} else {
				c.cols = append(c.cols, p.columnDef(c))
			}
			if !p.accept(",") {
				break
			}
		}
		p.expect(")")
	}
	switch word := strings.ToUpper(p.tok().text); {
	case c.cols == nil && p.accept("LIKE"):
		c.like = p.tablePath()
	case c.cols == nil && !temp && (p.accept("CLONE") || p.accept("COPY")):
		c.copied = word
		p.source(c)
		c.options = p.options()
		return c
	}
	p.noCollation()
	if p.accept("PARTITION", "BY") {
		c.partition = p.expr()
	}
	if p.accept("CLUSTER", "BY") {
		c.cluster = p.exprList()
	}
	c.options = p.options()
	if p.accept("AS") {
		c.as = p.query()
	}
	if c.cols == nil && c.as == nil && c.like == nil {
		fail(p.src, p.tok().pos, "Syntax error: Expected \"(\" or keyword AS but got %s", p.tok().describe())
	}
	return c
}

// noCollation refuses DEFAULT COLLATE.
func (p *parser) noCollation() {
	if t := p.tok(); p.isWords("DEFAULT", "COLLATE") {
		p.refuse(t.pos, "DEFAULT COLLATE")
	}
}

// source reads the table that is copied.
func (p *parser) source(c *createTable) {
	c.like = p.tablePath()
	if t := p.tok(); p.isWords("FOR", "SYSTEM_TIME") || p.isWords("FOR", "SYSTEM") {
		p.refuse(t.pos, "FOR SYSTEM_TIME AS OF of a table that is copied")
	}
}

func (p *parser) createSnapshot(at node) statement {
	c := &createTable{node: at, copied: "SNAPSHOT", ifNotExists: p.accept("IF", "NOT", "EXISTS")}
	c.path = p.tablePath()
	p.expect("CLONE")
	p.source(c)
	c.options = p.options()
	return c
}

func (p *parser) columnDef(c *createTable) columnDef {
	d := columnDef{name: p.ident()}
	p.inColumn = true
	d.typ = p.parseType()
	p.inColumn = false
	for {
		switch {
		case p.accept("NOT", "NULL"):
			d.required = true
		case p.accept("DEFAULT"):
			d.def = p.constant("a DEFAULT expression")
			d.defText = p.src[d.def.pos():p.toks[p.i-1].end]
		case p.tok().is("OPTIONS"):
			if text := p.description(); text != nil {
				d.description = *text
			}
		case p.tok().is("PRIMARY"), p.tok().is("REFERENCES"), p.tok().is("CONSTRAINT"):
			key := p.columnKey()
			key.cols = []name{d.name}
			c.keys = append(c.keys, key)
		case p.tok().is("COLLATE"):
			p.refuse(p.tok().pos, "COLLATE of a column")
		default:
			return d
		}
	}
}

func (p *parser) drop() statement {
	d := &dropStmt{node: node{p.expect("DROP").pos}, what: strings.ToUpper(p.tok().text)}
	switch {
	case p.isWords("TABLE", "FUNCTION"):
		d.what = "TABLE FUNCTION"
		p.i++
	case p.isWords("MATERIALIZED", "VIEW"):
		d.what = "MATERIALIZED VIEW"
		p.i++
	case p.isWords("SNAPSHOT", "TABLE"):
		d.what = "SNAPSHOT TABLE"
		p.i++
	case d.what != "TABLE" && d.what != "SCHEMA" && d.what != "VIEW" && d.what != "FUNCTION" && d.what != "PROCEDURE":
		p.refuse(d.at, "DROP "+d.what)
	}
	p.i++
	d.ifExists = p.accept("IF", "EXISTS")
	d.path = p.tablePath()
	if d.what == "SCHEMA" && !p.accept("RESTRICT") {
		d.cascade = p.accept("CASCADE")
	}
	return d
}

func (p *parser) truncate() statement {
	at := node{p.expect("TRUNCATE").pos}
	p.expect("TABLE")
	return &truncateStmt{at, p.tablePath()}
}
