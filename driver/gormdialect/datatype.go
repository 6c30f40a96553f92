package gormdialect

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/migrator"
	"gorm.io/gorm/schema"

	"github.com/bigqueryuser/bigqueryuser/internal/columntype"
)

// DataTypeOf returns the type of a field's column: the one in the tag type:, or else that of the Go
// type. It completes ARRAY and STRUCT in the tag from the Go type.
func (d *Dialector) DataTypeOf(field *schema.Field) string { return dataTypeOf(field) }

// typeOfColumn returns the type of a field's column, which the field's Go type may choose by itself
// for a database.
func typeOfColumn(db *gorm.DB, field *schema.Field) string {
	if typer, ok := reflect.New(field.IndirectFieldType).Interface().(migrator.GormDataTypeInterface); ok {
		if name := typer.GormDBDataType(db, field); name != "" {
			return columntype.Canonical(name)
		}
	}
	return dataTypeOf(field)
}

func dataTypeOf(field *schema.Field) string {
	tag, tagged := field.TagSettings["TYPE"]
	if !tagged {
		if t := columntype.Named(field.IndirectFieldType); t != "" && (t != "NUMERIC" || field.Precision == 0) {
			return t
		}
	}
	if _, ours := field.Serializer.(Serializer); ours && !tagged {
		if t, err := columntype.Of(field.IndirectFieldType); err == nil {
			return t
		}
		return "JSON"
	}
	if _, gob := field.Serializer.(schema.GobSerializer); gob && !tagged {
		return "BYTES"
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
		// GORM's name for a time is "time", which is also the name of a type.
		t := columntype.Element(field.IndirectFieldType)
		_, named := reflect.Zero(t).Interface().(schema.GormDataTypeInterface)
		if tag == "TIME" || tagged && t != reflect.TypeFor[time.Time]() || named && t.Kind() != reflect.Struct {
			return "TIME"
		}
		return "TIMESTAMP"
	}
	name := strings.TrimSpace(string(field.DataType))
	switch strings.ToUpper(name) {
	case "ARRAY", "STRUCT":
		if t, err := columntype.Of(field.IndirectFieldType); err == nil {
			return t
		}
	case "NUMERIC", "BIGNUMERIC", "DECIMAL":
		if field.Precision > 0 {
			return numeric(field)
		}
	}
	return columntype.Canonical(name)
}

// numeric returns the decimal type that holds a field's digits.
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
