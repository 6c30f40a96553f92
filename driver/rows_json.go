package driver

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"

	bq "google.golang.org/api/bigquery/v2"
	"google.golang.org/api/iterator"
)

// page is one answer of jobs.query or jobs.getQueryResults: the small part decoded, the
// rows still as they came.
type page struct {
	bq.QueryResponse        // without Rows
	rows             []byte // the JSON array, nil if there is none
	script           bool   // of several statements, each a job of its own
}

// parsePage takes the rows out of an answer and decodes the rest.
func parsePage(body []byte) (*page, error) {
	p := &page{}
	c := cursor{buf: body}
	rest := body
	if err := c.expect('{'); err != nil {
		return nil, malformed(err)
	}
	for first := true; !c.accept('}'); first = false {
		if !first && !c.accept(',') {
			return nil, malformed(errJSON)
		}
		key, err := c.str()
		if err == nil {
			err = c.expect(':')
		}
		if err != nil {
			return nil, malformed(err)
		}
		c.space()
		start := c.pos
		if err := c.skip(); err != nil {
			return nil, malformed(err)
		}
		if string(key) == "rows" && body[start] == '[' {
			p.rows = body[start:c.pos]
			rest = append(append(append(make([]byte, 0, len(body)-len(p.rows)+4), body[:start]...), "null"...), body[c.pos:]...)
		}
	}
	if err := json.Unmarshal(rest, &p.QueryResponse); err != nil {
		return nil, malformed(err)
	}
	return p, nil
}

// guessedRowBytes is for a first page without rows.
const guessedRowBytes = 100

// remaining estimates how many bytes of rows are still to come after this first page of several.
func (p *page) remaining() int64 {
	rows := int64(0)
	c := cursor{buf: p.rows}
	for more := c.accept('['); more && c.skip() == nil; more = c.accept(',') {
		rows++
	}
	if rows == 0 {
		return guessedRowBytes * int64(p.TotalRows)
	}
	return int64(float64(len(p.rows)) / float64(rows) * float64(int64(p.TotalRows)-rows))
}

func malformed(err error) error { return fmt.Errorf("BigQuery's answer can't be read: %w", err) }

// runRows is how many rows are decoded at a time: few enough to be cheap to hold, enough that what is
// done once for each run does not count.
const runRows = 256

// jsonRows reads the rows of one page.
type jsonRows struct {
	columns []column
	cursor  cursor
	row     int64 // of the result, counted from 1, for errors
	started bool
	ended   bool // the last row has been read
	counted *int64
}

// run decodes the next rows, none after the last. Rows before an error are given out with it.
func (b *jsonRows) run() (*batch, error) {
	out := newBatch(len(b.columns), runRows)
	for out.rows = 0; out.rows < runRows && !b.ended; {
		ok, err := b.next(out.row(out.rows))
		if err != nil {
			return out, err
		}
		if ok {
			out.rows++
		} else {
			b.ended = true
		}
	}
	return out, nil
}

func (b *jsonRows) next(dest []driver.Value) (bool, error) {
	c := &b.cursor
	if !b.started {
		b.started = true
		if c.buf == nil {
			return false, nil
		}
		if !c.accept('[') {
			return false, b.fail("", errJSON)
		}
		if c.accept(']') {
			return false, nil
		}
	} else {
		if c.accept(']') {
			return false, nil
		}
		if !c.accept(',') {
			return false, b.fail("", errJSON)
		}
	}
	b.row++
	*b.counted = b.row
	if err := openCells(c); err != nil {
		return false, b.fail("", err)
	}
	for i := range b.columns {
		if i > 0 && !c.literal(",") && !c.accept(',') {
			return false, b.fail(b.columns[i].name, errTooFewCells)
		}
		v, err := b.columns[i].cell(c)
		if err != nil {
			return false, b.fail(b.columns[i].name, err)
		}
		dest[i] = v
	}
	if !c.literal("]}") && (!c.accept(']') || !c.accept('}')) {
		return false, b.fail("", errTooManyCells)
	}
	return true, nil
}

var (
	errTooFewCells  = errors.New("the row has fewer values than the result has columns")
	errTooManyCells = errors.New("the row has more values than the result has columns")
)

// openCells takes the start of a row, or of a STRUCT, which is written alike.
func openCells(c *cursor) error {
	if c.literal(`{"f":[`) {
		return nil
	}
	if !c.accept('{') {
		return errJSON
	}
	if key, err := c.str(); err != nil || string(key) != "f" {
		return errJSON
	}
	if !c.accept(':') || !c.accept('[') {
		return errJSON
	}
	return nil
}

func (b *jsonRows) fail(column string, err error) error {
	if column == "" {
		return fmt.Errorf("bigqueryuser: row %d of the result can't be read: %w", b.row, err)
	}
	return fmt.Errorf("bigqueryuser: row %d of the result, column %q: %w", b.row, column, err)
}

// jsonPages are the pages of a finished job over REST. The first one came with the
// statement's answer.
type jsonPages struct {
	ctx        context.Context // of the statement: database/sql gives Rows.Next none
	stop       context.CancelFunc
	conn       *Conn
	ref        *bq.JobReference
	columns    []column
	page       *page // to be delivered; nil if it must be fetched
	token      string
	maxResults int64
	rows       int64 // delivered so far
	boxes      boxes
	open       *jsonRows // the page that is being read
	err        error     // after the last row
}

func (p *jsonPages) Next() (*batch, error) {
	for {
		b, err := p.inPage()
		if b != nil || err != nil {
			return b, err
		}
		if p.open, p.err = p.nextPage(); p.err != nil {
			return nil, p.err
		}
	}
}

// inPage gives out the next run of the page that is there; nil after its last.
func (p *jsonPages) inPage() (*batch, error) {
	if p.err != nil {
		return nil, p.err
	}
	if p.open == nil && p.page != nil {
		p.open, p.err = p.nextPage()
	}
	if p.open == nil {
		return nil, p.err
	}
	b, err := p.open.run()
	if p.err = err; b.rows > 0 {
		return b, nil
	}
	p.open = nil // its page may go while the next one comes
	return nil, err
}

func (p *jsonPages) nextPage() (*jsonRows, error) {
	pg := p.page
	p.page = nil
	if pg == nil {
		if p.token == "" {
			return nil, iterator.Done
		}
		var err error
		if pg, err = p.conn.results(p.ctx, p.ref, p.token, p.maxResults, pollTimeoutMs); err != nil {
			return nil, err
		}
		if !pg.JobComplete {
			return nil, fmt.Errorf("bigqueryuser: BigQuery took back that job %s is complete", p.ref.JobId)
		}
	}
	if pg.PageToken != "" && pg.PageToken == p.token {
		return nil, errors.New("bigqueryuser: BigQuery sent the same page token twice")
	}
	p.token = pg.PageToken
	if p.token != "" && p.ref == nil {
		return nil, errors.New("bigqueryuser: BigQuery promises more rows but names no job to fetch them from")
	}
	return &jsonRows{columns: p.columns, cursor: cursor{buf: pg.rows, boxes: &p.boxes}, row: p.rows, counted: &p.rows}, nil
}

func (p *jsonPages) Close() error {
	p.page, p.open, p.token, p.err = nil, nil, "", iterator.Done
	p.stop()
	return nil
}
