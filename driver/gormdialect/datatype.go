package gormdialect

import (
	"encoding/json"
	"fmt"
	"math/big"
	"reflect"
	"regexp"
	"strings"
	"time"

	"cloud.google.com/go/bigquery"
	"cloud.google.com/go/civil"
	"gorm.io/gorm/schema"

	"github.com/bigqueryuser/bigqueryuser/driver"
)

// goTypes are Go types that have one BigQuery type. A tag type: comes before them.
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

// aliases are names of types in tags of models that were written for other databases, and BigQuery's own short ones.
var aliases = map[string]string{
	"bool": "BOOL", "boolean": "BOOL",
	"int": "INT64", "integer": "INT64", "bigint": "INT64", "smallint": "INT64", "mediumint": "INT64", "tinyint": "INT64",
	"byteint": "INT64", "int2": "INT64", "int4": "INT64", "int8": "INT64", "uint": "INT64",
	"float": "FLOAT64", "double": "FLOAT64", "double precision": "FLOAT64", "real": "FLOAT64", "float4": "FLOAT64", "float8": "FLOAT64",
	"decimal": "NUMERIC", "bigdecimal": "BIGNUMERIC", "money": "NUMERIC",
	"string": "STRING", "text": "STRING", "tinytext": "STRING", "mediumtext": "STRING", "longtext": "STRING", "clob": "STRING",
	"varchar": "STRING", "nvarchar": "STRING", "char": "STRING", "character varying": "STRING", "uuid": "STRING", "citext": "STRING",
	"bytes": "BYTES", "blob": "BYTES", "tinyblob": "BYTES", "mediumblob": "BYTES", "longblob": "BYTES", "bytea": "BYTES",
	"binary": "BYTES", "varbinary": "BYTES",
	"timestamptz": "TIMESTAMP", "timestamp with time zone": "TIMESTAMP",
	"jsonb": "JSON",
}

// sized are the types whose parameters mean in BigQuery what they mean elsewhere.
var sized = map[string]bool{"STRING": true, "BYTES": true, "NUMERIC": true, "BIGNUMERIC": true}

// DataTypeOf returns the type of a field's column: what the tag type: says, or else the type that the Go type has.
// ARRAY and STRUCT alone in the tag are completed from the Go type.
func (d *Dialector) DataTypeOf(field *schema.Field) string { return dataTypeOf(field) }

func dataTypeOf(field *schema.Field) string {
	tag, tagged := field.TagSettings["TYPE"]
	if !tagged {
		if t, ok := goTypes[element(field.IndirectFieldType)]; ok && (t != "NUMERIC" || field.Precision == 0) {
			return t
		}
	}
	switch field.DataType {
	case schema.Bool:
		return "BOOL"
	case schema.Int, schema.Uint:
		return "INT64"
	case schema.Float:
		if field.Precision > 0 {
			return numeric(field)
		}
		return "FLOAT64"
	case schema.String:
		if field.Size > 0 {
			return fmt.Sprintf("STRING(%d)", field.Size)
		}
		return "STRING"
	case schema.Bytes:
		if field.Size > 0 {
			return fmt.Sprintf("BYTES(%d)", field.Size)
		}
		return "BYTES"
	case schema.Time:
		// GORM's own word for a time is "time", which is also the name of a type.
		if tag == "TIME" || tagged && element(field.IndirectFieldType) != reflect.TypeFor[time.Time]() {
			return "TIME"
		}
		return "TIMESTAMP"
	}
	name := strings.TrimSpace(string(field.DataType))
	switch strings.ToUpper(name) {
	case "ARRAY", "STRUCT":
		if t, err := typeOfGo(field.IndirectFieldType, 0); err == nil {
			return t
		}
	case "NUMERIC", "BIGNUMERIC", "DECIMAL":
		if field.Precision > 0 {
			return numeric(field)
		}
	}
	return canonical(name)
}

// numeric is the type of exact decimals that holds a field's digits.
func numeric(field *schema.Field) string {
	name := "NUMERIC"
	if field.Scale > 9 || field.Precision-field.Scale > 29 {
		name = "BIGNUMERIC"
	}
	if field.Scale == 0 {
		return fmt.Sprintf("%s(%d)", name, field.Precision)
	}
	return fmt.Sprintf("%s(%d, %d)", name, field.Precision, field.Scale)
}

var parameters = regexp.MustCompile(`^([A-Za-z][\w ]*?)\s*(?:\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?$`)

// canonical is a type of a tag as BigQuery names it. What it does not know it leaves for BigQuery to judge.
func canonical(name string) string {
	m := parameters.FindStringSubmatch(name)
	if m == nil {
		return name
	}
	base := strings.ToUpper(m[1])
	if known, ok := aliases[strings.ToLower(m[1])]; ok {
		base = known
	}
	switch {
	case m[2] == "" || !sized[base]:
		return base
	case m[3] == "" || m[3] == "0":
		return base + "(" + m[2] + ")"
	}
	return base + "(" + m[2] + ", " + m[3] + ")"
}

// element is the type under sql.Null[T] and pointers.
func element(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() == reflect.Struct && t.PkgPath() == "database/sql" && strings.HasPrefix(t.Name(), "Null[") {
		return element(t.Field(0).Type)
	}
	return t
}

// typeOfGo is the type of an ARRAY's elements or a STRUCT's fields, from Go's. Names of fields are those of driver.As:
// the tag `bigquery:"name"`, or the field's own.
func typeOfGo(t reflect.Type, depth int) (string, error) {
	t = element(t)
	if name, ok := goTypes[t]; ok {
		return name, nil
	}
	if depth > 15 {
		return "", fmt.Errorf("%s is nested deeper than the 15 levels of BigQuery", t)
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
		of, err := typeOfGo(t.Elem(), depth+1)
		return "ARRAY<" + of + ">", err
	case reflect.Struct:
		if t == reflect.TypeFor[driver.Struct]() {
			break
		}
		var fields []string
		for _, f := range reflect.VisibleFields(t) {
			name, _, _ := strings.Cut(f.Tag.Get("bigquery"), ",")
			if name == "-" || !f.IsExported() || f.Anonymous || len(f.Index) > 1 && !embedded(t, f) {
				continue
			}
			if name == "" {
				name = f.Name
			}
			of, err := typeOfGo(f.Type, depth+1)
			if err != nil {
				return "", err
			}
			fields = append(fields, name+" "+of)
		}
		if len(fields) > 0 {
			return "STRUCT<" + strings.Join(fields, ", ") + ">", nil
		}
	}
	return "", fmt.Errorf("%s has no type of BigQuery", t)
}

// embedded reports whether a promoted field comes by structs alone, not by pointers.
func embedded(t reflect.Type, f reflect.StructField) bool {
	for _, i := range f.Index[:len(f.Index)-1] {
		if t = t.Field(i).Type; t.Kind() != reflect.Struct {
			return false
		}
	}
	return true
}
