package googlesql

import "strings"

// assigned is the value that SET assigns to a column or a field, or values for its
// fields.
type assigned struct {
	x      expr
	fields map[int]*assigned
}

// set writes the assignments of UPDATE and MERGE.
func (a *analyzer) set(list []assignment, tab *Table, alias string, s *scope) string {
	var order []*Column
	columns := map[*Column]*assigned{}
	for _, as := range list {
		col := as.col
		if len(col) > 1 && strings.EqualFold(col[0].text, alias) && findTableColumn(tab, col[0].text) == nil {
			col = col[1:]
		}
		c := findTableColumn(tab, col[0].text)
		if c == nil && tab.Partition.ingested() && strings.EqualFold(col[0].text, PartitionTime) {
			a.refuse(col[0], "Writing "+PartitionTime)
		}
		if c == nil {
			a.unrecognized(col[0], s)
		}
		if columns[c] == nil {
			order = append(order, c)
			columns[c] = &assigned{}
		}
		a.assign(columns[c], c.Type, col, 1, as.x)
	}
	var parts []string
	for _, c := range order {
		old, _ := findColumn(s.findRel(alias).cols, c.Name)
		v := a.assignedValue(columns[c], old.v.sql, *c, s)
		if columns[c].x == nil {
			v = s.guarded(v)
		}
		parts = append(parts, quoteIdent(c.Name)+" = "+v)
	}
	return strings.Join(parts, ", ")
}

// assign records the value of a path whose first n names lead to node.
func (a *analyzer) assign(to *assigned, t Type, path []name, n int, x expr) {
	if to.x != nil || n == len(path) && to.fields != nil {
		a.fail(path[0], "Update item %s assigned more than once", joinNames(path[:n]))
	}
	if n == len(path) {
		to.x = x
		return
	}
	field := -1
	for i, f := range t.Fields {
		if !strings.EqualFold(f.Name, path[n].text) {
			continue
		}
		if field >= 0 {
			a.fail(path[n], "Struct field name %s is ambiguous", path[n].text)
		}
		field = i
	}
	switch {
	case t.Kind != Struct:
		a.fail(path[n], "Cannot access field %s on a value with type %s", path[n].text, t.name())
	case field < 0:
		a.fail(path[n], "Field name %s does not exist in %s", path[n].text, t.name())
	}
	if to.fields == nil {
		to.fields = map[int]*assigned{}
	}
	if to.fields[field] == nil {
		to.fields[field] = &assigned{}
	}
	a.assign(to.fields[field], t.Fields[field].Type, path, n+1, x)
}

// assignedValue returns the new value of a column, or of a field of it. A STRUCT keeps the
// fields that are not assigned, and must not be NULL.
func (a *analyzer) assignedValue(as *assigned, old string, c Column, s *scope) string {
	if as.x != nil {
		return a.value(as.x, s, &c)
	}
	var items []string
	for i, n := range c.Type.FieldNames() {
		f := c.Type.Fields[i]
		v := "struct_extract(" + old + ", " + quoteString(n) + ")"
		if part := as.fields[i]; part != nil {
			if _, ok := part.x.(*defaultExpr); ok {
				a.fail(part.x, "DEFAULT cannot be assigned to a field of a STRUCT")
			}
			v = a.assignedValue(part, v, Column{Name: c.Name + "." + f.Name, Type: f.Type}, s)
		}
		items = append(items, quoteString(n)+": "+v)
	}
	duck := c.Type.DuckDB()
	return "CASE WHEN " + old + " IS NULL THEN " + raise("'Cannot set field of NULL STRUCT'", duck) + " ELSE CAST({" +
		strings.Join(items, ", ") + "} AS " + duck + ") END"
}
