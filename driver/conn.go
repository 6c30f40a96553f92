package driver

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/bigqueryuser/bigqueryuser/auth"
)

// Conn is one connection of the pool. It holds no network connection of its own: all
// of a connector's share one client. sql.Conn.Raw reaches it, and [Raw] does through other libraries.
type Conn struct {
	connector *Connector
	session   *session // nil until one is needed
	tx        bool     // a transaction is open
	txErr     error    // why BigQuery has rolled it back; nil as long as it has not
	inDoubt   bool     // nobody knows whether the last statement has run
	bad       bool     // the sign-in or the session is gone: the pool must drop the connection
	closed    bool
}

var (
	_ driver.Conn               = (*Conn)(nil)
	_ driver.ConnBeginTx        = (*Conn)(nil)
	_ driver.ConnPrepareContext = (*Conn)(nil)
	_ driver.ExecerContext      = (*Conn)(nil)
	_ driver.QueryerContext     = (*Conn)(nil)
	_ driver.NamedValueChecker  = (*Conn)(nil)
	_ driver.Pinger             = (*Conn)(nil)
	_ driver.SessionResetter    = (*Conn)(nil)
	_ driver.Validator          = (*Conn)(nil)
)

var (
	errClosed     = fmt.Errorf("bigqueryuser: the connector is closed: %w", auth.ErrClosed)
	errConnClosed = errors.New("bigqueryuser: the connection is closed")
)

// Ping asks BigQuery to check SELECT 1 in a dry run: it proves the sign-in, the project
// and the permission to run queries in it, and bills nothing.
func (c *Conn) Ping(ctx context.Context) error {
	j, _, err := c.job(ctx, nil)
	if err == nil {
		atOnce(j)
		_, err = c.dryRun(ctx, j, "SELECT 1", parameters{}, nil)
	}
	return err
}

// QueryContext runs a statement and returns its rows.
func (c *Conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	return c.query(ctx, query, args)
}

// ExecContext runs a statement and returns how many rows it changed.
func (c *Conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	return c.exec(ctx, query, args)
}

// PrepareContext has BigQuery check the statement in a dry run, which bills nothing, and
// learns the types of its parameters, its columns and how much it would read: [WithStats] tells them. What is
// known of a text that was prepared before is used again, as the pool prepares a statement on several connections.
func (c *Conn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	w := c.observe(ctx, query)
	j, _, err := c.job(ctx, nil)
	if err != nil {
		return nil, err
	}
	p, err := parse(query)
	if err != nil {
		return nil, err
	}
	f, _, err := c.connector.types.ask(ctx, true, []cacheKey{c.typeKey(j, query, nil)}, func() (finding, error) { return c.find(ctx, j, query, p, nil) })
	if err != nil {
		return nil, err
	}
	w.prepared(f.plan)
	return &Stmt{conn: c, text: query}, nil
}

// parse finds the placeholders of a statement. Text that is not UTF-8 is refused: JSON would change
// it without a word.
func parse(query string) (parameters, error) {
	if !utf8.ValidString(query) {
		return parameters{}, errors.New("bigqueryuser: the statement is not valid UTF-8")
	}
	return findParameters(query)
}

// Prepare is PrepareContext without a context. database/sql calls PrepareContext.
func (c *Conn) Prepare(query string) (driver.Stmt, error) {
	return c.PrepareContext(context.Background(), query)
}

// Begin is BeginTx without a context. database/sql calls BeginTx.
func (c *Conn) Begin() (driver.Tx, error) {
	return c.BeginTx(context.Background(), driver.TxOptions{})
}

// CheckNamedValue turns an argument into a query parameter, so that a value that BigQuery
// has no type for is refused before anything is sent. A [JobOption] is left as it is.
func (c *Conn) CheckNamedValue(nv *driver.NamedValue) error {
	if _, ok := nv.Value.(JobOption); ok {
		if nv.Name != "" {
			return errors.New("bigqueryuser: a JobOption has no name: pass it without sql.Named")
		}
		return nil
	}
	a, err := encode(nv.Value)
	if err != nil {
		return fmt.Errorf("bigqueryuser: %w", err)
	}
	nv.Value = a
	return nil
}

// ResetSession is called before the pool hands the connection out again. A session in which
// something was left, such as a temporary table, ends here.
func (c *Conn) ResetSession(ctx context.Context) error {
	if !c.IsValid() {
		return driver.ErrBadConn
	}
	if c.session != nil && (c.session.kept || c.tx) {
		c.tx = false
		c.endSession()
	}
	return ctx.Err()
}

// IsValid tells whether the pool may keep the connection: not once its session is lost, nor once the
// person has to sign in again, which only a new connection may ask for.
func (c *Conn) IsValid() bool { return !c.bad && !c.closed }

// Close ends the connection, and its session if it has one.
func (c *Conn) Close() error {
	if c.closed {
		return nil
	}
	c.closed = true
	c.endSession()
	return c.connector.release()
}
