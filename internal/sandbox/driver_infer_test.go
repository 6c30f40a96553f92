package sandbox

import (
	"database/sql"
	"errors"
	"testing"
	"time"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/dsn"
)

// TestDriverTempTableTypes learns the type of an argument from each session's own table.
func TestDriverTempTableTypes(t *testing.T) {
	t.Parallel()
	db := openWith(t, start(t, Config{NoData: true}), func(*dsn.Config) {})
	must(t, db, "CREATE SCHEMA d")
	at := time.Date(2024, 2, 29, 13, 14, 15, 0, time.UTC)
	for _, typ := range []string{"DATE", "TIMESTAMP", "DATETIME"} {
		tx, err := db.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		must(t, tx, "CREATE TEMP TABLE x (a "+typ+")")
		if _, err := tx.ExecContext(t.Context(), "INSERT INTO x (a) VALUES (?)", at); err != nil {
			t.Errorf("%s: %v", typ, err)
		}
		if err := tx.Commit(); err != nil {
			t.Errorf("%s: %v", typ, err)
		}
	}
}

// TestDriverFirstStatement makes a temporary table with the statement that makes the session, which is
// asked about in a dry run before there is one.
func TestDriverFirstStatement(t *testing.T) {
	t.Parallel()
	db := openWith(t, start(t, Config{NoData: true}), func(c *dsn.Config) { c.CreateSession = "always" })
	first := func(run func(*sql.Conn) error) {
		t.Helper()
		conn, err := db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if err := run(conn); err != nil {
			t.Error(err)
		}
	}
	first(func(conn *sql.Conn) error {
		_, err := conn.ExecContext(t.Context(), "CREATE TEMP TABLE x AS SELECT ? AS a", nil)
		return err
	})
	first(func(conn *sql.Conn) error {
		stmt, err := conn.PrepareContext(t.Context(), "CREATE TEMP TABLE x AS SELECT ? AS a")
		if err != nil {
			return err
		}
		_, err = stmt.ExecContext(t.Context(), 5)
		return errors.Join(err, stmt.Close())
	})
	first(func(conn *sql.Conn) error {
		if _, err := conn.PrepareContext(t.Context(), "CREATE TEMP TABLE x AS SELECT nosuch"); !errors.Is(err,
			driver.ErrInvalidQuery) {
			t.Errorf("a wrong statement: got %v; want ErrInvalidQuery", err)
		}
		return nil
	})
}
