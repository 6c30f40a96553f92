package fakebq

import (
	"fmt"
	"sort"
	"sync"
)

// maxPageBytes is the largest size of a page's rows.
const maxPageBytes = 10 << 20

// Table is a result rendered beforehand, so that serving its pages costs little. Answers and
// servers may share it.
type Table struct {
	fields   []Field
	rows     int
	texts    [timestampFormats]*rendered
	makeRow  func(int) []any
	makeText sync.Mutex

	arrowMu sync.Mutex
	arrows  map[string]*arrowTable
}

// rendered has the rows as they are in the brackets of "rows":[...].
type rendered struct {
	text []byte
	// starts has the offset of each row, and one past the comma that would follow the last.
	starts []int
	mu     sync.Mutex
	zipped map[[2]int][]byte
}

// NewTable renders n rows, which it gets from row. The error names the row and column of a value
// that does not fit its field.
func NewTable(fields []Field, n int, row func(i int) []any) (*Table, error) {
	t := &Table{fields: named(fields), rows: n, makeRow: row}
	if _, err := t.render(int64Micros); err != nil {
		return nil, err
	}
	return t, nil
}

// render returns the rows in a format of TIMESTAMP. Each format is rendered once.
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

// rows returns the number of different rows.
func (r *rendered) rows() int { return len(r.starts) - 1 }

// offset returns where a row starts if the rows are repeated.
func (r *rendered) offset(row int) int {
	return row/r.rows()*len(r.text) + r.starts[row%r.rows()]
}

// end returns the index after the last row of a page that starts at row from, ends before row last
// and has at most the given bytes. A page has at least one row.
func (r *rendered) end(from, last, bytes int) int {
	full := r.offset(from) + bytes
	if r.offset(last) <= full {
		return last
	}
	n := sort.Search(last-from, func(i int) bool { return r.offset(from+i+1) > full })
	return from + max(n, 1)
}

// slice returns rows [from, to) without the comma after the last.
func (r *rendered) slice(from, to int) []byte {
	if from >= to {
		return nil
	}
	return r.text[r.starts[from] : r.starts[to]-1]
}

// gzipped returns the slice as a gzip member, compressed once.
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
