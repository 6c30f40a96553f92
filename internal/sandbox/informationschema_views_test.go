package sandbox

import (
	"testing"

	bq "google.golang.org/api/bigquery/v2"
)

func TestInformationSchemaViews(t *testing.T) {
	t.Parallel()
	s := start(t, Config{NoData: true, Projects: map[string][]string{DefaultAccount: {DefaultProject},
		"bob@example.com": {DefaultProject}}})
	exec(t, s, "CREATE SCHEMA d", "CREATE TABLE d.t (id INT64, place STRUCT<x INT64 OPTIONS (description = 'left'), more "+
		"ARRAY<STRUCT<y STRING(3)>>> OPTIONS (description = 'where')) OPTIONS (labels = [('a', 'b'), ('c', 'd\"e')], "+
		"friendly_name = 'T')", "CREATE VIEW d.v OPTIONS (description = 'look') AS SELECT 1 AS a",
		"CREATE FUNCTION d.twice(x INT64, y ANY TYPE) RETURNS INT64 AS (x * 2)",
		"CREATE TABLE FUNCTION d.rows(n INT64) AS (SELECT n AS a) OPTIONS (description = 'all')",
		"CREATE TABLE d.days (a INT64, day DATE) PARTITION BY day",
		"INSERT INTO d.days VALUES (1, DATE '2024-01-01'), (2, DATE '2024-01-02'), (3, DATE '2024-01-02')")
	bob := newClient(t, s, "bob@example.com")
	bob.exec("SELECT 'of bob'")
	c := newClient(t, s, DefaultAccount)
	c.exec("INSERT INTO d.t (id) SELECT id + 1 FROM d.t UNION ALL SELECT 5")
	c.fails("SELECT nope", "invalidQuery", "nope")
	for _, tt := range []struct{ name, sql, want string }{
		{"field paths", "SELECT STRING_AGG(FORMAT('%s %s %s %t', column_name, field_path, data_type, description), '; ' " +
			"ORDER BY field_path) FROM d.INFORMATION_SCHEMA.COLUMN_FIELD_PATHS WHERE table_name = 't'",
			"id id INT64 NULL; place place STRUCT<x INT64, more ARRAY<STRUCT<y STRING(3)>>> where; place place.more " +
				"ARRAY<STRUCT<y STRING(3)>> NULL; place place.more.y STRING(3) NULL; place place.x INT64 left"},
		{"options", "SELECT STRING_AGG(CONCAT(table_name, ' ', option_name, ' ', option_type, ' ', option_value), '; ' " +
			"ORDER BY table_name, option_name) FROM d.INFORMATION_SCHEMA.TABLE_OPTIONS", `t friendly_name STRING "T"; t ` +
			`labels ARRAY<STRUCT<STRING, STRING>> [STRUCT("a", "b"), STRUCT("c", "d\"e")]; v description STRING "look"`},
		{"views", "SELECT CONCAT(table_name, ' ', view_definition, ' ', use_standard_sql) FROM d.INFORMATION_SCHEMA.VIEWS",
			"v SELECT 1 AS a YES"},
		{"routines", "SELECT STRING_AGG(FORMAT('%s %s %t %s', routine_name, routine_type, data_type, routine_definition), " +
			"'; ' ORDER BY routine_name) FROM d.INFORMATION_SCHEMA.ROUTINES",
			"rows TABLE FUNCTION NULL (SELECT n AS a); twice FUNCTION INT64 x * 2"},
		{"routine options", "SELECT STRING_AGG(FORMAT('%s %s %s %s', specific_name, option_name, option_type, " +
			"option_value)) FROM d.INFORMATION_SCHEMA.ROUTINE_OPTIONS", `rows description STRING "all"`},
		{"storage", "SELECT STRING_AGG(FORMAT('%s %d %d %d %d %d %t %s', table_name, total_rows, total_partitions, " +
			"total_logical_bytes, active_logical_bytes, long_term_logical_bytes, deleted, table_type), '; ' ORDER BY " +
			"table_name) FROM `region-us`.INFORMATION_SCHEMA.TABLE_STORAGE",
			"days 3 2 48 48 0 false BASE TABLE; t 1 0 8 8 0 false BASE TABLE"},
		{"parameters", "SELECT STRING_AGG(FORMAT('%d %t %s', ordinal_position, parameter_name, data_type), '; ' ORDER BY " +
			"ordinal_position) FROM `region-us`.INFORMATION_SCHEMA.PARAMETERS WHERE specific_name = 'twice'",
			"0 NULL INT64; 1 x INT64; 2 y ANY TYPE"},
		{"jobs", "SELECT STRING_AGG(CONCAT(user_email, ' ', statement_type, ' ', state), '; ' ORDER BY creation_time) FROM " +
			"`region-us`.INFORMATION_SCHEMA.JOBS WHERE state = 'DONE' AND (query LIKE 'INSERT%' OR query = \"SELECT 'of " +
			"bob'\")", "bob@example.com SELECT DONE; ada@example.com INSERT DONE"},
		{"jobs of a user", "SELECT COUNT(*) FROM `region-us`.INFORMATION_SCHEMA.JOBS_BY_USER WHERE user_email != " +
			"'ada@example.com' OR job_type != 'QUERY' OR end_time < start_time", "0"},
		{"a job's DML and tables", "SELECT FORMAT('%d %d %s %s', dml_statistics.inserted_row_count, ARRAY_LENGTH(" +
			"referenced_tables), referenced_tables[OFFSET(0)].table_id, destination_table.table_id) FROM " +
			"`region-us`.INFORMATION_SCHEMA.JOBS_BY_PROJECT WHERE statement_type = 'INSERT'", "1 1 t t"},
		{"a job's error", "SELECT CONCAT(error_result.reason, ' ', error_result.message) FROM " +
			"`region-us`.INFORMATION_SCHEMA.JOBS WHERE error_result IS NOT NULL AND query = 'SELECT nope'",
			"invalidQuery Unrecognized name: nope at [1:8]"},
		{"another region", "SELECT COUNT(*) FROM `region-us`.INFORMATION_SCHEMA.JOBS WHERE labels IS NULL", "0"},
	} {
		if got := c.value(tt.sql); got != tt.want {
			t.Errorf("%s: got %s; want %s", tt.name, got, tt.want)
		}
	}
	for _, tt := range []struct{ sql, reason, part string }{
		{"SELECT job_stages FROM `region-us`.INFORMATION_SCHEMA.JOBS", "invalidQuery",
			"The column job_stages is not supported by the sandbox"},
		{"SELECT total_physical_bytes FROM `region-us`.INFORMATION_SCHEMA.TABLE_STORAGE_BY_PROJECT", "invalidQuery",
			"The column total_physical_bytes is not supported by the sandbox"},
		{"SELECT j.timeline FROM `region-us`.INFORMATION_SCHEMA.JOBS AS j", "invalidQuery",
			"The column timeline is not supported by the sandbox"},
		{"SELECT nosuch FROM `region-us`.INFORMATION_SCHEMA.JOBS", "invalidQuery", "Unrecognized name: nosuch"},
		{"SELECT 1 FROM `somebody-elses`.`region-us`.INFORMATION_SCHEMA.JOBS", "accessDenied", "INFORMATION_SCHEMA.JOBS"},
		{"SELECT 1 FROM d.INFORMATION_SCHEMA.JOBS", "notFound", "d"},
		{"SELECT 1 FROM `region-us`.INFORMATION_SCHEMA.PARTITIONS", "invalidQuery", "qualified with a dataset"},
	} {
		c.fails(tt.sql, tt.reason, tt.part)
	}
	resp, err := c.svc.Jobs.Query(DefaultProject, &bq.QueryRequest{Query: "SELECT * FROM d.INFORMATION_SCHEMA.PARTITIONS",
		UseLegacySql: legacyOff}).Do()
	if err != nil || resp.TotalRows != 3 || resp.Rows[2].F[3].V != nil {
		t.Errorf("a table without partitions: got %+v, %v; want a row without an id", resp, err)
	}
}
