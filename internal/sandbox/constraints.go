package sandbox

import (
	"slices"
	"strings"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

// tableConstraints are a table's keys as the REST API sends them.
type tableConstraints struct {
	PrimaryKey  *primaryKey  `json:"primaryKey,omitempty"`
	ForeignKeys []foreignKey `json:"foreignKeys,omitempty"`
}

type primaryKey struct {
	Columns []string `json:"columns"`
}

type foreignKey struct {
	Name             string            `json:"name,omitempty"` // of a key that was given one
	ReferencedTable  tableReference    `json:"referencedTable"`
	ColumnReferences []columnReference `json:"columnReferences"`
}

type columnReference struct {
	Referencing string `json:"referencingColumn"`
	Referenced  string `json:"referencedColumn"`
}

// unnamed begins the name that a foreign key has if it was given none.
const unnamed = "fk$"

// constraintsOf writes keys; nil for none.
func constraintsOf(keys []googlesql.Key) *tableConstraints {
	if len(keys) == 0 {
		return nil
	}
	out := &tableConstraints{}
	for _, k := range keys {
		if k.References == nil {
			out.PrimaryKey = &primaryKey{k.Columns}
			continue
		}
		f := foreignKey{ReferencedTable: tableReference{k.References.Project, k.References.Dataset,
			k.References.Table}}
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

// ddl writes the keys as elements of CREATE TABLE.
func (c *tableConstraints) ddl() []string {
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

// keyRow begins a row about a key of a table.
func keyRow(t *table, k googlesql.Key) map[string]any {
	return map[string]any{
		"constraint_catalog": t.name.Project, "constraint_schema": t.name.Dataset,
		"constraint_name": t.name.Table + "." + k.Name,
		"table_catalog":   t.name.Project, "table_schema": t.name.Dataset, "table_name": t.name.Table,
	}
}

// eachKey calls f for the keys of a dataset.
func (s *Server) eachKey(d *dataset, f func(*table, googlesql.Key)) {
	tables := s.catalog.tables(d)
	s.catalog.mu.RLock()
	defer s.catalog.mu.RUnlock()
	for _, t := range tables {
		for _, k := range t.keys {
			f(t, k)
		}
	}
}

func (s *Server) constraintsRows(d *dataset) (rows []map[string]any, _ *apierror.Error) {
	s.eachKey(d, func(t *table, k googlesql.Key) {
		row := keyRow(t, k)
		row["constraint_type"] = "PRIMARY KEY"
		if k.References != nil {
			row["constraint_type"] = "FOREIGN KEY"
		}
		row["is_deferrable"], row["initially_deferred"], row["enforced"] = "NO", "NO", "NO"
		rows = append(rows, row)
	})
	return rows, nil
}

func (s *Server) keyColumnsRows(d *dataset) (rows []map[string]any, _ *apierror.Error) {
	s.eachKey(d, func(t *table, k googlesql.Key) {
		for i, c := range k.Columns {
			row := keyRow(t, k)
			row["column_name"], row["ordinal_position"] = c, int64(i+1)
			if k.References != nil {
				// Where the column is in the primary key that it refers to.
				row["position_in_unique_constraint"] = int64(i + 1)
				if to := d.tables[k.References.Table]; to != nil {
					for _, other := range to.keys {
						if at := slices.Index(other.Columns, k.Referenced[i]); other.References == nil && at >= 0 {
							row["position_in_unique_constraint"] = int64(at + 1)
						}
					}
				}
			}
			rows = append(rows, row)
		}
	})
	return rows, nil
}

func (s *Server) constraintColumnsRows(d *dataset) (rows []map[string]any, _ *apierror.Error) {
	s.eachKey(d, func(t *table, k googlesql.Key) {
		columns := k.Columns
		if k.References != nil {
			columns = k.Referenced
		}
		for _, c := range columns {
			row := keyRow(t, k)
			row["column_name"] = c
			if k.References != nil {
				row["table_name"] = k.References.Table
			}
			rows = append(rows, row)
		}
	})
	return rows, nil
}
