package wire

import (
	"fmt"
	"strings"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

// legacyNames has the names of types in schemas. Other types keep their names.
var legacyNames = map[googlesql.Kind]string{
	googlesql.Int64: "INTEGER", googlesql.Float64: "FLOAT", googlesql.Bool: "BOOLEAN", googlesql.Struct: "RECORD",
}

// kinds are the type names that a schema or a parameter may use.
var kinds = map[string]googlesql.Kind{
	"INTEGER": googlesql.Int64, "INT64": googlesql.Int64, "INT": googlesql.Int64, "SMALLINT": googlesql.Int64,
	"BIGINT": googlesql.Int64, "TINYINT": googlesql.Int64, "BYTEINT": googlesql.Int64,
	"FLOAT": googlesql.Float64, "FLOAT64": googlesql.Float64,
	"BOOLEAN": googlesql.Bool, "BOOL": googlesql.Bool,
	"RECORD": googlesql.Struct, "STRUCT": googlesql.Struct,
	"STRING": googlesql.String, "BYTES": googlesql.Bytes,
	"NUMERIC": googlesql.Numeric, "DECIMAL": googlesql.Numeric,
	"BIGNUMERIC": googlesql.BigNumeric, "BIGDECIMAL": googlesql.BigNumeric,
	"DATE": googlesql.Date, "TIME": googlesql.Time, "DATETIME": googlesql.Datetime, "TIMESTAMP": googlesql.Timestamp,
	"INTERVAL": googlesql.Interval, "RANGE": googlesql.Range, "JSON": googlesql.JSON, "ARRAY": googlesql.Array,
}

// SchemaOf writes columns as a schema.
func SchemaOf(columns []googlesql.Column) []Field {
	fields := make([]Field, 0, len(columns))
	for _, c := range columns {
		f := FieldOf(c.Name, c.Type)
		if c.Required && f.Mode == "NULLABLE" {
			f.Mode = "REQUIRED"
		}
		f.Description, f.Default = c.Description, c.Default
		fields = append(fields, f)
	}
	return fields
}

// FieldOf writes a column as a field.
func FieldOf(name string, t googlesql.Type) Field {
	f := Field{Name: name, Mode: "NULLABLE"}
	if t.Kind == googlesql.Array {
		f.Mode, t = "REPEATED", *t.Elem
	}
	f.Type = string(t.Kind)
	if legacy, ok := legacyNames[t.Kind]; ok {
		f.Type = legacy
	}
	if t.Kind == googlesql.TimestampPicos {
		f.Type, f.TimestampPrecision = string(googlesql.Timestamp), 12
	}
	f.Precision, f.Scale, f.MaxLength = Int64(t.Precision), Int64(t.Scale), Int64(t.MaxLength)
	if t.Kind == googlesql.Range {
		f.RangeElementType = &rangeElement{string(t.Elem.Kind)}
	}
	for i, sub := range t.Fields {
		if sub.Name == "" { // as BigQuery calls it
			sub.Name = fmt.Sprintf("_field_%d", i+1)
		}
		field := FieldOf(sub.Name, sub.Type)
		field.Description = sub.Description
		f.Fields = append(f.Fields, field)
	}
	return f
}

// Described writes a field's type with the descriptions of its fields.
func (f *Field) Described() string {
	text := f.Type
	if kind, ok := kinds[f.Type]; ok {
		text = string(kind)
	}
	switch {
	case len(f.Fields) > 0:
		parts := make([]string, len(f.Fields))
		for i := range f.Fields {
			sub := &f.Fields[i]
			parts[i] = googlesql.QuoteIfNeeded(sub.Name) + " " + sub.Described()
			if sub.Description != "" {
				parts[i] += " OPTIONS(description=" + googlesql.StringLiteral(sub.Description) + ")"
			}
		}
		text += "<" + strings.Join(parts, ", ") + ">"
	case f.Precision != 0 || f.Scale != 0 || f.MaxLength != 0:
		text += parameters(f)
	}
	if f.Mode == "REPEATED" {
		text = "ARRAY<" + text + ">"
	}
	return text
}

// DDL writes a field as a column of CREATE TABLE in GoogleSQL.
func (f *Field) DDL() (string, *apierror.Error) {
	text, err := f.DDLType()
	if err != nil {
		return "", err
	}
	notNull := ""
	switch strings.ToUpper(f.Mode) {
	case "", "NULLABLE":
	case "REQUIRED":
		notNull = " NOT NULL"
	case "REPEATED":
		text = "ARRAY<" + text + ">"
	default:
		return "", apierror.Errorf("invalid", "Invalid mode %q for field %s: want NULLABLE, REQUIRED or REPEATED.",
			f.Mode, f.Name)
	}
	if f.Default != "" {
		text += " DEFAULT " + f.Default
	}
	text += notNull
	return googlesql.QuoteName(f.Name) + " " + text, nil
}

// DDLType returns DDL without the name, the default and NOT NULL.
func (f *Field) DDLType() (string, *apierror.Error) {
	kind, ok := kinds[strings.ToUpper(f.Type)]
	if !ok || kind == googlesql.Array {
		return "", apierror.Errorf("invalid", "Invalid or unsupported type %q for field %s.", f.Type, f.Name)
	}
	switch p := f.TimestampPrecision; {
	case p != 0 && (kind != googlesql.Timestamp || p != 6 && p != 12):
		return "", apierror.Errorf("invalid", "Field %s of type %s has a timestampPrecision of %d", f.Name, f.Type, p)
	case p == 12:
		return "TIMESTAMP(12)", nil
	}
	if kind == googlesql.Range {
		if f.RangeElementType == nil {
			return "", apierror.Errorf("invalid", "Field %s is type RANGE but has no rangeElementType", f.Name)
		}
		return "RANGE<" + f.RangeElementType.Type + ">", nil
	}
	if kind != googlesql.Struct {
		if f.Precision != 0 || f.Scale != 0 || f.MaxLength != 0 {
			return string(kind) + parameters(f), nil
		}
		return string(kind), nil
	}
	if len(f.Fields) == 0 {
		return "", apierror.Errorf("invalid", "Field %s is type RECORD but has no schema", f.Name)
	}
	parts := make([]string, len(f.Fields))
	for i := range f.Fields {
		part, err := f.Fields[i].DDL()
		if err != nil {
			return "", err
		}
		parts[i] = part
	}
	return "STRUCT<" + strings.Join(parts, ", ") + ">", nil
}

func parameters(f *Field) string {
	switch {
	case f.MaxLength != 0:
		return fmt.Sprintf("(%d)", f.MaxLength)
	case f.Scale != 0:
		return fmt.Sprintf("(%d, %d)", f.Precision, f.Scale)
	default:
		return fmt.Sprintf("(%d)", f.Precision)
	}
}

// Schema are a table's fields.
type Schema struct {
	Fields []Field `json:"fields"`
}

// rangeElement is the type of the ends of a RANGE.
type rangeElement struct {
	Type string `json:"type"`
}

// Field is a column of a schema, or a field of a RECORD.
type Field struct {
	Name               string        `json:"name"`
	Type               string        `json:"type"`
	Mode               string        `json:"mode,omitempty"`
	Fields             []Field       `json:"fields,omitempty"`
	Description        string        `json:"description,omitempty"`
	MaxLength          Int64         `json:"maxLength,omitempty"`
	Precision          Int64         `json:"precision,omitempty"`
	RangeElementType   *rangeElement `json:"rangeElementType,omitempty"`
	TimestampPrecision Int64         `json:"timestampPrecision,omitempty"`
	Scale              Int64         `json:"scale,omitempty"`
	Default            string        `json:"defaultValueExpression,omitempty"`
}

// KindOf returns the type with a name in a schema or a parameter, in any case, or
// "".
func KindOf(name string) googlesql.Kind { return kinds[strings.ToUpper(name)] }
