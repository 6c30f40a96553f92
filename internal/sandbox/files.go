package sandbox

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/catalog"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/load"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/wire"
)

// readers has DuckDB's functions that read a file, by the extension of its
// name.
var readers = map[string]string{
	".csv":     "read_csv(%s, sample_size = -1)",
	".parquet": "read_parquet(%s)",
	".ndjson":  "read_json(%s, format = 'newline_delimited', sample_size = -1)",
	".jsonl":   "read_json(%s, format = 'newline_delimited', sample_size = -1)",
}

// loadFiles creates the tables of Config.Files.
func (s *Server) loadFiles(ctx context.Context) error {
	for _, table := range slices.Sorted(maps.Keys(s.cfg.Files)) {
		if err := s.loadFile(ctx, table, s.cfg.Files[table]); err != nil {
			return fmt.Errorf("loading %s: %w", table, err)
		}
	}
	return nil
}

func (s *Server) loadFile(ctx context.Context, table, path string) error {
	name, err := fileTable(table)
	if err != nil {
		return err
	}
	reader := readers[strings.ToLower(filepath.Ext(path))]
	if reader == "" {
		return fmt.Errorf("%s is no file whose name ends with .csv, .parquet, .ndjson or .jsonl", path)
	}
	from := fmt.Sprintf(reader, engine.Literal(path))
	conn, err := s.db.Conn()
	if err != nil {
		return err
	}
	defer conn.Release()
	columns, items, err := load.Describe(ctx, conn, from)
	if err != nil {
		return err
	}
	if s.catalog.Dataset(name.Project, name.Dataset) == nil {
		if err := s.catalog.CreateDataset(ctx, &catalog.Dataset{Ref: wire.DatasetReference{ProjectID: name.Project,
			DatasetID: name.Dataset}}); err != nil {
			return err
		}
	}
	if old := s.catalog.Table(name); old != nil && s.cfg.DataDir != "" { // of the last time
		if err := s.catalog.DropTable(ctx, old); err != nil {
			return err
		}
	}
	if err := s.catalog.CheckNewTable(name); err != nil {
		return err
	}
	sql := "CREATE TABLE " + catalog.TableSQL(name) + " AS SELECT " + strings.Join(items, ", ") + " FROM " + from
	if _, err := conn.Exec(ctx, sql); err != nil {
		return err
	}
	s.catalog.AddTable(catalog.NewTable(name, columns, s.now()))
	return nil
}

// fileTable reads [project.]dataset.table.
func fileTable(text string) (googlesql.TableName, error) {
	parts := strings.Split(text, ".")
	if len(parts) == 2 {
		parts = append([]string{DefaultProject}, parts...)
	}
	if len(parts) != 3 || parts[0] == "" || !catalog.ValidDataset(parts[1]) || !catalog.ValidTable(parts[2]) {
		return googlesql.TableName{}, fmt.Errorf("%q is no dataset.table or project.dataset.table", text)
	}
	return googlesql.TableName{Project: parts[0], Dataset: parts[1], Table: parts[2]}, nil
}
