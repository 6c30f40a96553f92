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

// maxAttempts is how often RunTransaction runs a transaction.
const maxAttempts = 5

// RunTransaction runs f in a transaction, and again in a new one, up to five times in all, as long as another
// transaction has changed one of its tables at the same time (driver.ErrConcurrentUpdate). So f must do nothing that
// can't be done twice. In a transaction it joins that one and runs once: the outer one has to be run again.
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

// backoff is what RunTransaction waits at most after a first conflict.
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
