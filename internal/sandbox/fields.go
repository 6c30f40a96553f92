package sandbox

import (
	"encoding/json"
	"strings"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
)

// fieldMask is a partial-response mask, such as "jobReference,status(state)" or
// "schema/fields". A nil mask takes everything below.
type fieldMask map[string]fieldMask

func (m fieldMask) has(name string) bool {
	_, ok := m[name]
	_, all := m["*"]
	return ok || all
}

// parseMask reads the `fields` parameter.
func parseMask(text string) (fieldMask, *apierror.Error) {
	p := maskParser{rest: strings.ReplaceAll(text, " ", "")}
	mask, ok := p.list()
	if !ok || p.rest != "" {
		return nil, apierror.Errorf("invalid", "Invalid field selection %s", text)
	}
	return mask, nil
}

type maskParser struct {
	rest  string
	depth int
}

// list reads names divided by commas.
func (p *maskParser) list() (fieldMask, bool) {
	if p.depth++; p.depth > 20 {
		return nil, false
	}
	defer func() { p.depth-- }()
	mask := fieldMask{}
	for {
		if !p.item(mask) {
			return nil, false
		}
		if !strings.HasPrefix(p.rest, ",") {
			return mask, true
		}
		p.rest = p.rest[1:]
	}
}

// item reads a name with what is below it: name, name/item or name(list).
func (p *maskParser) item(mask fieldMask) bool {
	if p.depth++; p.depth > 20 {
		return false
	}
	defer func() { p.depth-- }()
	end := strings.IndexAny(p.rest, ",/()")
	if end < 0 {
		end = len(p.rest)
	}
	name := p.rest[:end]
	if name == "" {
		return false
	}
	p.rest = p.rest[end:]
	sub := fieldMask{}
	switch {
	case strings.HasPrefix(p.rest, "/"):
		p.rest = p.rest[1:]
		if !p.item(sub) {
			return false
		}
	case strings.HasPrefix(p.rest, "("):
		p.rest = p.rest[1:]
		list, ok := p.list()
		if !ok || !strings.HasPrefix(p.rest, ")") {
			return false
		}
		p.rest = p.rest[1:]
		sub = list
	default:
		mask[name] = nil
		return true
	}
	if old, ok := mask[name]; ok {
		if old == nil {
			return true
		}
		for k, v := range sub {
			old[k] = v
		}
		return true
	}
	mask[name] = sub
	return true
}

// cut keeps the parts of a JSON text that the mask names.
func (m fieldMask) cut(body []byte) ([]byte, *apierror.Error) {
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		return nil, apierror.Broken("the answer could not be cut: %s", err)
	}
	out, err := json.Marshal(m.keep(v))
	if err != nil {
		return nil, apierror.Broken("the answer could not be cut: %s", err)
	}
	return out, nil
}

func (m fieldMask) keep(v any) any {
	if m == nil {
		return v
	}
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			sub, ok := m[k]
			if !ok {
				sub, ok = m["*"]
			}
			if !ok {
				delete(v, k)
				continue
			}
			v[k] = sub.keep(v[k])
		}
	case []any:
		for i := range v {
			v[i] = m.keep(v[i])
		}
	}
	return v
}
