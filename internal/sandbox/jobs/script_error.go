package jobs

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

// scriptError is an error in a script, with the text with which the script's job
// fails.
type scriptError struct {
	*apierror.Error
	statement string // the text that it came from
	fatal     bool   // no handler gets it: the script must stop
	// stack has the places of the error, in the innermost procedure first.
	stack []stackPlace
}

var placed = regexp.MustCompile(` at \[(\d+:\d+)\]$`)

// fail converts the error of a statement to that of the script, with the place in the
// script's text. It returns nil for nil.
func (r *scriptRun) fail(ctx context.Context, at googlesql.Part, err *apierror.Error) *scriptError {
	if err == nil {
		return nil
	}
	out := *err
	failed := &scriptError{Error: &out, statement: r.script.Text(at)}
	if ctx.Err() != nil {
		out = *apierror.From(context.Cause(ctx)) // whatever the statement has made of it
	}
	if ctx.Err() != nil || err.Reason == "stopped" {
		failed.fatal = true
		return failed
	}
	line, column := r.script.Position(at.From)
	failed.stack = []stackPlace{{line, column, r.procedure}}
	message := strings.TrimPrefix(err.Message, "Query error: ")
	// The start is also the place of what the sandbox says about a statement as a whole.
	if m := placed.FindStringSubmatch(message); m != nil && m[1] == "1:1" {
		message = strings.TrimSuffix(message, m[0])
	}
	if m := placed.FindStringSubmatch(message); m == nil {
		message += fmt.Sprintf(" at [%s%d:%d]", r.located(), line, column)
	} else if r.procedure != "" {
		message = strings.TrimSuffix(message, m[0]) + " at [" + r.located() + m[1] + "]"
	}
	out.Message = "Query error: " + message
	return failed
}

// raise runs RAISE.
func (r *scriptRun) raise(ctx context.Context, step *googlesql.Raise) *scriptError {
	if step.Message == nil {
		return r.caught[len(r.caught)-1]
	}
	v, failed := r.evaluate(ctx, step.Message, stringType)
	if failed != nil {
		return failed
	}
	message := v.Text
	if v.Null {
		message = "NULL"
	}
	line, column := r.script.Position(step.From)
	return &scriptError{Error: apierror.Errorf("invalidQuery", "Query error: %s at [%s%d:%d]", message, r.located(),
		line, column), statement: r.script.Text(step.Part), stack: []stackPlace{{line, column, r.procedure}}}
}

// located begins a place in a procedure's text.
func (r *scriptRun) located() string {
	if r.procedure == "" {
		return ""
	}
	return r.procedure + ":"
}
