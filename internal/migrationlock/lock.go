// Package migrationlock is a lock that keeps two programs from migrating a
// dataset at once. It is a row in a table. It is renewed while it is held, and
// expires, so that a program that dies does not leave it locked.
package migrationlock

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/internal/literal"
)

// ErrHeld means that another program holds the lock.
var ErrHeld = errors.New("the migrations are locked by another program")

// ErrLost means that the lock expired before it was released, and that another program may have
// taken it.
var ErrLost = errors.New("the lock of the migrations has expired while it was held")

// Execer is a *sql.DB or a *sql.Conn.
type Execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// Lock is a held lock.
type Lock struct {
	db     Execer
	table  string // quoted
	owner  string
	expiry time.Duration
	stop   context.CancelFunc
	done   chan struct{}
	lost   atomic.Bool
}

// Path quotes the path of a table, such as migrations_lock or dataset.migrations_lock.
func Path(parts ...string) string {
	var b []byte
	for i, part := range parts {
		if i > 0 {
			b = append(b, '.')
		}
		b = literal.Ident(b, part)
	}
	return string(b)
}

// Try takes the lock, or returns ErrHeld. It creates the table if necessary. The lock expires after
// expiry unless it is renewed, which happens three times as often.
//
// CREATE TABLE AS SELECT creates the table with its only row. An UPDATE takes the row if it is free
// or has expired. Of two concurrent ones BigQuery lets one change the row.
func Try(ctx context.Context, db Execer, table string, expiry time.Duration) (*Lock, error) {
	l := &Lock{db: db, table: table, owner: rand.Text(), expiry: expiry, done: make(chan struct{})}
	if _, err := db.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS "+table+" AS SELECT '' AS owner, "+
		"TIMESTAMP_SECONDS(0) AS expires"); err != nil && !errors.Is(err, driver.ErrDuplicate) {
		return nil, fmt.Errorf("creating the table of the lock: %w", err)
	}
	taken, err := l.update(ctx, "owner = '' OR expires < CURRENT_TIMESTAMP()")
	switch {
	case errors.Is(err, driver.ErrConcurrentUpdate):
		return nil, ErrHeld // another program takes it at this moment
	case err != nil:
		return nil, fmt.Errorf("taking the lock: %w", err)
	case !taken:
		return nil, ErrHeld
	}
	renewing, stop := context.WithCancel(context.WithoutCancel(ctx))
	l.stop = stop
	go l.renew(renewing)
	return l, nil
}

// Take is Try, but waits until the lock is free or ctx ends.
func Take(ctx context.Context, db Execer, table string, expiry time.Duration) (*Lock, error) {
	for {
		l, err := Try(ctx, db, table, expiry)
		if !errors.Is(err, ErrHeld) {
			return l, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %w", ctx.Err(), err)
		case <-time.After(min(expiry/10, time.Second)):
		}
	}
}

// update sets the owner and expiry of the row if a condition is met, and reports whether it was.
func (l *Lock) update(ctx context.Context, where string) (bool, error) {
	query := fmt.Sprintf(
		"UPDATE %s SET owner = ?, expires = TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL %d MILLISECOND) WHERE %s",
		l.table,
		l.expiry.Milliseconds(),
		where,
	)
	return changed(l.db.ExecContext(ctx, query, l.owner))
}

// changed reports whether a statement changed a row.
func changed(result sql.Result, err error) (bool, error) {
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n > 0, err
}

// renew prolongs the lock until ctx ends. A failure is repeated.
func (l *Lock) renew(ctx context.Context) {
	defer close(l.done)
	ticker := time.NewTicker(l.expiry / 3)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if held, err := l.update(ctx, "owner = '"+l.owner+"'"); err == nil && !held {
				l.lost.Store(true)
				return
			}
		}
	}
}

// Err returns ErrLost if another program is known to have taken the lock.
func (l *Lock) Err() error {
	if l.lost.Load() {
		return ErrLost
	}
	return nil
}

// Release releases the lock. ErrLost means that it had expired. Programs that wait for it change the same row, so a
// conflict is tried again.
func (l *Lock) Release(ctx context.Context) error {
	l.stop()
	<-l.done
	for attempt := 1; ; attempt++ {
		held, err := changed(l.db.ExecContext(ctx,
			"UPDATE "+l.table+" SET owner = '', expires = TIMESTAMP_SECONDS(0) WHERE owner = ?", l.owner))
		switch {
		case errors.Is(err, driver.ErrConcurrentUpdate) && attempt < 5:
			select {
			case <-ctx.Done():
			case <-time.After(time.Duration(attempt) * releasePause):
			}
		case err != nil:
			return fmt.Errorf("releasing the lock: %w", err)
		case !held:
			return ErrLost
		default:
			return nil
		}
	}
}

// releasePause is the pause after the first conflict.
const releasePause = 100 * time.Millisecond
