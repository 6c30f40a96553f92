package driver

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestPlaceholders(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		sql        string
		positional int
		names      []string
	}{
		{"", 0, nil},
		{"SELECT ?", 1, nil},
		{"SELECT ?, ? FROM t WHERE a = ?", 3, nil},
		{"SELECT '?', \"?\", `?`", 0, nil},
		{`SELECT '\'?', "\"?", r'\'?', '''a'?''b''', """?"""`, 0, nil},
		{`SELECT rb'?', B"?", 'a' || ?`, 1, nil},
		{"SELECT 1 -- ?\n, ? # ?\r\n, ? /* ? \n ? */ , ?", 3, nil},
		{"SELECT 1 -- ?", 0, nil},
		{"SELECT 1 /* ?", 0, nil},
		{"SELECT '?", 0, nil},
		{"SELECT '''?'' ?", 0, nil},
		{"SELECT @a, @B, @a, @b", 0, []string{"a", "b"}},
		{"SELECT @@project_id, @@session.x, @a", 0, []string{"a"}},
		{"SELECT @ a, @`b`", 0, []string{"a", "b"}},
		{"SELECT '@a', `@b` -- @c\n", 0, nil},
		{"SELECT @{hint} 1", 0, nil},
		{"SELECT a@b", 0, []string{"b"}},
		{"SELECT br, r'?', x.r FROM t WHERE rb=?", 1, nil},
		{"@", 0, nil},
		{"SELECT @/* b */a, @ -- c\n d, @#e\nf", 0, []string{"a", "d", "f"}},
		{"SELECT @a\u00a0FROM t WHERE x = @b\u3000", 0, []string{"a", "b"}},
		{"SELECT @\u00a0a, @naïve", 0, []string{"a", "naïve"}},
		{"SELECT @@ a, @@a.b, @@`c`", 0, nil},
		{"é?ü", 1, nil},
	} {
		p, err := scanText(tt.sql)
		if err != nil {
			t.Errorf("scanText(%q): %v", tt.sql, err)
		} else if p.positional != tt.positional || !slices.Equal(p.names, tt.names) {
			t.Errorf("scanText(%q) = %d, %q; want %d, %q", tt.sql, p.positional, p.names, tt.positional, tt.names)
		}
	}
	if _, err := scanText("SELECT ?, @a"); err == nil {
		t.Error("a mix of ? and @a: got no error")
	}
}

func TestScripts(t *testing.T) {
	t.Parallel()
	for sql, want := range map[string]bool{
		"SELECT 1":                    false,
		"SELECT 1;":                   false,
		"SELECT 1 ; -- end\n":         false,
		"SELECT ';', 1":               false,
		"SELECT 1 /* ; */":            false,
		"":                            false,
		";":                           false,
		"SELECT 1; SELECT 2":          true,
		"DECLARE x INT64; SET x = 1;": true,
		"CALL d.p(?)":                 true,
		" call d.p()":                 true,
		"SELECT call":                 false,
		"callable":                    false,
		"BEGIN SELECT 1; END":         true,
		"SELECT 1;\u00a0\f":           false,
		"\u00a0CALL p()":              true,
	} {
		if p, err := scanText(sql); err != nil || (p.kind == kindScript) != want {
			t.Errorf("%q: got kind %v, %v; want a script: %v", sql, p.kind, err, want)
		}
	}
}

// referenceTokens is GoogleSQL's lexical grammar as far as placeholders go, each token as an
// expression: slow, and with nothing in common with scanText. The first that matches
// where the one before ended is the next token.
var referenceTokens = []struct {
	kind string
	re   *regexp.Regexp
}{
	{"blank", regexp.MustCompile(`^[\s\v\x08\x{85}\p{Z}]+`)},
	{"blank", regexp.MustCompile(`^(--|#)[^\r\n]*`)},
	{"blank", regexp.MustCompile(`(?s)^/\*.*?(\*/|\z)`)},
	{"quoted", regexp.MustCompile(`(?s)^'''(\\.|[^\\])*?('''|\\?\z)`)},
	{"quoted", regexp.MustCompile(`(?s)^"""(\\.|[^\\])*?("""|\\?\z)`)},
	{"quoted", regexp.MustCompile(`(?s)^'(\\.|[^\\'])*('|\\?\z)`)},
	{"quoted", regexp.MustCompile(`(?s)^"(\\.|[^\\"])*("|\\?\z)`)},
	{"identifier", regexp.MustCompile("(?s)^`(\\\\.|[^\\\\`])*(`|\\\\?\\z)")},
	{"variable", regexp.MustCompile(`^@@`)},
	{"at", regexp.MustCompile(`^@`)},
	{"name", regexp.MustCompile(`^([0-9A-Za-z_]|[^\x00-\x{85}\p{Z}]|[\x{80}-\x{84}])+`)},
	{"?", regexp.MustCompile(`^\?`)},
	{"other", regexp.MustCompile(`(?s)^.`)},
}

// referenceParameters finds the placeholders of a text by its tokens.
func referenceParameters(sql string) (positional int, names []string) {
	before := "" // the kind of the last token that is not blank
	for sql != "" {
		for _, token := range referenceTokens {
			text := token.re.FindString(sql)
			if text == "" {
				continue
			}
			sql = sql[len(text):]
			switch {
			case token.kind == "?":
				positional++
			case before == "at" && (token.kind == "name" || token.kind == "identifier"):
				name := strings.ToLower(strings.Trim(text, "`"))
				if name != "" && !slices.Contains(names, name) {
					names = append(names, name)
				}
			}
			if token.kind != "blank" {
				before = token.kind
			}
			break
		}
	}
	return positional, names
}

// FuzzScanText: no placeholder is missed, split or made up, compared with the reference.
func FuzzScanText(f *testing.F) {
	for _, s := range []string{
		"?", "@a", "a ? 'b", "\\", "''", "*/ ?", "\n?", "@@x", "@`", "'''a'?''b''' ?", `r'\'?', ?`, "@ /* @b */ a",
		"@--?\na", "@@ a, @a, @A", "@`a b`", "SELECT @a\u00a0AND ?", "`?` # ?\r?", `"""\"""?"""?`, "@{x=1} ?",
		"rb'''?''' || ?", "/*/ ? */ ?", "'\\\\' ?", "''''?''''?",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, sql string) {
		if !utf8.ValidString(sql) {
			if _, err := scanText(sql); err == nil {
				t.Fatalf("%q: got no error for a text that is not UTF-8", sql)
			}
			return
		}
		positional, names := referenceParameters(sql)
		got, err := scanText(sql)
		if mixed := positional > 0 && len(names) > 0; mixed != (err != nil) {
			t.Fatalf("%q: got %v; the reference finds %d ? and %q", sql, err, positional, names)
		}
		if got.positional != positional || !slices.Equal(got.names, names) {
			t.Errorf("%q: got %d ? and %q; the reference finds %d and %q", sql, got.positional, got.names, positional, names)
		}
	})
}
