package googlesql

import (
	"regexp"
	"slices"
	"strings"
)

// from analyzes a FROM clause into s and returns DuckDB's text.
func (a *analyzer) from(t tableExpr, s *scope) string {
	switch t := t.(type) {
	case *tableRef:
		return a.tableRef(t, s)
	case *subqueryRef:
		r := a.query(t.q, s.parent, s.ctes)
		rel := &relation{cols: nil}
		if t.alias != nil {
			rel.alias = t.alias.text
		}
		return "(" + r.sql + ") AS " + a.addResult(rel, r.cols, r.value, s, t)
	case *unnestRef:
		return a.unnest(t, s)
	case *joinRef:
		return a.join(t, s)
	case *pivotRef:
		return a.pivot(t, s)
	case *unpivotRef:
		return a.unpivotOf(t, s)
	case *tableCall:
		return a.tableFunction(t, s)
	case *pipeInput:
		return a.pipeIn(t, s)
	}
	a.refuse(t, "This table expression")
	return ""
}

// addResult makes a query's columns visible and returns its alias.
func (a *analyzer) addResult(rel *relation, cols []column, value bool, s *scope, x interface{ pos() int }) string {
	id := a.id("t")
	for _, c := range cols {
		rel.cols = append(rel.cols, column{c.name, val{sql: id + "." + c.v.sql, t: resolved(c.v.t), part: c.v.part}})
	}
	if value && len(rel.cols) == 1 {
		v := rel.cols[0].v
		rel.value = &v
		rel.cols = a.valueColumns(rel.alias, v)
	}
	a.addRelation(rel, s, x)
	return id
}

// typed returns a value with a type. A value without one becomes an INT64, but a parameter of
// open type stays open.
func (a *analyzer) typed(v val) val {
	if !v.untyped() {
		return v
	}
	if v.param > 0 {
		v.t = kind(Int64)
		return v
	}
	v, _ = a.coerce(v, kind(Int64))
	return v
}

// resolved returns the type of a column whose expression is an untyped NULL.
func resolved(t Type) Type {
	if t.Kind == "" {
		return kind(Int64)
	}
	return t
}

func (a *analyzer) addRelation(rel *relation, s *scope, x interface{ pos() int }) {
	if rel.alias != "" && s.findRel(rel.alias) != nil {
		a.fail(x, "Duplicate table alias %s in the same FROM clause", rel.alias)
	}
	s.rels = append(s.rels, rel)
	s.pseudo = append(s.pseudo, rel.pseudo...)
	s.cols = append(s.cols, rel.cols...)
}

// tableSuffix is the column of a wildcard table that says what the * stood for.
const tableSuffix = "_TABLE_SUFFIX"

func (a *analyzer) tableRef(t *tableRef, s *scope) string {
	alias := t.path[len(t.path)-1]
	if t.alias != nil {
		alias = *t.alias
	}
	if len(t.path) == 1 {
		if c := s.ctes.find(t.path[0].text); c != nil {
			return a.withRef(c, alias, t, s)
		}
	}
	if len(t.path) > 1 && t.path[0].path == "" && !strings.Contains(t.path[0].text, "-") {
		for sc := s; sc != nil; sc = sc.parent {
			_, n := findColumn(sc.cols, t.path[0].text)
			if sc.findRel(t.path[0].text) != nil || n == 1 {
				return a.unnest(&unnestRef{node: t.node, x: &pathExpr{t.node, t.path}, alias: &alias}, s)
			}
		}
	}
	tab := a.table(t.path, t)
	if tab.View != nil {
		sql := a.viewRef(t, tab, alias, s)
		s.rels[len(s.rels)-1].path = alias.path
		return sql
	}
	rel := &relation{alias: alias.text, path: alias.path}
	id := a.id("t")
	for _, c := range tab.Columns {
		rel.cols = append(rel.cols, column{c.Name, val{sql: id + "." + quoteIdent(c.Name), t: c.Type.bare()}})
	}
	rel.pseudo = pseudoColumns(tab, id)
	for _, n := range tab.Refused {
		rel.pseudo = append(rel.pseudo, column{name: n})
	}
	a.demand(tab, rel, t)
	if tab.Parts != nil {
		rel.pseudo = []column{{tableSuffix, val{sql: id + "." + quoteIdent(tableSuffix), t: kind(String)}}}
	}
	a.addRelation(rel, s, t)
	return tab.SQL + " AS " + id
}

// table looks up a table and records that it is read.
func (a *analyzer) table(path []name, x interface{ pos() int }) *Table {
	n := a.namePath(path, x)
	if i := strings.IndexAny(n.Table, "*$@"); i >= 0 && (n.Table[i] != '*' || i < len(n.Table)-1) {
		a.refuse(x, "A table decorator")
	}
	tab := a.lookup(n, x)
	switch {
	case tab.View != nil: // whose query reads its own tables
	case tab.Parts != nil:
		for _, part := range tab.Parts {
			a.reads(part)
		}
	default:
		a.reads(tab.Name)
	}
	return tab
}

// reads records that a table is read.
func (a *analyzer) reads(n TableName) {
	if !slices.Contains(a.tables, n) {
		a.tables = append(a.tables, n)
	}
}

func (a *analyzer) lookup(n TableName, x interface{ pos() int }) *Table {
	if a.opts.Catalog == nil {
		a.fail(x, "Not found: Table %s", n)
	}
	tab, err := a.opts.Catalog.Table(n)
	if err != nil {
		if e, ok := err.(*Error); ok {
			a.fail(x, "%s", e.Message)
		}
		a.fail(x, "%s", err.Error())
	}
	if tab == nil {
		a.fail(x, "Not found: Table %s was not found", n)
	}
	return tab
}

// tableName completes the path of one table with the defaults.
func (a *analyzer) tableName(path []name, x interface{ pos() int }) TableName {
	n := a.namePath(path, x)
	if strings.ContainsAny(n.Table, "*$@") {
		a.refuse(x, "A wildcard table or a table decorator here")
	}
	return n
}

func (a *analyzer) namePath(path []name, x interface{ pos() int }) TableName {
	n := TableName{Project: a.opts.DefaultProject, Dataset: a.opts.DefaultDataset}
	if view, ok := a.viewName(path, x); ok {
		return view
	}
	temp := a.opts.Temp
	switch len(path) {
	case 1:
		if temp != nil && temp.Has(path[0].text) {
			return TableName{temp.Project, temp.Dataset, path[0].text}
		}
		if n.Dataset == "" {
			a.fail(x, "Table %q must be qualified with a dataset (e.g. dataset.table).", path[0].text)
		}
	case 2:
		if isSession(path[0]) {
			return a.tempName(path, x)
		}
		n.Dataset = path[0].text
	case 3:
		n.Project, n.Dataset = path[0].text, path[1].text
	default:
		a.fail(x, "Table name %q has too many parts", joinNames(path))
	}
	n.Table = path[len(path)-1].text
	return n
}

func joinNames(path []name) string {
	var parts []string
	for _, p := range path {
		parts = append(parts, p.text)
	}
	return strings.Join(parts, ".")
}

// unnest analyzes UNNEST(array) [WITH OFFSET].
func (a *analyzer) unnest(u *unnestRef, s *scope) string {
	v := a.expr(u.x, s)
	if v.untyped() {
		v, _ = a.coerce(v, arrayOf(kind(Int64)))
	}
	if v.t.Kind != Array {
		a.fail(u.x, "Values referenced in UNNEST must be arrays. UNNEST contains expression of type %s", v.t.name())
	}
	id := a.id("t")
	rel := &relation{}
	if u.alias != nil {
		rel.alias = u.alias.text
	}
	elem := val{sql: id + ".v", t: *v.t.Elem}
	rel.value = &elem
	rel.place = id + ".o"
	rel.cols = a.valueColumns(rel.alias, elem)
	a.addRelation(rel, s, u)
	if u.withOffset {
		off := "offset"
		if u.offset != nil {
			off = u.offset.text
		}
		s.cols = append(s.cols, column{off, val{sql: "(" + id + ".o - 1)", t: kind(Int64)}})
	}
	return "UNNEST(" + v.sql + ") WITH ORDINALITY AS " + id + "(v, o)"
}

// valueColumns returns the columns of a value table: a STRUCT's fields, or the value
// itself.
func (a *analyzer) valueColumns(alias string, v val) []column {
	if v.t.Kind != Struct {
		return []column{{alias, v}}
	}
	var cols []column
	names := v.t.FieldNames()
	for i, f := range v.t.Fields {
		cols = append(cols, column{f.Name, val{sql: "struct_extract(" + v.sql + ", " + quoteString(names[i]) + ")",
			t: f.Type, agg: v.agg, win: v.win}})
	}
	return cols
}

// join analyzes a join. Both sides land in s; USING merges their columns.
func (a *analyzer) join(j *joinRef, s *scope) string {
	base := len(s.cols)
	l := a.from(j.l, s)
	mid := len(s.cols)
	rels := len(s.rels)
	r := a.from(j.r, s)
	if _, nested := j.r.(*joinRef); nested {
		r = "(" + r + ")"
	}
	if j.kind != "CROSS" && j.on == nil && j.using == nil && s.rels[len(s.rels)-1].place == "" {
		a.fail(j, noCondition, j.kind)
	}
	if (j.kind == "RIGHT" || j.kind == "FULL") && isUnnest(j.r) && correlated(r, s.rels[:rels]) {
		a.fail(j, "Array scan is not allowed with %s JOIN", j.kind)
	}
	a.recursiveJoin(j, s, rels)
	kind := j.kind
	cond := "TRUE"
	switch {
	case j.on != nil:
		s.clause = "JOIN ON clause"
		cond = a.boolean(j.on, s, "JOIN ON clause")
	case j.using != nil:
		cond = a.using(j, s, base, mid)
	}
	if kind == "CROSS" {
		kind = "INNER"
	}
	m := unnestText.FindStringSubmatch(r)
	if m != nil && kind == "LEFT" && j.on != nil && correlated(r, s.rels[:rels]) {
		// DuckDB does not allow a condition on a correlated array that names only the
		// left side.
		r, cond = "(SELECT * FROM "+r+" WHERE "+cond+") AS "+m[1], "TRUE"
	}
	return l + " " + kind + " JOIN " + r + " ON " + cond
}

// unnestText is the text of an array with the names of its columns.
var unnestText = regexp.MustCompile(`(?s)^UNNEST\(.* AS (t[0-9]+\([^()]*\))$`)

func isUnnest(t tableExpr) bool { _, ok := t.(*unnestRef); return ok }

// correlated reports whether the text uses one of the relations' columns.
func correlated(sql string, rels []*relation) bool {
	for _, r := range rels {
		for _, c := range r.cols {
			if strings.Contains(sql, c.v.sql) {
				return true
			}
		}
	}
	return false
}

// using merges the columns of USING: cols[base:mid] are the left side's, the rest the right's.
func (a *analyzer) using(j *joinRef, s *scope, base, mid int) string {
	left := append([]column(nil), s.cols[base:mid]...)
	right := append([]column(nil), s.cols[mid:]...)
	var merged []column
	var conds []string
	for _, u := range j.using {
		lc, ln := findColumn(left, u.text)
		rc, rn := findColumn(right, u.text)
		side := ""
		switch {
		case ln == 0:
			side = "left"
		case rn == 0:
			side = "right"
		}
		if side != "" {
			a.fail(u, "Column %s in USING clause not found on %s side of join", u.text, side)
		}
		if ln > 1 || rn > 1 {
			a.fail(u, "Column name %s in USING clause is ambiguous", u.text)
		}
		lv, rv := lc.v, rc.v
		conds = append(conds, a.compare("=", lv, rv, u).sql)
		m := column{lc.name, lv}
		switch j.kind {
		case "RIGHT":
			m.v = rv
		case "FULL":
			vs, t := a.unify([]val{lv, rv}, u, "USING")
			m.v = val{sql: "COALESCE(" + vs[0].sql + ", " + vs[1].sql + ")", t: t}
		}
		merged = append(merged, m)
		left, right = dropColumn(left, u.text), dropColumn(right, u.text)
	}
	s.cols = append(s.cols[:base], append(merged, append(left, right...)...)...)
	return strings.Join(conds, " AND ")
}

func dropColumn(cols []column, name string) []column {
	var kept []column
	for _, c := range cols {
		if !strings.EqualFold(c.name, name) {
			kept = append(kept, c)
		}
	}
	return kept
}
