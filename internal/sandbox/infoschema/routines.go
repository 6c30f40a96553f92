package infoschema

import (
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/catalog"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

func routineRow(name googlesql.TableName) map[string]any {
	return map[string]any{
		"specific_catalog": name.Project, "specific_schema": name.Dataset, "specific_name": name.Table,
	}
}

func routinesRows(c *catalog.Catalog, d *catalog.Dataset) (rows []map[string]any, _ *apierror.Error) {
	for _, f := range c.Functions(d) {
		row := routineRow(f.Name)
		row["routine_catalog"], row["routine_schema"] = f.Name.Project, f.Name.Dataset
		row["routine_name"], row["routine_body"], row["routine_definition"] = f.Name.Table, "SQL", f.Body
		row["routine_type"] = "FUNCTION"
		if f.Table {
			row["routine_type"] = "TABLE FUNCTION"
		}
		if f.Returns != nil {
			row["data_type"] = f.Returns.String()
		}
		row["created"], row["last_altered"] = f.Created, f.Created
		rows = append(rows, row)
	}
	for _, p := range c.Procedures(d) {
		rows = append(rows, map[string]any{"specific_catalog": p.Name.Project, "specific_schema": p.Name.Dataset,
			"specific_name": p.Name.Table, "routine_catalog": p.Name.Project, "routine_schema": p.Name.Dataset,
			"routine_name": p.Name.Table, "routine_body": "SQL", "routine_definition": p.Body,
			"routine_type": "PROCEDURE", "created": p.Created, "last_altered": p.Created})
	}
	return rows, nil
}

// routineOptionsRows returns the only option of routines that the sandbox keeps.
func routineOptionsRows(c *catalog.Catalog, d *catalog.Dataset) (rows []map[string]any, _ *apierror.Error) {
	add := func(row map[string]any, description string) {
		if description != "" {
			row["option_name"], row["option_type"] = "description", "STRING"
			row["option_value"] = googlesql.StringLiteral(description)
			rows = append(rows, row)
		}
	}
	for _, f := range c.Functions(d) {
		add(routineRow(f.Name), f.Description)
	}
	for _, p := range c.Procedures(d) {
		add(routineRow(p.Name), p.Description)
	}
	return rows, nil
}

func parametersRows(c *catalog.Catalog, d *catalog.Dataset) (rows []map[string]any, _ *apierror.Error) {
	for _, f := range c.Functions(d) {
		if f.Returns != nil {
			row := routineRow(f.Name)
			row["ordinal_position"], row["is_result"], row["data_type"] = int64(0), "YES", f.Returns.String()
			rows = append(rows, row)
		}
		for i, p := range f.Params {
			row := routineRow(f.Name)
			row["ordinal_position"], row["is_result"], row["parameter_name"] = int64(i+1), "NO", p.Name
			row["data_type"] = "ANY TYPE"
			if p.Type != nil {
				row["data_type"] = p.Type.String()
			}
			rows = append(rows, row)
		}
	}
	for _, p := range c.Procedures(d) {
		for i, param := range p.Params {
			row := routineRow(p.Name)
			row["ordinal_position"], row["is_result"], row["parameter_name"] = int64(i+1), "NO", param.Name
			row["parameter_mode"], row["data_type"] = param.Mode, "ANY TYPE"
			if param.Type != nil {
				row["data_type"] = param.Type.String()
			}
			rows = append(rows, row)
		}
	}
	return rows, nil
}
