package driver

import (
	"database/sql"
	"fmt"
	"math"
	"reflect"
	"time"
	"unsafe"

	"cloud.google.com/go/civil"
	"github.com/apache/arrow-go/v18/arrow"
	bq "google.golang.org/api/bigquery/v2"
)

// into decodes values of one BigQuery type into memory of one Go type. It is bound once for each
// column, or each part of a column. The memory is zeroed before.
type into struct {
	size uintptr // of the Go type
	// null decodes NULL; nil means the zero value.
	null func(p unsafe.Pointer) error
	// cell decodes the value at the cursor, which is not NULL.
	cell func(c *cursor, p unsafe.Pointer) error
	// fill decodes elements [from, to) of an array, except those that are NULL. The first goes to
	// p, the others follow stride bytes apart.
	fill func(p unsafe.Pointer, stride uintptr, a arrow.Array, from, to int, b *boxes) error
}

// value decodes a value or NULL.
func (d *into) value(c *cursor, p unsafe.Pointer) error {
	switch {
	case !c.null():
		return d.cell(c, p)
	case d.null != nil:
		return d.null(p)
	}
	return nil
}

// values decodes elements [from, to) of an array, including NULLs.
func (d *into) values(p unsafe.Pointer, stride uintptr, a arrow.Array, from, to int, b *boxes) error {
	for i := from; d.null != nil && a.NullN() > 0 && i < to; i++ {
		if a.IsNull(i) {
			if err := d.null(unsafe.Add(p, uintptr(i-from)*stride)); err != nil {
				return err
			}
		}
	}
	return d.fill(p, stride, a, from, to, b)
}

// newInto binds a field of a result to a Go type.
func newInto(f *bq.TableFieldSchema, t reflect.Type) (d into, err error) {
	kind, text, err := kindOfField(f)
	if err != nil {
		return d, err
	}
	arrowKind, err := arrowKindOf(f)
	if err != nil {
		return d, err
	}
	scalar := scalarOf(f)
	switch inner, valid := nullParts(t); {
	case isNullOf(t), inner != nil && scalar != nil && scalar.name != "JSON" && f.Mode != "REPEATED":
		d, err = intoNull(f, t, inner, valid)
	case t.Kind() == reflect.Pointer:
		d, err = intoPointer(f, t)
	case t == anyType:
		d = intoAny(kind, arrowKind)
	case f.Mode == "REPEATED" && t.Kind() == reflect.Slice && !isScanner(t):
		d, err = intoList(f, t)
	case f.Mode != "REPEATED" && f.Type == "RECORD" && t.Kind() == reflect.Struct && !readsValue(t):
		d, err = intoStruct(f.Fields, t)
	case f.Mode != "REPEATED" && f.Type == "RECORD" && t.Kind() == reflect.Map && !isScanner(t):
		d, err = intoMap(f.Fields, t, kind, arrowKind)
	default:
		ok := false
		if scalar != nil && f.Mode != "REPEATED" {
			d, ok = intoScalar(scalar, t)
		}
		if !ok {
			if !fits(kind, t) {
				return d, fmt.Errorf("a %s can't be put into a %s", text, t)
			}
			d = intoAssigned(kind, arrowKind, t)
		}
	}
	if err != nil {
		return d, err
	}
	switch f.Mode {
	case "REPEATED": // a NULL ARRAY is an empty one
		cell := d.cell
		d.null = func(p unsafe.Pointer) error { return cell(&cursor{buf: emptyList, boxes: new(boxes)}, p) }
	case "REQUIRED":
		d.null = func(unsafe.Pointer) error { return errNull }
	}
	d.size = t.Size()
	return d, nil
}

var (
	anyType     = reflect.TypeFor[any]()
	scannerType = reflect.TypeFor[sql.Scanner]()
)

func isScanner(t reflect.Type) bool { return reflect.PointerTo(t).Implements(scannerType) }

// noNull returns the null function of a type that can't hold NULL.
func noNull(t reflect.Type) func(unsafe.Pointer) error {
	return func(p unsafe.Pointer) error { return assign(reflect.NewAt(t, p).Elem(), nil) }
}

// intoAny decodes the values that Rows.Scan puts into an any.
func intoAny(kind kind, arrowKind arrowKind) into {
	return into{
		cell: func(c *cursor, p unsafe.Pointer) (err error) {
			*(*any)(p), err = kind.read(c)
			return err
		},
		fill: func(p unsafe.Pointer, stride uintptr, a arrow.Array, from, to int, b *boxes) error {
			return eachAssigned(arrowKind, a, from, to, b, func(i int, v any) error {
				*(*any)(unsafe.Add(p, uintptr(i)*stride)) = v
				return nil
			})
		},
	}
}

// intoAssigned decodes through an interface. It is for types without a faster way.
func intoAssigned(kind kind, arrowKind arrowKind, t reflect.Type) into {
	return into{
		null: noNull(t),
		cell: func(c *cursor, p unsafe.Pointer) error {
			v, err := kind.read(c)
			if err != nil {
				return err
			}
			return assign(reflect.NewAt(t, p).Elem(), v)
		},
		fill: func(p unsafe.Pointer, stride uintptr, a arrow.Array, from, to int, b *boxes) error {
			return eachAssigned(arrowKind, a, from, to, b, func(i int, v any) error {
				return assign(reflect.NewAt(t, unsafe.Add(p, uintptr(i)*stride)).Elem(), v)
			})
		},
	}
}

func eachAssigned(k arrowKind, a arrow.Array, from, to int, b *boxes, set func(i int, v any) error) error {
	values := b.row(to - from)
	if err := k.fill(values, 1, a, from, to, b); err != nil {
		return err
	}
	for i, v := range values {
		if v == nil {
			continue
		}
		if err := set(i, v); err != nil {
			return err
		}
	}
	return nil
}

// intoScalar binds a scalar type to a Go type without an interface. It returns false if there is no
// such way, or none with the same result as [As].
func intoScalar(k *scalarType, t reflect.Type) (into, bool) {
	arrowKind := k.arrow
	switch read := k.typed.(type) {
	case func(*cursor) (int64, error):
		return intsInto(source[int64]{read, arrowKind.typed.(arrowSource[int64])}, t)
	case func(*cursor) (float64, error):
		return floatsInto(source[float64]{read, arrowKind.typed.(arrowSource[float64])}, t)
	case func(*cursor) (bool, error):
		src := source[bool]{read, arrowKind.typed.(arrowSource[bool])}
		return same(src, t, t.Kind() == reflect.Bool)
	case func(*cursor) (string, error):
		return textInto(source[string]{read, arrowKind.typed.(arrowSource[string])}, t, k.name)
	case func(*cursor) ([]byte, error):
		src := source[[]byte]{read, arrowKind.typed.(arrowSource[[]byte])}
		if isBytes(t) {
			return same(src, t, true)
		}
		return converted(src, t, t.Kind() == reflect.String, func(b []byte) (string, bool) { return string(b), true })
	case func(*cursor) (time.Time, error):
		return timesInto(source[time.Time]{read, arrowTimesOf(arrowKind)}, t)
	}
	return into{}, false
}

// arrowTimesOf reads times to the nanosecond: none of the Go types bound here holds picoseconds.
func arrowTimesOf(k arrowKind) arrowSource[time.Time] {
	marked, ok := k.typed.(arrowSource[picoTime])
	if !ok {
		return k.typed.(arrowSource[time.Time])
	}
	return func(a arrow.Array, to int) (func(int, *boxes) (time.Time, error), error) {
		get, err := marked(a, to)
		if err != nil {
			return nil, err
		}
		return func(i int, b *boxes) (time.Time, error) {
			t, err := get(i, b)
			return t.Time, err
		}, nil
	}
}

// source reads the values of a scalar type on both read paths.
type source[T any] struct {
	cell  func(*cursor) (T, error)
	arrow arrowSource[T]
}

func isBytes(t reflect.Type) bool {
	return t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8
}

// same binds a Go type with the source's underlying type.
func same[S any](src source[S], t reflect.Type, ok bool) (into, bool) {
	if !ok || isScanner(t) {
		return into{}, false
	}
	return into{
		null: noNull(t),
		cell: func(c *cursor, p unsafe.Pointer) (err error) {
			*(*S)(p), err = src.cell(c)
			return err
		},
		fill: func(p unsafe.Pointer, stride uintptr, a arrow.Array, from, to int, b *boxes) error {
			get, err := src.arrow(a, to)
			if err != nil {
				return err
			}
			nulls := a.NullN() > 0
			for i := from; i < to; i, p = i+1, next(p, stride, i+1 < to) {
				if nulls && a.IsNull(i) {
					continue
				}
				if *(*S)(p), err = get(i, b); err != nil {
					return err
				}
			}
			return nil
		},
	}, true
}

// next returns the address of the next element, or p after the last one: a pointer must not leave
// its memory.
func next(p unsafe.Pointer, stride uintptr, more bool) unsafe.Pointer {
	if more {
		return unsafe.Add(p, stride)
	}
	return p
}

// converted binds a Go type with the underlying type D. If convert returns false, [As] converts the
// value.
func converted[S, D any](src source[S], t reflect.Type, ok bool, convert func(S) (D, bool)) (into, bool) {
	if !ok || isScanner(t) && t != reflect.TypeFor[D]() {
		return into{}, false
	}
	put := func(p unsafe.Pointer, v S) error {
		d, ok := convert(v)
		if !ok {
			return assign(reflect.NewAt(t, p).Elem(), v)
		}
		*(*D)(p) = d
		return nil
	}
	return into{
		null: noNull(t),
		cell: func(c *cursor, p unsafe.Pointer) error {
			v, err := src.cell(c)
			if err != nil {
				return err
			}
			return put(p, v)
		},
		fill: func(p unsafe.Pointer, stride uintptr, a arrow.Array, from, to int, b *boxes) error {
			get, err := src.arrow(a, to)
			if err != nil {
				return err
			}
			nulls := a.NullN() > 0
			for i := from; i < to; i, p = i+1, next(p, stride, i+1 < to) {
				if nulls && a.IsNull(i) {
					continue
				}
				v, err := get(i, b)
				if err == nil {
					err = put(p, v)
				}
				if err != nil {
					return err
				}
			}
			return nil
		},
	}, true
}

func number[D interface {
	~int | ~int8 | ~int16 | ~int32 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64
}](n int64) (D, bool) {
	d := D(n)
	return d, int64(d) == n && (n < 0) == (d < 0)
}

func intsInto(src source[int64], t reflect.Type) (into, bool) {
	switch t.Kind() {
	case reflect.Int64:
		return same(src, t, true)
	case reflect.Int:
		return converted(src, t, true, number[int])
	case reflect.Int8:
		return converted(src, t, true, number[int8])
	case reflect.Int16:
		return converted(src, t, true, number[int16])
	case reflect.Int32:
		return converted(src, t, true, number[int32])
	case reflect.Uint:
		return converted(src, t, true, number[uint])
	case reflect.Uint8:
		return converted(src, t, true, number[uint8])
	case reflect.Uint16:
		return converted(src, t, true, number[uint16])
	case reflect.Uint32:
		return converted(src, t, true, number[uint32])
	case reflect.Uint64:
		return converted(src, t, true, number[uint64])
	case reflect.Float64:
		return converted(src, t, true, func(n int64) (float64, bool) { return float64(n), true })
	}
	return into{}, false
}

func floatsInto(src source[float64], t reflect.Type) (into, bool) {
	switch t.Kind() {
	case reflect.Float64:
		return same(src, t, true)
	case reflect.Float32:
		return converted(src, t, true, func(f float64) (float32, bool) {
			return float32(f), math.Abs(f) <= math.MaxFloat32 || math.IsInf(f, 0)
		})
	}
	return into{}, false
}

func textInto(src source[string], t reflect.Type, name string) (into, bool) {
	switch {
	case name == "JSON" && takesJSON(reflect.New(t).Elem()):
		return into{}, false
	case t.Kind() == reflect.String:
		return same(src, t, true)
	case isBytes(t):
		return converted(src, t, true, func(s string) ([]byte, bool) { return []byte(s), true })
	case t == reflect.TypeFor[civil.Time]() && name == "TIME":
		return converted(src, t, true, func(s string) (civil.Time, bool) {
			v, err := civil.ParseTime(s)
			return v, err == nil
		})
	}
	return into{}, false
}

func timesInto(src source[time.Time], t reflect.Type) (into, bool) {
	switch t {
	case reflect.TypeFor[time.Time]():
		return same(src, t, true)
	case reflect.TypeFor[civil.Date]():
		return converted(src, t, true, func(v time.Time) (civil.Date, bool) { return civil.DateOf(v), true })
	case reflect.TypeFor[civil.DateTime]():
		return converted(src, t, true, func(v time.Time) (civil.DateTime, bool) { return civil.DateTimeOf(v), true })
	}
	return into{}, false
}

// trusted has the packages whose Scan methods may be called with an example.
var trusted = map[string]bool{"database/sql": true, "cloud.google.com/go/civil": true}

// fits reports whether a Go type can hold any value of a type.
func fits(k kind, t reflect.Type) bool {
	if isScanner(t) && !trusted[t.PkgPath()] {
		return true // its Scan method decides
	}
	var list []any
	switch scalar := scalarsByName[k.name]; {
	case k.name == "JSON" && takesJSON(reflect.New(t).Elem()):
		return true // it depends on the JSON
	case scalar != nil:
		list = scalar.examples
	case k.name == "ARRAY":
		list = []any{reflect.MakeSlice(k.plain, 1, 1).Interface()}
	default:
		list = []any{reflect.Zero(k.plain).Interface()}
	}
	for _, v := range list {
		if assign(reflect.New(t).Elem(), v) == nil {
			return true
		}
	}
	return false
}
