package bulk

import (
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"reflect"
	"time"
	"unsafe"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/bigqueryuser/bigqueryuser/driver/internal/bridge"
)

// encoder appends the value at p as a field of a message. For NULL it appends nothing and returns
// null. An encoder is bound once for a column and a Go type.
type encoder func(b []byte, p unsafe.Pointer) (out []byte, null bool, err error)

var (
	errNull        = errors.New("the value is NULL, but the column is REQUIRED")
	errNullElement = errors.New("the ARRAY has a NULL element, which BigQuery can't store")
)

// columnError is the error of a value, with its column or field.
type columnError struct {
	column string
	err    error
}

func (e *columnError) Error() string { return fmt.Sprintf("column %q: %v", e.column, e.err) }
func (e *columnError) Unwrap() error { return e.err }

// newEncoder returns the encoder of a Go type for a column.
func newEncoder(c *column, t reflect.Type) (encoder, error) {
	e, err := c.encoderOf(t)
	if err != nil || !c.required() {
		return e, err
	}
	return func(b []byte, p unsafe.Pointer) ([]byte, bool, error) {
		b, null, err := e(b, p)
		if err == nil && null {
			err = errNull
		}
		return b, null, err
	}, nil
}

// encoderOf is newEncoder without the check for REQUIRED.
func (c *column) encoderOf(t reflect.Type) (encoder, error) {
	switch flag, isNull := nullFlag(t); {
	case isNull:
		inner, err := c.encoderOf(t.Field(0).Type)
		return func(b []byte, p unsafe.Pointer) ([]byte, bool, error) {
			if !*(*bool)(unsafe.Add(p, flag)) {
				return b, true, nil
			}
			return inner(b, p) // the value is the first field
		}, err
	case t.Kind() == reflect.Pointer && !byValuer(t):
		inner, err := c.encoderOf(t.Elem())
		return func(b []byte, p unsafe.Pointer) ([]byte, bool, error) {
			if p = *(*unsafe.Pointer)(p); p == nil {
				return b, true, nil
			}
			return inner(b, p)
		}, err
	case t.Kind() == reflect.Interface:
		return c.anyEncoder(t), nil
	case c.repeated():
		return c.listEncoder(t)
	case c.typ == "STRUCT":
		return c.structEncoder(t)
	}
	return c.scalarEncoder(t)
}

// nullFlag returns the field with the flag of a sql.Null[T], a sql.NullString or the like.
func nullFlag(t reflect.Type) (offset uintptr, ok bool) {
	if t.Kind() != reflect.Struct || t.PkgPath() != "database/sql" || t.NumField() != 2 || t.Field(1).Name != "Valid" {
		return 0, false
	}
	return t.Field(1).Offset, true
}

var valuerType = reflect.TypeFor[sqldriver.Valuer]()

// byValuer reports whether values of a type are encoded by their Value method.
func byValuer(t reflect.Type) bool {
	return t.Implements(valuerType) && t.PkgPath() != "cloud.google.com/go/civil" &&
		!(t.Kind() == reflect.Pointer && t.Elem().Implements(valuerType)) // its element decides
}

// anyEncoder encodes the value in an interface. It binds an encoder at the first value of each
// type.
func (c *column) anyEncoder(t reflect.Type) encoder {
	known := map[reflect.Type]encoder{}
	return func(b []byte, p unsafe.Pointer) ([]byte, bool, error) {
		v := reflect.NewAt(t, p).Elem().Elem()
		if !v.IsValid() {
			return b, true, nil
		}
		e := known[v.Type()]
		if e == nil {
			var err error
			if e, err = c.encoderOf(v.Type()); err != nil {
				return b, false, err
			}
			known[v.Type()] = e
		}
		if c.picos && v.Type() == reflect.TypeFor[time.Time]() {
			return e(b, (*[2]unsafe.Pointer)(p)[1]) // a copy would have nanoseconds only
		}
		at := reflect.New(v.Type())
		at.Elem().Set(v)
		return e(b, at.UnsafePointer())
	}
}

// sliceValue is the memory layout of a slice.
type sliceValue struct {
	data     unsafe.Pointer
	len, cap int
}

// listEncoder encodes an ARRAY. A nil slice is an empty ARRAY, as in BigQuery.
func (c *column) listEncoder(t reflect.Type) (encoder, error) {
	if t.Kind() != reflect.Slice {
		return nil, fmt.Errorf("a %s can't be put into an ARRAY: use a slice", t)
	}
	elem, err := c.element().encoderOf(t.Elem())
	if err != nil {
		return nil, err
	}
	size := t.Elem().Size()
	return func(b []byte, p unsafe.Pointer) (_ []byte, _ bool, err error) {
		list := *(*sliceValue)(p)
		for i := range list.len {
			var null bool
			b, null, err = elem(b, unsafe.Add(list.data, uintptr(i)*size))
			if err == nil && null {
				err = errNullElement
			}
			if err != nil {
				return b, false, fmt.Errorf("[%d]: %w", i, err)
			}
		}
		return b, false, nil
	}, nil
}

// structEncoder encodes a STRUCT as a message.
func (c *column) structEncoder(t reflect.Type) (encoder, error) {
	inner, present, err := messageEncoder(c.fields, t)
	if err != nil {
		return nil, err
	}
	for i, f := range c.fields {
		if f.required() && !present[i] {
			return nil, &columnError{f.name, fmt.Errorf("it is REQUIRED, but %s has no field for it", t)}
		}
	}
	return func(b []byte, p unsafe.Pointer) ([]byte, bool, error) {
		b, start := c.open(b)
		b, null, err := inner(b, p)
		if null {
			return b[:start], true, err
		}
		return closeMessage(b, start), false, err
	}, nil
}

// open starts a message inside another: it appends the tag and a byte for the length.
func (c *column) open(b []byte) (out []byte, start int) {
	b = protowire.AppendTag(b, c.number, protowire.BytesType)
	return append(b, 0), len(b)
}

// closeMessage sets the length of a message. One byte is reserved for it, which is enough for most.
func closeMessage(b []byte, start int) []byte {
	n := len(b) - start - 1
	if n < 0x80 {
		b[start] = byte(n)
		return b
	}
	extra := protowire.SizeVarint(uint64(n)) - 1
	b = append(b, "          "[:extra]...)
	copy(b[start+1+extra:], b[start+1:len(b)-extra])
	protowire.AppendVarint(b[:start], uint64(n))
	return b
}

// rowEncoder returns the encoder of rows of type T, and which columns the rows have values for.
func rowEncoder(columns []*column, t reflect.Type) (e encoder, present []bool, err error) {
	return messageEncoder(columns, t)
}

// place is a column with its field in a Go struct.
type place struct {
	*column
	offset uintptr
	encode encoder
}

// messageEncoder returns the encoder of a Go type with values for columns, or for the fields of a
// STRUCT.
func messageEncoder(columns []*column, t reflect.Type) (e encoder, present []bool, err error) {
	present = make([]bool, len(columns))
	switch {
	case t.Kind() == reflect.Pointer:
		inner, present, err := messageEncoder(columns, t.Elem())
		return func(b []byte, p unsafe.Pointer) ([]byte, bool, error) {
			if p = *(*unsafe.Pointer)(p); p == nil {
				return b, true, nil
			}
			return inner(b, p)
		}, present, err
	case isNamedValues(t):
		for i := range present {
			present[i] = true
		}
		e, err = namedEncoder(columns, t)
		return e, present, err
	case t == reflect.TypeFor[[]any]():
		for i := range present {
			present[i] = true
		}
		return plainEncoder(columns), present, nil
	case t.Kind() != reflect.Struct || bridge.IsValue(t):
		return nil, present, fmt.Errorf(
			"a %s can't be a row: use a struct, a map[string]any, a driver.Struct or a []any", t)
	}
	var places []place
	for _, f := range bridge.Fields(t) {
		i := columnNamed(columns, f.Name)
		offset, field := uintptr(0), reflect.StructField{Type: t}
		for _, index := range f.Index {
			field = field.Type.Field(index)
			offset += field.Offset
		}
		if i < 0 {
			return nil, present, fmt.Errorf("the table has no column for the field %s of %s: leave it out by the tag "+
				"`bigquery:\"-\"`", field.Name, t)
		}
		if present[i] {
			return nil, present, &columnError{columns[i].name, fmt.Errorf("%s has two fields for it", t)}
		}
		present[i] = true
		encode, err := newEncoder(columns[i], field.Type)
		if err != nil {
			return nil, present, &columnError{columns[i].name, fmt.Errorf("the field %s of %s: %w", field.Name, t, err)}
		}
		places = append(places, place{columns[i], offset, encode})
	}
	return func(b []byte, p unsafe.Pointer) (_ []byte, _ bool, err error) {
		for i := range places {
			at := &places[i]
			if b, _, err = at.encode(b, unsafe.Add(p, at.offset)); err != nil {
				return b, false, &columnError{at.name, err}
			}
		}
		return b, false, nil
	}, present, nil
}
