package sandbox

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

// infoView is a view of INFORMATION_SCHEMA.
type infoView struct {
	// columns are their names and types in BigQuery's order
	// (https://cloud.google.com/bigquery/docs/information-schema-intro).
	columns []string
	// rows are those of one dataset: string, int64, time.Time, or nil for NULL, by the column's name.
	rows func(s *Server, d *dataset) []map[string]any
	// oneDataset reports that BigQuery has the view of a dataset, and not of a project or a region.
	oneDataset bool
}

var infoViews = map[string]infoView{
	"SCHEMATA": {[]string{
		"catalog_name STRING", "schema_name STRING", "schema_owner STRING", "creation_time TIMESTAMP",
		"last_modified_time TIMESTAMP",
		"location STRING", "ddl STRING", "default_collation_name STRING", "sync_status JSON",
	}, (*Server).schemataRows, false},
	"TABLES": {[]string{
		"table_catalog STRING", "table_schema STRING", "table_name STRING", "table_type STRING",
		"managed_table_type STRING",
		"is_insertable_into STRING", "is_fine_grained_mutations_enabled STRING", "is_typed STRING",
		"is_change_history_enabled STRING",
		"creation_time TIMESTAMP", "base_table_catalog STRING", "base_table_schema STRING", "base_table_name STRING",
		"snapshot_time_ms TIMESTAMP", "replica_source_catalog STRING", "replica_source_schema STRING",
		"replica_source_name STRING",
		"replication_status STRING", "replication_error STRING", "ddl STRING", "default_collation_name STRING",
		"sync_status JSON",
		"upsert_stream_apply_watermark TIMESTAMP",
	}, (*Server).tablesRows, false},
	"COLUMNS": {[]string{
		"table_catalog STRING", "table_schema STRING", "table_name STRING", "column_name STRING",
		"ordinal_position INT64",
		"is_nullable STRING", "data_type STRING", "is_generated STRING", "generation_expression STRING",
		"is_stored STRING",
		"is_hidden STRING", "is_updatable STRING", "is_system_defined STRING", "is_partitioning_column STRING",
		"clustering_ordinal_position INT64", "collation_name STRING", "column_default STRING", "rounding_mode STRING",
		"policy_tags ARRAY<STRING>",
	}, (*Server).columnsRows, false},
	"TABLE_CONSTRAINTS": {[]string{
		"constraint_catalog STRING", "constraint_schema STRING", "constraint_name STRING", "table_catalog STRING",
		"table_schema STRING", "table_name STRING", "constraint_type STRING", "is_deferrable STRING",
		"initially_deferred STRING", "enforced STRING",
	}, (*Server).constraintsRows, true},
	"KEY_COLUMN_USAGE": {[]string{
		"constraint_catalog STRING", "constraint_schema STRING", "constraint_name STRING", "table_catalog STRING",
		"table_schema STRING", "table_name STRING", "column_name STRING", "ordinal_position INT64",
		"position_in_unique_constraint INT64",
	}, (*Server).keyColumnsRows, true},
	"CONSTRAINT_COLUMN_USAGE": {[]string{
		"table_catalog STRING", "table_schema STRING", "table_name STRING", "column_name STRING",
		"constraint_catalog STRING", "constraint_schema STRING", "constraint_name STRING",
	}, (*Server).constraintColumnsRows, true},
}

// informationSchema makes a view of the datasets that a name means: one, or those of a project in a
// region.
func (r *resolver) informationSchema(name googlesql.TableName, view string) (*googlesql.Table, error) {
	s := r.server
	v, ok := infoViews[view]
	if !ok {
		return nil, &googlesql.Error{Message: "The sandbox does not support INFORMATION_SCHEMA." + view}
	}
	if v.oneDataset && (name.Dataset == "" || strings.HasPrefix(strings.ToLower(name.Dataset), "region-")) {
		return nil, &googlesql.Error{Message: "INFORMATION_SCHEMA." + view + " must be qualified with a dataset"}
	}
	region, isRegion := strings.CutPrefix(strings.ToLower(name.Dataset), "region-")
	if name.Dataset == "" { // the query's own region
		region, isRegion = r.query.location, true
		if region == "" {
			region = s.cfg.Location
		}
	}
	var datasets []*dataset
	location := strings.ToUpper(region)
	if isRegion {
		for _, d := range s.catalog.list(name.Project) {
			if strings.EqualFold(d.location, region) {
				datasets = append(datasets, d)
				location = d.location
			}
		}
	} else {
		d := s.catalog.dataset(name.Project, name.Dataset)
		if d == nil || view == "SCHEMATA" {
			return nil, r.refuse(notFound("Dataset", name.Project+":"+name.Dataset, r.query.location))
		}
		datasets, location = []*dataset{d}, d.location
	}
	if r.query.location == "" {
		r.query.location = location
	}
	if !strings.EqualFold(r.query.location, location) {
		return nil, r.refuse(notFound("Dataset", name.Project+":"+name.Dataset, r.query.location))
	}
	var rows []map[string]any
	for _, d := range datasets {
		rows = append(rows, v.rows(s, d)...)
	}
	return v.table(name, rows), nil
}

// table writes a view's rows as a query.
func (v infoView) table(name googlesql.TableName, rows []map[string]any) *googlesql.Table {
	out := &googlesql.Table{Name: name}
	var names, casts []string
	for _, c := range v.columns {
		column, kind, _ := strings.Cut(c, " ")
		typ := googlesql.Type{Kind: googlesql.Kind(kind)}
		if elem, ok := strings.CutPrefix(kind, "ARRAY<"); ok {
			typ = googlesql.Type{Kind: googlesql.Array, Elem: &googlesql.Type{
				Kind: googlesql.Kind(strings.TrimSuffix(elem, ">"))}}
		}
		out.Columns = append(out.Columns, googlesql.Column{Name: column, Type: typ})
		names = append(names, engine.Quote(column))
		casts = append(casts, "CAST("+engine.Quote(column)+" AS "+typ.DuckDB()+") AS "+engine.Quote(column))
	}
	where := ""
	if len(rows) == 0 { // VALUES needs a row
		rows, where = []map[string]any{{}}, " WHERE FALSE"
	}
	var values []string
	for _, row := range rows {
		cells := make([]string, len(out.Columns))
		for i, c := range out.Columns {
			cells[i] = infoLiteral(row[c.Name])
		}
		values = append(values, "("+strings.Join(cells, ", ")+")")
	}
	out.SQL = "(SELECT " + strings.Join(casts, ", ") + " FROM (VALUES " + strings.Join(values, ", ") + ") AS v(" +
		strings.Join(names, ", ") + ")" + where + ")"
	return out
}

func infoLiteral(v any) string {
	switch v := v.(type) {
	case string:
		return engine.Literal(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case time.Time:
		// BigQuery keeps milliseconds
		return fmt.Sprintf("timezone('UTC', make_timestamp(%d))", v.UnixMicro()/1000*1000)
	case []string:
		return "[]"
	}
	return "NULL"
}

func (s *Server) schemataRows(d *dataset) []map[string]any {
	s.catalog.mu.RLock()
	defer s.catalog.mu.RUnlock()
	return []map[string]any{{
		"catalog_name": d.ref.ProjectID, "schema_name": d.ref.DatasetID, "location": d.location,
		"creation_time": d.created, "last_modified_time": d.modified,
		"ddl": "CREATE SCHEMA " + quoteGoogle(d.ref.ProjectID+"."+d.ref.DatasetID) + optionsText(d.options()) + ";",
	}}
}

func (s *Server) tablesRows(d *dataset) []map[string]any {
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
		if t.view != nil {
			row := rows[len(rows)-1]
			row["table_type"], row["is_insertable_into"] = strings.ReplaceAll(t.viewKind(), "_", " "), "NO"
			row["managed_table_type"] = nil
			row["ddl"] = "CREATE " + row["table_type"].(string) + " " +
				quoteGoogle(t.name.Project+"."+t.name.Dataset+"."+
					t.name.Table) + optionsText(t.options()) + "\nAS " + t.view.Query + ";"
		}
	}
	return rows
}

func (s *Server) columnsRows(d *dataset) []map[string]any {
	var rows []map[string]any
	for _, t := range s.catalog.tables(d) {
		for i, c := range t.columns {
			row := map[string]any{
				"table_catalog": t.name.Project, "table_schema": t.name.Dataset, "table_name": t.name.Table,
				"column_name":      c.Name,
				"ordinal_position": int64(i + 1), "is_nullable": "YES", "data_type": c.Type.String(),
				"is_generated": "NEVER", "is_hidden": "NO",
				"is_system_defined": "NO", "is_partitioning_column": "NO", "policy_tags": []string{},
			}
			if c.Required {
				row["is_nullable"] = "NO"
			}
			if c.Default != "" {
				row["column_default"] = c.Default
			}
			rows = append(rows, row)
		}
	}
	return rows
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
		strings.Join(lines, ",\n  ") + "\n)" + optionsText(t.options()) + ";"
}

// quoteIfNeeded writes a column's name in backticks unless it is a plain one.
func quoteIfNeeded(name string) string {
	if datasetChars.MatchString(name) && (name[0] < '0' || name[0] > '9') && !googlesql.Reserved(name) {
		return name
	}
	return quoteGoogle(name)
}
