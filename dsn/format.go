package dsn

import "strings"

// write builds a DSN out of the given fields, whose text goes through show.
func (c *Config) write(show func(*param, string) string) string {
	var b strings.Builder
	b.WriteString(scheme)
	legacy := !inAuthority(c.Project)
	if !legacy {
		b.WriteString(show(lookup("project"), c.Project))
	}
	if c.Dataset != "" || legacy {
		b.WriteString("/" + show(lookup("dataset"), c.Dataset))
	}
	sep := "?"
	for i := range params {
		p := &params[i]
		if !p.given(c) || p.path && !(p.key == "project" && legacy) {
			continue
		}
		b.WriteString(sep + p.key + "=" + show(p, p.format(c)))
		sep = "&"
	}
	return b.String()
}

// inAuthority reports whether a project can stand before the first slash.
func inAuthority(project string) bool { return !strings.Contains(project, ":") }

// escape writes a value so that Parse and every other reader of URLs gets it
// back. Characters that make paths, scopes and ids readable stay.
func escape(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		ch := s[i]
		if isNameByte(ch) || strings.IndexByte("-._~/:@,", ch) >= 0 {
			b.WriteByte(ch)
			continue
		}
		b.Write([]byte{'%', hex[ch>>4], hex[ch&15]})
	}
	return b.String()
}

func isNameByte(ch byte) bool {
	return ch >= '0' && ch <= '9' || ch >= 'a' && ch <= 'z' || ch >= 'A' && ch <= 'Z'
}
