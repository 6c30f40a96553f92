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

// tx is a transaction of BigQuery, in the session of its connection.
type tx struct {
	conn *conn
	ctx  context.Context // BeginTx's: database/sql gives Commit and Rollback none
}

var _ driver.Tx = (*tx)(nil)

// BeginTx begins a transaction, in a session of BigQuery that it makes if the connection has none
// yet. Isolation is snapshot isolation; another level, and a read-only transaction, is an error.
// When ctx ends before Commit, database/sql rolls the transaction back.
func (c *conn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	switch level := sql.IsolationLevel(opts.Isolation); {
	case c.session.tx != nil:
		return nil, errors.New(
			"bigqueryuser: the connection is in a transaction already, and BigQuery does not nest them",
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
		return nil, errors.New("bigqueryuser: a transaction can't be a dry run: give DryRun to its statements")
	}
	if c.session.id != "" && !c.session.runsIn(config.Location) && !c.session.always {
		c.endSession() // the transaction is to run elsewhere
	}
	ctx = WithOptions(ctx, atOnce)
	st, err := newStatement(ctx, &c.cfg, beginTransaction, nil)
	if err != nil {
		return nil, err
	}
	c.session.tx = &transaction{ctx: ctx}
	if _, err = c.run(ctx, st); err != nil {
		c.session.tx = nil
		c.endSession() // it may have begun
		return nil, err
	}
	return &tx{c, ctx}, nil
}

// Commit makes the transaction's changes visible. An error that matches ErrConcurrentUpdate says that
// another one has changed the same table: nothing was changed, and the whole may be tried again. One that
// matches ErrCommitUnknown leaves it open.
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

// Rollback undoes the transaction. One that is gone already, with its session or because BigQuery
// has ended it, is no error.
func (t *tx) Rollback() error {
	s := &t.conn.session
	if s.id == "" {
		s.tx = nil
		return nil // it is gone, and the transaction with it
	}
	if s.settled != nil && !s.always {
		// What was left in the session may run for some time. The session's end takes it along.
		s.tx = nil
		return t.conn.abandonTransaction(t.ctx)
	}
	ctx := t.ctx
	if ctx.Err() != nil {
		ctx = context.WithoutCancel(ctx) // its end is why there is a rollback
	}
	err := t.end(ctx, rollbackTransaction)
	if e := (*Error)(nil); errors.As(err, &e) && (e.Reason == ErrInvalidQuery || sessionLost(e)) {
		return nil // there is no transaction any more
	}
	return err
}

// end sends the last statement. Where it fails, the session goes, and with it whatever may be left
// of the transaction.
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
