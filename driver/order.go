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
		if end := skipBlank(sql, i); end > i {
			i = end
			continue
		}
		ch := sql[i]
		switch {
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
	i := skipBlank(sql, 0)
	for i < len(sql) && sql[i] == '(' {
		i = skipBlank(sql, i+1)
	}
	switch strings.ToUpper(sql[i:skipName(sql, i)]) {
	case "SELECT", "WITH", "FROM":
		return true
	}
	return false
}
