// Package golangmigrate is the database driver with which golang-migrate v4
// migrates a BigQuery dataset.
//
//	import _ "github.com/bigqueryuser/bigqueryuser/driver/migrate/golangmigrate"
//
//	m, err := migrate.New("file://migrations", "bigqueryuser://my-project/my_dataset?client_secrets=c.json")
//
// The URL is a DSN of package dsn, with a default dataset that exists. It may
// have three more keys:
//
//	x-migrations-table   the table of the version; default schema_migrations
//	x-lock-expiry        how long the lock of a program that died remains; default 1m
//	x-lock-timeout       how long another program's lock is awaited; default 10s
//
// A migration is one script and runs as one job. It may contain several
// statements, variables and control flow. DDL is permanent at once. A script
// that fails halfway leaves its changes and a dirty version, unless it contains
// BEGIN TRANSACTION, which BigQuery allows around DML only.
//
// The lock is a row of another table, with the name of the table of the version
// and _lock. It is renewed while it is held, so a long migration keeps it, and
// it expires after its program has died.
package golangmigrate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/golang-migrate/migrate/v4"
	"github.com/golang-migrate/migrate/v4/database"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/internal/literal"
	"github.com/bigqueryuser/bigqueryuser/internal/migrationlock"
)

func init() { database.Register(driver.Name, &Driver{}) }

// DefaultTable is the default table of the version.
const DefaultTable = "schema_migrations"

// DefaultLockExpiry is how long the lock of a program that died remains by default.
const DefaultLockExpiry = time.Minute

// DefaultLockTimeout is how long another program's lock is awaited by default. It is less than
// golang-migrate's own timeout, after which a lock that was still taken would never be released.
const DefaultLockTimeout = 10 * time.Second

// Config configures [WithInstance]. Zero values mean the defaults.
type Config struct {
	Table      string        // in the default dataset of the database
	LockExpiry time.Duration // at least a second
	// LockTimeout is how long Lock waits for another program. It must be less than the LockTimeout
	// of migrate.Migrate, which is 15 seconds unless it is set.
	LockTimeout time.Duration
}

// Driver migrates a dataset.
type Driver struct {
	db     *sql.DB
	config Config

	mu   sync.Mutex
	lock *migrationlock.Lock
}

var _ database.Driver = (*Driver)(nil)

// Open opens the database of a DSN, with the keys of this package.
func (d *Driver) Open(text string) (database.Driver, error) {
	name, config, err := split(text)
	if err != nil {
		return nil, err
	}
	db, err := sql.Open(driver.Name, name)
	if err != nil {
		return nil, err
	}
	opened, err := WithInstance(db, config)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return opened, nil
}

// split removes this package's keys from a DSN.
func split(text string) (name string, config Config, err error) {
	u, err := url.Parse(text)
	if err != nil {
		if _, err := dsn.Parse(text); err != nil { // its errors don't contain the DSN
			return "", config, err
		}
		return "", config, errors.New("golangmigrate: the DSN is not a URL")
	}
	values := u.Query()
	config.Table = values.Get("x-migrations-table")
	durations := map[string]*time.Duration{"x-lock-expiry": &config.LockExpiry, "x-lock-timeout": &config.LockTimeout}
	for key, to := range durations {
		if text := values.Get(key); text != "" {
			if *to, err = time.ParseDuration(text); err != nil {
				return "", config, fmt.Errorf("golangmigrate: %s: got %q; want a duration such as 1m", key, text)
			}
		}
	}
	for key := range values {
		if strings.HasPrefix(key, "x-") && key != "x-migrations-table" && durations[key] == nil {
			return "", config, fmt.Errorf(
				"golangmigrate: unknown key %q; x-migrations-table, x-lock-expiry and x-lock-timeout are known", key)
		}
	}
	return migrate.FilterCustomQuery(u).String(), config, nil
}

// WithInstance returns the driver of an open database. Its Close closes the database.
func WithInstance(db *sql.DB, config Config) (database.Driver, error) {
	if config.Table == "" {
		config.Table = DefaultTable
	}
	if config.LockExpiry == 0 {
		config.LockExpiry = DefaultLockExpiry
	}
	if config.LockTimeout == 0 {
		config.LockTimeout = DefaultLockTimeout
	}
	if config.LockExpiry < time.Second {
		return nil, fmt.Errorf(
			"golangmigrate: a lock that expires after %v can't be renewed in time: choose a second or more",
			config.LockExpiry,
		)
	}
	d := &Driver{db: db, config: config}
	if _, err := db.ExecContext(context.Background(),
		"CREATE TABLE IF NOT EXISTS "+d.table()+" (version INT64 NOT NULL, dirty BOOL NOT NULL)"); err != nil {
		return nil, fmt.Errorf("golangmigrate: creating the table of the version: %w", err)
	}
	return d, nil
}

func (d *Driver) table() string     { return migrationlock.Path(d.config.Table) }
func (d *Driver) lockTable() string { return d.config.Table + "_lock" }

// Close closes the database. It releases the lock before, if it is held.
func (d *Driver) Close() error {
	err := d.Unlock()
	if errors.Is(err, database.ErrNotLocked) {
		err = nil
	}
	return errors.Join(err, d.db.Close())
}

// Lock takes the lock. It waits for another program for Config.LockTimeout, and returns
// database.ErrLocked after that, or at once if this driver holds the lock.
func (d *Driver) Lock() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.lock != nil {
		return database.ErrLocked
	}
	for deadline := time.Now().Add(d.config.LockTimeout); ; {
		lock, err := migrationlock.Try(
			context.Background(), d.db, migrationlock.Path(d.lockTable()), d.config.LockExpiry)
		switch {
		case err == nil:
			d.lock = lock
			return nil
		case !errors.Is(err, migrationlock.ErrHeld):
			return fmt.Errorf("golangmigrate: %w", err)
		case time.Now().After(deadline):
			return database.ErrLocked
		}
		time.Sleep(min(d.config.LockExpiry/10, d.config.LockTimeout/10))
	}
}

// Unlock releases the lock.
func (d *Driver) Unlock() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.lock == nil {
		return database.ErrNotLocked
	}
	err := d.lock.Release(context.Background())
	d.lock = nil
	if err != nil {
		return fmt.Errorf("golangmigrate: %w", err)
	}
	return nil
}

// held returns an error if another program is known to have taken the lock.
func (d *Driver) held() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.lock == nil {
		return nil
	}
	if err := d.lock.Err(); err != nil {
		return fmt.Errorf("golangmigrate: %w", err)
	}
	return nil
}

// Run runs a migration as one script. One without a statement, such as only comments, does nothing.
func (d *Driver) Run(migration io.Reader) error {
	text, err := io.ReadAll(migration)
	if err != nil {
		return err
	}
	if literal.Blank(string(text)) {
		return nil
	}
	if err := d.held(); err != nil {
		return err
	}
	if _, err := d.db.ExecContext(context.Background(), string(text)); err != nil {
		return fmt.Errorf("golangmigrate: the migration failed: %w", err)
	}
	return nil
}

// SetVersion replaces the version in one transaction.
func (d *Driver) SetVersion(version int, dirty bool) (err error) {
	if err := d.held(); err != nil {
		return err
	}
	ctx := context.Background()
	tx, err := d.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("golangmigrate: setting version %d: %w", version, err), tx.Rollback())
		}
	}()
	if _, err := tx.ExecContext(ctx, "DELETE FROM "+d.table()+" WHERE TRUE"); err != nil {
		return err
	}
	if version >= 0 || dirty { // a first migration whose Down has failed has the dirty version -1
		if _, err := tx.ExecContext(ctx, "INSERT INTO "+d.table()+" (version, dirty) VALUES (?, ?)", version,
			dirty); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// Version returns the version, or database.NilVersion.
func (d *Driver) Version() (version int, dirty bool, err error) {
	err = d.db.QueryRowContext(context.Background(), "SELECT version, dirty FROM "+d.table()+" LIMIT 1").
		Scan(&version, &dirty)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return database.NilVersion, false, nil
	case err != nil:
		return 0, false, fmt.Errorf("golangmigrate: reading the version: %w", err)
	}
	return version, dirty, nil
}

// drops maps kinds of tables in INFORMATION_SCHEMA.TABLES to the words that drop them.
var drops = map[string]string{
	"BASE TABLE": "TABLE", "VIEW": "VIEW", "MATERIALIZED VIEW": "MATERIALIZED VIEW", "EXTERNAL": "EXTERNAL TABLE",
	"SNAPSHOT": "SNAPSHOT TABLE", "CLONE": "TABLE",
}

// Drop drops all tables and views of the default dataset except the table of the lock, which is
// held meanwhile. It does not drop functions, procedures and models.
func (d *Driver) Drop() error {
	ctx := context.Background()
	var dataset sql.NullString
	if err := d.db.QueryRowContext(ctx, "SELECT @@dataset_id").Scan(&dataset); err != nil {
		return err
	}
	if dataset.String == "" {
		return errors.New("golangmigrate: the DSN has no dataset whose tables to drop: add one")
	}
	rows, err := d.db.QueryContext(ctx, "SELECT table_name, table_type FROM "+migrationlock.Path(dataset.String)+
		".INFORMATION_SCHEMA.TABLES WHERE table_name != ? ORDER BY table_type DESC, table_name", d.lockTable())
	if err != nil {
		return err
	}
	defer rows.Close()
	var statements []string
	for rows.Next() {
		var name, kind string
		if err := rows.Scan(&name, &kind); err != nil {
			return err
		}
		what, ok := drops[kind]
		if !ok {
			return fmt.Errorf("golangmigrate: %s is a %s, which Drop can't drop: drop it first", name, kind)
		}
		statements = append(statements, "DROP "+what+" IF EXISTS "+migrationlock.Path(name))
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, text := range statements {
		if _, err := d.db.ExecContext(ctx, text); err != nil {
			return err
		}
	}
	return nil
}
