package driver

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	bq "google.golang.org/api/bigquery/v2"
	"google.golang.org/api/iterator"
)

// runsAhead is how many decoded runs of rows may wait for the caller.
const runsAhead = 4

// jsonPages reads the pages of a finished job over REST. The first page came with the answer to
// the statement. If it is the only one, its rows are decoded when the caller asks for them.
// Otherwise pagesAhead fetches and decodes the pages ahead of the caller.
type jsonPages struct {
	ctx        context.Context // of the statement: database/sql gives Rows.Next none
	stop       context.CancelFunc
	run        *runner
	ref        *bq.JobReference
	columns    []column
	target     target // nil for driver values
	page       *page  // the first; nil once it has been begun
	token      string // of the page after it
	maxResults int64
	crowd      *crowd        // requests several pages at a time; nil for one page after the other
	took       time.Duration // time of the first page's request
	rowBytes   float64       // of the last page
	format     timestamps
	total      int64 // rows of the result
	rows       int64 // decoded so far
	boxes      boxes
	open       *jsonRows // the first page, while the caller decodes it
	err        error     // after the last row

	ahead   chan readAhead
	last    *batch // the last run that Next returned from ahead
	spares  spares
	buffers chan []byte // of decoded pages, to be used again
	work    sync.WaitGroup
}

// readAhead is a run of rows that was decoded ahead of the caller, or the error
// after the last one.
type readAhead struct {
	batch *batch
	err   error
}

func newJSONPages(ctx context.Context, r *runner, columns []column, pg *page) *jsonPages {
	p := &jsonPages{run: r, ref: pg.JobReference, columns: columns, page: pg, token: pg.PageToken,
		maxResults: r.cfg.MaxResults, format: formatOf(pg.Schema), total: int64(pg.TotalRows), took: pg.took}
	if p.token != "" {
		p.rowBytes = pg.rowBytes()
	}
	p.ctx, p.stop = context.WithCancel(ctx)
	return p
}

func (p *jsonPages) Next() (*batch, error) {
	switch {
	case p.err != nil:
		return nil, p.err
	case p.token == "":
		b, err := p.inPage()
		if b == nil && err == nil {
			p.err = p.complete()
			err = p.err
		}
		return b, err
	case p.ref == nil:
		p.err = errors.New("bigqueryuser: BigQuery's answer announces more rows, but names no job to fetch them from")
		return nil, p.err
	case p.ahead == nil:
		p.ahead = make(chan readAhead, runsAhead)
		p.spares = make(spares, runsAhead+2)
		p.buffers = make(chan []byte, pagesAtOnce)
		p.work.Go(p.produce)
	}
	p.spares.put(p.last)
	r, ok := <-p.ahead
	p.last = r.batch
	request, isRequest := errors.AsType[requestError](r.err)
	switch {
	case !ok:
		r.err = p.ctx.Err()
	case isRequest:
		// Translated here, because the connection belongs to the caller's
		// goroutine.
		r.err = p.run.failed(p.ctx, request.error, p.ref)
	}
	p.err = r.err
	return r.batch, r.err
}

// inPage returns the next run of the first page, or nil after the last one.
func (p *jsonPages) inPage() (*batch, error) {
	if p.page != nil {
		p.open = p.reader(&cursor{buf: p.page.rows, boxes: &p.boxes})
		p.page = nil
	}
	if p.err != nil || p.open == nil {
		return nil, p.err
	}
	b, err := p.open.batch()
	p.rows += int64(b.rows)
	if p.err = err; b.rows > 0 {
		return b, nil
	}
	p.open = nil
	return nil, err
}

func (p *jsonPages) reader(c *cursor) *jsonRows {
	r := &jsonRows{columns: p.columns, target: p.target, cursor: c, row: p.rows, ended: c.buf == nil, spares: p.spares}
	if p.ahead != nil {
		r.size = lastRun
	}
	return r
}

// complete returns the error after the last row: iterator.Done, or an error if
// rows are missing.
func (p *jsonPages) complete() error {
	if p.rows != p.total && p.total > 0 {
		return fmt.Errorf("bigqueryuser: the result has %d rows and BigQuery sent %d", p.total, p.rows)
	}
	return iterator.Done
}

// Close stops the requests and the decoding, and waits for them.
func (p *jsonPages) Close() error {
	p.stop()
	p.work.Wait()
	p.boxes.close()
	p.page, p.open, p.err = nil, nil, iterator.Done
	return nil
}

var errStopped = errors.New("stopped")

// requestError is the error of a request that was made ahead of the caller.
type requestError struct{ error }

// produce decodes all pages, and fetches the next ones meanwhile.
func (p *jsonPages) produce() {
	defer close(p.ahead)
	err := p.decodeAll()
	if err == errStopped {
		return // Next returns the reason
	}
	if err == nil {
		err = p.complete()
	}
	p.hand(readAhead{err: err})
}

// hand passes a run to the caller. It returns false if the caller has stopped
// reading.
func (p *jsonPages) hand(r readAhead) bool {
	select {
	case p.ahead <- r:
		return true
	case <-p.ctx.Done():
		return false
	}
}

// decode passes the rows of one page to the caller.
func (p *jsonPages) decode(c *cursor) error {
	rows := p.reader(c)
	for !rows.ended {
		b, err := rows.batch()
		p.rows += int64(b.rows)
		if b.rows > 0 && !p.hand(readAhead{batch: b}) {
			return errStopped
		}
		if err != nil {
			return err
		}
	}
	return nil
}
