package sandbox

import (
	"cmp"
	"slices"
	"strings"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/wire"
)

func (s *Server) schemataRows(d *dataset) ([]map[string]any, *apierror.Error) {
	s.catalog.mu.RLock()
	defer s.catalog.mu.RUnlock()
	return []map[string]any{{
		"catalog_name": d.ref.ProjectID, "schema_name": d.ref.DatasetID, "location": d.location,
		"default_collation_name": "NULL",
		"creation_time":          d.created, "last_modified_time": d.modified,
		"ddl": "CREATE SCHEMA " + googlesql.QuoteName(d.ref.ProjectID+"."+d.ref.DatasetID) + optionsText(d.options()) +
			";",
	}}, nil
}

func (s *Server) tablesRows(d *dataset) ([]map[string]any, *apierror.Error) {
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
			"creation_time":             t.created, "ddl": t.ddl(), "default_collation_name": "NULL",
		})
		if b := t.base; b != nil {
			row := rows[len(rows)-1]
			row["table_type"] = b.kind
			row["base_table_catalog"], row["base_table_schema"] = b.name.Project, b.name.Dataset
			row["base_table_name"] = b.name.Table
			if b.kind == snapshot {
				row["snapshot_time_ms"], row["is_insertable_into"] = b.at, "NO"
				row["ddl"] = "CREATE SNAPSHOT TABLE " +
					googlesql.QuoteName(t.name.Project+"."+t.name.Dataset+"."+t.name.Table) + "\nCLONE " +
					googlesql.QuoteName(b.name.Project+"."+b.name.Dataset+"."+b.name.Table) + optionsText(t.options()) +
					";"
			}
		}
		if t.view != nil {
			row := rows[len(rows)-1]
			row["table_type"], row["is_insertable_into"] = strings.ReplaceAll(t.viewKind(), "_", " "), "NO"
			row["managed_table_type"] = nil
			row["ddl"] = "CREATE " + row["table_type"].(string) + " " +
				googlesql.QuoteName(t.name.Project+"."+t.name.Dataset+"."+
					t.name.Table) + optionsText(t.options()) + "\nAS " + t.view.Query + ";"
		}
	}
	return rows, nil
}

func (s *Server) columnsRows(d *dataset) ([]map[string]any, *apierror.Error) {
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
			// BigQuery has a text here, which says NULL.
			row["column_default"], row["collation_name"] = cmp.Or(c.Default, "NULL"), "NULL"
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
		line := googlesql.QuoteIfNeeded(c.Name) + " " + t.schema[i].Described()
		if c.Default != "" {
			line += " DEFAULT " + c.Default
		}
		if c.Required {
			line += " NOT NULL"
		}
		if text := t.schema[i].Description; text != "" {
			line += " OPTIONS(description=" + googlesql.StringLiteral(text) + ")"
		}
		lines = append(lines, line)
	}
	lines = append(lines, wire.ConstraintsOf(t.keys).DDL()...)
	return "CREATE TABLE " + googlesql.QuoteName(t.name.Project+"."+t.name.Dataset+"."+t.name.Table) + "\n(\n  " +
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

// tableRow begins a row about a table.
func tableRow(t *table) map[string]any {
	return map[string]any{"table_catalog": t.name.Project, "table_schema": t.name.Dataset, "table_name": t.name.Table}
}

// eachTable calls f for the tables of a dataset, under the catalog's lock.
func (s *Server) eachTable(d *dataset, f func(*table)) {
	tables := s.catalog.tables(d)
	s.catalog.mu.RLock()
	defer s.catalog.mu.RUnlock()
	for _, t := range tables {
		f(t)
	}
}

func (s *Server) schemataOptionsRows(d *dataset) (rows []map[string]any, _ *apierror.Error) {
	s.catalog.mu.RLock()
	defer s.catalog.mu.RUnlock()
	for _, o := range d.options() {
		rows = append(rows, map[string]any{"catalog_name": d.ref.ProjectID, "schema_name": d.ref.DatasetID,
			"option_name": o.name, "option_type": o.kind, "option_value": o.value})
	}
	return rows, nil
}

func (s *Server) tableOptionsRows(d *dataset) (rows []map[string]any, _ *apierror.Error) {
	s.eachTable(d, func(t *table) {
		for _, o := range t.options() {
			row := tableRow(t)
			row["option_name"], row["option_type"], row["option_value"] = o.name, o.kind, o.value
			rows = append(rows, row)
		}
	})
	return rows, nil
}

func (s *Server) fieldPathsRows(d *dataset) (rows []map[string]any, _ *apierror.Error) {
	s.eachTable(d, func(t *table) {
		for i, c := range t.columns {
			var add func(path string, f *wire.Field, typ googlesql.Type)
			add = func(path string, f *wire.Field, typ googlesql.Type) {
				row := tableRow(t)
				row["column_name"], row["field_path"], row["data_type"] = c.Name, path, typ.String()
				row["collation_name"] = "NULL"
				if f.Description != "" {
					row["description"] = f.Description
				}
				rows = append(rows, row)
				if typ.Kind == googlesql.Array {
					typ = *typ.Elem
				}
				for k := range f.Fields {
					add(path+"."+f.Fields[k].Name, &f.Fields[k], typ.Fields[k].Type)
				}
			}
			add(c.Name, &t.schema[i], c.Type)
		}
	})
	return rows, nil
}

func (s *Server) viewsRows(d *dataset) (rows []map[string]any, _ *apierror.Error) {
	s.eachTable(d, func(t *table) {
		if t.view == nil {
			return
		}
		row := tableRow(t)
		row["view_definition"], row["use_standard_sql"] = t.view.Query, "YES"
		rows = append(rows, row)
	})
	return rows, nil
}
