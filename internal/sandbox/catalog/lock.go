package catalog

import (
	"context"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
)

// lock takes a lock that is a channel with room for one, and returns the unlock.
func lock(ctx context.Context, l chan struct{}) (func(), *apierror.Error) {
	select {
	case l <- struct{}{}:
		return func() { <-l }, nil
	case <-ctx.Done():
		return nil, apierror.From(context.Cause(ctx))
	}
}

// Lock takes the lock of statements and requests that change the catalog, and returns the unlock.
func (c *Catalog) Lock(ctx context.Context) (func(), *apierror.Error) { return lock(ctx, c.ddl) }

// LockAndSweep locks like Lock, and drops expired tables.
func (c *Catalog) LockAndSweep(ctx context.Context) (func(), *apierror.Error) {
	unlock, err := lock(ctx, c.ddl)
	if err != nil {
		return nil, err
	}
	for _, t := range c.expiredTables() {
		if err := c.DropTable(ctx, t); err != nil {
			unlock()
			return nil, err
		}
	}
	return unlock, nil
}

// Lock waits for the statements that change or delete rows of the table, and returns
// the unlock.
func (t *Table) Lock(ctx context.Context) (func(), *apierror.Error) { return lock(ctx, t.write) }

// TryLock is Lock without waiting; it reports whether the table is locked now. Unlock ends it.
func (t *Table) TryLock() bool {
	select {
	case t.write <- struct{}{}:
		return true
	default:
		return false
	}
}

// Unlock gives the table back after TryLock.
func (t *Table) Unlock() { <-t.write }
