package load

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"strings"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/builtin"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/cells"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

// Object decodes rows in the form of JSON objects.
type Object struct {
	Columns             []googlesql.Column
	IgnoreUnknownValues bool
	// JSONInText: a text in a column of JSON is the text of a JSON value, as in
	// tabledata.insertAll.
	JSONInText bool
}

// JSON reads lines of JSON.
func JSON(data []byte, o Options) (*Rows, error) {
	out := &Rows{Columns: o.Columns}
	if out.Columns == nil {
		columns, err := detectJSON(data)
		if err != nil {
			return nil, err
		}
		out.Columns = columns
	}
	decoder := &Object{Columns: out.Columns, IgnoreUnknownValues: o.IgnoreUnknownValues}
	eachLine(data, func(at int, line []byte) bool {
		row, problem := decoder.Row(line)
		if problem == nil {
			out.Values = append(out.Values, row)
			return true
		}
		text := problemf("", "Error while reading data, error message: JSON parsing error in row starting at position "+
			"%d: %s", at, problem.Message)
		return out.bad(&o, text.Message)
	})
	return out, nil
}

// eachLine passes each line that is not blank, with its offset, to do, until do returns false.
func eachLine(data []byte, do func(at int, line []byte) bool) {
	for at := 0; at < len(data); {
		line, _, _ := bytes.Cut(data[at:], []byte("\n"))
		if len(bytes.TrimSpace(line)) > 0 && !do(at, line) {
			return
		}
		at += len(line) + 1
	}
}

// Row decodes a row. A missing column gets its default.
func (o *Object) Row(text []byte) ([]engine.Value, *Problem) {
	members, problem := o.members(text, "")
	if problem != nil {
		return nil, problem
	}
	row := make([]engine.Value, len(o.Columns))
	for i, c := range o.Columns {
		raw, ok := members[strings.ToLower(c.Name)]
		delete(members, strings.ToLower(c.Name))
		if !ok {
			if c.Default == "" {
				row[i] = null(c.Type)
			}
		} else if row[i], problem = o.value(raw, c.Type, c.Name); problem != nil {
			return nil, problem
		}
		if err := cells.Fit(c, &row[i]); err != nil {
			return nil, problemf(c.Name, "%s", err)
		}
	}
	return row, o.unknown(members, "")
}

// members returns the members of an object, by their names in lower case.
func (o *Object) members(text []byte, path string) (map[string]json.RawMessage, *Problem) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil || members == nil {
		if path != "" {
			return nil, problemf(path, "This field: %s is not a record.", path)
		}
		return nil, problemf("", "Parser terminated before end of string")
	}
	lower := make(map[string]json.RawMessage, len(members))
	for name, raw := range members {
		lower[strings.ToLower(name)] = raw
	}
	if len(lower) < len(members) {
		return nil, problemf(path, "Field names that differ only by case stand in one object.")
	}
	return lower, nil
}

func (o *Object) unknown(members map[string]json.RawMessage, path string) *Problem {
	if o.IgnoreUnknownValues {
		return nil
	}
	for name := range members {
		return problemf(join(path, name), "No such field: %s.", join(path, name))
	}
	return nil
}

func (o *Object) value(raw json.RawMessage, t googlesql.Type, path string) (engine.Value, *Problem) {
	v := engine.Value{Type: t}
	switch isNull := string(raw) == "null"; {
	case t.Kind == googlesql.Array && isNull:
		return v, problemf(path, "Only optional fields can be set to NULL. Field: %s; Value: NULL", path)
	case t.Kind == googlesql.Array:
		return o.array(raw, t, path)
	case isNull:
		return null(t), nil
	case t.Kind == googlesql.JSON:
		text := string(raw)
		if o.JSONInText {
			_ = json.Unmarshal(raw, &text) // or it is a value of another type
		}
		if !cells.Scan(&v, text) {
			return v, problemf(path, "Invalid JSON value. Field: %s; Value: %s", path, text)
		}
		return v, nil
	case t.Kind == googlesql.Range:
		return o.rangeOf(raw, t, path)
	case t.Kind == googlesql.Struct:
		members, problem := o.members(raw, path)
		if problem != nil {
			return v, problem
		}
		for _, f := range t.Fields {
			field := null(f.Type)
			if sub, ok := members[strings.ToLower(f.Name)]; ok {
				delete(members, strings.ToLower(f.Name))
				if field, problem = o.value(sub, f.Type, join(path, f.Name)); problem != nil {
					return v, problem
				}
			}
			v.Elems = append(v.Elems, field)
		}
		return v, o.unknown(members, path)
	}
	return scalar(raw, v, path)
}

// rangeOf reads {"start": ..., "end": ...}. A missing or null bound means unbounded.
func (o *Object) rangeOf(raw json.RawMessage, t googlesql.Type, path string) (engine.Value, *Problem) {
	bounds := googlesql.Type{Kind: googlesql.Struct, Fields: []googlesql.Field{{Name: "start", Type: *t.Elem},
		{Name: "end", Type: *t.Elem}}}
	v, problem := o.value(raw, bounds, path)
	if problem != nil {
		return v, problem
	}
	var ends [2]*int64
	for i := range ends {
		if !v.Elems[i].Null {
			ends[i] = &v.Elems[i].Int
		}
	}
	made, err := builtin.MakeRange(ends[0], ends[1], string(t.Elem.Kind))
	if err != nil {
		text, _ := builtin.Message(err.Error())
		return v, problemf(path, "%s. Field: %s", text, path)
	}
	return engine.Value{Type: t, Text: made.Encode()}, nil
}

func (o *Object) array(raw json.RawMessage, t googlesql.Type, path string) (engine.Value, *Problem) {
	v := engine.Value{Type: t}
	var list []json.RawMessage
	if err := json.Unmarshal(raw, &list); err != nil {
		return v, problemf(path, "Repeated field must be imported as a JSON array. Field: %s.", path)
	}
	for _, e := range list {
		if string(e) == "null" {
			return v, problemf(path, "Only optional fields can be set to NULL. Field: %s; Value: NULL", path)
		}
		elem, problem := o.value(e, *t.Elem, path)
		if problem != nil {
			return v, problem
		}
		v.Elems = append(v.Elems, elem)
	}
	return v, nil
}

// typeNames has the names of types in BigQuery's messages.
var typeNames = map[googlesql.Kind]string{googlesql.Int64: "integer", googlesql.Float64: "float",
	googlesql.Bool: "boolean", googlesql.String: "string", googlesql.Bytes: "bytes", googlesql.Numeric: "numeric",
	googlesql.BigNumeric: "bignumeric", googlesql.Date: "date", googlesql.Time: "time", googlesql.Datetime: "datetime",
	googlesql.Timestamp: "timestamp", googlesql.Interval: "interval",
	googlesql.TimestampPicos: "timestamp"}

// scalar reads a number, a bool or a text into v.
func scalar(raw json.RawMessage, v engine.Value, path string) (engine.Value, *Problem) {
	var text string
	switch {
	case raw[0] == '[':
		return v, problemf(path, "Array specified for non-repeated field: %s.", path)
	case raw[0] == '{':
		return v, problemf(path, "Could not convert value to %s. Field: %s; Value: %s",
			typeNames[v.Type.Kind], path, raw)
	case raw[0] == '"':
		_ = json.Unmarshal(raw, &text) // it is valid
	default:
		text = string(raw)
	}
	number := raw[0] == '-' || raw[0] >= '0' && raw[0] <= '9'
	var ok bool
	switch v.Type.Kind {
	case googlesql.Int64:
		ok = cells.Scan(&v, wholeText(text, number))
	case googlesql.Timestamp:
		if number {
			v.Int, ok = epoch(text)
		} else {
			ok = cells.Scan(&v, text)
		}
	default:
		ok = cells.Scan(&v, text)
	}
	if !ok {
		return v, problemf(path, "Could not convert value to %s. Field: %s; Value: %s",
			typeNames[v.Type.Kind], path, text)
	}
	return v, nil
}

// wholeText writes a JSON number such as 1.0 or 1e3 as a whole number, if it is one.
func wholeText(text string, number bool) string {
	if !number || len(text) > 40 || !strings.ContainsAny(text, ".eE") {
		return text
	}
	if i := strings.IndexAny(text, "eE"); i >= 0 && len(text)-i > 4 {
		return text
	}
	if r, ok := new(big.Rat).SetString(text); ok && r.IsInt() {
		return r.Num().String()
	}
	return text
}

// epoch reads seconds since 1970 as microseconds.
func epoch(text string) (int64, bool) {
	if len(text) > 40 || strings.ContainsAny(text, "eE") && len(text)-strings.IndexAny(text, "eE") > 4 {
		return 0, false
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return 0, false
	}
	r.Mul(r, big.NewRat(1e6, 1))
	n := new(big.Int).Quo(r.Num(), r.Denom())
	if !n.IsInt64() {
		return 0, false
	}
	t := time.UnixMicro(n.Int64()).UTC()
	return n.Int64(), t.Year() >= 1 && t.Year() <= 9999
}

// member is a member of a JSON object, in the order of the text.
type member struct {
	name string
	raw  json.RawMessage
}

// ordered reads the members of an object.
func ordered(text []byte) ([]member, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	if start, err := d.Token(); err != nil || start != json.Delim('{') {
		return nil, errors.New("is no JSON object")
	}
	var out []member
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		var m member
		m.name, _ = name.(string) // in an object it is one
		if err := d.Decode(&m.raw); err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("goes on after its end")
	}
	return out, nil
}
