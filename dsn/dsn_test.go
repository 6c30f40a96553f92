package dsn

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for _, tc := range good {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := Parse(tc.text)
			if err != nil {
				t.Fatalf("Parse(%q): %v", tc.text, err)
			}
			if diff := cmp.Diff(&tc.want, got); diff != "" {
				t.Errorf("Parse(%q): -want +got\n%s", tc.text, diff)
			}
		})
	}
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for _, tc := range good {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			want := tc.canonical
			if want == "" {
				want = tc.text
			}
			got := tc.want.Format()
			if got != want {
				t.Errorf("Format(%+v)\ngot  %q\nwant %q", &tc.want, got, want)
			}
			back, err := Parse(got)
			if err != nil {
				t.Fatalf("Parse(%q): %v", got, err)
			}
			if !reflect.DeepEqual(*back, tc.want) {
				t.Errorf("Parse(Format(c)): got %#v; want %#v", *back, tc.want)
			}
		})
	}
}

func TestParseErrors(t *testing.T) {
	t.Parallel()
	for _, tc := range bad {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c, err := Parse(tc.text)
			if c != nil || err == nil {
				t.Fatalf("Parse(%q): got %+v, %v; want an error", tc.text, c, err)
			}
			e, ok := errors.AsType[*Error](err)
			if !ok {
				t.Fatalf("Parse(%q): error %v is a %T; want *Error", tc.text, err, err)
			}
			if e.Key != tc.key || !strings.Contains(e.Problem, tc.problem) {
				t.Errorf("Parse(%q): got %q with key %q; want key %q and %q in the text", tc.text, e, e.Key, tc.key,
					tc.problem)
			}
			if strings.Contains(err.Error(), canary) {
				t.Errorf("Parse(%q): error %q repeats a value", tc.text, err)
			}
		})
	}
}
