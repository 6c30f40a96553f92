package googlesql

import (
	"regexp"
	"strconv"
	"strings"
)

// plainName is a name that needs no backticks unless it is a reserved word.
var plainName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// QuoteName writes an identifier of GoogleSQL.
func QuoteName(name string) string {
	return "`" + strings.NewReplacer("\\", "\\\\", "`", "\\`").Replace(name) + "`"
}

// QuoteIfNeeded writes a column's name in backticks unless it is a plain one.
func QuoteIfNeeded(name string) string {
	if plainName.MatchString(name) && !Reserved(name) {
		return name
	}
	return QuoteName(name)
}

// FloatLiteral writes a FLOAT64 as a literal of GoogleSQL.
func FloatLiteral(f float64) string {
	text := strconv.FormatFloat(f, 'g', -1, 64)
	if !strings.ContainsAny(text, ".eE") {
		text += ".0"
	}
	return text
}

// StringLiteral writes a STRING literal of GoogleSQL.
func StringLiteral(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`).Replace(s) + `"`
}

// QuoteEachIfNeeded writes names in backticks where they need them.
func QuoteEachIfNeeded(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = QuoteIfNeeded(n)
	}
	return out
}

// QuoteNames writes names with commas between them.
func QuoteNames(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = QuoteName(n)
	}
	return strings.Join(quoted, ", ")
}
