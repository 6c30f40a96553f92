package compat

import (
	"database/sql"
	"errors"
	"testing"

	"github.com/XSAM/otelsql"
	"github.com/jmoiron/sqlx"

	"github.com/bigqueryuser/bigqueryuser/driver"
)

// TestJobOptions: options reach the driver through libraries, as arguments where these pass
// arguments on and by the context everywhere.
func TestJobOptions(t *testing.T) {
	t.Parallel()
	for name, db := range map[string]*sqlx.DB{
		"sqlx":             sqlx.NewDb(sql.OpenDB(connector(t)), driver.Name),
		"sqlx and otelsql": sqlx.NewDb(otelsql.OpenDB(connector(t)), driver.Name),
	} {
		ctx := t.Context()
		var n int
		const query = "SELECT COUNT(*) FROM users WHERE id > ?"
		if err := db.GetContext(ctx, &n, query, driver.DefaultDataset("shop"), 0); err != nil || n != 2 {
			t.Errorf("%s: a right dataset: got %d, %v; want 2", name, n, err)
		}
		err := db.GetContext(ctx, &n, query, 0, driver.DefaultDataset("nowhere"))
		if !errors.Is(err, driver.ErrNotFound) {
			t.Errorf("%s: a dataset that is not there: got %v; want notFound", name, err)
		}
		if err := db.GetContext(ctx, &n, query, driver.DryRun(), 0); !errors.Is(err, sql.ErrNoRows) {
			t.Errorf("%s: a dry run: got %v; want no rows", name, err)
		}
		batch := driver.WithOptions(ctx, driver.Priority("batch"), driver.JobIDPrefix("compat_"))
		rows, err := db.NamedQueryContext(batch, "SELECT COUNT(*) FROM users WHERE id > :id", map[string]any{"id": 1})
		if err != nil {
			t.Fatalf("%s: NamedQuery: %v", name, err)
		}
		if !rows.Next() || rows.Scan(&n) != nil || n != 1 {
			t.Errorf("%s: NamedQuery: got %d, %v; want 1", name, n, rows.Err())
		}
		rows.Close()
		stmt, err := db.PreparexContext(ctx, "SELECT COUNT(*) FROM users WHERE id > ?")
		if err != nil {
			t.Fatalf("%s: Prepare: %v", name, err)
		}
		if err := stmt.GetContext(ctx, &n, 0, driver.UseQueryCache(false)); err != nil || n != 2 {
			t.Errorf("%s: prepared: got %d, %v; want 2", name, n, err)
		}
		stmt.Close()
		res, err := db.ExecContext(batch, "UPDATE users SET name = 'x' WHERE id > ?", 0)
		if err != nil {
			t.Fatalf("%s: Exec: %v", name, err)
		}
		if n, err := res.RowsAffected(); n != 2 || err != nil {
			t.Errorf("%s: Exec: got %d rows, %v; want 2", name, n, err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
}
