package dsn

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// kind is how one Go type is read from and written as text. given reports whether
// a value is not the zero value, which is not written.
type kind[T any] struct {
	parse  func(string) (T, bool)
	format func(T) string
	given  func(T) bool
}

// The kinds do not return the errors of strconv and time, which quote their input.
var (
	text = kind[string]{
		parse:  func(s string) (string, bool) { return s, true },
		format: func(s string) string { return s },
		given:  func(s string) bool { return s != "" },
	}
	// word is one of a list of words, which are written in lower case.
	word = kind[string]{
		parse:  func(s string) (string, bool) { return lower(s), true },
		format: text.format,
		given:  text.given,
	}
	// resource is the name of a resource, or the word none.
	resource = kind[string]{
		parse: func(s string) (string, bool) {
			if lower(s) == "none" {
				return "none", true
			}
			return s, true
		},
		format: text.format,
		given:  text.given,
	}
	list = kind[[]string]{
		parse:  func(s string) ([]string, bool) { return strings.Split(s, ","), true },
		format: func(l []string) string { return strings.Join(l, ",") },
		given:  func(l []string) bool { return len(l) != 0 },
	}
	integer = kind[int]{
		parse: func(s string) (int, bool) {
			n, err := strconv.Atoi(s)
			return n, err == nil && isDigits(s)
		},
		format: strconv.Itoa,
		given:  func(n int) bool { return n != 0 },
	}
	long = kind[int64]{
		parse: func(s string) (int64, bool) {
			n, err := strconv.ParseInt(s, 10, 64)
			return n, err == nil && isDigits(s)
		},
		format: func(n int64) string { return strconv.FormatInt(n, 10) },
		given:  func(n int64) bool { return n != 0 },
	}
	// size is a number of bytes. It is written without a unit.
	size = kind[int64]{parse: parseBytes, format: long.format, given: long.given}

	boolean = kind[*bool]{
		parse: func(s string) (*bool, bool) {
			b, ok := flag.parse(s)
			return &b, ok
		},
		format: func(b *bool) string { return strconv.FormatBool(*b) },
		given:  func(b *bool) bool { return b != nil },
	}
	flag = kind[bool]{
		parse: func(s string) (bool, bool) {
			s = lower(s)
			return s == "true", s == "true" || s == "false"
		},
		format: strconv.FormatBool,
		given:  func(b bool) bool { return b },
	}
	pairs = kind[map[string]string]{
		parse: func(s string) (map[string]string, bool) {
			m := map[string]string{}
			for _, pair := range strings.Split(s, ",") {
				key, value, ok := strings.Cut(pair, ":")
				if _, twice := m[key]; !ok || twice {
					return nil, false
				}
				m[key] = value
			}
			return m, true
		},
		format: func(m map[string]string) string {
			var b strings.Builder
			for i, key := range slices.Sorted(maps.Keys(m)) {
				if i > 0 {
					b.WriteByte(',')
				}
				b.WriteString(key + ":" + m[key])
			}
			return b.String()
		},
		given: func(m map[string]string) bool { return len(m) != 0 },
	}
	duration = kind[time.Duration]{
		parse: func(s string) (time.Duration, bool) {
			d, err := time.ParseDuration(s)
			return d, err == nil
		},
		format: time.Duration.String,
		given:  func(d time.Duration) bool { return d != 0 },
	}
)

// lower converts the letters A to Z to lower case.
func lower(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}, s)
}
