package driver

import (
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	bq "google.golang.org/api/bigquery/v2"
)

// page is an answer of jobs.query or jobs.getQueryResults. Its rows are not decoded yet.
type page struct {
	bq.QueryResponse        // without Rows
	rows             []byte // the JSON array; nil if there is none
	format           timestamps
	took             time.Duration // from the request to the answer's end
	counted          bool          // the answer has the number of rows that DML changed
	polled           bool          // an answer of getQueryResults, which has no statistics
}

// saysNothing reports whether a complete answer lacks everything that all answers of BigQuery have.
func (p *page) saysNothing() bool {
	return p.JobReference == nil && p.QueryId == "" && p.StatementType == "" && p.Schema == nil && !p.counted &&
		p.DmlStats == nil
}

// id returns the id of the job, or of the query if there is no job.
func (p *page) id() string {
	if p.JobReference == nil {
		return p.QueryId
	}
	return p.JobReference.JobId
}

// pageVisitor gets the parts of an answer, in any order.
type pageVisitor struct {
	token func(string) error
	// rows reads the JSON array at the cursor.
	rows func(*cursor) error
}

// parsePage decodes an answer, except for its rows. It took so long to arrive.
func parsePage(body []byte, took time.Duration) (*page, error) {
	var rows []byte
	p, err := visitPage(body, pageVisitor{rows: func(c *cursor) error {
		start := c.pos
		err := c.skip()
		rows = body[start:c.pos]
		return err
	}})
	if err != nil {
		return nil, err
	}
	p.rows, p.took = rows, took
	return p, nil
}

// visitPage passes the parts of an answer to a visitor, in one pass. It returns the visitor's
// errors unchanged.
func visitPage(body []byte, v pageVisitor) (*page, error) {
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
		p.counted = p.counted || string(key) == "numDmlAffectedRows"
		switch {
		case string(key) == "rows" && len(rest) == len(body) && c.pos < len(body) && body[c.pos] == '[':
			if err := v.rows(&c); err != nil {
				if err == errJSON {
					return nil, malformed(err)
				}
				return nil, err
			}
			rest = append(
				append(append(make([]byte, 0, len(body)-(c.pos-start)+4), body[:start]...), "null"...),
				body[c.pos:]...)
			continue
		case string(key) == "pageToken" && v.token != nil && c.pos < len(body) && body[c.pos] == '"':
			token, err := c.str()
			if err != nil {
				return nil, malformed(err)
			}
			if err := v.token(string(token)); err != nil {
				return nil, err
			}
			continue
		}
		if err := c.skip(); err != nil {
			return nil, malformed(err)
		}
	}
	if err := json.Unmarshal(rest, &p.QueryResponse); err != nil {
		return nil, malformed(err)
	}
	return p, nil
}

const (
	// sampledRows is the number of rows of the first page that estimate the size of the others.
	sampledRows = 100
	// guessedRowBytes is the estimate if the first page has no rows.
	guessedRowBytes = 100
)

// remaining estimates how many bytes of rows follow the first page.
func (p *page) remaining() int64 {
	return max(0, int64(p.rowBytes()*float64(p.TotalRows))-int64(len(p.rows)))
}

// rowBytes estimates the bytes of a row.
func (p *page) rowBytes() float64 {
	rows, bytes := countRows(p.rows, sampledRows)
	if rows == 0 {
		return guessedRowBytes
	}
	return float64(bytes) / float64(rows)
}

// countRows counts the rows of a page up to a limit, and their bytes.
func countRows(page []byte, limit int) (rows, bytes int) {
	c := cursor{buf: page}
	for more := c.accept('['); more && rows < limit && c.skip() == nil; more = c.accept(',') {
		rows++
		bytes = c.pos
	}
	return rows, bytes
}

func malformed(err error) error { return fmt.Errorf("BigQuery's answer can't be read: %w", err) }

// jsonRows decodes the rows of one page.
type jsonRows struct {
	columns []column
	target  target // nil for driver values
	cursor  *cursor
	row     int64 // the number of the next row in the result, from 1, for errors
	size    int   // number of rows of the last run
	spares  spares
	started bool
	ended   bool // the last row was read
}

// batch decodes the next rows; nil after the last. If there is an error it also returns the rows
// before it.
func (b *jsonRows) batch() (*batch, error) {
	b.size = min(max(4*b.size, firstRun), runRows(len(b.columns)))
	out := b.room()
	for out.rows = 0; out.rows < b.size && !b.ended; {
		ok, err := b.nextOf(out)
		if err != nil {
			b.done(out)
			return out, err
		}
		if ok {
			out.rows++
		} else {
			b.ended = true
		}
	}
	b.done(out)
	return out, nil
}

// begin moves to the cells of the next row. It returns false after the last.
func (b *jsonRows) begin() (bool, error) {
	c := b.cursor
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
	if err := openCells(c); err != nil {
		return false, b.fail("", err)
	}
	return true, nil
}

func (b *jsonRows) next(dest []driver.Value) (bool, error) {
	if ok, err := b.begin(); !ok || err != nil {
		return false, err
	}
	c := b.cursor
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
	err := b.end()
	return err == nil, err
}

// end reads the end of a row.
func (b *jsonRows) end() error {
	if c := b.cursor; !c.literal("]}") && (!c.accept(']') || !c.accept('}')) {
		return b.fail("", errTooManyCells)
	}
	return nil
}

var (
	errTooFewCells  = errors.New("the row has fewer values than the result has columns")
	errTooManyCells = errors.New("the row has more values than the result has columns")
)

// openCells reads the start of a row, or of a STRUCT, which has the same form.
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
