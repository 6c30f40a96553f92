package main

import "strings"

// split splits a text into statements at semicolons, and returns the rest after the last one.
// Semicolons in strings, names, comments and blocks of scripts do not count. A line that starts
// with a backslash is a command of the shell, and so is a line with only the word of a command.
func split(text string) (statements []string, rest string) {
	start, depth := 0, 0
	first, last := true, "" // the next word starts a statement of a block or of the text; the word before it
	for i := 0; i < len(text); {
		if strings.TrimSpace(text[start:i]) == "" {
			if line, _, _ := strings.Cut(text[i:], "\n"); isCommand(strings.TrimSpace(line)) {
				statements = append(statements, strings.TrimSpace(line))
				i += len(line)
				start = i
				continue
			}
		}
		n, word := token(text[i:])
		switch {
		case word != "":
			depth += opens(strings.ToUpper(word), last, first, text[i+n:])
			last = strings.ToUpper(word)
			first = last == "BEGIN" || last == "THEN" || last == "ELSE" || last == "DO" || last == "LOOP" ||
				last == "REPEAT"
		case text[i] == ';':
			first, last = true, ""
			if depth <= 0 {
				if s := strings.TrimSpace(text[start:i]); s != "" {
					statements = append(statements, s)
				}
				start, depth = i+1, 0
			}
		case text[i] != ' ' && text[i] != '\t' && text[i] != '\n' && text[i] != '\r' && !comment(text[i:]):
			first, last = text[i] == ':', ""
		}
		i += n
	}
	return statements, text[start:]
}

// all returns the statements of a text. The last one may have no semicolon.
func all(text string) (statements []string) {
	list, rest := split(text)
	for _, s := range append(list, strings.TrimSpace(rest)) {
		if !blank(s) {
			statements = append(statements, s)
		}
	}
	return statements
}

// blank reports whether a text has only white space and comments.
func blank(text string) bool {
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimSpace(text) {
		if !comment(text) {
			return false
		}
		n, _ := token(text)
		text = text[n:]
	}
	return true
}

// opens returns 1 for a word that opens a block, -1 for END, else 0.
func opens(word, last string, first bool, after string) int {
	_, next := token(strings.TrimLeft(after, " \t\r\n"))
	switch word {
	case "END":
		return -1
	case "CASE":
		if last != "END" {
			return 1
		}
	case "BEGIN":
		if trimmed := strings.TrimSpace(after); trimmed != "" && trimmed[0] != ';' &&
			!strings.EqualFold(next, "TRANSACTION") {
			return 1
		}
	case "IF", "LOOP", "REPEAT", "WHILE", "FOR":
		if first && last != "END" {
			return 1
		}
	}
	return 0
}

func comment(s string) bool {
	return s[0] == '#' || strings.HasPrefix(s, "--") || strings.HasPrefix(s, "/*")
}

// token returns the length of the string, name in backticks, comment or word at the start of s, or
// 1, and the word if it is one.
func token(s string) (n int, word string) {
	until := func(open int, end string) int {
		if at := strings.Index(s[open:], end); at >= 0 {
			return open + at + len(end)
		}
		return len(s)
	}
	switch {
	case s == "":
		return 0, ""
	case s[0] == '#' || strings.HasPrefix(s, "--"):
		return until(1, "\n"), ""
	case strings.HasPrefix(s, "/*"):
		return until(2, "*/"), ""
	case s[0] == '\'' || s[0] == '"' || s[0] == '`':
		quote := s[:1]
		if triple := strings.Repeat(quote, 3); quote != "`" && strings.HasPrefix(s, triple) {
			quote = triple
		}
		for i := len(quote); i < len(s); i++ {
			if s[i] == '\\' {
				i++
			} else if strings.HasPrefix(s[i:], quote) {
				return i + len(quote), ""
			}
		}
		return len(s), ""
	}
	for n < len(s) && (s[n] == '_' || s[n] == '@' || s[n] >= 'a' && s[n] <= 'z' || s[n] >= 'A' && s[n] <= 'Z' ||
		s[n] >= '0' && s[n] <= '9') {
		n++
	}
	if n == 0 {
		return 1, ""
	}
	return n, s[:n]
}
