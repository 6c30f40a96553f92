package dsn

import "strings"

// write returns a DSN of the fields that are set, each passed through show.
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

// escape percent-encodes a value, so that Parse and every other parser of URLs
// reads it back. It keeps the characters of paths, scopes and ids readable.
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
