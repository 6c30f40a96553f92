// Package migrationlock keeps two programs from migrating a dataset at once, by a row in a table of its own. The row
// expires, so that a program that dies leaves no lock for ever, and is renewed as long as it is held.
package migrationlock

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/internal/literal"
)

// ErrHeld means that another program holds the lock.
var ErrHeld = errors.New("the migrations are locked by another program")

// ErrLost means that the lock expired before it was given back, and another program may have taken it.
var ErrLost = errors.New("the lock of the migrations has expired while it was held")

// Execer is a *sql.DB or a *sql.Conn.
type Execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// Lock is a lock that is held.
type Lock struct {
	db     Execer
	table  string // quoted
	owner  string
	expiry time.Duration
	stop   context.CancelFunc
	done   chan struct{}
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

// Try takes the lock, or fails with ErrHeld. The table is made if it is not there. The lock expires after expiry unless
// it is renewed, which it is three times as often.
//
// The table has one row, which CREATE TABLE AS SELECT makes with it. An UPDATE takes the row where it is free or has
// expired: of two at the same time BigQuery lets one change it.
func Try(ctx context.Context, db Execer, table string, expiry time.Duration) (*Lock, error) {
	l := &Lock{db: db, table: table, owner: rand.Text(), expiry: expiry, done: make(chan struct{})}
	if _, err := db.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS "+table+" AS SELECT '' AS owner, "+
		"TIMESTAMP_SECONDS(0) AS expires"); err != nil {
		return nil, fmt.Errorf("making the table of the lock: %w", err)
	}
	taken, err := l.update(ctx, "owner = '' OR expires < CURRENT_TIMESTAMP()")
	if err != nil {
		return nil, fmt.Errorf("taking the lock: %w", err)
	}
	if !taken {
		return nil, ErrHeld
	}
	renewing, stop := context.WithCancel(context.WithoutCancel(ctx))
	l.stop = stop
	go l.renew(renewing)
	return l, nil
}

// Take is Try that waits until the lock is free or ctx ends.
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

// update sets the row's owner and expiry where a condition holds, and reports whether it held.
func (l *Lock) update(ctx context.Context, where string) (bool, error) {
	query := fmt.Sprintf(
		"UPDATE %s SET owner = ?, expires = TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL %d MILLISECOND) WHERE %s",
		l.table,
		l.expiry.Milliseconds(),
		where,
	)
	return changed(l.db.ExecContext(ctx, query, l.owner))
}

// changed reports whether a statement changed a row. One that met another's change of the row has changed none.
func changed(result sql.Result, err error) (bool, error) {
	if errors.Is(err, driver.ErrConcurrentUpdate) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n > 0, err
}

func (l *Lock) renew(ctx context.Context) {
	defer close(l.done)
	ticker := time.NewTicker(l.expiry / 3)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			l.update(ctx, "owner = '"+l.owner+"'") // what fails is tried again, or told by Release
		}
	}
}

// Release gives the lock back. ErrLost means that it had expired.
func (l *Lock) Release(ctx context.Context) error {
	l.stop()
	<-l.done
	held, err := changed(
		l.db.ExecContext(
			ctx,
			"UPDATE "+l.table+" SET owner = '', expires = TIMESTAMP_SECONDS(0) WHERE owner = ?",
			l.owner,
		),
	)
	switch {
	case err != nil:
		return fmt.Errorf("giving the lock back: %w", err)
	case !held:
		return ErrLost
	}
	return nil
}
