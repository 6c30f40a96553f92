// Package engine runs DuckDB statements for the sandbox and keeps their results
// in typed columns.
//
// It uses the mapping layer of duckdb-go and not its database/sql driver: the
// driver turns a STRUCT into a Go map, which loses the order of the fields, and
// it can't bind a DECIMAL, a BLOB inside a list or a typed NULL. Neither the
// driver's Arrow interface nor any build tag is needed.
package engine

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/duckdb/duckdb-go/v2/mapping"
)

// DB is a DuckDB database in memory. It is safe for concurrent use. Each
// statement runs on its own connection.
type DB struct {
	db   mapping.Database
	file bool // the tables are those of a file

	mu     sync.Mutex
	idle   []mapping.Connection
	closed bool
}

// maxIdle is how many idle connections are kept.
const maxIdle = 8

// Config are the limits of a database.
type Config struct {
	// MemoryLimit is DuckDB's memory_limit, such as "2GB". Empty: DuckDB's own,
	// 80% of the machine's memory.
	MemoryLimit string
	// File keeps the tables. Empty: they are in memory.
	File string
}

// fileName is DuckDB's name for the database of Config.File.
const fileName = "kept"

// Open returns a database with the settings that make DuckDB behave like
// BigQuery: UTC, and NULLs first in ascending order and last in descending
// order. It never loads an extension and never spills to a file.
func Open(cfg Config) (*DB, error) {
	var conf mapping.Config
	if mapping.CreateConfig(&conf) == mapping.StateError {
		return nil, fmt.Errorf("duckdb: no configuration could be made")
	}
	defer mapping.DestroyConfig(&conf)
	options := map[string]string{
		"autoinstall_known_extensions": "false",
		"autoload_known_extensions":    "false",
		"temp_directory":               "",
		"default_null_order":           "nulls_first_on_asc_last_on_desc",
		"errors_as_json":               "true",
		"threads":                      "1", // rows without ORDER BY come in one order from run to run
	}
	if cfg.MemoryLimit != "" {
		options["memory_limit"] = cfg.MemoryLimit
	}
	for name, value := range options {
		if mapping.SetConfig(conf, name, value) == mapping.StateError {
			return nil, fmt.Errorf("duckdb: setting %s=%q refused", name, value)
		}
	}
	d := &DB{}
	var msg string
	if mapping.OpenExt("", &d.db, conf, &msg) == mapping.StateError {
		mapping.Close(&d.db)
		return nil, fmt.Errorf("duckdb: open: %s", msg)
	}
	// TimeZone belongs to the ICU extension, which is linked in but loaded only
	// when the database is open.
	if _, err := d.Exec(context.Background(), "SET GLOBAL TimeZone='UTC'"); err != nil {
		d.Close()
		return nil, err
	}
	if err := d.register(); err != nil {
		d.Close()
		return nil, err
	}
	if cfg.File == "" {
		return d, nil
	}
	// After the functions: default values of its columns call them.
	if _, err := d.Exec(context.Background(), "ATTACH "+Literal(cfg.File)+" AS "+fileName); err != nil {
		d.Close()
		return nil, err
	}
	d.file = true
	for i := range d.idle {
		mapping.Disconnect(&d.idle[i])
	}
	d.idle = nil
	return d, nil
}

// Lock ends the database's access to files, for good: no statement can read or
// write one afterwards.
func (d *DB) Lock() error {
	_, err := d.Exec(context.Background(), "SET GLOBAL enable_external_access=false")
	return err
}

// Close frees the database. No statement may be running.
func (d *DB) Close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return
	}
	d.closed = true
	for i := range d.idle {
		mapping.Disconnect(&d.idle[i])
	}
	d.idle = nil
	mapping.Close(&d.db)
}

// Conn is a connection. It serves one statement at a time.
type Conn struct {
	db      *DB
	conn    mapping.Connection
	refusal string // that the statement which runs has swallowed
}

// Conn returns a connection. Return it with Release.
func (d *DB) Conn() (*Conn, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, fmt.Errorf("duckdb: the database is closed")
	}
	if n := len(d.idle); n > 0 {
		c := &Conn{db: d, conn: d.idle[n-1]}
		d.idle = d.idle[:n-1]
		return c, nil
	}
	c := &Conn{db: d}
	if mapping.Connect(d.db, &c.conn) == mapping.StateError {
		return nil, fmt.Errorf("duckdb: no connection could be made")
	}
	if d.file {
		if _, err := c.Exec(context.Background(), "USE "+fileName); err != nil {
			mapping.Disconnect(&c.conn)
			return nil, err
		}
	}
	return c, nil
}

// Release returns the connection. It must not be in a transaction.
func (c *Conn) Release() {
	c.db.mu.Lock()
	defer c.db.mu.Unlock()
	if c.db.closed || len(c.db.idle) >= maxIdle {
		mapping.Disconnect(&c.conn)
		return
	}
	c.db.idle = append(c.db.idle, c.conn)
}

// Close ends the connection, with its transaction, instead of returning it.
func (c *Conn) Close() {
	c.db.mu.Lock()
	defer c.db.mu.Unlock()
	mapping.Disconnect(&c.conn)
}

// Exec runs statements without parameters on a separate connection and returns
// the number of rows that the last one changed.
func (d *DB) Exec(ctx context.Context, sql string) (int64, error) {
	c, err := d.Conn()
	if err != nil {
		return 0, err
	}
	defer c.Release()
	return c.Exec(ctx, sql)
}

// Quote writes an identifier of DuckDB.
func Quote(name string) string {
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// Literal writes a string literal of DuckDB.
func Literal(s string) string {
	return `'` + strings.ReplaceAll(s, `'`, `''`) + `'`
}
