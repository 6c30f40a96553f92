package main

import (
	"context"
	"database/sql"
	"fmt"
	"reflect"
	"time"

	"github.com/bigqueryuser/bigqueryuser/driver"
)

// The rows of the shapes as Go structs.
type (
	narrowRow struct {
		ID   int64
		Name string
	}
	wideRowOf struct {
		C00 int64
		C01 string
		C02 float64
		C03 time.Time
		C04 int64
		C05 string
		C06 float64
		C07 time.Time
		C08 int64
		C09 string
		C10 float64
		C11 time.Time
		C12 int64
		C13 string
		C14 string
		C15 time.Time
		C16 bool
		C17 string
		C18 string
		C19 []byte
	}
	customer struct {
		ID   int64
		Name string
	}
	line struct {
		Product string
		Amount  float64
	}
	nestedRow struct {
		Tags     []int64
		Customer customer
		Lines    []line
	}
)

// typedSession reads rows in a way that knows their types.
type typedSession struct {
	driverSession
	way func(ctx context.Context, db *sql.DB, s shape, text string) (int, error)
}

func (t typedSession) read(ctx context.Context, s shape, rows int) (int, error) {
	return t.way(ctx, t.db, s, statement(s, rows))
}

func openTyped(
	readAPI string, way func(context.Context, *sql.DB, shape, string) (int, error),
) func(context.Context, addresses) (session, error) {
	return func(ctx context.Context, at addresses) (session, error) {
		s, err := openDriver(readAPI)(ctx, at)
		if err != nil {
			return nil, err
		}
		return typedSession{s.(driverSession), way}, nil
	}
}

// queryTyped reads by driver.Query.
func queryTyped(ctx context.Context, db *sql.DB, s shape, text string) (int, error) {
	switch s.name {
	case "narrow":
		return countRows[narrowRow](ctx, db, text)
	case "wide":
		return countRows[wideRowOf](ctx, db, text)
	case "nested":
		return countRows[nestedRow](ctx, db, text)
	}
	return 0, fmt.Errorf("no type for the shape %q", s.name)
}

func countRows[T any](ctx context.Context, db *sql.DB, text string) (n int, err error) {
	for _, err := range driver.Query[T](ctx, db, text) {
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// scanTyped reads by rows.Scan into variables of the types.
func scanTyped(ctx context.Context, db *sql.DB, s shape, text string) (int, error) {
	var n narrowRow
	var w wideRowOf
	var r nestedRow
	dest := map[string][]any{
		"narrow": {&n.ID, &n.Name},
		"wide": {&w.C00, &w.C01, &w.C02, &w.C03, &w.C04, &w.C05, &w.C06, &w.C07, &w.C08, &w.C09, &w.C10, &w.C11, &w.C12,
			&w.C13, &w.C14, &w.C15, &w.C16, &w.C17, &w.C18, &w.C19},
		"nested": {&r.Tags, driver.As(&r.Customer), driver.As(&r.Lines)},
	}[s.name]
	rows, err := db.QueryContext(ctx, text)
	if err != nil {
		return 0, err
	}
	return scanAll(rows, dest)
}

// scanNull reads by rows.Scan into variables of the columns' own types, which are sql.Null[T] for
// NULLABLE columns.
func scanNull(ctx context.Context, db *sql.DB, _ shape, text string) (int, error) {
	rows, err := db.QueryContext(ctx, text)
	if err != nil {
		return 0, err
	}
	columns, err := rows.ColumnTypes()
	if err != nil {
		rows.Close()
		return 0, err
	}
	var dest []any
	for _, c := range columns {
		dest = append(dest, reflect.New(c.ScanType()).Interface())
	}
	return scanAll(rows, dest)
}

// scanAll reads all rows into the same variables.
func scanAll(rows *sql.Rows, dest []any) (int, error) {
	defer rows.Close()
	count := 0
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return count, err
		}
		count++
	}
	return count, rows.Err()
}

// queryArrow reads record batches.
func queryArrow(ctx context.Context, db *sql.DB, _ shape, text string) (int, error) {
	records, err := driver.QueryArrow(ctx, db, text)
	if err != nil {
		return 0, err
	}
	defer records.Release()
	n := 0
	for records.Next() {
		n += int(records.RecordBatch().NumRows())
	}
	return n, records.Err()
}
