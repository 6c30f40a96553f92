package engine

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/builtin"
)

// ErrTooLarge means that a result has more bytes than the limit.
var ErrTooLarge = errors.New("the result is too large")

// Builtin is the Type of an error whose Message is BigQuery's own text.
const Builtin = "builtin"

// Error is an error of DuckDB.
type Error struct {
	// Type is DuckDB's class of the error in lower case, such as "conversion",
	// "out of range", "catalog", "constraint" or "transactioncontext"; Builtin for one of package builtin.
	Type string
	// Message is the text without the class.
	Message string
}

func (e *Error) Error() string { return "duckdb: " + e.Type + " error: " + e.Message }

// newError reads the text of an error. With errors_as_json it is JSON, but some
// paths of DuckDB still send "Class Error: message".
func newError(text string) error {
	e := parseError(text)
	if msg, ok := builtin.Message(e.Message); ok {
		return &Error{Type: Builtin, Message: msg}
	}
	return e
}

func parseError(text string) *Error {
	var parsed struct {
		Type    string `json:"exception_type"`
		Message string `json:"exception_message"`
	}
	// A class may come before the JSON text: `Conversion Error: {"exception_type"...`.
	if i := strings.IndexByte(text, '{'); i >= 0 && json.Unmarshal([]byte(text[i:]), &parsed) == nil &&
		parsed.Type != "" {
		return &Error{Type: strings.ToLower(parsed.Type), Message: parsed.Message}
	}
	class, msg, ok := strings.Cut(text, " Error: ")
	if !ok || strings.ContainsAny(class, ":\n") {
		return &Error{Type: "unknown", Message: text}
	}
	return &Error{Type: strings.ToLower(class), Message: msg}
}
