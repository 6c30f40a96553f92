package driver

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"cloud.google.com/go/bigquery"
	bq "google.golang.org/api/bigquery/v2"
)

// encodeDeclared encodes a value whose type the caller names.
func encodeDeclared(v *bigquery.QueryParameterValue) (argument, error) {
	kind := v.Type.TypeKind
	if kind == "" {
		return argument{}, errors.New("bigquery.QueryParameterValue: set Type.TypeKind")
	}
	if v.ArrayValue != nil || v.StructValue != nil || kind == "ARRAY" || kind == "STRUCT" || kind == "RANGE" {
		return argument{}, errors.New(
			"bigquery.QueryParameterValue of an ARRAY, a STRUCT or a RANGE: pass a slice, a Go struct, " +
				"a driver.Struct or a driver.Range instead",
		)
	}
	if v.Value == nil {
		return typedNull(kind), nil
	}
	a, err := encode(v.Value)
	if err == nil && a.typ == nil {
		a.typ, a.value, _, err = a.resolve(&bq.QueryParameterType{Type: kind}, reliance{refused: true})
	}
	if err != nil {
		return argument{}, err
	}
	switch a.typ.Type {
	case "ARRAY", "STRUCT", "RANGE":
		return argument{}, fmt.Errorf("bigquery.QueryParameterValue: a %T is no value of a %s", v.Value, kind)
	}
	if !holdsNumber(kind, a.value) {
		return argument{}, fmt.Errorf(
			"bigquery.QueryParameterValue: the %T is no number that a %s holds exactly",
			v.Value,
			kind,
		)
	}
	return argument{typ: &bq.QueryParameterType{Type: kind}, value: a.value}, nil
}

// holdsNumber reports whether the text of a value is a number of an exact type; of other types it
// says nothing. NaN is none, and rounding is the caller's to decide.
func holdsNumber(kind string, v *bq.QueryParameterValue) bool {
	at := slices.Index(numericTypes, kind)
	if at < 0 || slices.Contains(v.NullFields, "Value") {
		return true
	}
	r, ok := new(big.Rat).SetString(v.Value)
	if !ok || strings.ContainsAny(v.Value, "/_xXoObBpP") { // which only Go takes
		return false
	}
	if r.IsInt() && r.Num().IsInt64() {
		return true
	}
	exact, err := encodeRat(r)
	return err == nil && slices.Index(numericTypes, exact.typ.Type) <= at
}
