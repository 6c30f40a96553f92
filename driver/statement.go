package driver

import (
	"context"
	"database/sql/driver"
	"strings"

	"github.com/bigqueryuser/bigqueryuser/dsn"
)

// statement is one statement: all that is known of it before it is sent. It is made once, by a connection,
// and does not change.
type statement struct {
	text   string
	sql    sqlText
	config jobConfig
	args   []namedArgument
	format timestamps // of the first page
}

// newStatement makes a statement of a text and the arguments of the caller. Among them and in ctx
// can be options.
func newStatement(ctx context.Context, cfg *dsn.Config, text string, args []driver.NamedValue) (*statement, error) {
	config, args, err := newJobConfig(ctx, cfg, args)
	if err != nil {
		return nil, err
	}
	sql, err := scanText(text)
	if err != nil {
		return nil, err
	}
	encoded, err := encodeArguments(args)
	if err != nil {
		return nil, err
	}
	config.restrictTo(sql.kind)
	return &statement{text: text, sql: sql, config: config, args: encoded}, nil
}

// meaning returns the text without the semicolon, the blanks and the comments after it, such as the
// trace that a library adds.
func (st *statement) meaning() string { return strings.TrimRight(st.text[:st.sql.end], "; \t\r\n") }

// commits reports whether the statement is a COMMIT.
func (st *statement) commits() bool { return st.sql.kind == kindTransaction && st.sql.verb == "COMMIT" }

// mayChange reports whether somebody must be told when its outcome is not known. BEGIN changes
// nothing, and after ROLLBACK the session is ended.
func (st *statement) mayChange() bool {
	return !st.sql.reads && (st.sql.kind != kindTransaction || st.commits())
}

// repeatable reports whether the statement may be sent under a new id after its job has failed by
// BigQuery's fault: such a job has changed nothing, but for a script's, whose first statements
// stand, and an export's.
func (st *statement) repeatable() bool { return st.sql.kind != kindScript && st.sql.verb != "EXPORT" }

// kind returns what the statement was, in BigQuery's words where they are known.
func (pg *page) kind(st *statement) sqlKind {
	if pg.StatementType == "" {
		return st.sql.kind
	}
	return kindOfType(pg.StatementType)
}

// isScript reports whether an answer is that of a script, or of a procedure, which is one inside.
func (pg *page) isScript(st *statement) bool {
	return pg.kind(st) == kindScript && pg.JobReference != nil
}
