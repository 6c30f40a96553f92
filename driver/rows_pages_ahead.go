package driver

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

const (
	// pagesAtOnce limits how many pages of a result are requested at a time, and bytesAtOnce their
	// bytes.
	pagesAtOnce = 6
	bytesAtOnce = 45 << 20
	// pageBytes is how many bytes of rows are requested for each of several pages. It is 70 % of
	// the 10 MB at which BigQuery ends a page, so that a page seldom has fewer rows than requested.
	pageBytes = 7 << 20
	// leastPageBytes is the least size of a page that says how large pages can be, if it has fewer
	// rows than requested. BigQuery may send smaller pages, even empty ones, for reasons of its
	// own.
	leastPageBytes = 256 << 10
)

// pagesAhead requests the pages of a result ahead of the caller, and decodes them in the
// order of their rows.
//
// The token of a page is in the page before it, so reading by tokens makes one request after the
// other. But a page can also be requested by its first row. If crowd is set and the network is not
// fast, several pages are requested at a time, each for as many rows as probably fit one page. If a
// page has fewer rows than requested, the missing ones are requested before the next page is
// decoded.
type pagesAhead struct {
	*jsonPages
	queue  []*pageRequest // in the order of the rows
	next   int64          // the first row that has not been requested
	bytes  float64        // size of a requested page
	turn   []string       // tokens since the last page with rows
	paused time.Time      // when the last pause because of a quota ended
	slow   bool           // several pages are requested at a time
}

// pageRequest is a request for a page.
type pageRequest struct {
	pagePlace
	sent     time.Time
	answered chan struct{} // closed with the answer
	body     []byte
	err      error
	crowded  bool // it must be made again, alone
}

// decodeAll decodes the first page, and requests and decodes all others.
func (p *jsonPages) decodeAll() error {
	a := &pagesAhead{jsonPages: p, bytes: pageBytes, turn: []string{p.token}}
	first, second := p.page, pagePlace{token: p.token, row: p.rows}
	p.page = nil
	a.slow = p.crowd != nil && p.took >= p.crowd.quick
	if first != nil && a.slow { // the third page can be requested only by its first row
		rows, bytes := countRows(first.rows, math.MaxInt)
		second.row += int64(rows)
		a.learn(int64(rows), bytes, firstPage(&p.run.cfg))
	}
	second.limit = a.limit()
	a.request(second)
	if a.slow {
		a.next = second.row + second.limit
		a.fill()
	}
	if first != nil {
		if err := a.decode(&cursor{buf: first.rows, boxes: &p.boxes}); err != nil {
			return err
		}
	}
	if !a.slow {
		if first != nil {
			a.learn(p.rows-second.row, len(first.rows), firstPage(&p.run.cfg))
		}
		a.next = p.rows + second.limit
	}
	for len(a.queue) > 0 {
		a.fill()
		q, err := a.answer()
		if err != nil {
			return err
		}
		a.queue = a.queue[1:]
		a.fill()
		if err := a.read(q); err != nil {
			return err
		}
	}
	return nil
}

// fill requests pages until the queue is full.
func (a *pagesAhead) fill() {
	for a.crowd != nil && a.next < a.total && len(a.queue) < a.width() {
		limit := a.limit()
		a.request(pagePlace{row: a.next, limit: limit})
		a.next += limit
	}
}

// limit returns how many rows to request; 0 leaves it to BigQuery.
func (a *pagesAhead) limit() int64 {
	if a.crowd == nil {
		return a.maxResults
	}
	rows := max(int64(a.bytes/a.rowBytes), 1)
	if a.maxResults > 0 {
		return min(rows, a.maxResults)
	}
	return rows
}

// width returns how many pages may be requested at a time.
func (a *pagesAhead) width() int {
	if !a.slow || a.crowd.dispersed() {
		return 1
	}
	return max(1, min(int(bytesAtOnce/(float64(a.limit())*a.rowBytes)), pagesAtOnce))
}

// learn estimates the size of the next pages from one that has arrived.
func (a *pagesAhead) learn(rows int64, bytes int, limit int64) {
	if rows == 0 {
		return
	}
	a.rowBytes = float64(bytes) / float64(rows)
	if rows < limit && bytes >= leastPageBytes {
		a.bytes = min(0.7*float64(bytes), pageBytes)
	}
}

// request makes a request for a page after those in the queue.
func (a *pagesAhead) request(at pagePlace) {
	q := &pageRequest{pagePlace: at}
	a.queue = append(a.queue, q)
	a.send(q)
}

func (a *pagesAhead) send(q *pageRequest) {
	q.sent, q.answered, q.crowded = time.Now(), make(chan struct{}), false
	alone := a.width() == 1
	var buf []byte
	select {
	case buf = <-a.buffers:
	default:
		if a.crowd != nil {
			rows := min(q.limit, a.total-q.row)
			// Growing it would take more memory.
			buf = make([]byte, 0, int(1.05*a.rowBytes*float64(max(rows, 0))))
		}
	}
	a.work.Go(func() {
		defer close(q.answered)
		ctx, stop := context.WithCancel(a.ctx)
		defer stop()
		q.body, q.err = ask(ctx, a.run.backend, func(cl *client) ([]byte, error) {
			body, err := cl.resultsBody(ctx, a.format, a.ref, q.pagePlace, pollHold, buf)
			if a.crowd != nil && ofQuota(err) {
				a.crowd.disperse()
				if q.crowded = !alone; q.crowded {
					stop()
				}
			}
			return body, err
		})
	})
}

// answer waits for the answer to the first request of the queue. A request that was refused because
// there were too many is made again when no other one is under way.
func (a *pagesAhead) answer() (*pageRequest, error) {
	q := a.queue[0]
	began := time.Now()
	<-q.answered
	a.slow = a.slow || a.crowd != nil && time.Since(began) >= a.crowd.quick
	for q.crowded {
		for _, other := range a.queue {
			<-other.answered
		}
		if q.sent.After(a.paused) {
			if again, end := newPauses(a.run.backend).wait(a.ctx, q.err); end != nil || !again {
				return nil, requestError{withEnd(end, q.err)}
			}
			a.paused = time.Now()
		}
		a.send(q)
		<-q.answered
	}
	if q.err != nil {
		return nil, requestError{q.err}
	}
	return q, nil
}

// read decodes an answer, and requests the rows after it unless they have been requested
// already.
func (a *pagesAhead) read(q *pageRequest) error {
	before, token := a.rows, ""
	var rowsErr error
	pg, err := visitPage(q.body, pageVisitor{
		token: func(t string) error {
			if slices.Contains(a.turn, t) {
				return errors.New("BigQuery sent a page token twice, with no rows between")
			}
			if token = t; t == "" {
				return nil
			}
			a.turn = append(a.turn, t)
			if a.crowd == nil {
				a.request(pagePlace{token: t, limit: a.limit()})
			}
			return nil
		},
		rows: func(c *cursor) error {
			c.boxes = &a.boxes
			rowsErr = a.decode(c)
			return rowsErr
		},
	})
	switch {
	case rowsErr != nil:
		return rowsErr
	case err != nil:
		return requestError{fmt.Errorf("the page after row %d of the result: %w", before, err)}
	case a.total > 0 && a.rows > a.total:
		return a.complete() // there are too many rows, so do not read to the end
	case !pg.JobComplete:
		return tookBack(a.ref)
	}
	if a.rows > before {
		a.turn = a.turn[len(a.turn)-1:]
	}
	if a.crowd != nil {
		got := a.rows - before
		a.learn(got, len(q.body), q.limit)
		if err := a.follow(q, pg, got, token); err != nil {
			return err
		}
	}
	select {
	case a.buffers <- q.body: // no value refers to it
	default:
	}
	return nil
}

// follow requests the rows that are missing between a page and the next request.
func (a *pagesAhead) follow(q *pageRequest, pg *page, got int64, token string) error {
	end := a.total
	if len(a.queue) > 0 {
		end = a.queue[0].row
	}
	at := pagePlace{token: token, row: a.rows, limit: end - a.rows}
	if len(a.queue) == 0 {
		at.limit = min(at.limit, a.limit())
		a.next = a.rows + at.limit
	}
	switch {
	case pg.TotalRows > 0 && int64(pg.TotalRows) != a.total:
		return fmt.Errorf(
			"bigqueryuser: the result had %d rows and now BigQuery says %d: it has changed while it was read",
			a.total,
			pg.TotalRows,
		)
	case a.rows > end:
		return fmt.Errorf("bigqueryuser: BigQuery sent %d rows for a page of %d", got, q.limit)
	case a.rows == a.total && token != "":
		at.limit = a.limit() // there may be rows that were not counted
	case a.rows == end:
		return nil
	case got == 0 && token == "":
		return a.complete()
	}
	a.request(at)
	// Its rows precede those of all other requests.
	last := len(a.queue) - 1
	a.queue = slices.Insert(a.queue[:last], 0, a.queue[last])
	return nil
}
