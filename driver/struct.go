package driver

import (
	"bytes"
	"encoding/json"
	"math"
	"time"
)

// Struct is a value of type STRUCT, with its fields in the order of the type. As in BigQuery, names
// may be empty and may occur twice.
type Struct struct {
	Fields []StructField
}

// StructField is one field of a Struct. A nil Value is NULL.
type StructField struct {
	Name  string
	Value any
}

// Get returns the value of the first field with that name, and whether there is one.
func (s Struct) Get(name string) (any, bool) {
	for _, f := range s.Fields {
		if f.Name == name {
			return f.Value, true
		}
	}
	return nil, false
}

// MarshalJSON writes an object with the fields in order, including several with the same name. NaN
// and the infinities, which JSON does not have, become strings, as in BigQuery's TO_JSON.
func (s Struct) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, f := range s.Fields {
		if i > 0 {
			b.WriteByte(',')
		}
		for j, part := range []any{f.Name, f.Value} {
			if j > 0 {
				b.WriteByte(':')
			}
			text, err := json.Marshal(plainJSON(part))
			if err != nil {
				return nil, err
			}
			b.Write(text)
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// plainJSON replaces numbers that JSON does not have, and writes a DATE, DATETIME or TIMESTAMP(12)
// as BigQuery does.
func plainJSON(v any) any {
	if text, ok := markedText(v); ok {
		return text
	}
	switch v := v.(type) {
	case []time.Time:
		list := make([]any, len(v))
		for i := range v {
			list[i] = plainJSON(boxed(anyTime, &v[i]))
		}
		return list
	case float64:
		switch {
		case math.IsNaN(v):
			return "NaN"
		case math.IsInf(v, 1):
			return "Infinity"
		case math.IsInf(v, -1):
			return "-Infinity"
		}
	case []float64:
		list := make([]any, len(v))
		for i := range v {
			list[i] = plainJSON(v[i])
		}
		return list
	}
	return v
}

// String returns the JSON of the struct.
func (s Struct) String() string {
	text, err := s.MarshalJSON()
	if err != nil {
		return "STRUCT: " + err.Error()
	}
	return string(text)
}
