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

// jsonPages are the pages of a finished job over REST. The first one came with the statement's
// answer; if it is the only one it is decoded as the caller asks. Otherwise pages are fetched and
// decoded ahead by pagesAhead, and runsAhead runs of rows wait.
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
	crowd      *crowd        // of requests for several pages at a time; nil for one page after the other
	took       time.Duration // what the first page's request took
	rowBytes   float64       // of the last page
	format     timestamps
	total      int64 // rows of the result
	rows       int64 // decoded so far
	boxes      boxes
	open       *jsonRows // the first page, while the caller decodes it
	err        error     // after the last row

	ahead   chan readAhead
	last    *batch // the last one of them that was given out
	spares  spares
	buffers chan []byte // of pages that have been decoded, for the next
	work    sync.WaitGroup
}

// readAhead is what has been made ahead: rows, or what comes after the last.
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
		p.err = errors.New("bigqueryuser: BigQuery promises more rows but names no job to fetch them from")
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
		// Here, since the connection is the caller's.
		r.err = p.run.failed(p.ctx, request.error, p.ref)
	}
	p.err = r.err
	return r.batch, r.err
}

// inPage gives out the next run of the first page; nil after its last.
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

// complete is what comes after the last row: the end, if all rows were there.
func (p *jsonPages) complete() error {
	if p.rows != p.total && p.total > 0 {
		return fmt.Errorf("bigqueryuser: the result has %d rows and BigQuery sent %d", p.total, p.rows)
	}
	return iterator.Done
}

// Close stops what goes on ahead, and waits for it.
func (p *jsonPages) Close() error {
	p.stop()
	p.work.Wait()
	p.boxes.close()
	p.page, p.open, p.err = nil, nil, iterator.Done
	return nil
}

var errStopped = errors.New("stopped")

// requestError is that of a request that was made ahead.
type requestError struct{ error }

// produce decodes all pages, of which the next is fetched meanwhile.
func (p *jsonPages) produce() {
	defer close(p.ahead)
	err := p.decodeAll()
	if err == errStopped {
		return // Next says why
	}
	if err == nil {
		err = p.complete()
	}
	p.hand(readAhead{err: err})
}

// hand gives a run to the caller; false if the caller has gone.
func (p *jsonPages) hand(r readAhead) bool {
	select {
	case p.ahead <- r:
		return true
	case <-p.ctx.Done():
		return false
	}
}

// decode hands out the rows of one page.
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
