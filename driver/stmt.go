package driver

import (
	"context"
	"database/sql/driver"
)

// stmt is a prepared statement: BigQuery has checked it and found the types of its parameters.
// Running it costs one request, as without Prepare.
type stmt struct {
	conn   *conn
	text   string
	closed bool
}

var (
	_ driver.Stmt              = (*stmt)(nil)
	_ driver.StmtQueryContext  = (*stmt)(nil)
	_ driver.StmtExecContext   = (*stmt)(nil)
	_ driver.NamedValueChecker = (*stmt)(nil)
)

// NumInput returns -1, so that database/sql does not count options among the arguments. The driver
// counts.
func (s *stmt) NumInput() int { return -1 }

// CheckNamedValue converts an argument to a query parameter.
func (s *stmt) CheckNamedValue(nv *driver.NamedValue) error { return s.conn.CheckNamedValue(nv) }

// QueryContext runs the statement and returns its rows.
func (s *stmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	if s.closed {
		return nil, errStmtClosed
	}
	return s.conn.query(ctx, s.text, args)
}

// ExecContext runs the statement and returns the number of rows that it changed.
func (s *stmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	if s.closed {
		return nil, errStmtClosed
	}
	return s.conn.exec(ctx, s.text, args)
}

// Query is QueryContext without a context. database/sql calls QueryContext.
func (s *stmt) Query(args []driver.Value) (driver.Rows, error) {
	return s.QueryContext(context.Background(), namedValues(args))
}

// Exec is ExecContext without a context. database/sql calls ExecContext.
func (s *stmt) Exec(args []driver.Value) (driver.Result, error) {
	return s.ExecContext(context.Background(), namedValues(args))
}

// Close closes the statement. BigQuery holds nothing for it.
func (s *stmt) Close() error {
	s.closed = true
	return nil
}

func namedValues(args []driver.Value) []driver.NamedValue {
	named := make([]driver.NamedValue, len(args))
	for i, v := range args {
		named[i] = driver.NamedValue{Ordinal: i + 1, Value: v}
	}
	return named
}
