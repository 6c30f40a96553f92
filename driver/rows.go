package driver

import (
	"context"
	"database/sql/driver"
	"fmt"
	"io"
	"math"
	"reflect"

	bq "google.golang.org/api/bigquery/v2"
	"google.golang.org/api/iterator"
)

// rows is the result of a query, read page by page. database/sql wraps it.
type rows struct {
	ctx     context.Context // the statement's: database/sql gives Next none
	run     *runner
	ordered bool // they can have an order
	changed bool // the statement can have changed something
	columns []column
	watch   *recorder
	loan    *loan // where the rows go past database/sql; nil if they don't
	batches batches
	current *batch
	row     []driver.Value // of current: the last one that was given out
	err     error
	read    int64 // rows given out

	sets []*bq.JobReference // of a script: the results to come
	last *page              // of a script: the last of them
}

var (
	_ driver.Rows                           = (*rows)(nil)
	_ driver.RowsColumnTypeScanType         = (*rows)(nil)
	_ driver.RowsColumnTypeDatabaseTypeName = (*rows)(nil)
	_ driver.RowsColumnTypeLength           = (*rows)(nil)
	_ driver.RowsColumnTypeNullable         = (*rows)(nil)
	_ driver.RowsColumnTypePrecisionScale   = (*rows)(nil)
)

// open begins with the first page of a result.
func (r *rows) open(pg *page) error {
	columns, err := newColumns(pg.Schema)
	if err != nil {
		return err
	}
	r.columns, r.current, r.row, r.err = columns, nil, nil, nil
	rest := newJSONPages(r.ctx, r.run, columns, pg)
	r.batches = rest
	if r.loan != nil && pg.Schema != nil {
		if rest.target, err = r.loan.bind(columns, pg.Schema.Fields); err != nil {
			return r.unread(err)
		}
	}
	if pg.PageToken == "" || pg.JobReference == nil {
		return nil
	}
	r.readBy("rest", nil)
	cl, err := r.run.clientFor(r.ctx)
	if err != nil {
		return err
	}
	if cl.storage.wanted(r.run.cfg.ReadAPI, pg.remaining()) {
		r.batches = newStorageRows(rest, cl.storage, pg, r.ordered, r.readBy)
	}
	return nil
}

// readBy keeps how the rows came, for the observer of the statement.
func (r *rows) readBy(readAPI string, fallback error) {
	if r.watch != nil {
		r.watch.stats.ReadAPI, r.watch.stats.Fallback = readAPI, fallback
	}
}

// Columns returns the names of the columns, as BigQuery gives them: a name may be there twice.
func (r *rows) Columns() []string {
	names := make([]string, len(r.columns))
	for i := range r.columns {
		names[i] = r.columns[i].name
	}
	return names
}

// Next fills dest with the next row and returns io.EOF after the last.
func (r *rows) Next(dest []driver.Value) error {
	if r.err == nil && len(dest) != len(r.columns) {
		return fmt.Errorf("bigqueryuser: Next: got room for %d values, want %d columns", len(dest), len(r.columns))
	}
	if err := r.NextRow(); err != nil {
		return err
	}
	copy(dest, r.row)
	return nil
}

// NextRow goes on to the next row and returns io.EOF after the last. From Go 1.27 on database/sql
// calls it instead of Next.
func (r *rows) NextRow() error {
	if r.err != nil {
		return r.err
	}
	for {
		if r.current != nil {
			var ok bool
			if r.row, ok = r.current.next(); ok {
				r.read++
				return nil
			}
		}
		var err error
		if r.current, err = r.nextBatch(); err != nil {
			return err
		}
	}
}

// nextBatch goes on to the next run of rows and returns io.EOF after the last.
func (r *rows) nextBatch() (*batch, error) {
	if r.err != nil {
		return nil, r.err
	}
	r.current = nil
	b, err := r.batches.Next()
	if err == iterator.Done {
		return nil, r.end(io.EOF)
	}
	if err != nil {
		return nil, r.end(r.unread(err))
	}
	return b, nil
}

// unread is the error of rows that can't be read, which says so where the statement has changed
// something.
func (r *rows) unread(err error) error {
	if r.changed && err != nil {
		return hasRun(err)
	}
	return err
}

// end frees what the rows hold and keeps err as the answer to any further Next.
func (r *rows) end(err error) error {
	r.err, r.current, r.row = err, nil, nil
	if r.batches != nil {
		r.batches.Close()
	}
	return err
}

// Close stops reading. Nothing goes on in the background after it.
func (r *rows) Close() error {
	r.sets, r.last = nil, nil
	failed := r.err
	if failed == nil {
		r.end(io.EOF)
		failed = r.ctx.Err()
	}
	if failed == io.EOF {
		failed = nil
	}
	if r.watch != nil {
		r.watch.stats.RowsRead = r.read
		r.watch.ended(failed)
	}
	return nil
}

// ColumnTypeScanType returns sql.Null[T] for a column that can be NULL and T for a REQUIRED
// one, with the T of the package documentation's table.
func (r *rows) ColumnTypeScanType(i int) reflect.Type {
	return r.columns[i].scanType()
}

// ColumnTypeDatabaseTypeName returns the type in GoogleSQL: the bare name of a scalar one, such
// as NUMERIC, and all of the others, such as ARRAY<STRUCT<a INT64, b NUMERIC(10, 2)>>.
func (r *rows) ColumnTypeDatabaseTypeName(i int) string { return r.columns[i].typeName }

// ColumnTypeLength returns n of STRING(n), in characters, and BYTES(n), in bytes, and
// math.MaxInt64 where there is no limit.
func (r *rows) ColumnTypeLength(i int) (int64, bool) {
	switch c := &r.columns[i]; c.typeName {
	case "STRING", "BYTES":
		if c.length > 0 {
			return c.length, true
		}
		return math.MaxInt64, true
	}
	return 0, false
}

// ColumnTypeNullable reports whether the column can be NULL; BigQuery always knows. An ARRAY
// can't: BigQuery gives an empty one instead.
func (r *rows) ColumnTypeNullable(i int) (nullable, ok bool) {
	return r.columns[i].nullable(), true
}

// ColumnTypePrecisionScale returns the decimal digits of NUMERIC (38 and 9 unless declared)
// and BIGNUMERIC (76 and 38; its 77th digit is partial).
func (r *rows) ColumnTypePrecisionScale(i int) (precision, scale int64, ok bool) {
	c := &r.columns[i]
	return c.prec, c.scale, c.decimal
}
