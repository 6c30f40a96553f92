package driver

import (
	"bytes"
	"encoding/json"
	"math"
	"time"
)

// Struct is a value of type STRUCT: its fields in the order of the type. A name may be
// empty and may be there twice, as in BigQuery.
type Struct struct {
	Fields []StructField
}

// StructField is one field of a Struct. A nil Value is NULL.
type StructField struct {
	Name  string
	Value any
}

// Get returns the value of the first field of that name.
func (s Struct) Get(name string) (any, bool) {
	for _, f := range s.Fields {
		if f.Name == name {
			return f.Value, true
		}
	}
	return nil, false
}

// MarshalJSON writes an object with the fields in their order, also those of the same name. NaN and
// the infinities, which JSON does not have, are strings, as BigQuery's own TO_JSON writes them.
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

// plainJSON replaces the numbers that JSON does not have, and times by BigQuery's own text where they are no TIMESTAMP.
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

// String is the JSON of the struct.
func (s Struct) String() string {
	text, err := s.MarshalJSON()
	if err != nil {
		return "STRUCT: " + err.Error()
	}
	return string(text)
}
