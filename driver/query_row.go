package driver

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	bq "google.golang.org/api/bigquery/v2"
)

// rowTarget decodes rows into values of one Go type: into a struct, or a pointer to one, with a
// field for each column; into a single value, from one column; or into a map or a Struct, with
// driver values.
type rowTarget struct {
	columns []column
	width   int          // number of columns
	list    reflect.Type // []T
	elem    reflect.Type // the type that cells are decoded into: T, or T's element type
	pointer bool         // T is a pointer
	parts   []placed
	kinds   []arrowKind // for a map or a Struct; else nil
}

// newRowTarget binds the columns of a result to T.
func newRowTarget(t reflect.Type, columns []column, fields []*bq.TableFieldSchema) (_ target, err error) {
	r := &rowTarget{columns: columns, width: len(columns), list: reflect.SliceOf(t), elem: t}
	isRow := func(t reflect.Type) bool { return t.Kind() == reflect.Struct && !readsValue(t) }
	if t.Kind() == reflect.Pointer && isRow(t.Elem()) {
		r.pointer, r.elem = true, t.Elem()
	}
	switch {
	case isRow(r.elem):
		r.parts, err = placeAll(fields, r.elem)
	case t == reflect.TypeFor[Struct](), t.Kind() == reflect.Map && !isScanner(t):
		if t.Kind() == reflect.Map {
			err = checkMap(fields, t)
		}
		for i := 0; err == nil && i < len(fields); i++ {
			var k arrowKind
			k, err = arrowKindOf(fields[i])
			r.kinds = append(r.kinds, k)
		}
	case len(fields) != 1:
		err = fmt.Errorf("the result has %d columns and a %s holds one: use a struct with fields for them",
			len(fields), t)
	default:
		var d into
		if d, err = newInto(fields[0], t); err == nil {
			r.parts = []placed{{name: fields[0].Name, into: d}}
		} else {
			err = &columnError{fields[0].Name, err}
		}
	}
	if err == nil {
		return r, nil
	}
	if at, ok := errors.AsType[*columnError](err); ok {
		return nil, fmt.Errorf("bigqueryuser: column %q: %w", at.column, at.err)
	}
	return nil, fmt.Errorf("bigqueryuser: %w", err)
}

func (r *rowTarget) room(s spares, n int) *batch {
	b := &batch{}
	select {
	case b = <-s:
	default:
	}
	if old := reflect.ValueOf(b.made.list); b.made.list != nil && old.Cap() >= n {
		list := old.Slice(0, n)
		list.Clear()
		*b = batch{rows: n, made: made{list: list.Interface(), base: b.made.base}}
	} else {
		list := reflect.MakeSlice(r.list, n, n)
		*b = batch{rows: n, made: made{list: list.Interface(), base: list.UnsafePointer()}}
	}
	return b
}

func (r *rowTarget) done(*batch) {}

func (r *rowTarget) step(arrow.RecordBatch) int { return runRows(r.width) }

func (r *rowTarget) keeps() bool { return false }

func (r *rowTarget) row(c *cursor, b *batch, i int) error {
	p := unsafe.Add(b.made.base, uintptr(i)*r.list.Elem().Size())
	if r.kinds != nil {
		return r.boxedRow(c, p)
	}
	if r.pointer {
		v := reflect.New(r.elem).UnsafePointer()
		*(*unsafe.Pointer)(p) = v
		p = v
	}
	return cells(c, r.parts, r.width, p)
}

// boxedRow decodes a row into a map or a Struct.
func (r *rowTarget) boxedRow(c *cursor, p unsafe.Pointer) error {
	row := Struct{Fields: make([]StructField, r.width)}
	for i := range r.columns {
		if !comma(c, i) {
			return &columnError{r.columns[i].name, errTooFewCells}
		}
		v, err := r.columns[i].cell(c)
		if err != nil {
			return &columnError{r.columns[i].name, err}
		}
		row.Fields[i] = StructField{r.columns[i].name, v}
	}
	return r.assignRow(row, p)
}

func (r *rowTarget) assignRow(row Struct, p unsafe.Pointer) error {
	err := assign(reflect.NewAt(r.elem, p).Elem(), row)
	if at, ok := errors.AsType[*placeError](err); ok {
		return &columnError{strings.TrimPrefix(at.place, "."), at.err}
	}
	return err
}

func (r *rowTarget) record(s spares, record arrow.RecordBatch, from, to int, boxes *boxes) (*batch, error) {
	b := r.room(s, to-from)
	if r.kinds != nil {
		return b, r.boxedRecord(b, record, from, to, boxes)
	}
	base, size := b.made.base, r.list.Elem().Size()
	if r.pointer {
		all := reflect.MakeSlice(reflect.SliceOf(r.elem), to-from, to-from).UnsafePointer()
		for i := range uintptr(to - from) {
			*(*unsafe.Pointer)(unsafe.Add(base, i*size)) = unsafe.Add(all, i*r.elem.Size())
		}
		base, size = all, r.elem.Size()
	}
	for k := range r.parts {
		d := &r.parts[k]
		fill := func(from, to int, p unsafe.Pointer) (err error) {
			defer recovered(&err)
			a := record.Column(d.at)
			if a.Len() < to {
				return errShortColumn
			}
			return d.values(p, size, a, from, to, boxes)
		}
		if err := fill(from, to, unsafe.Add(base, d.offset)); err != nil {
			return nil, badIn(d.name, from, to, err, func(row int) error {
				return fill(row, row+1, unsafe.Add(reflect.New(r.elem).UnsafePointer(), d.offset))
			})
		}
	}
	return b, nil
}

// badIn finds the row that has the unreadable cell.
func badIn(column string, from, to int, err error, one func(row int) error) error {
	for row := from; row < to; row++ {
		if err := one(row); err != nil {
			return &badCell{row - from, column, err}
		}
	}
	return &badCell{0, column, err} // no single row has the error
}

// boxedRecord decodes rows into maps or Structs.
func (r *rowTarget) boxedRecord(b *batch, record arrow.RecordBatch, from, to int, boxes *boxes) error {
	values := make([]driver.Value, r.width*(to-from))
	for i := range r.columns {
		fill := func(dst []driver.Value, from, to int) (err error) {
			defer recovered(&err)
			if record.Column(i).Len() < to {
				return errShortColumn
			}
			return r.kinds[i].fill(dst, r.width, record.Column(i), from, to, boxes)
		}
		if err := fill(values[i:], from, to); err != nil {
			return badIn(r.columns[i].name, from, to, err, func(row int) error {
				return fill(make([]driver.Value, 1), row, row+1)
			})
		}
	}
	for row := range to - from {
		s := Struct{Fields: make([]StructField, r.width)}
		for i := range s.Fields {
			s.Fields[i] = StructField{r.columns[i].name, values[row*r.width+i]}
		}
		if err := r.assignRow(s, unsafe.Add(b.made.base, uintptr(row)*r.elem.Size())); err != nil {
			if at, ok := errors.AsType[*columnError](err); ok {
				return &badCell{row, at.column, at.err}
			}
			return err
		}
	}
	return nil
}
