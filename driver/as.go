package driver

import (
	"database/sql"
	"errors"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"strings"

	"cloud.google.com/go/bigquery"
)

// As returns a destination for Rows.Scan that decodes a value into the variable that dest points
// at:
//
//   - A STRUCT goes into a Go struct, by field name without regard to case or by the tag
//     `bigquery:"name"`, or into a map[string]T.
//   - An ARRAY goes into a slice, an INTERVAL into a bigquery.IntervalValue, and a STRUCT or RANGE
//     also into a string.
//   - Their parts, and other values, go into Go's basic types, pointers (nil for NULL), sql.Null[T],
//     bigquery.NullInt64 and the like, any other sql.Scanner, big.Rat and big.Int.
//   - JSON goes into structs, by their json tags, maps, slices and implementations of
//     json.Unmarshaler, such as json.RawMessage. Numbers become json.Number in an any. JSON's null
//     is the zero value, also behind a pointer, whereas SQL's NULL is a nil pointer or an invalid
//     sql.Null[T]. A STRING is never parsed as JSON.
//   - A DATE, DATETIME or TIMESTAMP(12) goes into a string as BigQuery writes it: 2024-02-29,
//     2024-02-29T15:04:05.6, 2024-02-29T15:04:05.123456789012Z.
//
// For example:
//
//	var orders []Order
//	err := rows.Scan(&id, driver.As(&orders))
//
// The destination keeps fields that the value does not have; fields that only the value has are
// ignored. An error names the place in the value, such as orders[3].price.
//
// JSON, and times that become text, need values that come straight from Rows.Scan: a time.Time or
// string that was copied to a variable of its own type no longer has its BigQuery type.
func As(dest any) sql.Scanner { return decoder{dest} }

type decoder struct{ dest any }

func (d decoder) Scan(src any) error {
	to := reflect.ValueOf(d.dest)
	if to.Kind() != reflect.Pointer || to.IsNil() {
		return fmt.Errorf("bigqueryuser: As: got %T; want a pointer that is not nil", d.dest)
	}
	if err := assign(to.Elem(), src); err != nil {
		if at, ok := errors.AsType[*placeError](err); ok {
			return fmt.Errorf("bigqueryuser: %s: %w", strings.TrimPrefix(at.place, "."), at.err)
		}
		return fmt.Errorf("bigqueryuser: %w", err)
	}
	return nil
}

// placeError is an error with its place inside the value.
type placeError struct {
	place string
	err   error
}

func (e *placeError) Error() string { return e.place + ": " + e.err.Error() }
func (e *placeError) Unwrap() error { return e.err }

func at(place string, err error) error {
	if inner, ok := errors.AsType[*placeError](err); ok {
		return &placeError{place + inner.place, inner.err}
	}
	return &placeError{place, err}
}

func assign(to reflect.Value, src any) error {
	if text, ok := markedText(src); ok && takesText(to) {
		src = text
	}
	if isNullOf(to.Type()) {
		return assignNullOf(to, src)
	}
	switch t := to.Addr().Interface().(type) {
	case sql.Scanner:
		return t.Scan(src)
	case *big.Rat, *big.Int:
		if src != nil {
			return assignNumber(t, src)
		}
	case *bigquery.IntervalValue:
		if text, ok := src.(string); ok {
			v, err := parseInterval(text)
			if err == nil {
				*t = v
			}
			return err
		}
	}
	if src == nil {
		return assignNull(to)
	}
	if isJSON(src) && takesJSON(to) {
		return assignJSON(to, src.(string))
	}
	from := reflect.ValueOf(src)
	if from.Type().AssignableTo(to.Type()) {
		to.Set(from)
		return nil
	}
	if to.Kind() == reflect.Pointer {
		value := reflect.New(to.Type().Elem())
		if err := assign(value.Elem(), src); err != nil {
			return err
		}
		to.Set(value)
		return nil
	}
	switch text := src.(type) {
	case Range, Struct: // database/sql can't convert them to strings
		if to.Kind() == reflect.String {
			to.SetString(fmt.Sprint(text))
			return nil
		}
	}
	if s, ok := src.(Struct); ok {
		return assignStruct(to, s)
	}
	if _, isBytes := src.([]byte); from.Kind() == reflect.Slice && !isBytes {
		return assignSlice(to, from)
	}
	return assignScalar(to, src)
}

// takesText reports whether a time is put into a destination as text.
func takesText(to reflect.Value) bool {
	if _, ok := to.Addr().Interface().(*sql.NullString); ok {
		return true
	}
	if _, ok := to.Addr().Interface().(sql.Scanner); ok {
		return false
	}
	return to.Kind() == reflect.String || to.Kind() == reflect.Slice && to.Type().Elem().Kind() == reflect.Uint8
}

func assignNull(to reflect.Value) error {
	switch to.Kind() {
	case reflect.Pointer, reflect.Interface, reflect.Slice, reflect.Map:
		to.SetZero()
		return nil
	}
	return fmt.Errorf("NULL can't be put into a %s: use a pointer or sql.Null[%s]", to.Type(), to.Type())
}

// assignNullOf does the same as Null.Scan, and also decodes STRUCTs and ARRAYs.
func assignNullOf(to reflect.Value, src any) error {
	value := reflect.New(to.Type()).Elem()
	if src != nil {
		if err := assign(value.Field(0), src); err != nil {
			return err
		}
		value.FieldByName("Valid").SetBool(true)
	}
	to.Set(value)
	return nil
}

func assignStruct(to reflect.Value, s Struct) error {
	switch {
	case to.Kind() == reflect.Struct:
		fields := structFields(to.Type())
		filled := make([]bool, len(fields))
		for _, f := range s.Fields {
			i := fieldNamed(fields, f.Name)
			if i < 0 {
				continue
			}
			if filled[i] {
				return at("."+f.Name, errTwice("Go struct"))
			}
			filled[i] = true
			if err := assign(to.FieldByIndex(fields[i].index), f.Value); err != nil {
				return at("."+f.Name, err)
			}
		}
		return nil
	case to.Kind() == reflect.Map && to.Type().Key().Kind() == reflect.String:
		m := reflect.MakeMapWithSize(to.Type(), len(s.Fields))
		for _, f := range s.Fields {
			key := reflect.ValueOf(f.Name).Convert(to.Type().Key())
			if m.MapIndex(key).IsValid() {
				return at("."+f.Name, errTwice("map"))
			}
			value := reflect.New(to.Type().Elem()).Elem()
			if err := assign(value, f.Value); err != nil {
				return at("."+f.Name, err)
			}
			m.SetMapIndex(key, value)
		}
		to.Set(m)
		return nil
	}
	return fmt.Errorf("a STRUCT can't be put into a %s", to.Type())
}

func assignSlice(to, from reflect.Value) error {
	if to.Kind() != reflect.Slice {
		return fmt.Errorf("an ARRAY can't be put into a %s", to.Type())
	}
	list := reflect.MakeSlice(to.Type(), from.Len(), from.Len())
	element := elementsOf(from)
	for i := range from.Len() {
		if err := assign(list.Index(i), element(i)); err != nil {
			return at(fmt.Sprintf("[%d]", i), err)
		}
	}
	to.Set(list)
	return nil
}

func assignNumber(to, src any) error {
	text, ok := src.(string)
	if n, isInt := src.(int64); isInt {
		text, ok = fmt.Sprint(n), true
	}
	if ok {
		switch to := to.(type) {
		case *big.Rat:
			_, ok = to.SetString(text)
		case *big.Int:
			_, ok = to.SetString(text, 10)
		}
	}
	if !ok {
		return fmt.Errorf("a %T can't be put into a %T", src, to)
	}
	return nil
}

// assignScalar converts as Rows.Scan does, with the sql.Null types of database/sql.
func assignScalar(to reflect.Value, src any) error {
	var err error
	value := reflect.New(to.Type()).Elem() // to is unchanged after an error
	switch to.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		var n sql.NullInt64
		if err = n.Scan(src); err == nil && to.OverflowInt(n.Int64) {
			err = fmt.Errorf("%d is out of the range of %s", n.Int64, to.Type())
		}
		value.SetInt(n.Int64)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		var n sql.Null[uint64]
		if err = n.Scan(src); err == nil && to.OverflowUint(n.V) {
			err = fmt.Errorf("%d is out of the range of %s", n.V, to.Type())
		}
		value.SetUint(n.V)
	case reflect.Float32, reflect.Float64:
		var f sql.NullFloat64
		if err = f.Scan(src); err == nil && !math.IsInf(f.Float64, 0) && to.OverflowFloat(f.Float64) {
			err = fmt.Errorf("%g is out of the range of %s", f.Float64, to.Type())
		}
		value.SetFloat(f.Float64)
	case reflect.Bool:
		var b sql.NullBool
		err = b.Scan(src)
		value.SetBool(b.Bool)
	case reflect.String:
		var s sql.NullString
		err = s.Scan(src)
		value.SetString(s.String)
	case reflect.Slice:
		if to.Type().Elem().Kind() != reflect.Uint8 {
			return fmt.Errorf("a %T can't be put into a %s", src, to.Type())
		}
		var b sql.Null[[]byte]
		err = b.Scan(src)
		value.SetBytes(b.V)
	default:
		return fmt.Errorf("a %T can't be put into a %s", src, to.Type())
	}
	if err != nil {
		return err
	}
	to.Set(value)
	return nil
}
