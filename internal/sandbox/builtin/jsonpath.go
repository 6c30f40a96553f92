package builtin

import (
	"regexp"
	"strconv"
	"strings"
)

// step of a JSONPath: a member's name, or an element's number in text.
type step struct {
	key     string
	bracket bool // [n]
}

var (
	pathKey     = regexp.MustCompile(`^\.([\p{L}\p{N}_\-:\s]+)`)
	pathIndex   = regexp.MustCompile(`^\[\s*([\p{L}\p{N}_\-]+)\s*\]`)
	pathNumber  = regexp.MustCompile(`^\[\s*([\p{N}_\-]+)\s*\]`)
	pathQuoted  = regexp.MustCompile(`^\."((?:[^\\"]|\\"|\\[^"])*)"`)
	pathApos    = regexp.MustCompile(`^\[\s*'((?:[^\\']|\\'|\\[^'])*)'\s*\]`)
	pathStrange = regexp.MustCompile(`\*|\.\.|@`)
)

// JSONPath checks a path; legacy is that of JSON_EXTRACT and its like.
func JSONPath(path string, legacy bool) error {
	_, err := parsePath(path, legacy)
	return err
}

func parsePath(path string, legacy bool) ([]step, error) {
	rest, ok := strings.CutPrefix(path, "$")
	if !ok {
		return nil, failf("JSONPath must start with '$'")
	}
	index, quoted, quote := pathNumber, pathQuoted, `"`
	if legacy {
		index, quoted, quote = pathIndex, pathApos, `'`
	}
	var steps []step
	for rest != "" {
		var m []string
		switch {
		case find(index, rest, &m):
			steps = append(steps, step{m[1], true})
		case find(pathKey, rest, &m):
			steps = append(steps, step{key: m[1]})
		case find(quoted, rest, &m):
			steps = append(steps, step{key: strings.ReplaceAll(m[1], `\`+quote, quote)})
		case rest == "." && legacy:
			return steps, nil
		default:
			if op := pathStrange.FindString(rest); op != "" {
				return nil, failf("Unsupported operator in JSONPath: %s", op)
			}
			return nil, failf("Invalid token in JSONPath at: %s", rest)
		}
		rest = rest[len(m[0]):]
	}
	return steps, nil
}

func find(re *regexp.Regexp, s string, m *[]string) bool {
	*m = re.FindStringSubmatch(s)
	return *m != nil
}

// follow returns the value at a path, or nil.
func (n *node) follow(steps []step) *node {
	for _, st := range steps {
		if n = n.child(st); n == nil {
			return nil
		}
	}
	return n
}

func (n *node) child(st step) *node {
	switch n.kind {
	case 'o':
		return n.member(st.key)
	case 'a':
		if i, err := strconv.Atoi(st.key); err == nil && i >= 0 && i < len(n.elems) {
			return n.elems[i]
		}
	}
	return nil
}

// seek reads a text up to the value at a path, and returns the value, or nil. It does not
// check the text after it.
func (r *jsonReader) seek(steps []step) (*node, error) {
	r.space()
	switch {
	case len(steps) == 0:
		return r.value()
	case r.take('{'):
		return r.seekMember(steps)
	case r.take('['):
		return r.seekElement(steps)
	}
	_, err := r.value()
	return nil, err
}

func (r *jsonReader) seekMember(steps []step) (*node, error) {
	for r.space(); !r.take('}'); r.space() {
		if r.i >= len(r.s) || r.s[r.i] != '"' {
			return nil, r.fail("expected string literal")
		}
		key, err := r.str()
		if err != nil {
			return nil, err
		}
		if r.space(); !r.take(':') {
			return nil, r.fail("expected ':'")
		}
		if key == steps[0].key {
			return r.seek(steps[1:])
		}
		if _, err := r.value(); err != nil {
			return nil, err
		}
		if r.space(); !r.take(',') && (r.i >= len(r.s) || r.s[r.i] != '}') {
			return nil, r.fail("expected ',' or '}'")
		}
	}
	return nil, nil
}

func (r *jsonReader) seekElement(steps []step) (*node, error) {
	want, err := strconv.Atoi(steps[0].key)
	if err != nil || want < 0 {
		return nil, nil
	}
	for i := 0; ; i++ {
		if r.space(); r.take(']') {
			return nil, nil
		}
		if i == want {
			return r.seek(steps[1:])
		}
		if _, err := r.value(); err != nil {
			return nil, err
		}
		if r.space(); !r.take(',') && (r.i >= len(r.s) || r.s[r.i] != ']') {
			return nil, r.fail("expected ',' or ']'")
		}
	}
}

// place is a step of a path that changes a JSON: a name, or a number in brackets.
type place struct {
	key   string
	index int // -1 for a name
}

var pathDigits = regexp.MustCompile(`^\[\s*([0-9]+)\s*\]`)

// strictPath parses a path of JSON_SET and similar functions. If words is set, it may
// begin with the words lax and recursive.
func strictPath(path string, words bool) (places []place, lax, recursive bool, err error) {
	for words {
		word, rest, ok := strings.Cut(path, " ")
		switch {
		case ok && strings.EqualFold(word, "lax") && !lax:
			lax = true
		case ok && strings.EqualFold(word, "recursive") && !recursive:
			recursive = true
		default:
			words = false
			continue
		}
		path = strings.TrimLeft(rest, space)
	}
	rest, ok := strings.CutPrefix(path, "$")
	if !ok {
		return nil, false, false, failf("JSONPath must start with '$'")
	}
	for rest != "" {
		var m []string
		switch {
		case find(pathKey, rest, &m):
			places = append(places, place{m[1], -1})
		case find(pathQuoted, rest, &m):
			places = append(places, place{m[1], -1})
		case find(pathDigits, rest, &m):
			n, err := strconv.Atoi(m[1])
			if err != nil {
				return nil, false, false, failf("Invalid array index: %s", m[1])
			}
			places = append(places, place{"", n})
		default:
			return nil, false, false, failf("Invalid token in JSONPath at: %s", rest)
		}
		rest = rest[len(m[0]):]
	}
	return places, lax, recursive, nil
}

// at returns the child at a step of a path, or nil.
func (n *node) at(p place) *node {
	switch {
	case p.index < 0 && n.kind == 'o':
		return n.member(p.key)
	case p.index >= 0 && n.kind == 'a' && p.index < len(n.elems):
		return n.elems[p.index]
	}
	return nil
}
