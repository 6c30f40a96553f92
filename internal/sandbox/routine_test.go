package sandbox

import "testing"

// TestFunctions: functions in SQL, temporary ones in front of a statement, in scripts and in sessions.
func TestFunctions(t *testing.T) {
	t.Parallel()
	s := start(t, Config{NoData: true})
	exec(t, s, "CREATE SCHEMA d", "CREATE TABLE d.t (x INT64)", "INSERT INTO d.t VALUES (1), (2), (3)",
		"CREATE FUNCTION d.twice(x INT64) RETURNS INT64 AS (x * 2)",
		"CREATE FUNCTION d.label(x ANY TYPE) AS (CONCAT('<', CAST(x AS STRING), '>'))",
		"CREATE FUNCTION d.four(x INT64) AS (d.twice(d.twice(x)))",
		"CREATE FUNCTION d.rank(n INT64) AS ((SELECT COUNT(*) FROM d.t WHERE t.x <= n))",
		"CREATE TABLE FUNCTION d.above(n INT64) AS SELECT x, x * 10 AS y FROM d.t WHERE x > n")
	c := newClient(t, s, DefaultAccount)
	for _, tt := range []struct{ name, sql, want string }{
		{"a function", "SELECT d.twice(21)", "42"},
		{"with a project, in backticks", "SELECT `my-billing-project.d.twice`(4)", "8"},
		{"any type", "SELECT d.label(1.5) || d.label('a')", "<1.5><a>"},
		{"in another one", "SELECT d.four(x) FROM d.t WHERE x = 3", "12"},
		{"with a query", "SELECT SUM(d.rank(x)) FROM d.t", "6"},
		{"of an aggregate", "SELECT d.twice(SUM(x)) FROM d.t", "12"},
		{"as a grouping key", "SELECT STRING_AGG(CAST(n AS STRING) ORDER BY n) FROM (SELECT d.twice(x) AS n FROM " +
			"d.t GROUP BY d.twice(x))",
			"2,4,6"},
		{"temporary", "CREATE TEMP FUNCTION inc(x INT64) AS (x + 1); SELECT inc(inc(40))", "42"},
		{"two of them", "CREATE TEMP FUNCTION a(x INT64) AS (x + 1); CREATE TEMP FUNCTION b(x INT64) AS (a(x) * 2); " +
			"SELECT b(1)", "4"},
		{"in a script", "DECLARE n INT64 DEFAULT 2; CREATE TEMP FUNCTION sq(x INT64) AS (x * x); SET n = sq(n + 1); " +
			"SELECT sq(n)", "81"},
		{"a table function", "SELECT SUM(y) FROM d.above(1)", "50"},
		{"joined", "SELECT COUNT(*) FROM d.t JOIN d.above(2) AS a USING (x)", "1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := c.value(tt.sql); got != tt.want {
				t.Errorf("%s: got %s; want %s", tt.sql, got, tt.want)
			}
		})
	}
	for _, tt := range []struct{ name, sql, reason, message string }{
		{"unknown", "SELECT d.nosuch(1)", "invalidQuery", "Function not found: d.nosuch"},
		{"arguments", "SELECT d.twice(1, 2)", "invalidQuery", "it takes 1, but has 2"},
		{"types", "SELECT d.twice('a')", "invalidQuery", "No matching signature for function d.twice"},
		{"a bad body", "CREATE FUNCTION d.bad() AS (nosuch)", "invalidQuery",
			"Invalid function d.bad; Unrecognized name: nosuch"},
		{"there already", "CREATE FUNCTION d.twice(x INT64) AS (x)", "duplicate", "Already Exists: Routine"},
		{"another language", "CREATE FUNCTION d.js(x INT64) RETURNS INT64 LANGUAGE js AS 'return x'", "invalidQuery",
			"another language"},
		{"a parameter in a body", "CREATE FUNCTION d.p() AS (@x)", "invalidQuery", "Query parameters cannot be used"},
		{"calls itself", "CREATE TEMP FUNCTION f(x INT64) AS (f(x)); SELECT f(1)", "invalidQuery",
			"Function not found: f"},
	} {
		t.Run(tt.name, func(t *testing.T) { c.fails(tt.sql, tt.reason, tt.message) })
	}
	c.exec("CREATE OR REPLACE FUNCTION d.twice(x INT64) AS (x + x + 1)", "DROP FUNCTION d.four",
		"DROP FUNCTION IF EXISTS d.four",
		"DROP TABLE FUNCTION d.above")
	if got := c.value("SELECT d.twice(1)"); got != "3" {
		t.Errorf("replaced: got %s; want 3", got)
	}
	c.fails("SELECT d.four(1)", "invalidQuery", "Function not found")
}

// TestViews: views stand for their queries, wherever a table may be read.
func TestViews(t *testing.T) {
	t.Parallel()
	s := start(t, Config{NoData: true})
	exec(t, s, "CREATE SCHEMA d", "CREATE TABLE d.t (x INT64, s STRING)",
		"INSERT INTO d.t VALUES (1, 'a'), (2, 'b'), (3, NULL)",
		"CREATE VIEW d.v AS SELECT x, UPPER(s) AS name FROM d.t WHERE x > 1",
		"CREATE VIEW d.w (n) AS SELECT COUNT(*) FROM d.v",
		"CREATE MATERIALIZED VIEW d.m AS SELECT SUM(x) AS total FROM d.t")
	c := newClient(t, s, DefaultAccount)
	for _, tt := range []struct{ name, sql, want string }{
		{"a view", "SELECT STRING_AGG(name) FROM d.v", "B"},
		{"with an alias", "SELECT SUM(q.x) FROM d.v AS q WHERE q.name IS NULL", "3"},
		{"of a view", "SELECT n FROM d.w", "2"},
		{"materialized", "SELECT total FROM d.m", "6"},
		{"joined", "SELECT COUNT(*) FROM d.v JOIN d.t USING (x)", "2"},
		{"in metadata", "SELECT STRING_AGG(table_type ORDER BY table_name) FROM d.INFORMATION_SCHEMA.TABLES",
			"MATERIALIZED VIEW,BASE TABLE,VIEW,VIEW"},
		{"its columns", "SELECT STRING_AGG(column_name ORDER BY ordinal_position) FROM d.INFORMATION_SCHEMA.COLUMNS " +
			"WHERE table_name = 'v'", "x,name"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := c.value(tt.sql); got != tt.want {
				t.Errorf("%s: got %s; want %s", tt.sql, got, tt.want)
			}
		})
	}
	c.exec("INSERT INTO d.t VALUES (10, 'z')")
	if got := c.value("SELECT STRING_AGG(name ORDER BY name) FROM d.v"); got != "B,Z" {
		t.Errorf("after a change: got %s; want B,Z", got)
	}
	c.fails("INSERT INTO d.v (x) VALUES (1)", "invalidQuery", "currently a VIEW")
	c.fails("DROP TABLE d.v", "invalidQuery", "is a VIEW, not a TABLE")
	c.fails("CREATE VIEW d.bad AS SELECT nosuch FROM d.t", "invalidQuery", "Unrecognized name: nosuch")
	c.fails("CREATE VIEW d.v AS SELECT 1 AS a", "duplicate", "Already Exists")
	c.exec("CREATE OR REPLACE VIEW d.v AS SELECT 7 AS x, 'q' AS name", "DROP VIEW d.w")
	if got := c.value("SELECT x FROM d.v"); got != "7" {
		t.Errorf("replaced: got %s; want 7", got)
	}
	c.exec("DROP VIEW d.v", "DROP MATERIALIZED VIEW d.m")
	c.fails("SELECT * FROM d.v", "notFound", "Not found")
}
