package googlesql

import "strings"

// column is a named expression that a FROM clause or a query makes visible.
type column struct {
	name string
	v    val
}

// relation is a range variable: a table, a subquery or an UNNEST.
type relation struct {
	alias  string
	path   string // of a table whose path is in backticks as a whole; the path is also a name of the table
	cols   []column
	pseudo []column
	value  *val   // of an UNNEST: the element
	place  string // of an UNNEST: the element's ordinal in DuckDB's text
	self   bool   // a recursive reference
}

// scope has the names that are visible in one SELECT.
type scope struct {
	parent  *scope
	ctes    *cteScope
	rels    []*relation
	cols    []column // visible without a range variable
	aliases []column // of the select list, where a clause may use them
	lets    []let    // the variables of WITH expressions, the innermost last
	windows map[string]*window
	clause  string // the clause being analyzed, for messages
	aggOK   bool
	winOK   bool
	inAgg   bool
	guard   string // of a WHEN clause of MERGE: which rows it takes
	sawAgg  bool   // an aggregate function stood in this SELECT
	group   *groupCheck
	// touched records the columns that are used, if they are needed.
	touched map[string]bool
	pseudo  []column // columns that no star takes, such as _TABLE_SUFFIX
	// under is the scope of the SELECT DISTINCT whose rows an ORDER BY sorts, and outs are its
	// columns. The ORDER BY may use their expressions, and has them as aliases.
	under *scope
	outs  []output
}

// groupCheck finds columns used outside of aggregates and grouping keys.
type groupCheck struct {
	keys  map[string]string // the texts of the grouping keys, by their norms
	loose []looseColumn
}

type looseColumn struct {
	at   int
	name string
}

// cteScope is a chain of WITH's names.
type cteScope struct {
	parent *cteScope
	name   string
	sql    string
	cols   []column
	later  bool // an entry of WITH RECURSIVE that is not analyzed yet
	self   bool // a recursive entry, in its own recursive term
	refs   int  // to it there
}

func (c *cteScope) find(name string) *cteScope {
	for ; c != nil; c = c.parent {
		if strings.EqualFold(c.name, name) {
			return c
		}
	}
	return nil
}

// findRel finds a range variable of this scope alone.
func (s *scope) findRel(name string) *relation {
	for _, r := range s.rels {
		if name != "" && (strings.EqualFold(r.alias, name) || strings.EqualFold(r.path, name)) {
			return r
		}
	}
	return nil
}

func findColumn(cols []column, name string) (found *column, n int) {
	for i := range cols {
		if strings.EqualFold(cols[i].name, name) {
			if found == nil {
				found = &cols[i]
			}
			n++
		}
	}
	return found, n
}

// sameColumns reports whether all columns of a name are one expression.
func sameColumns(cols []column, name string) bool {
	first, _ := findColumn(cols, name)
	for _, c := range cols {
		if strings.EqualFold(c.name, name) && c.v.sql != first.v.sql {
			return false
		}
	}
	return true
}

// path resolves a.b.c: a range variable, its column, and then fields.
func (a *analyzer) path(x *pathExpr, s *scope) val {
	first := x.parts[0]
	for sc := s; sc != nil; sc = sc.parent {
		if l := sc.findLet(first.text); l != nil {
			return a.fields(a.useLet(l, sc, first), x.parts[1:], s)
		}
		if c, n := findColumn(sc.aliases, first.text); n > 0 {
			if n > 1 && !sameColumns(sc.aliases, first.text) {
				a.fail(first, "Name %s is ambiguous inside select list", first.text)
			}
			return a.fields(c.v, x.parts[1:], s)
		}
		if sc.under != nil {
			return a.afterDistinct(x, sc)
		}
		rel := sc.findRel(first.text)
		if rel != nil && len(x.parts) > 1 {
			c, n := findColumn(rel.cols, x.parts[1].text)
			if n > 1 {
				a.fail(x.parts[1], "Column name %s is ambiguous", x.parts[1].text)
			}
			if n == 1 {
				return a.fields(a.use(sc, *c, x), x.parts[2:], s)
			}
			if rel.value != nil {
				return a.fields(a.use(sc, column{rel.alias, *rel.value}, x), x.parts[1:], s)
			}
			if c, n := findColumn(rel.pseudo, x.parts[1].text); n == 1 {
				return a.fields(a.use(sc, *c, x), x.parts[2:], s)
			}
			a.fail(x.parts[1], "Name %s not found inside %s", x.parts[1].text, first.text)
		}
		if rel != nil { // a range variable hides a column of its name
			return a.wholeRow(sc, rel, x)
		}
		c, n := findColumn(sc.cols, first.text)
		if n > 1 {
			a.fail(first, "Column name %s is ambiguous", first.text)
		}
		if n == 1 {
			return a.fields(a.use(sc, *c, x), x.parts[1:], s)
		}
		if c, n := findColumn(sc.pseudo, first.text); n == 1 {
			return a.fields(a.use(sc, *c, x), x.parts[1:], s)
		}
	}
	if v, ok := a.variable(first.text); ok {
		return a.fields(v, x.parts[1:], s)
	}
	a.unrecognized(first, s)
	return val{}
}

// afterDistinct returns the column of a SELECT DISTINCT whose expression is the
// path.
func (a *analyzer) afterDistinct(x *pathExpr, s *scope) val {
	v := a.path(x, s.under)
	for i, o := range s.outs {
		if o.v.sql == v.sql && i < len(s.aliases) {
			return s.aliases[i].v
		}
	}
	a.fail(x, "ORDER BY clause expression references column %s which is not visible after SELECT DISTINCT",
		joinNames(x.parts))
	return val{}
}

// use records the use of a column for the check of grouping.
func (a *analyzer) use(s *scope, c column, x *pathExpr) val {
	if c.v.sql == "" {
		a.refuse(x, "The column "+c.name)
	}
	if s.touched != nil {
		s.touched[c.v.sql] = true
	}
	if s.group != nil && !s.inAgg && s.group.keys[c.v.sql] == "" {
		var parts []string
		for _, p := range x.parts {
			parts = append(parts, p.text)
		}
		s.group.loose = append(s.group.loose, looseColumn{x.at, strings.Join(parts, ".")})
	}
	return c.v
}

// wholeRow returns a range variable used as a value.
func (a *analyzer) wholeRow(s *scope, rel *relation, x *pathExpr) val {
	if rel.value != nil {
		return a.use(s, column{rel.alias, *rel.value}, x)
	}
	t := Type{Kind: Struct}
	var parts []string
	for _, c := range rel.cols {
		a.use(s, c, x)
		t.Fields = append(t.Fields, Field{Name: c.name, Type: c.v.t})
		parts = append(parts, c.v.sql)
	}
	return val{sql: structSQL(t, parts), t: t}
}

// structSQL writes a STRUCT value.
func structSQL(t Type, parts []string) string {
	if len(parts) == 0 {
		return "{'_f0': NULL}"
	}
	var b []string
	for i, n := range t.FieldNames() {
		b = append(b, quoteString(n)+": "+parts[i])
	}
	return "{" + strings.Join(b, ", ") + "}"
}

// fields follows field names into a STRUCT.
func (a *analyzer) fields(v val, parts []name, s *scope) val {
	for _, p := range parts {
		v = a.field(v, p)
	}
	return v
}

func (a *analyzer) field(v val, f name) val {
	if v.t.Kind == JSON {
		return merge("bq_json_member("+v.sql+", "+quoteString(f.text)+")", v.t, v)
	}
	if v.t.Kind != Struct {
		a.fail(f, "Cannot access field %s on a value with type %s", f.text, v.t.name())
	}
	found := -1
	for i, sf := range v.t.Fields {
		if strings.EqualFold(sf.Name, f.text) {
			if found >= 0 {
				a.fail(f, "Field name %s is ambiguous in %s", f.text, v.t.name())
			}
			found = i
		}
	}
	if found < 0 {
		a.fail(f, "Field name %s does not exist in %s", f.text, v.t.name())
	}
	return val{
		sql: "struct_extract(" + v.sql + ", " + quoteString(v.t.FieldNames()[found]) + ")",
		t:   v.t.Fields[found].Type, agg: v.agg, win: v.win,
	}
}
