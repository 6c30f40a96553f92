package gormdialect

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"math/big"
	"reflect"
	"strconv"
	"time"

	"cloud.google.com/go/bigquery"
	"cloud.google.com/go/civil"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/schema"

	"github.com/bigqueryuser/bigqueryuser/internal/columntype"
	"github.com/bigqueryuser/bigqueryuser/internal/literal"
)

// fieldOf returns the field of the statement's model for a column, or nil.
func fieldOf(stmt *gorm.Statement, column string) *schema.Field {
	if stmt.Schema == nil {
		return nil
	}
	return stmt.Schema.LookUpField(column)
}

// typed returns a value with the type of its column. Otherwise BigQuery would have to be asked for
// the type of a NULL or a time.Time, and GORM would make a list of a slice.
func typed(stmt *gorm.Statement, column string, v any) any {
	field := fieldOf(stmt, column)
	if field == nil {
		return v
	}
	switch v := v.(type) {
	case clause.Expression, clause.Column, clause.Table, *gorm.DB:
		return v
	case gorm.Valuer: // such as a datatypes.JSON
		if rv := reflect.ValueOf(v); rv.Kind() == reflect.Pointer && rv.IsNil() {
			return typed(stmt, column, nil)
		}
		switch e := v.GormValue(stmt.Context, stmt.DB); {
		case e.SQL == "?" && len(e.Vars) == 1:
			return typed(stmt, column, e.Vars[0])
		case e.SQL == null.SQL:
			return typed(stmt, column, nil)
		default:
			return e
		}
	case []any: // GORM passes subqueries in this way
		if len(v) == 1 {
			if _, ok := v[0].(*gorm.DB); ok {
				return v
			}
		}
	}
	name := typeOfColumn(stmt.DB, field)
	kind := columntype.Base(name)
	v, err := settle(v)
	if err != nil {
		return failing{err}
	}
	if kind == "ARRAY" || kind == "STRUCT" || kind == "RANGE" {
		if v == nil { // a parameter would need the full type
			return null
		}
		return Param{v}
	}
	if v == nil {
		return declared(kind, nil)
	}
	if t, ok := v.(time.Time); ok {
		switch kind {
		case "DATE":
			return civil.DateOf(t)
		case "DATETIME":
			return civil.DateTimeOf(t)
		case "TIME":
			return civil.TimeOf(t)
		case "TIMESTAMP":
			if name != kind { // TIMESTAMP(12) holds more digits
				return declared(name, t)
			}
			return bigquery.NullTimestamp{Timestamp: t, Valid: true}
		}
		return v
	}
	rv := reflect.ValueOf(v)
	switch kind {
	case "JSON":
		return jsonValue(v)
	case "STRING":
		switch {
		case rv.CanInt(), rv.CanUint(): // GORM's type of a foreign key is that of the key that it refers to
			return fmt.Sprint(v)
		case rv.Type() == reflect.TypeFor[[]byte]():
			return string(rv.Bytes())
		}
	case "INT64":
		if rv.Kind() == reflect.String {
			return integer(rv.String())
		}
	case "BYTES":
		switch {
		case rv.Kind() == reflect.String:
			return []byte(rv.String())
		case rv.Kind() == reflect.Slice && rv.Type().Elem().Kind() == reflect.Uint8:
			return rv.Bytes() // GORM writes NULL without a type for a nil slice of a named type
		}
	case "NUMERIC", "BIGNUMERIC":
		switch {
		case rv.CanFloat():
			return declared(kind, strconv.FormatFloat(rv.Float(), 'f', -1, 64))
		case rv.Kind() == reflect.String:
			return declared(kind, rv.String())
		}
	case "DATE", "DATETIME", "TIME", "TIMESTAMP", "INTERVAL", "GEOGRAPHY":
		if rv.Kind() == reflect.String {
			return declared(name, rv.String())
		}
	}
	if rv.Kind() == reflect.Slice && rv.Type().Elem().Kind() != reflect.Uint8 {
		return Param{v}
	}
	return v
}

// null is a NULL with the type of its column.
var null = clause.Expr{SQL: "NULL"}

// known are Valuers, and types with pointer methods, whose Value would lose the type.
var known = map[reflect.Type]bool{
	reflect.TypeFor[civil.Date](): true, reflect.TypeFor[civil.DateTime](): true, reflect.TypeFor[civil.Time](): true,
	reflect.TypeFor[bigquery.NullInt64](): true, reflect.TypeFor[bigquery.NullFloat64](): true,
	reflect.TypeFor[bigquery.NullBool]():   true,
	reflect.TypeFor[bigquery.NullString](): true, reflect.TypeFor[bigquery.NullDate](): true,
	reflect.TypeFor[bigquery.NullTime]():     true,
	reflect.TypeFor[bigquery.NullDateTime](): true, reflect.TypeFor[bigquery.NullTimestamp](): true,
	reflect.TypeFor[bigquery.NullGeography](): true, reflect.TypeFor[bigquery.NullJSON](): true,
	reflect.TypeFor[*big.Rat](): true, reflect.TypeFor[*big.Int](): true,
	reflect.TypeFor[*bigquery.IntervalValue](): true,
}

// settle follows pointers and calls Valuers, except those with a BigQuery type.
func settle(v any) (any, error) {
	for range 8 {
		if v == nil {
			return nil, nil
		}
		rv := reflect.ValueOf(v)
		if rv.Kind() == reflect.Pointer {
			if rv.IsNil() {
				return nil, nil
			}
			if valuer, ok := v.(driver.Valuer); ok && !rv.Type().Elem().Implements(valuerType) {
				var err error
				if v, err = valuer.Value(); err != nil {
					return nil, err
				}
				continue
			}
			if known[rv.Type()] {
				return v, nil
			}
			v = rv.Elem().Interface()
			continue
		}
		valuer, ok := v.(driver.Valuer)
		if !ok || known[rv.Type()] {
			return v, nil
		}
		var err error
		if v, err = valuer.Value(); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// plain returns a value as Explain writes it.
func plain(v any) any {
	switch v := v.(type) {
	case bigquery.NullTimestamp:
		if v.Valid {
			return v.Timestamp
		}
		return nil
	case bigquery.QueryParameterValue:
		if text, ok := v.Value.(string); ok {
			return literal.Typed{Type: v.Type.TypeKind, Text: text}
		}
		return plain(v.Value)
	case Param:
		return v.V
	}
	settled, err := settle(v)
	if err != nil {
		return v
	}
	return settled
}

// integer converts text to the value of an INT64 column, such as the key of a polymorphic owner. ""
// is NULL.
func integer(text string) any {
	if text == "" {
		return declared("INT64", nil)
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n
	}
	return text
}

// declared returns a value with the name of its type. A nil value is a NULL of that type.
func declared(kind string, v any) any {
	if kind == "" {
		return v
	}
	return bigquery.QueryParameterValue{Type: bigquery.StandardSQLDataType{TypeKind: kind}, Value: v}
}

// jsonValue returns a value for a JSON column: JSON text unchanged, anything else encoded by
// encoding/json. A nil map, slice or pointer is NULL.
func jsonValue(v any) any {
	switch v.(type) {
	case bigquery.NullJSON, bigquery.QueryParameterValue:
		return v
	}
	var text []byte
	switch rv := reflect.ValueOf(v); {
	case !rv.IsValid(), (rv.Kind() == reflect.Map || rv.Kind() == reflect.Slice) && rv.IsNil():
		return declared("JSON", nil)
	case rv.Type() == reflect.TypeFor[string]():
		text = []byte(rv.String())
	case rv.Type() == reflect.TypeFor[json.RawMessage](), rv.Type() == reflect.TypeFor[[]byte]():
		text = rv.Bytes()
	default:
		var err error
		if text, err = json.Marshal(v); err != nil {
			return failing{err}
		}
	}
	return json.RawMessage(text)
}

// Param makes GORM pass a value as one parameter. GORM makes a list (?, ?, ?) of a slice. With
// Param it is one ARRAY, so that the text of the statement does not depend on its length:
//
//	db.Where("id IN UNNEST(?)", gormdialect.Param{V: ids})
type Param struct{ V any }

// Value returns the value. Unlike database/sql, the driver accepts slices and structs.
func (p Param) Value() (driver.Value, error) { return p.V, nil }

// failing is an argument that is an error. GORM passes it on, and the driver returns the error.
type failing struct{ err error }

func (f failing) Value() (driver.Value, error) { return nil, fmt.Errorf("gormdialect: %w", f.err) }

var valuerType = reflect.TypeFor[driver.Valuer]()
