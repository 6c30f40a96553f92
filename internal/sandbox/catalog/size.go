package catalog

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

// sizeCache remembers the logical size of a table's columns for one version of
// its rows.
type sizeCache struct {
	mu      sync.Mutex
	version int64
	known   bool
	rows    int64
	bytes   map[string]int64
}

// TableSize returns the number of rows of a table and the logical bytes of each
// of its columns. The bytes follow BigQuery's rule: INT64, FLOAT64, DATE, TIME,
// DATETIME and TIMESTAMP 8, BOOL 1, NUMERIC and INTERVAL 16, STRING, BYTES and
// JSON 2 and their length in UTF-8, ARRAY and STRUCT their parts, NULL 0.
func (c *Catalog) TableSize(ctx context.Context, t *Table) (rows int64, bytes map[string]int64, err error) {
	if t.Temp || t.View != nil {
		return t.sizes.rows, t.sizes.bytes, nil
	}
	c.Mu.RLock()
	version := t.version
	c.Mu.RUnlock()
	t.sizes.mu.Lock()
	defer t.sizes.mu.Unlock()
	if t.sizes.known && t.sizes.version == version {
		return t.sizes.rows, t.sizes.bytes, nil
	}
	conn, err := c.db.Conn()
	if err != nil {
		return 0, nil, err
	}
	defer conn.Release()
	if err := Measure(ctx, conn, t, TableSQL(t.Name)); err != nil {
		return 0, nil, err
	}
	t.sizes.version, t.sizes.known = version, true
	return t.sizes.rows, t.sizes.bytes, nil
}

// Measure fills the sizes of a table that sql names.
func Measure(ctx context.Context, conn *engine.Conn, t *Table, sql string) error {
	exprs := []string{"count(*)"}
	columns := []googlesql.Column{{Name: "rows", Type: googlesql.Type{Kind: googlesql.Int64}}}
	for _, c := range t.Columns {
		exprs = append(exprs, fmt.Sprintf("coalesce(sum(%s), 0)", SizeSQL(engine.Quote(c.Name), c.Type, 0)))
		columns = append(columns, googlesql.Column{Name: c.Name, Type: googlesql.Type{Kind: googlesql.Int64}})
	}
	res, err := conn.Query(ctx, "SELECT "+strings.Join(exprs, ", ")+" FROM "+sql, nil, columns, 0)
	if err != nil {
		return err
	}
	row := res.Blocks[0].Columns
	t.sizes.rows, t.sizes.bytes = row[0].Ints[0], map[string]int64{}
	for i, c := range t.Columns {
		t.sizes.bytes[c.Name] = row[i+1].Ints[0]
	}
	return nil
}

// SizeSQL writes the expression for a value's logical bytes.
func SizeSQL(expr string, t googlesql.Type, depth int) string {
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
			SizeSQL(v, *t.Elem, depth+1))
	case googlesql.Struct:
		parts := []string{"0"}
		for i, f := range t.Fields {
			// By position, because names may be empty.
			_ = f.Name
			parts = append(parts, SizeSQL(fmt.Sprintf("struct_extract_at(%s, %d)", expr, i+1), f.Type, depth))
		}
		return "(" + strings.Join(parts, " + ") + ")"
	default:
		return fixed(8)
	}
}
