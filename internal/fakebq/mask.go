package fakebq

import (
	"encoding/json"
	"strings"
)

// fieldMask is the partial response that fields= requests: names and the mask below each. nil
// selects everything.
type fieldMask map[string]fieldMask

// parseMask parses a,b(c,d),e/f. "" and * select everything.
func parseMask(s string) fieldMask {
	if s == "" || s == "*" {
		return nil
	}
	m, _ := parseMaskList(s)
	return m
}

// parseMaskList parses up to a closing parenthesis and returns the rest.
func parseMaskList(s string) (fieldMask, string) {
	m := fieldMask{}
	for s != "" && s[0] != ')' {
		s = strings.TrimPrefix(s, ",")
		s = m.path(s)
	}
	return m, strings.TrimPrefix(s, ")")
}

// path parses name[/path|(list)] into m and returns the rest.
func (m fieldMask) path(s string) string {
	n := strings.IndexAny(s, ",/()")
	if n < 0 {
		n = len(s)
	}
	name, rest := s[:n], s[n:]
	var below fieldMask
	switch {
	case strings.HasPrefix(rest, "/"):
		below = fieldMask{}
		rest = below.path(rest[1:])
	case strings.HasPrefix(rest, "("):
		below, rest = parseMaskList(rest[1:])
	}
	if old, seen := m[name]; seen && old != nil && below != nil {
		for k, v := range below {
			old[k] = v
		}
		below = old
	}
	m[name] = below
	return rest
}

// has reports whether a name is selected.
func (m fieldMask) has(name string) bool {
	if m == nil {
		return true
	}
	_, ok := m[name]
	if !ok {
		_, ok = m["*"]
	}
	return ok
}

// cut removes members that are not selected. Errors are never cut.
func (m fieldMask) cut(o object) object {
	if m == nil {
		return o
	}
	var out object
	for _, f := range o {
		if !m.has(f.name) && f.name != "error" {
			continue
		}
		if below := m[f.name]; below != nil {
			var v any
			if json.Unmarshal(f.text, &v) == nil {
				f.text, _ = json.Marshal(below.prune(v)) // what was decoded from JSON can be encoded
			}
		}
		out = append(out, f)
	}
	return out
}

// prune applies the mask to a decoded value and to the elements of lists.
func (m fieldMask) prune(v any) any {
	if m == nil {
		return v
	}
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = m.prune(v[i])
		}
	case map[string]any:
		for k := range v {
			if !m.has(k) {
				delete(v, k)
				continue
			}
			v[k] = m[k].prune(v[k])
		}
	}
	return v
}
