package wire

import (
	"strings"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

// Constraints are a table's keys as the REST API sends them.
type Constraints struct {
	PrimaryKey  *primaryKey  `json:"primaryKey,omitempty"`
	ForeignKeys []foreignKey `json:"foreignKeys,omitempty"`
}

type primaryKey struct {
	Columns []string `json:"columns"`
}

type foreignKey struct {
	Name             string            `json:"name,omitempty"` // of a key that was given one
	ReferencedTable  TableReference    `json:"referencedTable"`
	ColumnReferences []columnReference `json:"columnReferences"`
}

type columnReference struct {
	Referencing string `json:"referencingColumn"`
	Referenced  string `json:"referencedColumn"`
}

// unnamed begins the name of a foreign key that was declared without one.
const unnamed = "fk$"

// ConstraintsOf converts keys to constraints. It returns nil if there are none.
func ConstraintsOf(keys []googlesql.Key) *Constraints {
	if len(keys) == 0 {
		return nil
	}
	out := &Constraints{}
	for _, k := range keys {
		if k.References == nil {
			out.PrimaryKey = &primaryKey{k.Columns}
			continue
		}
		f := foreignKey{ReferencedTable: ReferenceTo(*k.References)}
		if !strings.HasPrefix(k.Name, unnamed) {
			f.Name = k.Name
		}
		for i, c := range k.Columns {
			f.ColumnReferences = append(f.ColumnReferences, columnReference{c, k.Referenced[i]})
		}
		out.ForeignKeys = append(out.ForeignKeys, f)
	}
	return out
}

// DDL writes the keys as elements of CREATE TABLE.
func (c *Constraints) DDL() []string {
	var out []string
	if c == nil {
		return nil
	}
	if c.PrimaryKey != nil {
		out = append(out, "PRIMARY KEY ("+googlesql.QuoteNames(c.PrimaryKey.Columns)+") NOT ENFORCED")
	}
	for _, f := range c.ForeignKeys {
		text := ""
		if f.Name != "" {
			text = "CONSTRAINT " + googlesql.QuoteName(f.Name) + " "
		}
		var from, to []string
		for _, r := range f.ColumnReferences {
			from, to = append(from, r.Referencing), append(to, r.Referenced)
		}
		t := f.ReferencedTable
		table := googlesql.QuoteName(t.DatasetID + "." + t.TableID)
		if t.ProjectID != "" {
			table = googlesql.QuoteName(t.ProjectID + "." + t.DatasetID + "." + t.TableID)
		}
		out = append(out, text+"FOREIGN KEY ("+googlesql.QuoteNames(from)+") REFERENCES "+table+" "+
			"("+googlesql.QuoteNames(to)+") NOT ENFORCED")
	}
	return out
}
