package googlesql

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// analyzer resolves names, types expressions and writes DuckDB's text.
type analyzer struct {
	src      string
	opts     Options
	uses     []paramUse
	params   []Param
	inferred []bool // the parameter was not declared
	known    []bool // its type is settled
	tables   []TableName
	ids      int
	selfRefs int                  // recursive references that were read
	inlined  int                  // functions and views around the analyzed text
	filter   string               // of every aggregate function
	made     map[string]*Function // functions that are created before the statement
	work     int                  // expressions analyzed
	defaults map[*Column]string   // default values, as they are written
	demands  []demand             // of filters over partitions
	// The default time zone, by DuckDB's name and as Go knows it.
	zoneName string
	location *time.Location
}

// val is a typed expression in DuckDB's SQL.
type val struct {
	sql string
	t   Type // Kind "" for NULL and for a parameter whose type is still open
	// lit is set if the expression is a literal, which can be coerced more
	// freely.
	lit *literal
	// param is the index of the parameter plus one, if the expression is a
	// parameter.
	param int
	// agg and win report whether there are aggregates and window functions
	// inside.
	agg, win bool
	// parts are the parts of a STRUCT or ARRAY constructor, which can be coerced as literals
	// can.
	parts []val
	// norm is the text with the names that the analyzer has made for it counted from one. Equal
	// expressions have the same norm.
	norm string
	// part has the demands for a filter that the value meets; see demand.
	part []int
}

// untyped reports whether the value is a NULL literal or a parameter of open
// type.
func (v val) untyped() bool { return v.t.Kind == "" }

// plainNull returns the text of an untyped expression: NULL, unless something may fail
// in it.
func (v val) plainNull() string {
	if plainColumn.MatchString(v.sql) {
		return "NULL"
	}
	return v.sql
}

// fail ends the translation at x.
func (a *analyzer) fail(x interface{ pos() int }, format string, args ...any) {
	if strings.HasPrefix(format, "No matching signature") {
		// The sandbox has fewer functions of these types than BigQuery has.
		if msg := fmt.Sprintf(format, args...); strings.Contains(msg, string(BigNumeric)) ||
			strings.Contains(msg, string(TimestampPicos)) {
			a.refuse(x, strings.Replace(msg, "No matching signature for", "The", 1))
		}
	}
	if msg := fmt.Sprintf(format, args...); strings.Contains(msg, string(TimestampPicos)) &&
		!strings.Contains(msg, unsupported("")) {
		fail(a.src, x.pos(), "%s", unsupported("TIMESTAMP(12) here ("+msg+")"))
	}
	fail(a.src, x.pos(), format, args...)
}

// refuse ends the translation with an error for something that the sandbox does
// not support.
func (a *analyzer) refuse(x interface{ pos() int }, what string) { a.fail(x, "%s", unsupported(what)) }

// id returns a name that is unique in the statement.
func (a *analyzer) id(prefix string) string {
	a.ids++
	return prefix + strconv.Itoa(a.ids)
}

// paramMark stands for a parameter until its type is known; it can't occur in DuckDB's text.
const paramMark = "\x00"

func paramSQL(n int) string { return paramMark + strconv.Itoa(n) + paramMark }

// finish replaces the marks of parameters.
func (a *analyzer) finish(sql string) string {
	if !strings.Contains(sql, paramMark) {
		return sql
	}
	parts := strings.Split(sql, paramMark)
	for i := 1; i < len(parts); i += 2 {
		n, _ := strconv.Atoi(parts[i])
		parts[i] = fmt.Sprintf("CAST($%d AS %s)", n+1, a.params[n].Type.DuckDB())
	}
	return strings.Join(parts, "")
}

// declare matches the statement's parameters with the caller's.
func (a *analyzer) declare() {
	for i, u := range a.uses {
		p := Param{Name: u.name}
		found := false
		if a.opts.Positional {
			if i < len(a.opts.Params) {
				p.Type, found = a.opts.Params[i].Type, true
			}
		} else {
			for _, q := range a.opts.Params {
				if strings.EqualFold(q.Name, u.name) {
					p.Type, found = q.Type, true
				}
			}
		}
		if !found && !a.opts.AllowUndeclared {
			if a.opts.Positional {
				fail(a.src, u.pos, "Query parameter number %d not found; not enough positional parameters provided",
					i+1)
			}
			fail(a.src, u.pos, "Query parameter '%s' not found", u.name)
		}
		a.params = append(a.params, p)
		a.inferred = append(a.inferred, p.Type.Kind == "")
		a.known = append(a.known, p.Type.Kind != "")
	}
}

// settle sets the type of every parameter of open type to INT64.
func (a *analyzer) settle() {
	for i := range a.params {
		if !a.known[i] {
			a.params[i].Type = kind(Int64)
		}
	}
}

func (a *analyzer) param(x *paramExpr) val {
	v := val{sql: paramSQL(x.index), param: x.index + 1}
	if a.known[x.index] {
		v.t = a.params[x.index].Type.bare()
	}
	return v
}

// boolean analyzes a condition of a clause.
func (a *analyzer) boolean(x expr, s *scope, clause string) string {
	v := a.expr(x, s)
	b, ok := a.coerce(v, kind(Bool))
	if !ok {
		a.fail(x, "%s should return type BOOL, but returns type %s", clause, v.t.name())
	}
	a.filters(x, s)
	return b.sql
}

// Translate's work behind its recover.
func translate(sql string, opts Options) *Statement {
	var out *Statement
	a := &analyzer{src: sql, opts: opts}
	if part := opts.Part; part != nil && part.expr {
		x := a.parsePart(part)
		a.declare()
		a.setZone()
		out = a.scalar(x, opts.Want)
	} else {
		p := &parser{src: sql, positional: opts.Positional, toks: lex(sql)}
		if part != nil {
			p = a.parserOf(part)
		}
		before := p.leadingFunctions()
		st := p.parseStatement()
		a.uses = p.params
		a.declare()
		a.setZone()
		a.made = map[string]*Function{}
		for _, c := range before {
			f := c.define(a)
			a.check(c, f)
			a.made[strings.ToLower(f.Name.Table)] = f
		}
		out = a.statement(st)
	}
	a.unfiltered()
	a.settle()
	out.SQL = a.finish(out.SQL)
	out.Params = a.params
	for i, p := range a.params {
		if a.inferred[i] {
			out.Undeclared = append(out.Undeclared, p)
		}
	}
	out.Tables = a.tables
	for i := range out.Columns {
		if out.Columns[i].Type.Kind == "" {
			out.Columns[i].Type = kind(Int64)
		}
	}
	return out
}

func (a *analyzer) statement(st statement) *Statement {
	if q, ok := st.(*query); ok {
		r := a.topQuery(q)
		cols, twice := named(a.columns(r))
		for _, c := range cols {
			a.checkColumnName(c.Name, q)
			if c.Type.hollow() {
				a.refuse(q, "A STRUCT without fields")
			}
		}
		return &Statement{Type: "SELECT", SQL: r.sql, Columns: cols, Duplicate: twice, Ordered: r.ordered}
	}
	if w, ok := st.(interface{ write(*analyzer) *Statement }); ok {
		return w.write(a)
	}
	a.refuse(st, "This statement")
	return nil
}

// topQuery analyzes a statement's own query. A value table of STRUCTs has the fields as columns.
func (a *analyzer) topQuery(q *query) *result {
	r := a.query(q, nil, nil)
	if !r.value || r.cols[0].v.t.Kind != Struct || len(r.cols[0].v.t.Fields) == 0 {
		return r
	}
	id := a.id("t")
	v := r.cols[0].v
	v.sql = id + "." + v.sql
	out := &result{ordered: r.ordered}
	var items []string
	for _, c := range a.valueColumns("", v) {
		n := a.id("c")
		items = append(items, c.v.sql+" AS "+n)
		out.cols = append(out.cols, column{c.name, val{sql: n, t: c.v.t, part: c.v.part}})
	}
	out.sql = "SELECT " + strings.Join(items, ", ") + " FROM (" + r.sql + ") AS " + id
	return out
}

// named names the columns of a result as BigQuery does: f0_, f1_, ... for columns without a name,
// and a_1, a_2, ... for the second and later ones of a name. twice is a name that occurs twice.
func named(cols []Column) (out []Column, twice string) {
	n := 0
	taken := map[string]bool{}
	for _, c := range cols {
		taken[strings.ToLower(c.Name)] = true
	}
	seen := map[string]bool{}
	for i := range cols {
		c := &cols[i]
		anonymous := c.Name == ""
		if anonymous {
			c.Name = "f" + strconv.Itoa(n) + "_"
			n++
		}
		low := strings.ToLower(c.Name)
		switch {
		case anonymous && !taken[low]:
			continue
		case !anonymous && !seen[low]:
			seen[low] = true
			continue
		case !anonymous:
			twice = c.Name
		}
		for k := 1; ; k++ {
			if name := c.Name + "_" + strconv.Itoa(k); !taken[strings.ToLower(name)] {
				c.Name = name
				taken[strings.ToLower(name)] = true
				break
			}
		}
	}
	return cols, twice
}

// hollow reports whether a value of the type contains a STRUCT without fields.
func (t Type) hollow() bool {
	switch t.Kind {
	case Array:
		return t.Elem.hollow()
	case Struct:
		return len(t.Fields) == 0 || slices.ContainsFunc(t.Fields, func(f Field) bool { return f.Type.hollow() })
	}
	return false
}

// columns returns the output columns of a query. A parameter whose type is still open is
// INT64.
func (a *analyzer) columns(r *result) []Column {
	cols := make([]Column, len(r.cols))
	for i, c := range r.cols {
		if c.v.param > 0 && c.v.untyped() {
			c.v, _ = a.coerce(c.v, kind(Int64))
		}
		cols[i] = Column{Name: c.name, Type: c.v.t}
	}
	return cols
}
