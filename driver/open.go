package driver

import (
	"database/sql"

	"github.com/bigqueryuser/bigqueryuser/dsn"
)

// Open opens a database by a DSN, as sql.Open does, with options for what a DSN can't carry. It
// makes no request: the sign-in happens at the first connection, or at [sql.DB.PingContext].
func Open(name string, opts ...Option) (*sql.DB, error) {
	cfg, err := dsn.Parse(name)
	if err != nil {
		return nil, err
	}
	connector, err := NewConnector(cfg, opts...)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector), nil
}
