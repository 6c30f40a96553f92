package driver

import "strings"

// isOrdered tells whether a statement's own rows have an order: an ORDER BY outside of strings, comments and
// parentheses. One in parentheses orders a part of the statement, unless they are around the statement, or
// around all that follows its WITH.
func isOrdered(sql string) bool {
	depth, around := 0, 0 // open parentheses, and how many of them are around the statement
	before := byte('(')   // the token before: '(', ')' or anything else; the statement begins as if in parentheses
	word := ""            // the token before, if it is a word
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
			i, word = skipQuoted(sql, i), ""
		case isNameByte(ch):
			end := skipName(sql, i)
			if strings.EqualFold(sql[i:end], "by") && strings.EqualFold(word, "order") && depth == around {
				return true
			}
			i, word = end, sql[i:end]
		default:
			switch ch {
			case '(':
				if depth == around && (before == '(' || before == ')') {
					around++
				}
				depth++
			case ')':
				depth--
				around = min(around, depth)
			}
			i, word = i+1, ""
		}
		before = ch
	}
	return false
}

// beginsQuery tells whether a statement is a query, of which BigQuery can keep the result.
func beginsQuery(sql string) bool {
	for i := 0; i < len(sql); {
		switch end := skipSpace(sql, i); {
		case end > i:
			i = end
		case sql[i] == '#' || strings.HasPrefix(sql[i:], "--"):
			i = skipLine(sql, i)
		case strings.HasPrefix(sql[i:], "/*"):
			i = skipComment(sql, i+2)
		case sql[i] == '(':
			i++
		default:
			switch strings.ToUpper(sql[i:skipName(sql, i)]) {
			case "SELECT", "WITH", "FROM":
				return true
			}
			return false
		}
	}
	return false
}
