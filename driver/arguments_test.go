package driver_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/bigquery"
	"cloud.google.com/go/civil"
	bq "google.golang.org/api/bigquery/v2"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

func declared(kind string, v any) bigquery.QueryParameterValue {
	return bigquery.QueryParameterValue{Type: bigquery.StandardSQLDataType{TypeKind: kind}, Value: v}
}

// TestSentArguments sends each kind of argument, by position and by name: the fake takes no
// text that is not one of the type. The statement's text stays as it is.
func TestSentArguments(t *testing.T) {
	t.Parallel()
	at := time.Date(2024, 2, 29, 23, 30, 0, 1999, time.FixedZone("", -3*3600))
	date := civil.DateOf(at)
	var noInt *int64
	var noDate *civil.Date
	type point struct {
		X int `bigquery:"x"`
		Y *float64
	}
	server := fakebq.Run(t, fakebq.Options{})
	int64s := &bq.QueryParameterType{Type: "INT64"} // what BigQuery says where nothing else does
	server.On("SELECT ?", fakebq.Answer{Parameters: []fakebq.Parameter{{Type: int64s}}})
	server.On("SELECT @p", fakebq.Answer{Parameters: []fakebq.Parameter{{Name: "p", Type: int64s}}})
	db := open(t, server)
	for _, tt := range []struct {
		name string
		in   any
		want string
	}{
		{"bool", true, "BOOL true"},
		{"int8", int8(-1), "INT64 -1"},
		{"greatest uint64", uint64(math.MaxInt64), "INT64 9223372036854775807"},
		{"least int64", int64(math.MinInt64), "INT64 -9223372036854775808"},
		{"NaN", math.NaN(), "FLOAT64 NaN"},
		{"-Inf", math.Inf(-1), "FLOAT64 -Inf"},
		{"least float64", math.SmallestNonzeroFloat64, "FLOAT64 5e-324"},
		{"float32", float32(0.1), "FLOAT64 0.1"},
		{"string with SQL in it", "'; DROP TABLE t; -- ? @p", "STRING '; DROP TABLE t; -- ? @p"},
		{"empty string", "", "STRING "},
		{"string with NUL, quotes and emoji", "a\x00\"\\\u2028😀", "STRING a\x00\"\\\u2028😀"},
		{"bytes", []byte{0, 255}, "BYTES AP8="},
		{"empty bytes", []byte{}, "BYTES "},
		{"nil bytes", []byte(nil), "BYTES NULL"},
		{"JSON null", json.RawMessage("null"), "JSON null"},
		{"nil JSON", json.RawMessage(nil), "JSON NULL"},
		{"time", at, "TIMESTAMP 2024-03-01 02:30:00.000001+00:00"},
		{"pointer to a time", &at, "TIMESTAMP 2024-03-01 02:30:00.000001+00:00"},
		{"first time", utc(1, 1, 1, 0, 0, 0, 0), "TIMESTAMP 0001-01-01 00:00:00+00:00"},
		{"last time", utc(9999, 12, 31, 23, 59, 59, 999999), "TIMESTAMP 9999-12-31 23:59:59.999999+00:00"},
		{"Date", date, "DATE 2024-02-29"},
		{"pointer to a Date", &date, "DATE 2024-02-29"},
		{"DateTime", civil.DateTimeOf(at), "DATETIME 2024-02-29 23:30:00.000001"},
		{"Time", civil.TimeOf(at), "TIME 23:30:00.000001"},
		{"interval", bigquery.IntervalValue{Months: -1}, "INTERVAL -0-1 0 0:0:0"},
		{"NUMERIC", bigRat("-1.5"), "NUMERIC -1.5"},
		{"BIGNUMERIC", bigRat("0.0000000001"), "BIGNUMERIC 0.0000000001"},
		{"big.Int above INT64", bigInt("9223372036854775808"), "NUMERIC 9223372036854775808"},
		{"NullInt64", bigquery.NullInt64{}, "INT64 NULL"},
		{"GEOGRAPHY", bigquery.NullGeography{GeographyVal: "POINT(1 2)", Valid: true}, "GEOGRAPHY POINT(1 2)"},
		{"sql.Null of a Date", sql.Null[civil.Date]{V: date, Valid: true}, "DATE 2024-02-29"},
		{"sql.NullInt32", sql.NullInt32{Int32: 5, Valid: true}, "INT64 5"},
		{"declared NUMERIC", declared("NUMERIC", "1.5"), "NUMERIC 1.5"},
		{"Range", driver.Range{Start: date}, "RANGE<DATE> [2024-02-29, UNBOUNDED)"},
		{"nil", nil, "INT64 NULL"},
		{"nil *int64", noInt, "INT64 NULL"},
		{"nil *Date", noDate, "DATE NULL"},
		{"sql.NullString", sql.NullString{}, "STRING NULL"},
		{"sql.Null of a time", sql.Null[time.Time]{}, "TIMESTAMP NULL"},
		{"pointer to a nil any", new(any), "INT64 NULL"},
		{"slice of int64", []int64{1, 2}, "ARRAY<INT64> [1, 2]"},
		{"empty slice", []string{}, "ARRAY<STRING> []"},
		{"slice of any that begins with nil", []any{nil, 1.5}, "ARRAY<FLOAT64> [NULL, 1.5]"},
		{"slice of times", []time.Time{at}, "ARRAY<TIMESTAMP> [2024-03-01 02:30:00.000001+00:00]"},
		{"slice of pointers to Dates", []*civil.Date{&date}, "ARRAY<DATE> [2024-02-29]"},
		{"struct", point{X: 1, Y: new(float64)}, "STRUCT<x INT64, Y FLOAT64> {x 1, Y 0}"},
		{
			"slice of structs",
			[]point{{Y: new(float64)}, {X: 1}},
			"ARRAY<STRUCT<x INT64, Y FLOAT64>> [{x 0, Y 0}, {x 1, Y NULL}]",
		},
		{
			"Struct",
			driver.Struct{Fields: []driver.StructField{{Name: "a", Value: []string{"x"}}}},
			"STRUCT<a ARRAY<STRING>> {a [x]}",
		},
		{
			"struct with an empty slice",
			struct{ A, B []int }{A: []int{1}},
			"STRUCT<A ARRAY<INT64>, B ARRAY<INT64>> {A [1], B []}",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, arg := range []any{tt.in, sql.Named("P", tt.in)} {
				text, name := "SELECT ?", ""
				if n, named := arg.(sql.NamedArg); named {
					text, name = "SELECT @p", n.Name
				}
				server.ResetLog()
				if err := run(t.Context(), db, text, arg); err != nil {
					t.Errorf("%s with %T: %v", text, tt.in, err)
					continue
				}
				req := sent(t, server)
				got, gotName := sentArguments(t, server), req.QueryParameters[0].Name
				if !reflect.DeepEqual(got, []string{tt.want}) || gotName != name || req.Query != text {
					t.Errorf("%s with %T: got %q %q; want %s", req.Query, tt.in, gotName, got, tt.want)
				}
			}
		})
	}
}

// wireValue tells a NULL from an empty text, which the official type does not.
type wireValue struct {
	Value        *string
	ArrayValues  []*wireValue
	StructValues map[string]*wireValue
	RangeValue   *struct{ Start, End *wireValue }
}

func typeText(t *bq.QueryParameterType) string {
	switch {
	case t.ArrayType != nil:
		return "ARRAY<" + typeText(t.ArrayType) + ">"
	case t.RangeElementType != nil:
		return "RANGE<" + typeText(t.RangeElementType) + ">"
	case t.StructTypes != nil:
		var fields []string
		for _, f := range t.StructTypes {
			fields = append(fields, f.Name+" "+typeText(f.Type))
		}
		return "STRUCT<" + strings.Join(fields, ", ") + ">"
	}
	return t.Type
}

func (v *wireValue) text(t *bq.QueryParameterType) string {
	var parts []string
	switch {
	case v == nil:
		return "UNBOUNDED"
	case v.Value == nil && v.ArrayValues == nil && v.StructValues == nil && v.RangeValue == nil:
		return "NULL"
	case t.ArrayType != nil:
		for _, e := range v.ArrayValues {
			parts = append(parts, e.text(t.ArrayType))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case v.RangeValue != nil:
		return fmt.Sprintf("[%s, %s)", v.RangeValue.Start.text(t.RangeElementType), v.RangeValue.End.text(t.RangeElementType))
	case t.StructTypes != nil:
		for _, f := range t.StructTypes {
			parts = append(parts, f.Name+" "+v.StructValues[f.Name].text(f.Type))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return *v.Value
}
