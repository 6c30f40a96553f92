package builtin

import (
	"strings"
	"unicode/utf8"
)

// charOffset returns the place of a character, counted from 1; ok is false past the
// end.
func charOffset(s string, position int64) (int, bool) {
	at := 0
	for n := int64(1); n < position; n++ {
		if at >= len(s) {
			return 0, false
		}
		_, size := utf8.DecodeRuneInString(s[at:])
		at += size
	}
	return at, at < len(s) || position == 1
}

// occurrence finds a match by its number from a position on.
func (p *pattern) occurrence(name, s string, position, n int64) (m match, end int, ok bool, err error) {
	switch {
	case position < 1:
		return m, 0, false, failf("Position must be positive")
	case n < 1:
		return m, 0, false, failf("Occurrence must be positive")
	case position > 1 && p.context:
		// BigQuery's documentation does not say what ^ and \b mean then.
		return m, 0, false, failf("%s with a position and a pattern with ^ or \\b is not supported by the sandbox",
			name)
	}
	from, inside := charOffset(s, position)
	if !inside {
		return m, 0, false, nil
	}
	err = p.all(s, from, func(got match) bool {
		if n--; n == 0 {
			m, ok = got, true
			return false
		}
		return true
	})
	return m, m.to, ok, err
}

// instr returns the position of a match, or of the character after it; 0 for
// none.
func instr(name, s string, p *pattern, position, n, after int64) (int64, error) {
	if after != 0 && after != 1 {
		return 0, failf("Occurrence position must be 0 or 1")
	}
	if int64(len(s)) < position || p.first.String() == "" {
		return 0, nil
	}
	m, _, ok, err := p.occurrence(name, s, position, n)
	if err != nil || !ok || m.from < 0 {
		return 0, err
	}
	at := m.from
	if after == 1 {
		at = m.to
	}
	return int64(utf8.RuneCountInString(s[:at])) + 1, nil
}

func init() {
	for _, kind := range []string{"STRING", "BYTES"} {
		defRegexp(kind)
	}
}

// defRegexp adds the functions for STRING or BYTES.
func defRegexp(kind string) {
	bytes := kind == "BYTES"
	suffix := "_" + strings.ToLower(kind)
	in, out := func(s string) string { return s }, func(s string) string { return s }
	if bytes {
		in, out = widen, narrow
	}
	def("bq_regexp_contains"+suffix, kind+", "+kind+" -> BOOL", func(a []Value) (Value, error) {
		p, err := compile(a[1].Text, bytes)
		if err != nil {
			return null, err
		}
		return boolean(p.first.MatchString(in(a[0].Text))), nil
	})
	def("bq_regexp_extract"+suffix, kind+", "+kind+", INT64, INT64 -> "+kind, func(a []Value) (Value, error) {
		p, err := compile(a[1].Text, bytes)
		if err != nil {
			return null, err
		}
		s := in(a[0].Text)
		m, _, ok, err := p.occurrence("REGEXP_EXTRACT", s, a[2].Int, a[3].Int)
		if err != nil || !ok || m.from < 0 {
			return null, err
		}
		return text(out(s[m.from:m.to])), nil
	})
	def("bq_regexp_extract_all"+suffix, kind+", "+kind+" -> []"+kind, func(a []Value) (Value, error) {
		p, err := compile(a[1].Text, bytes)
		if err != nil {
			return null, err
		}
		s := in(a[0].Text)
		v := Value{List: []Value{}}
		err = p.all(s, 0, func(m match) bool {
			if m.from < 0 {
				v.List = append(v.List, text(""))
			} else {
				v.List = append(v.List, text(out(s[m.from:m.to])))
			}
			return true
		})
		return either(v, err)
	})
	def("bq_regexp_replace"+suffix, kind+", "+kind+", "+kind+" -> "+kind, func(a []Value) (Value, error) {
		p, err := compile(a[1].Text, bytes)
		if err != nil {
			return null, err
		}
		s, err := p.replace(in(a[0].Text), in(a[2].Text))
		return either(text(out(s)), err)
	})
	def("bq_regexp_instr"+suffix, kind+", "+kind+", INT64, INT64, INT64 -> INT64", func(a []Value) (Value, error) {
		p, err := compile(a[1].Text, bytes)
		if err != nil {
			return null, err
		}
		n, err := instr("REGEXP_INSTR", in(a[0].Text), p, a[2].Int, a[3].Int, a[4].Int)
		return either(integer(n), err)
	})
}
