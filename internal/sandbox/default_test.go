package sandbox

import (
	"testing"

	bq "google.golang.org/api/bigquery/v2"
)

// TestDefaults: what is written where a row says nothing of a column.
func TestDefaults(t *testing.T) {
	t.Parallel()
	s := start(t, Config{NoData: true})
	exec(t, s, "CREATE SCHEMA d", "CREATE TABLE d.t (id INT64, who STRING DEFAULT SESSION_USER(), n NUMERIC DEFAULT 5, "+
		"tags ARRAY<STRING> DEFAULT ['a'], place STRUCT<x INT64> DEFAULT STRUCT(1), made TIMESTAMP NOT NULL DEFAULT "+
		"CURRENT_TIMESTAMP(), free STRING)")
	c := newClient(t, s, DefaultAccount)
	const row = "SELECT STRING_AGG(FORMAT('%d %t %t %T %t %t', id, who, n, tags, place.x, made > '2020-01-01'), '; ' " +
		"ORDER BY id) FROM d.t"
	const whole = "ada@example.com 5 [\"a\"] 1 true"
	for _, tt := range []struct{ name, sql, want string }{
		{"columns left out", "INSERT INTO d.t (id) VALUES (1), (2)", "1 " + whole + "; 2 " + whole},
		{"a query", "INSERT INTO d.t (id) SELECT 1", "1 " + whole},
		{"the word", "INSERT INTO d.t VALUES (1, DEFAULT, DEFAULT, DEFAULT, DEFAULT, DEFAULT, DEFAULT)", "1 " + whole},
		{"NULL is a value", "INSERT INTO d.t (id, who, n) VALUES (1, NULL, NULL)", "1 NULL NULL [\"a\"] 1 true"},
		{"MERGE", "MERGE d.t USING (SELECT 1 AS k UNION ALL SELECT 2) ON FALSE WHEN NOT MATCHED AND k = 1 THEN INSERT " +
			"(id) VALUES (k) WHEN NOT MATCHED THEN INSERT (id, who) VALUES (k, DEFAULT)",
			"1 " + whole + "; 2 " + whole},
		{"UPDATE", "UPDATE d.t SET who = DEFAULT, n = DEFAULT WHERE TRUE", "1 " + whole},
	} {
		c.exec("TRUNCATE TABLE d.t")
		if tt.name == "UPDATE" {
			c.exec("INSERT INTO d.t (id, who, n) VALUES (1, 'x', 1)")
		}
		c.exec(tt.sql)
		if got := c.value(row); got != tt.want {
			t.Errorf("%s: got %s; want %s", tt.name, got, tt.want)
		}
	}
	for _, tt := range []struct{ alter, want string }{
		{"ALTER COLUMN n SET DEFAULT 1.5", "1.5"},
		{"ALTER COLUMN n DROP DEFAULT", "NULL"},
		{"ALTER COLUMN tags DROP DEFAULT, ALTER COLUMN n SET DEFAULT -3", "-3"},
		{"ADD COLUMN later STRING, ALTER COLUMN later SET DEFAULT 'x', ALTER COLUMN IF EXISTS nosuch SET DEFAULT 1", "-3"},
	} {
		c.exec("ALTER TABLE d.t "+tt.alter, "TRUNCATE TABLE d.t", "INSERT INTO d.t (id) VALUES (1)")
		if got := c.value("SELECT FORMAT('%t', n) FROM d.t"); got != tt.want {
			t.Errorf("%s: got %s; want %s", tt.alter, got, tt.want)
		}
	}
	if got := c.value("SELECT FORMAT('%d %s', ARRAY_LENGTH(tags), later) FROM d.t"); got != "0 x" {
		t.Errorf("got %s; want 0 x", got)
	}
	if got, want := c.value("SELECT STRING_AGG(CONCAT(column_name, ' ', column_default), ', ' ORDER BY "+
		"ordinal_position) FROM d.INFORMATION_SCHEMA.COLUMNS WHERE column_default != 'NULL'"), "who SESSION_USER(), n -3, "+
		"place STRUCT(1), made CURRENT_TIMESTAMP(), later 'x'"; got != want {
		t.Errorf("got %s; want %s", got, want)
	}
	c.exec("CREATE TABLE d.u (a INT64 NOT NULL DEFAULT 9, b STRING, c ARRAY<INT64>) AS SELECT 1, 'x', [1]",
		"INSERT INTO d.u (b) VALUES ('y')", "CREATE TEMP TABLE v (a INT64 DEFAULT 7 OPTIONS (description = 'x'), b "+
			"INT64 PRIMARY KEY NOT ENFORCED) AS SELECT 1, 2", "INSERT INTO v (b) VALUES (3)",
		"ALTER TABLE v ALTER COLUMN b SET DEFAULT 4, DROP PRIMARY KEY", "INSERT INTO v (a) VALUES (5)")
	if got := c.value("SELECT STRING_AGG(FORMAT('%d%s%d', a, b, ARRAY_LENGTH(c)), ',' ORDER BY a) FROM d.u"); got !=
		"1x1,9y0" {
		t.Errorf("CREATE TABLE AS with a default: got %s", got)
	}
	if got := c.value("SELECT STRING_AGG(FORMAT('%d%d', a, b), ',' ORDER BY a) FROM v"); got != "12,54,73" {
		t.Errorf("a temporary table: got %s", got)
	}
	c.fails("INSERT INTO d.u (a) VALUES (NULL)", "invalidQuery", "Required field a cannot be null")
	c.fails("CREATE TABLE d.w (a INT64 NOT NULL) AS SELECT CAST(NULL AS INT64)", "invalidQuery",
		"Required field a cannot be null")
}

// TestDescriptions: descriptions and options stay what they are until a statement changes them.
func TestDescriptions(t *testing.T) {
	t.Parallel()
	s := start(t, Config{NoData: true})
	exec(t, s, "CREATE SCHEMA d OPTIONS (description = 'the set', labels = [('a', 'b')], friendly_name = 'Set')",
		"CREATE TABLE d.t (id INT64 OPTIONS (description = 'key'), place STRUCT<x INT64 OPTIONS (description = 'left')>) "+
			"OPTIONS (description = CONCAT('the ', 'table'), labels = [('k', 'v'), ('l', 'w')])",
		"CREATE VIEW d.v (a OPTIONS (description = 'col')) OPTIONS (description = 'look') AS SELECT 1")
	svc := rest(t, s, signIn(t, s, DefaultAccount))
	get := func(name string) (description string, labels map[string]string, fields map[string]string) {
		got, err := svc.Tables.Get(DefaultProject, "d", name).Do()
		if err != nil {
			t.Fatal(err)
		}
		fields = map[string]string{}
		for _, f := range got.Schema.Fields {
			fields[f.Name] = f.Description
			for _, sub := range f.Fields {
				fields[f.Name+"."+sub.Name] = sub.Description
			}
		}
		return got.Description, got.Labels, fields
	}
	expect := func(name, description, label, field, text string) {
		t.Helper()
		got, labels, fields := get(name)
		if got != description || labels["k"] != label || fields[field] != text {
			t.Errorf("got %q, %v, %v; want %q, k %q, %s %q", got, labels, fields, description, label, field, text)
		}
	}
	expect("t", "the table", "v", "place.x", "left")
	expect("v", "look", "", "a", "col")
	exec(t, s, "ALTER TABLE d.t RENAME COLUMN id TO n, ADD COLUMN z STRING OPTIONS (description = 'last')")
	expect("t", "the table", "v", "n", "key")
	expect("t", "the table", "v", "z", "last")
	expect("t", "the table", "v", "place.x", "left")
	exec(t, s, "ALTER TABLE d.t SET OPTIONS (description = NULL, labels = [('k', 'new')]), ALTER COLUMN n SET OPTIONS "+
		"(description = 'other')", "ALTER VIEW d.v ALTER COLUMN a SET OPTIONS (description = 'mine'), SET OPTIONS "+
		"(labels = [('k', 'x')])")
	expect("t", "", "new", "n", "other")
	expect("v", "look", "x", "a", "mine")
	exec(t, s, "ALTER TABLE d.t ALTER COLUMN n SET OPTIONS (description = NULL)", "INSERT INTO d.t (n) VALUES (1)",
		"ALTER SCHEMA d SET OPTIONS (description = 'changed', labels = [])",
		"ALTER SCHEMA IF EXISTS nosuch SET OPTIONS (description = 'x')")
	expect("t", "", "new", "n", "")
	d, err := svc.Datasets.Get(DefaultProject, "d").Do()
	if err != nil || d.Description != "changed" || d.FriendlyName != "Set" || len(d.Labels) != 0 {
		t.Errorf("got %+v, %v; want the changed dataset", d, err)
	}
	exec(t, s, "CREATE SCHEMA far OPTIONS (location = 'eu')")
	if d, err := svc.Datasets.Get(DefaultProject, "far").Do(); err != nil || d.Location != "EU" {
		t.Errorf("got %+v, %v; want a dataset in EU", d, err)
	}
	c := &client{t: t, svc: svc}
	if got, want := c.value("SELECT ddl FROM d.INFORMATION_SCHEMA.TABLES WHERE table_name = 't'"),
		"CREATE TABLE `my-billing-project.d.t`\n(\n  n INT64,\n  place STRUCT<x INT64 OPTIONS(description=\"left\")>,\n"+
			"  z STRING OPTIONS(description=\"last\")\n)\nOPTIONS(\n  labels=[STRUCT(\"k\", \"new\")]\n);"; got != want {
		t.Errorf("got %s; want %s", got, want)
	}
	_, err = svc.Jobs.Query(DefaultProject, &bq.QueryRequest{Query: "CREATE SCHEMA e OPTIONS (location = 'EU')",
		Location: "US", UseLegacySql: legacyOff}).Do()
	if e := apiErr(t, err); e.Errors[0].Reason != "invalid" {
		t.Errorf("a location beside the job's: got %v; want invalid", err)
	}
}
