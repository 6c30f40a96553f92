package driver

import "strings"

// isOrdered tells whether a statement's own rows have an order: an ORDER BY outside of parentheses, strings and
// comments. One inside them orders a part of the statement, but for that of a statement that is in
// parentheses as a whole.
func isOrdered(sql string) bool {
	depth, wrapped, first := 0, false, true
	last := ""
	for i := 0; i < len(sql); {
		if end := skipSpace(sql, i); end > i {
			i = end
			continue
		}
		ch := sql[i]
		switch {
		case ch == '#' || strings.HasPrefix(sql[i:], "--"):
			i = skipLine(sql, i)
			continue
		case strings.HasPrefix(sql[i:], "/*"):
			i = skipComment(sql, i+2)
			continue
		case ch == '\'' || ch == '"' || ch == '`':
			i, last = skipQuoted(sql, i), ""
		case isNameByte(ch):
			end := skipName(sql, i)
			word := sql[i:end]
			if strings.EqualFold(word, "by") && strings.EqualFold(last, "order") && (depth == 0 || wrapped) {
				return true
			}
			i, last = end, word
		default:
			switch ch {
			case '(':
				depth++
				wrapped = wrapped || first
			case ')':
				depth--
			}
			i, last = i+1, ""
		}
		first = false
	}
	return false
}
