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
	ctx     context.Context // the statement's, because Next gets none
	run     *runner
	ordered bool // the rows can have an order
	changed bool // the statement can have changed something
	fixed   bool // the result is in an anonymous table, which does not change
	columns []column
	watch   *recorder
	loan    *loan // nil unless Query or QueryArrow reads the rows
	batches batches
	current *batch
	row     []driver.Value // the last one of current that was returned
	err     error
	read    int64 // rows returned

	sets []*bq.JobReference // of a script: the results that follow
	last *page              // of a script: the page of its last result
}

var (
	_ driver.Rows                           = (*rows)(nil)
	_ driver.RowsColumnTypeScanType         = (*rows)(nil)
	_ driver.RowsColumnTypeDatabaseTypeName = (*rows)(nil)
	_ driver.RowsColumnTypeLength           = (*rows)(nil)
	_ driver.RowsColumnTypeNullable         = (*rows)(nil)
	_ driver.RowsColumnTypePrecisionScale   = (*rows)(nil)
)

// open starts with the first page of a result.
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
	if r.fixed && pg.TotalRows > 0 {
		rest.crowd = cl.crowd
	}
	if cl.storage.wanted(r.run.cfg.ReadAPI, pg.remaining()) {
		r.batches = newStorageRows(rest, cl.storage, pg, r.ordered, r.readBy)
	}
	return nil
}

// readBy records for the observer how the rows were read.
func (r *rows) readBy(readAPI string, fallback error) {
	if r.watch != nil {
		r.watch.stats.ReadAPI, r.watch.stats.Fallback = readAPI, fallback
	}
}

// Columns returns the names of the columns. As in BigQuery, a name may occur twice.
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
		return fmt.Errorf("bigqueryuser: Next: got %d values for %d columns", len(dest), len(r.columns))
	}
	if err := r.NextRow(); err != nil {
		return err
	}
	copy(dest, r.row)
	return nil
}

// NextRow reads the next row and returns io.EOF after the last. From Go 1.27 on, database/sql calls
// it instead of Next.
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

// nextBatch reads the next run of rows and returns io.EOF after the last.
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

// unread returns the error of rows that can't be read. It says so if the statement has changed
// something.
func (r *rows) unread(err error) error {
	if r.changed && err != nil {
		return hasRun(err)
	}
	return err
}

// end releases the resources of the rows. Next returns err from now on.
func (r *rows) end(err error) error {
	r.err, r.current, r.row = err, nil, nil
	if r.batches != nil {
		r.batches.Close()
	}
	return err
}

// Close stops reading. Nothing continues in the background.
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

// ColumnTypeScanType returns T for a REQUIRED column or an ARRAY, else sql.Null[T], where T is the
// Go type in the package documentation.
func (r *rows) ColumnTypeScanType(i int) reflect.Type {
	return r.columns[i].scanType()
}

// ColumnTypeDatabaseTypeName returns the type in GoogleSQL: of a scalar type only the name, such as
// NUMERIC, of others the full type, such as ARRAY<STRUCT<a INT64, b NUMERIC(10, 2)>>.
func (r *rows) ColumnTypeDatabaseTypeName(i int) string { return r.columns[i].typeName }

// ColumnTypeLength returns n of STRING(n), in characters, or of BYTES(n), in bytes; math.MaxInt64
// if there is no limit.
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

// ColumnTypeNullable reports whether the column can be NULL. An ARRAY can't: BigQuery returns an
// empty one instead.
func (r *rows) ColumnTypeNullable(i int) (nullable, ok bool) {
	return r.columns[i].nullable(), true
}

// ColumnTypePrecisionScale returns the precision and scale of NUMERIC (38 and 9 unless declared)
// and BIGNUMERIC (76 and 38; its 77th digit is partial).
func (r *rows) ColumnTypePrecisionScale(i int) (precision, scale int64, ok bool) {
	c := &r.columns[i]
	return c.prec, c.scale, c.decimal
}
