package fakebq

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseMask(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		text string
		want fieldMask
	}{
		{"", nil},
		{"*", nil},
		{"a", fieldMask{"a": nil}},
		{"a,b", fieldMask{"a": nil, "b": nil}},
		{"a/b", fieldMask{"a": {"b": nil}}},
		{"a/b,a/c,d", fieldMask{"a": {"b": nil, "c": nil}, "d": nil}},
		{"a(b,c/d),e", fieldMask{"a": {"b": nil, "c": {"d": nil}}, "e": nil}},
		{"a/b(c)", fieldMask{"a": {"b": {"c": nil}}}},
	} {
		if diff := cmp.Diff(tc.want, parseMask(tc.text)); diff != "" {
			t.Errorf("%q: -want +got\n%s", tc.text, diff)
		}
	}
}

// FuzzMask: no text makes the parser panic or run endlessly.
func FuzzMask(f *testing.F) {
	for _, s := range []string{"a,b(c,d),e/f", ",,", "()", "a)b", "//", "(((", "a/b/"} {
		f.Add(s)
	}
	f.Fuzz(func(_ *testing.T, s string) {
		parseMask(s).prune(map[string]any{"a": []any{map[string]any{"b": 1}}})
	})
}
