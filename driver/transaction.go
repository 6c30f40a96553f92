package driver

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

const (
	// maxTransactions is how often RunTransaction runs the transaction.
	maxTransactions = 8
	// firstTxPause is the longest pause before the second run. It doubles with each run, up to
	// lastTxPause.
	firstTxPause = 200 * time.Millisecond
	lastTxPause  = 10 * time.Second
)

// RunTransaction runs f in a transaction and commits it. If f or Commit fails with
// [ErrConcurrentUpdate], because another transaction has changed the same table, RunTransaction
// rolls back and starts again, at most 8 times in all and as long as ctx lasts, with growing random
// pauses. opts are those of [sql.DB.BeginTx], and may be nil.
//
// After any other error RunTransaction rolls back and returns the error. That includes
// [ErrCommitUnknown] and [ErrOutcomeUnknown], because the changes may have been made and would be
// made twice.
//
// f may run several times. It must use the sql.Tx and the context that it gets, and must not call
// Commit or Rollback or hide the error of a statement. It must not do anything that a rollback does
// not undo, such as sending a mail, and must set variables outside of f anew in each run.
func RunTransaction(
	ctx context.Context,
	db *sql.DB,
	opts *sql.TxOptions,
	f func(context.Context, *sql.Tx) error,
) error {
	for try, limit := 1, firstTxPause; ; try, limit = try+1, min(2*limit, lastTxPause) {
		err := runTransaction(ctx, db, opts, f)
		if !errors.Is(err, ErrConcurrentUpdate) || errors.Is(err, ErrOutcomeUnknown) {
			return err
		}
		if try == maxTransactions {
			return fmt.Errorf("bigqueryuser: the transaction conflicted with another one %d times: %w", try, err)
		}
		pause := time.NewTimer(limit/2 + rand.N(limit/2))
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return fmt.Errorf("%w, after a transaction that failed: %w", ctx.Err(), err)
		}
	}
}

// runTransaction runs f in one transaction. It also rolls back if f panics.
func runTransaction(
	ctx context.Context,
	db *sql.DB,
	opts *sql.TxOptions,
	f func(context.Context, *sql.Tx) error,
) error {
	tx, err := db.BeginTx(ctx, opts)
	if err != nil {
		return err
	}
	defer tx.Rollback() // no effect if the transaction has ended
	if err := f(ctx, tx); err != nil {
		return err
	}
	return tx.Commit()
}
