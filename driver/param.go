package driver

import (
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"slices"
	"strconv"
	"time"

	"cloud.google.com/go/bigquery"
	"cloud.google.com/go/civil"
	bq "google.golang.org/api/bigquery/v2"
)

// argument is a Go value as a query parameter.
type argument struct {
	// typ is nil if only BigQuery knows the type, or a part of it: the value is NULL, or a time,
	// which can be a TIMESTAMP, DATETIME, DATE or TIME, or contains such values.
	typ   *bq.QueryParameterType
	value *bq.QueryParameterValue

	// The following fields are set if typ is nil.
	shape    *bq.QueryParameterType // the type as far as the value determines it, with holes
	fallback *bq.QueryParameterType // the type for the holes, from the Go type
	time     *time.Time
	picos    uint16 // of time: the picoseconds below the last nanosecond
	array    bool   // parts are the elements of an ARRAY, not the fields of a STRUCT
	parts    []part // elements or fields
}

// own returns the type as far as the value determines it.
func (a *argument) own() *bq.QueryParameterType {
	if a.typ != nil {
		return a.typ
	}
	return a.shape
}

// isNull reports whether the value is NULL.
func (a *argument) isNull() bool {
	return a.value != nil && slices.Contains(a.value.NullFields, "Value")
}

func scalar(typ, text string) argument {
	return argument{typ: &bq.QueryParameterType{Type: typ}, value: textValue(text)}
}

// typedNull returns a NULL whose Go type determines the type.
func typedNull(typ string) argument {
	return argument{typ: &bq.QueryParameterType{Type: typ}, value: nullValue()}
}

var untypedNull = argument{value: nullValue()}

func textValue(text string) *bq.QueryParameterValue {
	return &bq.QueryParameterValue{Value: text, ForceSendFields: []string{"Value"}}
}

func nullValue() *bq.QueryParameterValue {
	return &bq.QueryParameterValue{NullFields: []string{"Value"}}
}

// encode converts a Go value to a query parameter. All arguments pass through it. It checks for the
// types of civil and bigquery before driver.Valuer, because their Value methods lose the type.
func encode(v any) (argument, error) { return encodeAt(v, 0) }

// maxDepth is deeper than BigQuery nests. It stops values that contain themselves.
const maxDepth = 64

// encodeAt is encode for a value inside another, at a depth. A NULL keeps its Go type as fallback.
func encodeAt(v any, depth int) (argument, error) {
	if depth > maxDepth {
		return argument{}, fmt.Errorf(
			"the value is nested deeper than %d levels: does it contain itself?",
			maxDepth,
		)
	}
	a, err := encodeKnown(v, depth)
	if err == nil && v != nil && a.shape == nil && a.typ == nil && !isWhole(a.fallback) {
		a.fallback = overlay(fallbackOf(reflect.TypeOf(v)), a.fallback)
	}
	return a, err
}

// encodeKnown encodes types that need special treatment.
func encodeKnown(v any, depth int) (argument, error) {
	_, picos := markOf(v)
	switch v := v.(type) {
	case nil:
		return untypedNull, nil
	case argument:
		return v, nil
	case bool:
		return scalar("BOOL", strconv.FormatBool(v)), nil
	case int64:
		return scalar("INT64", strconv.FormatInt(v, 10)), nil
	case float64:
		return scalar("FLOAT64", formatFloat(v, 64)), nil
	case string:
		return encodeText("STRING", v)
	case []byte:
		return encodeBytes(v), nil
	case json.RawMessage:
		if v == nil {
			return typedNull("JSON"), nil
		}
		return encodeText("JSON", string(v))
	case time.Time:
		// No type has such a year. Other limits depend on the type.
		if err := checkYear(v.Year()); err != nil && checkYear(v.UTC().Year()) != nil {
			return argument{}, err
		}
		return argument{
			shape:    openTime,
			fallback: &bq.QueryParameterType{Type: "TIMESTAMP"},
			time:     &v,
			picos:    picos,
		}, nil
	case civil.Date:
		return encodeDate(v)
	case civil.DateTime:
		return encodeDatetime(v)
	case civil.Time:
		return encodeClock(v)
	case big.Rat:
		return encodeRat(&v)
	case *big.Rat:
		if v == nil {
			return typedNull("NUMERIC"), nil
		}
		return encodeRat(v)
	case big.Int:
		return encodeInt(&v)
	case *big.Int:
		if v == nil {
			return typedNull("INT64"), nil // BigQuery accepts an INT64 for a NUMERIC parameter
		}
		return encodeInt(v)
	case bigquery.IntervalValue:
		return encodeInterval(&v)
	case *bigquery.IntervalValue:
		if v == nil {
			return typedNull("INTERVAL"), nil
		}
		return encodeInterval(v)
	case sql.Out:
		return argument{}, errors.New("BigQuery has no output parameters")
	case Range:
		return encodeRange(v)
	case Struct:
		return encodeStruct(v, depth)
	case bigquery.QueryParameterValue:
		return encodeDeclared(&v)
	case *bigquery.QueryParameterValue:
		if v == nil {
			return untypedNull, nil
		}
		return encodeDeclared(v)
	}
	if a, ok, err := encodeNull(v); ok {
		return a, err
	}
	return encodeReflect(v, depth)
}

// encodeReflect encodes Valuers, pointers and named types by their underlying values.
func encodeReflect(v any, depth int) (argument, error) {
	rv := reflect.ValueOf(v)
	if rv.Kind() == reflect.Pointer && rv.Type().Elem().Implements(valuerInterface) {
		// The value may have a type that encode knows, and a nil pointer must not be called.
		if rv.IsNil() {
			return untypedNull, nil
		}
		return encodeAt(rv.Elem().Interface(), depth+1)
	}
	if isSQLNull(rv.Type()) {
		if !rv.FieldByName("Valid").Bool() {
			return untypedNull, nil
		}
		return encodeAt(rv.FieldByName("V").Interface(), depth+1)
	}
	if valuer, ok := v.(driver.Valuer); ok {
		inner, err := valueOf(valuer)
		if err != nil {
			return argument{}, err
		}
		if _, again := inner.(driver.Valuer); again && reflect.TypeOf(inner) == rv.Type() {
			return argument{}, fmt.Errorf("the Value method of %T returned another %T", v, inner)
		}
		return encodeAt(inner, depth+1)
	}
	switch rv.Kind() {
	case reflect.Pointer:
		if rv.IsNil() {
			return untypedNull, nil
		}
		return encodeAt(rv.Elem().Interface(), depth+1)
	case reflect.Bool:
		return encode(rv.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return encode(rv.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		u := rv.Uint()
		if u > math.MaxInt64 {
			return argument{}, errors.New(
				"the number is above 9223372036854775807, the largest INT64: pass a *big.Int, which becomes a NUMERIC",
			)
		}
		return encode(int64(u))
	case reflect.Float32:
		return scalar("FLOAT64", formatFloat(rv.Float(), 32)), nil
	case reflect.Float64:
		return encode(rv.Float())
	case reflect.String:
		return encode(rv.String())
	case reflect.Slice:
		if rv.Type().Elem().Kind() == reflect.Uint8 {
			return encodeBytes(rv.Bytes()), nil
		}
		return encodeSlice(rv, depth)
	case reflect.Struct:
		return encodeGoStruct(rv, depth)
	}
	return argument{}, fmt.Errorf(
		"BigQuery has no type for a %T: pass a bool, number, string, []byte, time or civil value, "+
			"a slice or struct of these, or a driver.Valuer",
		v,
	)
}

var valuerInterface = reflect.TypeFor[driver.Valuer]()

// valueOf calls a Valuer. It turns a panic of this code, which is the caller's, into an error.
func valueOf(v driver.Valuer) (value driver.Value, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the Value method of %T panicked: %v", v, p)
		}
	}()
	return v.Value()
}
