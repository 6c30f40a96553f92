package driver

import (
	"database/sql/driver"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

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
func encode(v any) (argument, error) {
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
		if err := checkYear(v.UTC().Year()); err != nil {
			return argument{}, err
		}
		return argument{time: &v}, nil
	case civil.Date:
		return encodeCivil("DATE", v.String(), v.IsValid(), v.Year)
	case civil.DateTime:
		return encodeCivil("DATETIME", bigquery.CivilDateTimeString(v), v.IsValid(), v.Date.Year)
	case civil.Time:
		return encodeCivil("TIME", bigquery.CivilTimeString(v), v.IsValid(), 1)
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
		return scalar("INTERVAL", v.String()), nil
	case *bigquery.IntervalValue:
		if v == nil {
			return typedNull("INTERVAL"), nil
		}
		return scalar("INTERVAL", v.String()), nil
	case Range:
		return encodeRange(v)
	case Struct:
		return encodeStruct(v)
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
	return encodeReflect(v)
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
func encodeReflect(v any) (argument, error) {
	rv := reflect.ValueOf(v)
	if rv.Kind() == reflect.Pointer && rv.Type().Elem().Implements(valuerType) {
		// What is pointed at may be one of the types that encode knows, or must not be asked through nil.
		if rv.IsNil() {
			return untypedNull, nil
		}
		return encode(rv.Elem().Interface())
	}
	if inner, valid, ok := sqlNull(rv); ok {
		if !valid {
			return untypedNull, nil
		}
		return encode(inner)
	}
	if valuer, ok := v.(driver.Valuer); ok {
		inner, err := valuer.Value()
		if err != nil {
			return argument{}, err
		}
		if _, again := inner.(driver.Valuer); again && reflect.TypeOf(inner) == rv.Type() {
			return argument{}, fmt.Errorf("the Value method of %T returns a %T again", v, inner)
		}
		return encode(inner)
	}
	switch rv.Kind() {
	case reflect.Pointer:
		if rv.IsNil() {
			return untypedNull, nil
		}
		return encode(rv.Elem().Interface())
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
		return encodeSlice(rv)
	case reflect.Struct:
		return encodeGoStruct(rv)
	}
	return argument{}, fmt.Errorf("%T is not a type that BigQuery has: pass a bool, number, string, []byte, time or civil value, a slice or struct of these, or a driver.Valuer", v)
}

var valuerType = reflect.TypeFor[driver.Valuer]()

// sqlNull opens a sql.Null[T]: its Value would turn a civil.Date in it into text.
func sqlNull(rv reflect.Value) (inner any, valid, ok bool) {
	t := rv.Type()
	if t.Kind() != reflect.Struct || t.PkgPath() != "database/sql" || !strings.HasPrefix(t.Name(), "Null[") {
		return nil, false, false
	}
	return rv.FieldByName("V").Interface(), rv.FieldByName("Valid").Bool(), true
}

// formatFloat writes the fewest digits that make the same number; BigQuery reads NaN, +Inf and -Inf.
func formatFloat(f float64, bits int) string { return strconv.FormatFloat(f, 'g', -1, bits) }

// encodeText refuses text that is not UTF-8: JSON would change it without a word.
func encodeText(typ, s string) (argument, error) {
	if !utf8.ValidString(s) {
		return argument{}, fmt.Errorf("the %s is not valid UTF-8: pass a []byte for BYTES", typ)
	}
	return scalar(typ, s), nil
}

func encodeBytes(b []byte) argument {
	if b == nil {
		return typedNull("BYTES")
	}
	return scalar("BYTES", base64.StdEncoding.EncodeToString(b))
}

func checkYear(y int) error {
	if y < 1 || y > 9999 {
		return fmt.Errorf("the year %d is outside BigQuery's 1 to 9999", y)
	}
	return nil
}

func encodeCivil(typ, text string, valid bool, year int) (argument, error) {
	if !valid {
		return argument{}, fmt.Errorf("not a valid %s: %s", typ, text)
	}
	if err := checkYear(year); err != nil {
		return argument{}, err
	}
	return scalar(typ, text), nil
}

// timestampLayout cuts what is below microseconds, as BigQuery has no place for it.
const timestampLayout = "2006-01-02 15:04:05.999999+00:00"

func encodeTimestamp(t time.Time) (argument, error) {
	u := t.UTC()
	if err := checkYear(u.Year()); err != nil {
		return argument{}, err
	}
	return scalar("TIMESTAMP", u.Format(timestampLayout)), nil
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

const (
	numericScale    = 9
	bigNumericScale = 38
)

// maxNumeric and maxBigNumeric are the largest absolute values, times 10^scale: 38 nines, and 2^255-1.
var (
	maxNumeric    = new(big.Int).Sub(new(big.Int).Exp(big.NewInt(10), big.NewInt(38), nil), big.NewInt(1))
	maxBigNumeric = new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(1))
)

// encodeRat writes an exact decimal as the smaller type that holds it. What neither holds is
// refused: rounding is the caller's to decide.
func encodeRat(r *big.Rat) (argument, error) {
	for _, t := range []struct {
		name  string
		scale int
		max   *big.Int
	}{{"NUMERIC", numericScale, maxNumeric}, {"BIGNUMERIC", bigNumericScale, maxBigNumeric}} {
		unit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(t.scale)), nil)
		scaled := new(big.Rat).Mul(r, new(big.Rat).SetInt(unit))
		if scaled.IsInt() && scaled.Num().CmpAbs(t.max) <= 0 {
			text := r.FloatString(t.scale)
			return scalar(t.name, strings.TrimSuffix(strings.TrimRight(text, "0"), ".")), nil
		}
	}
	return argument{}, errors.New("the number has more digits than BIGNUMERIC holds (38 after the point): round it")
}

// encodeInt writes an INT64 where that is enough, since it also goes where a NUMERIC does.
func encodeInt(i *big.Int) (argument, error) {
	if i.IsInt64() {
		return encode(i.Int64())
	}
	return encodeRat(new(big.Rat).SetInt(i))
}

func encodeRange(r Range) (argument, error) {
	elem, value := "", &bq.RangeValue{}
	for _, side := range []struct {
		name string
		end  any
		to   **bq.QueryParameterValue
	}{{"Start", r.Start, &value.Start}, {"End", r.End, &value.End}} {
		if side.end == nil {
			continue
		}
		a, err := encode(side.end)
		if err == nil && a.time != nil {
			a, err = encodeTimestamp(*a.time)
		}
		if err != nil {
			return argument{}, fmt.Errorf("%s of the Range: %w", side.name, err)
		}
		switch t := a.typ.Type; {
		case t != "DATE" && t != "DATETIME" && t != "TIMESTAMP":
			return argument{}, fmt.Errorf("%s of the Range is a %T: use civil.Date, civil.DateTime or time.Time", side.name, side.end)
		case elem != "" && elem != t:
			return argument{}, fmt.Errorf("the ends of the Range are of two types, %s and %s", elem, t)
		default:
			elem = t
		}
		*side.to = a.value
	}
	if elem == "" {
		return argument{}, errors.New("a Range without both bounds has no type: write it in the statement, as RANGE<DATE> '[UNBOUNDED, UNBOUNDED)'")
	}
	return argument{
		typ:   &bq.QueryParameterType{Type: "RANGE", RangeElementType: &bq.QueryParameterType{Type: elem}},
		value: &bq.QueryParameterValue{RangeValue: value},
	}, nil
}

// encodeDeclared encodes a value whose type the caller names.
func encodeDeclared(v *bigquery.QueryParameterValue) (argument, error) {
	kind := v.Type.TypeKind
	if kind == "" {
		return argument{}, errors.New("bigquery.QueryParameterValue: set Type.TypeKind")
	}
	if v.ArrayValue != nil || v.StructValue != nil || kind == "ARRAY" || kind == "STRUCT" || kind == "RANGE" {
		return argument{}, errors.New("bigquery.QueryParameterValue of an ARRAY, a STRUCT or a RANGE: pass a slice, a Go struct, a driver.Struct or a driver.Range instead")
	}
	if v.Value == nil {
		return typedNull(kind), nil
	}
	a, err := encode(v.Value)
	if err == nil && a.typ == nil {
		a, err = a.as(&bq.QueryParameterType{Type: kind})
	}
	if err != nil {
		return argument{}, err
	}
	switch a.typ.Type {
	case "ARRAY", "STRUCT", "RANGE":
		return argument{}, fmt.Errorf("bigquery.QueryParameterValue: a %T is no value of a %s", v.Value, kind)
	}
	return argument{typ: &bq.QueryParameterType{Type: kind}, value: a.value}, nil
}
