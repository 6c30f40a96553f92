package gormdialect

import (
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"time"

	"gorm.io/gorm"

	"github.com/bigqueryuser/bigqueryuser/driver"
)

// maxAttempts is the largest number of times that RunTransaction runs a transaction.
const maxAttempts = 5

// RunTransaction runs f in a transaction. If it conflicts with another one on the same table
// (driver.ErrConcurrentUpdate), RunTransaction runs it again, up to five times in all. So f must do
// nothing that can't be repeated. Inside a transaction it joins that one and runs f once: the outer
// one must be run again.
func RunTransaction(db *gorm.DB, f func(tx *gorm.DB) error, opts ...*sql.TxOptions) error {
	if _, inside := db.Statement.ConnPool.(gorm.TxCommitter); inside {
		return db.Transaction(f, opts...)
	}
	for attempt := 1; ; attempt++ {
		err := db.Transaction(f, opts...)
		if attempt == maxAttempts || !errors.Is(err, driver.ErrConcurrentUpdate) {
			return err
		}
		if ctx := db.Statement.Context; sleep(ctx, time.Duration(attempt)*backoff) != nil {
			return errors.Join(context.Cause(ctx), err)
		}
	}
}

// backoff is the longest pause after the first conflict.
const backoff = 200 * time.Millisecond

// sleep waits between half of the time and all of it.
func sleep(ctx context.Context, limit time.Duration) error {
	timer := time.NewTimer(limit/2 + rand.N(limit/2))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
