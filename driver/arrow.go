package driver

import (
	"bytes"
	"database/sql/driver"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"time"
	"unicode/utf8"

	"cloud.google.com/go/civil"
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	bq "google.golang.org/api/bigquery/v2"
)

// arrowKind is how the values of one BigQuery type are read from Arrow. It is bound once for each column;
// then whole columns are read at a time.
type arrowKind struct {
	// fill puts the values of rows [from, to) into dst, each stride after the one before.
	fill func(dst []driver.Value, stride int, a arrow.Array, from, to int, b *boxes) error
	// lists puts slices of the values into dst; slice i is of those from bounds[i] up to bounds[i+1].
	lists func(dst []driver.Value, stride int, a arrow.Array, bounds []int, b *boxes) error
}

var errArrow = errors.New("not of the documented Arrow type")

// arrowKinds has the scalar types. RANGE, STRUCT and ARRAY are made of them.
var arrowKinds = map[string]arrowKind{
	"INT64":      arrowScalar(func(a *array.Int64, i int, _ *boxes) (int64, error) { return a.Value(i), nil }, (*boxes).int),
	"FLOAT64":    arrowScalar(func(a *array.Float64, i int, _ *boxes) (float64, error) { return a.Value(i), nil }, (*boxes).float),
	"BOOL":       arrowScalar(func(a *array.Boolean, i int, _ *boxes) (bool, error) { return a.Value(i), nil }, (*boxes).bool),
	"STRING":     arrowScalar(arrowText, (*boxes).string),
	"GEOGRAPHY":  arrowScalar(arrowText, (*boxes).string),
	"JSON":       arrowScalar(arrowText, (*boxes).string),
	"BYTES":      arrowScalar(func(a *array.Binary, i int, _ *boxes) ([]byte, error) { return bytes.Clone(notNil(a.Value(i))), nil }, (*boxes).bytes),
	"NUMERIC":    arrowScalar(arrowNumeric, (*boxes).string),
	"BIGNUMERIC": arrowScalar(arrowBignumeric, (*boxes).string),
	"TIMESTAMP":  arrowScalar(arrowTimestamp, (*boxes).time),
	"DATETIME":   arrowScalar(arrowTimestamp, (*boxes).time),
	"DATE":       arrowScalar(arrowDate, (*boxes).time),
	"TIME":       arrowScalar(arrowTime, (*boxes).string),
	"INTERVAL":   arrowScalar(arrowInterval, (*boxes).string),
}

// arrowScalar makes the kind of a type that is one Arrow array. get reads a value that is not NULL.
func arrowScalar[T any, A arrow.Array](get func(a A, i int, b *boxes) (T, error), box func(*boxes, T) any) arrowKind {
	return arrowKind{
		fill: func(dst []driver.Value, stride int, a arrow.Array, from, to int, b *boxes) error {
			typed, ok := a.(A)
			if !ok {
				return errArrow
			}
			nulls := a.NullN() > 0
			for i, at := from, 0; i < to; i, at = i+1, at+stride {
				if nulls && a.IsNull(i) {
					dst[at] = nil
					continue
				}
				v, err := get(typed, i, b)
				if err != nil {
					return err
				}
				dst[at] = box(b, v)
			}
			return nil
		},
		lists: func(dst []driver.Value, stride int, a arrow.Array, bounds []int, b *boxes) error {
			typed, ok := a.(A)
			if !ok {
				return errArrow
			}
			first := bounds[0]
			all := make([]T, bounds[len(bounds)-1]-first)
			for i := range all {
				if a.IsNull(first + i) {
					return errNullElement
				}
				v, err := get(typed, first+i, b)
				if err != nil {
					return err
				}
				all[i] = v
			}
			putLists(dst, stride, all, bounds)
			return nil
		},
	}
}

// putLists cuts all into the slices that bounds say. They share memory, but none can grow into the next.
func putLists[T any](dst []driver.Value, stride int, all []T, bounds []int) {
	first := bounds[0]
	heads := make([][]T, len(bounds)-1)
	var like any = []T(nil)
	for i := range heads {
		from, to := bounds[i]-first, bounds[i+1]-first
		heads[i] = all[from:to:to]
		dst[i*stride] = boxed(like, &heads[i])
	}
}

func notNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

func arrowText(a *array.String, i int, b *boxes) (string, error) {
	s := a.Value(i)
	if !utf8.ValidString(s) {
		return "", errors.New("not valid UTF-8")
	}
	return b.copy(s), nil
}

func arrowTimestamp(a *array.Timestamp, i int, _ *boxes) (time.Time, error) {
	n := int64(a.Value(i))
	if n < minMicros || n > maxMicros {
		return time.Time{}, errYear
	}
	return time.UnixMicro(n).UTC(), nil
}

const secondsOfDay = 24 * 60 * 60

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
	return b.str(appendFraction(text, n%1e6, 6)), nil
}

func appendTwo(b []byte, n int64) []byte { return append(b, byte('0'+n/10), byte('0'+n%10)) }

// appendFraction appends the digits after the point without zeros at their end, and no point where there
// are none.
func appendFraction(b []byte, n int64, digits int) []byte {
	if n == 0 {
		return b
	}
	at := len(b)
	b = append(b, ".000000000"[:1+digits]...)
	for i := at + digits; i > at; i-- {
		b[i] = byte('0' + n%10)
		n /= 10
	}
	return bytes.TrimRight(b, "0")
}

// arrowInterval writes BigQuery's canonical form, Y-M D H:M:S[.F], each part with its own sign.
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
	return b.str(appendFraction(text, nanos%1e9, 9)), nil
}

func arrowNumeric(a *array.Decimal128, i int, b *boxes) (string, error) {
	v := a.Value(i)
	lo := int64(v.LowBits())
	if v.HighBits() != lo>>63 { // more than 64 bits
		return b.str(appendScaled(nil, v.BigInt(), numericScale)), nil
	}
	var buf [24]byte
	text := buf[:0]
	n := uint64(lo)
	if lo < 0 {
		text, n = append(text, '-'), -n
	}
	text = strconv.AppendUint(text, n/1e9, 10)
	return b.str(appendFraction(text, int64(n%1e9), numericScale)), nil
}

func arrowBignumeric(a *array.Decimal256, i int, b *boxes) (string, error) {
	return b.str(appendScaled(nil, a.Value(i).BigInt(), bigNumericScale)), nil
}

// appendScaled appends n / 10^scale, without zeros at its end.
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

// arrowKindOf returns the kind of a schema's field.
func arrowKindOf(f *bq.TableFieldSchema) (k arrowKind, err error) {
	switch f.Type {
	case "RECORD", "STRUCT":
		k, err = arrowStruct(f.Fields)
	case "RANGE":
		k, err = arrowRange(f.RangeElementType.Type)
	default:
		scalar, ok := kindsByName[f.Type]
		if !ok {
			return k, fmt.Errorf("the type %s is not known to this driver", f.Type)
		}
		k = arrowKinds[scalar.name]
	}
	if err != nil {
		return k, err
	}
	switch f.Mode {
	case "REPEATED":
		return arrowKind{fill: arrowList(k)}, nil
	case "REQUIRED":
		return arrowRequired(k), nil
	}
	return k, nil
}

// arrowRequired refuses NULL.
func arrowRequired(k arrowKind) arrowKind {
	fill := k.fill
	k.fill = func(dst []driver.Value, stride int, a arrow.Array, from, to int, b *boxes) error {
		for i := from; a.NullN() > 0 && i < to; i++ {
			if a.IsNull(i) {
				return errNull
			}
		}
		return fill(dst, stride, a, from, to, b)
	}
	return k
}

// arrowList reads an ARRAY. NULL is an empty one.
func arrowList(elem arrowKind) func([]driver.Value, int, arrow.Array, int, int, *boxes) error {
	return func(dst []driver.Value, stride int, a arrow.Array, from, to int, b *boxes) error {
		list, ok := a.(*array.List)
		if !ok {
			return errArrow
		}
		values := list.ListValues()
		bounds := make([]int, to-from+1)
		for i := from; i < to; i++ {
			start, end := list.ValueOffsets(i)
			if i == from {
				bounds[0] = int(start)
			}
			if int(start) != bounds[i-from] || end < start || int(end) > values.Len() {
				return errors.New("the bounds of an ARRAY lie outside of its values")
			}
			bounds[i-from+1] = int(end)
		}
		return elem.lists(dst, stride, values, bounds, b)
	}
}

// arrowStruct makes the kind of a STRUCT with these fields.
func arrowStruct(fields []*bq.TableFieldSchema) (arrowKind, error) {
	kinds := make([]arrowKind, len(fields))
	for i, f := range fields {
		var err error
		part := *f
		if part.Mode == "REQUIRED" {
			part.Mode = "" // but where the STRUCT is NULL itself
		}
		if kinds[i], err = arrowKindOf(&part); err != nil {
			return arrowKind{}, fmt.Errorf("field %q: %w", f.Name, err)
		}
	}
	// structs reads them all, those that are NULL too, field by field.
	structs := func(a arrow.Array, from, to int, b *boxes) ([]Struct, error) {
		record, ok := a.(*array.Struct)
		if !ok || record.NumField() != len(fields) {
			return nil, errArrow
		}
		n := to - from
		all := make([]StructField, n*len(fields))
		values := make([]driver.Value, n)
		for j, f := range fields {
			part := record.Field(j)
			for i := from; f.Mode == "REQUIRED" && part.NullN() > 0 && i < to; i++ {
				if part.IsNull(i) && !a.IsNull(i) {
					return nil, fmt.Errorf(".%s: %w", f.Name, errNull)
				}
			}
			if err := kinds[j].fill(values, 1, part, from, to, b); err != nil {
				return nil, fmt.Errorf(".%s: %w", f.Name, err)
			}
			for i, v := range values {
				all[i*len(fields)+j] = StructField{f.Name, v}
			}
		}
		out := make([]Struct, n)
		for i := range out {
			k := i * len(fields)
			out[i].Fields = all[k : k+len(fields) : k+len(fields)]
		}
		return out, nil
	}
	return arrowKind{
		fill: func(dst []driver.Value, stride int, a arrow.Array, from, to int, b *boxes) error {
			all, err := structs(a, from, to, b)
			if err != nil {
				return err
			}
			var like any = Struct{}
			for i := range all {
				if dst[i*stride] = boxed(like, &all[i]); a.IsNull(from + i) {
					dst[i*stride] = nil
				}
			}
			return nil
		},
		lists: func(dst []driver.Value, stride int, a arrow.Array, bounds []int, b *boxes) error {
			first, last := bounds[0], bounds[len(bounds)-1]
			for i := first; a.NullN() > 0 && i < last; i++ {
				if a.IsNull(i) {
					return errNullElement
				}
			}
			all, err := structs(a, first, last, b)
			if err != nil {
				return err
			}
			putLists(dst, stride, all, bounds)
			return nil
		},
	}, nil
}

// arrowRange makes the kind of RANGE<elem>, which is a struct of two ends.
func arrowRange(elem string) (arrowKind, error) {
	end, ok := map[string]func(time.Time) any{
		"DATE":      func(t time.Time) any { return civil.DateOf(t) },
		"DATETIME":  func(t time.Time) any { return civil.DateTimeOf(t) },
		"TIMESTAMP": func(t time.Time) any { return t },
	}[elem]
	if !ok {
		return arrowKind{}, fmt.Errorf("RANGE<%s> is not known to this driver", elem)
	}
	kind := arrowKinds[elem]
	return arrowScalar(func(a *array.Struct, i int, b *boxes) (Range, error) {
		var r Range
		if a.NumField() != 2 {
			return r, errArrow
		}
		var ends [2]driver.Value
		for j := range ends {
			if err := kind.fill(ends[j:], 1, a.Field(j), i, i+1, b); err != nil {
				return r, err
			}
			if t, ok := ends[j].(time.Time); ok {
				ends[j] = end(t)
			}
		}
		r.Start, r.End = ends[0], ends[1]
		return r, nil
	}, func(_ *boxes, r Range) any { return r }), nil
}
