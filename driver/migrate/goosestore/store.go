// Package goosestore lets goose v3 migrate a BigQuery dataset.
//
//	provider, err := goosestore.NewProvider(db, os.DirFS("migrations"))
//	results, err := provider.Up(ctx)
//
// [NewProvider] sets three options of goose: the [Store] of versions, a lock
// between programs, and WithIsolateDDL, with which goose runs each statement
// outside of transactions, because BigQuery does not allow DDL in them. So the
// annotation "-- +goose NO TRANSACTION" is not needed. A migration that fails
// halfway leaves its changes. For the same reason, write Go migrations with
// RunDB and not with RunTx. A block from StatementBegin to StatementEnd needs a
// statement: BigQuery refuses text that has only a comment.
package goosestore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
	"github.com/pressly/goose/v3/lock"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/internal/migrationlock"
)

// DefaultTable is the default table of versions.
const DefaultTable = goose.DefaultTablename

// NewProvider is goose.NewProvider for BigQuery. Its options follow those of this package.
func NewProvider(db *sql.DB, fsys fs.FS, opts ...goose.ProviderOption) (*goose.Provider, error) {
	opts = append([]goose.ProviderOption{
		goose.WithStore(
			NewStore(DefaultTable),
		), goose.WithIsolateDDL(true), goose.WithLocker(NewLocker(DefaultTable+"_lock", 0)),
	}, opts...)
	return goose.NewProvider(goose.DialectCustom, db, fsys, opts...)
}

// Store keeps the versions in a table of the default dataset.
type Store struct{ name string }

var _ database.StoreExtender = (*Store)(nil)

// NewStore returns a store that keeps the versions in the table.
func NewStore(table string) *Store { return &Store{table} }

// Tablename returns the name of the table.
func (s *Store) Tablename() string { return s.name }

func (s *Store) path() string { return migrationlock.Path(s.name) }

// CreateVersionTable creates the table.
func (s *Store) CreateVersionTable(ctx context.Context, db database.DBTxConn) error {
	_, err := db.ExecContext(
		ctx,
		"CREATE TABLE IF NOT EXISTS "+s.path()+" (version_id INT64 NOT NULL, is_applied BOOL NOT NULL, tstamp "+
			"TIMESTAMP NOT NULL)",
	)
	return s.wrap("creating", err)
}

// TableExists reports whether the table exists. It reads no rows.
func (s *Store) TableExists(ctx context.Context, db database.DBTxConn) (bool, error) {
	rows, err := db.QueryContext(ctx, "SELECT version_id FROM "+s.path()+" LIMIT 0")
	if errors.Is(err, driver.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, s.wrap("looking for", err)
	}
	return true, rows.Close()
}

// Insert records a version.
func (s *Store) Insert(ctx context.Context, db database.DBTxConn, req database.InsertRequest) error {
	_, err := db.ExecContext(
		ctx,
		"INSERT INTO "+s.path()+" (version_id, is_applied, tstamp) VALUES (?, TRUE, CURRENT_TIMESTAMP())",
		req.Version,
	)
	return s.wrap("writing to", err)
}

// Delete removes a version.
func (s *Store) Delete(ctx context.Context, db database.DBTxConn, version int64) error {
	_, err := db.ExecContext(ctx, "DELETE FROM "+s.path()+" WHERE version_id = ?", version)
	return s.wrap("deleting from", err)
}

// GetMigration returns the time when a version was recorded.
func (s *Store) GetMigration(
	ctx context.Context,
	db database.DBTxConn,
	version int64,
) (*database.GetMigrationResult, error) {
	var result database.GetMigrationResult
	err := db.QueryRowContext(ctx, "SELECT tstamp, is_applied FROM "+s.path()+" WHERE version_id = ? ORDER BY tstamp "+
		"DESC LIMIT 1", version).
		Scan(&result.Timestamp, &result.IsApplied)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("%w: %d", database.ErrVersionNotFound, version)
	}
	if err != nil {
		return nil, s.wrap("reading", err)
	}
	return &result, nil
}

// GetLatestVersion returns the highest version.
func (s *Store) GetLatestVersion(ctx context.Context, db database.DBTxConn) (int64, error) {
	var version sql.NullInt64
	if err := db.QueryRowContext(ctx, "SELECT MAX(version_id) FROM "+s.path()).Scan(&version); err != nil {
		return 0, s.wrap("reading", err)
	}
	if !version.Valid {
		return 0, database.ErrVersionNotFound
	}
	return version.Int64, nil
}

// ListMigrations returns the versions, the latest first.
func (s *Store) ListMigrations(ctx context.Context, db database.DBTxConn) ([]*database.ListMigrationsResult, error) {
	rows, err := db.QueryContext(
		ctx,
		"SELECT version_id, is_applied FROM "+s.path()+" ORDER BY tstamp DESC, version_id DESC",
	)
	if err != nil {
		return nil, s.wrap("reading", err)
	}
	defer rows.Close()
	list := []*database.ListMigrationsResult{}
	for rows.Next() {
		var m database.ListMigrationsResult
		if err := rows.Scan(&m.Version, &m.IsApplied); err != nil {
			return nil, err
		}
		list = append(list, &m)
	}
	return list, rows.Err()
}

func (s *Store) wrap(doing string, err error) error {
	if err != nil {
		return fmt.Errorf("goosestore: %s table %s: %w", doing, s.name, err)
	}
	return nil
}

// Locker is a lock between programs: a row of its own table, which is renewed while it is held, and
// expires after its program has died.
type Locker struct {
	table  string
	expiry time.Duration
	mu     sync.Mutex
	held   *migrationlock.Lock
}

var _ lock.Locker = (*Locker)(nil)

// NewLocker returns a lock in the table. An expiry of 0 means a minute.
func NewLocker(table string, expiry time.Duration) *Locker {
	if expiry == 0 {
		expiry = time.Minute
	}
	return &Locker{table: table, expiry: max(expiry, time.Second)}
}

// Lock waits for the lock until ctx ends.
func (l *Locker) Lock(ctx context.Context, db *sql.DB) error {
	held, err := migrationlock.Take(ctx, db, migrationlock.Path(l.table), l.expiry)
	if err != nil {
		return fmt.Errorf("goosestore: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held = held
	return nil
}

// Unlock releases the lock.
func (l *Locker) Unlock(ctx context.Context, _ *sql.DB) error {
	l.mu.Lock()
	held := l.held
	l.held = nil
	l.mu.Unlock()
	if held == nil {
		return errors.New("goosestore: the lock is not held")
	}
	return held.Release(ctx)
}
