package infoschema

import (
	"context"
	"strings"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/catalog"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

// metaTables are the tables about the tables of a dataset that are older than INFORMATION_SCHEMA.
var metaTables = map[string]view{
	"__TABLES__": {rows: metaTableRows, columns: ofMeta + "last_modified_time INT64, row_count INT64, " +
		"size_bytes INT64, type INT64"},
	"__TABLES_SUMMARY__": {rows: metaTableRows, columns: ofMeta + "type INT64"},
}

const ofMeta = "project_id STRING, dataset_id STRING, table_id STRING, creation_time INT64, "

// MetaTable returns a table about the tables of a dataset, or nil if there is none
// with the name.
func (s *Views) MetaTable(d *catalog.Dataset, name googlesql.TableName) (*googlesql.Table, error) {
	v, ok := metaTables[strings.ToUpper(name.Table)]
	if !ok {
		return nil, nil
	}
	rows, err := v.rows(s.Catalog, d)
	if err != nil {
		return nil, err
	}
	return v.table(name, rows)
}

// metaTableRows returns the rows of both. The type is 1 for a table and 2 for a view. For other
// kinds Google does not document it.
func metaTableRows(c *catalog.Catalog, d *catalog.Dataset) (rows []map[string]any, _ *apierror.Error) {
	for _, t := range c.Tables(d) {
		total, bytes, kind := int64(0), int64(0), int64(2)
		switch t.ViewKind() {
		case "TABLE":
			kind = 1
			n, sizes, err := c.TableSize(context.Background(), t)
			if err != nil {
				return nil, apierror.From(err)
			}
			total = n
			for _, b := range sizes {
				bytes += b
			}
		case "VIEW":
		default:
			return nil, apierror.Errorf("invalidQuery", "__TABLES__ of a dataset with a %s is not supported by the "+
				"sandbox", t.ViewKind())
		}
		c.Mu.RLock()
		rows = append(rows, map[string]any{"project_id": t.Name.Project, "dataset_id": t.Name.Dataset,
			"table_id": t.Name.Table, "creation_time": t.Created.UnixMilli(),
			"last_modified_time": t.Modified.UnixMilli(), "row_count": total, "size_bytes": bytes, "type": kind})
		c.Mu.RUnlock()
	}
	return rows, nil
}
