package sandbox

import (
	"encoding/json"
	"reflect"
	"testing"
)

func TestFieldMask(t *testing.T) {
	t.Parallel()
	const doc = `{"a":{"b":1,"c":2},"d":[{"e":1,"f":2},{"e":3}],"g":3}`
	for mask, want := range map[string]string{
		"g": `{"g":3}`, "a,g": `{"a":{"b":1,"c":2},"g":3}`, "a/b": `{"a":{"b":1}}`, "a(b,c)": `{"a":{"b":1,"c":2}}`,
		"d(e)": `{"d":[{"e":1},{"e":3}]}`, "d/f,a/c": `{"a":{"c":2},"d":[{"f":2},{}]}`, "*": doc, "nosuch": `{}`,
		"*/b":     `{"a":{"b":1},"d":[{},{}],"g":3}`,
		"a/b,a/c": `{"a":{"b":1,"c":2}}`, "a,a/b": `{"a":{"b":1,"c":2}}`,
	} {
		m, refused := parseMask(mask)
		if refused != nil {
			t.Errorf("%s: %v", mask, refused)
			continue
		}
		cut, refused := m.cut([]byte(doc))
		if refused != nil {
			t.Errorf("%s: %v", mask, refused)
			continue
		}
		var got, wanted any
		if json.Unmarshal(cut, &got) != nil || json.Unmarshal([]byte(want), &wanted) != nil ||
			!reflect.DeepEqual(got, wanted) {
			t.Errorf("%s: got %s; want %s", mask, cut, want)
		}
	}
	for _, bad := range []string{"", ",", "a,", "a/", "a(", "a(b", "a)b", "a()"} {
		if _, err := parseMask(bad); err == nil {
			t.Errorf("%q: got no error", bad)
		}
	}
}
