package main

import (
	"slices"
	"strings"
	"testing"
)

func TestSplit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text string
		want       []string
		rest       string
	}{
		{"two", "SELECT 1; SELECT 2;", []string{"SELECT 1", "SELECT 2"}, ""},
		{"the last is open", "SELECT 1; SELECT 2", []string{"SELECT 1"}, "SELECT 2"},
		{"in strings", `SELECT ';', "a;\";", '''x;'y;''', r"\";", b';';`,
			[]string{`SELECT ';', "a;\";", '''x;'y;''', r"\";", b';'`}, ""},
		{"in names and comments", "SELECT `a;b` -- x;\n# y;\n/* z; */ FROM t;",
			[]string{"SELECT `a;b` -- x;\n# y;\n/* z; */ FROM t"}, ""},
		{"an open string", "SELECT 'a;", nil, "SELECT 'a;"},
		{"a block", "BEGIN SELECT 1; SELECT 2; END; SELECT 3;", []string{"BEGIN SELECT 1; SELECT 2; END",
			"SELECT 3"}, ""},
		{"an open block", "BEGIN SELECT 1;", nil, "BEGIN SELECT 1;"},
		{"a transaction", "BEGIN; SELECT 1; COMMIT; BEGIN TRANSACTION; ROLLBACK;", []string{"BEGIN", "SELECT 1",
			"COMMIT", "BEGIN TRANSACTION", "ROLLBACK"}, ""},
		{"IF", "IF x > 1 THEN SELECT 1; ELSE SELECT IF(a, 1, 2); END IF; SELECT 2;",
			[]string{"IF x > 1 THEN SELECT 1; ELSE SELECT IF(a, 1, 2); END IF", "SELECT 2"}, ""},
		{"loops", "LOOP BREAK; END LOOP; WHILE TRUE DO SELECT 1; END WHILE; FOR r IN (SELECT 1) DO SELECT 2; END " +
			"FOR; REPEAT SELECT 1; UNTIL TRUE END REPEAT;", []string{
			"LOOP BREAK; END LOOP", "WHILE TRUE DO SELECT 1; END WHILE", "FOR r IN (SELECT 1) DO SELECT 2; END FOR",
			"REPEAT SELECT 1; UNTIL TRUE END REPEAT"}, ""},
		{"a label", "top: LOOP LEAVE top; END LOOP top; SELECT REPEAT('a', 2);",
			[]string{"top: LOOP LEAVE top; END LOOP top", "SELECT REPEAT('a', 2)"}, ""},
		{"CASE", "SELECT CASE WHEN a THEN 1 END, CASE b WHEN 1 THEN 2 END; SELECT 1;",
			[]string{"SELECT CASE WHEN a THEN 1 END, CASE b WHEN 1 THEN 2 END", "SELECT 1"}, ""},
		{"a CASE statement", "CASE x WHEN 1 THEN SELECT 1; ELSE SELECT 2; END CASE; SELECT 3;",
			[]string{"CASE x WHEN 1 THEN SELECT 1; ELSE SELECT 2; END CASE", "SELECT 3"}, ""},
		{"a procedure", "CREATE PROCEDURE d.p(OUT x INT64) BEGIN SET x = 1; END; CALL d.p(y);",
			[]string{"CREATE PROCEDURE d.p(OUT x INT64) BEGIN SET x = 1; END", "CALL d.p(y)"}, ""},
		{"commands", "\\dt shop\n SELECT 1;\n\\x\nwhoami\nSELECT whoami\n;", []string{`\dt shop`, "SELECT 1", `\x`,
			"whoami", "SELECT whoami"}, ""},
		{"nothing", " ; ;\n", nil, "\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, rest := split(c.text)
			if !slices.Equal(got, c.want) || strings.TrimSpace(rest) != strings.TrimSpace(c.rest) {
				t.Errorf("got %q and %q; want %q and %q", got, rest, c.want, c.rest)
			}
		})
	}
}

// FuzzSplit: no character is lost, and what is split is not split again.
func FuzzSplit(f *testing.F) {
	for _, s := range []string{"SELECT 1; SELECT ';'", "BEGIN; END;", "\\x\nlogin\n", "'''", "`"} {
		f.Add(s)
	}
	letters := func(s string) string {
		return strings.Join(
			strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune("; \t\r\n\v\f\u0085\u00a0", r) }),
			"",
		)
	}
	f.Fuzz(func(t *testing.T, text string) {
		statements, rest := split(text)
		if got := letters(strings.Join(statements, "") + rest); !strings.EqualFold(got, letters(text)) {
			t.Errorf("%q became %q and %q", text, statements, rest)
		}
	})
}
