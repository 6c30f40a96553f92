package load

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/cells"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

// field is a value of CSV. A quoted one is never NULL.
type field struct {
	text   string
	quoted bool
}

// record is a line of CSV, or several with quoted newlines.
type record struct {
	line, at int // the number of its first line, from 1, and the offset of its first byte
	fields   []field
	problem  string
}

// records splits CSV.
func records(data []byte, o *Options) []record {
	var out []record
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	for at, line := 0, 1; at < len(data); {
		r := record{line: line, at: at}
		next := r.read(data, o)
		line += bytes.Count(data[at:next], []byte("\n"))
		at = next
		if len(r.fields) > 1 || r.problem != "" || r.fields[0].text != "" || r.fields[0].quoted {
			out = append(out, r)
		}
	}
	return out
}

// read reads the record at an offset, and returns the offset of the next one.
func (r *record) read(data []byte, o *Options) int {
	i := r.at
	for {
		var f field
		if o.Quote != "" && i < len(data) && data[i] == o.Quote[0] {
			var text []byte
			f.quoted = true
			for i++; ; i++ {
				if i >= len(data) {
					r.problem = "Missing close quote character (" + o.Quote + ")."
					r.fields = append(r.fields, f)
					return len(data)
				}
				if data[i] == '\n' && !o.AllowQuotedNewlines {
					r.problem = "Missing close quote character (" + o.Quote + ")."
				}
				if data[i] != o.Quote[0] {
					text = append(text, data[i])
					continue
				}
				if i+1 < len(data) && data[i+1] == o.Quote[0] { // two stand for one
					text = append(text, data[i])
					i++
					continue
				}
				i++
				break
			}
			f.text = string(text)
		}
		end := i
		for end < len(data) && data[end] != o.Delimiter && data[end] != '\n' {
			end++
		}
		rest := string(data[i:end])
		if end == len(data) || data[end] == '\n' {
			rest = strings.TrimSuffix(rest, "\r")
		}
		if f.quoted && rest != "" {
			r.problem = "Data between close quote character (" + o.Quote + ") and field separator."
		} else if !f.quoted {
			f.text = rest
		}
		r.fields = append(r.fields, f)
		if end >= len(data) || data[end] == '\n' {
			return min(end+1, len(data))
		}
		i = end + 1
	}
}

// CSV reads CSV.
func CSV(data []byte, o Options) (*Rows, error) {
	out := &Rows{Columns: o.Columns}
	all := records(data, &o)
	if n := min(o.SkipLeadingRows, len(all)); n > 0 {
		if o.Columns == nil { // the last of them has the names
			all = all[n-1:]
		} else {
			all = all[n:]
		}
	}
	if o.Columns == nil {
		columns, header, err := detectCSV(all, &o)
		if err != nil {
			return nil, err
		}
		if out.Columns = columns; header {
			all = all[1:]
		}
	}
	for _, c := range out.Columns {
		if c.Type.Kind == googlesql.Array || c.Type.Kind == googlesql.Struct {
			return nil, problemf("", "Error while reading data, error message: Failed to parse CSV: field %s is "+
				"of type %s, which CSV can't hold", c.Name, c.Type)
		}
	}
	for _, r := range all {
		row, problem := r.row(out.Columns, &o)
		if problem != "" {
			if !out.bad(&o, "Error while reading data, error message: "+problem) {
				break
			}
			continue
		}
		out.Values = append(out.Values, row)
	}
	return out, nil
}

func (r *record) row(columns []googlesql.Column, o *Options) ([]engine.Value, string) {
	switch n := len(r.fields); {
	case r.problem != "":
		return nil, fmt.Sprintf("%s; line_number: %d byte_offset_to_start_of_line: %d", r.problem, r.line, r.at)
	case n < len(columns) && !o.AllowJaggedRows:
		return nil, fmt.Sprintf("CSV table references column position %d, but line contains only %d columns.; "+
			"line_number: %d byte_offset_to_start_of_line: %d column_index: %[1]d column_name: %[5]q "+
			"column_type: %[6]s", n, n, r.line, r.at, columns[n].Name, columns[n].Type.Kind)
	case n > len(columns) && !o.IgnoreUnknownValues:
		return nil, fmt.Sprintf("Too many values in line. Found %d column(s) while expected %d.; line_number: %d "+
			"byte_offset_to_start_of_line: %d", n, len(columns), r.line, r.at)
	}
	row := make([]engine.Value, len(columns))
	for i, c := range columns {
		if i >= len(r.fields) {
			row[i] = null(c.Type)
		} else if !r.fields[i].value(c, o, &row[i]) {
			return nil, fmt.Sprintf("Unable to parse; line_number: %d byte_offset_to_start_of_line: %d "+
				"column_index: %d column_name: %q column_type: %s value: %q", r.line, r.at, i, c.Name, c.Type.Kind,
				r.fields[i].text)
		}
		if err := cells.Fit(c, &row[i]); err != nil {
			return nil, fmt.Sprintf("%s; line_number: %d byte_offset_to_start_of_line: %d column_index: %d "+
				"column_name: %q column_type: %s", err, r.line, r.at, i, c.Name, c.Type.Kind)
		}
	}
	return row, ""
}

// value reads a field into v.
func (f *field) value(c googlesql.Column, o *Options, v *engine.Value) bool {
	v.Type = c.Type
	if !f.quoted && f.text == o.NullMarker {
		v.Null = true
		return true
	}
	text := f.text
	switch c.Type.Kind {
	case googlesql.String, googlesql.Bytes:
	case googlesql.Bool:
		if text = boolTexts[strings.ToLower(strings.TrimSpace(text))]; text == "" {
			return false
		}
	case googlesql.Timestamp:
		text = strings.TrimSpace(text)
		if n, ok := epochText(text); ok {
			v.Int = n
			return true
		}
	default:
		text = strings.TrimSpace(text)
	}
	return cells.Scan(v, text)
}

// boolTexts has the texts of a BOOL in CSV.
var boolTexts = map[string]string{"1": "true", "true": "true", "t": "true", "yes": "true", "y": "true",
	"0": "false", "false": "false", "f": "false", "no": "false", "n": "false"}

// epochText reads a TIMESTAMP that is a number of seconds.
func epochText(text string) (int64, bool) {
	if text == "" || strings.Trim(text, "-.0123456789") != "" || strings.Count(text, "-") > 1 {
		return 0, false
	}
	return epoch(text)
}

// dated reports whether a text is a time of a layout.
func dated(text, layout string) bool {
	_, err := time.Parse(layout, text)
	return err == nil
}
