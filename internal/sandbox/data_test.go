package sandbox

import (
	"os"
	"path/filepath"
	"testing"
)

// TestDataDir: datasets, tables, views and functions with all that describes them are there again, and rows can be
// written to them.
func TestDataDir(t *testing.T) {
	t.Parallel()
	cfg := Config{Open: true, DataDir: filepath.Join(t.TempDir(), "data"), Files: map[string]string{
		"shop.orders": write(t, "orders.csv", "id\n1\n")}}
	first, err := Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	exec(t, first, "CREATE SCHEMA d OPTIONS(description = 'of d', labels = [('a', 'b')])",
		`CREATE TABLE d.t (i INT64 NOT NULL OPTIONS(description = 'one'), s STRING(3) DEFAULT 'abc', n NUMERIC(5, 2) DEFAULT 1.5,
		l ARRAY<STRUCT<a DATE>>, PRIMARY KEY (i) NOT ENFORCED) CLUSTER BY i OPTIONS(description = 'of t')`,
		"INSERT INTO d.t (i, l) VALUES (1, [STRUCT(DATE '2024-02-29')])",
		"CREATE VIEW d.v AS SELECT i + 1 AS j FROM d.t", "CREATE FUNCTION d.f(x INT64) AS (x * 2)",
		"CREATE SNAPSHOT TABLE d.snap CLONE d.t")
	const (
		rowsOf = "SELECT TO_JSON_STRING(t), d.f(7), (SELECT j FROM d.v) FROM d.t AS t"
		ddlOf  = "SELECT ddl FROM d.INFORMATION_SCHEMA.TABLES ORDER BY table_name"
	)
	rows, ddl, schemata := values(t, first, rowsOf), values(t, first, ddlOf), values(t, first,
		"SELECT schema_name, ddl FROM INFORMATION_SCHEMA.SCHEMATA ORDER BY 1")
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	// What a sandbox that was killed left without its catalog.
	stray, err := Start(t.Context(), Config{DataDir: filepath.Join(t.TempDir(), "stray"), NoData: true})
	if err != nil {
		t.Fatal(err)
	}
	exec(t, stray, "CREATE SCHEMA d", "CREATE TABLE d.t (x INT64)")
	if err := stray.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(stray.cfg.DataDir, "catalog.json")); err != nil {
		t.Fatal(err)
	}
	exec(t, start(t, stray.cfg), "CREATE SCHEMA d", "CREATE TABLE d.t (y INT64)")

	s := start(t, cfg)
	for _, tt := range [][2]string{{rowsOf, rows}, {ddlOf, ddl},
		{"SELECT schema_name, ddl FROM INFORMATION_SCHEMA.SCHEMATA ORDER BY 1", schemata}} {
		if got := values(t, s, tt[0]); got != tt[1] {
			t.Errorf("%s: got\n%s; want\n%s", tt[0], got, tt[1])
		}
	}
	if n := count(t, s, "shop.orders"); n != 1 {
		t.Errorf("a file's table: got %d rows; want 1", n)
	}
	exec(t, s, "INSERT INTO d.t (i) VALUES (2)", "ALTER TABLE d.t ADD COLUMN x INT64", "UPDATE d.t SET x = 1 WHERE TRUE")
	if got := values(t, s, "SELECT i, s, n, x FROM d.t ORDER BY i"); got != "[1 abc 3/2 1] [2 abc 3/2 1]" {
		t.Errorf("after a change: got %s", got)
	}
	if err := s.Exec(t.Context(), DefaultProject, "INSERT INTO d.snap (i) VALUES (2)"); err == nil {
		t.Error("a snapshot can be written to")
	}
}
