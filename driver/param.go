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
	// typ is nil where only BigQuery knows the type, or a part of it: the value is NULL, or a time
	// that may be a TIMESTAMP, a DATETIME, a DATE or a TIME, or has such values among its parts.
	typ   *bq.QueryParameterType
	value *bq.QueryParameterValue

	// The rest is set where typ is nil.
	shape    *bq.QueryParameterType // as much as the value says, with holes
	fallback *bq.QueryParameterType // of the Go type, for the holes
	time     *time.Time
	picos    uint16 // of the time, below its nanoseconds
	array    bool   // parts are the elements of an ARRAY
	parts    []part // elements, or the fields of a STRUCT
}

// own is what the value says of its type.
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

// typedNull is a NULL whose type the Go value says.
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

// encode is the only way from a Go value to a query parameter. Types that are also
// driver.Valuer, as civil's and bigquery.Null's are, come before Valuer: their own Value
// would forget the type.
func encode(v any) (argument, error) { return encodeAt(v, 0) }

// maxDepth is more than BigQuery nests. It ends values that hold themselves.
const maxDepth = 64

// encodeAt is encode for a value at some depth inside another. A NULL keeps the Go type that it has.
func encodeAt(v any, depth int) (argument, error) {
	if depth > maxDepth {
		return argument{}, fmt.Errorf(
			"the value is nested too deep, more than %d levels: does it hold itself?",
			maxDepth,
		)
	}
	a, err := encodeKnown(v, depth)
	if err == nil && v != nil && a.shape == nil && a.typ == nil && !isWhole(a.fallback) {
		a.fallback = overlay(fallbackOf(reflect.TypeOf(v)), a.fallback)
	}
	return a, err
}

// encodeKnown encodes the types that have a case of their own.
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
		// A year that no BigQuery type has; the others depend on the type.
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
			return typedNull("INT64"), nil // which goes where a NUMERIC does
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

// encodeReflect encodes Valuers, pointers and named types by what they stand for.
func encodeReflect(v any, depth int) (argument, error) {
	rv := reflect.ValueOf(v)
	if rv.Kind() == reflect.Pointer && rv.Type().Elem().Implements(valuerInterface) {
		// What is pointed at may be one of the types that encode knows, or must not be asked
		// through nil.
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
			return argument{}, fmt.Errorf("the Value method of %T returns a %T again", v, inner)
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
		"%T is not a type that BigQuery has: pass a bool, number, string, []byte, time or civil value, "+
			"a slice or struct of these, or a driver.Valuer",
		v,
	)
}

var valuerInterface = reflect.TypeFor[driver.Valuer]()

// valueOf asks a Valuer, which is the caller's code: its panic is an error that says which argument
// it is about.
func valueOf(v driver.Valuer) (value driver.Value, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the Value method of %T panicked: %v", v, p)
		}
	}()
	return v.Value()
}
