package driver

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	bq "google.golang.org/api/bigquery/v2"
)

// part is an element of an ARRAY or a field of a STRUCT.
type part struct {
	name string
	argument
}

// encodeSlice encodes an ARRAY. Its element type is merged from all elements, field by field. A nil
// slice is an empty ARRAY, because BigQuery stores a NULL ARRAY as an empty one.
func encodeSlice(rv reflect.Value, depth int) (argument, error) {
	t := rv.Type().Elem()
	if isSlice(t) {
		return argument{}, errArrayOfArrays
	}
	if err := checkElement(t); err != nil {
		return argument{}, err
	}
	a := argument{array: true, parts: make([]part, rv.Len())}
	var elem *bq.QueryParameterType
	element := elementsOf(rv)
	for i := range a.parts {
		part, err := encodeAt(element(i), depth+1)
		if own := part.own(); err == nil && own != nil && own.Type == "ARRAY" {
			err = errArrayOfArrays
		}
		if err == nil {
			elem, err = merge(elem, part.own())
		}
		if err != nil {
			return argument{}, at(fmt.Sprintf("[%d]", i), err)
		}
		a.parts[i].argument = part
	}
	fallback := fallbackOf(t)
	if len(a.parts) == 0 && t.Kind() != reflect.Pointer && !mayBeNull(t) {
		elem = sureType(t, fallback)
	}
	for i := range a.parts {
		if isWhole(fallback) {
			break
		}
		fallback = overlay(fallback, a.parts[i].fallback)
	}
	a.shape, a.fallback = arrayOf(elem), arrayOf(fallback)
	return a.closed()
}

var errArrayOfArrays = errors.New("BigQuery has no ARRAY of ARRAYs: put a STRUCT between them")

// isSlice reports whether a type becomes an ARRAY.
func isSlice(t reflect.Type) bool {
	for t.Kind() == reflect.Pointer && !t.Implements(valuerInterface) {
		t = t.Elem()
	}
	return t.Kind() == reflect.Slice && t.Elem().Kind() != reflect.Uint8 && !t.Implements(valuerInterface)
}

// mayBeNull reports whether the zero value of the type is NULL, so that BigQuery is asked for the
// type.
func mayBeNull(t reflect.Type) bool {
	a, err := encode(reflect.Zero(t).Interface())
	return err == nil && a.typ == nil && a.shape == nil
}

// sureType returns the element type of an empty slice, as far as values of the Go type determine
// it.
func sureType(t reflect.Type, fallback *bq.QueryParameterType) *bq.QueryParameterType {
	if a, err := encode(reflect.Zero(t).Interface()); err == nil {
		return a.own()
	}
	return fallback // the zero value of civil.Date and others is not valid in BigQuery
}

// encodeStruct encodes a Struct as a STRUCT.
func encodeStruct(s Struct, depth int) (argument, error) {
	names := make([]string, len(s.Fields))
	values := make([]any, len(s.Fields))
	for i, f := range s.Fields {
		names[i], values[i] = f.Name, f.Value
	}
	return encodeFields(names, values, depth)
}

// encodeGoStruct encodes the exported fields of a Go struct as a STRUCT.
func encodeGoStruct(rv reflect.Value, depth int) (argument, error) {
	if err := checkElement(rv.Type()); err != nil {
		return argument{}, err
	}
	var names []string
	var values []any
	for _, f := range structFields(rv.Type()) {
		names = append(names, f.name)
		values = append(values, rv.FieldByIndex(f.index).Interface())
	}
	a, err := encodeFields(names, values, depth)
	if err == nil && a.typ == nil {
		a.fallback = overlay(
			fallbackOf(rv.Type()),
			a.fallback,
		) // the value knows more about fields of an interface type
	}
	return a, err
}

// checkElement returns an error for a struct type that can't become a STRUCT. It follows pointers.
func checkElement(t reflect.Type) error {
	for t.Kind() == reflect.Pointer && !t.Implements(valuerInterface) {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || isValue(t) || isSQLNull(t) || t.Implements(valuerInterface) {
		return nil
	}
	if _, known := goTypes[t]; known {
		return nil
	}
	if len(structFields(t)) == 0 {
		return fmt.Errorf("%s has no exported fields to make a STRUCT of", t)
	}
	return checkRecursion(t)
}

func encodeFields(names []string, values []any, depth int) (argument, error) {
	if len(names) == 0 {
		return argument{}, errors.New("a STRUCT argument has no fields: BigQuery needs at least one")
	}
	a := argument{parts: make([]part, len(names))}
	shape, fallback := &bq.QueryParameterType{Type: "STRUCT"}, &bq.QueryParameterType{Type: "STRUCT"}
	seen := make(map[string]bool)
	for i, name := range names {
		// A request has the fields in a JSON object, by name.
		if key := strings.ToLower(name); name == "" || seen[key] {
			return argument{}, fmt.Errorf(
				"field %d of a STRUCT argument, %q: the name is empty or occurs twice: name the fields differently",
				i+1,
				name,
			)
		} else {
			seen[key] = true
		}
		field, err := encodeAt(values[i], depth+1)
		if err != nil {
			return argument{}, at("."+name, err)
		}
		a.parts[i] = part{name, field}
		shape.StructTypes = append(
			shape.StructTypes,
			&bq.QueryParameterTypeStructTypes{Name: name, Type: field.own()},
		)
		fallback.StructTypes = append(
			fallback.StructTypes,
			&bq.QueryParameterTypeStructTypes{Name: name, Type: overlay(field.fallback, field.typ)},
		)
	}
	a.shape, a.fallback = shape, fallback
	return a.closed()
}

// closed returns an ARRAY or a STRUCT with its value, if its type has no holes.
func (a argument) closed() (argument, error) {
	if !isWhole(a.shape) {
		return a, nil
	}
	value, err := a.valueAs(a.shape)
	return argument{typ: a.shape, value: value}, err
}

// valueAs returns the value for a type that settle has completed.
func (a *argument) valueAs(typ *bq.QueryParameterType) (*bq.QueryParameterValue, error) {
	switch {
	case a.time != nil:
		t, err := encodeTime(*a.time, a.picos, typ)
		return t.value, err
	case a.array:
		value := &bq.QueryParameterValue{
			ArrayValues:     make([]*bq.QueryParameterValue, len(a.parts)),
			ForceSendFields: []string{"ArrayValues"},
		}
		for i := range a.parts {
			element, err := a.parts[i].valueAs(typ.ArrayType)
			if err != nil {
				return nil, at(fmt.Sprintf("[%d]", i), err)
			}
			value.ArrayValues[i] = element
		}
		return value, nil
	case a.parts != nil:
		value := &bq.QueryParameterValue{StructValues: make(map[string]bq.QueryParameterValue, len(a.parts))}
		for i := range a.parts {
			p := &a.parts[i]
			field, err := p.valueAs(typ.StructTypes[i].Type)
			if err != nil {
				return nil, at("."+p.name, err)
			}
			value.StructValues[p.name] = *field
		}
		return value, nil
	}
	return a.value, nil
}
