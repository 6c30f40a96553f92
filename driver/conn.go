package driver

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
)

// conn is a connection of the pool. It has no network connection of its own: all connections of a
// connector share one client. sql.Conn.Raw returns it, and [Raw] also through libraries that wrap it.
type conn struct {
	runner
	connector *Connector
}

var (
	_ driver.Conn               = (*conn)(nil)
	_ driver.ConnBeginTx        = (*conn)(nil)
	_ driver.ConnPrepareContext = (*conn)(nil)
	_ driver.ExecerContext      = (*conn)(nil)
	_ driver.QueryerContext     = (*conn)(nil)
	_ driver.NamedValueChecker  = (*conn)(nil)
	_ driver.Pinger             = (*conn)(nil)
	_ driver.SessionResetter    = (*conn)(nil)
	_ driver.Validator          = (*conn)(nil)
)

// Ping has BigQuery check SELECT 1 in a dry run, which bills nothing. It verifies the sign-in, the
// project, and the permission to run queries in it.
func (c *conn) Ping(ctx context.Context) error {
	if _, _, err := newJobConfig(ctx, &c.connector.cfg, nil); err != nil {
		return err
	}
	st, err := newStatement(WithOptions(ctx, atOnce), &c.cfg, "SELECT 1", nil)
	if err == nil {
		_, err = c.dryRun(ctx, st, nil)
	}
	return err
}

// QueryContext runs a statement and returns its rows.
func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	return c.query(ctx, query, args)
}

// ExecContext runs a statement and returns the number of rows that it changed.
func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	return c.exec(ctx, query, args)
}

// PrepareContext has BigQuery check the statement in a dry run, which bills nothing. [WithStats]
// returns its columns and the bytes that it would read. The answer is remembered for each text,
// because the pool prepares a statement on several connections.
func (c *conn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	if callOf(ctx, query) != nil {
		return &stmt{conn: c, text: query}, nil
	}
	w := newRecorder(ctx, c.backend, c.connector.observer, query)
	st, err := newStatement(ctx, &c.cfg, query, nil)
	if err != nil {
		return nil, err
	}
	plan, err := c.plan(ctx, st)
	switch {
	case contradicted(err): // which the types of the arguments can settle
	case err != nil:
		return nil, err
	default:
		w.prepared(plan)
	}
	return &stmt{conn: c, text: query}, nil
}

// Prepare is PrepareContext without a context. database/sql calls PrepareContext.
func (c *conn) Prepare(query string) (driver.Stmt, error) {
	return c.PrepareContext(context.Background(), query)
}

// Begin is BeginTx without a context. database/sql calls BeginTx.
func (c *conn) Begin() (driver.Tx, error) {
	return c.BeginTx(context.Background(), driver.TxOptions{})
}

// CheckNamedValue converts an argument to a query parameter, so that a value without a BigQuery
// type is refused before anything is sent. It leaves a [JobOption] as it is.
func (c *conn) CheckNamedValue(nv *driver.NamedValue) error {
	if _, ok := nv.Value.(JobOption); ok {
		if nv.Name != "" {
			return errors.New("bigqueryuser: a JobOption has no name: pass it without sql.Named")
		}
		return nil
	}
	a, err := encode(nv.Value)
	if err != nil {
		return fmt.Errorf("bigqueryuser: %v: %w", &namedArgument{name: nv.Name, position: nv.Ordinal}, err)
	}
	nv.Value = a
	return nil
}

// ResetSession is called before the pool hands out the connection again. It ends a BigQuery session
// in which something was left, such as a temporary table.
func (c *conn) ResetSession(ctx context.Context) error {
	if !c.IsValid() {
		return driver.ErrBadConn
	}
	if c.session.kept || c.session.tx != nil {
		c.session.tx = nil
		c.endSession()
	}
	return ctx.Err()
}

// IsValid reports whether the pool may keep the connection. It may not after the session was lost, or
// when the user must sign in again, because only a new connection asks for that.
func (c *conn) IsValid() bool { return !c.bad && !c.closed }

// Close ends the connection, and its session if it has one.
func (c *conn) Close() error {
	if c.closed {
		return nil
	}
	c.closed = true
	c.endSession()
	return c.connector.release()
}
