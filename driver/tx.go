package driver

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
)

const (
	beginTransaction    = "BEGIN TRANSACTION"
	commitTransaction   = "COMMIT TRANSACTION"
	rollbackTransaction = "ROLLBACK TRANSACTION"
)

// tx is a BigQuery transaction in the session of its connection.
type tx struct {
	conn *conn
	ctx  context.Context // BeginTx's: database/sql gives Commit and Rollback none
}

var _ driver.Tx = (*tx)(nil)

// BeginTx begins a transaction with snapshot isolation, in the connection's BigQuery session, which it
// creates if necessary. Another isolation level is an error, and so is a read-only transaction. If ctx
// ends before Commit, database/sql rolls the transaction back.
func (c *conn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	switch level := sql.IsolationLevel(opts.Isolation); {
	case c.session.tx != nil:
		return nil, errors.New(
			"bigqueryuser: the connection already has a transaction: BigQuery does not nest transactions",
		)
	case level != sql.LevelDefault && level != sql.LevelSnapshot:
		return nil, fmt.Errorf(
			"bigqueryuser: BigQuery has no isolation level %s: use sql.LevelDefault or sql.LevelSnapshot",
			level,
		)
	case opts.ReadOnly:
		return nil, errors.New("bigqueryuser: BigQuery has no read-only transactions")
	}
	config, _, err := newJobConfig(ctx, &c.connector.cfg, nil)
	switch {
	case err != nil:
		return nil, err
	case config.DryRun:
		return nil, errors.New("bigqueryuser: BeginTx can't be a dry run: pass DryRun to the statements")
	}
	if c.session.id != "" && !c.session.runsIn(config.Location) && !c.session.always {
		c.endSession() // the transaction runs in another location
	}
	ctx = WithOptions(ctx, atOnce)
	st, err := newStatement(ctx, &c.cfg, beginTransaction, nil)
	if err != nil {
		return nil, err
	}
	fresh := c.session.id == ""
	c.session.tx = &transaction{ctx: ctx}
	if _, begun, err := c.runTo(ctx, st); err != nil {
		c.session.tx = nil
		if begun || fresh || !c.session.always {
			c.bad = c.bad || c.session.always // the session's temporary tables and variables are lost
			c.endSession()
		}
		return nil, err
	}
	return &tx{c, ctx}, nil
}

// Commit commits the transaction. If the error matches ErrConcurrentUpdate, another statement has
// changed the same table: nothing was committed, and the whole transaction may be run again. If it
// matches ErrCommitUnknown, it is not known whether the transaction was committed.
func (t *tx) Commit() error {
	s := &t.conn.session
	if s.tx != nil && s.tx.err != nil {
		err := fmt.Errorf(
			"bigqueryuser: the transaction was not committed, because of an earlier error in it: %w",
			s.tx.err,
		)
		s.tx = nil
		t.conn.endSession()
		return err
	}
	return t.end(t.ctx, commitTransaction)
}

// Rollback rolls the transaction back. It returns nil if the transaction has ended already, with its
// session or by BigQuery.
func (t *tx) Rollback() error {
	s := &t.conn.session
	if s.id == "" {
		s.tx = nil
		return nil // the session has ended, and the transaction with it
	}
	if s.settled != nil && !s.always {
		// A statement may still run in the session. Ending the session ends it too.
		s.tx = nil
		return t.conn.abandonTransaction(t.ctx)
	}
	ctx := t.ctx
	if ctx.Err() != nil {
		ctx = context.WithoutCancel(ctx) // database/sql rolls back because ctx has ended
	}
	err := t.end(ctx, rollbackTransaction)
	if e, ok := errors.AsType[*Error](err); ok && (e.Reason == ErrInvalidQuery || sessionLost(e)) {
		return nil // the transaction has ended already
	}
	return err
}

// end sends COMMIT or ROLLBACK. If that fails it ends the session, and with it the transaction.
func (t *tx) end(ctx context.Context, text string) error {
	ctx, cancel := context.WithTimeout(ctx, txLimit)
	defer cancel()
	c := t.conn
	if c.session.tx != nil {
		c.session.tx.ctx = ctx
	}
	st, err := newStatement(ctx, &c.cfg, text, nil)
	if err == nil {
		_, err = c.run(ctx, st)
	}
	c.session.tx = nil
	if err != nil {
		if text == commitTransaction {
			c.endCommitted()
		} else {
			c.endSession()
		}
	}
	return err
}
