package driver

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"
)

// txLimit bounds Commit and Rollback, which have no context of their own.
const txLimit = 2 * time.Minute

// tx is a transaction of BigQuery, in the session of its connection.
type tx struct {
	conn *Conn
	ctx  context.Context // the values of BeginTx's, not its end: database/sql gives Commit none
}

var _ driver.Tx = (*tx)(nil)

// BeginTx begins a transaction, in a session of BigQuery that it makes if the connection has none
// yet. Isolation is snapshot isolation; another level, and a read-only transaction, is an error.
// When ctx ends before Commit, database/sql rolls the transaction back.
func (c *Conn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	switch level := sql.IsolationLevel(opts.Isolation); {
	case c.tx:
		return nil, errors.New("bigqueryuser: the connection is in a transaction already, and BigQuery does not nest them")
	case level != sql.LevelDefault && level != sql.LevelSnapshot:
		return nil, fmt.Errorf("bigqueryuser: BigQuery has no isolation level %s: use sql.LevelDefault or sql.LevelSnapshot", level)
	case opts.ReadOnly:
		return nil, errors.New("bigqueryuser: BigQuery has no read-only transactions")
	}
	c.tx = true
	if _, err := c.run(ctx, "BEGIN TRANSACTION", nil); err != nil {
		c.tx = false
		c.endSession() // it may have begun
		return nil, err
	}
	return &tx{c, context.WithoutCancel(ctx)}, nil
}

// Commit makes the transaction's changes visible. An error that matches ErrConcurrentUpdate says that
// another one has changed the same table: nothing was changed, and the whole may be tried again.
func (t *tx) Commit() error {
	if t.gone() {
		return errors.New("bigqueryuser: the transaction's session is lost: nothing was committed")
	}
	return t.end("COMMIT TRANSACTION")
}

// Rollback undoes the transaction. One that BigQuery has rolled back already, because of an error
// in it, is no error.
func (t *tx) Rollback() error {
	if t.gone() {
		return nil
	}
	err := t.end("ROLLBACK TRANSACTION")
	if errors.Is(err, ErrInvalidQuery) {
		return nil // there is no transaction any more
	}
	return err
}

// gone tells whether BigQuery has ended the session, and the transaction with it.
func (t *tx) gone() bool {
	if t.conn.session != nil {
		return false
	}
	t.conn.tx = false
	return true
}

// end sends the last statement. Where it fails, the session goes, and with it whatever may be left
// of the transaction.
func (t *tx) end(statement string) error {
	ctx, cancel := context.WithTimeout(t.ctx, txLimit)
	defer cancel()
	_, err := t.conn.run(ctx, statement, nil)
	t.conn.tx = false
	if err != nil {
		t.conn.endSession()
	}
	return err
}
