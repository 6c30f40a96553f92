package driver

import (
	"errors"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
)

// target is a destination of rows other than driver values: Go values for [Query], Arrow for
// [QueryArrow]. It is used by several goroutines at a time and has no state.
type target interface {
	// room returns a batch with room for n rows.
	room(s spares, n int) *batch
	// row decodes the cells of a JSON row into row i of a batch.
	row(c *cursor, b *batch, i int) error
	// done is called after the last row that row has decoded into a batch.
	done(b *batch)
	// step is the number of rows of a record to decode at a time.
	step(record arrow.RecordBatch) int
	// keeps reports whether a batch refers to the memory of its record.
	keeps() bool
	// record decodes rows [from, to) of a record.
	record(s spares, record arrow.RecordBatch, from, to int, b *boxes) (*batch, error)
}

// made holds the decoded rows of a target.
type made struct {
	list   any               // a []T
	base   unsafe.Pointer    // its first element
	record arrow.RecordBatch // a record batch
	build  any               // the builder of a record batch from JSON
}

// columnError is the error of a cell in a row of a target.
type columnError struct {
	column string
	err    error
}

func (e *columnError) Error() string { return e.column + ": " + e.err.Error() }
func (e *columnError) Unwrap() error { return e.err }

// room returns a batch for the next run of rows.
func (b *jsonRows) room() *batch {
	if b.target != nil {
		return b.target.room(b.spares, b.size)
	}
	return b.spares.get(len(b.columns), b.size)
}

// nextOf decodes the next row into a batch. It returns false after the last.
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

// step returns the number of rows of a record to decode at a time.
func (r *arrowReader) step(record arrow.RecordBatch) int {
	if r.target != nil {
		return r.target.step(record)
	}
	return runRows(len(r.columns))
}

// comma reads the comma before a cell, except before the first one.
func comma(c *cursor, i int) bool { return i == 0 || c.literal(",") || c.accept(',') }
