package compat

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/bigqueryuser/bigqueryuser/driver"
)

// migration is a step of a schema, as golang-migrate and goose run them: DDL outside of a
// transaction, since BigQuery has none in one, then the version and the data that belongs to it
// inside one.
type migration struct {
	version int
	ddl     []string
	dml     []string
}

var migrations = []migration{
	{
		1,
		[]string{"CREATE TABLE IF NOT EXISTS books (id INT64 NOT NULL, title STRING)"},
		[]string{"INSERT INTO books VALUES (1, 'Sketch of the Analytical Engine')"},
	},
	{
		2,
		[]string{"CREATE TABLE IF NOT EXISTS loans (book INT64, user INT64, day DATE)"},
		[]string{"INSERT INTO loans VALUES (1, 2, DATE '2024-01-01')", "UPDATE books SET title = 'Notes' WHERE id = 1"},
	},
}

func migrate(ctx context.Context, db *sql.DB, steps []migration) error {
	_, err := db.ExecContext(ctx,
		"CREATE TABLE IF NOT EXISTS schema_migrations (version INT64 NOT NULL, applied TIMESTAMP NOT NULL)")
	if err != nil {
		return err
	}
	for _, step := range steps {
		var done bool
		row := db.QueryRowContext(ctx, "SELECT COUNT(*) > 0 FROM schema_migrations WHERE version = ?", step.version)
		if err := row.Scan(&done); err != nil || done {
			if err != nil {
				return err
			}
			continue
		}
		for _, text := range step.ddl {
			if _, err := db.ExecContext(ctx, text); err != nil {
				return err
			}
		}
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		for _, text := range step.dml {
			if _, err := tx.ExecContext(ctx, text); err != nil {
				return errors.Join(fmt.Errorf("version %d: %w", step.version, err), tx.Rollback())
			}
		}
		const record = "INSERT INTO schema_migrations (version, applied) VALUES (?, CURRENT_TIMESTAMP())"
		if _, err := tx.ExecContext(ctx, record, step.version); err != nil {
			return errors.Join(err, tx.Rollback())
		}
		if err := tx.Commit(); err != nil {
			return err
		}
	}
	return nil
}

func TestMigrate(t *testing.T) {
	t.Parallel()
	db := open(t)
	var one int
	if err := db.QueryRowContext(t.Context(), "SELECT 1").Scan(&one); err != nil || one != 1 {
		t.Fatalf("SELECT 1: got %d, %v", one, err)
	}
	for range 2 { // the second time there is nothing to do
		if err := migrate(t.Context(), db, migrations); err != nil {
			t.Fatal(err)
		}
	}
	broken := append(slices.Clone(migrations), migration{
		3, nil, []string{"DELETE FROM loans WHERE TRUE", "UPDATE nowhere SET x = 1 WHERE TRUE"},
	})
	if err := migrate(t.Context(), db, broken); !errors.Is(err, driver.ErrNotFound) {
		t.Errorf("a broken step: got %v; want ErrNotFound", err)
	}
	var versions, loans int
	var title string
	row := db.QueryRowContext(t.Context(),
		"SELECT (SELECT COUNT(*) FROM schema_migrations), (SELECT COUNT(*) FROM loans), title FROM books")
	if err := row.Scan(&versions, &loans, &title); err != nil || versions != 2 || loans != 1 || title != "Notes" {
		t.Errorf("got %d versions, %d loans, %q, %v; want 2, 1, Notes", versions, loans, title, err)
	}
	// DDL in a transaction is refused, and the transaction is over.
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(t.Context(), "CREATE TABLE more (id INT64)"); err == nil {
		t.Error("DDL in a transaction: got no error")
	}
	if err := tx.Commit(); err == nil {
		t.Error("commit after an error: got no error")
	}
}
