package driver

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"math/big"
	"reflect"
	"time"

	"cloud.google.com/go/bigquery"
	"cloud.google.com/go/civil"
	bq "google.golang.org/api/bigquery/v2"
)

// parameterType is a scalar BigQuery type, with everything that arguments need to know about it.
// scalars has a row of the same name for results.
type parameterType struct {
	name string
	// goTypes and goKinds are the Go types whose NULL falls back to this type, also in the elements
	// of an ARRAY and the fields of a STRUCT. The types of pointers, slices, structs, sql.Null[T]
	// and Valuers are derived from them. The package documentation has the same table.
	goTypes []reflect.Type
	goKinds []reflect.Kind
	// time encodes a time.Time where BigQuery finds a parameter of this type; nil if it can't be one.
	time func(t time.Time, picos uint16) (argument, error)
}

// parameterTypes has a row for each scalar type.
var parameterTypes = []parameterType{
	{
		name: "INT64",
		goTypes: []reflect.Type{
			reflect.TypeFor[big.Int](), reflect.TypeFor[bigquery.NullInt64](), reflect.TypeFor[sql.NullInt64](),
			reflect.TypeFor[sql.NullInt32](), reflect.TypeFor[sql.NullInt16](), reflect.TypeFor[sql.NullByte](),
		},
		goKinds: []reflect.Kind{
			reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
			reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr,
		},
	},
	{
		name:    "FLOAT64",
		goTypes: []reflect.Type{reflect.TypeFor[sql.NullFloat64](), reflect.TypeFor[bigquery.NullFloat64]()},
		goKinds: []reflect.Kind{reflect.Float32, reflect.Float64},
	},
	{
		name:    "BOOL",
		goTypes: []reflect.Type{reflect.TypeFor[sql.NullBool](), reflect.TypeFor[bigquery.NullBool]()},
		goKinds: []reflect.Kind{reflect.Bool},
	},
	{
		name:    "STRING",
		goTypes: []reflect.Type{reflect.TypeFor[sql.NullString](), reflect.TypeFor[bigquery.NullString]()},
		goKinds: []reflect.Kind{reflect.String},
	},
	{name: "BYTES"}, // a slice of bytes of any name
	{name: "NUMERIC", goTypes: []reflect.Type{reflect.TypeFor[big.Rat]()}},
	{name: "BIGNUMERIC"}, // a big.Rat or big.Int that NUMERIC does not hold
	{
		name: "TIMESTAMP",
		goTypes: []reflect.Type{
			reflect.TypeFor[time.Time](), reflect.TypeFor[sql.NullTime](), reflect.TypeFor[bigquery.NullTimestamp](),
		},
		time: func(t time.Time, _ uint16) (argument, error) { return encodeTimestamp(t) },
	},
	{name: "TIMESTAMP(12)", time: encodePicos},
	{
		name:    "DATE",
		goTypes: []reflect.Type{reflect.TypeFor[civil.Date](), reflect.TypeFor[bigquery.NullDate]()},
		time:    func(t time.Time, _ uint16) (argument, error) { return encodeDate(civil.DateOf(t)) },
	},
	{
		name:    "DATETIME",
		goTypes: []reflect.Type{reflect.TypeFor[civil.DateTime](), reflect.TypeFor[bigquery.NullDateTime]()},
		time:    func(t time.Time, _ uint16) (argument, error) { return encodeDatetime(civil.DateTimeOf(t)) },
	},
	{
		name:    "TIME",
		goTypes: []reflect.Type{reflect.TypeFor[civil.Time](), reflect.TypeFor[bigquery.NullTime]()},
		time:    func(t time.Time, _ uint16) (argument, error) { return encodeClock(civil.TimeOf(t)) },
	},
	{name: "INTERVAL", goTypes: []reflect.Type{reflect.TypeFor[bigquery.IntervalValue]()}},
	{name: "GEOGRAPHY", goTypes: []reflect.Type{reflect.TypeFor[bigquery.NullGeography]()}},
	{
		name:    "JSON",
		goTypes: []reflect.Type{reflect.TypeFor[json.RawMessage](), reflect.TypeFor[bigquery.NullJSON]()},
	},
}

// goTypes and goKinds map Go types to the names of BigQuery types. "" stands for a Go type that
// does not determine one: any, and the types of RANGEs, STRUCTs and declared values.
var goTypes, goKinds = func() (map[reflect.Type]string, map[reflect.Kind]string) {
	types, kinds := map[reflect.Type]string{
		reflect.TypeFor[any]():                          "",
		reflect.TypeFor[Range]():                        "",
		reflect.TypeFor[Struct]():                       "",
		reflect.TypeFor[bigquery.QueryParameterValue](): "",
	}, map[reflect.Kind]string{}
	for _, p := range parameterTypes {
		for _, t := range p.goTypes {
			types[t] = p.name
		}
		for _, k := range p.goKinds {
			kinds[k] = p.name
		}
	}
	return types, kinds
}()

// timeEncoders has the types that a time.Time can become.
var timeEncoders = func() map[string]func(time.Time, uint16) (argument, error) {
	m := map[string]func(time.Time, uint16) (argument, error){}
	for _, p := range parameterTypes {
		if p.time != nil {
			m[p.name] = p.time
		}
	}
	return m
}()

// timeEncoder returns the function that encodes a time.Time for a parameter of a type; nil if the
// type does not hold times.
func timeEncoder(typ *bq.QueryParameterType) func(time.Time, uint16) (argument, error) {
	if p := typ.TimestampPrecision; typ.Type == "TIMESTAMP" && p != nil && *p == picosPrecision {
		return timeEncoders["TIMESTAMP(12)"]
	}
	return timeEncoders[typ.Type]
}

// encodeTime encodes a time for a parameter of a type. A DATE, DATETIME or TIME gets the wall-clock time in the value's
// own location; any other type gets the instant, as a TIMESTAMP.
func encodeTime(t time.Time, picos uint16, typ *bq.QueryParameterType) (argument, error) {
	if encode := timeEncoder(typ); encode != nil {
		return encode(t, picos)
	}
	return encodeTimestamp(t)
}

func encodeDate(d civil.Date) (argument, error) {
	return encodeCivil("DATE", d.String(), d.IsValid(), d.Year)
}

func encodeDatetime(d civil.DateTime) (argument, error) {
	return encodeCivil("DATETIME", datetimeText(d, " "), d.IsValid(), d.Date.Year)
}

func encodeClock(t civil.Time) (argument, error) {
	return encodeCivil("TIME", timeText(t), t.IsValid(), 1)
}

// encodePicos encodes all twelve digits of a second for a TIMESTAMP(12).
func encodePicos(t time.Time, picos uint16) (argument, error) {
	a, err := encodeTimestamp(t)
	if err != nil {
		return argument{}, err
	}
	a.typ = declaredType("TIMESTAMP(12)")
	a.value = textValue(t.UTC().Format("2006-01-02 15:04:05.000000000") + fmt.Sprintf("%03d+00:00", picos))
	return a, nil
}
