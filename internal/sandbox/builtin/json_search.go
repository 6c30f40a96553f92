package builtin

import "strings"

// jsonScopes are what CONTAINS_SUBSTR looks at in a JSON: keys, values.
var jsonScopes = map[string][2]bool{"JSON_VALUES": {false, true}, "JSON_KEYS": {true, false},
	"JSON_KEYS_AND_VALUES": {true, true}}

// containsInJSON looks for a text in the keys or the scalars of a JSON, at any depth.
func containsInJSON(want, j, scope string) (Value, error) {
	s, ok := jsonScopes[scope]
	if !ok {
		return null, failf("Invalid json_scope of CONTAINS_SUBSTR: %s", scope)
	}
	n, err := parseJSON(j, "")
	if err != nil {
		return null, err
	}
	want = folded(want)
	nulls := false
	var look func(n *node) bool
	look = func(n *node) bool {
		switch n.kind {
		case 'a', 'o':
			for _, k := range n.keys {
				if s[0] && strings.Contains(folded(k), want) {
					return true
				}
			}
			for _, e := range n.elems {
				if look(e) {
					return true
				}
			}
			return false
		case 'n':
			nulls = nulls || s[1]
			return false
		case 's':
			return s[1] && strings.Contains(folded(n.text), want)
		}
		return s[1] && strings.Contains(n.String(), want)
	}
	found := look(n)
	if nulls && !found {
		return null, failf("CONTAINS_SUBSTR of a JSON with a null is not supported by the sandbox")
	}
	return boolean(found), nil
}
