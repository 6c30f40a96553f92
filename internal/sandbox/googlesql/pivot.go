package googlesql

import (
	"strconv"
	"strings"
)

// pivotRef is a table with PIVOT.
type pivotRef struct {
	node
	from  tableExpr
	aggs  []selectItem
	by    expr
	in    []selectItem
	alias *name
}

// unpivotRef is a table with UNPIVOT.
type unpivotRef struct {
	node
	from   tableExpr
	nulls  bool
	values []name
	label  name
	in     []unpivotItem
	alias  *name
}

type unpivotItem struct {
	cols  []name
	label expr // nil = the columns' names
}

// pivotTail parses PIVOT and UNPIVOT after a table.
func (p *parser) pivotTail(t tableExpr) tableExpr {
	for {
		at := node{p.tok().pos}
		switch {
		case p.tok().kind == tokQuoted:
			return t
		case p.accept("PIVOT", "("):
			x := &pivotRef{node: at, from: t}
			for {
				it := selectItem{node: node{p.tok().pos}, x: p.expr()}
				it.alias = p.aliasOpt()
				x.aggs = append(x.aggs, it)
				if !p.accept(",") {
					break
				}
			}
			p.expect("FOR")
			x.by = p.binary(0)
			p.expect("IN")
			p.expect("(")
			for {
				it := selectItem{node: node{p.tok().pos}, x: p.expr()}
				it.alias = p.aliasOpt()
				x.in = append(x.in, it)
				if !p.accept(",") {
					break
				}
			}
			p.expect(")")
			p.expect(")")
			x.alias = p.aliasOpt()
			t = x
		case p.isWords("UNPIVOT", "(") || p.isWords("UNPIVOT", "INCLUDE") || p.isWords("UNPIVOT", "EXCLUDE"):
			t = p.unpivot(at, t)
		default:
			return t
		}
	}
}

func (p *parser) unpivot(at node, t tableExpr) tableExpr {
	p.i++
	x := &unpivotRef{node: at, from: t, nulls: p.accept("INCLUDE", "NULLS")}
	p.accept("EXCLUDE", "NULLS")
	p.expect("(")
	x.values = p.namesOrOne()
	p.expect("FOR")
	x.label = p.ident()
	p.expect("IN")
	p.expect("(")
	for {
		it := unpivotItem{cols: p.namesOrOne()}
		if p.accept("AS") || p.tok().kind == tokString || p.tok().kind == tokInt {
			it.label = p.primary()
		}
		x.in = append(x.in, it)
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	p.expect(")")
	x.alias = p.aliasOpt()
	return x
}

func (p *parser) namesOrOne() []name {
	if p.tok().is("(") {
		return p.nameList()
	}
	return []name{p.ident()}
}

// source analyzes the table of a PIVOT or UNPIVOT in a separate scope.
func (a *analyzer) source(t tableExpr, s *scope) (*scope, string) {
	in := &scope{parent: s.parent, ctes: s.ctes, clause: "FROM clause"}
	sql := a.from(t, in)
	return in, sql
}

// pivot writes PIVOT: one group for each combination of the columns that it does not name.
func (a *analyzer) pivot(x *pivotRef, s *scope) string {
	in, from := a.source(x.from, s)
	in.touched = map[string]bool{}
	in.clause = "PIVOT"
	by := a.expr(x.by, in)
	if !groupable(by.t) || by.t.Kind == Array || by.t.Kind == Struct {
		a.fail(x.by, "PIVOT FOR does not support expressions of type %s", by.t.name())
	}
	in.aggOK = true
	in.group = &groupCheck{keys: map[string]string{}}
	type out struct {
		name string
		v    val
	}
	var outs []out
	for _, it := range x.in {
		v := a.expr(it.x, &scope{clause: "PIVOT IN"})
		if v.lit == nil && !v.untyped() && !strings.HasPrefix(v.sql, "DATE ") && !strings.HasPrefix(v.sql, "(") {
			a.refuse(it.x, "A PIVOT value that is no literal")
		}
		w, ok := a.coerce(v, by.t)
		if !ok {
			a.fail(it.x, "PIVOT IN expression of type %s does not coerce to that of the FOR expression, %s", v.t.name(),
				by.t.name())
		}
		label := a.pivotName(it)
		a.filter = "(" + by.sql + " IS NOT DISTINCT FROM " + w.sql + ")"
		for _, agg := range x.aggs {
			if c, ok := agg.x.(*callExpr); !ok || c.over != nil {
				a.fail(agg.x, "PIVOT expression must be an aggregate function call")
			}
			name := label
			switch {
			case agg.alias != nil:
				name = agg.alias.text + "_" + label
			case len(x.aggs) > 1:
				a.fail(agg.x, "PIVOT expression must have an alias where there is more than one")
			}
			outs = append(outs, out{name, a.expr(agg.x, in)})
		}
		a.filter = ""
	}
	rel := &relation{}
	if x.alias != nil {
		rel.alias = x.alias.text
	}
	id := a.id("t")
	var items, keys []string
	for _, c := range in.cols {
		if in.touched[c.v.sql] {
			continue
		}
		if !groupable(c.v.t) {
			a.fail(x, "Column %s of type %s cannot be used as an implicit grouping column of a PIVOT clause", c.name,
				c.v.t.name())
		}
		n := a.id("c")
		keys = append(keys, c.v.sql)
		items = append(items, c.v.sql+" AS "+n)
		rel.cols = append(rel.cols, column{c.name, val{sql: id + "." + n, t: c.v.t, part: c.v.part}})
	}
	for _, o := range outs {
		n := a.id("c")
		items = append(items, exact(o.v)+" AS "+n)
		rel.cols = append(rel.cols, column{o.name, val{sql: id + "." + n, t: resolved(o.v.t)}})
	}
	group := ""
	if len(keys) > 0 {
		group = " GROUP BY " + strings.Join(keys, ", ")
	}
	a.addRelation(rel, s, x)
	return "(SELECT " + strings.Join(items, ", ") + " FROM " + from + group + ") AS " + id
}

// pivotName returns the part of a column's name for a value of a PIVOT.
func (a *analyzer) pivotName(it selectItem) string {
	if it.alias != nil {
		return it.alias.text
	}
	x := it.x
	minus := ""
	if u, ok := x.(*unaryExpr); ok && u.op == "-" {
		x, minus = u.x, "minus_"
	}
	switch l := x.(type) {
	case *literal:
		switch l.kind {
		case "":
			return "NULL"
		case String:
			return l.text
		case Bool:
			return strings.ToLower(l.text)
		case Int64:
			return "_" + minus + l.text
		case Float64:
			return "_" + minus + strings.ReplaceAll(l.text, ".", "_point_")
		}
	case *typedLit:
		if l.kind == Date {
			return "_" + strings.ReplaceAll(l.text, "-", "_")
		}
	}
	a.refuse(it.x, "A PIVOT value of this kind without an alias")
	return ""
}

// unpivotOf writes UNPIVOT: a row for each of the columns that it names.
func (a *analyzer) unpivotOf(x *unpivotRef, s *scope) string {
	in, from := a.source(x.from, s)
	gone := map[string]bool{}
	types := make([][]val, len(x.values))
	labels := make([]val, len(x.in))
	cells := make([][]val, len(x.in))
	for i, it := range x.in {
		if len(it.cols) != len(x.values) {
			a.fail(x, "UNPIVOT names %d value columns and %d columns in an item of IN", len(x.values), len(it.cols))
		}
		var names []string
		for k, c := range it.cols {
			col, n := findColumn(in.cols, c.text)
			if n != 1 {
				a.fail(c, "Unrecognized name: %s", c.text)
			}
			gone[col.v.sql] = true
			types[k] = append(types[k], col.v)
			cells[i] = append(cells[i], col.v)
			names = append(names, col.name)
		}
		labels[i] = val{sql: quoteString(strings.Join(names, "_")) + "::VARCHAR", t: kind(String)}
		if it.label != nil {
			labels[i] = a.expr(it.label, &scope{})
		}
	}
	labels, lt := a.unify(labels, x, "UNPIVOT labels")
	row := Type{Kind: Struct}
	for k, vs := range types {
		for _, v := range vs[1:] {
			if !v.t.equal(vs[0].t) {
				a.fail(x, "The datatype of column does not match with other datatypes in the IN clause")
			}
		}
		row.Fields = append(row.Fields, Field{Name: "v" + strconv.Itoa(k), Type: vs[0].t})
	}
	row.Fields = append(row.Fields, Field{Name: "n", Type: lt})
	var rows []string
	for i := range x.in {
		var parts []string
		for _, v := range cells[i] {
			parts = append(parts, v.sql)
		}
		rows = append(rows, structSQL(row, append(parts, labels[i].sql)))
	}
	list := "[" + strings.Join(rows, ", ") + "]"
	if !x.nulls {
		var some []string
		for k := range x.values {
			some = append(some, "q.v"+strconv.Itoa(k)+" IS NOT NULL")
		}
		list = "list_filter(" + list + ", lambda q: " + strings.Join(some, " OR ") + ")"
	}
	u, id := a.id("t"), a.id("t")
	rel := &relation{}
	if x.alias != nil {
		rel.alias = x.alias.text
	}
	var items []string
	add := func(name, sql string, t Type) {
		n := a.id("c")
		items = append(items, sql+" AS "+n)
		rel.cols = append(rel.cols, column{name, val{sql: id + "." + n, t: t}})
	}
	for _, c := range in.cols {
		if !gone[c.v.sql] {
			add(c.name, c.v.sql, c.v.t)
		}
	}
	for k, n := range x.values {
		add(n.text, "struct_extract("+u+".v, 'v"+strconv.Itoa(k)+"')", row.Fields[k].Type)
	}
	add(x.label.text, "struct_extract("+u+".v, 'n')", lt)
	a.addRelation(rel, s, x)
	return "(SELECT " + strings.Join(items, ", ") + " FROM " + from + " INNER JOIN UNNEST(" + list +
		") WITH ORDINALITY AS " + u +
		"(v, o) ON TRUE) AS " + id
}
