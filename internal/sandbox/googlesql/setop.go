package googlesql

import (
	"slices"
	"strings"
)

// setOp analyzes a chain of one set operation: the types of a column are found over all of it.
func (a *analyzer) setOp(op *setOp, outer *scope, ctes *cteScope) *result {
	if op.byName {
		return a.setOpByName(op, outer, ctes)
	}
	queries := chain(op)
	branches := make([]*result, len(queries))
	for i, q := range queries {
		branches[i] = a.body(q, outer, ctes)
	}
	return a.combine(op, queries, branches)
}

// chain lists the queries that one operation joins.
func chain(op *setOp) []queryBody {
	if l, ok := op.l.(*setOp); ok && !l.byName && l.op == op.op && l.distinct == op.distinct && op.op != "EXCEPT" {
		return append(chain(l), op.r)
	}
	return []queryBody{op.l, op.r}
}

// words returns the words of the operation for an error.
func (op *setOp) words() string {
	if op.distinct {
		return op.op + " DISTINCT"
	}
	return op.op + " ALL"
}

// combine joins queries that have their columns in one order.
func (a *analyzer) combine(op *setOp, at []queryBody, branches []*result) *result {
	first := branches[0]
	for i, b := range branches {
		if len(b.cols) != len(first.cols) {
			a.fail(at[i], "Queries in %s have mismatched column count; query 1 has %d column(s), query %d has %d "+
				"column(s)",
				op.words(), len(first.cols), i+1, len(b.cols))
		}
	}
	ts := make([]Type, len(first.cols))
	open := make([]bool, len(ts))
	for i := range ts {
		var vs []val
		var names []string
		for _, b := range branches {
			vs = append(vs, b.columnVals(i)...)
			names = append(names, b.cols[i].v.t.name())
		}
		t, ok := a.supertype(vs)
		if !ok {
			a.fail(at[len(at)-1], "Column %d in %s has incompatible types: %s", i+1, op.words(),
				strings.Join(names, ", "))
		}
		if op.distinct && !groupable(t) {
			a.fail(at[len(at)-1], "Column %d in %s has type that does not support set operation comparisons: %s", i+1,
				op.words(), t.name())
		}
		ts[i], open[i] = resolved(t), t.Kind == "" && !slices.ContainsFunc(vs, func(v val) bool { return v.param > 0 })
	}
	out := a.joined(op, branches, ts)
	for i := range out.cols {
		out.cols[i].name = first.cols[i].name
		if open[i] {
			out.cols[i].v.t = Type{}
		}
	}
	for _, b := range branches {
		out.value = out.value || b.value
	}
	return out
}

// columnVals returns the values of a column, or one that represents them.
func (r *result) columnVals(i int) []val {
	if r.rows == nil {
		return []val{r.cols[i].v}
	}
	vs := make([]val, len(r.rows))
	for k, row := range r.rows {
		vs[k] = row[i]
	}
	return vs
}

// joined writes the operation. Rows of values become one list, which keeps their order.
func (a *analyzer) joined(op *setOp, branches []*result, ts []Type) *result {
	if op.op == "UNION" && !op.distinct && !slices.ContainsFunc(branches,
		func(b *result) bool { return b.rows == nil }) {
		return a.values(branches, ts)
	}
	word := op.op
	if op.op == "UNION" && !op.distinct {
		word = "UNION ALL"
	}
	sqls := make([]string, len(branches))
	var cols []column
	for i, b := range branches {
		b = a.convert(b, ts)
		if i == 0 {
			cols = b.cols
		}
		sqls[i] = "(" + b.sql + ")"
	}
	out := &result{sql: strings.Join(sqls, " "+word+" ")}
	for i, c := range cols {
		v := val{sql: c.v.sql, t: ts[i]}
		for _, b := range branches {
			v.part = append(v.part, b.cols[i].v.part...)
		}
		out.cols = append(out.cols, column{c.name, v})
	}
	return a.rewrap(out)
}

// values writes rows of values as a list.
func (a *analyzer) values(branches []*result, ts []Type) *result {
	out := &result{plain: true, rows: [][]val{}}
	var lines, names, items []string
	for _, b := range branches {
		for _, row := range b.rows {
			cells := make([]string, len(ts))
			for i, v := range row {
				w, ok := a.coerce(v, ts[i])
				if !ok {
					w = a.castTo(v, ts[i])
				}
				cells[i] = "CAST(" + w.sql + " AS " + ts[i].DuckDB() + ")"
			}
			lines = append(lines, "("+strings.Join(cells, ", ")+")")
			out.rows = append(out.rows, row)
		}
	}
	id := a.id("t")
	for _, t := range ts {
		n := a.id("c")
		names = append(names, n)
		c := a.id("c")
		items = append(items, id+"."+n+" AS "+c)
		out.cols = append(out.cols, column{"", val{sql: c, t: t}})
	}
	out.sql = "SELECT " + strings.Join(items, ", ") + " FROM (VALUES " + strings.Join(lines, ", ") + ") AS " + id +
		"(" +
		strings.Join(names, ", ") + ")"
	return out
}

// setOpByName analyzes a set operation that matches columns by name.
func (a *analyzer) setOpByName(op *setOp, outer *scope, ctes *cteScope) *result {
	l, r := a.body(op.l, outer, ctes), a.body(op.r, outer, ctes)
	for i, b := range []*result{l, r} {
		for k, c := range b.cols {
			if _, n := findColumn(b.cols, c.name); c.name == "" || n > 1 {
				a.fail(op, "Column %d of query %d in %s BY NAME needs a name that no other column has", k+1, i+1,
					op.words())
			}
		}
	}
	var names []string
	for _, c := range l.cols {
		if _, n := findColumn(r.cols, c.name); n == 1 || op.mode != "INNER" {
			names = append(names, c.name)
		}
	}
	switch op.mode {
	case "FULL":
		for _, c := range r.cols {
			if _, n := findColumn(l.cols, c.name); n == 0 {
				names = append(names, c.name)
			}
		}
	case "":
		if op.on != nil {
			break // namesOn says more
		}
		for _, c := range append(slices.Clone(l.cols), r.cols...) {
			_, n := findColumn(l.cols, c.name)
			_, m := findColumn(r.cols, c.name)
			if n == 0 || m == 0 {
				a.fail(op, "Input queries in %s BY NAME have different columns: %s; FULL, LEFT or INNER allows that",
					op.words(), c.name)
			}
		}
	}
	if op.on != nil {
		names = a.namesOn(op, l, r)
	}
	if len(names) == 0 {
		a.fail(op, "Input queries in %s BY NAME have no column in common", op.words())
	}
	return a.combine(op, []queryBody{op.l, op.r}, []*result{a.pick(l, names), a.pick(r, names)})
}

// namesOn returns the columns of ON or BY. Without FULL or LEFT both queries have all of them, and
// without a mode no others.
func (a *analyzer) namesOn(op *setOp, l, r *result) []string {
	var names []string
	for _, n := range op.on {
		_, left := findColumn(l.cols, n.text)
		_, right := findColumn(r.cols, n.text)
		if left+right == 0 || left == 0 && op.mode != "FULL" || right == 0 && op.mode != "FULL" && op.mode != "LEFT" {
			a.fail(n, "The column name %s from the list of %s BY NAME does not appear in each input query", n.text,
				op.words())
		}
		names = append(names, n.text)
	}
	if op.mode == "" && (len(l.cols) != len(names) || len(r.cols) != len(names)) {
		a.fail(op, "The input queries of %s BY NAME must share the same set of column names as its list", op.words())
	}
	return names
}

// pick gives a query the columns in names. Columns that the query lacks are
// NULL.
func (a *analyzer) pick(r *result, names []string) *result {
	id := a.id("t")
	out := &result{plain: true, value: r.value}
	var items []string
	for _, n := range names {
		c := a.id("c")
		v := val{sql: "NULL"}
		if have, count := findColumn(r.cols, n); count > 0 {
			v = have.v
			v.sql = id + "." + v.sql
		}
		items = append(items, v.sql+" AS "+c)
		v.sql = c
		out.cols = append(out.cols, column{n, v})
	}
	out.sql = "SELECT " + strings.Join(items, ", ") + " FROM (" + r.sql + ") AS " + id
	return out
}

// groupable reports whether values of a type can be grouped.
func groupable(t Type) bool {
	switch t.Kind {
	case JSON:
		return false
	case Array:
		return groupable(*t.Elem)
	case Struct:
		for _, f := range t.Fields {
			if !groupable(f.Type) {
				return false
			}
		}
	}
	return true
}
