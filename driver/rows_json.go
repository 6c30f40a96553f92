package driver

import (
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"

	bq "google.golang.org/api/bigquery/v2"
)

// page is one answer of jobs.query or jobs.getQueryResults: the small part decoded, the
// rows still as they came.
type page struct {
	bq.QueryResponse        // without Rows
	rows             []byte // the JSON array, nil if there is none
	format           timestamps
	counted          bool // it has the number of rows that DML changed
	polled           bool // it is an answer of getQueryResults, which leaves statistics out
}

// saysNothing reports whether a complete answer has nothing that each answer of BigQuery's has.
func (p *page) saysNothing() bool {
	return p.JobReference == nil && p.QueryId == "" && p.StatementType == "" && p.Schema == nil && !p.counted && p.DmlStats == nil
}

// id returns the id of the job, or of the query where there is none.
func (p *page) id() string {
	if p.JobReference == nil {
		return p.QueryId
	}
	return p.JobReference.JobId
}

// pageVisitor is told of parts of an answer as they are met, in whatever order they come.
type pageVisitor struct {
	token func(string) error
	// rows takes the JSON array that the cursor is at.
	rows func(*cursor) error
}

// parsePage takes the rows out of an answer and decodes the rest.
func parsePage(body []byte) (*page, error) {
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
	p.rows = rows
	return p, nil
}

// visitPage goes through an answer once. An error of the visitor is returned as it is.
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
			rest = append(append(append(make([]byte, 0, len(body)-(c.pos-start)+4), body[:start]...), "null"...), body[c.pos:]...)
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
	// sampledRows is how many rows of the first page tell how large the others are.
	sampledRows = 100
	// guessedRowBytes is for a first page without rows.
	guessedRowBytes = 100
)

// remaining estimates how many bytes of rows are still to come after this first page of several.
func (p *page) remaining() int64 {
	rowBytes, rows := float64(guessedRowBytes), 0
	c := cursor{buf: p.rows}
	for more := c.accept('['); more && rows < sampledRows && c.skip() == nil; more = c.accept(',') {
		rows++
		rowBytes = float64(c.pos) / float64(rows)
	}
	return max(0, int64(rowBytes*float64(p.TotalRows))-int64(len(p.rows)))
}

func malformed(err error) error { return fmt.Errorf("BigQuery's answer can't be read: %w", err) }

// jsonRows reads the rows of one page.
type jsonRows struct {
	columns []column
	target  target // nil for driver values
	cursor  *cursor
	row     int64 // of the result, counted from 1, for errors
	size    int   // of the last run
	spares  spares
	started bool
	ended   bool // the last row has been read
}

// batch decodes the next rows, none after the last. Rows before an error are given out with it.
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

// begin goes to the cells of the next row. It reports false after the last.
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

// end takes the end of a row.
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
