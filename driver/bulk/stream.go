package bulk

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
	"unsafe"
)

const (
	// batchBytes is the size of a request, unless a row is larger. BigQuery accepts 10 MB.
	batchBytes = 1 << 20
	maxRequest = 10 << 20
	// maxWaiting bounds the number of requests that wait for their acknowledgement.
	maxWaiting = 8

	// flushAfter bounds how long rows of a committed stream wait for a request to fill up.
	flushAfter = time.Second

	// slowest is the slowest network, in bytes a second, over which rows are sent.
	slowest = 64 << 10

	maxBreaks  = 8 // in a row, without an acknowledgement in between
	firstPause = 250 * time.Millisecond
	maxPause   = 8 * time.Second
)

// silenceLimit is how long rows wait for their acknowledgement, in addition to the time that the
// slowest network takes for them, before the stream is reopened. Tests shorten it.
var silenceLimit = 25 * time.Second

// batch is a request: its rows, and the offset of the first one in the stream.
type batch struct {
	offset int64
	bytes  []byte
	ends   []int // size of the rows
}

func (b *batch) rows() [][]byte {
	rows := make([][]byte, len(b.ends))
	from := 0
	for i, to := range b.ends {
		rows[i] = b.bytes[from:to:to]
		from = to
	}
	return rows
}

// writer sends rows to a write stream. The caller's goroutine encodes them; others send them and
// read acknowledgements.
type writer struct {
	t      *task
	ctx    context.Context
	stop   context.CancelFunc
	stream string
	free   chan *batch

	filling sync.Mutex // for open, which a timer flushes
	open    batch      // the batch being filled

	mu      sync.Mutex
	changed *sync.Cond
	waiting []*batch  // sent or waiting to be sent, not acknowledged yet
	since   time.Time // since when the first of them waits on this connection
	rows    int64     // acknowledged
	bytes   int64
	ended   bool // no more batches follow
	err     error
	done    sync.WaitGroup
}

func (t *task) newWriter(ctx context.Context, stream string) *writer {
	w := &writer{t: t, stream: stream, free: make(chan *batch, maxWaiting+1)}
	w.ctx, w.stop = context.WithCancel(ctx)
	w.changed = sync.NewCond(&w.mu)
	context.AfterFunc(w.ctx, func() { w.fail(w.ctx.Err()) })
	w.done.Go(w.send)
	if t.opts.committed {
		w.done.Go(w.flushOften)
	}
	return w
}

// flushOften sends written rows after a while, because input without an end may pause.
func (w *writer) flushOften() {
	ticker := time.NewTicker(flushAfter)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			w.filling.Lock()
			if len(w.open.ends) > 0 {
				_ = w.flush(len(w.open.bytes)) // a later call returns the error too
			}
			w.filling.Unlock()
		case <-w.ctx.Done():
			return
		}
	}
}

// row encodes a row, and passes on a full batch.
func (w *writer) row(e encoder, p unsafe.Pointer) (err error) {
	w.filling.Lock()
	defer w.filling.Unlock()
	start := len(w.open.bytes)
	if w.open.bytes, err = encodeRow(w.open.bytes, e, p); err != nil {
		return rowError(w.open.offset+int64(len(w.open.ends)), err)
	}
	if n := len(w.open.bytes) - start; n > maxRequest-1024 {
		return rowError(w.open.offset+int64(len(w.open.ends)),
			fmt.Errorf("it has %d bytes, but a request can have 10 MB", n))
	}
	w.open.ends = append(w.open.ends, len(w.open.bytes))
	if len(w.open.bytes) < batchBytes {
		return nil
	}
	return w.flush(start)
}

// encodeRow encodes a row. A nil row is an error.
func encodeRow(b []byte, e encoder, p unsafe.Pointer) ([]byte, error) {
	b, null, err := e(b, p)
	if null && err == nil {
		err = errors.New("the row is nil")
	}
	return b, err
}

// rowError returns the error of a row, which is counted from 0.
func rowError(row int64, err error) error {
	return fmt.Errorf("bigqueryuser: row %d: %w", row+1, err)
}

// flush passes on the encoded rows. A last row that makes the request too large waits for the next
// one.
func (w *writer) flush(last int) error {
	full := &batch{offset: w.open.offset, bytes: w.open.bytes, ends: w.open.ends}
	next := batch{}
	select {
	case old := <-w.free:
		next = batch{bytes: old.bytes[:0], ends: old.ends[:0]}
	default:
	}
	if n := len(full.ends); n > 1 && len(full.bytes) > maxRequest/2 {
		next.bytes = append(next.bytes, full.bytes[last:]...)
		next.ends = append(next.ends, len(next.bytes))
		full.bytes, full.ends = full.bytes[:last], full.ends[:n-1]
	}
	next.offset = full.offset + int64(len(full.ends))
	w.open = next
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.err == nil && len(w.waiting) >= maxWaiting {
		w.changed.Wait()
	}
	if w.err != nil {
		return w.err
	}
	if len(w.waiting) == 0 {
		w.since = time.Now()
	}
	w.waiting = append(w.waiting, full)
	w.changed.Broadcast()
	return nil
}

// finish sends the remaining rows and waits for all acknowledgements. It returns the number of
// rows.
func (w *writer) finish() (int64, error) {
	w.filling.Lock()
	defer w.filling.Unlock()
	if len(w.open.ends) > 0 {
		if err := w.flush(len(w.open.bytes)); err != nil {
			return 0, err
		}
	}
	w.mu.Lock()
	w.ended = true
	w.changed.Broadcast()
	for w.err == nil && len(w.waiting) > 0 {
		w.changed.Wait()
	}
	w.mu.Unlock()
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.open.offset, w.err
}

// close ends the writing at once.
func (w *writer) close() {
	w.fail(errors.New("the writer is closed"))
	w.stop()
	w.done.Wait()
}

// fail ends the writing with the first error.
func (w *writer) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil && !(w.ended && len(w.waiting) == 0) {
		w.err = err
	}
	w.changed.Broadcast()
}
