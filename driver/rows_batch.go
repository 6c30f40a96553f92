package driver

import "database/sql/driver"

// batch is a run of decoded rows: what both read paths make of what they receive. The one that made
// it does not touch it until it comes back as a spare, so that it can be made ahead, on another
// goroutine.
type batch struct {
	width  int            // columns
	rows   int            // there may be rows without a column
	values []driver.Value // row after row
	read   int            // rows that next has given out
	made   made           // the rows of a target, in place of values
}

// newBatch makes room for rows that are filled in by set.
func newBatch(width, rows int) *batch {
	return &batch{width: width, rows: rows, values: make([]driver.Value, width*rows)}
}

// spares are batches whose rows have all been given out, to be filled again: a large result makes
// no more of them than are in flight at a time. The values are not the batch's own, they stay.
type spares chan *batch

// get is newBatch with the room of a spare, if there is one that is large enough. Every value must
// be set.
func (s spares) get(width, rows int) *batch {
	select {
	case b := <-s:
		if cap(b.values) >= width*rows {
			*b = batch{width: width, rows: rows, values: b.values[:width*rows]}
			return b
		}
	default:
	}
	return newBatch(width, rows)
}

// put takes a batch, or nil, that is no longer read.
func (s spares) put(b *batch) {
	if b == nil {
		return
	}
	select {
	case s <- b:
	default:
	}
}

const (
	// firstRun and lastRun are how many rows are decoded at a time: most results are small, and in
	// a large one what is done once for each run should not count.
	firstRun = 8
	lastRun  = 1024
	// runCells bounds the values of a run, of which some wait: a table may have 10,000 columns.
	runCells = 32 << 10
)

// runRows is how many rows of so many columns are decoded at a time, at most.
func runRows(width int) int { return min(max(runCells/max(width, 1), 1), lastRun) }

// row is the place of row i.
func (b *batch) row(i int) []driver.Value { return b.values[i*b.width : (i+1)*b.width] }

// next gives out the next row. It reports false after the last.
func (b *batch) next() ([]driver.Value, bool) {
	if b.read == b.rows {
		return nil, false
	}
	b.read++
	return b.row(b.read - 1), true
}

// batches is a result's rows, run by run. A run is the caller's until the next call of Next, which
// ends with iterator.Done; with another error whatever it gave out before still counts. Close frees
// what Next still holds, and waits for whatever runs on its behalf.
type batches interface {
	Next() (*batch, error)
	Close() error
}
