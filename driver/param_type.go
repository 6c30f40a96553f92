package driver

import (
	"fmt"
	"slices"
	"strings"

	bq "google.golang.org/api/bigquery/v2"
)

// The type of an argument can have holes, which are nil: places whose type the Go value does not
// determine, because it is NULL there. A hole gets the type that BigQuery finds, else that of the
// Go type.

// openTime is the type of a time.Time: TIMESTAMP, or a DATE, DATETIME or TIME where BigQuery finds one.
var openTime = &bq.QueryParameterType{Type: "time"}

// numericTypes are the types that a *big.Int or a *big.Rat can become. Each holds all values of the
// ones before it.
var numericTypes = []string{"INT64", "NUMERIC", "BIGNUMERIC"}

// isWhole reports whether a type has no holes and no openTime.
func isWhole(t *bq.QueryParameterType) bool {
	switch {
	case t == nil || t == openTime:
		return false
	case t.Type == "ARRAY":
		return isWhole(t.ArrayType)
	}
	for _, f := range t.StructTypes {
		if !isWhole(f.Type) {
			return false
		}
	}
	return true
}

func arrayOf(elem *bq.QueryParameterType) *bq.QueryParameterType {
	return &bq.QueryParameterType{Type: "ARRAY", ArrayType: elem}
}

// elementOf returns the element type of an ARRAY; nil if t is not an ARRAY.
func elementOf(t *bq.QueryParameterType) *bq.QueryParameterType {
	if t == nil || t.Type != "ARRAY" {
		return nil
	}
	return t.ArrayType
}

// fieldOf returns the type of field i of a STRUCT with n fields; nil if t is not such a STRUCT.
func fieldOf(t *bq.QueryParameterType, i, n int) *bq.QueryParameterType {
	if t == nil || t.Type != "STRUCT" || len(t.StructTypes) != n {
		return nil
	}
	return t.StructTypes[i].Type
}

// withFields returns a STRUCT like t whose field i has the type of(i). It returns t itself if no
// type differs.
func withFields(
	t *bq.QueryParameterType,
	of func(i int) (*bq.QueryParameterType, error),
) (*bq.QueryParameterType, error) {
	out := t
	for i, f := range t.StructTypes {
		typ, err := of(i)
		if err != nil {
			return nil, at("."+f.Name, err)
		}
		if typ == f.Type {
			continue
		}
		if out == t {
			out = &bq.QueryParameterType{Type: "STRUCT", StructTypes: slices.Clone(t.StructTypes)}
		}
		out.StructTypes[i] = &bq.QueryParameterTypeStructTypes{Name: f.Name, Type: typ}
	}
	return out, nil
}

// merge returns the type that holds the values of both. It fills holes of one type from the other.
func merge(a, b *bq.QueryParameterType) (*bq.QueryParameterType, error) {
	switch {
	case a == nil:
		return b, nil
	case b == nil || a == b:
		return a, nil
	case a.Type == "ARRAY" && b.Type == "ARRAY":
		elem, err := merge(a.ArrayType, b.ArrayType)
		if err != nil || elem == a.ArrayType {
			return a, err
		}
		return arrayOf(elem), nil
	case a.Type == "STRUCT" && b.Type == "STRUCT" && sameNames(a, b):
		return withFields(a, func(i int) (*bq.QueryParameterType, error) {
			return merge(a.StructTypes[i].Type, b.StructTypes[i].Type)
		})
	case a.Type == "STRUCT" && b.Type == "STRUCT":
		return nil, fmt.Errorf(
			"a STRUCT with the fields %s after one with %s: the elements of an ARRAY must have one type",
			fieldNames(b),
			fieldNames(a),
		)
	case a.Type == b.Type && (a.RangeElementType == nil || a.RangeElementType.Type == b.RangeElementType.Type):
		return a, nil
	case a == openTime && timeEncoder(b) != nil:
		return b, nil
	case b == openTime && timeEncoder(a) != nil:
		return a, nil
	}
	x, y := slices.Index(numericTypes, a.Type), slices.Index(numericTypes, b.Type)
	if x < 0 || y < 0 {
		return nil, fmt.Errorf("a %s after a %s: the elements of an ARRAY must have one type", b.Type, a.Type)
	}
	if x >= y {
		return a, nil
	}
	return b, nil
}

func sameNames(a, b *bq.QueryParameterType) bool {
	return slices.EqualFunc(
		a.StructTypes,
		b.StructTypes,
		func(x, y *bq.QueryParameterTypeStructTypes) bool { return x.Name == y.Name },
	)
}

func fieldNames(t *bq.QueryParameterType) string {
	names := make([]string, len(t.StructTypes))
	for i, f := range t.StructTypes {
		names[i] = f.Name
	}
	return strings.Join(names, ", ")
}

// overlay fills the holes of a from b.
func overlay(a, b *bq.QueryParameterType) *bq.QueryParameterType {
	switch {
	case a == nil:
		return b
	case b == nil || a.Type != b.Type:
		return a
	case a.Type == "ARRAY":
		return arrayOf(overlay(a.ArrayType, b.ArrayType))
	}
	out, _ := withFields(a, func(i int) (*bq.QueryParameterType, error) {
		return overlay(a.StructTypes[i].Type, fieldOf(b, i, len(a.StructTypes))), nil
	})
	return out
}

// settling decides between the type that BigQuery found for a hole and the Go type.
type settling struct {
	word  bool // an INT64 that BigQuery found is certain, and not a guess for lack of information
	doubt bool // set if INT64 may be a guess and the Go type differs
}

// settle fills the holes of a type: with the type that BigQuery found, else with the fallback.
func (s *settling) settle(own, found, fallback *bq.QueryParameterType) *bq.QueryParameterType {
	switch {
	case own == nil:
		return s.choose(found, fallback)
	case own == openTime:
		if found != nil && timeEncoder(found) != nil {
			return found
		}
		return &bq.QueryParameterType{Type: "TIMESTAMP"}
	case own.Type == "ARRAY":
		if elem := s.settle(own.ArrayType, elementOf(found), elementOf(fallback)); elem != own.ArrayType {
			return arrayOf(elem)
		}
	case own.Type == "STRUCT":
		n := len(own.StructTypes)
		own, _ = withFields(own, func(i int) (*bq.QueryParameterType, error) {
			return s.settle(own.StructTypes[i].Type, fieldOf(found, i, n), fieldOf(fallback, i, n)), nil
		})
	}
	return own
}

// choose returns the type of a NULL. BigQuery also answers INT64 if the statement does not
// determine the type.
func (s *settling) choose(found, fallback *bq.QueryParameterType) *bq.QueryParameterType {
	switch {
	case found == nil:
		return fallback
	case !isWhole(fallback):
		return found
	case found.Type == "ARRAY" && fallback.Type == "ARRAY":
		return arrayOf(s.choose(found.ArrayType, fallback.ArrayType))
	case found.Type != "INT64" || fallback.Type == "INT64":
		return found
	}
	s.doubt = true
	if s.word {
		return found
	}
	return fallback
}
