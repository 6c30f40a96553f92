package driver

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	bq "google.golang.org/api/bigquery/v2"
)

// arrowKindOf returns the kind of a schema's field.
func arrowKindOf(f *bq.TableFieldSchema) (k arrowKind, err error) {
	switch f.Type {
	case "RECORD", "STRUCT":
		k, err = arrowStruct(f.Fields)
	case "RANGE":
		k, err = arrowRange(f.RangeElementType)
	default:
		scalar := scalarOf(f)
		if scalar == nil {
			return k, fmt.Errorf("the type %s is not known to this driver", f.Type)
		}
		k = scalar.arrow
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

// arrowRequired returns k with an error for NULL.
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

// arrowList reads an ARRAY. A NULL is read as an empty ARRAY.
func arrowList(elem arrowKind) func([]driver.Value, int, arrow.Array, int, int, *boxes) error {
	return func(dst []driver.Value, stride int, a arrow.Array, from, to int, b *boxes) error {
		bounds, values, err := listBounds(a, from, to)
		if err != nil {
			return err
		}
		return elem.lists(dst, stride, values, bounds, b)
	}
}

// listBounds returns the values of the ARRAYs [from, to). Those of ARRAY i are between bounds i and
// i+1.
func listBounds(a arrow.Array, from, to int) (bounds []int, values arrow.Array, err error) {
	list, ok := a.(*array.List)
	if !ok {
		return nil, nil, errArrow
	}
	values = list.ListValues()
	bounds = make([]int, to-from+1)
	for i := from; i < to; i++ {
		start, end := list.ValueOffsets(i)
		if i == from {
			bounds[0] = int(start)
		}
		if start < 0 || int(start) != bounds[i-from] || end < start || int(end) > values.Len() {
			return nil, nil, errors.New("the bounds of an ARRAY are outside of its values")
		}
		if end > start && list.IsNull(i) {
			return nil, nil, errors.New("an ARRAY is NULL and has values")
		}
		bounds[i-from+1] = int(end)
	}
	return bounds, values, nil
}

// arrowStruct returns the kind of a STRUCT with these fields.
func arrowStruct(fields []*bq.TableFieldSchema) (arrowKind, error) {
	kinds := make([]arrowKind, len(fields))
	for i, f := range fields {
		var err error
		part := *f
		if part.Mode == "REQUIRED" {
			part.Mode = "" // a NULL STRUCT has NULL fields
		}
		if kinds[i], err = arrowKindOf(&part); err != nil {
			return arrowKind{}, fmt.Errorf("field %q: %w", f.Name, err)
		}
	}
	// structs decodes all STRUCTs, also NULL ones, field by field.
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
			putLists(dst, stride, all, bounds, b)
			return nil
		},
	}, nil
}

// arrowRange returns the kind of RANGE<elem>, a struct of two ends.
func arrowRange(elem *bq.TableFieldSchemaRangeElementType) (arrowKind, error) {
	scalar, err := rangeElement(elem)
	if err != nil {
		return arrowKind{}, err
	}
	return arrowScalar(func(a *array.Struct, i int, b *boxes) (Range, error) {
		var r Range
		if a.NumField() != 2 {
			return r, errArrow
		}
		var ends [2]driver.Value
		for j := range ends {
			if err := scalar.arrow.fill(ends[j:], 1, a.Field(j), i, i+1, b); err != nil {
				return r, err
			}
			if t, ok := ends[j].(time.Time); ok {
				ends[j] = scalar.end.value(t)
			}
		}
		r.Start, r.End = ends[0], ends[1]
		return r, nil
	}, func(_ *boxes, r Range) any { return r }), nil
}
