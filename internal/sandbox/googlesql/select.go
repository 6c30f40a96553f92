package googlesql

import (
	"regexp"
	"slices"
	"strings"
)

// output is one column of a select list.
type output struct {
	name  string
	v     val
	at    node
	loose []looseColumn
}

// selectQuery analyzes one SELECT together with the ORDER BY and LIMIT of the query
// around it, if that query is nothing but this SELECT.
func (a *analyzer) selectQuery(b *selectBody, q *query, outer *scope, ctes *cteScope) *result {
	s := &scope{parent: outer, ctes: ctes, windows: b.windows}
	s.clause = "FROM clause"
	refs, from := a.selfRefs, ""
	if b.from != nil {
		from = " FROM " + a.from(b.from, s)
	} else {
		a.withoutFrom(b, q)
	}
	where := ""
	if b.where != nil {
		s.clause = "WHERE clause"
		where = " WHERE " + a.boolean(b.where, s, "WHERE clause")
	}
	groupSQL, keys := a.groupKeys(b, s)
	s.group = &groupCheck{keys: keys}
	s.aggOK, s.winOK = b.from != nil, b.from != nil
	s.clause = "SELECT list"
	if b.from == nil {
		s.clause = "SELECT without FROM clause"
	}
	outs := a.selectList(b, s)
	grouped := b.groupBy != nil || b.having != nil
	for _, o := range outs {
		grouped = grouped || o.v.agg
	}
	var aliases []column
	for _, o := range outs {
		if o.name != "" {
			aliases = append(aliases, column{o.name, o.v})
		}
	}
	having, qualify := "", ""
	if b.having != nil {
		s.clause, s.winOK = "HAVING clause", false
		s.aliases = aliasesNot(aliases, s.cols)
		having = " HAVING " + a.boolean(b.having, s, "HAVING clause")
		a.checkLoose(s.group.loose, "HAVING clause")
		s.group.loose, s.winOK = nil, true
	}
	if b.qualify != nil {
		s.clause = "QUALIFY clause"
		s.aliases = aliasesNot(aliases, s.cols)
		v := a.must(a.expr(b.qualify, s), kind(Bool), b.qualify, "QUALIFY clause should return type BOOL")
		qualify = " QUALIFY " + v.sql
		grouped = grouped || v.agg
		if grouped {
			a.checkLoose(s.group.loose, "QUALIFY clause")
		}
		if !v.win && !slices.ContainsFunc(outs, func(o output) bool { return o.v.win }) {
			a.fail(b.qualify, "The QUALIFY clause requires analytic function to be present in the QUALIFY clause "+
				"or the SELECT list")
		}
		s.group.loose = nil
	}
	order, wrap := "", false
	if q != nil && len(q.order) > 0 {
		if b.distinct {
			wrap = true
		} else {
			s.clause, s.aliases = "ORDER BY clause", aliases
			order = a.orderBy(q.order, s, outVals(outs))
			grouped = grouped || s.sawAgg
			if len(s.group.loose) > 0 && grouped {
				a.checkLoose(s.group.loose, "ORDER BY clause")
			}
			s.group.loose = nil
		}
	}
	if q != nil && q.keepOrder && len(q.order) == 0 && !b.distinct && !grouped && len(s.rels) == 1 &&
		s.rels[0].place != "" {
		order = " ORDER BY " + s.rels[0].place
	}
	if a.selfRefs > refs {
		a.recursiveSelect(b, s, outs, grouped)
	}
	if grouped {
		for _, o := range outs {
			a.checkLoose(o.loose, "SELECT list")
		}
	}
	r := a.project(b, outs)
	if from == "" && where+groupSQL+having+qualify == "" && !grouped && !b.distinct && b.asKind == "" &&
		(q == nil || len(q.order) == 0 && q.limit == nil) {
		r.rows = [][]val{outVals(outs)}
		for _, o := range outs {
			if o.v.win || strings.Contains(o.v.sql, "SELECT") {
				r.rows = nil
				break
			}
		}
	}
	r.sql += from + where + groupSQL + having + qualify + order
	if wrap {
		s.aliases = nil
		if b.asKind == "STRUCT" {
			outs = nil
		}
		return a.wrapOrder(r, q, &scope{parent: outer, ctes: ctes, clause: "ORDER BY clause after SELECT DISTINCT",
			under: s, outs: outs})
	}
	if q != nil {
		r.sql += a.limits(q, s)
		r.plain = len(q.order) == 0 && q.limit == nil
	}
	return r
}

// aliasesNot removes the aliases that are also columns, because HAVING and QUALIFY refer
// to the column.
func aliasesNot(aliases, cols []column) []column {
	var kept []column
	for _, al := range aliases {
		if _, n := findColumn(cols, al.name); n == 0 {
			kept = append(kept, al)
		}
	}
	return kept
}

func outVals(outs []output) []val {
	vs := make([]val, len(outs))
	for i, o := range outs {
		vs[i] = o.v
	}
	return vs
}

// checkLoose reports a column that is neither grouped nor aggregated.
func (a *analyzer) checkLoose(loose []looseColumn, clause string) {
	if len(loose) == 0 {
		return
	}
	clause = strings.TrimSuffix(clause, " clause")
	if clause != "SELECT list" {
		clause += " clause"
	}
	fail(a.src, loose[0].at, "%s expression references column %s which is neither grouped nor aggregated", clause,
		loose[0].name)
}

// project writes the select list and names its columns.
func (a *analyzer) project(b *selectBody, outs []output) *result {
	r := &result{plain: true, value: b.asKind != ""}
	words := "SELECT "
	if b.distinct {
		words = "SELECT DISTINCT "
		for i, o := range outs {
			if !groupable(o.v.t) {
				a.fail(o.at, "Column %s of type %s cannot be used in SELECT DISTINCT", orNumber(o.name, i),
					o.v.t.name())
			}
		}
	}
	switch b.asKind {
	case "STRUCT":
		t := Type{Kind: Struct}
		var parts []string
		for _, o := range outs {
			t.Fields = append(t.Fields, Field{Name: o.name, Type: resolved(o.v.t)})
			parts = append(parts, o.v.sql)
		}
		outs = []output{{v: val{sql: structSQL(t, parts), t: t}}}
	case "VALUE":
		if len(outs) != 1 {
			a.fail(b, "SELECT AS VALUE query must have exactly one column")
		}
	}
	var items []string
	for _, o := range outs {
		n := a.id("c")
		v := o.v
		if v.untyped() && v.param == 0 {
			v.sql = "CAST(" + v.plainNull() + " AS BIGINT)"
		}
		items = append(items, exact(v)+" AS "+n)
		v.sql = n
		r.cols = append(r.cols, column{o.name, v})
	}
	r.sql = words + strings.Join(items, ", ")
	return r
}

var plainColumn = regexp.MustCompile(`^t[0-9]+\.("([^"]|"")*"|[a-z0-9]+)$`)

// exact fixes an output column's DuckDB type, which constant folding may lose.
func exact(v val) string {
	if v.untyped() || plainColumn.MatchString(v.sql) || strings.HasPrefix(v.sql, "CAST(NULL") {
		return v.sql
	}
	return "CAST(" + v.sql + " AS " + v.t.DuckDB() + ")"
}

func orNumber(name string, i int) string {
	if name != "" {
		return name
	}
	return "f" + string(rune('0'+i%10)) + "_"
}

// selectList analyzes the select list; stars become their columns.
func (a *analyzer) selectList(b *selectBody, s *scope) []output {
	var outs []output
	for _, it := range b.items {
		if it.star {
			outs = append(outs, a.star(it, s, b)...)
			continue
		}
		s.group.loose = nil
		v := a.expr(it.x, s)
		o := output{name: implicitName(it), v: v, at: it.node, loose: s.group.loose}
		outs = append(outs, o)
	}
	s.group.loose = nil
	return outs
}

// implicitName returns an item's alias, or the last name of its path.
func implicitName(it selectItem) string {
	if it.alias != nil {
		return it.alias.text
	}
	switch x := it.x.(type) {
	case *pathExpr:
		return x.parts[len(x.parts)-1].text
	case *parenExpr:
		return implicitName(selectItem{x: x.x})
	case *dotExpr:
		return x.field.text
	}
	return ""
}

// withoutFrom fails for clauses that a SELECT without FROM can't have.
func (a *analyzer) withoutFrom(b *selectBody, q *query) {
	const cannot = "Query without FROM clause cannot "
	switch {
	case b.where != nil:
		a.fail(b.clauses["WHERE"], cannot+"have a WHERE clause")
	case b.distinct:
		a.fail(b, cannot+"use SELECT DISTINCT")
	case b.groupBy != nil:
		a.fail(b.groupBy, cannot+"have a GROUP BY clause")
	case b.having != nil:
		a.fail(b.clauses["HAVING"], cannot+"have a HAVING clause")
	case len(b.windows) > 0:
		a.fail(b.clauses["WINDOW"], cannot+"have a WINDOW clause")
	case q != nil && len(q.order) > 0:
		a.fail(node{q.orderAt}, cannot+"have an ORDER BY clause")
	case b.qualify != nil:
		a.fail(b.clauses["QUALIFY"], cannot+"have a QUALIFY clause")
	}
}

// star expands * and x.*.
func (a *analyzer) star(it selectItem, s *scope, b *selectBody) []output {
	cols, computed := s.cols, false
	var loose []looseColumn // of the expression whose fields the columns are
	switch {
	case it.x != nil:
		s.group.loose = nil
		cols, computed = a.starOf(it, s)
		loose = s.group.loose
	case b.from == nil:
		a.fail(it, "SELECT * must have a FROM clause")
	}
	for i, e := range it.except {
		if slices.ContainsFunc(it.except[:i], func(n name) bool { return strings.EqualFold(n.text, e.text) }) {
			a.fail(e, "Duplicate column name %s in SELECT * EXCEPT list", e.text)
		}
		if _, n := findColumn(cols, e.text); n == 0 {
			a.fail(e, "Column %s in SELECT * EXCEPT list does not exist", e.text)
		}
		cols = dropColumn(cols, e.text)
	}
	for _, r := range it.replace {
		if _, n := findColumn(cols, r.alias.text); n == 0 {
			a.fail(r.alias, "Column %s in SELECT * REPLACE list does not exist", r.alias.text)
		}
	}
	if len(cols) == 0 {
		a.fail(it, "SELECT * expands to zero columns after applying EXCEPT")
	}
	var outs []output
	for _, c := range cols {
		s.group.loose = nil
		v := c.v
		switch {
		case !computed:
			v = a.use(s, c, &pathExpr{it.node, []name{{node: it.node, text: c.name}}})
		case s.group.keys[v.sql] == "":
			s.group.loose = loose
		}
		v.norm = v.sql
		for _, r := range it.replace {
			if strings.EqualFold(r.alias.text, c.name) {
				s.group.loose = nil
				v = a.expr(r.x, s)
			}
		}
		outs = append(outs, output{name: c.name, v: v, at: it.node, loose: s.group.loose})
	}
	return outs
}

// starOf returns the columns of x.*, and whether they are fields of an expression, not columns
// of a range variable.
func (a *analyzer) starOf(it selectItem, s *scope) (cols []column, computed bool) {
	if p, ok := it.x.(*pathExpr); ok && len(p.parts) == 1 {
		for sc := s; sc != nil; sc = sc.parent {
			if rel := sc.findRel(p.parts[0].text); rel != nil {
				return rel.cols, false
			}
		}
	}
	v := a.expr(it.x, s)
	if v.t.Kind != Struct {
		a.fail(it, "Dot-star is not supported for type %s", v.t.name())
	}
	return a.valueColumns("", v), true
}
