package load

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/cells"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

// sampleRows is how many rows BigQuery reads to detect the types of columns.
const sampleRows = 500

// textKind returns the type that BigQuery detects for a text.
func textKind(text string) googlesql.Kind {
	for _, k := range []googlesql.Kind{googlesql.Int64, googlesql.Float64} {
		if v := (engine.Value{Type: googlesql.Type{Kind: k}}); cells.Scan(&v, text) {
			return k
		}
	}
	switch lower := strings.ToLower(text); {
	case lower == "true" || lower == "false":
		return googlesql.Bool
	}
	return momentKind(text)
}

// momentKind returns the type of a text that is no number.
func momentKind(text string) googlesql.Kind {
	switch {
	case dated(text, "2006-01-02"):
		return googlesql.Date
	case dated(text, "15:04:05"):
		return googlesql.Time
	}
	zoned := engine.Value{Type: googlesql.Type{Kind: googlesql.Timestamp}}
	if len(text) >= len("2006-01-02 15:04:05") && cells.Scan(&zoned, text) {
		return googlesql.Timestamp
	}
	return googlesql.String
}

// wider returns the type that holds the values of both; "" is the type of no
// value.
func wider(a, b googlesql.Kind) googlesql.Kind {
	numbers := func(k googlesql.Kind) bool { return k == googlesql.Int64 || k == googlesql.Float64 }
	moments := func(k googlesql.Kind) bool { return k == googlesql.Date || k == googlesql.Timestamp }
	switch {
	case a == "" || a == b:
		return b
	case b == "":
		return a
	case numbers(a) && numbers(b):
		return googlesql.Float64
	case moments(a) && moments(b):
		return googlesql.Timestamp
	}
	return googlesql.String
}

// detectCSV finds the columns of CSV, and whether its first record has their names. It has if the
// types of the other records differ from it.
func detectCSV(all []record, o *Options) (columns []googlesql.Column, header bool, err error) {
	if len(all) == 0 {
		return nil, false, problemf("", "Schema has no fields. Table: the data has no rows")
	}
	first := all[0]
	kinds := make([]googlesql.Kind, len(first.fields))
	for _, r := range all[1:min(len(all), sampleRows+1)] {
		for i, f := range r.fields {
			if i < len(kinds) && (f.quoted || f.text != o.NullMarker) {
				kinds[i] = wider(kinds[i], textKind(f.text))
			}
		}
	}
	texts, typed := true, false
	for i, f := range first.fields {
		texts = texts && textKind(f.text) == googlesql.String && f.text != ""
		typed = typed || kinds[i] != googlesql.String && kinds[i] != ""
	}
	header = o.SkipLeadingRows > 0 || texts && typed
	seen := map[string]int{}
	for i, f := range first.fields {
		if !header && (f.quoted || f.text != o.NullMarker) {
			kinds[i] = wider(kinds[i], textKind(f.text))
		}
		if kinds[i] == "" {
			kinds[i] = googlesql.String
		}
		name := columnName(f.text)
		if !header {
			base := map[googlesql.Kind]string{googlesql.Float64: "double"}[kinds[i]]
			if base == "" {
				base = strings.ToLower(string(kinds[i]))
			}
			name = fmt.Sprintf("%s_field_%d", base, i)
		}
		if n := seen[strings.ToLower(name)]; n > 0 {
			name = fmt.Sprintf("%s_%d", name, n)
		}
		seen[strings.ToLower(name)]++
		columns = append(columns, googlesql.Column{Name: name, Type: googlesql.Type{Kind: kinds[i]}})
	}
	return columns, header, nil
}

var notInNames = regexp.MustCompile(`[^A-Za-z0-9_]`)

// columnName converts the text of a header to the name of a column.
func columnName(text string) string {
	name := notInNames.ReplaceAllString(strings.TrimSpace(text), "_")
	if name == "" || name[0] >= '0' && name[0] <= '9' {
		name = "_" + name
	}
	return name
}

// shape is what detectJSON has learned about a column.
type shape struct {
	kind     googlesql.Kind
	repeated bool
	known    bool // whether it is repeated
	names    []string
	fields   map[string]*shape
}

func (s *shape) field(name string) *shape {
	if s.fields == nil {
		s.fields = map[string]*shape{}
	}
	key := strings.ToLower(name)
	if s.fields[key] == nil {
		s.fields[key] = &shape{}
		s.names = append(s.names, name)
	}
	return s.fields[key]
}

// detectJSON finds the columns of lines of JSON, in the order of their first use.
func detectJSON(data []byte) ([]googlesql.Column, error) {
	var all shape
	n := 0
	var failed error
	eachLine(data, func(at int, line []byte) bool {
		n++
		if err := all.object(line); err != nil {
			failed = problemf("", "Error while reading data, error message: JSON parsing error in row starting "+
				"at position %d: %v", at, err)
			return false
		}
		return n < sampleRows
	})
	if failed != nil {
		return nil, failed
	}
	if len(all.names) == 0 {
		return nil, problemf("", "Schema has no fields. Table: the data has no rows")
	}
	var columns []googlesql.Column
	for _, f := range all.typ().Fields {
		columns = append(columns, googlesql.Column{Name: f.Name, Type: f.Type})
	}
	return columns, nil
}

func (s *shape) object(text []byte) error {
	members, err := ordered(text)
	if err != nil {
		return err
	}
	s.kind = wider(s.kind, googlesql.Struct)
	for _, m := range members {
		if err := s.field(m.name).value(m.raw, false); err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
	}
	return nil
}

// value updates the shape for a value. inside reports whether the value is an
// element of an array.
func (s *shape) value(raw json.RawMessage, inside bool) error {
	if string(raw) == "null" {
		return nil
	}
	if !inside {
		if repeated := raw[0] == '['; s.known && s.repeated != repeated {
			return errors.New("is an array in some rows and none in others")
		}
		s.known, s.repeated = true, raw[0] == '['
	}
	switch raw[0] {
	case '[':
		var list []json.RawMessage
		if inside || json.Unmarshal(raw, &list) != nil {
			return errors.New("is an array of arrays")
		}
		for _, e := range list {
			if err := s.value(e, true); err != nil {
				return err
			}
		}
		return nil
	case '{':
		return s.object(raw)
	case '"':
		var text string
		_ = json.Unmarshal(raw, &text) // it is valid
		s.kind = wider(s.kind, momentKind(text))
	case 't', 'f':
		s.kind = wider(s.kind, googlesql.Bool)
	default:
		s.kind = wider(s.kind, textKind(string(raw)))
	}
	return nil
}

func (s *shape) typ() googlesql.Type {
	t := googlesql.Type{Kind: s.kind}
	if t.Kind == "" {
		t.Kind = googlesql.String
	}
	for _, name := range s.names {
		if t.Kind != googlesql.Struct {
			break // other rows have something else
		}
		t.Fields = append(t.Fields,
			googlesql.Field{Name: columnName(name), Type: s.fields[strings.ToLower(name)].typ()})
	}
	if s.repeated {
		return googlesql.Type{Kind: googlesql.Array, Elem: &t}
	}
	return t
}
