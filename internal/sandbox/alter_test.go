package sandbox

import (
	"testing"
)

func TestAlterTable(t *testing.T) {
	t.Parallel()
	s := start(t, Config{NoData: true})
	exec(t, s, "CREATE SCHEMA d", "CREATE TABLE d.t (id INT64 NOT NULL, name STRING(3))",
		"INSERT INTO d.t VALUES (1, 'x')", "CREATE TABLE d.taken (a INT64)")
	c := newClient(t, s, DefaultAccount)
	const columns = "SELECT STRING_AGG(CONCAT(column_name, ' ', data_type, IF(is_nullable = 'NO', '!', '')), ', ' " +
		"ORDER BY ordinal_position) FROM d.INFORMATION_SCHEMA.COLUMNS WHERE table_name = 't'"
	for _, tt := range []struct{ sql, want string }{
		{"ALTER TABLE d.t ADD COLUMN tags ARRAY<STRING>, ADD COLUMN IF NOT EXISTS ID INT64, ADD COLUMN place " +
			"STRUCT<a INT64>", "id INT64!, name STRING(3), tags ARRAY<STRING>, place STRUCT<a INT64>"},
		{"ALTER TABLE d.t ALTER COLUMN name SET DATA TYPE STRING, ALTER COLUMN id DROP NOT NULL",
			"id INT64, name STRING, tags ARRAY<STRING>, place STRUCT<a INT64>"},
		{"ALTER TABLE d.t ALTER COLUMN id SET DATA TYPE NUMERIC, DROP COLUMN place, DROP COLUMN IF EXISTS nosuch",
			"id NUMERIC, name STRING, tags ARRAY<STRING>"},
		{"ALTER TABLE d.t RENAME COLUMN name TO title", "id NUMERIC, title STRING, tags ARRAY<STRING>"},
		{"ALTER TABLE d.t SET OPTIONS (description = 'x'), ALTER COLUMN id SET OPTIONS (description = 'y')",
			"id NUMERIC, title STRING, tags ARRAY<STRING>"},
		{"ALTER TABLE IF EXISTS d.nosuch ADD COLUMN a INT64", "id NUMERIC, title STRING, tags ARRAY<STRING>"},
	} {
		resp, err := c.query(tt.sql)
		if err != nil {
			t.Fatalf("%s: %v", tt.sql, err)
		}
		if j := await(t, c.svc, resp.JobReference); j.Statistics.Query.StatementType != "ALTER_TABLE" ||
			j.Statistics.Query.DdlOperationPerformed == "" {
			t.Errorf("%s: got %+v", tt.sql, j.Statistics.Query)
		}
		if got := c.value(columns); got != tt.want {
			t.Errorf("%s: got %s; want %s", tt.sql, got, tt.want)
		}
	}
	c.exec("INSERT INTO d.t (id, title, tags) VALUES (1.5, 'longer', NULL)")
	if got := c.value(
		"SELECT STRING_AGG(FORMAT('%t %s %d', id, title, ARRAY_LENGTH(tags)), ', ' ORDER BY id) " +
			"FROM d.t"); got != "1 x 0, 1.5 longer 0" {
		t.Errorf("got %s", got)
	}
	if n := count(t, s, "d.t"); n != 2 {
		t.Errorf("got %d rows in the table's metadata; want 2", n)
	}
	for _, tt := range []struct{ sql, reason, part string }{
		{"ALTER TABLE d.nosuch ADD COLUMN a INT64", "notFound", "nosuch"},
		{"ALTER TABLE d.t ADD COLUMN title INT64", "invalidQuery", "Column already exists: title at [1:28]"},
		{"ALTER TABLE d.t ADD COLUMN n INT64 NOT NULL", "invalidQuery", "required column n"},
		{"ALTER TABLE d.t ADD COLUMN n INT64 DEFAULT 5", "invalidQuery", "default value"},
		{"ALTER TABLE d.t DROP COLUMN nosuch", "invalidQuery", "Column not found: nosuch"},
		{"ALTER TABLE d.taken DROP COLUMN a", "invalidQuery", "the only one"},
		{"ALTER TABLE d.t RENAME COLUMN id TO title", "invalidQuery", "Column already exists: title"},
		{"ALTER TABLE d.t ALTER COLUMN id SET DATA TYPE INT64", "invalidQuery",
			"(NUMERIC) is assignable to the new type (INT64)"},
		{"ALTER TABLE d.t ALTER COLUMN id SET DEFAULT 'x'", "invalidQuery",
			"Default value of column id has type STRING, which does not coerce to NUMERIC"},
		{"ALTER TABLE d.t SET DEFAULT COLLATE 'und:ci'", "invalidQuery", "ALTER ... SET DEFAULT"},
		{"ALTER TABLE d.t RENAME TO taken", "duplicate", "Already Exists"},
		{"ALTER TABLE d.INFORMATION_SCHEMA.TABLES ADD COLUMN a INT64", "invalidQuery", "VIEW"},
		{"ALTER VIEW d.v SET OPTIONS ()", "notFound", "my-billing-project:d.v"},
		{"ALTER VIEW d.t ADD COLUMN a INT64", "invalidQuery", "ALTER VIEW does not support this action"},
		{"ALTER VIEW d.t SET OPTIONS ()", "invalidQuery", "d.t is a TABLE, not a VIEW"},
		{"ALTER SCHEMA nosuch SET OPTIONS ()", "notFound", "my-billing-project:nosuch"},
		{"ALTER SCHEMA d SET OPTIONS (location = 'EU')", "invalid", "cannot be changed"},
		{"ALTER SCHEMA d ADD REPLICA x", "invalidQuery", "ALTER ... ADD REPLICA"},
	} {
		c.fails(tt.sql, tt.reason, tt.part)
	}
	c.exec("BEGIN")
	c.fails("ALTER TABLE d.t ADD COLUMN z INT64", "invalidQuery", "DDL statements are not supported in a transaction")
	c.exec("ROLLBACK")
	c.exec("ALTER TABLE d.t RENAME TO renamed", "CREATE TABLE d.t (b INT64)")
	if got := c.value("SELECT COUNT(*) + COUNT(t.b) FROM d.renamed LEFT JOIN d.t ON FALSE"); got != "2" {
		t.Errorf("renamed: got %s rows; want 2", got)
	}

	c.exec("CREATE TEMP TABLE x AS SELECT 1 AS a", "ALTER TABLE x ADD COLUMN b STRING, RENAME COLUMN a TO n",
		"UPDATE x SET b = 'new' WHERE n = 1")
	if got := c.value("SELECT CONCAT(b, CAST(n AS STRING)) FROM x"); got != "new1" {
		t.Errorf("a temporary table: got %s; want new1", got)
	}
	c.exec("BEGIN", "CREATE TEMP TABLE z AS SELECT 1 AS a", "ALTER TABLE z ADD COLUMN b INT64, ADD COLUMN c INT64, "+
		"DROP COLUMN a", "INSERT INTO z VALUES (1, 2)", "COMMIT")
	if got := c.value("SELECT SUM(b + c) + COUNT(*) FROM z"); got != "5" {
		t.Errorf("in a transaction: got %s; want 5", got)
	}
	c.fails("ALTER TABLE x RENAME TO y", "invalid", "renaming a temporary table")
}
