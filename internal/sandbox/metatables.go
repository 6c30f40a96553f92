package sandbox

import (
	"context"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/catalog"
)

// metaTables are the tables about the tables of a dataset that are older than INFORMATION_SCHEMA.
var metaTables = map[string]infoView{
	"__TABLES__": {rows: (*Server).metaTableRows, columns: ofMeta + "last_modified_time INT64, row_count INT64, " +
		"size_bytes INT64, type INT64"},
	"__TABLES_SUMMARY__": {rows: (*Server).metaTableRows, columns: ofMeta + "type INT64"},
}

const ofMeta = "project_id STRING, dataset_id STRING, table_id STRING, creation_time INT64, "

// metaTableRows returns the rows of both. A type is 1 for a table and 2 for a view; what it is for
// other kinds Google's documentation does not say.
func (s *Server) metaTableRows(d *catalog.Dataset) (rows []map[string]any, _ *apierror.Error) {
	for _, t := range s.catalog.Tables(d) {
		total, bytes, kind := int64(0), int64(0), int64(2)
		switch t.ViewKind() {
		case "TABLE":
			kind = 1
			n, sizes, err := s.catalog.TableSize(context.Background(), t)
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
				t.ViewKind())
		}
		s.catalog.Mu.RLock()
		rows = append(rows, map[string]any{"project_id": t.Name.Project, "dataset_id": t.Name.Dataset,
			"table_id": t.Name.Table, "creation_time": t.Created.UnixMilli(), "last_modified_time": t.Modified.UnixMilli(),
			"row_count": total, "size_bytes": bytes, "type": kind})
		s.catalog.Mu.RUnlock()
	}
	return rows, nil
}
