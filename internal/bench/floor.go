package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"reflect"
)

// preparedRows is the number of rows of a shape that are prepared. A longer
// result repeats them.
const preparedRows = 1000

// floorSession reads prepared rows through database/sql. No driver can be faster.
type floorSession struct {
	typedSession // of which the values come
	prepared     map[string]*floor
}

// openFloor opens a session that reads with a function for typed variables.
func openFloor(
	way func(context.Context, *sql.DB, shape, string) (int, error),
) func(context.Context, addresses) (session, error) {
	return func(ctx context.Context, at addresses) (session, error) {
		s, err := openTyped("rest", way)(ctx, at)
		if err != nil {
			return nil, err
		}
		return floorSession{s.(typedSession), map[string]*floor{}}, nil
	}
}

func (f floorSession) read(ctx context.Context, s shape, rows int) (int, error) {
	if f.prepared[s.name] == nil {
		var err error
		if f.prepared[s.name], err = f.prepare(ctx, s); err != nil {
			return 0, err
		}
	}
	prepared := *f.prepared[s.name]
	prepared.rows = rows
	db := sql.OpenDB(&prepared)
	defer db.Close()
	return f.way(ctx, db, s, "")
}

// prepare returns a driver with rows as the real driver passes them to database/sql.
func (f floorSession) prepare(ctx context.Context, s shape) (*floor, error) {
	r, err := f.db.QueryContext(ctx, statement(s, preparedRows))
	if err != nil {
		return nil, err
	}
	defer r.Close()
	columns, err := r.ColumnTypes()
	if err != nil {
		return nil, err
	}
	var out floor
	for _, c := range columns {
		out.types = append(out.types, c.ScanType())
	}
	for r.Next() {
		row := make([]driver.Value, len(s.fields))
		dest := make([]any, len(row))
		for i := range row {
			dest[i] = (*any)(&row[i])
		}
		if err := r.Scan(dest...); err != nil {
			return nil, err
		}
		out.prepared = append(out.prepared, row)
	}
	return &out, r.Err()
}

// floor is a driver whose every query has the same rows.
type floor struct {
	types    []reflect.Type // of sql.ColumnType.ScanType
	prepared [][]driver.Value
	rows     int
	read     int
}

var errNotQuery = errors.New("only queries")

func (f *floor) Connect(context.Context) (driver.Conn, error) { return f, nil }
func (f *floor) Driver() driver.Driver                        { return nil }
func (f *floor) Prepare(string) (driver.Stmt, error)          { return nil, errNotQuery }
func (f *floor) Begin() (driver.Tx, error)                    { return nil, errNotQuery }
func (f *floor) Close() error                                 { return nil }
func (f *floor) Columns() []string                            { return make([]string, len(f.prepared[0])) }

func (f *floor) ColumnTypeScanType(i int) reflect.Type { return f.types[i] }

func (f *floor) QueryContext(context.Context, string, []driver.NamedValue) (driver.Rows, error) {
	return f, nil
}

func (f *floor) Next(dest []driver.Value) error {
	if f.read == f.rows {
		return io.EOF
	}
	copy(dest, f.prepared[f.read%len(f.prepared)])
	f.read++
	return nil
}
