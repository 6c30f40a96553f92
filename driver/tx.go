package driver

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"
)

const (
	beginTransaction    = "BEGIN TRANSACTION"
	commitTransaction   = "COMMIT TRANSACTION"
	rollbackTransaction = "ROLLBACK TRANSACTION"
)

// txLimit bounds Commit and Rollback, also where the context of BeginTx has no end.
const txLimit = 2 * time.Minute

// tx is a transaction of BigQuery, in the session of its connection.
type tx struct {
	conn *Conn
	ctx  context.Context // BeginTx's: database/sql gives Commit and Rollback none
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
	j, _, err := c.job(ctx, nil)
	switch {
	case err != nil:
		return nil, err
	case j.cfg.DryRun:
		return nil, errors.New("bigqueryuser: a transaction can't be a dry run: give DryRun to its statements")
	}
	if c.session != nil && !c.session.runsIn(j.cfg.Location) && c.connector.cfg.CreateSession != "always" {
		c.endSession() // the transaction is to run elsewhere
	}
	ctx = WithOptions(ctx, atOnce)
	c.tx, c.txErr = true, nil
	if _, err = c.run(ctx, beginTransaction, nil); err != nil {
		c.tx = false
		c.endSession() // it may have begun
		return nil, err
	}
	return &tx{c, ctx}, nil
}

// Commit makes the transaction's changes visible. An error that matches ErrConcurrentUpdate says that
// another one has changed the same table: nothing was changed, and the whole may be tried again. One that
// matches ErrCommitUnknown leaves it open.
func (t *tx) Commit() error {
	if err := t.conn.rolledBack(); err != nil {
		t.conn.tx = false
		t.conn.endSession()
		return err
	}
	t.conn.inDoubt = false
	err := t.end(t.ctx, commitTransaction)
	if err != nil && t.conn.inDoubt && !errors.Is(err, ErrConcurrentUpdate) {
		return fmt.Errorf("%w: %w", ErrCommitUnknown, err)
	}
	return err
}

// Rollback undoes the transaction. One that BigQuery has rolled back already, because of an error
// in it, is no error.
func (t *tx) Rollback() error {
	if t.conn.session == nil {
		t.conn.tx = false
		return nil // it is gone, and the transaction with it
	}
	ctx := t.ctx
	if ctx.Err() != nil {
		ctx = context.WithoutCancel(ctx) // its end is why there is a rollback
	}
	err := t.end(ctx, rollbackTransaction)
	if e := (*Error)(nil); errors.As(err, &e) && (e.Reason == string(ErrInvalidQuery) || lost(e)) {
		return nil // there is no transaction any more
	}
	return err
}

// rolledBack is the error of whatever comes after a statement that failed in a transaction: BigQuery
// has rolled it back, and would run what comes next by itself, outside of any transaction.
func (c *Conn) rolledBack() error {
	if !c.tx || c.txErr == nil {
		return nil
	}
	return fmt.Errorf("bigqueryuser: the transaction has been rolled back because of an earlier error: %w", c.txErr)
}

// end sends the last statement. Where it fails, the session goes, and with it whatever may be left
// of the transaction.
func (t *tx) end(ctx context.Context, statement string) error {
	ctx, cancel := context.WithTimeout(ctx, txLimit)
	defer cancel()
	_, err := t.conn.run(ctx, statement, nil)
	t.conn.tx = false
	if err != nil {
		t.conn.endSession()
	}
	return err
}
