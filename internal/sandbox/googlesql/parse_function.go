package googlesql

import "strings"

// createFunction is CREATE FUNCTION or CREATE TABLE FUNCTION.
type createFunction struct {
	node
	path                   []name
	temp, table            bool
	orReplace, ifNotExists bool
	fn                     Function
	body                   int // where the body begins
	options                []option
}

// createView is CREATE [MATERIALIZED] VIEW.
type createView struct {
	node
	path                   []name
	materialized           bool
	orReplace, ifNotExists bool
	names                  []name
	query                  *query
	descriptions           []string // of the columns
	options                []option
	text                   string
}

// createRoutine parses a statement after CREATE [OR REPLACE] [TEMP] [TABLE]
// FUNCTION.
func (p *parser) createRoutine(at node, orReplace, temp, table bool) statement {
	c := &createFunction{node: at, temp: temp, table: table, orReplace: orReplace}
	c.ifNotExists = p.accept("IF", "NOT", "EXISTS")
	c.path = p.tablePath()
	c.fn.Table = table
	p.expect("(")
	for !p.tok().is(")") {
		c.fn.Params = append(c.fn.Params, p.functionParam())
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	if p.accept("RETURNS") {
		if table {
			c.fn.Columns = p.returnsTable()
		} else {
			t := p.parseType()
			c.fn.Returns = &t
		}
	}
	for _, w := range []string{"DETERMINISTIC", "NOT", "LANGUAGE", "REMOTE"} {
		if t := p.tok(); t.is(w) {
			p.refuse(t.pos, "A function in another language than SQL")
		}
	}
	c.options = p.options()
	p.expect("AS")
	from := p.tok()
	if table {
		c.fn.Body = p.bodyText(func() { p.query() })
	} else {
		if from.kind == tokString {
			p.refuse(from.pos, "A function in another language than SQL")
		}
		p.expect("(")
		c.fn.Body = p.bodyText(func() { p.expr() })
		p.expect(")")
	}
	c.body = from.pos
	c.options = append(c.options, p.options()...)
	return c
}

// bodyText returns the text that parse reads. It can't contain parameters of
// the query.
func (p *parser) bodyText(parse func()) string {
	from, params := p.tok().pos, len(p.params)
	parse()
	if len(p.params) > params {
		fail(p.src, p.params[params].pos, "Query parameters cannot be used inside SQL function bodies or views")
	}
	return p.src[from:p.toks[p.i-1].end]
}

func (p *parser) functionParam() FunctionParam {
	n := p.ident()
	fp := FunctionParam{Name: n.text}
	if p.accept("ANY", "TYPE") {
		return fp
	}
	if p.tok().is("TABLE") {
		p.refuse(p.tok().pos, "A TABLE parameter of a function")
	}
	t := p.parseType()
	fp.Type = &t
	if p.accept("DEFAULT") {
		p.refuse(p.toks[p.i-1].pos, "A default value of a function's parameter")
	}
	return fp
}

// returnsTable reads TABLE<a INT64, ...>.
func (p *parser) returnsTable() []Column {
	p.expect("TABLE")
	p.expect("<")
	var cols []Column
	for !p.tok().is(">") {
		n := p.ident()
		cols = append(cols, Column{Name: n.text, Type: p.parseType()})
		if !p.accept(",") {
			break
		}
	}
	p.closeAngle()
	return cols
}

// createViewTail parses a statement after CREATE [OR REPLACE] [MATERIALIZED]
// VIEW.
func (p *parser) createViewTail(at node, orReplace, materialized bool) statement {
	c := &createView{node: at, orReplace: orReplace, materialized: materialized}
	c.ifNotExists = p.accept("IF", "NOT", "EXISTS")
	c.path = p.tablePath()
	if p.tok().is("(") {
		p.i++
		for {
			c.names = append(c.names, p.ident())
			text := p.description()
			if text == nil {
				text = new(string)
			}
			c.descriptions = append(c.descriptions, *text)
			if !p.accept(",") {
				break
			}
		}
		p.expect(")")
	}
	if p.accept("PARTITION", "BY") {
		p.expr()
	}
	if p.accept("CLUSTER", "BY") {
		p.exprList()
	}
	c.options = p.options()
	p.expect("AS")
	c.text = p.bodyText(func() { c.query = p.query() })
	return c
}

// leadingFunctions reads the CREATE TEMP FUNCTION statements before another statement, which
// together are one statement for BigQuery.
func (p *parser) leadingFunctions() []*createFunction {
	var fns []*createFunction
	for {
		for p.accept(";") {
		}
		if !p.startsTempFunction() {
			return fns
		}
		i, params := p.i, len(p.params)
		c := p.statement().(*createFunction)
		if p.tok().kind == tokEOF || !p.tok().is(";") || p.onlySemicolons() {
			p.i, p.params = i, p.params[:params] // there is no statement after it
			return fns
		}
		fns = append(fns, c)
	}
}

// onlySemicolons reports whether nothing but semicolons is left.
func (p *parser) onlySemicolons() bool {
	n := 0
	for p.ahead(n).is(";") {
		n++
	}
	return p.ahead(n).kind == tokEOF
}

// startsTempFunction reports whether CREATE [OR REPLACE] TEMP FUNCTION comes next.
func (p *parser) startsTempFunction() bool {
	n := 1
	if p.ahead(1).is("OR") && p.ahead(2).is("REPLACE") {
		n = 3
	}
	return p.tok().is("CREATE") && (p.ahead(n).is("TEMP") || p.ahead(n).is("TEMPORARY")) && p.ahead(n+1).is("FUNCTION")
}

// tempFunctionStep reports whether a step of a script is CREATE TEMP FUNCTION.
func (s *Script) tempFunctionStep(st Step) bool {
	run, ok := st.(*Run)
	if !ok {
		return false
	}
	p := &parser{src: s.src, toks: lexFrom(s.src[:run.To], run.From)}
	return p.startsTempFunction()
}

// pathText returns a path as its parts' texts.
func pathText(path []name) []string {
	out := make([]string, len(path))
	for i, n := range path {
		out[i] = n.text
	}
	return out
}

func upperPath(path []name) string { return strings.ToUpper(strings.Join(pathText(path), ".")) }
