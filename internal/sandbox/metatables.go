package sandbox

import (
	"context"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
)

// metaTables are the tables about the tables of a dataset that are older than INFORMATION_SCHEMA.
var metaTables = map[string]infoView{
	"__TABLES__": {rows: (*Server).metaTableRows, columns: ofMeta + "last_modified_time INT64, row_count INT64, " +
		"size_bytes INT64, type INT64"},
	"__TABLES_SUMMARY__": {rows: (*Server).metaTableRows, columns: ofMeta + "type INT64"},
}

const ofMeta = "project_id STRING, dataset_id STRING, table_id STRING, creation_time INT64, "

// metaTableRows are the rows of both. A type is 1 for a table and 2 for a view; what it is for other
// kinds Google's documentation does not say.
func (s *Server) metaTableRows(d *dataset) (rows []map[string]any, _ *apierror.Error) {
	for _, t := range s.catalog.tables(d) {
		total, bytes, kind := int64(0), int64(0), int64(2)
		switch t.viewKind() {
		case "TABLE":
			kind = 1
			n, sizes, err := s.tableSize(context.Background(), t)
			if err != nil {
				return nil, apierror.From(err)
			}
			total = n
			for _, b := range sizes {
				bytes += b
			}
		case "VIEW":
		default:
			return nil, apierror.Errorf("invalidQuery", "__TABLES__ of a dataset with a %s is not supported by the sandbox",
				t.viewKind())
		}
		s.catalog.mu.RLock()
		rows = append(rows, map[string]any{"project_id": t.name.Project, "dataset_id": t.name.Dataset,
			"table_id": t.name.Table, "creation_time": t.created.UnixMilli(), "last_modified_time": t.modified.UnixMilli(),
			"row_count": total, "size_bytes": bytes, "type": kind})
		s.catalog.mu.RUnlock()
	}
	return rows, nil
}
