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
	"strconv"
	"time"

	"cloud.google.com/go/bigquery"
	"cloud.google.com/go/civil"
	bq "google.golang.org/api/bigquery/v2"
)

// argument is a Go value as a query parameter. A nil type is one that only BigQuery
// knows: the value is then NULL, or a time that may be a TIMESTAMP, a DATETIME, a DATE or a
// TIME, or has such values among its parts.
type argument struct {
	typ   *bq.QueryParameterType
	value *bq.QueryParameterValue
	time  *time.Time
	array bool   // parts are the elements of an ARRAY
	parts []part // elements, or the fields of a STRUCT
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

// encodeAt is encode for a value at some depth inside another.
func encodeAt(v any, depth int) (argument, error) {
	if depth > maxDepth {
		return argument{}, errors.New("the value is nested too deep: does it hold itself?")
	}
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
		return argument{time: &v}, nil
	case civil.Date:
		return encodeCivil("DATE", v.String(), v.IsValid(), v.Year)
	case civil.DateTime:
		return encodeCivil("DATETIME", datetimeText(v, " "), v.IsValid(), v.Date.Year)
	case civil.Time:
		return encodeCivil("TIME", timeText(v), v.IsValid(), 1)
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
			return typedNull("NUMERIC"), nil
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

// encodeNull encodes the official client's nullable types. Each says its type even when it is NULL.
func encodeNull(v any) (argument, bool, error) {
	var typ string
	var valid bool
	var value any
	switch v := v.(type) {
	case bigquery.NullInt64:
		typ, valid, value = "INT64", v.Valid, v.Int64
	case bigquery.NullFloat64:
		typ, valid, value = "FLOAT64", v.Valid, v.Float64
	case bigquery.NullBool:
		typ, valid, value = "BOOL", v.Valid, v.Bool
	case bigquery.NullString:
		typ, valid, value = "STRING", v.Valid, v.StringVal
	case bigquery.NullDate:
		typ, valid, value = "DATE", v.Valid, v.Date
	case bigquery.NullTime:
		typ, valid, value = "TIME", v.Valid, v.Time
	case bigquery.NullDateTime:
		typ, valid, value = "DATETIME", v.Valid, v.DateTime
	case bigquery.NullTimestamp:
		if v.Valid {
			a, err := encodeTimestamp(v.Timestamp)
			return a, true, err
		}
		typ = "TIMESTAMP"
	case bigquery.NullGeography:
		if v.Valid {
			a, err := encodeText("GEOGRAPHY", v.GeographyVal)
			return a, true, err
		}
		typ = "GEOGRAPHY"
	case bigquery.NullJSON:
		if v.Valid {
			a, err := encodeText("JSON", v.JSONVal)
			return a, true, err
		}
		typ = "JSON"
	default:
		return argument{}, false, nil
	}
	if !valid {
		return typedNull(typ), true, nil
	}
	a, err := encode(value)
	return a, true, err
}

// encodeReflect encodes Valuers, pointers and named types by what they stand for.
func encodeReflect(v any, depth int) (argument, error) {
	rv := reflect.ValueOf(v)
	if rv.Kind() == reflect.Pointer && rv.Type().Elem().Implements(valuerType) {
		// What is pointed at may be one of the types that encode knows, or must not be asked through nil.
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
			return argument{}, errors.New("the number is above 9223372036854775807, the largest INT64: pass a *big.Int, which becomes a NUMERIC")
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
	return argument{}, fmt.Errorf("%T is not a type that BigQuery has: pass a bool, number, string, []byte, time or civil value, a slice or struct of these, or a driver.Valuer", v)
}

var valuerType = reflect.TypeFor[driver.Valuer]()

// valueOf asks a Valuer, which is the caller's code: its panic is an error that says which argument it is about.
func valueOf(v driver.Valuer) (value driver.Value, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the Value method of %T panicked: %v", v, p)
		}
	}()
	return v.Value()
}

// as gives an argument without a type the one that BigQuery found for it. A time goes into a
// DATE, DATETIME or TIME by its own clock, in its own time zone, and into anything else as a TIMESTAMP.
func (a argument) as(typ *bq.QueryParameterType) (argument, error) {
	if a.array || a.parts != nil {
		return a.asNested(typ)
	}
	if a.time == nil {
		if typ == nil {
			return argument{}, errors.New("BigQuery does not say what type this NULL has: pass a typed one, such as bigquery.NullString{}, or write CAST(? AS type)")
		}
		return argument{typ: typ, value: a.value}, nil
	}
	if typ != nil {
		switch typ.Type {
		case "DATE":
			return encode(civil.DateOf(*a.time))
		case "DATETIME":
			return encode(civil.DateTimeOf(*a.time))
		case "TIME":
			return encode(civil.TimeOf(*a.time))
		}
	}
	return encodeTimestamp(*a.time)
}
