// Package columntype maps Go types, and names of other databases' types, to
// BigQuery's column types, for the dialects of ORMs. It knows which types are
// wider than others.
package columntype

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"math/big"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"cloud.google.com/go/bigquery"
	"cloud.google.com/go/civil"
)

// goTypes are the Go types with one BigQuery type.
var goTypes = map[reflect.Type]string{
	reflect.TypeFor[civil.Date]():             "DATE",
	reflect.TypeFor[civil.DateTime]():         "DATETIME",
	reflect.TypeFor[civil.Time]():             "TIME",
	reflect.TypeFor[time.Time]():              "TIMESTAMP",
	reflect.TypeFor[big.Rat]():                "NUMERIC",
	reflect.TypeFor[big.Int]():                "BIGNUMERIC",
	reflect.TypeFor[json.RawMessage]():        "JSON",
	reflect.TypeFor[bigquery.IntervalValue](): "INTERVAL",
	reflect.TypeFor[bigquery.NullInt64]():     "INT64",
	reflect.TypeFor[bigquery.NullFloat64]():   "FLOAT64",
	reflect.TypeFor[bigquery.NullBool]():      "BOOL",
	reflect.TypeFor[bigquery.NullString]():    "STRING",
	reflect.TypeFor[bigquery.NullDate]():      "DATE",
	reflect.TypeFor[bigquery.NullTime]():      "TIME",
	reflect.TypeFor[bigquery.NullDateTime]():  "DATETIME",
	reflect.TypeFor[bigquery.NullTimestamp](): "TIMESTAMP",
	reflect.TypeFor[bigquery.NullGeography](): "GEOGRAPHY",
	reflect.TypeFor[bigquery.NullJSON]():      "JSON",
}

// aliases maps names of types from the tags of models for other databases, and BigQuery's own short
// ones.
var aliases = map[string]string{
	"bool": "BOOL", "boolean": "BOOL",
	"int": "INT64", "integer": "INT64", "bigint": "INT64", "smallint": "INT64", "mediumint": "INT64",
	"tinyint": "INT64",
	"byteint": "INT64", "int2": "INT64", "int4": "INT64", "int8": "INT64", "uint": "INT64",
	"float": "FLOAT64", "double": "FLOAT64", "double precision": "FLOAT64", "real": "FLOAT64", "float4": "FLOAT64",
	"float8":  "FLOAT64",
	"decimal": "NUMERIC", "bigdecimal": "BIGNUMERIC", "money": "NUMERIC",
	"string": "STRING", "text": "STRING", "tinytext": "STRING", "mediumtext": "STRING", "longtext": "STRING",
	"clob":    "STRING",
	"varchar": "STRING", "nvarchar": "STRING", "char": "STRING", "character varying": "STRING", "uuid": "STRING",
	"citext": "STRING",
	"bytes":  "BYTES", "blob": "BYTES", "tinyblob": "BYTES", "mediumblob": "BYTES", "longblob": "BYTES",
	"bytea":  "BYTES",
	"binary": "BYTES", "varbinary": "BYTES",
	"timestamptz": "TIMESTAMP", "timestamp with time zone": "TIMESTAMP",
	"jsonb": "JSON", "jsonmap": "JSON",
}

// sized are the types whose parameters have the same meaning in BigQuery.
var sized = map[string]bool{"STRING": true, "BYTES": true, "NUMERIC": true, "BIGNUMERIC": true}

// parameters splits a type into its name and its numbers.
var parameters = regexp.MustCompile(`^([A-Za-z][\w ]*?)\s*(?:\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?$`)

// Canonical returns the type of a tag with BigQuery's name. It leaves names that it does not know
// unchanged.
func Canonical(name string) string {
	m := parameters.FindStringSubmatch(name)
	if m == nil {
		return name
	}
	base := strings.ToUpper(m[1])
	if known, ok := aliases[strings.ToLower(m[1])]; ok {
		base = known
	}
	switch {
	case base == "TIMESTAMP" && m[2] == "12": // the other precisions are of other databases
		return base + "(12)"
	case m[2] == "" || !sized[base]:
		return base
	case m[3] == "" || m[3] == "0":
		return base + "(" + m[2] + ")"
	}
	return base + "(" + m[2] + ", " + m[3] + ")"
}

// Named returns the type of a Go type that corresponds to a BigQuery type, such as civil.Date; ""
// for others.
func Named(t reflect.Type) string { return goTypes[Element(t)] }

// Element returns the type behind pointers, sql.Null[T], sql.NullInt64 and the like.
func Element(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.PkgPath() == "database/sql" && HasFlag(t) {
		return Element(t.Field(0).Type)
	}
	return t
}

// HasFlag reports whether a type is a value with the flag Valid: sql.Null[T], sql.NullInt64,
// bigquery.NullInt64 and the like.
func HasFlag(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && (t.PkgPath() == "database/sql" || t.PkgPath() == clientPath) &&
		strings.HasPrefix(t.Name(), "Null") && t.NumField() == 2 && t.Field(1).Name == "Valid"
}

var clientPath = reflect.TypeFor[bigquery.NullInt64]().PkgPath()

// Of returns the type of a Go type in ARRAYs and STRUCTs. The names of fields are those of
// driver.As: the name in the tag `bigquery:"name"`, or the Go name.
func Of(t reflect.Type) (string, error) { return of(t, 0) }

func of(t reflect.Type, depth int) (string, error) {
	t = Element(t)
	if name, ok := goTypes[t]; ok {
		return name, nil
	}
	if depth > 15 {
		return "", fmt.Errorf("%s is nested deeper than BigQuery's 15 levels", t)
	}
	if value := valueOf(t); value != nil && value != t {
		return of(value, depth+1)
	}
	switch t.Kind() {
	case reflect.Bool:
		return "BOOL", nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "INT64", nil
	case reflect.Float32, reflect.Float64:
		return "FLOAT64", nil
	case reflect.String:
		return "STRING", nil
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 {
			return "BYTES", nil
		}
		inner, err := of(t.Elem(), depth+1)
		return "ARRAY<" + inner + ">", err
	case reflect.Struct:
		var list []string
		for _, f := range Fields(t) {
			inner, err := of(f.Type, depth+1)
			if err != nil {
				return "", err
			}
			list = append(list, f.Name+" "+inner)
		}
		if len(list) > 0 {
			return "STRUCT<" + strings.Join(list, ", ") + ">", nil
		}
	}
	return "", fmt.Errorf("BigQuery has no type for a %s", t)
}

// valueOf returns the type of the value that a driver.Valuer returns, such as string for a uuid.UUID;
// nil if its zero value does not tell it.
func valueOf(t reflect.Type) reflect.Type {
	valuer, ok := reflect.Zero(t).Interface().(driver.Valuer)
	if !ok {
		return nil
	}
	value, err := valuer.Value()
	if err != nil || value == nil {
		return nil
	}
	return reflect.TypeOf(value)
}

// Fields returns the exported fields of a Go struct, with their names in BigQuery.
func Fields(t reflect.Type) (list []reflect.StructField) {
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("bigquery"), ",")
		if name == "-" || !f.IsExported() || f.Anonymous || len(f.Index) > 1 && !embedded(t, f) {
			continue
		}
		if name != "" {
			f.Name = name
		}
		list = append(list, f)
	}
	return list
}

// Base returns the name of a type without its parameters.
func Base(t string) string {
	name, _, _ := strings.Cut(t, "(")
	name, _, _ = strings.Cut(name, "<")
	return strings.ToUpper(strings.TrimSpace(name))
}

// OfValues returns the type of values of a column: without lengths and precisions, which are not
// allowed in all expressions.
func OfValues(t string) string { return sizes.ReplaceAllString(t, "") }

var sizes = regexp.MustCompile(`\s*\([\d\s,]*\)`)

// embedded reports whether a field is promoted through structs only, not through pointers.
func embedded(t reflect.Type, f reflect.StructField) bool {
	for _, i := range f.Index[:len(f.Index)-1] {
		if t = t.Field(i).Type; t.Kind() != reflect.Struct {
			return false
		}
	}
	return true
}

// keyTypes are the types that columns of a key may have.
var keyTypes = []string{"BIGNUMERIC", "BOOL", "DATE", "DATETIME", "INT64", "NUMERIC", "STRING", "TIMESTAMP"}

// CanBeKey reports whether BigQuery allows a primary or foreign key of columns of these types.
func CanBeKey(types ...string) bool {
	for _, t := range types {
		if !slices.Contains(keyTypes, Base(t)) {
			return false
		}
	}
	return 0 < len(types) && len(types) <= 16
}
