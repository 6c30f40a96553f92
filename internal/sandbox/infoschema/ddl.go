package infoschema

import (
	"strings"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/catalog"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/wire"
)

// tableDDL writes the CREATE TABLE of a table. The caller holds the catalog's lock.
func tableDDL(t *catalog.Table) string {
	var lines []string
	for i, c := range t.Columns {
		line := googlesql.QuoteIfNeeded(c.Name) + " " + t.Schema[i].Described()
		if c.Default != "" {
			line += " DEFAULT " + c.Default
		}
		if c.Required {
			line += " NOT NULL"
		}
		if text := t.Schema[i].Description; text != "" {
			line += " OPTIONS(description=" + googlesql.StringLiteral(text) + ")"
		}
		lines = append(lines, line)
	}
	lines = append(lines, wire.ConstraintsOf(t.Keys).DDL()...)
	return "CREATE TABLE " + googlesql.QuoteName(t.Name.Project+"."+t.Name.Dataset+"."+t.Name.Table) + "\n(\n  " +
		strings.Join(lines, ",\n  ") + "\n)" + t.PartitionSQL(func(name string) googlesql.Kind {
		return kindOf(t,
			name)
	}) + catalog.OptionsText(t.Options()) + ";"
}

// kindOf returns the type of a column.
func kindOf(t *catalog.Table, name string) googlesql.Kind {
	for _, c := range t.Columns {
		if c.Name == name {
			return c.Type.Kind
		}
	}
	return ""
}
