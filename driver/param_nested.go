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
func encodeSlice(rv reflect.Value, depth int) (argument, error) {
	t := rv.Type().Elem()
	if isSlice(t) {
		return argument{}, errArrayOfArrays
	}
	if err := checkRecursion(t); err != nil {
		return argument{}, err
	}
	a := argument{array: true, parts: make([]part, rv.Len())}
	for i := range a.parts {
		element, err := encodeAt(rv.Index(i).Interface(), depth+1)
		if err != nil {
			return argument{}, fmt.Errorf("[%d]: %w", i, err)
		}
		if element.array || element.typ != nil && element.typ.Type == "ARRAY" {
			return argument{}, fmt.Errorf("[%d]: %w", i, errArrayOfArrays)
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

var errArrayOfArrays = errors.New("BigQuery has no ARRAY of ARRAYs: put a STRUCT between them")

// isSlice tells a type that becomes an ARRAY.
func isSlice(t reflect.Type) bool {
	for t.Kind() == reflect.Pointer && !t.Implements(valuerType) {
		t = t.Elem()
	}
	return t.Kind() == reflect.Slice && t.Elem().Kind() != reflect.Uint8 && !t.Implements(valuerType)
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
		if p.typ == nil {
			continue
		}
		merged, err := widest(elem, p.typ)
		if err != nil {
			return nil, fmt.Errorf("[%d]: %w: an ARRAY has one type", i, err)
		}
		elem = merged
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

// widest is the type that holds the values of both; a may be nil.
func widest(a, b *bq.QueryParameterType) (*bq.QueryParameterType, error) {
	switch x, y := indexOf(a), slices.Index(numericTypes, b.Type); {
	case a == nil || reflect.DeepEqual(a, b):
		return b, nil
	case x >= 0 && y >= 0:
		return &bq.QueryParameterType{Type: numericTypes[max(x, y)]}, nil
	case a.Type == "ARRAY" && b.Type == "ARRAY":
		elem, err := widest(a.ArrayType, b.ArrayType)
		return &bq.QueryParameterType{Type: "ARRAY", ArrayType: elem}, err
	case a.Type != "STRUCT" || b.Type != "STRUCT" || len(a.StructTypes) != len(b.StructTypes):
		return nil, fmt.Errorf("a %s after a %s", b.Type, a.Type)
	}
	out := &bq.QueryParameterType{Type: "STRUCT"}
	for i, f := range a.StructTypes {
		typ, err := widest(f.Type, b.StructTypes[i].Type)
		if err != nil || f.Name != b.StructTypes[i].Name {
			return nil, fmt.Errorf("its field %s differs from one before it", b.StructTypes[i].Name)
		}
		out.StructTypes = append(out.StructTypes, &bq.QueryParameterTypeStructTypes{Name: f.Name, Type: typ})
	}
	return out, nil
}

func indexOf(t *bq.QueryParameterType) int {
	if t == nil {
		return -1
	}
	return slices.Index(numericTypes, t.Type)
}

// encodeStruct makes a STRUCT parameter of a Struct.
func encodeStruct(s Struct, depth int) (argument, error) {
	names := make([]string, len(s.Fields))
	values := make([]any, len(s.Fields))
	for i, f := range s.Fields {
		names[i], values[i] = f.Name, f.Value
	}
	return encodeFields(names, values, depth)
}

// encodeGoStruct makes a STRUCT parameter of a Go struct's exported fields.
func encodeGoStruct(rv reflect.Value, depth int) (argument, error) {
	if err := checkRecursion(rv.Type()); err != nil {
		return argument{}, err
	}
	var names []string
	var values []any
	for _, f := range structFields(rv.Type()) {
		names = append(names, f.name)
		values = append(values, rv.FieldByIndex(f.index).Interface())
	}
	if len(names) == 0 {
		return argument{}, fmt.Errorf("%s has no exported fields to make a STRUCT of", rv.Type())
	}
	return encodeFields(names, values, depth)
}

func encodeFields(names []string, values []any, depth int) (argument, error) {
	if len(names) == 0 {
		return argument{}, errors.New("a STRUCT argument needs a field")
	}
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
		field, err := encodeAt(values[i], depth+1)
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

// resolve is as for a part, which may have its type already. It takes the wider type of the others
// in its array: its text is the same.
func (p part) resolve(typ *bq.QueryParameterType) (argument, error) {
	if p.typ != nil {
		if wide, err := widest(typ, p.typ); err == nil && reflect.DeepEqual(wide, typ) {
			return argument{typ: typ, value: p.value}, nil
		}
		return p.argument, nil
	}
	return p.as(typ)
}
