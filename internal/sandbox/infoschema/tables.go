package infoschema

import (
	"cmp"
	"slices"
	"strings"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/catalog"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/wire"
)

func schemataRows(c *catalog.Catalog, d *catalog.Dataset) ([]map[string]any, *apierror.Error) {
	c.Mu.RLock()
	defer c.Mu.RUnlock()
	return []map[string]any{{
		"catalog_name": d.Ref.ProjectID, "schema_name": d.Ref.DatasetID, "location": d.Location,
		"default_collation_name": "NULL",
		"creation_time":          d.Created, "last_modified_time": d.Modified,
		"ddl": "CREATE SCHEMA " + googlesql.QuoteName(d.Ref.ProjectID+"."+d.Ref.DatasetID) +
			catalog.OptionsText(d.Options()) + ";",
	}}, nil
}

func tablesRows(c *catalog.Catalog, d *catalog.Dataset) ([]map[string]any, *apierror.Error) {
	var rows []map[string]any
	tables := c.Tables(d)
	c.Mu.RLock()
	defer c.Mu.RUnlock()
	for _, t := range tables {
		rows = append(rows, map[string]any{
			"table_catalog": t.Name.Project, "table_schema": t.Name.Dataset, "table_name": t.Name.Table,
			"table_type": "BASE TABLE", "managed_table_type": "NATIVE",
			"is_insertable_into": "YES", "is_fine_grained_mutations_enabled": "NO", "is_typed": "NO",
			"is_change_history_enabled": "NO",
			"creation_time":             t.Created, "ddl": tableDDL(t), "default_collation_name": "NULL",
		})
		if b := t.Base; b != nil {
			row := rows[len(rows)-1]
			row["table_type"] = b.Kind
			row["base_table_catalog"], row["base_table_schema"] = b.Name.Project, b.Name.Dataset
			row["base_table_name"] = b.Name.Table
			if b.Kind == catalog.Snapshot {
				row["snapshot_time_ms"], row["is_insertable_into"] = b.At, "NO"
				row["ddl"] = "CREATE SNAPSHOT TABLE " +
					googlesql.QuoteName(t.Name.Project+"."+t.Name.Dataset+"."+t.Name.Table) + "\nCLONE " +
					googlesql.QuoteName(b.Name.Project+"."+b.Name.Dataset+"."+b.Name.Table) +
					catalog.OptionsText(t.Options()) + ";"
			}
		}
		if t.View != nil {
			row := rows[len(rows)-1]
			row["table_type"], row["is_insertable_into"] = strings.ReplaceAll(t.ViewKind(), "_", " "), "NO"
			row["managed_table_type"] = nil
			row["ddl"] = "CREATE " + row["table_type"].(string) + " " +
				googlesql.QuoteName(t.Name.Project+"."+t.Name.Dataset+"."+
					t.Name.Table) + catalog.OptionsText(t.Options()) + "\nAS " + t.View.Query + ";"
		}
	}
	return rows, nil
}

func columnsRows(c *catalog.Catalog, d *catalog.Dataset) ([]map[string]any, *apierror.Error) {
	var rows []map[string]any
	for _, t := range c.Tables(d) {
		for i, c := range t.Columns {
			row := map[string]any{
				"table_catalog": t.Name.Project, "table_schema": t.Name.Dataset, "table_name": t.Name.Table,
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
			if t.Partition != nil && t.Partition.Column == c.Name {
				row["is_partitioning_column"] = "YES"
			}
			if k := slices.Index(t.Cluster, c.Name); k >= 0 {
				row["clustering_ordinal_position"] = int64(k + 1)
			}
			rows = append(rows, row)
		}
	}
	return rows, nil
}

// tableRow begins a row about a table.
func tableRow(t *catalog.Table) map[string]any {
	return map[string]any{"table_catalog": t.Name.Project, "table_schema": t.Name.Dataset, "table_name": t.Name.Table}
}

// eachTable calls f for the tables of a dataset, under the catalog's lock.
func eachTable(c *catalog.Catalog, d *catalog.Dataset, f func(*catalog.Table)) {
	tables := c.Tables(d)
	c.Mu.RLock()
	defer c.Mu.RUnlock()
	for _, t := range tables {
		f(t)
	}
}

func schemataOptionsRows(c *catalog.Catalog, d *catalog.Dataset) (rows []map[string]any, _ *apierror.Error) {
	c.Mu.RLock()
	defer c.Mu.RUnlock()
	for _, o := range d.Options() {
		rows = append(rows, map[string]any{"catalog_name": d.Ref.ProjectID, "schema_name": d.Ref.DatasetID,
			"option_name": o.Name, "option_type": o.Kind, "option_value": o.Value})
	}
	return rows, nil
}

func tableOptionsRows(c *catalog.Catalog, d *catalog.Dataset) (rows []map[string]any, _ *apierror.Error) {
	eachTable(c, d, func(t *catalog.Table) {
		for _, o := range t.Options() {
			row := tableRow(t)
			row["option_name"], row["option_type"], row["option_value"] = o.Name, o.Kind, o.Value
			rows = append(rows, row)
		}
	})
	return rows, nil
}

func fieldPathsRows(c *catalog.Catalog, d *catalog.Dataset) (rows []map[string]any, _ *apierror.Error) {
	eachTable(c, d, func(t *catalog.Table) {
		for i, c := range t.Columns {
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
			add(c.Name, &t.Schema[i], c.Type)
		}
	})
	return rows, nil
}

func viewsRows(c *catalog.Catalog, d *catalog.Dataset) (rows []map[string]any, _ *apierror.Error) {
	eachTable(c, d, func(t *catalog.Table) {
		if t.View == nil {
			return
		}
		row := tableRow(t)
		row["view_definition"], row["use_standard_sql"] = t.View.Query, "YES"
		rows = append(rows, row)
	})
	return rows, nil
}
