package driver

import (
	"errors"
	"fmt"
	"reflect"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	bq "google.golang.org/api/bigquery/v2"
)

// withMode returns the field with another mode.
func withMode(f *bq.TableFieldSchema, mode string) *bq.TableFieldSchema {
	part := *f
	part.Mode = mode
	return &part
}

// notNull returns the field without REQUIRED, for a destination that holds NULL outside of the
// value.
func notNull(f *bq.TableFieldSchema) *bq.TableFieldSchema {
	if f.Mode == "REPEATED" {
		return f
	}
	return withMode(f, "NULLABLE")
}

// nullParts returns the fields of a type such as sql.NullString or sql.Null[T]: the value and the
// flag; nil for other types.
func nullParts(t reflect.Type) (value, valid *reflect.StructField) {
	if !isNullOf(t) && (t.Kind() != reflect.Struct || t.PkgPath() != "database/sql" || t.NumField() != 2) {
		return nil, nil
	}
	v, flag := t.Field(0), t.Field(1)
	if flag.Name != "Valid" {
		return nil, nil
	}
	return &v, &flag
}

// intoNull decodes into a sql.Null[T], sql.NullString and the like.
func intoNull(f *bq.TableFieldSchema, t reflect.Type, value, valid *reflect.StructField) (into, error) {
	inner, err := newInto(notNull(f), value.Type)
	if err != nil {
		return into{}, err
	}
	return into{
		cell: func(c *cursor, p unsafe.Pointer) error {
			*(*bool)(unsafe.Add(p, valid.Offset)) = true
			return inner.cell(c, unsafe.Add(p, value.Offset))
		},
		fill: func(p unsafe.Pointer, stride uintptr, a arrow.Array, from, to int, b *boxes) error {
			nulls := a.NullN() > 0
			for i := from; i < to; i++ {
				if !nulls || !a.IsNull(i) {
					*(*bool)(unsafe.Add(p, uintptr(i-from)*stride+valid.Offset)) = true
				}
			}
			return inner.fill(unsafe.Add(p, value.Offset), stride, a, from, to, b)
		},
	}, nil
}

// pointedAt is how many values behind pointers are allocated together. One that is kept keeps the
// others.
const pointedAt = 32

func intoPointer(f *bq.TableFieldSchema, t reflect.Type) (into, error) {
	elem := t.Elem()
	inner, err := newInto(notNull(f), elem)
	if err != nil {
		return into{}, err
	}
	list := reflect.SliceOf(elem)
	return into{
		cell: func(c *cursor, p unsafe.Pointer) error {
			v := reflect.New(elem).UnsafePointer()
			*(*unsafe.Pointer)(p) = v
			return inner.cell(c, v)
		},
		fill: func(p unsafe.Pointer, stride uintptr, a arrow.Array, from, to int, b *boxes) error {
			for i := from; i < to; {
				end := min(i+pointedAt, to)
				all := reflect.MakeSlice(list, end-i, end-i).UnsafePointer()
				if err := inner.fill(all, inner.size, a, i, end, b); err != nil {
					return err
				}
				for j := i; j < end; j++ {
					if !a.IsNull(j) {
						*(*unsafe.Pointer)(unsafe.Add(p, uintptr(j-from)*stride)) = unsafe.Add(
							all,
							uintptr(j-i)*inner.size,
						)
					}
				}
				i = end
			}
			return nil
		},
	}, nil
}

// sliceValue is the memory layout of a slice.
type sliceValue struct {
	data     unsafe.Pointer
	len, cap int
}

// intoList decodes an ARRAY into a slice.
func intoList(f *bq.TableFieldSchema, t reflect.Type) (into, error) {
	elem, err := newInto(withMode(f, "NULLABLE"), t.Elem())
	if err != nil {
		return into{}, err
	}
	elem.null = func(unsafe.Pointer) error { return errNullElement }
	return into{
		cell: func(c *cursor, p unsafe.Pointer) error {
			list := reflect.MakeSlice(t, 0, 0)
			if !c.accept('[') {
				return errCell
			}
			n := 0
			for ; !c.accept(']'); n++ {
				if n > 0 && !c.accept(',') || !openCell(c) {
					return fmt.Errorf("[%d]: %w", n, errCell)
				}
				if n == list.Len() {
					more := reflect.MakeSlice(t, max(4, 2*n), max(4, 2*n))
					reflect.Copy(more, list)
					list = more
				}
				if err := elem.value(c, list.Index(n).Addr().UnsafePointer()); err != nil {
					return at(fmt.Sprintf("[%d]", n), err)
				}
				if !c.accept('}') {
					return fmt.Errorf("[%d]: %w", n, errCell)
				}
			}
			*(*sliceValue)(p) = sliceValue{list.UnsafePointer(), n, list.Cap()}
			return nil
		},
		fill: func(p unsafe.Pointer, stride uintptr, a arrow.Array, from, to int, b *boxes) error {
			bounds, values, err := listBounds(a, from, to)
			if err != nil || from == to {
				return err
			}
			first, last := bounds[0], bounds[to-from]
			all := reflect.MakeSlice(t, last-first, last-first).UnsafePointer()
			if err := elem.values(all, elem.size, values, first, last, b); err != nil {
				return err
			}
			for i := range to - from {
				n := bounds[i+1] - bounds[i]
				one := sliceValue{all, n, n} // appending to one never overwrites the next
				if n > 0 {
					one.data = unsafe.Add(all, uintptr(bounds[i]-first)*elem.size)
				}
				*(*sliceValue)(unsafe.Add(p, uintptr(i)*stride)) = one
			}
			return nil
		},
	}, nil
}

// placed is a column, or a field of a STRUCT, with its field in the Go struct.
type placed struct {
	name   string
	at     int     // index of the column
	offset uintptr // of the field in the Go struct
	into
}

// placeAll binds columns to the fields of a Go struct.
func placeAll(fields []*bq.TableFieldSchema, t reflect.Type) ([]placed, error) {
	var all []placed
	goFields := structFields(t)
	taken := make([]bool, len(goFields))
	for i, f := range fields {
		g := fieldNamed(goFields, f.Name)
		if g < 0 {
			continue
		}
		if taken[g] {
			return nil, &columnError{f.Name, errTwice("Go struct")}
		}
		taken[g] = true
		offset, field := uintptr(0), reflect.StructField{Type: t}
		for _, index := range goFields[g].index {
			field = field.Type.Field(index)
			offset += field.Offset
		}
		d, err := newInto(f, field.Type)
		if err != nil {
			return nil, &columnError{f.Name, fmt.Errorf("into the field %s of %s: %w", field.Name, t, err)}
		}
		all = append(all, placed{f.Name, i, offset, d})
	}
	return all, nil
}

func errTwice(what string) error {
	return fmt.Errorf("the name occurs twice, and a %s can have it once: use a driver.Struct", what)
}

// intoStruct decodes a STRUCT into a Go struct.
func intoStruct(fields []*bq.TableFieldSchema, t reflect.Type) (into, error) {
	parts, err := placeAll(fields, t)
	if err != nil {
		return into{}, err
	}
	return into{
		null: noNull(t),
		cell: func(c *cursor, p unsafe.Pointer) error {
			if err := openCells(c); err != nil {
				return errCell
			}
			if err := cells(c, parts, len(fields), p); err != nil {
				if bad, ok := errors.AsType[*columnError](err); ok {
					return at("."+bad.column, bad.err)
				}
				return err
			}
			if !c.accept(']') || !c.accept('}') {
				return errTooManyCells
			}
			return nil
		},
		fill: func(p unsafe.Pointer, stride uintptr, a arrow.Array, from, to int, b *boxes) error {
			record, ok := a.(*array.Struct)
			if !ok || record.NumField() != len(fields) {
				return errArrow
			}
			for i := from; i < to; { // a run of STRUCTs that are not NULL
				end := i + 1
				if a.NullN() == 0 {
					end = to
				} else if a.IsNull(i) {
					i++
					continue
				}
				for end < to && !a.IsNull(end) {
					end++
				}
				for j := range parts {
					d := &parts[j]
					at0 := unsafe.Add(p, uintptr(i-from)*stride+d.offset)
					if err := d.values(at0, stride, record.Field(d.at), i, end, b); err != nil {
						return at("."+d.name, err)
					}
				}
				i = end
			}
			return nil
		},
	}, nil
}

// cells decodes the cells of a row or a STRUCT, and skips those that are not among the parts.
func cells(c *cursor, parts []placed, n int, p unsafe.Pointer) error {
	k := 0
	for i := range n {
		if !comma(c, i) {
			return errTooFewCells
		}
		if k == len(parts) || parts[k].at != i {
			if err := c.skip(); err != nil {
				return errCell
			}
			continue
		}
		d := &parts[k]
		k++
		err := errCell
		if openCell(c) {
			if err = d.value(c, unsafe.Add(p, d.offset)); err == nil && !c.literal("}") && !c.accept('}') {
				err = errCell
			}
		}
		if err != nil {
			return &columnError{d.name, err}
		}
	}
	return nil
}

// intoMap decodes a STRUCT into a map, through an interface. It checks first that each field fits.
func intoMap(fields []*bq.TableFieldSchema, t reflect.Type, kind kind, arrowKind arrowKind) (into, error) {
	if err := checkMap(fields, t); err != nil {
		return into{}, err
	}
	return intoAssigned(kind, arrowKind, t), nil
}

func checkMap(fields []*bq.TableFieldSchema, t reflect.Type) error {
	if t.Key().Kind() != reflect.String {
		return fmt.Errorf("a STRUCT can't be put into a %s: its keys must be strings", t)
	}
	seen := map[string]bool{}
	for _, f := range fields {
		if seen[f.Name] {
			return &columnError{f.Name, errTwice("map")}
		}
		seen[f.Name] = true
		if _, err := newInto(f, t.Elem()); err != nil {
			return &columnError{f.Name, err}
		}
	}
	return nil
}
