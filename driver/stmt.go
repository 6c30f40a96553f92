package driver

import (
	"context"
	"database/sql/driver"
	"errors"
)

// Stmt is a prepared statement: BigQuery has checked it and said what types its
// parameters have. Running it costs one request, as it does without Prepare.
type Stmt struct {
	conn   *Conn
	text   string
	closed bool
}

var (
	_ driver.Stmt              = (*Stmt)(nil)
	_ driver.StmtQueryContext  = (*Stmt)(nil)
	_ driver.StmtExecContext   = (*Stmt)(nil)
	_ driver.NamedValueChecker = (*Stmt)(nil)
)

// NumInput returns -1: among the arguments may be options, so that the driver counts them itself.
func (s *Stmt) NumInput() int { return -1 }

// CheckNamedValue turns an argument into a query parameter.
func (s *Stmt) CheckNamedValue(nv *driver.NamedValue) error { return s.conn.CheckNamedValue(nv) }

// QueryContext runs the statement and returns its rows.
func (s *Stmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	if s.closed {
		return nil, errStmtClosed
	}
	return s.conn.query(ctx, s.text, args)
}

// ExecContext runs the statement and returns how many rows it changed.
func (s *Stmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	if s.closed {
		return nil, errStmtClosed
	}
	return s.conn.exec(ctx, s.text, args)
}

// Query is QueryContext without a context. database/sql calls QueryContext.
func (s *Stmt) Query(args []driver.Value) (driver.Rows, error) {
	return s.QueryContext(context.Background(), namedValues(args))
}

// Exec is ExecContext without a context. database/sql calls ExecContext.
func (s *Stmt) Exec(args []driver.Value) (driver.Result, error) {
	return s.ExecContext(context.Background(), namedValues(args))
}

// Close ends the statement. BigQuery holds nothing for it.
func (s *Stmt) Close() error {
	s.closed = true
	return nil
}

var errStmtClosed = errors.New("bigqueryuser: the statement is closed")

func namedValues(args []driver.Value) []driver.NamedValue {
	named := make([]driver.NamedValue, len(args))
	for i, v := range args {
		named[i] = driver.NamedValue{Ordinal: i + 1, Value: v}
	}
	return named
}
