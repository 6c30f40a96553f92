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

// encodeDeclared encodes a value whose type the caller declares.
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
	typ := declaredType(kind)
	if v.Value == nil {
		return argument{typ: typ, value: nullValue()}, nil
	}
	a, err := encode(v.Value)
	if err == nil && a.typ == nil {
		a.typ, a.value, _, err = a.resolve(typ, reliance{refused: true})
	}
	if err != nil {
		return argument{}, err
	}
	switch a.typ.Type {
	case "ARRAY", "STRUCT", "RANGE":
		return argument{}, fmt.Errorf("bigquery.QueryParameterValue: type %s can't hold a %T", kind, v.Value)
	}
	if !holdsNumber(kind, a.value) {
		return argument{}, fmt.Errorf(
			"bigquery.QueryParameterValue: type %s can't hold the value of the %T exactly",
			kind,
			v.Value,
		)
	}
	return argument{typ: typ, value: a.value}, nil
}

// declaredType returns the type of a name. That of TIMESTAMP(12) has its digits apart.
func declaredType(kind string) *bq.QueryParameterType {
	if kind == "TIMESTAMP(12)" {
		precision := int64(picosPrecision)
		return &bq.QueryParameterType{Type: "TIMESTAMP", TimestampPrecision: &precision}
	}
	return &bq.QueryParameterType{Type: kind}
}

// holdsNumber reports whether a value of an exact numeric type is a number that the type holds
// exactly. It does not round, and NaN is not such a number. It returns true for other types.
func holdsNumber(kind string, v *bq.QueryParameterValue) bool {
	at := slices.Index(numericTypes, kind)
	if at < 0 || slices.Contains(v.NullFields, "Value") {
		return true
	}
	r, ok := new(big.Rat).SetString(v.Value)
	if !ok || strings.ContainsAny(v.Value, "/_xXoObBpP") { // syntax that only Go accepts
		return false
	}
	if r.IsInt() && r.Num().IsInt64() {
		return true
	}
	exact, err := encodeRat(r)
	return err == nil && slices.Index(numericTypes, exact.typ.Type) <= at
}
