package googlesql

import (
	"slices"
	"strings"
)

type (
	// alterTable is ALTER TABLE with its actions, in order.
	alterTable struct {
		node
		path     []name
		ifExists bool
		actions  []alterAction
		rename   *name // RENAME TO, which stands alone
	}
	// alterAction changes the columns, the keys or the options. what is ADD, DROP, RENAME, TYPE, NULLABLE,
	// DEFAULT or DESCRIBE for one column, ADD KEY, DROP PRIMARY KEY or DROP CONSTRAINT for a key, OPTIONS for
	// the table's options.
	alterAction struct {
		node
		what    string
		lenient bool // IF [NOT] EXISTS
		column  name // or the name of a key
		to      name
		def     columnDef
		key     tableKey
		options []option
	}
	// alterOther is ALTER SCHEMA, VIEW or MATERIALIZED VIEW, which changes options and descriptions.
	alterOther struct {
		node
		what     string
		path     []name
		ifExists bool
		actions  []alterAction
	}
)

func (st *alterTable) write(a *analyzer) *Statement {
	n := a.tableName(st.path, st)
	a.notView(n, st)
	out := &Statement{Type: "ALTER_TABLE", Target: &n, IfExists: st.ifExists}
	if st.ifExists && a.opts.Catalog != nil {
		if tab, err := a.opts.Catalog.Table(n); err != nil || tab == nil {
			return out // the caller returns the same error
		}
	}
	tab := a.lookup(n, st)
	if tab.View != nil {
		a.fail(st, "%s is not allowed for this operation because it is currently a VIEW.", n)
	}
	out.NewColumns, out.NewKeys = slices.Clone(tab.Columns), tab.Keys
	if st.rename != nil {
		if primaryKey(tab.Keys) != nil {
			a.fail(st, "Table %s has a primary key and cannot be renamed", n)
		}
		out.NewName = st.rename.text
		out.SQL = "ALTER TABLE " + tab.SQL + " RENAME TO " + quoteIdent(out.NewName)
		return out
	}
	var done []string
	for _, act := range st.actions {
		if tab.Snapshot && act.what != "OPTIONS" {
			a.fail(act, "%s is not allowed for this operation because it is currently a SNAPSHOT.", n)
		}
		switch act.what {
		case "OPTIONS":
			a.setOptions(out, optionsOfTable, act.options)
		case "ADD KEY":
			out.NewKeys = a.keys(tab.Name, out.NewKeys, out.NewColumns, []tableKey{act.key})
		case "DROP PRIMARY KEY", "DROP CONSTRAINT":
			out.NewKeys = a.dropKey(out.NewKeys, act, tab)
		default:
			if sql := a.alterColumn(act, tab, out); sql != "" {
				done = append(done, "ALTER TABLE "+tab.SQL+" "+sql)
			}
		}
	}
	out.SQL = strings.Join(done, "; ")
	return out
}

func (st *alterOther) write(a *analyzer) *Statement {
	out := &Statement{Type: "ALTER_" + strings.ReplaceAll(st.what, " ", "_"), IfExists: st.ifExists}
	if st.what == "SCHEMA" {
		n := a.schema(st.path, st)
		out.Target = &n
		for _, act := range st.actions {
			a.setOptions(out, optionsOfSchema, act.options)
		}
		return out
	}
	n := a.tableName(st.path, st)
	a.notView(n, st)
	out.Target = &n
	if st.ifExists && a.opts.Catalog != nil {
		if tab, err := a.opts.Catalog.Table(n); err != nil || tab == nil {
			return out // the caller returns the same error
		}
	}
	tab := a.lookup(n, st)
	out.NewColumns = slices.Clone(tab.Columns)
	for _, act := range st.actions {
		if act.what == "OPTIONS" {
			a.setOptions(out, optionsOfView, act.options)
			continue
		}
		a.alterColumn(act, tab, out)
	}
	return out
}

// alterColumn changes the statement's columns and returns the SQL for DuckDB, or "".
func (a *analyzer) alterColumn(act alterAction, tab *Table, out *Statement) string {
	find := func(n name) int {
		return slices.IndexFunc(out.NewColumns, func(c Column) bool { return strings.EqualFold(c.Name, n.text) })
	}
	at := find(act.column)
	switch {
	case act.what == "ADD" && at >= 0 && act.lenient, act.what != "ADD" && at < 0 && act.lenient:
		return ""
	case act.what == "ADD" && at >= 0:
		a.fail(act.column, "Column already exists: %s", act.column.text)
	case act.what != "ADD" && at < 0:
		a.fail(act.column, "Column not found: %s in table %s", act.column.text, tab.Name)
	}
	var name string
	if at >= 0 {
		name = quoteIdent(out.NewColumns[at].Name)
	}
	switch act.what {
	case "ADD":
		d := act.def
		switch {
		case d.required:
			a.fail(act, "Cannot add required column %s to an existing table", d.name.text)
		case d.def != nil:
			a.fail(act, "Cannot add column %s with a default value to an existing table", d.name.text)
		}
		a.checkColumnName(d.name.text, d.name)
		out.NewColumns = append(out.NewColumns, Column{Name: d.name.text, Type: d.typ, Description: d.description})
		sql := "ADD COLUMN " + quoteIdent(d.name.text) + " " + d.typ.DuckDB()
		if d.typ.Kind == Array {
			sql += " DEFAULT []"
		}
		return sql
	case "DROP":
		if key := keyWith(out.NewKeys, out.NewColumns[at].Name); key != nil {
			a.refuse(act, "Dropping column "+act.column.text+" of the key "+key.Name)
		}
		a.noPart(act, tab, out, at, "dropped")
		if len(out.NewColumns) == 1 {
			a.fail(act, "Cannot drop column %s: it is the only one of the table", act.column.text)
		}
		out.NewColumns = slices.Delete(out.NewColumns, at, at+1)
		return "DROP COLUMN " + name
	case "RENAME":
		if i := find(act.to); i >= 0 && i != at {
			a.fail(act.to, "Column already exists: %s", act.to.text)
		}
		a.noKey(act, out, at, "renamed")
		a.noPart(act, tab, out, at, "renamed")
		a.checkColumnName(act.to.text, act.to)
		if out.Renamed == nil {
			out.Renamed = map[string]string{}
		}
		was := out.NewColumns[at].Name
		if earlier, ok := out.Renamed[was]; ok {
			delete(out.Renamed, was)
			was = earlier
		}
		out.Renamed[act.to.text] = was
		out.NewColumns[at].Name = act.to.text
		return "RENAME COLUMN " + name + " TO " + quoteIdent(act.to.text)
	case "NULLABLE":
		if !out.NewColumns[at].Required {
			return ""
		}
		out.NewColumns[at].Required = false
		return "ALTER COLUMN " + name + " DROP NOT NULL"
	case "TYPE":
		from, to := out.NewColumns[at].Type, act.def.typ
		if !assignableType(from, to) {
			a.fail(act, "ALTER TABLE ALTER COLUMN SET DATA TYPE requires that the existing column type (%s) is "+
				"assignable to the new type (%s)", from, to)
		}
		a.noKey(act, out, at, "changed in type")
		if p := tab.Partition; p != nil && p.Column == out.NewColumns[at].Name {
			a.refuse(act, "Changing the type of the partitioning column")
		}
		out.NewColumns[at].Type = to
		if from.Kind == to.Kind {
			return "" // DuckDB's type has no parameters
		}
		return "ALTER COLUMN " + name + " SET DATA TYPE " + to.DuckDB()
	case "DEFAULT":
		c := &out.NewColumns[at]
		c.Default = act.def.defText
		if def := a.columnDefault(act.def.def, *c); def != "" {
			return "ALTER COLUMN " + name + " SET DEFAULT " + def
		}
		return "ALTER COLUMN " + name + " DROP DEFAULT"
	case "DESCRIBE":
		if out.Descriptions == nil {
			out.Descriptions = map[string]string{}
		}
		out.Descriptions[out.NewColumns[at].Name] = act.def.description
	}
	return ""
}

// noKey fails if the column belongs to a key.
func (a *analyzer) noKey(act alterAction, out *Statement, at int, done string) {
	if key := keyWith(out.NewKeys, out.NewColumns[at].Name); key != nil {
		a.fail(act, "Column %s cannot be %s: it is part of the key %s", act.column.text, done, key.Name)
	}
}

// assignableType reports whether every value of a column's type is also a value of
// another type.
func assignableType(from, to Type) bool {
	if from.Kind != to.Kind {
		wider := from.numeric() && to.numeric() && numericRank[from.Kind] < numericRank[to.Kind]
		return wider && (to.Precision == 0 || from.Kind == Int64 && to.Precision-to.Scale >= 19)
	}
	switch from.Kind {
	case Array, Struct:
		return from.String() == to.String()
	case Numeric:
		return to.Precision == 0 || from.Precision > 0 && to.Scale >= from.Scale &&
			to.Precision-to.Scale >= from.Precision-from.Scale
	}
	return to.MaxLength == 0 || from.MaxLength > 0 && to.MaxLength >= from.MaxLength
}

// noPart fails if the table is partitioned or clustered by the column.
func (a *analyzer) noPart(act alterAction, tab *Table, out *Statement, at int, done string) {
	column := out.NewColumns[at].Name
	if p := tab.Partition; p != nil && p.Column == column || slices.Contains(tab.Cluster, column) {
		a.fail(act, "Column %s cannot be %s: the table is partitioned or clustered by it", act.column.text, done)
	}
}
