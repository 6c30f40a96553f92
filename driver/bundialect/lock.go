package bundialect

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/bigqueryuser/bigqueryuser/internal/migrationlock"
)

// lockExpiry is how long the lock of a program that died remains.
const lockExpiry = time.Minute

// Lock waits until no other program migrates, and returns a function that releases the lock. Use it
// instead of the Lock of bun's migrate, which relies on a unique constraint. The lock is a row of
// the table bun_migration_locks_row in the default dataset. It is renewed while it is held, and
// expires a minute after its program has died.
//
//	unlock, err := bundialect.Lock(ctx, db)
//	if err != nil { ... }
//	defer unlock()
//	group, err := migrator.Migrate(ctx)
func Lock(ctx context.Context, db *bun.DB) (unlock func() error, err error) {
	lock, err := migrationlock.Take(ctx, db.DB, migrationlock.Path("bun_migration_locks_row"), lockExpiry)
	if err != nil {
		return nil, fmt.Errorf("bundialect: %w", err)
	}
	return func() error { return lock.Release(context.WithoutCancel(ctx)) }, nil
}
