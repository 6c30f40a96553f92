package driver

import (
	"database/sql/driver"
	"errors"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

var errNotUTF8 = errors.New("not valid UTF-8")

// arrowTexts reads a STRING column.
var arrowTexts = arrowOf(bindTexts, (*boxes).string, putLists[string])

// arrowJSON reads a JSON column.
var arrowJSON = arrowOf(bindTexts, (*boxes).json,
	func(dst []driver.Value, stride int, all []string, bounds []int, b *boxes) {
		for i := range len(bounds) - 1 {
			dst[i*stride] = b.markTexts(all[bounds[i]-bounds[0] : bounds[i+1]-bounds[0]])
		}
	})

// textRun reads the texts of an array. It copies and checks those of several rows together.
type textRun struct {
	array  *array.String
	to     int     // no row from here on is read
	bounds []int32 // of the array's texts in all; nil until the first is read
	all    []byte

	from, end int    // the rows that are copied
	text      string // their texts
	valid     bool   // text is UTF-8
}

var _ arrowSource[string] = bindTexts

func bindTexts(a arrow.Array, to int) (func(int, *boxes) (string, error), error) {
	typed, ok := a.(*array.String)
	if !ok {
		return nil, errArrow
	}
	return (&textRun{array: typed, to: to}).get, nil
}

func (r *textRun) get(i int, _ *boxes) (string, error) {
	if i < r.from || i >= r.end {
		r.copy(i)
	}
	start := r.bounds[r.from]
	first, last := r.bounds[i]-start, r.bounds[i+1]-start
	one := r.text[first:last]
	if !(r.valid && r.between(first) && r.between(last)) && !utf8.ValidString(one) {
		return "", errNotUTF8
	}
	return one, nil
}

// copy copies the text of a row, and of as many after it as fit a block.
func (r *textRun) copy(i int) {
	if r.bounds == nil {
		r.bounds, r.all = r.array.ValueOffsets(), r.array.ValueBytes()
	}
	r.from, r.end = i, i+1
	for r.end < r.to && r.bounds[r.end+1]-r.bounds[i] <= textBlock {
		r.end++
	}
	r.text = string(r.all[r.bounds[i]-r.bounds[0] : r.bounds[r.end]-r.bounds[0]])
	r.valid = utf8.ValidString(r.text)
}

// between reports whether a position of a valid text is between two characters.
func (r *textRun) between(at int32) bool { return int(at) == len(r.text) || utf8.RuneStart(r.text[at]) }
