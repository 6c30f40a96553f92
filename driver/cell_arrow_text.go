package driver

import (
	"database/sql/driver"
	"errors"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

var errNotUTF8 = errors.New("not valid UTF-8")

func arrowText(a *array.String, i int, b *boxes) (string, error) {
	s := a.Value(i)
	if !utf8.ValidString(s) {
		return "", errNotUTF8
	}
	return b.copy(s), nil
}

// arrowJSON reads a JSON column.
var arrowJSON = arrowOf(arrowText, (*boxes).json,
	func(dst []driver.Value, stride int, all []string, bounds []int, b *boxes) {
		for i := range len(bounds) - 1 {
			dst[i*stride] = b.markTexts(all[bounds[i]-bounds[0] : bounds[i+1]-bounds[0]])
		}
	})

// arrowTexts reads a STRING column.
var arrowTexts = func() arrowKind {
	k := arrowScalar(arrowText, (*boxes).string)
	k.fill = fillTexts
	return k
}()

// fillTexts copies and checks the texts of several rows at a time.
func fillTexts(dst []driver.Value, stride int, a arrow.Array, from, to int, b *boxes) error {
	typed, ok := a.(*array.String)
	if !ok {
		return errArrow
	}
	if from == to {
		return nil
	}
	nulls := a.NullN() > 0
	bounds, all := typed.ValueOffsets(), typed.ValueBytes()
	for row := from; row < to; {
		end := row + 1
		for end < to && bounds[end+1]-bounds[row] <= textBlock {
			end++
		}
		start := bounds[row]
		text := string(all[start-bounds[0] : bounds[end]-bounds[0]])
		valid := utf8.ValidString(text)
		for ; row < end; row++ {
			at := (row - from) * stride
			if nulls && a.IsNull(row) {
				dst[at] = nil
				continue
			}
			first, last := bounds[row]-start, bounds[row+1]-start
			one := text[first:last]
			if !(valid && between(text, first) && between(text, last)) && !utf8.ValidString(one) {
				return errNotUTF8
			}
			dst[at] = b.string(one)
		}
	}
	return nil
}

// between reports whether a position of a valid text is between two characters.
func between(text string, at int32) bool { return int(at) == len(text) || utf8.RuneStart(text[at]) }
