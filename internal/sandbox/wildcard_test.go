package sandbox

import (
	"fmt"
	"strings"
	"testing"

	"cloud.google.com/go/bigquery"
)

func TestWildcardTables(t *testing.T) {
	t.Parallel()
	s, tok := signed(t, Config{})
	c := official(t, s, tok, DefaultProject)
	exec(t, s, "CREATE SCHEMA w",
		"CREATE TABLE w.events_20240101 (id INT64 NOT NULL, gone STRING, n STRUCT<a INT64>)",
		"CREATE TABLE w.events_20240102 (id INT64, tags ARRAY<STRING>, n STRUCT<a INT64>)",
		"CREATE TABLE w.events_ (id INT64)",
		"CREATE TABLE w.mixed_1 (id STRING)", "CREATE TABLE w.mixed_2 (id INT64)",
		"CREATE TABLE w.seen_1 (id STRING)", "CREATE VIEW w.seen_2 AS SELECT 'a' AS id",
		"INSERT w.events_20240101 VALUES (1, 'x', STRUCT(10))",
		"INSERT w.events_20240102 VALUES (2, ['a'], STRUCT(20)), (3, [], NULL)")
	for _, tt := range []struct{ sql, want string }{
		{"SELECT * FROM `w.events_*` ORDER BY id", "[[1 [] [10]] [2 [a] [20]] [3 [] <nil>]]"},
		{"SELECT id, _TABLE_SUFFIX AS s FROM `w.events_*` ORDER BY id",
			"[[1 20240101] [2 20240102] [3 20240102]]"},
		{"SELECT COUNT(*) FROM w.`events_2024*` WHERE _TABLE_SUFFIX BETWEEN '0102' AND '0199'", "[[2]]"},
		{"SELECT e._table_suffix AS s, COUNT(*) FROM `w.events_*` AS e GROUP BY 1 ORDER BY 1",
			"[[20240101 1] [20240102 2]]"},
		{"SELECT SUM(ARRAY_LENGTH(tags)) FROM `" + DefaultProject + ".w.events_2*`", "[[1]]"},
		{"SELECT * FROM (SELECT id FROM `w.events_*` WHERE _TABLE_SUFFIX = '20240101')", "[[1]]"},
	} {
		if got := fmt.Sprint(rows(t, c, tt.sql)); got != tt.want {
			t.Errorf("%s\ngot %s, want %s", tt.sql, got, tt.want)
		}
	}
	for _, tt := range []struct{ sql, want string }{
		{"SELECT gone FROM `w.events_*`", "Unrecognized name: gone"},
		{"SELECT id FROM `w.nothing_*`", "does not match any table."},
		{"SELECT id FROM `w.mixed_*`", "Cannot read field 'id' of type STRING as INT64"},
		{"SELECT id FROM `w.seen_*`", "Views cannot be queried through prefix."},
		{"SELECT _TABLE_SUFFIX FROM `w.events_*`", "Field names are not allowed to start with"},
		{"SELECT _TABLE_SUFFIX AS s FROM w.mixed_1", "Unrecognized name: _TABLE_SUFFIX"},
		{"DELETE FROM `w.events_*` WHERE TRUE", "wildcard table or a table decorator here is not supported"},
		{"CREATE TABLE w.`x_*` (a INT64)", "is not supported by the sandbox"},
		{"SELECT * FROM `w.mixed_1$20240101`", "A table decorator is not supported"},
		{"SELECT * FROM `w.mi*xed`", "A table decorator is not supported"},
	} {
		_, err := c.Query(tt.sql).Read(t.Context())
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s\ngot %v, want %s", tt.sql, err, tt.want)
		}
	}
	q := c.Query("SELECT id FROM `w.events_*`")
	q.DryRun = true
	job, err := q.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	st := job.LastStatus().Statistics
	if n := len(st.Details.(*bigquery.QueryStatistics).ReferencedTables); st.TotalBytesProcessed != 24 || n != 2 {
		t.Errorf("got %d bytes of %d tables, want 24 of 2", st.TotalBytesProcessed, n)
	}
}
