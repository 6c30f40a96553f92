package driver

import (
	"bytes"
	"database/sql/driver"
	"errors"
	"math/big"
	"strconv"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// arrowKind reads the values of one BigQuery type from Arrow, a run of rows at a time. It is bound
// once for each column.
type arrowKind struct {
	// fill decodes rows [from, to) into dst, stride elements apart.
	fill func(dst []driver.Value, stride int, a arrow.Array, from, to int, b *boxes) error
	// lists decodes slices of values into dst: slice i has the values from bounds[i] to
	// bounds[i+1].
	lists func(dst []driver.Value, stride int, a arrow.Array, bounds []int, b *boxes) error

	typed any // an arrowSource[T] for the T of the kind; nil for types that are not scalar
}

// picoTime is a time with the picoseconds that time.Time can't hold.
type picoTime struct {
	time.Time
	picos uint16
}

// arrowTimes returns the kind of a type whose values are marked times, without picoseconds.
func arrowTimes[A arrow.Array](f form, get func(a A, i int, b *boxes) (time.Time, error)) arrowKind {
	return arrowMarked(f, func(a A, i int, b *boxes) (picoTime, error) {
		t, err := get(a, i, b)
		return picoTime{t, 0}, err
	})
}

// arrowMarked returns the kind of a type whose values are marked times.
func arrowMarked[A arrow.Array](f form, get func(a A, i int, b *boxes) (picoTime, error)) arrowKind {
	return arrowOf(arrowEach(get), func(b *boxes, t picoTime) any { return b.mark(f, t.Time, t.picos) },
		func(dst []driver.Value, stride int, all []picoTime, bounds []int, b *boxes) {
			for i := range len(bounds) - 1 {
				part := all[bounds[i]-bounds[0] : bounds[i+1]-bounds[0]]
				list, picos := room(b.timesOf(f), f, len(part))
				for j, t := range part {
					if list[j] = t.Time; picos != nil {
						picos[j] = t.picos
					}
				}
				dst[i*stride] = list
			}
		})
}

// arrowPicos reads a TIMESTAMP(12), which the driver requests as text.
func arrowPicos(a *array.String, i int, _ *boxes) (picoTime, error) {
	t, picos, err := parsePicos([]byte(a.Value(i)))
	return picoTime{t, picos}, err
}

// arrowSource binds an array, of which elements before to are read. The function that it returns reads
// a value that is not NULL.
type arrowSource[T any] func(a arrow.Array, to int) (func(i int, b *boxes) (T, error), error)

var errArrow = errors.New("the Arrow array is not of the documented type")

// arrowEach returns the source of a type whose values are read one by one.
func arrowEach[T any, A arrow.Array](get func(a A, i int, b *boxes) (T, error)) arrowSource[T] {
	return func(a arrow.Array, _ int) (func(int, *boxes) (T, error), error) {
		typed, ok := a.(A)
		if !ok || !documented(a.DataType()) {
			return nil, errArrow
		}
		return func(i int, b *boxes) (T, error) { return get(typed, i, b) }, nil
	}
}

// arrowScalar returns the kind of a scalar type. get reads a value that is not NULL.
func arrowScalar[T any, A arrow.Array](get func(a A, i int, b *boxes) (T, error), box func(*boxes, T) any) arrowKind {
	return arrowOf(arrowEach(get), box, putLists[T])
}

// arrowOf returns the kind of a scalar type. box makes a value, and put cuts the elements of ARRAYs
// into slices.
func arrowOf[T any](
	bind arrowSource[T], box func(*boxes, T) any,
	put func(dst []driver.Value, stride int, all []T, bounds []int, b *boxes),
) arrowKind {
	return arrowKind{
		typed: bind,
		fill: func(dst []driver.Value, stride int, a arrow.Array, from, to int, b *boxes) error {
			get, err := bind(a, to)
			if err != nil {
				return err
			}
			nulls := a.NullN() > 0
			for i, at := from, 0; i < to; i, at = i+1, at+stride {
				if nulls && a.IsNull(i) {
					dst[at] = nil
					continue
				}
				v, err := get(i, b)
				if err != nil {
					return err
				}
				dst[at] = box(b, v)
			}
			return nil
		},
		lists: func(dst []driver.Value, stride int, a arrow.Array, bounds []int, b *boxes) error {
			first, last := bounds[0], bounds[len(bounds)-1]
			get, err := bind(a, last)
			if err != nil {
				return err
			}
			all := make([]T, last-first)
			for i := range all {
				if a.IsNull(first + i) {
					return errNullElement
				}
				if all[i], err = get(first+i, b); err != nil {
					return err
				}
			}
			put(dst, stride, all, bounds, b)
			return nil
		},
	}
}

// documented reports whether the parameters of an Arrow type are those of BigQuery: microseconds,
// and at most BIGNUMERIC's digits after the point.
func documented(typ arrow.DataType) bool {
	switch t := typ.(type) {
	case *arrow.TimestampType:
		return t.Unit == arrow.Microsecond
	case *arrow.Time64Type:
		return t.Unit == arrow.Microsecond
	case arrow.DecimalType:
		return t.GetScale() >= 0 && t.GetScale() <= bigNumericScale
	}
	return true
}

// putLists cuts all into slices at the bounds. They share memory, but appending to one never
// overwrites the next.
func putLists[T any](dst []driver.Value, stride int, all []T, bounds []int, _ *boxes) {
	first := bounds[0]
	heads := make([][]T, len(bounds)-1)
	var like any = []T(nil)
	for i := range heads {
		from, to := bounds[i]-first, bounds[i+1]-first
		heads[i] = all[from:to:to]
		dst[i*stride] = boxed(like, &heads[i])
	}
}

func arrowInt(a *array.Int64, i int, _ *boxes) (int64, error) { return a.Value(i), nil }

func arrowFloat(a *array.Float64, i int, _ *boxes) (float64, error) { return a.Value(i), nil }

func arrowBool(a *array.Boolean, i int, _ *boxes) (bool, error) { return a.Value(i), nil }

// arrowBytes copies a value. The copy of an empty value is not nil, because nil means NULL.
func arrowBytes(a *array.Binary, i int, _ *boxes) ([]byte, error) {
	if b := bytes.Clone(a.Value(i)); b != nil {
		return b, nil
	}
	return []byte{}, nil
}

func arrowTimestamp(a *array.Timestamp, i int, _ *boxes) (time.Time, error) {
	n := int64(a.Value(i))
	if n < minMicros || n > maxMicros {
		return time.Time{}, errYear
	}
	return time.UnixMicro(n).UTC(), nil
}

func arrowDate(a *array.Date32, i int, _ *boxes) (time.Time, error) {
	s := int64(a.Value(i)) * secondsOfDay
	if s < minMicros/1_000_000 || s > maxMicros/1_000_000 {
		return time.Time{}, errYear
	}
	return time.Unix(s, 0).UTC(), nil
}

func arrowTime(a *array.Time64, i int, b *boxes) (string, error) {
	n := int64(a.Value(i))
	if n < 0 || n >= secondsOfDay*1e6 {
		return "", errTime
	}
	var buf [16]byte
	text := appendTwo(buf[:0], n/3600e6)
	text = appendTwo(append(text, ':'), n/60e6%60)
	text = appendTwo(append(text, ':'), n/1e6%60)
	return b.str(appendFraction(text, n%1e6, 1e6)), nil
}

func appendTwo(b []byte, n int64) []byte { return append(b, byte('0'+n/10), byte('0'+n%10)) }

// appendFraction appends a point and the digits of n/unit after it, without trailing zeros. It appends
// nothing if n is 0. unit is a power of ten.
func appendFraction(b []byte, n, unit int64) []byte {
	if n == 0 {
		return b
	}
	point := len(b)
	b = strconv.AppendInt(b, unit+n, 10) // 1 and the digits
	b[point] = '.'
	return bytes.TrimRight(b, "0")
}

// arrowInterval writes BigQuery's canonical form, Y-M D H:M:S[.F]. Each part has its own sign.
func arrowInterval(a *array.MonthDayNanoInterval, i int, b *boxes) (string, error) {
	v := a.Value(i)
	var buf [48]byte
	text := buf[:0]
	months, nanos := int64(v.Months), v.Nanoseconds
	if months < 0 {
		text, months = append(text, '-'), -months
	}
	text = strconv.AppendInt(text, months/12, 10)
	text = strconv.AppendInt(append(text, '-'), months%12, 10)
	text = strconv.AppendInt(append(text, ' '), int64(v.Days), 10)
	text = append(text, ' ')
	if nanos < 0 {
		text, nanos = append(text, '-'), -nanos
	}
	text = strconv.AppendInt(text, nanos/3600e9, 10)
	text = strconv.AppendInt(append(text, ':'), nanos/60e9%60, 10)
	text = strconv.AppendInt(append(text, ':'), nanos/1e9%60, 10)
	return b.str(appendFraction(text, nanos%1e9, 1e9)), nil
}

func arrowNumeric(a *array.Decimal128, i int, b *boxes) (string, error) {
	v := a.Value(i)
	lo := int64(v.LowBits())
	scale := a.DataType().(*arrow.Decimal128Type).Scale  // the column's scale, if it declares one
	if scale != numericScale || v.HighBits() != lo>>63 { // or n needs more than 64 bits
		return b.str(appendScaled(nil, v.BigInt(), int(scale))), nil
	}
	var buf [24]byte
	text := buf[:0]
	n := uint64(lo)
	if lo < 0 {
		text, n = append(text, '-'), -n
	}
	text = strconv.AppendUint(text, n/1e9, 10)
	return b.str(appendFraction(text, int64(n%1e9), 1e9)), nil
}

func arrowBignumeric(a *array.Decimal256, i int, b *boxes) (string, error) {
	return b.str(appendScaled(nil, a.Value(i).BigInt(), int(a.DataType().(*arrow.Decimal256Type).Scale))), nil
}

// appendScaled appends n / 10^scale, without trailing zeros.
func appendScaled(text []byte, n *big.Int, scale int) []byte {
	if n.Sign() < 0 {
		text, n = append(text, '-'), new(big.Int).Neg(n)
	}
	digits := n.Append(nil, 10)
	if pad := scale + 1 - len(digits); pad > 0 {
		digits = append(bytes.Repeat([]byte("0"), pad), digits...)
	}
	point := len(digits) - scale
	text = append(append(text, digits[:point]...), '.')
	text = append(text, digits[point:]...)
	return bytes.TrimSuffix(bytes.TrimRight(text, "0"), []byte("."))
}
