package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
)

// preparedRows is the number of rows of a shape that are prepared. A longer
// result repeats them.
const preparedRows = 1000

// floorSession reads prepared rows through database/sql. No driver can be faster.
type floorSession struct {
	driverSession // of which the values come
	prepared      map[string][][]driver.Value
}

func openFloor(ctx context.Context, at addresses) (session, error) {
	s, err := openDriver("rest")(ctx, at)
	if err != nil {
		return nil, err
	}
	return floorSession{s.(driverSession), map[string][][]driver.Value{}}, nil
}

func (f floorSession) read(ctx context.Context, s shape, rows int) (int, error) {
	if f.prepared[s.name] == nil {
		var err error
		if f.prepared[s.name], err = f.prepare(ctx, s); err != nil {
			return 0, err
		}
	}
	db := sql.OpenDB(&floor{f.prepared[s.name], rows, 0})
	defer db.Close()
	return scanTyped(ctx, db, s, "")
}

// prepare returns rows as the driver passes them to database/sql.
func (f floorSession) prepare(ctx context.Context, s shape) ([][]driver.Value, error) {
	r, err := f.db.QueryContext(ctx, statement(s, preparedRows))
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var all [][]driver.Value
	for r.Next() {
		row := make([]driver.Value, len(s.fields))
		dest := make([]any, len(row))
		for i := range row {
			dest[i] = (*any)(&row[i])
		}
		if err := r.Scan(dest...); err != nil {
			return nil, err
		}
		all = append(all, row)
	}
	return all, r.Err()
}

// floor is a driver whose every query has the same rows.
type floor struct {
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
