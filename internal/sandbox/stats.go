package sandbox

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

// minBilled is the least that BigQuery bills for a query that reads anything.
const minBilled = 10 << 20

const megabyte = 1 << 20

// billed is what BigQuery bills for bytes: whole megabytes, ten at least.
func billed(bytes int64) int64 {
	if bytes == 0 {
		return 0
	}
	return max(minBilled, (bytes+megabyte-1)/megabyte*megabyte)
}

// sizeCache remembers the logical size of a table's columns for one version of
// its rows.
type sizeCache struct {
	mu      sync.Mutex
	version int64
	known   bool
	rows    int64
	bytes   map[string]int64
}

// tableSize is the number of rows of a table and the logical bytes of each of
// its columns, by BigQuery's rule: INT64, FLOAT64, DATE, TIME, DATETIME and
// TIMESTAMP 8, BOOL 1, NUMERIC and INTERVAL 16, STRING, BYTES and JSON 2 and
// their length in UTF-8, ARRAY and STRUCT their parts, NULL 0.
func (s *Server) tableSize(ctx context.Context, t *table) (rows int64, bytes map[string]int64, err error) {
	if t.temp || t.view != nil {
		return t.sizes.rows, t.sizes.bytes, nil
	}
	s.catalog.mu.RLock()
	version := t.version
	s.catalog.mu.RUnlock()
	t.sizes.mu.Lock()
	defer t.sizes.mu.Unlock()
	if t.sizes.known && t.sizes.version == version {
		return t.sizes.rows, t.sizes.bytes, nil
	}
	conn, err := s.db.Conn()
	if err != nil {
		return 0, nil, err
	}
	defer conn.Release()
	if err := measure(ctx, conn, t, tableSQL(t.name)); err != nil {
		return 0, nil, err
	}
	t.sizes.version, t.sizes.known = version, true
	return t.sizes.rows, t.sizes.bytes, nil
}

// measure fills the sizes of a table that sql names.
func measure(ctx context.Context, conn *engine.Conn, t *table, sql string) error {
	exprs := []string{"count(*)"}
	columns := []googlesql.Column{{Name: "rows", Type: googlesql.Type{Kind: googlesql.Int64}}}
	for _, c := range t.columns {
		exprs = append(exprs, fmt.Sprintf("coalesce(sum(%s), 0)", sizeSQL(engine.Quote(c.Name), c.Type, 0)))
		columns = append(columns, googlesql.Column{Name: c.Name, Type: googlesql.Type{Kind: googlesql.Int64}})
	}
	res, err := conn.Query(ctx, "SELECT "+strings.Join(exprs, ", ")+" FROM "+sql, nil, columns, 0)
	if err != nil {
		return err
	}
	row := res.Blocks[0].Columns
	t.sizes.rows, t.sizes.bytes = row[0].Ints[0], map[string]int64{}
	for i, c := range t.columns {
		t.sizes.bytes[c.Name] = row[i+1].Ints[0]
	}
	return nil
}

// sizeSQL writes the expression for a value's logical bytes.
func sizeSQL(expr string, t googlesql.Type, depth int) string {
	fixed := func(n int) string { return fmt.Sprintf("CASE WHEN %s IS NULL THEN 0 ELSE %d END", expr, n) }
	switch t.Kind {
	case googlesql.Bool:
		return fixed(1)
	case googlesql.Numeric, googlesql.Interval, googlesql.Range:
		return fixed(16)
	case googlesql.BigNumeric:
		return fixed(32)
	case googlesql.String, googlesql.JSON:
		return fmt.Sprintf("coalesce(2 + strlen(%s), 0)", expr)
	case googlesql.Bytes:
		return fmt.Sprintf("coalesce(2 + octet_length(%s), 0)", expr)
	case googlesql.Array:
		v := fmt.Sprintf("e%d", depth)
		return fmt.Sprintf("coalesce(list_sum(list_transform(%s, lambda %s: %s)), 0)", expr, v,
			sizeSQL(v, *t.Elem, depth+1))
	case googlesql.Struct:
		parts := []string{"0"}
		for i, f := range t.Fields {
			// By place: names may be empty.
			_ = f.Name
			parts = append(parts, sizeSQL(fmt.Sprintf("struct_extract_at(%s, %d)", expr, i+1), f.Type, depth))
		}
		return "(" + strings.Join(parts, " + ") + ")"
	default:
		return fixed(8)
	}
}

// bytesProcessed is what a statement reads, by BigQuery's rule: the columns that
// it names in the tables that it reads, whatever its WHERE and LIMIT say, and all
// columns of a table that it updates or deletes from.
func (s *Server) bytesProcessed(ctx context.Context, who caller, q *query, undeclared bool,
	stmt *googlesql.Statement) (int64, error) {
	var total, views int64
	target := googlesql.TableName{}
	if slices.Contains([]string{"UPDATE", "DELETE", "MERGE"}, stmt.Type) {
		target = *stmt.Target
	}
	tables := stmt.Tables
	if target.Table != "" && !slices.Contains(tables, target) {
		tables = append(slices.Clone(tables), target)
	}
	for _, name := range tables {
		t := s.tableFor(q, name)
		if strings.HasPrefix(name.Table, googlesql.InformationSchema) {
			views = minBilled
		}
		if t == nil {
			continue
		}
		_, bytes, err := s.tableSize(ctx, t)
		if err != nil {
			return 0, err
		}
		for column, n := range bytes {
			if name == target || (n > 0 && s.readsColumn(who, q, undeclared, stmt, columnName{name, column})) {
				total += n
			}
		}
	}
	return total + views, nil
}

// readsColumn reports whether a statement names a column, or takes it with a
// star: without the column it would mean something else or nothing. A column that
// is named only in EXCEPT (...) counts, which BigQuery does not do.
func (s *Server) readsColumn(who caller, q *query, undeclared bool, stmt *googlesql.Statement, column columnName) bool {
	r := &resolver{server: s, who: who, query: q, hidden: column}
	without, err := googlesql.Translate(q.sql, q.options(r, undeclared))
	return err != nil || without.SQL != stmt.SQL || !reflect.DeepEqual(without.Columns, stmt.Columns)
}
