package bulk

import (
	"fmt"
	"reflect"
	"strings"
	"unsafe"

	bq "google.golang.org/api/bigquery/v2"

	"github.com/bigqueryuser/bigqueryuser/driver"
)

// isNamedValues reports whether values of a type have names: a map or a driver.Struct.
func isNamedValues(t reflect.Type) bool {
	return t == reflect.TypeFor[driver.Struct]() || t.Kind() == reflect.Map && t.Key().Kind() == reflect.String
}

// columnNamed returns the index of a column, without regard to case if no column has exactly this
// name; -1 if there is none.
func columnNamed(columns []*column, name string) int {
	found := -1
	for i, c := range columns {
		if c.name == name {
			return i
		}
		if found < 0 && strings.EqualFold(c.name, name) {
			found = i
		}
	}
	return found
}

// namedEncoder encodes a map or a driver.Struct. Missing values are NULL.
func namedEncoder(columns []*column, t reflect.Type) (encoder, error) {
	elem := reflect.TypeFor[any]()
	if t.Kind() == reflect.Map {
		elem = t.Elem()
	}
	encoders := make([]encoder, len(columns))
	for i, c := range columns {
		e, err := newEncoder(c, elem)
		if err != nil {
			return nil, &columnError{c.name, err}
		}
		encoders[i] = e
	}
	return func(b []byte, p unsafe.Pointer) (_ []byte, _ bool, err error) {
		seen := make([]bool, len(columns))
		put := func(name string, v unsafe.Pointer) error {
			i := columnNamed(columns, name)
			switch {
			case i < 0:
				return fmt.Errorf("the table has no column %q", name)
			case seen[i]:
				return &columnError{columns[i].name, fmt.Errorf("two values for it, one as %q", name)}
			}
			seen[i] = true
			if b, _, err = encoders[i](b, v); err != nil {
				return &columnError{columns[i].name, err}
			}
			return nil
		}
		if t.Kind() == reflect.Map {
			m := reflect.NewAt(t, p).Elem()
			if m.IsNil() {
				return b, true, nil
			}
			for entries := m.MapRange(); entries.Next(); {
				v := reflect.New(elem)
				v.Elem().Set(entries.Value())
				if err := put(entries.Key().String(), v.UnsafePointer()); err != nil {
					return b, false, err
				}
			}
		} else {
			fields := (*driver.Struct)(p).Fields
			for i := range fields {
				if err := put(fields[i].Name, unsafe.Pointer(&fields[i].Value)); err != nil {
					return b, false, err
				}
			}
		}
		for i, c := range columns {
			if !seen[i] && c.required() {
				return b, false, &columnError{c.name, errNull}
			}
		}
		return b, false, nil
	}, nil
}

// plainEncoder encodes a []any with a value for each column.
func plainEncoder(columns []*column) encoder {
	encoders := make([]encoder, len(columns))
	for i, c := range columns {
		encoders[i], _ = newEncoder(c, reflect.TypeFor[any]()) // the value can have any type
	}
	return func(b []byte, p unsafe.Pointer) (_ []byte, _ bool, err error) {
		row := *(*[]any)(p)
		if len(row) != len(columns) {
			return b, false, fmt.Errorf("got %d values for %d columns", len(row), len(columns))
		}
		for i, e := range encoders {
			if b, _, err = e(b, unsafe.Pointer(&row[i])); err != nil {
				return b, false, &columnError{columns[i].name, err}
			}
		}
		return b, false, nil
	}
}

// putRange appends a RANGE, a message with two ends.
func (c *column) putRange(b []byte, typ *bq.QueryParameterType, v *bq.RangeValue) ([]byte, error) {
	if c.typ != "RANGE" || typ.RangeElementType == nil || typ.RangeElementType.Type != c.elem {
		return b, c.wrong("driver.Range")
	}
	b, start := c.open(b)
	var err error
	for i, end := range []*bq.QueryParameterValue{v.Start, v.End} {
		if end == nil {
			continue
		}
		if b, err = c.ends()[i].putString(b, end.Value); err != nil {
			return b, err
		}
	}
	return closeMessage(b, start), nil
}
