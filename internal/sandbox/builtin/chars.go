package builtin

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"
)

// upper and lower map with Unicode's full tables: ß becomes SS, a final sigma stays final.
func upper(s string) string { return cases.Upper(language.Und).String(s) }
func lower(s string) string { return cases.Lower(language.Und).String(s) }

// asciiCase maps the letters of BYTES.
func asciiCase(s string, from, to byte) string {
	b := []byte(s)
	for i, c := range b {
		if c >= from && c < from+26 {
			b[i] = c - from + to
		}
	}
	return string(b)
}

func allASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// chars returns a text's characters; one of BYTES has one for each byte.
func chars(s string, bytes bool) []string {
	out := make([]string, 0, len(s))
	for len(s) > 0 {
		n := 1
		if !bytes {
			_, n = utf8.DecodeRuneInString(s)
		}
		out = append(out, s[:n])
		s = s[n:]
	}
	return out
}

func length(s string, bytes bool) int64 {
	if bytes {
		return int64(len(s))
	}
	return int64(utf8.RuneCountInString(s))
}

// substr takes n characters from a position, counted from 1 or, if negative, from the end.
// Position 0 and those before the first character mean the first one.
func substr(s string, bytes bool, position, n int64) (string, error) {
	if n < 0 {
		return "", failf("Third argument in SUBSTR() cannot be negative")
	}
	if bytes || allASCII(s) {
		from, to := bounds(int64(len(s)), position, n)
		return s[from:to], nil
	}
	list := chars(s, false)
	from, to := bounds(int64(len(list)), position, n)
	return strings.Join(list[from:to], ""), nil
}

func bounds(size, position, n int64) (from, to int64) {
	switch {
	case position < 0:
		from = max(size+position, 0)
		if position < -size {
			from = 0
		}
	case position > 0:
		from = min(position-1, size)
	}
	return from, from + min(n, size-from)
}

// pad fills up to size characters on the left or the right, or cuts.
func pad(name, s string, bytes bool, size int64, fill string, left bool) (string, error) {
	switch {
	case size < 0:
		return "", failf("Second argument (output size) for %s cannot be negative", name)
	case fill == "":
		return "", failf("Third argument (pad pattern) for %s cannot be empty", name)
	case size > maxText:
		return "", failf("Output of %s exceeds max allowed output size of 1MB", name)
	}
	have := length(s, bytes)
	if size <= have {
		return substr(s, bytes, 1, size)
	}
	cs := chars(fill, bytes)
	var b strings.Builder
	for k := range size - have {
		b.WriteString(cs[int(k)%len(cs)])
	}
	if left {
		return b.String() + s, nil
	}
	return s + b.String(), nil
}

// maxText limits the results of REPEAT and the padding functions.
const maxText = 1 << 20

// whiteSpace returns the characters that TRIM removes by default.
func whiteSpace(r rune) bool { return unicode.IsSpace(r) }

// trim cuts a set of characters at the ends.
func trim(s string, set map[string]bool, bytes, left, right bool) string {
	cs := chars(s, bytes)
	from, to := 0, len(cs)
	for left && from < to && set[cs[from]] {
		from++
	}
	for right && to > from && set[cs[to-1]] {
		to--
	}
	return strings.Join(cs[from:to], "")
}

func trimSpace(s string, left, right bool) string {
	if left {
		s = strings.TrimLeftFunc(s, whiteSpace)
	}
	if right {
		s = strings.TrimRightFunc(s, whiteSpace)
	}
	return s
}

// strpos returns the position of an occurrence of a text; the search begins at a
// position, or ends there if it is negative.
func strpos(s, part string, bytes bool, position, n int64) (int64, error) {
	switch {
	case position == 0:
		return 0, failf("Position must be non-zero")
	case n < 1:
		return 0, failf("Occurrence must be positive")
	}
	cs, ps := chars(s, bytes), chars(part, bytes)
	at := func(i int) bool {
		if i < 0 || i+len(ps) > len(cs) {
			return false
		}
		for k := range ps {
			if cs[i+k] != ps[k] {
				return false
			}
		}
		return true
	}
	step, i := 1, int(min(position-1, int64(len(cs))+1))
	if position < 0 {
		i = int(max(int64(len(cs))+position, -1))
		if len(ps) == 0 {
			i++
		}
		step = -1
	}
	for ; i >= 0 && i <= len(cs); i += step {
		if at(i) {
			if n--; n == 0 {
				return int64(i) + 1, nil
			}
		}
	}
	return 0, nil
}

// initcap capitalizes the first letter of each word. Words are separated by the
// delimiters.
func initcap(s string, delimiter func(rune) bool) string {
	capital := true
	return strings.Map(func(r rune) rune {
		switch {
		case delimiter(r):
			capital = true
			return r
		case capital:
			capital = false
			return unicode.ToUpper(r)
		}
		return unicode.ToLower(r)
	}, s)
}

// wordEnds are INITCAP's delimiters beside white space.
const wordEnds = "[](){}/|<>!?@\"^#$&~_,.:;*%+-"

// translate replaces characters by those at the same places of another text. Characters
// without a counterpart are removed.
func translate(s, from, to string, bytes bool) (string, error) {
	fs, ts := chars(from, bytes), chars(to, bytes)
	table := map[string]string{}
	for i, c := range fs {
		if _, twice := table[c]; twice {
			return "", failf("Duplicate character \"%s\" in TRANSLATE source characters", c)
		}
		table[c] = ""
		if i < len(ts) {
			table[c] = ts[i]
		}
	}
	var b strings.Builder
	for _, c := range chars(s, bytes) {
		if r, ok := table[c]; ok {
			c = r
		}
		b.WriteString(c)
	}
	return b.String(), nil
}

// forms are the modes of NORMALIZE.
var forms = map[string]norm.Form{"NFC": norm.NFC, "NFD": norm.NFD, "NFKC": norm.NFKC, "NFKD": norm.NFKD}

// normalize writes a text in one of Unicode's normal forms, without case if fold is set.
func normalize(s, mode string, fold bool) (string, error) {
	form, ok := forms[strings.ToUpper(mode)]
	if !ok {
		return "", failf("Invalid normalization mode: %s", mode)
	}
	s = form.String(s)
	if fold {
		s = form.String(cases.Fold().String(s))
	}
	return s, nil
}
