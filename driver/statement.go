package driver

import (
	"context"
	"database/sql/driver"
	"strings"

	"github.com/bigqueryuser/bigqueryuser/dsn"
)

// statement is a statement with everything that is known before it is sent. It is created by conn
// and never changed.
type statement struct {
	text   string
	sql    sqlText
	config jobConfig
	args   []namedArgument
	format timestamps // of the first page
}

// newStatement returns the statement of a text and the caller's arguments. args and ctx may contain
// options.
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

// begins reports whether the statement begins a transaction.
func (st *statement) begins() bool { return st.sql.kind == kindTransaction && st.sql.verb == "BEGIN" }

// commits reports whether the statement is a COMMIT.
func (st *statement) commits() bool { return st.sql.kind == kindTransaction && st.sql.verb == "COMMIT" }

// mayChange reports whether the statement can change something, so that the caller must learn if its
// outcome is unknown. BEGIN changes nothing, and a failed ROLLBACK ends the session.
func (st *statement) mayChange() bool {
	if st.config.DestinationTable != "" {
		return true
	}
	return !st.sql.reads && (st.sql.kind != kindTransaction || st.commits())
}

// repeatable reports whether the statement may be sent under a new id after its job has failed by
// BigQuery's fault. Such a job has changed nothing, except for a script, whose first statements are
// permanent, and an EXPORT.
func (st *statement) repeatable() bool { return st.sql.kind != kindScript && st.sql.verb != "EXPORT" }

// kind returns the kind of the statement, as BigQuery reports it if it does. BigQuery's word for CREATE
// PROCEDURE is SCRIPT too, although its body does not run.
func (pg *page) kind(st *statement) sqlKind {
	kind := kindOfType(pg.StatementType)
	if pg.StatementType == "" || kind == kindScript && st.sql.kind == kindDDL {
		return st.sql.kind
	}
	return kind
}

// isScript reports whether an answer is that of a script or of a procedure, which runs as a script.
func (pg *page) isScript(st *statement) bool {
	return pg.kind(st) == kindScript && pg.JobReference != nil
}
