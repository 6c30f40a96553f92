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
	// maxTransactions is how often RunTransaction begins.
	maxTransactions = 8
	// firstTxPause is the longest pause before the second try; it doubles with each, up to lastTxPause.
	firstTxPause = 200 * time.Millisecond
	lastTxPause  = 10 * time.Second
)

// RunTransaction runs f in a transaction and commits it. Where another transaction has changed the
// same table, so that f or Commit fails with [ErrConcurrentUpdate], the transaction is rolled back
// and all of it begins again, after a pause of random length that grows: 8 times at most, and no
// longer than ctx lasts. opts are those of [sql.DB.BeginTx], and may be nil.
//
// Any other error ends it, after a rollback, and is returned. So is [ErrCommitUnknown] and any
// [ErrOutcomeUnknown]: the changes may have been made, and would be made twice.
//
// f may run several times. It must work through the sql.Tx it is given, with the context it is
// given, and must not call Commit or Rollback, hide an error of a statement, or do what a rollback
// does not undo, such as sending a mail. What it sets outside of itself it must set anew each time.
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
			return fmt.Errorf("bigqueryuser: the transaction met another one's changes %d times: %w", try, err)
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

// runTransaction runs f in one transaction, which ends also where f panics.
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
	defer tx.Rollback() // nothing, once it has ended
	if err := f(ctx, tx); err != nil {
		return err
	}
	return tx.Commit()
}
