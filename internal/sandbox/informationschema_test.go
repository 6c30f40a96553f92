package sandbox

import (
	"strings"
	"testing"
	"time"

	bq "google.golang.org/api/bigquery/v2"
)

func TestInformationSchema(t *testing.T) {
	t.Parallel()
	clock := &fakeClock{now: time.Date(2026, 1, 2, 3, 4, 5, 678912000, time.UTC)}
	s := start(t, Config{Now: clock.Now, Projects: map[string][]string{DefaultAccount: {DefaultProject, "second"},
		"bob@example.com": {"second"}}})
	exec(t, s, "CREATE SCHEMA d", "CREATE SCHEMA empty", "CREATE SCHEMA second.far OPTIONS (location = 'EU')",
		"CREATE TABLE d.t (id INT64 NOT NULL, name STRING(9) DEFAULT 'x', `order` NUMERIC(10, 2), tags "+
			"ARRAY<STRING>, place STRUCT<a INT64, b ARRAY<DATE>>)",
		"CREATE TABLE d.u AS SELECT 1 AS a")
	c := newClient(t, s, DefaultAccount)
	c.exec("CREATE TEMP TABLE hidden AS SELECT 1 AS a")
	for sql, want := range map[string]string{
		"SELECT STRING_AGG(table_name ORDER BY table_name) FROM d.INFORMATION_SCHEMA.TABLES": "t,u",
		"SELECT STRING_AGG(table_name) FROM `my-billing-project`.d.information_schema.tables WHERE table_name LIKE " +
			"'u%'": "u",
		"SELECT STRING_AGG(table_name) FROM `my-billing-project.d.INFORMATION_SCHEMA.TABLES` AS x WHERE " +
			"x.table_type = 'BASE TABLE' AND x.table_name = 't'": "t",
		"SELECT COUNT(*) FROM empty.INFORMATION_SCHEMA.TABLES":                                              "0",
		"SELECT COUNT(*) FROM `region-us`.INFORMATION_SCHEMA.TABLES":                                        "2",
		"SELECT COUNT(*) FROM my-billing-project.`region-us`.INFORMATION_SCHEMA.COLUMNS":                    "6",
		"SELECT STRING_AGG(schema_name ORDER BY schema_name) FROM INFORMATION_SCHEMA.SCHEMATA":              "d,empty",
		"SELECT STRING_AGG(schema_name) FROM region-us.INFORMATION_SCHEMA.SCHEMATA WHERE schema_name = 'd'": "d",
		"SELECT STRING_AGG(schema_name) " +
			"FROM `bigquery-public-data`.INFORMATION_SCHEMA.SCHEMATA": "usa_names",
		"SELECT COUNT(*) FROM `bigquery-public-data`.usa_names.INFORMATION_SCHEMA.COLUMNS": "5",
		"SELECT COUNT(*) FROM second.`region-us`.INFORMATION_SCHEMA.TABLES":                "0",
		"SELECT STRING_AGG(FORMAT('%d %s %s %s %s', ordinal_position, column_name, data_type, is_nullable, " +
			"IFNULL(NULLIF(column_default, 'NULL'), '-')), '; ' ORDER BY ordinal_position) FROM d.INFORMATION_SCHEMA.COLUMNS WHERE " +
			"table_name = 't'": "1 id INT64 NO -; 2 name STRING(9) YES 'x'; 3 order NUMERIC(10, 2) YES -; 4 tags " +
			"ARRAY<STRING> YES -; 5 place STRUCT<a INT64, b ARRAY<DATE>> YES -",
		"SELECT COUNT(DISTINCT c.column_name) FROM d.INFORMATION_SCHEMA.COLUMNS AS c JOIN " +
			"d.INFORMATION_SCHEMA.TABLES AS t USING (table_name) WHERE t.table_name = 'u'": "1",
		"SELECT CAST(creation_time AS STRING) FROM d.INFORMATION_SCHEMA.TABLES WHERE table_name = 't'": "2026-01-02 " +
			"03:04:05.678+00",
		"SELECT ddl FROM d.INFORMATION_SCHEMA.TABLES WHERE table_name = 't'": "CREATE TABLE " +
			"`my-billing-project.d.t`\n(\n  id INT64 NOT NULL,\n  name STRING(9) DEFAULT 'x',\n" +
			"  `order` NUMERIC(10, 2),\n  tags ARRAY<STRING>,\n  place STRUCT<a INT64, b ARRAY<DATE>>\n);",
		"SELECT ddl FROM INFORMATION_SCHEMA.SCHEMATA WHERE schema_name = 'd'": "CREATE SCHEMA " +
			"`my-billing-project.d`\nOPTIONS(\n  location=\"us\"\n);",
	} {
		if got := c.value(sql); got != want {
			t.Errorf("%s: got %s; want %s", sql, got, want)
		}
	}
	for _, tt := range []struct{ sql, reason, part string }{
		{"SELECT * FROM INFORMATION_SCHEMA.TABLES", "invalidQuery", "must be qualified with a dataset"},
		{"SELECT * FROM nosuch.INFORMATION_SCHEMA.TABLES", "notFound", "nosuch"},
		{"SELECT * FROM d.INFORMATION_SCHEMA.SCHEMATA", "accessDenied", "SCHEMATA"}, // d is a project here
		{"SELECT * FROM `somebody-elses`.d.INFORMATION_SCHEMA.TABLES", "accessDenied", "INFORMATION_SCHEMA.TABLES"},
		{"SELECT * FROM d.INFORMATION_SCHEMA.STREAMING_TIMELINE", "invalidQuery", "INFORMATION_SCHEMA.STREAMING_TIMELINE"},
		{"SELECT * FROM d.INFORMATION_SCHEMA", "invalidQuery", "not a view"},
		{"DELETE FROM d.INFORMATION_SCHEMA.TABLES WHERE TRUE", "invalidQuery", "is not allowed for this operation"},
		{"DROP TABLE d.INFORMATION_SCHEMA.TABLES", "invalidQuery", "is not allowed for this operation"},
		{"CREATE TABLE d.INFORMATION_SCHEMA.TABLES (a INT64)", "invalidQuery", "is not allowed for this operation"},
	} {
		c.fails(tt.sql, tt.reason, tt.part)
	}
	bob := &client{t: t, svc: rest(t, s, signIn(t, s, "bob@example.com"))}
	_, err := bob.svc.Jobs.Query("second", &bq.QueryRequest{Query: "SELECT * FROM " +
		"`my-billing-project`.d.INFORMATION_SCHEMA.TABLES", UseLegacySql: legacyOff}).Do()
	if e := apiErr(t, err); e.Errors[0].Reason != "accessDenied" {
		t.Errorf("bob: got %v; want accessDenied", err)
	}
}

// TestInformationSchemaColumns holds the columns, their order and what a query costs.
func TestInformationSchemaColumns(t *testing.T) {
	t.Parallel()
	s := start(t, Config{NoData: true})
	exec(t, s, "CREATE SCHEMA d", "CREATE TABLE d.t (a INT64)")
	c := &client{t: t, svc: rest(t, s, signIn(t, s, DefaultAccount))}
	for view, want := range map[string]string{
		"INFORMATION_SCHEMA.SCHEMATA": "catalog_name STRING, schema_name STRING, schema_owner STRING, " +
			"creation_time TIMESTAMP, last_modified_time TIMESTAMP, location STRING, ddl STRING, " +
			"default_collation_name STRING, sync_status JSON",
		"d.INFORMATION_SCHEMA.TABLES": "table_catalog STRING, table_schema STRING, table_name STRING, table_type " +
			"STRING, managed_table_type STRING, is_insertable_into STRING",
		"d.INFORMATION_SCHEMA.COLUMNS": "table_catalog STRING, table_schema STRING, table_name STRING, column_name " +
			"STRING, ordinal_position INTEGER, is_nullable STRING, data_type STRING",
	} {
		resp, err := c.query("SELECT * FROM " + view)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range resp.Schema.Fields {
			got = append(got, f.Name+" "+f.Type)
		}
		if text := strings.Join(got, ", "); !strings.HasPrefix(text, want) || len(resp.Rows) != 1 {
			t.Errorf("%s: got %s and %d rows; want %s and one", view, text, len(resp.Rows), want)
		}
		if resp.TotalBytesProcessed != leastBilled || resp.TotalBytesBilled != leastBilled {
			t.Errorf("%s: got %d bytes, %d billed; want 10 MB", view, resp.TotalBytesProcessed, resp.TotalBytesBilled)
		}
	}
}
