package sandbox

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

// readers are DuckDB's functions that read a file, by the end of its name.
var readers = map[string]string{
	".csv":     "read_csv(%s, sample_size = -1)",
	".parquet": "read_parquet(%s)",
	".ndjson":  "read_json(%s, format = 'newline_delimited', sample_size = -1)",
	".jsonl":   "read_json(%s, format = 'newline_delimited', sample_size = -1)",
}

// loadFiles makes the tables of Config.Files.
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
	columns, items, err := s.fileColumns(ctx, from)
	if err != nil {
		return err
	}
	if s.catalog.dataset(name.Project, name.Dataset) == nil {
		if err := s.createDataset(ctx, &dataset{ref: datasetReference{name.Project, name.Dataset}}); err != nil {
			return err
		}
	}
	if err := s.catalog.checkNewTable(name); err != nil {
		return err
	}
	sql := "CREATE TABLE " + tableSQL(name) + " AS SELECT " + strings.Join(items, ", ") + " FROM " + from
	if _, err := s.db.Exec(ctx, sql); err != nil {
		return err
	}
	s.catalog.addTable(newTable(name, columns, s.now()))
	return nil
}

// fileTable reads [project.]dataset.table.
func fileTable(text string) (googlesql.TableName, error) {
	parts := strings.Split(text, ".")
	if len(parts) == 2 {
		parts = append([]string{DefaultProject}, parts...)
	}
	if len(parts) != 3 || parts[0] == "" || !validDataset(parts[1]) || !validTable(parts[2]) {
		return googlesql.TableName{}, fmt.Errorf("%q is no dataset.table or project.dataset.table", text)
	}
	return googlesql.TableName{Project: parts[0], Dataset: parts[1], Table: parts[2]}, nil
}

// fileColumns are the columns that DuckDB finds in a file, and the text that takes each.
func (s *Server) fileColumns(ctx context.Context, from string) ([]googlesql.Column, []string, error) {
	conn, err := s.db.Conn()
	if err != nil {
		return nil, nil, err
	}
	defer conn.Release()
	text := googlesql.Type{Kind: googlesql.String}
	res, err := conn.Query(ctx, "SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM "+from+")", nil,
		[]googlesql.Column{{Name: "column_name", Type: text}, {Name: "column_type", Type: text}}, 0)
	if err != nil {
		return nil, nil, err
	}
	var columns []googlesql.Column
	var items []string
	for _, block := range res.Blocks {
		for i := range block.Rows {
			name, duck := string(block.Columns[0].Bytes(i)), string(block.Columns[1].Bytes(i))
			kind, ok := fileKind(duck)
			if !ok {
				return nil, nil, fmt.Errorf("column %s has the type %s, which the sandbox does not load", name, duck)
			}
			if !fieldName.MatchString(name) {
				return nil, nil, fmt.Errorf("column %q has a name that the sandbox does not load", name)
			}
			typ := googlesql.Type{Kind: kind}
			columns = append(columns, googlesql.Column{Name: name, Type: typ})
			items = append(items, fmt.Sprintf("CAST(%s AS %s) AS %[1]s", engine.Quote(name), typ.DuckDB()))
		}
	}
	return columns, items, nil
}

var (
	fieldName   = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,299}$`)
	decimalType = regexp.MustCompile(`^DECIMAL\((\d+),(\d+)\)$`)
)

// fileKinds are GoogleSQL's types for the types of a file.
var fileKinds = map[string]googlesql.Kind{
	"TINYINT": googlesql.Int64, "SMALLINT": googlesql.Int64, "INTEGER": googlesql.Int64, "BIGINT": googlesql.Int64,
	"UTINYINT": googlesql.Int64, "USMALLINT": googlesql.Int64, "UINTEGER": googlesql.Int64,
	"FLOAT": googlesql.Float64, "DOUBLE": googlesql.Float64, "BOOLEAN": googlesql.Bool, "VARCHAR": googlesql.String,
	"BLOB": googlesql.Bytes, "DATE": googlesql.Date, "TIME": googlesql.Time, "TIMESTAMP": googlesql.Datetime,
	"TIMESTAMP WITH TIME ZONE": googlesql.Timestamp,
}

func fileKind(duck string) (googlesql.Kind, bool) {
	if m := decimalType.FindStringSubmatch(duck); m != nil {
		width, _ := strconv.Atoi(m[1]) // digits
		scale, _ := strconv.Atoi(m[2])
		return googlesql.Numeric, scale <= 9 && width-scale <= 29
	}
	kind, ok := fileKinds[duck]
	return kind, ok
}
