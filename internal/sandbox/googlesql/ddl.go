package googlesql

import (
	"fmt"
	"strings"
)

// schema completes the name of a dataset.
func (a *analyzer) schema(path []name, x interface{ pos() int }) TableName {
	n := TableName{Project: a.opts.DefaultProject}
	switch len(path) {
	case 1:
	case 2:
		n.Project = path[0].text
	default:
		a.fail(x, "Dataset name %q has too many parts", joinNames(path))
	}
	n.Dataset = path[len(path)-1].text
	return n
}

func (a *analyzer) schemaSQL(n TableName) string {
	if a.opts.SchemaSQL == nil {
		return quoteIdent(n.Project + "." + n.Dataset)
	}
	return a.opts.SchemaSQL(n.Project, n.Dataset)
}

func (c *createSchema) write(a *analyzer) *Statement {
	n := a.schema(c.path, c)
	words := "CREATE SCHEMA "
	if c.ifNotExists {
		words += "IF NOT EXISTS "
	}
	st := &Statement{Type: "CREATE_SCHEMA", SQL: words + a.schemaSQL(n), Target: &n, IfNotExists: c.ifNotExists}
	a.setOptions(st, optionsOfSchema, c.options)
	return st
}

func (d *dropStmt) write(a *analyzer) *Statement {
	words := "DROP " + d.what + " "
	if d.ifExists {
		words += "IF EXISTS "
	}
	if d.what == "SCHEMA" {
		n := a.schema(d.path, d)
		words += a.schemaSQL(n)
		if d.cascade {
			words += " CASCADE"
		}
		return &Statement{Type: "DROP_SCHEMA", SQL: words, Target: &n, IfExists: d.ifExists}
	}
	if strings.HasSuffix(d.what, "FUNCTION") && len(d.path) == 1 && a.opts.Function != nil {
		if n := (TableName{Table: d.path[0].text}); a.opts.Function(n) != nil {
			return &Statement{Type: "DROP_FUNCTION", Target: &n, IfExists: d.ifExists}
		}
	}
	n := a.tableName(d.path, d)
	a.notView(n, d)
	if d.what != "TABLE" {
		return &Statement{Type: "DROP_" + strings.ReplaceAll(d.what, " ", "_"), Target: &n, IfExists: d.ifExists}
	}
	return &Statement{Type: "DROP_TABLE", SQL: words + a.schemaSQL(n) + "." + quoteIdent(n.Table), Target: &n,
		IfExists: d.ifExists}
}

func (t *truncateStmt) write(a *analyzer) *Statement {
	tab := a.target(t.path, t)
	return &Statement{Type: "TRUNCATE_TABLE", SQL: "DELETE FROM " + tab.SQL, Target: &tab.Name}
}

// reservedPrefixes must not begin the name of a stored column.
var reservedPrefixes = []string{"_PARTITION", "_TABLE_", "_FILE_", "_ROW_TIMESTAMP", "__ROOT__", "_COLIDENTIFIER"}

func (a *analyzer) checkColumnName(name string, x interface{ pos() int }) {
	for _, p := range reservedPrefixes {
		if len(name) >= len(p) && strings.EqualFold(name[:len(p)], p) {
			a.fail(x, "Invalid field name %q. Field names are not allowed to start with the (case-insensitive) "+
				"prefixes "+
				"_PARTITION, _TABLE_, _FILE_, _ROW_TIMESTAMP, __ROOT__ and _COLIDENTIFIER", name)
		}
	}
}

func (c *createTable) write(a *analyzer) *Statement {
	n := a.createName(c)
	a.notView(n, c)
	if c.orReplace && c.ifNotExists {
		a.fail(c, "CREATE TABLE cannot have both OR REPLACE and IF NOT EXISTS")
	}
	st := &Statement{Type: "CREATE_TABLE", Target: &n, OrReplace: c.orReplace, IfNotExists: c.ifNotExists}
	if c.copied == "SNAPSHOT" {
		st.Type = "CREATE_SNAPSHOT_TABLE"
	}
	var r *result
	var source *Table
	if c.like != nil {
		source = c.columnsLike(a)
		st.Source, st.Copied = &source.Name, c.copied
	}
	if c.as != nil {
		st.Type = "CREATE_TABLE_AS_SELECT"
		r = a.topQuery(c.as)
		c.columnsOf(a, r)
	}
	seen := map[string]bool{}
	for _, d := range c.cols {
		low := strings.ToLower(d.name.text)
		if seen[low] {
			a.fail(d.name, "Duplicate column name %s in CREATE TABLE", d.name.text)
		}
		seen[low] = true
		a.checkColumnName(d.name.text, d.name)
		if d.required && d.typ.Kind == Array {
			a.fail(d.name, "NOT NULL constraint is not supported for column %s of type ARRAY", d.name.text)
		}
		st.NewColumns = append(st.NewColumns, Column{Name: d.name.text, Type: d.typ,
			Required: d.required, Default: d.defText, Description: d.description})
	}
	if c.partition != nil {
		st.Partition = a.partitionOf(c.partition, st.NewColumns)
		if st.Partition.ingested() && c.as != nil {
			a.fail(c.partition, "PARTITION BY the time of ingestion cannot be used with AS query")
		}
	}
	st.Cluster = a.clusterOf(c.cluster, st.NewColumns)
	var have []Key
	if source != nil {
		have = source.Keys
		if c.partition == nil {
			st.Partition = source.Partition
		}
		if c.cluster == nil {
			st.Cluster = source.Cluster
		}
	}
	st.NewKeys = a.keys(n, have, st.NewColumns, c.keys)
	a.setOptions(st, optionsOfTable, c.options)
	words := "CREATE "
	if c.orReplace {
		words += "OR REPLACE "
	}
	if c.temp {
		words += "TEMP "
	}
	words += "TABLE "
	if c.ifNotExists {
		words += "IF NOT EXISTS "
	}
	words += a.schemaSQL(n) + "." + quoteIdent(n.Table)
	if r != nil || c.copied != "" {
		if r != nil {
			st.SQL = words + " AS " + c.selectAs(a, r, st.Partition)
		} else {
			st.SQL = words + " AS SELECT * FROM " + source.SQL // with _PARTITIONTIME
		}
		var after []string
		if st.Partition.ingested() {
			after = append(after, "ALTER TABLE "+a.schemaSQL(n)+"."+quoteIdent(n.Table)+" ALTER COLUMN "+
				quoteIdent(PartitionTime)+" SET DEFAULT "+st.Partition.arrival())
		}
		for _, d := range c.cols {
			alter := "ALTER TABLE " + a.schemaSQL(n) + "." + quoteIdent(n.Table) + " ALTER COLUMN " +
				quoteIdent(d.name.text)
			if text := a.columnDefault(d.def, Column{Name: d.name.text, Type: d.typ}); text != "" {
				after = append(after, alter+" SET DEFAULT "+text)
			}
			if d.required {
				after = append(after, alter+" SET NOT NULL")
			}
		}
		st.After = strings.Join(after, "; ")
		return st
	}
	var defs []string
	for _, d := range c.cols {
		def := quoteIdent(d.name.text) + " " + d.typ.DuckDB()
		if d.required {
			def += " NOT NULL"
		}
		if text := a.columnDefault(d.def, Column{Name: d.name.text, Type: d.typ}); text != "" {
			def += " DEFAULT " + text
		}
		defs = append(defs, def)
	}
	if st.Partition.ingested() {
		defs = append(defs, quoteIdent(PartitionTime)+" TIMESTAMPTZ DEFAULT "+st.Partition.arrival())
	}
	st.SQL = words + " (" + strings.Join(defs, ", ") + ")"
	return st
}

// columnDefault returns DuckDB's default value of a column; "" means NULL.
func (a *analyzer) columnDefault(x expr, c Column) string {
	switch {
	case x != nil:
		v := a.defaultExpr(x, c)
		if c.Type.Kind == Array { // DuckDB's defaults have no subqueries, which store uses
			v.sql = "coalesce(" + v.sql + ", [])"
		} else {
			v = fit(v, c.Type)
		}
		if strings.Contains(v.sql, "(SELECT ") {
			a.refuse(x, "This DEFAULT expression")
		}
		return "(" + v.sql + ")"
	case c.Type.Kind == Array:
		return "[]"
	}
	return ""
}

// defaultExpr returns the value of a DEFAULT expression.
func (a *analyzer) defaultExpr(x expr, c Column) val {
	v := a.expr(x, &scope{clause: "DEFAULT expression"})
	return a.must(v, c.Type, x, "Default value of column %s has type %s, which does not coerce to %s", c.Name,
		v.t.name(), c.Type)
}

// columnsOf fills the columns of CREATE TABLE AS from its query.
func (c *createTable) columnsOf(a *analyzer, r *result) {
	if c.cols != nil {
		if len(c.cols) != len(r.cols) {
			a.fail(c.as, "The number of columns in the column definition list does not match the number of columns "+
				"produced by the query")
		}
		return
	}
	for i, col := range a.columns(r) {
		if col.Name == "" {
			a.fail(c.as, "CREATE TABLE columns must be named, but column %d has no name", i+1)
		}
		n := name{node: c.as.node, text: col.Name, quoted: true}
		c.cols = append(c.cols, columnDef{name: n, typ: resolved(col.Type)})
	}
}

// selectAs names the query's columns as the table's.
func (c *createTable) selectAs(a *analyzer, r *result, p *Partition) string {
	id := a.id("t")
	var items []string
	for i, d := range c.cols {
		v := r.cols[i].v
		v.sql = id + "." + v.sql
		v.t = resolved(v.t)
		w := a.must(v, d.typ, d.name, "Column %s has type %s, but the query gives %s", d.name.text, d.typ, v.t.name())
		w = a.store(w, d.typ, d.name.text)
		if d.required {
			null := raise(quoteString("Required field "+d.name.text+" cannot be null"), d.typ.DuckDB())
			w.sql = a.bind([]val{w}, func(n []string) string {
				return "CASE WHEN " + n[0] + " IS NULL THEN " + null + " ELSE " + n[0] + " END"
			})
		}
		items = append(items, w.sql+" AS "+quoteIdent(d.name.text))
	}
	if p.ingested() {
		items = append(items, p.arrival()+" AS "+quoteIdent(PartitionTime))
	}
	return "SELECT " + strings.Join(items, ", ") + " FROM (" + r.sql + ") AS " + id
}

// store converts a value to one that a column of its type can hold: not a NULL array,
// and no array with a NULL.
func (a *analyzer) store(v val, t Type, column string) val {
	if t.Kind == Array {
		bad := raise(quoteString("Array cannot have a null element; error in writing field "+column), t.DuckDB())
		v.sql = "coalesce(" + a.bind([]val{v}, func(n []string) string {
			return "CASE WHEN len(list_filter(" + n[0] + ", lambda e: e IS NULL)) > 0 THEN " + bad + " ELSE " + n[0] +
				" END"
		}) + ", [])"
	}
	return fit(v, t)
}

// fit checks and rounds a value for the type's parameters.
func fit(v val, t Type) val {
	switch {
	case t.Kind == Numeric && t.Precision > 0:
		v.sql = fmt.Sprintf("bq_numeric_fit(%s, %d, %d)", v.sql, t.Precision, t.Scale)
	case t.Kind == BigNumeric && t.Precision > 0:
		v.sql = fmt.Sprintf("bq_bignumeric_fit(%s, %d, %d)", v.sql, t.Precision, t.Scale)
	case (t.Kind == String || t.Kind == Bytes) && t.MaxLength > 0:
		v.sql = fmt.Sprintf("bq_fit_%s(%s, %d, %s)", strings.ToLower(string(t.Kind)), v.sql, t.MaxLength,
			quoteString(t.String()))
	}
	return v
}
