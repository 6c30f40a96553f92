package infoschema

import (
	"slices"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/catalog"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

// keyRow begins a row about a key of a table.
func keyRow(t *catalog.Table, k googlesql.Key) map[string]any {
	return map[string]any{
		"constraint_catalog": t.Name.Project, "constraint_schema": t.Name.Dataset,
		"constraint_name": t.Name.Table + "." + k.Name,
		"table_catalog":   t.Name.Project, "table_schema": t.Name.Dataset, "table_name": t.Name.Table,
	}
}

// eachKey calls f for the keys of a dataset.
func eachKey(c *catalog.Catalog, d *catalog.Dataset, f func(*catalog.Table, googlesql.Key)) {
	tables := c.Tables(d)
	c.Mu.RLock()
	defer c.Mu.RUnlock()
	for _, t := range tables {
		for _, k := range t.Keys {
			f(t, k)
		}
	}
}

func constraintsRows(c *catalog.Catalog, d *catalog.Dataset) (rows []map[string]any, _ *apierror.Error) {
	eachKey(c, d, func(t *catalog.Table, k googlesql.Key) {
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

func keyColumnsRows(c *catalog.Catalog, d *catalog.Dataset) (rows []map[string]any, _ *apierror.Error) {
	eachKey(c, d, func(t *catalog.Table, k googlesql.Key) {
		for i, c := range k.Columns {
			row := keyRow(t, k)
			row["column_name"], row["ordinal_position"] = c, int64(i+1)
			if k.References != nil {
				// Where the column is in the primary key that it refers to.
				row["position_in_unique_constraint"] = int64(i + 1)
				if to := d.Tables[k.References.Table]; to != nil {
					for _, other := range to.Keys {
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

func constraintColumnsRows(c *catalog.Catalog, d *catalog.Dataset) (rows []map[string]any, _ *apierror.Error) {
	eachKey(c, d, func(t *catalog.Table, k googlesql.Key) {
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
