package fakebq

import (
	"fmt"
	"sort"
	"sync"
)

// maxPageBytes is how many bytes of rows fit a page.
const maxPageBytes = 10 << 20

// Table is a result rendered beforehand: pages are slices of one text, so that
// serving them costs next to nothing. It may be shared by answers and servers.
type Table struct {
	fields   []Field
	rows     int
	texts    [timestampFormats]*rendered
	makeRow  func(int) []any
	makeText sync.Mutex

	arrowMu sync.Mutex
	arrows  map[string]*arrowTable
}

// rendered holds the rows as they stand between the brackets of "rows":[...].
type rendered struct {
	text []byte
	// starts has the offset of each row, and one past the comma that would
	// follow the last.
	starts []int
	mu     sync.Mutex
	zipped map[[2]int][]byte
}

// NewTable renders n rows made by row. The error names the row and column whose
// value does not fit its field.
func NewTable(fields []Field, n int, row func(i int) []any) (*Table, error) {
	t := &Table{fields: named(fields), rows: n, makeRow: row}
	if _, err := t.render(int64Micros); err != nil {
		return nil, err
	}
	return t, nil
}

// render gives the rows in one of the formats of TIMESTAMP; each is made once.
func (t *Table) render(format timestampFormat) (*rendered, error) {
	t.makeText.Lock()
	defer t.makeText.Unlock()
	slot := &t.texts[format]
	if *slot != nil {
		return *slot, nil
	}
	r := &rendered{starts: make([]int, 0, t.rows+1), zipped: map[[2]int][]byte{}}
	enc := cells{format}
	for i := range t.rows {
		r.starts = append(r.starts, len(r.text))
		text, err := enc.appendRow(r.text, t.fields, t.makeRow(i))
		if err != nil {
			return nil, fmt.Errorf("fakebq: row %d: %w", i, err)
		}
		r.text = append(text, ',')
	}
	r.starts = append(r.starts, len(r.text))
	*slot = r
	return r, nil
}

// rows is the number of different rows.
func (r *rendered) rows() int { return len(r.starts) - 1 }

// offset is where a row begins if the rows are repeated.
func (r *rendered) offset(row int) int {
	return row/r.rows()*len(r.text) + r.starts[row%r.rows()]
}

// end gives the row after the last one of a page that starts at row from, ends before row last and
// has at most so many bytes. A page has at least one row.
func (r *rendered) end(from, last, bytes int) int {
	full := r.offset(from) + bytes
	if r.offset(last) <= full {
		return last
	}
	n := sort.Search(last-from, func(i int) bool { return r.offset(from+i+1) > full })
	return from + max(n, 1)
}

// slice gives the rows [from, to) without the comma after the last.
func (r *rendered) slice(from, to int) []byte {
	if from >= to {
		return nil
	}
	return r.text[r.starts[from] : r.starts[to]-1]
}

// gzipped gives the slice as a gzip member, compressed once.
func (r *rendered) gzipped(from, to int) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := [2]int{from, to}
	if z, ok := r.zipped[key]; ok {
		return z
	}
	z := gzipMember(r.slice(from, to))
	r.zipped[key] = z
	return z
}
