package googlesql

import (
	"slices"
	"strings"
)

// target looks up the table that a DML statement writes.
func (a *analyzer) target(path []name, x interface{ pos() int }) *Table {
	n := a.tableName(path, x)
	a.notView(n, x)
	tab := a.lookup(n, x)
	switch {
	case tab.View != nil:
		a.fail(x, "%s is not allowed for this operation because it is currently a VIEW.", n)
	case tab.Snapshot:
		a.fail(x, "%s is not allowed for this operation because it is currently a SNAPSHOT.", n)
	}
	return tab
}

// targetScope makes the target's columns visible under its alias.
func (a *analyzer) targetScope(tab *Table, path []name, alias *name) (*scope, string) {
	id := a.id("t")
	rel := &relation{alias: path[len(path)-1].text, path: path[len(path)-1].path}
	if alias != nil {
		rel.alias = alias.text
	}
	for _, c := range tab.Columns {
		rel.cols = append(rel.cols, column{c.Name, val{sql: id + "." + quoteIdent(c.Name), t: c.Type.bare()}})
	}
	rel.pseudo = pseudoColumns(tab, id)
	a.demand(tab, rel, path[0])
	return &scope{rels: []*relation{rel}, cols: rel.cols, pseudo: rel.pseudo}, id
}

func findTableColumn(tab *Table, name string) *Column {
	for i := range tab.Columns {
		if strings.EqualFold(tab.Columns[i].Name, name) {
			return &tab.Columns[i]
		}
	}
	return nil
}

// value analyzes a value for a column.
func (a *analyzer) value(x expr, s *scope, c *Column) string {
	if _, ok := x.(*defaultExpr); ok {
		if c.Default != "" {
			return s.guarded(a.defaultOf(c))
		}
		return "DEFAULT"
	}
	v := a.expr(x, s)
	w := a.must(v, c.Type, x, "Value has type %s which cannot be inserted into column %s, which has type %s",
		v.t.name(), c.Name, c.Type)
	return s.guarded(a.store(w, c.Type, c.Name).sql)
}

// guarded prevents a value of a WHEN clause from being computed, and from failing, for rows that
// the clause does not apply to. DuckDB would compute it for all rows.
func (s *scope) guarded(sql string) string {
	if s.guard == "" || plainColumn.MatchString(sql) {
		return sql
	}
	return "CASE WHEN " + s.guard + " THEN " + sql + " END"
}

// insertColumns returns the columns that INSERT names, or all.
func (a *analyzer) insertColumns(tab *Table, names []name) []*Column {
	var cols []*Column
	if names == nil {
		for i := range tab.Columns {
			cols = append(cols, &tab.Columns[i])
		}
		return cols
	}
	seen := map[*Column]bool{}
	for _, n := range names {
		c := findTableColumn(tab, n.text)
		if c == nil && tab.Partition.ingested() && strings.EqualFold(n.text, PartitionTime) {
			a.refuse(n, "Writing "+PartitionTime)
		}
		if c == nil {
			a.fail(n, "Column %s is not present in table %s", n.text, tab.Name)
		}
		if seen[c] {
			a.fail(n, "INSERT has duplicate column name: %s", n.text)
		}
		seen[c] = true
		cols = append(cols, c)
	}
	return cols
}

// defaultOf returns the default value of a column. It is computed when a row is written,
// because it may depend on the user and on the time zone.
func (a *analyzer) defaultOf(c *Column) string {
	if a.defaults == nil {
		a.defaults = map[*Column]string{}
	}
	if a.defaults[c] == "" {
		a.defaults[c] = a.store(a.defaultExpr(a.parseBody(c.Default), *c), c.Type, c.Name).sql
	}
	return a.defaults[c]
}

// omitted returns the columns with a default value that are not among cols, with that
// value.
func (a *analyzer) omitted(tab *Table, cols []*Column) (all []*Column, values []string) {
	all = cols
	for i := range tab.Columns {
		if c := &tab.Columns[i]; c.Default != "" && !slices.Contains(cols, c) {
			all, values = append(all, c), append(values, a.defaultOf(c))
		}
	}
	return all, values
}

func columnList(cols []*Column) string {
	var names []string
	for _, c := range cols {
		names = append(names, quoteIdent(c.Name))
	}
	return "(" + strings.Join(names, ", ") + ")"
}

func (st *insertStmt) write(a *analyzer) *Statement {
	tab := a.target(st.path, st)
	cols := a.insertColumns(tab, st.cols)
	out := &Statement{Type: "INSERT", Target: &tab.Name}
	all, omitted := a.omitted(tab, cols)
	out.SQL = "INSERT INTO " + tab.SQL + " " + columnList(all) + " "
	if st.q != nil {
		r := a.query(st.q, nil, nil)
		if len(r.cols) != len(cols) {
			a.fail(st.q, "Inserted row has wrong column count; Has %d, expected %d", len(r.cols), len(cols))
		}
		id := a.id("t")
		var items []string
		for i, c := range cols {
			v := r.cols[i].v
			open := v.param > 0 && v.untyped()
			v.sql = id + "." + v.sql
			w, ok := a.coerce(v, c.Type)
			if !ok {
				a.fail(st.q, "Query column %d has type %s which cannot be inserted into column %s, which has type %s",
					i+1, v.t.name(), c.Name, c.Type)
			}
			if open {
				w = v // the column has taken the parameter's type
			}
			items = append(items, a.store(w, c.Type, c.Name).sql)
		}
		items = append(items, omitted...)
		out.SQL += "SELECT " + strings.Join(items, ", ") + " FROM (" + r.sql + ") AS " + id
		return out
	}
	var rows []string
	for _, row := range st.rows {
		if len(row) != len(cols) {
			a.fail(row[0], "Inserted row has wrong column count; Has %d, expected %d", len(row), len(cols))
		}
		var vals []string
		for i, x := range row {
			vals = append(vals, a.value(x, &scope{clause: "INSERT VALUES"}, cols[i]))
		}
		vals = append(vals, omitted...)
		rows = append(rows, "("+strings.Join(vals, ", ")+")")
	}
	out.SQL += "VALUES " + strings.Join(rows, ", ")
	return out
}

func (u *updateStmt) write(a *analyzer) *Statement {
	tab := a.target(u.path, u)
	s, id := a.targetScope(tab, u.path, u.alias)
	from := ""
	if u.from != nil {
		s.clause = "FROM clause"
		from = a.from(u.from, s)
	}
	s.clause = "UPDATE SET"
	set := a.set(u.set, tab, s.rels[0].alias, s)
	s.clause = "WHERE clause"
	where := a.boolean(u.where, s, "WHERE clause")
	out := &Statement{Type: "UPDATE", Target: &tab.Name}
	out.SQL = "UPDATE " + tab.SQL + " AS " + id + " SET " + set
	if from != "" {
		out.SQL += " FROM " + from
		where = "(" + where + ") AND " + matchOnce(tab.SQL+" AS "+id+", "+from, where, id)
	}
	out.SQL += " WHERE " + where
	return out
}

// matchOnce returns a condition that fails if a row of the target has two matches.
// DuckDB would use any of them.
func matchOnce(from, where, id string) string {
	return "(SELECT CASE WHEN coalesce(max(n), 0) > 1 THEN CAST(bq_error('UPDATE/MERGE must match at most one source " +
		"row for each target row') AS BOOLEAN)" +
		" ELSE TRUE END FROM (SELECT count(*) AS n FROM " + from + " WHERE " + where + " GROUP BY " + id + ".rowid))"
}

func (d *deleteStmt) write(a *analyzer) *Statement {
	tab := a.target(d.path, d)
	s, id := a.targetScope(tab, d.path, d.alias)
	s.clause = "WHERE clause"
	where := a.boolean(d.where, s, "WHERE clause")
	return &Statement{Type: "DELETE", Target: &tab.Name,
		SQL: "DELETE FROM " + tab.SQL + " AS " + id + " WHERE " + where}
}

func (m *mergeStmt) write(a *analyzer) *Statement {
	tab := a.target(m.path, m)
	s, id := a.targetScope(tab, m.path, m.alias)
	s.clause = "USING clause"
	only := &scope{}
	source := a.from(m.source, only)
	s.rels = append(s.rels, only.rels...)
	targetCols := s.cols
	s.cols = append(append([]column(nil), targetCols...), only.cols...)
	s.clause = "ON clause"
	on := a.boolean(m.on, s, "ON clause")
	out := &Statement{Type: "MERGE", Target: &tab.Name}
	var checks []string
	var actions strings.Builder
	for _, w := range m.whens {
		view := s
		switch w.kind {
		case "NOT MATCHED":
			view = only
		case "NOT MATCHED BY SOURCE":
			view = &scope{rels: s.rels[:1], cols: targetCols}
		}
		view.clause = "MERGE"
		actions.WriteString(" WHEN " + w.kind)
		cond, guard := "TRUE", ""
		if w.cond != nil {
			cond = a.boolean(w.cond, view, "WHEN clause")
			actions.WriteString(" AND " + cond)
			guard = cond
		}
		if w.kind == "MATCHED" {
			checks = append(checks, cond)
			guard = "(" + on + ") AND (" + cond + ")"
		}
		view.guard = guard
		actions.WriteString(" THEN " + m.action(a, w, tab, view))
		view.guard = ""
	}
	if len(checks) > 0 {
		// DuckDB allows no subquery in ON, so the check stands in the source.
		if len(only.rels) != 1 || isUnnest(m.source) || len(only.rels[0].cols) == 0 {
			a.refuse(m.source, "A MERGE source that is not a table or a subquery")
		}
		src := madeNames.FindString(only.rels[0].cols[0].v.sql)
		where := "(" + on + ") AND (" + strings.Join(checks, " OR ") + ")"
		source = "(SELECT * FROM " + source + " WHERE " + matchOnce(tab.SQL+" AS "+id+", "+source, where, id) +
			") AS " + src
	}
	out.SQL = "MERGE INTO " + tab.SQL + " AS " + id + " USING " + source + " ON (" + on + ")" + actions.String()
	return out
}

func (m *mergeStmt) action(a *analyzer, w mergeWhen, tab *Table, s *scope) string {
	switch w.action {
	case "DELETE":
		return "DELETE"
	case "UPDATE":
		alias := m.path[len(m.path)-1].text
		if m.alias != nil {
			alias = m.alias.text
		}
		return "UPDATE SET " + a.set(w.set, tab, alias, s)
	}
	cols := a.insertColumns(tab, w.cols)
	var vals []string
	if w.action == "INSERT ROW" {
		if len(s.cols) != len(cols) {
			a.fail(w, "Inserted row has wrong column count; Has %d, expected %d", len(s.cols), len(cols))
		}
		for i, c := range s.cols {
			v := a.must(c.v, cols[i].Type, w, "Value has type %s which cannot be inserted into column %s, which has "+
				"type %s", c.v.t.name(), cols[i].Name, cols[i].Type)
			vals = append(vals, s.guarded(a.store(v, cols[i].Type, cols[i].Name).sql))
		}
	} else {
		if len(w.values) != len(cols) {
			a.fail(w, "Inserted row has wrong column count; Has %d, expected %d", len(w.values), len(cols))
		}
		for i, x := range w.values {
			vals = append(vals, a.value(x, s, cols[i]))
		}
	}
	all, omitted := a.omitted(tab, cols)
	for _, v := range omitted {
		vals = append(vals, s.guarded(v))
	}
	return "INSERT " + columnList(all) + " VALUES (" + strings.Join(vals, ", ") + ")"
}
