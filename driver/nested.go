package driver

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"cloud.google.com/go/civil"
	bq "google.golang.org/api/bigquery/v2"
)

// encodeSlice makes an ARRAY parameter. Its element type is that of the elements, or of the
// slice's type if there is none; what is left open by both is asked of BigQuery. A nil slice
// is an empty array, as BigQuery itself keeps a NULL one.
func encodeSlice(rv reflect.Value) (argument, error) {
	a := argument{array: true, parts: make([]part, rv.Len())}
	for i := range a.parts {
		element, err := encode(rv.Index(i).Interface())
		if err != nil {
			return argument{}, fmt.Errorf("[%d]: %w", i, err)
		}
		if element.array || element.typ != nil && element.typ.Type == "ARRAY" {
			return argument{}, fmt.Errorf("[%d]: BigQuery has no ARRAY of ARRAYs: put a STRUCT between them", i)
		}
		a.parts[i].argument = element
	}
	elem, err := elementType(rv, a.parts)
	if err != nil {
		return argument{}, err
	}
	if elem == nil {
		return a, nil
	}
	return a.as(&bq.QueryParameterType{Type: "ARRAY", ArrayType: elem})
}

// elementTypes has the types whose zero value is no value of BigQuery's.
var elementTypes = map[reflect.Type]string{
	reflect.TypeFor[civil.Date]():     "DATE",
	reflect.TypeFor[civil.DateTime](): "DATETIME",
}

// numericTypes are those that a *big.Int or a *big.Rat can become, the widest last: each
// holds all that the ones before it hold.
var numericTypes = []string{"INT64", "NUMERIC", "BIGNUMERIC"}

// elementType finds the one type of the elements; nil if nothing says.
func elementType(rv reflect.Value, parts []part) (*bq.QueryParameterType, error) {
	var elem *bq.QueryParameterType
	for i, p := range parts {
		switch {
		case p.typ == nil:
		case elem == nil:
			elem = p.typ
		case !reflect.DeepEqual(elem, p.typ):
			before, now := slices.Index(numericTypes, elem.Type), slices.Index(numericTypes, p.typ.Type)
			if before < 0 || now < 0 {
				return nil, fmt.Errorf("[%d] is a %s and an element before it a %s: an ARRAY has one type", i, p.typ.Type, elem.Type)
			}
			elem = &bq.QueryParameterType{Type: numericTypes[max(before, now)]}
		}
	}
	for _, p := range parts {
		if p.time != nil || p.parts != nil && p.typ == nil {
			return nil, nil
		}
	}
	t := rv.Type().Elem()
	if elem != nil || t.Kind() == reflect.Interface {
		return elem, nil
	}
	if name, ok := elementTypes[t]; ok {
		return &bq.QueryParameterType{Type: name}, nil
	}
	if zero, err := encode(reflect.Zero(t).Interface()); err == nil {
		elem = zero.typ
	}
	return elem, nil
}

// encodeStruct makes a STRUCT parameter of a Struct.
func encodeStruct(s Struct) (argument, error) {
	names := make([]string, len(s.Fields))
	values := make([]any, len(s.Fields))
	for i, f := range s.Fields {
		names[i], values[i] = f.Name, f.Value
	}
	return encodeFields(names, values)
}

// encodeGoStruct makes a STRUCT parameter of a Go struct's exported fields.
func encodeGoStruct(rv reflect.Value) (argument, error) {
	var names []string
	var values []any
	for _, f := range structFields(rv.Type()) {
		names = append(names, f.name)
		values = append(values, rv.FieldByIndex(f.index).Interface())
	}
	if len(names) == 0 {
		return argument{}, fmt.Errorf("%s has no exported fields to make a STRUCT of", rv.Type())
	}
	return encodeFields(names, values)
}

func encodeFields(names []string, values []any) (argument, error) {
	a := argument{parts: make([]part, len(names))}
	typ := &bq.QueryParameterType{Type: "STRUCT"}
	seen := make(map[string]bool)
	for i, name := range names {
		// The request has the values in an object, by name.
		if key := strings.ToLower(name); name == "" || seen[key] {
			return argument{}, fmt.Errorf("field %d of a STRUCT argument, %q: the name is missing or there twice, which a query parameter can't have", i+1, name)
		} else {
			seen[key] = true
		}
		field, err := encode(values[i])
		if err != nil {
			return argument{}, fmt.Errorf(".%s: %w", name, err)
		}
		a.parts[i] = part{name, field}
		typ.StructTypes = append(typ.StructTypes, &bq.QueryParameterTypeStructTypes{Name: name, Type: field.typ})
	}
	for _, p := range a.parts {
		if p.typ == nil {
			return a, nil
		}
	}
	return a.as(typ)
}

// part is an element of an ARRAY or a field of a STRUCT.
type part struct {
	name string
	argument
}

var errNestedType = errors.New("the statement needs another type here")

// asNested gives an ARRAY or a STRUCT the type that BigQuery found for it. Where BigQuery says
// nothing, the parts that have a type keep it.
func (a argument) asNested(typ *bq.QueryParameterType) (argument, error) {
	out := argument{typ: &bq.QueryParameterType{}, value: &bq.QueryParameterValue{}}
	if a.array {
		var elem *bq.QueryParameterType
		if typ != nil && typ.Type == "ARRAY" {
			elem = typ.ArrayType
		}
		out.value.ArrayValues = []*bq.QueryParameterValue{}
		out.value.ForceSendFields = []string{"ArrayValues"}
		for i, p := range a.parts {
			element, err := p.resolve(elem)
			if err != nil {
				return argument{}, fmt.Errorf("[%d]: %w", i, err)
			}
			elem = element.typ
			out.value.ArrayValues = append(out.value.ArrayValues, element.value)
		}
		if elem == nil {
			return argument{}, errors.New("BigQuery does not say what type the elements of this empty slice have: use a slice of that type, not of any")
		}
		*out.typ = bq.QueryParameterType{Type: "ARRAY", ArrayType: elem}
		return out, nil
	}
	if typ != nil && typ.Type == "STRUCT" && len(typ.StructTypes) != len(a.parts) {
		return argument{}, errNestedType
	}
	out.typ.Type = "STRUCT"
	out.value.StructValues = make(map[string]bq.QueryParameterValue, len(a.parts))
	for i, p := range a.parts {
		var want *bq.QueryParameterType
		if typ != nil && typ.Type == "STRUCT" && p.typ == nil {
			want = typ.StructTypes[i].Type
		}
		field, err := p.resolve(want)
		if err != nil {
			return argument{}, fmt.Errorf(".%s: %w", p.name, err)
		}
		out.typ.StructTypes = append(out.typ.StructTypes, &bq.QueryParameterTypeStructTypes{Name: p.name, Type: field.typ})
		out.value.StructValues[p.name] = *field.value
	}
	return out, nil
}

// resolve is as for a part, which may have its type already. A number takes the wider type of
// the others in its array: its text is the same.
func (p part) resolve(typ *bq.QueryParameterType) (argument, error) {
	if p.typ != nil {
		if typ != nil && slices.Contains(numericTypes, p.typ.Type) && slices.Contains(numericTypes, typ.Type) {
			return argument{typ: typ, value: p.value}, nil
		}
		return p.argument, nil
	}
	return p.as(typ)
}
