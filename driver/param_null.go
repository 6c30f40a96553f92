package driver

import (
	"database/sql/driver"
	"encoding/json"
	"reflect"
	"sync"

	"cloud.google.com/go/bigquery"
	bq "google.golang.org/api/bigquery/v2"
)

var fallbacks sync.Map // reflect.Type -> *bq.QueryParameterType

// fallbackOf returns the BigQuery type of a Go type. It has holes where parts of the Go type
// determine none, and is nil if nothing does.
func fallbackOf(t reflect.Type) *bq.QueryParameterType {
	if known, ok := fallbacks.Load(t); ok {
		return known.(*bq.QueryParameterType)
	}
	typ := staticType(t, map[reflect.Type]bool{})
	fallbacks.Store(t, typ)
	return typ
}

// staticType is fallbackOf inside the types of seen. A type that contains itself determines none.
func staticType(t reflect.Type, seen map[reflect.Type]bool) *bq.QueryParameterType {
	name, known := goTypes[t]
	switch {
	case known && name == "" || seen[t]:
		return nil
	case known:
		return &bq.QueryParameterType{Type: name}
	case t.Kind() == reflect.Pointer:
		return staticType(t.Elem(), seen)
	}
	seen[t] = true
	defer delete(seen, t)
	if isSQLNull(t) {
		v, _ := t.FieldByName("V")
		return staticType(v.Type, seen)
	}
	if valuer, ok := reflect.New(t).Interface().(driver.Valuer); ok {
		return valuerType(valuer, t, seen)
	}
	switch t.Kind() {
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return &bq.QueryParameterType{Type: "BYTES"}
		}
		return arrayOf(staticType(t.Elem(), seen))
	case reflect.Struct:
		typ := &bq.QueryParameterType{Type: "STRUCT"}
		for _, f := range structFields(t) {
			field := staticType(t.FieldByIndex(f.index).Type, seen)
			typ.StructTypes = append(typ.StructTypes, &bq.QueryParameterTypeStructTypes{Name: f.name, Type: field})
		}
		if len(typ.StructTypes) == 0 {
			return nil
		}
		return typ
	}
	if name, ok := goKinds[t.Kind()]; ok {
		return &bq.QueryParameterType{Type: name}
	}
	return nil
}

// valuerType returns the type of a Valuer's zero value. If that is NULL, it is the type of the only
// field besides Valid, as in types modelled on sql.NullString.
func valuerType(zero driver.Valuer, t reflect.Type, seen map[reflect.Type]bool) *bq.QueryParameterType {
	value, err := valueOf(zero)
	if err != nil {
		return nil
	}
	if value != nil {
		return staticType(reflect.TypeOf(value), seen)
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	var inner reflect.Type
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Name == "Valid" && f.Type.Kind() == reflect.Bool {
			continue
		}
		if inner != nil || !f.IsExported() {
			return nil
		}
		inner = f.Type
	}
	if inner == nil {
		return nil
	}
	return staticType(inner, seen)
}

// encodeNull encodes the official client's nullable types. Their type is known even if they are
// NULL.
func encodeNull(v any) (argument, bool, error) {
	var valid bool
	var value any
	switch v := v.(type) {
	case bigquery.NullInt64:
		valid, value = v.Valid, v.Int64
	case bigquery.NullFloat64:
		valid, value = v.Valid, v.Float64
	case bigquery.NullBool:
		valid, value = v.Valid, v.Bool
	case bigquery.NullString:
		valid, value = v.Valid, v.StringVal
	case bigquery.NullDate:
		valid, value = v.Valid, v.Date
	case bigquery.NullTime:
		valid, value = v.Valid, v.Time
	case bigquery.NullDateTime:
		valid, value = v.Valid, v.DateTime
	case bigquery.NullTimestamp:
		if v.Valid {
			a, err := encodeTimestamp(v.Timestamp)
			return a, true, err
		}
	case bigquery.NullGeography:
		if v.Valid {
			a, err := encodeText("GEOGRAPHY", v.GeographyVal)
			return a, true, err
		}
	case bigquery.NullJSON:
		valid, value = v.Valid, json.RawMessage(v.JSONVal)
	default:
		return argument{}, false, nil
	}
	if !valid {
		return typedNull(goTypes[reflect.TypeOf(v)]), true, nil
	}
	a, err := encode(value)
	return a, true, err
}
