package apierror

import (
	"context"
	"errors"
	"regexp"
	"strings"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
)

// errStopped is the cause of a cancelled job, errShutdown that of a job that
// the closing sandbox has stopped.
var (
	ErrStopped  = Errorf("stopped", "Job execution was cancelled: User requested cancellation")
	ErrShutdown = Errorf("stopped", "Job execution was cancelled: the sandbox is shutting down")
)

var (
	notNull     = regexp.MustCompile(`NOT NULL constraint failed: .*\.([^.]+)$`)
	overflow    = regexp.MustCompile(`^Overflow in (\w+) of (\w+) \((.*)\)!?`)
	tooWide     = regexp.MustCompile(`out of range for the destination type (\w+)`)
	linePointer = regexp.MustCompile(`(?s)\s*(\n\s*)+LINE \d+:.*`)
)

// AbortedByUpdate begins the message of a conflict.
const AbortedByUpdate = "Transaction is aborted due to concurrent update"

// duckNames maps the names of types in DuckDB's messages to GoogleSQL's names,
// in lower case.
var duckNames = map[string]string{
	"INT64": "int64", "BIGINT": "int64", "INT32": "int64", "DOUBLE": "double", "FLOAT": "double", "BOOL": "bool",
	"BOOLEAN": "bool",
	"DATE":    "date", "TIME": "time", "TIMESTAMP": "datetime", "INT128": "numeric", "DECIMAL": "numeric",
}

// From translates the error of a statement in DuckDB to BigQuery's error.
func From(err error) *Error {
	api, isAPI := errors.AsType[*Error](err)
	duck, isDuck := errors.AsType[*engine.Error](err)
	switch {
	case err == nil:
		return nil
	case isAPI:
		return api
	case errors.Is(err, engine.ErrTooLarge):
		return Errorf("responseTooLarge", "Response too large to return. The sandbox keeps results in memory.")
	case errors.Is(err, engine.ErrNullElement):
		return Errorf("invalidQuery", "Array cannot have a null element; error in writing field %s", columnOf(err))
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return ErrStopped
	case !isDuck:
		return Broken("%s", err)
	}
	if duck.Type == engine.Builtin {
		return Errorf("invalidQuery", "%s", duck.Message)
	}
	text := strings.TrimSpace(linePointer.ReplaceAllString(duck.Message, ""))
	switch duck.Type {
	case "constraint":
		if m := notNull.FindStringSubmatch(text); m != nil {
			return Errorf("invalidQuery", "Required field %s cannot be null", m[1])
		}
		return Errorf("invalidQuery", "A value does not fit the table's constraints")
	case "conversion", "out of range":
		switch m := overflow.FindStringSubmatch(text); {
		case m != nil:
			return Errorf("invalidQuery", "%s overflow: %s", googleName(m[2]), m[3])
		case tooWide.MatchString(text):
			return Errorf("invalidQuery", "%s overflow", googleName(tooWide.FindStringSubmatch(text)[1]))
		}
		return Errorf("invalidQuery", "A value is out of the range of its type")
	case "invalid input":
		if strings.Contains(text, "More than one row returned by a subquery") {
			return Errorf("invalidQuery", "Scalar subquery produced more than one element")
		}
		return Errorf("invalidQuery", "A value is not allowed here")
	case "catalog":
		return Errorf("notFound", "Not found: a table or dataset of the statement was dropped while it ran")
	case "transactioncontext", "transaction":
		return Errorf("invalidQuery", AbortedByUpdate)
	case "out of memory":
		return Errorf("resourcesExceeded", "Resources exceeded during query execution: the sandbox's memory limit")
	}
	if strings.Contains(text, "Max expression depth limit") || strings.HasPrefix(text, "memory exhausted at") {
		return Errorf("invalidQuery", "The statement is too complex for the sandbox")
	}
	return Errorf("invalidQuery", "The sandbox could not run this statement: its translation was refused. "+
		"This is a mistake of the sandbox, not of the statement.")
}

func googleName(duck string) string {
	if name, ok := duckNames[strings.ToUpper(duck)]; ok {
		return name
	}
	return strings.ToLower(duck)
}

// columnOf finds the name in `column "name": ...`.
func columnOf(err error) string {
	_, rest, _ := strings.Cut(err.Error(), `column "`)
	name, _, _ := strings.Cut(rest, `"`)
	return name
}
