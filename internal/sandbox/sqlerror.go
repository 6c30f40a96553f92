package sandbox

import (
	"context"
	"errors"
	"regexp"
	"strings"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
)

// errStopped is the cause of a cancelled job, errShutdown of one that the
// sandbox's end has stopped.
var (
	errStopped  = errorf("stopped", "Job execution was cancelled: User requested cancellation")
	errShutdown = errorf("stopped", "Job execution was cancelled: the sandbox is shutting down")
)

var (
	notNull     = regexp.MustCompile(`NOT NULL constraint failed: .*\.([^.]+)$`)
	badText     = regexp.MustCompile(`(?s)^Could not convert string '(.*)' to (\w+)`)
	badDecimal  = regexp.MustCompile(`(?s)^Could not convert string "(.*)" to DECIMAL`)
	badDate     = regexp.MustCompile(`(?i)(?:invalid|out of range).*?(date|timestamp|time) field.*?"(.*?)"`)
	overflow    = regexp.MustCompile(`^Overflow in (\w+) of (\w+) \((.*)\)!?`)
	linePointer = regexp.MustCompile(`(?s)\s*(\n\s*)+LINE \d+:.*`)
)

// abortedByUpdate begins the message of a conflict.
const abortedByUpdate = "Transaction is aborted due to concurrent update"

// duckNames are GoogleSQL's names in lower case of types as DuckDB's messages
// call them.
var duckNames = map[string]string{
	"INT64": "int64", "BIGINT": "int64", "INT32": "int64", "DOUBLE": "double", "FLOAT": "double", "BOOL": "bool",
	"BOOLEAN": "bool",
	"DATE":    "date", "TIME": "time", "TIMESTAMP": "datetime", "INT128": "numeric", "DECIMAL": "numeric",
}

// runError turns what stopped a statement in DuckDB into BigQuery's words.
func runError(err error) *apiError {
	var api *apiError
	var duck *engine.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &api):
		return api
	case errors.Is(err, engine.ErrTooLarge):
		return errorf("responseTooLarge", "Response too large to return. The sandbox keeps results in memory.")
	case errors.Is(err, engine.ErrNullElement):
		return errorf("invalidQuery", "Array cannot have a null element; error in writing field %s", columnOf(err))
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return errStopped
	case !errors.As(err, &duck):
		return broken("%s", err)
	}
	text := strings.TrimSpace(linePointer.ReplaceAllString(duck.Message, ""))
	switch duck.Type {
	case "constraint":
		if m := notNull.FindStringSubmatch(text); m != nil {
			return errorf("invalidQuery", "Required field %s cannot be null", m[1])
		}
	case "conversion":
		// The translator hands DuckDB a text that says what is wrong, "Invalid int64: x".
		if m := badText.FindStringSubmatch(text); m != nil {
			kind := googleName(m[2])
			return errorf("invalidQuery", "Bad %s value: %s", kind, strings.TrimPrefix(m[1], "Invalid "+kind+": "))
		}
		if m := badDate.FindStringSubmatch(text); m != nil {
			kind := strings.ToLower(m[1])
			return errorf("invalidQuery", "Invalid %s: '%s'", kind, strings.TrimPrefix(m[2], "Invalid "+kind+": "))
		}
		if m := badDecimal.FindStringSubmatch(text); m != nil {
			return errorf("invalidQuery", "Invalid NUMERIC value: %s", m[1])
		}
	case "out of range":
		if m := overflow.FindStringSubmatch(text); m != nil {
			return errorf("invalidQuery", "%s overflow: %s", googleName(m[2]), m[3])
		}
	case "invalid input":
		// What the translator has written as error(...) comes this way.
		return errorf("invalidQuery", "%s", text)
	case "catalog":
		return errorf("notFound", "Not found: a table or dataset of the statement was dropped while it ran (%s)", text)
	case "transactioncontext", "transaction":
		return errorf("invalidQuery", abortedByUpdate+" (%s)", text)
	case "out of memory":
		first, _, _ := strings.Cut(text, "\n")
		return errorf("resourcesExceeded", "Resources exceeded during query execution: the sandbox's memory limit (%s)",
			first)
	case "parser", "binder", "not implemented", "internal", "fatal", "unknown", "parameter not resolved":
		return errorf("invalidQuery", "The sandbox could not run this statement; it is likely that its translator "+
			"is wrong (%s: %s) at [1:1]", duck.Type, text)
	}
	return errorf("invalidQuery", "%s", text)
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
