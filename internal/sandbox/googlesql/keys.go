package googlesql

import (
	"fmt"
	"slices"
	"strings"
)

// primaryName is the name of every PRIMARY KEY.
const primaryName = "pk$"

// tableKey parses [CONSTRAINT name] PRIMARY KEY or FOREIGN KEY among the columns of a table.
func (p *parser) tableKey() (tableKey, bool) {
	n := 1
	if p.ahead(1).is("IF") && p.ahead(2).is("NOT") && p.ahead(3).is("EXISTS") {
		n = 4
	}
	named := p.tok().is("CONSTRAINT") && (p.ahead(n).kind == tokIdent || p.ahead(n).kind == tokQuoted) &&
		(p.ahead(n+1).is("PRIMARY") || p.ahead(n+1).is("FOREIGN"))
	if !named && !p.isWords("PRIMARY", "KEY") && !p.isWords("FOREIGN", "KEY") {
		return tableKey{}, false
	}
	key := tableKey{}
	p.constraintName(&key)
	key.node, key.primary = node{p.tok().pos}, p.tok().is("PRIMARY")
	p.i++
	p.expect("KEY")
	key.cols = p.keyColumns()
	if !key.primary {
		p.references(&key)
	}
	p.notEnforced()
	return key, true
}

// columnKey parses the key that a column has in its definition.
func (p *parser) columnKey() tableKey {
	key := tableKey{}
	p.constraintName(&key)
	key.node = node{p.tok().pos}
	if key.primary = p.accept("PRIMARY", "KEY"); !key.primary {
		p.references(&key)
	}
	p.notEnforced()
	return key
}

func (p *parser) constraintName(key *tableKey) {
	if p.accept("CONSTRAINT") {
		key.lenient = p.accept("IF", "NOT", "EXISTS")
		n := p.ident()
		key.named = &n
	}
}

func (p *parser) references(key *tableKey) {
	p.expect("REFERENCES")
	key.to = p.tablePath()
	key.toCols = p.keyColumns()
}

func (p *parser) keyColumns() []name {
	p.expect("(")
	cols := []name{p.ident()}
	for p.accept(",") {
		cols = append(cols, p.ident())
	}
	p.expect(")")
	return cols
}

// notEnforced reads NOT ENFORCED, which BigQuery requires for each key.
func (p *parser) notEnforced() {
	at := p.tok().pos
	if !p.accept("NOT", "ENFORCED") {
		fail(p.src, at, "Enforcement of primary and foreign keys is not supported: NOT ENFORCED must be given")
	}
}

// BigQuery's limits of keys (https://cloud.google.com/bigquery/docs/information-schema-table-constraints).
const (
	maxKeyColumns  = 16
	maxForeignKeys = 64
)

// keyKinds are the types that a column of a key may have.
var keyKinds = []Kind{BigNumeric, Bool, Date, Datetime, Int64, Numeric, String, Timestamp}

// keys returns the keys of a table: those that it has and those that a statement
// adds.
func (a *analyzer) keys(own TableName, have []Key, cols []Column, added []tableKey) []Key {
	out := slices.Clone(have)
	for _, key := range added {
		k := Key{Name: primaryName, Columns: a.keyOf(key, &Table{Name: own, Columns: cols}, key.cols)}
		switch {
		case key.primary && key.named != nil:
			a.fail(key.named, "A primary key cannot have a name")
		case key.primary && len(key.cols) > maxKeyColumns:
			a.fail(key, "A primary key cannot have more than %d columns", maxKeyColumns)
		case key.primary && primaryKey(out) != nil:
			a.fail(key, "Multiple primary keys are not allowed")
		case !key.primary:
			if k.Name = a.foreignName(key, out); k.Name == "" {
				continue
			}
			a.referenced(key, own, &k)
		}
		out = append(out, k)
	}
	if len(out) > maxForeignKeys+1 || len(out) > maxForeignKeys && primaryKey(out) == nil {
		a.fail(added[len(added)-1], "A table cannot have more than %d foreign keys", maxForeignKeys)
	}
	return out
}

func primaryKey(keys []Key) *Key {
	for i := range keys {
		if keys[i].References == nil {
			return &keys[i]
		}
	}
	return nil
}

// keyOf returns the columns of a table that a key names.
func (a *analyzer) keyOf(key tableKey, tab *Table, names []name) []string {
	var out []string
	for _, n := range names {
		c := findTableColumn(tab, n.text)
		switch {
		case c == nil:
			a.fail(n, "Column %s of the key does not exist in table %s", n.text, tab.Name)
		case slices.Contains(out, c.Name):
			a.fail(n, "Column %s is more than once in the key", n.text)
		case !slices.Contains(keyKinds, c.Type.Kind):
			a.fail(n, "Column %s of type %s cannot be part of a key", n.text, c.Type)
		}
		out = append(out, c.Name)
	}
	return out
}

// foreignName returns the name of a foreign key, or "" if the name is taken and that is no
// error.
func (a *analyzer) foreignName(key tableKey, have []Key) string {
	taken := func(s string) bool {
		return slices.ContainsFunc(have, func(k Key) bool { return strings.EqualFold(k.Name, s) })
	}
	if key.named != nil {
		switch {
		case !taken(key.named.text):
			return key.named.text
		case key.lenient:
			return ""
		}
		a.fail(key.named, "Already Exists: Constraint %s", key.named.text)
	}
	for i := 1; ; i++ {
		if s := fmt.Sprintf("fk$%d", i); !taken(s) {
			return s
		}
	}
}

// referenced fills in the table that a foreign key refers to.
func (a *analyzer) referenced(key tableKey, own TableName, k *Key) {
	if len(key.toCols) != len(key.cols) {
		a.fail(key, "A foreign key must have as many columns as it refers to")
	}
	n := a.tableName(key.to, key)
	switch {
	case n == own:
		a.fail(key, "A foreign key cannot refer to a column in the same table")
	case n.Project != own.Project || n.Dataset != own.Dataset:
		a.fail(key, "A foreign key and the table that it refers to must be in the same dataset")
	}
	read := a.tables
	tab := a.lookup(n, key)
	a.tables = read
	k.References, k.Referenced = &tab.Name, a.keyOf(key, tab, key.toCols)
	primary := primaryKey(tab.Keys)
	if primary == nil || !sameNames(primary.Columns, k.Referenced) {
		a.refuse(key, "A foreign key to columns that are not the primary key of "+n.String())
	}
}

// sameNames reports whether two lists hold the same names, in any order.
func sameNames(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for _, s := range a {
		if !slices.Contains(b, s) {
			return false
		}
	}
	return true
}

// dropKey drops the key of a name, which may be qualified by its table's: table.fk$1.
func (a *analyzer) dropKey(keys []Key, act alterAction, tab *Table) []Key {
	short := act.column.text
	if before, after, ok := strings.Cut(short, "."); ok && strings.EqualFold(before, tab.Name.Table) {
		short = after
	}
	at := slices.IndexFunc(keys, func(k Key) bool { return strings.EqualFold(k.Name, short) })
	switch {
	case at >= 0:
		return slices.Delete(slices.Clone(keys), at, at+1)
	case !act.lenient && act.what == "DROP PRIMARY KEY":
		a.fail(act, "Table %s has no primary key", tab.Name)
	case !act.lenient:
		a.fail(act.column, "Not found: Constraint %s of table %s", act.column.text, tab.Name)
	}
	return keys
}

// keyWith returns a key with a column, or nil.
func keyWith(keys []Key, column string) *Key {
	for i := range keys {
		if slices.Contains(keys[i].Columns, column) {
			return &keys[i]
		}
	}
	return nil
}

// columnsLike copies the columns of another table.
func (c *createTable) columnsLike(a *analyzer) *Table {
	read := a.tables
	tab := a.lookup(a.tableName(c.like, c), c)
	if tab.View != nil {
		a.fail(c, "%s is not allowed for this operation because it is currently a VIEW.", tab.Name)
	}
	for _, col := range tab.Columns {
		d := columnDef{name: name{node: c.node, text: col.Name, quoted: true}, typ: col.Type, required: col.Required,
			defText: col.Default}
		if col.Default != "" {
			d.def = a.parseBody(col.Default)
		}
		c.cols = append(c.cols, d)
	}
	a.tables = read
	if c.copied == "SNAPSHOT" && tab.Snapshot {
		a.fail(c, "%s is not allowed for this operation because it is currently a SNAPSHOT.", tab.Name)
	}
	return tab
}
