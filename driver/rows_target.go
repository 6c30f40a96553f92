package driver

import (
	"errors"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
)

// target is what rows are decoded into in place of driver values: Go values for [Query], Arrow for [QueryArrow].
// A target is used by several goroutines at a time and has no state.
type target interface {
	// room returns a batch with room for n rows.
	room(s spares, n int) *batch
	// row reads the cells of one JSON row into row i of a batch.
	row(c *cursor, b *batch, i int) error
	// done is called after the last row of a batch that was filled by row.
	done(b *batch)
	// step is how many rows of a record are decoded at a time.
	step(record arrow.RecordBatch) int
	// record decodes rows [from, to) of a record.
	record(s spares, record arrow.RecordBatch, from, to int, b *boxes) (*batch, error)
}

// made is what a batch of a target holds.
type made struct {
	list   any               // a []T
	base   unsafe.Pointer    // its first element
	record arrow.RecordBatch // or Arrow
	build  any               // and how it is made of JSON
}

// columnError is the error of a cell in a row that a target reads.
type columnError struct {
	column string
	err    error
}

func (e *columnError) Error() string { return e.column + ": " + e.err.Error() }
func (e *columnError) Unwrap() error { return e.err }

// room is where the next run of rows is decoded.
func (b *jsonRows) room() *batch {
	if b.target != nil {
		return b.target.room(b.spares, b.size)
	}
	return b.spares.get(len(b.columns), b.size)
}

// nextOf reads the next row into a batch. It reports false after the last.
func (b *jsonRows) nextOf(out *batch) (bool, error) {
	if b.target == nil {
		return b.next(out.row(out.rows))
	}
	if ok, err := b.begin(); !ok || err != nil {
		return false, err
	}
	if err := b.target.row(b.cursor, out, out.rows); err != nil {
		if at, ok := errors.AsType[*columnError](err); ok {
			return false, b.fail(at.column, at.err)
		}
		return false, b.fail("", err)
	}
	err := b.end()
	return err == nil, err
}

func (b *jsonRows) done(out *batch) {
	if b.target != nil {
		b.target.done(out)
	}
}

// step is how many rows of a record are decoded at a time.
func (r *arrowReader) step(record arrow.RecordBatch) int {
	if r.target != nil {
		return r.target.step(record)
	}
	return runRows(len(r.columns))
}

// comma goes from one cell of a row to the next.
func comma(c *cursor, i int) bool { return i == 0 || c.literal(",") || c.accept(',') }
