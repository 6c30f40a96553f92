package driver

import "database/sql/driver"

// batch is a run of decoded rows. It belongs to its reader until it is returned as a spare, so that
// another goroutine can decode it ahead.
type batch struct {
	width  int            // number of columns
	rows   int            // number of rows, because there may be no columns
	values []driver.Value // row after row
	read   int            // rows that next has returned
	made   made           // the rows of a target, which has no values
}

// newBatch returns a batch with room for n rows.
func newBatch(width, rows int) *batch {
	return &batch{width: width, rows: rows, values: make([]driver.Value, width*rows)}
}

// spares are batches whose rows have been read and whose memory is used again. So a large result
// needs only as many batches as are in use at a time. The values themselves are not reused.
type spares chan *batch

// get returns a batch, a spare if one is large enough. The caller must set every value.
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

// put returns a batch that is no longer read. It may be nil.
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
	// firstRun and lastRun are the numbers of rows decoded at a time. They grow, because most
	// results are small and a large one should not pay for many runs.
	firstRun = 8
	lastRun  = 1024
	// runCells bounds the values of a run: a table may have 10,000 columns, and several runs wait
	// for the reader.
	runCells = 8 << 10
)

// runRows returns the largest number of rows to decode at a time.
func runRows(width int) int { return min(max(runCells/max(width, 1), 1), lastRun) }

// row returns the values of row i.
func (b *batch) row(i int) []driver.Value { return b.values[i*b.width : (i+1)*b.width] }

// next returns the next row. It returns false after the last.
func (b *batch) next() ([]driver.Value, bool) {
	if b.read == b.rows {
		return nil, false
	}
	b.read++
	return b.row(b.read - 1), true
}

// batches returns the rows of a result in runs. A run is valid until the next call of Next. Next
// returns iterator.Done after the last run; any other error does not invalidate earlier runs. Close
// releases what Next holds, and waits for its goroutines.
type batches interface {
	Next() (*batch, error)
	Close() error
}
