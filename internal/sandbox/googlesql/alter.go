package googlesql

import (
	"slices"
	"strings"
)

type (
	// alterTable is ALTER TABLE with its actions, done in order.
	alterTable struct {
		node
		path     []name
		ifExists bool
		actions  []alterAction
		rename   *name // RENAME TO, which stands alone
	}
	// alterAction changes one column. what is ADD, DROP, RENAME, TYPE, NULLABLE, or "" for one without
	// effect on answers.
	alterAction struct {
		node
		what    string
		lenient bool // IF [NOT] EXISTS
		column  name
		to      name
		def     columnDef
	}
)

func (p *parser) alter() statement {
	at := node{p.expect("ALTER").pos}
	if !p.accept("TABLE") {
		p.refuse(at.at, "ALTER "+strings.ToUpper(p.tok().text))
	}
	st := &alterTable{node: at, ifExists: p.accept("IF", "EXISTS")}
	st.path = p.tablePath()
	if p.accept("RENAME", "TO") {
		n := p.ident()
		st.rename = &n
		return st
	}
	for {
		st.actions = append(st.actions, p.alterAction())
		if !p.accept(",") {
			return st
		}
	}
}

func (p *parser) alterAction() alterAction {
	act := alterAction{node: node{p.tok().pos}}
	switch {
	case p.accept("ADD", "COLUMN"):
		act.what, act.lenient = "ADD", p.accept("IF", "NOT", "EXISTS")
		table := &createTable{}
		act.def = p.columnDef(table)
		if len(table.keys) > 0 {
			p.refuse(table.keys[0].at, "A key of a column that is added")
		}
		act.column = act.def.name
	case p.accept("DROP", "COLUMN"):
		act.what, act.lenient = "DROP", p.accept("IF", "EXISTS")
		act.column = p.ident()
	case p.accept("RENAME", "COLUMN"):
		act.what, act.lenient = "RENAME", p.accept("IF", "EXISTS")
		act.column = p.ident()
		p.expect("TO")
		act.to = p.ident()
	case p.accept("ALTER", "COLUMN"):
		act.lenient = p.accept("IF", "EXISTS")
		act.column = p.ident()
		switch {
		case p.accept("SET", "DATA", "TYPE"):
			act.what, act.def.typ = "TYPE", p.parseType()
		case p.accept("DROP", "NOT", "NULL"):
			act.what = "NULLABLE"
		case p.isWords("SET", "OPTIONS"):
			p.i++
			p.options()
		default:
			p.refuse(act.at, "ALTER COLUMN "+strings.ToUpper(p.tok().text+" "+p.ahead(1).text))
		}
	case p.isWords("SET", "OPTIONS"):
		p.i++
		p.options()
	default:
		p.refuse(act.at, "ALTER TABLE "+strings.ToUpper(p.tok().text+" "+p.ahead(1).text))
	}
	return act
}

func (st *alterTable) write(a *analyzer) *Statement {
	n := a.tableName(st.path, st)
	a.notView(n, st)
	out := &Statement{Type: "ALTER_TABLE", Target: &n, IfExists: st.ifExists}
	if st.ifExists && a.opts.Catalog != nil {
		if tab, err := a.opts.Catalog.Table(n); err != nil || tab == nil {
			return out // which its caller finds as well
		}
	}
	tab := a.lookup(n, st)
	out.NewColumns = slices.Clone(tab.Columns)
	if st.rename != nil {
		out.NewName = st.rename.text
		out.SQL = "ALTER TABLE " + tab.SQL + " RENAME TO " + quoteIdent(out.NewName)
		return out
	}
	var done []string
	for _, act := range st.actions {
		if sql := a.alterColumn(act, tab, out); sql != "" {
			done = append(done, "ALTER TABLE "+tab.SQL+" "+sql)
		}
	}
	out.SQL = strings.Join(done, "; ")
	return out
}

// alterColumn changes the statement's columns and writes what DuckDB must do, "" for nothing.
func (a *analyzer) alterColumn(act alterAction, tab *Table, out *Statement) string {
	if act.column.text == "" {
		return ""
	}
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
		out.NewColumns = append(out.NewColumns, Column{Name: d.name.text, Type: d.typ})
		sql := "ADD COLUMN " + quoteIdent(d.name.text) + " " + d.typ.DuckDB()
		if d.typ.Kind == Array {
			sql += " DEFAULT []"
		}
		return sql
	case "DROP":
		if len(out.NewColumns) == 1 {
			a.fail(act, "Cannot drop column %s: it is the only one of the table", act.column.text)
		}
		out.NewColumns = slices.Delete(out.NewColumns, at, at+1)
		return "DROP COLUMN " + name
	case "RENAME":
		if i := find(act.to); i >= 0 && i != at {
			a.fail(act.to, "Column already exists: %s", act.to.text)
		}
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
		out.NewColumns[at].Type = to
		if from.Kind == to.Kind {
			return "" // DuckDB's type has no parameters
		}
		return "ALTER COLUMN " + name + " SET DATA TYPE " + to.DuckDB()
	}
	return ""
}

// assignableType reports whether every value of a column's type is one of another type.
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
