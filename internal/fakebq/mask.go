package fakebq

import (
	"encoding/json"
	"strings"
)

// fieldMask is the partial response that fields= asks for: names with what is
// wanted below them. nil wants everything.
type fieldMask map[string]fieldMask

// parseMask reads a,b(c,d),e/f. "" and * want everything.
func parseMask(s string) fieldMask {
	if s == "" || s == "*" {
		return nil
	}
	m, _ := parseMaskList(s)
	return m
}

// parseMaskList reads up to a closing parenthesis and gives what follows it.
func parseMaskList(s string) (fieldMask, string) {
	m := fieldMask{}
	for s != "" && s[0] != ')' {
		s = strings.TrimPrefix(s, ",")
		s = m.path(s)
	}
	return m, strings.TrimPrefix(s, ")")
}

// path reads name[/path|(list)] into m and gives what follows it.
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

// has tells whether a name is wanted.
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

// cut keeps the wanted members. Errors are never cut.
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
				f.text, _ = json.Marshal(below.prune(v)) // what came from JSON goes back into it
			}
		}
		out = append(out, f)
	}
	return out
}

// prune applies the mask to a decoded value; lists are looked through.
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
