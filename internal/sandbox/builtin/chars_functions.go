package builtin

import (
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

func init() {
	def("bq_upper", "STRING -> STRING", func(a []Value) (Value, error) { return text(upper(a[0].Text)), nil })
	def("bq_lower", "STRING -> STRING", func(a []Value) (Value, error) { return text(lower(a[0].Text)), nil })
	def("bq_upper_bytes", "BYTES -> BYTES", func(a []Value) (Value,
		error) {
		return text(asciiCase(a[0].Text, 'a', 'A')), nil
	})
	def("bq_lower_bytes", "BYTES -> BYTES", func(a []Value) (Value,
		error) {
		return text(asciiCase(a[0].Text, 'A', 'a')), nil
	})
	def("bq_initcap", "STRING -> STRING", func(a []Value) (Value, error) {
		return text(initcap(a[0].Text, func(r rune) bool {
			return whiteSpace(r) ||
				strings.ContainsRune(wordEnds, r)
		})), nil
	})
	def("bq_initcap_by", "STRING, STRING -> STRING", func(a []Value) (Value, error) {
		return text(initcap(a[0].Text, func(r rune) bool { return strings.ContainsRune(a[1].Text, r) })), nil
	})
	for name, sides := range map[string][2]bool{"trim": {true, true}, "ltrim": {true, false}, "rtrim": {false, true}} {
		def("bq_"+name, "STRING -> STRING", func(a []Value) (Value, error) {
			return text(trimSpace(a[0].Text, sides[0], sides[1])), nil
		})
	}
	for _, kind := range []string{"STRING", "BYTES"} {
		defChars(kind, "_"+strings.ToLower(kind), kind == "BYTES")
	}
	def("bq_normalize", "STRING, STRING, BOOL -> STRING", func(a []Value) (Value, error) {
		s, err := normalize(a[0].Text, a[1].Text, a[2].Bool)
		return either(text(s), err)
	})
	def("bq_ascii", "STRING -> INT64", func(a []Value) (Value, error) {
		r, _ := utf8.DecodeRuneInString(a[0].Text)
		switch {
		case a[0].Text == "":
			return integer(0), nil
		case r >= utf8.RuneSelf:
			return null, failf("Non-ASCII input")
		}
		return integer(int64(r)), nil
	})
	def("bq_unicode", "STRING -> INT64", func(a []Value) (Value, error) {
		if a[0].Text == "" {
			return integer(0), nil
		}
		r, _ := utf8.DecodeRuneInString(a[0].Text)
		return integer(int64(r)), nil
	})
	def("bq_chr", "INT64 -> STRING", func(a []Value) (Value, error) {
		if a[0].Int == 0 {
			return text(""), nil
		}
		s, err := fromCodePoints(a)
		return either(text(s), err)
	})
	def("bq_code_points", "STRING -> []INT64", func(a []Value) (Value, error) {
		v := Value{List: []Value{}}
		for _, r := range a[0].Text {
			v.List = append(v.List, integer(int64(r)))
		}
		return v, nil
	})
	def("bq_code_points_bytes", "BYTES -> []INT64", func(a []Value) (Value, error) {
		v := Value{List: []Value{}}
		for i := range len(a[0].Text) {
			v.List = append(v.List, integer(int64(a[0].Text[i])))
		}
		return v, nil
	})
	def("bq_from_code_points", "[]INT64 -> STRING", func(a []Value) (Value, error) {
		if slices.ContainsFunc(a[0].List, func(v Value) bool { return v.Null }) {
			return null, nil
		}
		s, err := fromCodePoints(a[0].List)
		return either(text(s), err)
	})
	def("bq_from_code_points_bytes", "[]INT64 -> BYTES", func(a []Value) (Value, error) {
		b := make([]byte, len(a[0].List))
		for i, v := range a[0].List {
			switch {
			case v.Null:
				return null, nil
			case v.Int < 0 || v.Int > 255:
				return null, failf("Invalid extended ASCII code point %d", v.Int)
			}
			b[i] = byte(v.Int)
		}
		return text(string(b)), nil
	})
	def("bq_safe_text", "BYTES -> STRING", func(a []Value) (Value, error) {
		var b strings.Builder
		for s := a[0].Text; len(s) > 0; {
			r, n := utf8.DecodeRuneInString(s) // U+FFFD for each bad byte
			b.WriteRune(r)
			s = s[n:]
		}
		return text(b.String()), nil
	})
	def("bq_bytes_text", "BYTES -> STRING", func(a []Value) (Value, error) {
		if !utf8.ValidString(a[0].Text) {
			return null, failf("Invalid cast of bytes to UTF8 string")
		}
		return a[0], nil
	})
}

func fromCodePoints(list []Value) (string, error) {
	var b strings.Builder
	for _, v := range list {
		if v.Int < 0 || v.Int > utf8.MaxRune || v.Int >= 0xD800 && v.Int < 0xE000 {
			return "", failf("Invalid codepoint %d", v.Int)
		}
		b.WriteRune(rune(v.Int))
	}
	return b.String(), nil
}

// defChars adds the functions that STRING and BYTES share.
func defChars(kind, suffix string, bytes bool) {
	result := func(s string, err error) (Value, error) { return either(text(s), err) }
	def("bq_substr"+suffix, kind+", INT64, INT64 -> "+kind, func(a []Value) (Value, error) {
		return result(substr(a[0].Text, bytes, a[1].Int, a[2].Int))
	})
	def("bq_left"+suffix, kind+", INT64 -> "+kind, func(a []Value) (Value, error) {
		if a[1].Int < 0 {
			return null, failf("Second argument in LEFT() must not be negative")
		}
		return result(substr(a[0].Text, bytes, 1, a[1].Int))
	})
	def("bq_right"+suffix, kind+", INT64 -> "+kind, func(a []Value) (Value, error) {
		switch size := length(a[0].Text, bytes); {
		case a[1].Int < 0:
			return null, failf("Second argument in RIGHT() must not be negative")
		case a[1].Int >= size:
			return a[0], nil
		default:
			return result(substr(a[0].Text, bytes, size-a[1].Int+1, math.MaxInt64))
		}
	})
	for _, side := range []string{"l", "r"} {
		def("bq_"+side+"pad"+suffix, kind+", INT64, "+kind+" -> "+kind, func(a []Value) (Value, error) {
			return result(pad(strings.ToUpper(side)+"PAD", a[0].Text, bytes, a[1].Int, a[2].Text, side == "l"))
		})
	}
	def("bq_repeat"+suffix, kind+", INT64 -> "+kind, func(a []Value) (Value, error) {
		switch n := a[1].Int; {
		case n < 0:
			return null, failf("Second argument in REPEAT cannot be negative")
		case len(a[0].Text) > 0 && n > maxText/int64(len(a[0].Text)):
			return null, failf("Output of REPEAT exceeds max allowed output size of 1MB")
		default:
			return text(strings.Repeat(a[0].Text, int(n))), nil
		}
	})
	for name, sides := range map[string][2]bool{"trim": {true, true}, "ltrim": {true, false}, "rtrim": {false, true}} {
		def("bq_"+name+"_of"+suffix, kind+", "+kind+" -> "+kind, func(a []Value) (Value, error) {
			set := map[string]bool{}
			for _, c := range chars(a[1].Text, bytes) {
				set[c] = true
			}
			return text(trim(a[0].Text, set, bytes, sides[0], sides[1])), nil
		})
	}
	def("bq_replace"+suffix, kind+", "+kind+", "+kind+" -> "+kind, func(a []Value) (Value, error) {
		if a[1].Text == "" {
			return a[0], nil
		}
		return text(strings.ReplaceAll(a[0].Text, a[1].Text, a[2].Text)), nil
	})
	def("bq_strpos"+suffix, kind+", "+kind+", INT64, INT64 -> INT64", func(a []Value) (Value, error) {
		n, err := strpos(a[0].Text, a[1].Text, bytes, a[2].Int, a[3].Int)
		return either(integer(n), err)
	})
	def("bq_reverse"+suffix, kind+" -> "+kind, func(a []Value) (Value, error) {
		cs := chars(a[0].Text, bytes)
		slices.Reverse(cs)
		return text(strings.Join(cs, "")), nil
	})
	def("bq_starts_with"+suffix, kind+", "+kind+" -> BOOL", func(a []Value) (Value, error) {
		return boolean(strings.HasPrefix(a[0].Text, a[1].Text)), nil
	})
	def("bq_ends_with"+suffix, kind+", "+kind+" -> BOOL", func(a []Value) (Value, error) {
		return boolean(strings.HasSuffix(a[0].Text, a[1].Text)), nil
	})
	def("bq_split"+suffix, kind+", "+kind+" -> []"+kind, func(a []Value) (Value, error) {
		switch {
		case a[0].Text == "":
			return texts([]string{""}), nil
		case a[1].Text == "":
			return texts(chars(a[0].Text, bytes)), nil
		}
		return texts(strings.Split(a[0].Text, a[1].Text)), nil
	})
	def("bq_translate"+suffix, kind+", "+kind+", "+kind+" -> "+kind, func(a []Value) (Value, error) {
		return result(translate(a[0].Text, a[1].Text, a[2].Text, bytes))
	})
	def("bq_like"+suffix, kind+", "+kind+" -> BOOL", func(a []Value) (Value, error) {
		ok, err := like(chars(a[0].Text, bytes), a[1].Text, bytes)
		return either(boolean(ok), err)
	})
	def("bq_array_text"+suffix+"?", "[]"+kind+", "+kind+", "+kind+", BOOL -> "+kind, func(a []Value) (Value, error) {
		if a[0].Null || a[1].Null || a[3].Bool && a[2].Null {
			return null, nil
		}
		var parts []string
		for _, v := range a[0].List {
			switch {
			case !v.Null:
				parts = append(parts, v.Text)
			case a[3].Bool:
				parts = append(parts, a[2].Text)
			}
		}
		return text(strings.Join(parts, a[1].Text)), nil
	})
}

// like matches characters with a pattern: % stands for any text, _ for one character, and \
// escapes the next one.
func like(s []string, pattern string, bytes bool) (bool, error) {
	type item struct {
		any, one bool
		c        string
	}
	var items []item
	cs := chars(pattern, bytes)
	for i := 0; i < len(cs); i++ {
		switch cs[i] {
		case "%":
			items = append(items, item{any: true})
		case "_":
			items = append(items, item{one: true})
		case `\`:
			if i++; i == len(cs) {
				return false, failf("LIKE pattern ends with a backslash")
			}
			items = append(items, item{c: cs[i]})
		default:
			items = append(items, item{c: cs[i]})
		}
	}
	// The last % is tried again and again, one character further.
	i, k, star, mark := 0, 0, -1, 0
	for i < len(s) {
		switch {
		case k < len(items) && items[k].any:
			star, mark = k, i
			k++
		case k < len(items) && (items[k].one || items[k].c == s[i]):
			i++
			k++
		case star >= 0:
			mark++
			i, k = mark, star+1
		default:
			return false, nil
		}
	}
	for k < len(items) && items[k].any {
		k++
	}
	return k == len(items), nil
}
