package driver

import (
	"slices"
	"testing"
)

func TestFindParameters(t *testing.T) {
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
		{"é?ü", 1, nil},
	} {
		p, err := findParameters(tt.sql)
		if err != nil {
			t.Errorf("findParameters(%q): %v", tt.sql, err)
		} else if p.positional != tt.positional || !slices.Equal(p.names, tt.names) {
			t.Errorf("findParameters(%q) = %d, %q; want %d, %q", tt.sql, p.positional, p.names, tt.positional, tt.names)
		}
	}
	if _, err := findParameters("SELECT ?, @a"); err == nil {
		t.Error("a mix of ? and @a: got no error")
	}
}

func TestFindScripts(t *testing.T) {
	t.Parallel()
	for sql, want := range map[string]bool{
		"SELECT 1": false, "SELECT 1;": false, "SELECT 1 ; -- end\n": false, "SELECT ';', 1": false, "SELECT 1 /* ; */": false, "": false, ";": false,
		"SELECT 1; SELECT 2": true, "DECLARE x INT64; SET x = 1;": true, "CALL d.p(?)": true, " call d.p()": true, "SELECT call": false, "callable": false,
		"BEGIN SELECT 1; END": true,
	} {
		if p, err := findParameters(sql); err != nil || p.script != want {
			t.Errorf("%q: got script %v, %v; want %v", sql, p.script, err, want)
		}
	}
}

// FuzzFindParameters: a text with its placeholders inside any kind of quotes or comment has none.
func FuzzFindParameters(f *testing.F) {
	for _, s := range []string{"?", "@a", "a ? 'b", "\\", "''", "*/ ?", "\n?", "@@x", "@`"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if _, err := findParameters(s); err != nil {
			return // mixed styles
		}
		var hidden []byte
		for i := range len(s) {
			if s[i] != '\'' && s[i] != '\\' && s[i] != '*' && s[i] != '`' {
				hidden = append(hidden, s[i])
			}
		}
		for _, sql := range []string{"'" + string(hidden) + "'", "/*" + string(hidden) + "*/", "r'" + string(hidden) + "'"} {
			p, err := findParameters("SELECT " + sql + ", ?")
			if err != nil || p.positional != 1 || len(p.names) > 0 {
				t.Errorf("findParameters of %q and one ?: got %+v, %v", sql, p, err)
			}
		}
	})
}
