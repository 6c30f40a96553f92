package sandbox

import (
	"slices"
	"strings"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

func (s *Server) schemataRows(d *dataset) ([]map[string]any, *apiError) {
	s.catalog.mu.RLock()
	defer s.catalog.mu.RUnlock()
	return []map[string]any{{
		"catalog_name": d.ref.ProjectID, "schema_name": d.ref.DatasetID, "location": d.location,
		"creation_time": d.created, "last_modified_time": d.modified,
		"ddl": "CREATE SCHEMA " + quoteGoogle(d.ref.ProjectID+"."+d.ref.DatasetID) + optionsText(d.options()) + ";",
	}}, nil
}

func (s *Server) tablesRows(d *dataset) ([]map[string]any, *apiError) {
	var rows []map[string]any
	tables := s.catalog.tables(d)
	s.catalog.mu.RLock()
	defer s.catalog.mu.RUnlock()
	for _, t := range tables {
		rows = append(rows, map[string]any{
			"table_catalog": t.name.Project, "table_schema": t.name.Dataset, "table_name": t.name.Table,
			"table_type": "BASE TABLE", "managed_table_type": "NATIVE",
			"is_insertable_into": "YES", "is_fine_grained_mutations_enabled": "NO", "is_typed": "NO",
			"is_change_history_enabled": "NO",
			"creation_time":             t.created, "ddl": t.ddl(),
		})
		if b := t.base; b != nil {
			row := rows[len(rows)-1]
			row["table_type"] = b.kind
			row["base_table_catalog"], row["base_table_schema"] = b.name.Project, b.name.Dataset
			row["base_table_name"] = b.name.Table
			if b.kind == snapshot {
				row["snapshot_time_ms"], row["is_insertable_into"] = b.at, "NO"
				row["ddl"] = "CREATE SNAPSHOT TABLE " + quoteGoogle(t.name.Project+"."+t.name.Dataset+"."+t.name.Table) +
					"\nCLONE " + quoteGoogle(b.name.Project+"."+b.name.Dataset+"."+b.name.Table) +
					optionsText(t.options()) + ";"
			}
		}
		if t.view != nil {
			row := rows[len(rows)-1]
			row["table_type"], row["is_insertable_into"] = strings.ReplaceAll(t.viewKind(), "_", " "), "NO"
			row["managed_table_type"] = nil
			row["ddl"] = "CREATE " + row["table_type"].(string) + " " +
				quoteGoogle(t.name.Project+"."+t.name.Dataset+"."+
					t.name.Table) + optionsText(t.options()) + "\nAS " + t.view.Query + ";"
		}
	}
	return rows, nil
}

func (s *Server) columnsRows(d *dataset) ([]map[string]any, *apiError) {
	var rows []map[string]any
	for _, t := range s.catalog.tables(d) {
		for i, c := range t.columns {
			row := map[string]any{
				"table_catalog": t.name.Project, "table_schema": t.name.Dataset, "table_name": t.name.Table,
				"column_name":      c.Name,
				"ordinal_position": int64(i + 1), "is_nullable": "YES", "data_type": c.Type.String(),
				"is_generated": "NEVER", "is_hidden": "NO",
				"is_system_defined": "NO", "is_partitioning_column": "NO",
			}
			if c.Required {
				row["is_nullable"] = "NO"
			}
			if c.Default != "" {
				row["column_default"] = c.Default
			}
			if t.partition != nil && t.partition.Column == c.Name {
				row["is_partitioning_column"] = "YES"
			}
			if k := slices.Index(t.cluster, c.Name); k >= 0 {
				row["clustering_ordinal_position"] = int64(k + 1)
			}
			rows = append(rows, row)
		}
	}
	return rows, nil
}

// ddl writes the CREATE TABLE that makes a table like this one. The caller holds the catalog's lock.
func (t *table) ddl() string {
	var lines []string
	for i, c := range t.columns {
		line := quoteIfNeeded(c.Name) + " " + t.schema[i].described()
		if c.Default != "" {
			line += " DEFAULT " + c.Default
		}
		if c.Required {
			line += " NOT NULL"
		}
		if text := t.schema[i].Description; text != "" {
			line += " OPTIONS(description=" + quoteText(text) + ")"
		}
		lines = append(lines, line)
	}
	lines = append(lines, constraintsOf(t.keys).ddl()...)
	return "CREATE TABLE " + quoteGoogle(t.name.Project+"."+t.name.Dataset+"."+t.name.Table) + "\n(\n  " +
		strings.Join(lines, ",\n  ") + "\n)" + t.partitionSQL(t.kindOf) + optionsText(t.options()) + ";"
}

// kindOf is the type of a column.
func (t *table) kindOf(name string) googlesql.Kind {
	for _, c := range t.columns {
		if c.Name == name {
			return c.Type.Kind
		}
	}
	return ""
}

// quoteIfNeeded writes a column's name in backticks unless it is a plain one.
func quoteIfNeeded(name string) string {
	if datasetChars.MatchString(name) && (name[0] < '0' || name[0] > '9') && !googlesql.Reserved(name) {
		return name
	}
	return quoteGoogle(name)
}
