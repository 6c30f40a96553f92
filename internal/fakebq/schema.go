package fakebq

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Field is a column or a field of a struct, with the names of the REST API.
type Field struct {
	Name string
	// Type is a legacy name: STRING, BYTES, INTEGER, FLOAT, BOOLEAN, TIMESTAMP,
	// DATE, TIME, DATETIME, NUMERIC, BIGNUMERIC, GEOGRAPHY, JSON, INTERVAL,
	// RANGE or RECORD.
	Type string
	// Mode is NULLABLE, REQUIRED or REPEATED. "" means NULLABLE. Answers to DML and DDL omit it.
	Mode string
	// Fields are those of a RECORD.
	Fields []Field
	// Element is the type of the ends of a RANGE: DATE, DATETIME or TIMESTAMP.
	Element string
	// Precision and Scale are those of a parameterized NUMERIC, MaxLength that of
	// a STRING or BYTES. 0 = none.
	Precision, Scale, MaxLength int64
	// TimestampPrecision is 12 for a TIMESTAMP with picoseconds, whose values are Picos. 0 means
	// microseconds.
	TimestampPrecision int64
	// Description is any text.
	Description string
	// Default is the default value of a column of a writable table; nil means none.
	Default any
}

// wireField is a Field in JSON.
type wireField struct {
	Name        string      `json:"name"`
	Type        string      `json:"type"`
	Mode        string      `json:"mode,omitempty"`
	Fields      []wireField `json:"fields,omitempty"`
	Element     *wireRange  `json:"rangeElementType,omitempty"`
	Precision   int64       `json:"precision,omitempty,string"`
	Scale       int64       `json:"scale,omitempty,string"`
	MaxLength   int64       `json:"maxLength,omitempty,string"`
	Description string      `json:"description,omitempty"`
	Timestamp   int64       `json:"timestampPrecision,omitempty,string"`
	Default     string      `json:"defaultValueExpression,omitempty"`
}

type wireRange struct {
	Type string `json:"type"`
}

func wireFields(fields []Field) []wireField {
	out := make([]wireField, 0, len(fields))
	for _, f := range fields {
		w := wireField{
			Name:        f.Name,
			Type:        f.Type,
			Mode:        cmp.Or(f.Mode, "NULLABLE"),
			Fields:      wireFields(f.Fields),
			Precision:   f.Precision,
			Scale:       f.Scale,
			MaxLength:   f.MaxLength,
			Description: f.Description,
			Timestamp:   f.TimestampPrecision,
		}
		if f.Default != nil {
			w.Default = fmt.Sprint(f.Default)
		}
		if f.Element != "" {
			w.Element = &wireRange{f.Element}
		}
		out = append(out, w)
	}
	return out
}

// wireSchema is a schema in JSON; without columns it is {}.
type wireSchema struct {
	Fields []wireField `json:"fields,omitempty"`
}

// named returns columns with the names that the service gives them: a second one of a name becomes
// a_1, one without a name f0_, and a field of a struct without a name _field_1.
func named(fields []Field) []Field {
	out := slices.Clone(fields)
	seen := map[string]int{}
	unnamed := 0
	for i := range out {
		f := &out[i]
		f.Fields = namedFields(f.Fields)
		if f.Name == "" {
			f.Name = fmt.Sprintf("f%d_", unnamed)
			unnamed++
		}
		key := strings.ToLower(f.Name)
		if n := seen[key]; n > 0 {
			f.Name = fmt.Sprintf("%s_%d", f.Name, n)
		}
		seen[key]++
	}
	return out
}

func namedFields(fields []Field) []Field {
	out := slices.Clone(fields)
	for i := range out {
		out[i].Fields = namedFields(out[i].Fields)
		if out[i].Name == "" {
			out[i].Name = fmt.Sprintf("_field_%d", i+1)
		}
	}
	return out
}
