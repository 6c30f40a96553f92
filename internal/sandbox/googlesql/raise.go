package googlesql

import (
	"regexp"
	"strconv"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/builtin"
)

// raise writes an expression of a DuckDB type that fails with a message, which is an
// expression in DuckDB's SQL.
func raise(text, duckType string) string {
	return "CAST(bq_error(" + text + ") AS " + duckType + ")"
}

// builtinText returns BigQuery's text of an error of package builtin.
func builtinText(err error) string {
	msg, _ := builtin.Message(err.Error())
	return msg
}

// simple reports whether an expression is cheap to write several times: a column, a literal
// or a parameter.
func (v val) simple() bool {
	return v.lit != nil || v.param > 0 || plainColumn.MatchString(v.sql) || lambdaName.MatchString(v.sql)
}

// lambdaName is a name that bind has given.
var lambdaName = regexp.MustCompile(`^q[0-9]+\.x[0-9]+$`)

// bind evaluates values once, for a text that uses them several times. The text gets a name
// for each. A lambda over a list of one element serves as a let expression.
func (a *analyzer) bind(vs []val, body func(names []string) string) string {
	names := make([]string, len(vs))
	row := ""
	all := true
	for _, v := range vs {
		all = all && v.simple()
	}
	if all {
		for i, v := range vs {
			names[i] = v.sql
		}
		return body(names)
	}
	q := a.id("q")
	for i, v := range vs {
		if v.lit != nil || v.untyped() && v.param == 0 { // a lambda sees no column of a grouped query
			names[i] = v.sql
			continue
		}
		field := "x" + strconv.Itoa(i)
		names[i] = q + "." + field
		if row != "" {
			row += ", "
		}
		row += "'" + field + "': " + v.sql
	}
	return "list_transform([{" + row + "}], lambda " + q + ": " + body(names) + ")[1]"
}
