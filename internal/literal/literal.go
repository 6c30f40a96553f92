// Package literal writes Go values as GoogleSQL literals, for libraries that
// write arguments into the text of a statement. Prefer parameters, which never
// become text.
//
// GoogleSQL escapes a quote in a string by a backslash, and a backslash too.
// Doubling the quote, as in standard SQL, ends the literal: with the escapes of
// another database a value can inject SQL.
package literal

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"strconv"
	"time"
	"unicode/utf8"

	"cloud.google.com/go/bigquery"
	"cloud.google.com/go/civil"

	"github.com/bigqueryuser/bigqueryuser/internal/columntype"
)

const hexDigits = "0123456789abcdef"

// String appends s as a STRING literal. Bytes that are not UTF-8 become U+FFFD, as BigQuery would
// read them.
func String(b []byte, s string) []byte {
	b = append(b, '\'')
	for _, r := range s {
		switch {
		case r == '\'' || r == '\\':
			b = append(b, '\\', byte(r))
		case r == '\n':
			b = append(b, `\n`...)
		case r == '\r':
			b = append(b, `\r`...)
		case r < ' ' || r == 0x7f:
			b = append(b, '\\', 'x', hexDigits[r>>4], hexDigits[r&15])
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return append(b, '\'')
}

// Bytes appends p as a BYTES literal. A nil slice is NULL.
func Bytes(b, p []byte) []byte {
	if p == nil {
		return append(b, "NULL"...)
	}
	b = append(b, 'b', '\'')
	for _, c := range p {
		if c < ' ' || c >= 0x7f || c == '\'' || c == '\\' {
			b = append(b, '\\', 'x', hexDigits[c>>4], hexDigits[c&15])
			continue
		}
		b = append(b, c)
	}
	return append(b, '\'')
}

// Float appends a FLOAT64 literal, also for NaN and the infinities.
func Float(b []byte, f float64, bits int) []byte {
	switch {
	case math.IsNaN(f):
		return append(b, "CAST('NaN' AS FLOAT64)"...)
	case math.IsInf(f, 0):
		return fmt.Appendf(b, "CAST('%+v' AS FLOAT64)", f)
	}
	start := len(b)
	b = strconv.AppendFloat(b, f, 'g', -1, bits)
	for _, c := range b[start:] {
		if c == '.' || c == 'e' {
			return b
		}
	}
	return append(b, '.', '0') // otherwise it would be an INT64
}

// Time appends a TIMESTAMP literal, cut to microseconds, BigQuery's precision.
func Time(b []byte, t time.Time) []byte {
	b = append(b, "TIMESTAMP '"...)
	b = t.UTC().AppendFormat(b, "2006-01-02 15:04:05.999999+00:00")
	return append(b, '\'')
}

// Ident appends a name in backticks.
func Ident(b []byte, name string) []byte {
	b = append(b, '`')
	for _, r := range name {
		switch {
		case r == '`' || r == '\\':
			b = append(b, '\\', byte(r))
		case r < ' ' || r == 0x7f:
			b = append(b, '\\', 'x', hexDigits[r>>4], hexDigits[r&15])
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return append(b, '`')
}

// Typed is the text of a value of a BigQuery type.
type Typed struct{ Type, Text string }

func (t Typed) append(b []byte) []byte {
	switch t.Type {
	case "NUMERIC", "BIGNUMERIC", "DATE", "DATETIME", "TIME", "TIMESTAMP", "JSON":
		return String(append(b, t.Type+" "...), t.Text)
	case "GEOGRAPHY":
		return append(String(append(b, "ST_GEOGFROMTEXT("...), t.Text), ')')
	case "STRING":
		return String(b, t.Text)
	}
	return append(append(String(append(b, "CAST("...), t.Text), " AS "+t.Type...), ')')
}

// Append appends the literal of a value: nil, bool, numbers, string, []byte, time.Time, civil
// types, big.Rat, big.Int, bigquery.IntervalValue, json.RawMessage, Typed, ARRAYs of slices of these,
// and STRUCTs of structs of them with the field names of package columntype. It follows pointers,
// sql.Null[T], sql.NullInt64, bigquery.NullInt64 and the like, and each driver.Valuer.
func Append(b []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(b, "NULL"...), nil
	case bool:
		return strconv.AppendBool(b, v), nil
	case string:
		if !utf8.ValidString(v) {
			return b, fmt.Errorf("the string is not valid UTF-8: pass a []byte for BYTES")
		}
		return String(b, v), nil
	case Typed:
		return v.append(b), nil
	case json.RawMessage:
		if v == nil {
			return append(b, "NULL"...), nil
		}
		return String(append(b, "JSON "...), string(v)), nil
	case []byte:
		return Bytes(b, v), nil
	case time.Time:
		if y := v.UTC().Year(); y < 1 || y > 9999 {
			return b, fmt.Errorf("the year %d is outside BigQuery's 1 to 9999", y)
		}
		return Time(b, v), nil
	case civil.Date:
		return fmt.Appendf(b, "DATE '%s'", v), nil
	case civil.DateTime:
		return fmt.Appendf(b, "DATETIME '%s %s'", v.Date, clock(v.Time)), nil
	case civil.Time:
		return fmt.Appendf(b, "TIME '%s'", clock(v)), nil
	case *big.Int:
		if v == nil {
			return append(b, "NULL"...), nil
		}
		return fmt.Appendf(b, "BIGNUMERIC '%s'", v), nil
	case *big.Rat:
		if v == nil {
			return append(b, "NULL"...), nil
		}
		return appendRat(b, v)
	case big.Int:
		return Append(b, &v)
	case big.Rat:
		return appendRat(b, &v)
	case bigquery.IntervalValue:
		return Typed{"INTERVAL", v.String()}.append(b), nil
	case bigquery.NullGeography:
		return appendNull(b, v.Valid, Typed{"GEOGRAPHY", v.GeographyVal})
	case bigquery.NullJSON:
		return appendNull(b, v.Valid, Typed{"JSON", v.JSONVal})
	}
	return appendKind(b, v)
}

func appendNull(b []byte, valid bool, v any) ([]byte, error) {
	if !valid {
		return append(b, "NULL"...), nil
	}
	return Append(b, v)
}

func appendKind(b []byte, v any) ([]byte, error) {
	rv := reflect.ValueOf(v)
	if rv.Kind() == reflect.Pointer {
		if rv.IsNil() {
			return append(b, "NULL"...), nil
		}
		if _, valuer := rv.Elem().Interface().(driver.Valuer); valuer {
			return Append(b, rv.Elem().Interface())
		}
	}
	if rv.Kind() == reflect.Struct && columntype.HasFlag(rv.Type()) {
		return appendNull(b, rv.Field(1).Bool(), rv.Field(0).Interface())
	}
	if valuer, ok := v.(driver.Valuer); ok {
		value, err := valuer.Value()
		if err != nil {
			return b, err
		}
		return Append(b, value)
	}
	switch rv.Kind() {
	case reflect.Bool:
		return strconv.AppendBool(b, rv.Bool()), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return appendInt(b, rv.Int()), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		if rv.Uint() > math.MaxInt64 {
			return b, fmt.Errorf("the number %d is above 9223372036854775807, the largest INT64", rv.Uint())
		}
		return strconv.AppendUint(b, rv.Uint(), 10), nil
	case reflect.Float32:
		return Float(b, rv.Float(), 32), nil
	case reflect.Float64:
		return Float(b, rv.Float(), 64), nil
	case reflect.String:
		return Append(b, rv.String())
	case reflect.Pointer:
		return Append(b, rv.Elem().Interface())
	case reflect.Slice, reflect.Array:
		if rv.Kind() == reflect.Slice && rv.Type().Elem().Kind() == reflect.Uint8 {
			return Bytes(b, rv.Bytes()), nil
		}
		return appendArray(b, rv)
	case reflect.Struct:
		return appendStruct(b, rv)
	}
	return b, fmt.Errorf("%T has no literal: pass it as a parameter", v)
}

// appendArray appends an ARRAY, with its type if there is one, so that an empty ARRAY has a type.
func appendArray(b []byte, rv reflect.Value) (_ []byte, err error) {
	if t, err := columntype.Of(rv.Type()); err == nil {
		b = append(b, t...)
	}
	b = append(b, '[')
	for i := range rv.Len() {
		if i > 0 {
			b = append(b, ", "...)
		}
		if b, err = Append(b, rv.Index(i).Interface()); err != nil {
			return b, fmt.Errorf("element %d: %w", i, err)
		}
	}
	return append(b, ']'), nil
}

func appendStruct(b []byte, rv reflect.Value) (_ []byte, err error) {
	t, err := columntype.Of(rv.Type())
	if err != nil {
		return b, err
	}
	b = append(append(b, t...), '(')
	for i, f := range columntype.Fields(rv.Type()) {
		if i > 0 {
			b = append(b, ", "...)
		}
		if b, err = Append(b, rv.FieldByIndex(f.Index).Interface()); err != nil {
			return b, fmt.Errorf("field %s: %w", f.Name, err)
		}
	}
	return append(b, ')'), nil
}

// appendInt appends a number. It keeps a minus sign from becoming part of a comment.
func appendInt(b []byte, n int64) []byte {
	if n < 0 && len(b) > 0 && b[len(b)-1] == '-' {
		b = append(b, ' ')
	}
	return strconv.AppendInt(b, n, 10)
}

// clock returns the text of a TIME, without the rounding of civil.Time.String.
func clock(t civil.Time) string {
	return time.Date(1, 1, 1, t.Hour, t.Minute, t.Second, t.Nanosecond, time.UTC).Format("15:04:05.999999")
}

// appendRat appends a NUMERIC, or a BIGNUMERIC if the number has more digits.
func appendRat(b []byte, r *big.Rat) ([]byte, error) {
	for _, t := range []struct {
		name            string
		whole, fraction int
	}{{"NUMERIC", 29, 9}, {"BIGNUMERIC", 38, 38}} {
		limit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(t.whole)), nil)
		text := r.FloatString(t.fraction)
		exact, ok := new(big.Rat).SetString(text)
		if ok && exact.Cmp(r) == 0 && new(big.Int).Abs(new(big.Int).Quo(r.Num(), r.Denom())).Cmp(limit) < 0 {
			return fmt.Appendf(b, "%s '%s'", t.name, text), nil
		}
	}
	return b, fmt.Errorf("the number %s has more digits than a BIGNUMERIC holds", r.RatString())
}
