package googlesql

import (
	"strings"
	"time"
)

// Function is a function or a table function of a user, in SQL.
type Function struct {
	Name    TableName // Dataset is "" for a temporary one
	Params  []FunctionParam
	Returns *Type    // nil = that of the body
	Columns []Column // of a table function with RETURNS TABLE
	Table   bool     // a table function: the body is a query
	Body    string
	// Project and Dataset complete the names in the body.
	Project, Dataset string
	// Created is when it was made, and Description that of OPTIONS; the caller keeps both.
	Created     time.Time
	Description string
}

// FunctionParam is a parameter of a Function. A nil Type is ANY TYPE.
type FunctionParam struct {
	Name string
	Type *Type
}

// View is a view with its query.
type View struct {
	Query            string
	Project, Dataset string // complete the names in the query
}

// maxInlined limits the depth of calls of functions and views.
const maxInlined = 16

// inside analyzes the text of a function or a view. Positions refer to that text, and names are
// completed by the defaults under which it was created.
func (a *analyzer) inside(x interface{ pos() int }, what, text, project, dataset string, do func()) {
	if a.inlined++; a.inlined > maxInlined {
		a.fail(x, "%s is nested too deeply", what)
	}
	src, opts, at := a.src, a.opts, x.pos()
	defer func() {
		a.src, a.opts = src, opts
		a.inlined--
		if r := recover(); r != nil {
			b, ok := r.(bailout)
			if !ok {
				panic(r)
			}
			if b.err.inner {
				panic(r)
			}
			line, col := position(src, at)
			panic(bailout{&Error{Line: line, Column: col, inner: true,
				Message: "Invalid " + what + "; " + b.err.Error()}})
		}
	}()
	a.src = text
	a.opts.DefaultProject, a.opts.DefaultDataset, a.opts.Variables, a.opts.Temp = project, dataset, nil, nil
	do()
}

// userFunction returns a function that is not BigQuery's own.
func (a *analyzer) userFunction(path []name) *Function {
	if len(path) == 1 {
		if f := a.made[strings.ToLower(path[0].text)]; f != nil {
			return f
		}
	}
	if a.opts.Function == nil || len(path) > 3 || len(path) == 0 {
		return nil
	}
	n := TableName{Table: path[len(path)-1].text}
	if len(path) > 1 {
		n.Project, n.Dataset = a.opts.DefaultProject, path[len(path)-2].text
	}
	if len(path) == 3 {
		n.Project = path[0].text
	}
	f := a.opts.Function(n)
	if f == nil && len(path) == 1 && a.opts.DefaultDataset != "" {
		f = a.opts.Function(TableName{a.opts.DefaultProject, a.opts.DefaultDataset, n.Table})
	}
	return f
}

// arguments convert the arguments of a call to a function's parameters.
func (a *analyzer) arguments(c *callExpr, f *Function, vs []val) *scope {
	if len(vs) != len(f.Params) {
		a.fail(c, "Number of arguments does not match for function %s: it takes %d, but has %d",
			strings.Join(pathText(c.path), "."),
			len(f.Params), len(vs))
	}
	s := &scope{clause: "a function"}
	for i, p := range f.Params {
		v := vs[i]
		if p.Type != nil {
			w, ok := a.coerce(v, *p.Type)
			if !ok {
				a.fail(c.args[i], "No matching signature for function %s for argument types: %s",
					strings.Join(pathText(c.path), "."),
					typeList(vs))
			}
			v = w
		} else if v.untyped() {
			v, _ = a.coerce(v, kind(Int64))
		}
		// An argument is a value, even if it is written as a literal.
		s.cols = append(s.cols, column{p.Name, val{sql: "CAST(" + v.sql + " AS " + v.t.DuckDB() + ")", t: v.t,
			agg: v.agg, win: v.win}})
	}
	return s
}

// inline replaces a call of a user's function by its body.
func (a *analyzer) inline(c *callExpr, f *Function, s *scope) val {
	shown := strings.Join(pathText(c.path), ".")
	switch {
	case f.Table:
		a.fail(c, "Table-valued function is not expected here: %s", shown)
	case c.over != nil || c.distinct || c.star || len(c.order) > 0:
		a.fail(c, "Function %s does not support OVER, DISTINCT, ORDER BY or *", shown)
	case len(c.named) > 0:
		a.fail(c, "Named arguments are not supported for function %s", shown)
	case c.safe:
		a.refuse(c, "SAFE. before a function of the user")
	}
	args := a.arguments(c, f, a.args(c, s))
	var out val
	a.inside(c, "function "+shown, f.Body, f.Project, f.Dataset, func() {
		x := a.parseBody(f.Body)
		out = a.expr(x, args)
		if f.Returns != nil {
			out = a.must(out, *f.Returns, x, "Function declared to return %s but the function body produces "+
				"incompatible type %s",
				*f.Returns, out.t.name())
			out = val{sql: "CAST(" + out.sql + " AS " + f.Returns.DuckDB() + ")", t: f.Returns.bare(), agg: out.agg,
				win: out.win}
		}
	})
	for _, col := range args.cols {
		out.agg, out.win = out.agg || col.v.agg, out.win || col.v.win
	}
	out.lit, out.parts = nil, nil
	if out.untyped() {
		out, _ = a.coerce(out, kind(Int64))
	}
	return out
}

// parseBody parses the expression of a function.
func (a *analyzer) parseBody(text string) expr {
	p := &parser{src: text, toks: lex(text)}
	x := p.expr()
	if p.tok().kind != tokEOF {
		p.unexpectedAfter()
	}
	return x
}

// tableFunction writes a call of a table function in FROM.
func (a *analyzer) tableFunction(t *tableCall, s *scope) string {
	shown := strings.Join(pathText(t.call.path), ".")
	f := a.userFunction(t.call.path)
	switch {
	case f == nil:
		a.fail(t, "Table-valued function not found: %s", shown)
	case !f.Table:
		a.fail(t, "%s is no table-valued function", shown)
	case len(t.call.named) > 0:
		a.refuse(t.call.named[0].name, "A named argument of a table function")
	}
	args := a.arguments(t.call, f, a.args(t.call, s))
	var r *result
	a.inside(t, "table function "+shown, f.Body, f.Project, f.Dataset, func() {
		p := &parser{src: f.Body, toks: lex(f.Body)}
		q := p.query()
		r = a.query(q, args, nil)
		if f.Columns != nil {
			if len(r.cols) != len(f.Columns) {
				a.fail(q, "The table function declares %d columns and its query gives %d", len(f.Columns), len(r.cols))
			}
			ts := make([]Type, len(f.Columns))
			for i, c := range f.Columns {
				ts[i] = c.Type.bare()
			}
			r = a.convert(r, ts)
			for i, c := range f.Columns {
				r.cols[i].name = c.Name
			}
		}
	})
	rel := &relation{}
	if t.alias != nil {
		rel.alias = t.alias.text
	}
	return "(" + r.sql + ") AS " + a.addResult(rel, r.cols, r.value, s, t)
}

// viewRef replaces a view in FROM by its query.
func (a *analyzer) viewRef(t *tableRef, tab *Table, alias name, s *scope) string {
	var r *result
	a.inside(t, "view "+tab.Name.String(), tab.View.Query, tab.View.Project, tab.View.Dataset, func() {
		p := &parser{src: tab.View.Query, toks: lex(tab.View.Query)}
		r = a.topQuery(p.query())
		if len(r.cols) != len(tab.Columns) {
			fail(a.src, 0, "The view's query gives other columns than when it was made")
		}
		ts := make([]Type, len(tab.Columns))
		for i, c := range tab.Columns {
			ts[i] = c.Type.bare()
		}
		r = a.convert(r, ts)
		for i, c := range tab.Columns {
			r.cols[i].name = c.Name
		}
	})
	rel := &relation{alias: alias.text}
	return "(" + r.sql + ") AS " + a.addResult(rel, r.cols, false, s, t)
}

// define returns the function that a statement creates.
func (c *createFunction) define(a *analyzer) *Function {
	f := c.fn
	f.Project, f.Dataset = a.opts.DefaultProject, a.opts.DefaultDataset
	seen := map[string]bool{}
	for _, p := range f.Params {
		if low := strings.ToLower(p.Name); seen[low] {
			a.fail(c, "Duplicate parameter name %s in function %s", p.Name, strings.Join(pathText(c.path), "."))
		} else {
			seen[low] = true
		}
	}
	switch {
	case c.temp && len(c.path) == 1:
		f.Name = TableName{Table: c.path[0].text}
	case c.temp:
		a.fail(c, "CREATE TEMPORARY FUNCTION cannot have a qualified name: %s", joinNames(c.path))
	default:
		temp := a.opts.Temp
		a.opts.Temp = nil
		f.Name = a.tableName(c.path, c)
		a.opts.Temp = temp
	}
	if functions[upperPath(c.path[len(c.path)-1:])] != nil && c.temp {
		a.fail(c, "Function name %s is that of a function of GoogleSQL", c.path[0].text)
	}
	return &f
}

// check analyzes the body of a function if all parameters have types.
func (a *analyzer) check(c *createFunction, f *Function) {
	call := &callExpr{node: c.node, path: c.path}
	var vs []val
	for _, p := range f.Params {
		if p.Type == nil {
			return
		}
		vs = append(vs, val{sql: "CAST(NULL AS " + p.Type.DuckDB() + ")", t: p.Type.bare()})
		call.args = append(call.args, &literal{c.node, "", ""})
	}
	s := a.arguments(call, f, vs)
	a.inside(c, "function "+joinNames(c.path), f.Body, f.Project, f.Dataset, func() {
		if f.Table {
			p := &parser{src: f.Body, toks: lex(f.Body)}
			a.query(p.query(), s, nil)
			return
		}
		x := a.parseBody(f.Body)
		out := a.expr(x, s)
		if f.Returns != nil {
			a.must(out, *f.Returns, x, "Function declared to return %s but the function body produces incompatible "+
				"type %s",
				*f.Returns, out.t.name())
		}
	})
}

func (c *createFunction) write(a *analyzer) *Statement {
	f := c.define(a)
	tables := a.tables
	a.check(c, f)
	a.tables = tables
	st := &Statement{Type: "CREATE_FUNCTION", Target: &f.Name, NewFunction: f, OrReplace: c.orReplace,
		IfNotExists: c.ifNotExists}
	if c.table {
		st.Type = "CREATE_TABLE_FUNCTION"
	}
	a.setOptions(st, optionsOfRoutine, c.options)
	return st
}

func (c *createView) write(a *analyzer) *Statement {
	temp := a.opts.Temp
	a.opts.Temp = nil
	n := a.tableName(c.path, c)
	a.opts.Temp = temp
	a.notView(n, c)
	cols := a.columns(a.topQuery(c.query))
	if c.names != nil && len(c.names) != len(cols) {
		a.fail(c, "View %s has %d columns but its query gives %d", n, len(c.names), len(cols))
	}
	seen := map[string]bool{}
	for i := range cols {
		if c.names != nil {
			cols[i].Name, cols[i].Description = c.names[i].text, c.descriptions[i]
		}
		low := strings.ToLower(cols[i].Name)
		switch {
		case low == "":
			a.fail(c.query, "CREATE VIEW columns must be named, but column %d has no name", i+1)
		case seen[low]:
			a.fail(c.query, "CREATE VIEW has columns with duplicate name %s", cols[i].Name)
		}
		seen[low] = true
		cols[i].Type = resolved(cols[i].Type)
	}
	st := &Statement{Type: "CREATE_VIEW", Target: &n, NewColumns: cols, OrReplace: c.orReplace,
		IfNotExists: c.ifNotExists,
		NewView:     &View{Query: c.text, Project: a.opts.DefaultProject, Dataset: a.opts.DefaultDataset}}
	if c.materialized {
		st.Type = "CREATE_MATERIALIZED_VIEW"
	}
	a.setOptions(st, optionsOfView, c.options)
	return st
}
