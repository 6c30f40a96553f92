package googlesql

import (
	"fmt"
	"strings"
)

// bailout carries an *Error from inside the parser or the analyzer to Translate,
// as encoding/json does with its own errors. Other panics are not recovered.
type bailout struct{ err *Error }

// recoverError turns a bailout into the error that a function returns.
func recoverError(err *error) {
	if r := recover(); r != nil {
		b, ok := r.(bailout)
		if !ok {
			panic(r)
		}
		*err = b.err
	}
}

// fail ends the translation with an error at a byte offset of src.
func fail(src string, offset int, format string, args ...any) {
	line, col := position(src, offset)
	panic(bailout{&Error{Line: line, Column: col, Message: fmt.Sprintf(format, args...)}})
}

// position converts a byte offset to GoogleSQL's line and column. Columns count
// characters, and a tab moves to the next multiple of eight.
func position(src string, offset int) (line, col int) {
	offset = min(offset, len(src))
	line, col = 1, 1
	for i, r := range src[:offset] {
		switch {
		case r == '\n' && i > 0 && src[i-1] == '\r':
			// the \r has begun the line
		case r == '\n' || r == '\r':
			line++
			col = 1
		case r == '\t':
			col = (col-1)/8*8 + 9
		default:
			col++
		}
	}
	return line, col
}

// unsupported returns the error text for something that BigQuery has and the
// sandbox lacks.
func unsupported(what string) string {
	return what + " is not supported by the sandbox"
}

// quoteIdent writes a DuckDB identifier.
func quoteIdent(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }

// quoteString writes a DuckDB string literal. DuckDB's text can't hold a NUL.
func quoteString(s string) string {
	q := "'" + strings.ReplaceAll(s, "'", "''") + "'"
	if strings.Contains(s, "\x00") {
		q = "(" + strings.ReplaceAll(q, "\x00", "' || chr(0) || '") + ")"
	}
	return q
}
