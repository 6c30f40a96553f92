package sandbox

import (
	"errors"
	"testing"
	"time"

	"cloud.google.com/go/bigquery"
	bq "google.golang.org/api/bigquery/v2"
	"google.golang.org/api/googleapi"
)

// TestCopies: LIKE, COPY, CLONE and snapshots.
func TestCopies(t *testing.T) {
	t.Parallel()
	clock := &fakeClock{now: time.Date(2026, 1, 10, 12, 0, 0, 0, time.UTC)}
	s := start(t, Config{NoData: true, Now: clock.Now})
	exec(t, s, "CREATE SCHEMA d", "CREATE TABLE d.t (id INT64 NOT NULL OPTIONS (description = 'key'), n NUMERIC(5, 2) "+
		"DEFAULT 7, tags ARRAY<STRING>, day DATE, PRIMARY KEY (id) NOT ENFORCED) PARTITION BY day CLUSTER BY id OPTIONS "+
		"(description = 'first', labels = [('a', 'b')])", "INSERT INTO d.t (id, tags) VALUES (1, ['x']), (2, NULL)",
		"CREATE TABLE d.arrived (a INT64) PARTITION BY _PARTITIONDATE", "INSERT INTO d.arrived VALUES (1)",
		"CREATE VIEW d.v AS SELECT 1 AS a")
	c := newClient(t, s, DefaultAccount)
	columns := func(name string) string {
		return c.value("SELECT STRING_AGG(FORMAT('%s %s %s %t %s %t', column_name, data_type, is_nullable, column_default, " +
			"is_partitioning_column, clustering_ordinal_position), ', ' ORDER BY ordinal_position) FROM " +
			"d.INFORMATION_SCHEMA.COLUMNS WHERE table_name = '" + name + "'")
	}
	want := columns("t")
	for _, tt := range []struct{ sql, name, rows, kind string }{
		{"CREATE TABLE d.alike LIKE d.t", "alike", "0", "BASE TABLE"},
		{"CREATE TABLE d.copied COPY d.t", "copied", "2", "BASE TABLE"},
		{"CREATE OR REPLACE TABLE d.copied COPY d.t OPTIONS (description = 'first')", "copied", "2", "BASE TABLE"},
		{"CREATE TABLE IF NOT EXISTS d.cloned CLONE d.t", "cloned", "2", "CLONE"},
		{"CREATE SNAPSHOT TABLE d.shot CLONE d.t", "shot", "2", "SNAPSHOT"},
		{"CREATE SNAPSHOT TABLE IF NOT EXISTS d.shot CLONE d.nosuch", "", "", ""},
		{"CREATE TABLE d.restored CLONE d.shot", "restored", "2", "CLONE"},
	} {
		if tt.name == "" {
			c.fails(tt.sql, "notFound", "nosuch")
			continue
		}
		c.exec(tt.sql)
		if got := columns(tt.name); got != want {
			t.Errorf("%s: got %s; want %s", tt.sql, got, want)
		}
		if got := c.value("SELECT CONCAT(COUNT(*), '') FROM d." + tt.name); got != tt.rows {
			t.Errorf("%s: got %s rows; want %s", tt.sql, got, tt.rows)
		}
		if got := c.value("SELECT table_type FROM d.INFORMATION_SCHEMA.TABLES WHERE table_name = '" + tt.name +
			"'"); got != tt.kind {
			t.Errorf("%s: got a %s; want a %s", tt.sql, got, tt.kind)
		}
		if got := c.value("SELECT STRING_AGG(option_value ORDER BY option_name) FROM d.INFORMATION_SCHEMA.TABLE_OPTIONS " +
			"WHERE table_name = '" + tt.name + "'"); got != `"first",[STRUCT("a", "b")]` {
			t.Errorf("%s: got the options %s", tt.sql, got)
		}
		if got := c.value("SELECT CONCAT((SELECT COUNT(*) FROM d.INFORMATION_SCHEMA.TABLE_CONSTRAINTS WHERE table_name = '" +
			tt.name + "'), (SELECT description FROM d.INFORMATION_SCHEMA.COLUMN_FIELD_PATHS WHERE table_name = '" + tt.name +
			"' AND field_path = 'id'))"); got != "1key" {
			t.Errorf("%s: got %s; want the key and the description", tt.sql, got)
		}
	}
	c.exec("INSERT INTO d.copied (id) VALUES (3)", "UPDATE d.cloned SET id = 9 WHERE TRUE", "DELETE d.t WHERE TRUE")
	if got := c.value("SELECT FORMAT('%d %t %d %d', (SELECT COUNT(*) FROM d.t), (SELECT n FROM d.copied WHERE id = 3), " +
		"(SELECT SUM(id) FROM d.shot), (SELECT SUM(id) FROM d.cloned))"); got != "0 7 3 18" {
		t.Errorf("after changes: got %s; want 0 7 3 18", got)
	}
	if got := c.value("SELECT FORMAT('%s %t %s', base_table_name, snapshot_time_ms, is_insertable_into) FROM " +
		"d.INFORMATION_SCHEMA.TABLES WHERE table_name = 'shot'"); got != "t 2026-01-10 12:00:00+00 NO" {
		t.Errorf("got %s; want where the snapshot is of", got)
	}
	c.exec("CREATE TABLE d.other LIKE d.t PARTITION BY DATE_TRUNC(day, MONTH) CLUSTER BY day OPTIONS (labels = []) AS " +
		"SELECT 5, NUMERIC '1', ['q'], DATE '2026-01-01'")
	if got := c.value("SELECT FORMAT('%d %s', (SELECT id FROM d.other), (SELECT ddl FROM d.INFORMATION_SCHEMA.TABLES " +
		"WHERE table_name = 'other'))"); got != "5 CREATE TABLE `my-billing-project.d.other`\n(\n  id INT64 NOT NULL "+
		"OPTIONS(description=\"key\"),\n  n NUMERIC(5, 2) DEFAULT 7,\n  tags ARRAY<STRING>,\n  day DATE,\n  PRIMARY KEY "+
		"(`id`) NOT ENFORCED\n)\nPARTITION BY DATE_TRUNC(day, MONTH)\nCLUSTER BY day\nOPTIONS(\n  description=\"first\"\n);" {
		t.Errorf("LIKE with clauses: got %s", got)
	}
	c.exec("CREATE TABLE d.arrived2 COPY d.arrived", "INSERT INTO d.arrived2 VALUES (2)")
	if got := c.value("SELECT COUNT(_PARTITIONTIME) FROM d.arrived2"); got != "2" {
		t.Errorf("_PARTITIONTIME of a copy: got %s; want 2", got)
	}
	for _, tt := range []struct{ sql, reason, part string }{
		{"INSERT INTO d.shot (id) VALUES (1)", "invalidQuery", "it is currently a SNAPSHOT"},
		{"DELETE d.shot WHERE TRUE", "invalidQuery", "it is currently a SNAPSHOT"},
		{"TRUNCATE TABLE d.shot", "invalidQuery", "it is currently a SNAPSHOT"},
		{"ALTER TABLE d.shot ADD COLUMN z INT64", "invalidQuery", "it is currently a SNAPSHOT"},
		{"CREATE SNAPSHOT TABLE d.again CLONE d.shot", "invalidQuery", "it is currently a SNAPSHOT"},
		{"CREATE SNAPSHOT TABLE d.shot CLONE d.t", "duplicate", "Already Exists"},
		{"DROP TABLE d.shot", "invalidQuery", "d.shot is a SNAPSHOT, not a TABLE"},
		{"DROP SNAPSHOT TABLE d.t", "invalidQuery", "d.t is a TABLE, not a SNAPSHOT"},
		{"CREATE TABLE d.x COPY d.v", "invalidQuery", "it is currently a VIEW"},
		{"CREATE TABLE d.x CLONE d.t FOR SYSTEM_TIME AS OF CURRENT_TIMESTAMP()", "invalidQuery", "FOR SYSTEM_TIME AS OF"},
		{"CREATE TABLE d.x LIKE d.t AS SELECT 1", "invalidQuery", "does not match"},
		{"UNDROP SCHEMA d", "invalidQuery", "UNDROP is not supported by the sandbox"},
	} {
		c.fails(tt.sql, tt.reason, tt.part)
	}
	got, err := c.svc.Tables.Get(DefaultProject, "d", "shot").Do()
	if err != nil || got.Type != "SNAPSHOT" || got.SnapshotDefinition.BaseTableReference.TableId != "t" {
		t.Errorf("got %+v, %v; want a snapshot of t", got, err)
	}
	if got, err := c.svc.Tables.Get(DefaultProject, "d", "cloned").Do(); err != nil || got.Type != "TABLE" ||
		got.CloneDefinition.CloneTime != "2026-01-10T12:00:00.000Z" {
		t.Errorf("got %+v, %v; want a clone", got, err)
	}
	c.exec("ALTER TABLE d.shot SET OPTIONS (description = 'kept')", "DROP SNAPSHOT TABLE d.shot",
		"DROP SNAPSHOT TABLE IF EXISTS d.shot")
}

func TestAssert(t *testing.T) {
	t.Parallel()
	s := start(t, Config{NoData: true})
	exec(t, s, "CREATE SCHEMA d", "CREATE TABLE d.t AS SELECT 1 AS a")
	c := newClient(t, s, DefaultAccount)
	resp, err := c.query("ASSERT (SELECT COUNT(*) FROM d.t) = 1 AS 'one row'")
	if err != nil || resp.Schema != nil {
		t.Fatalf("got %+v, %v; want no result", resp, err)
	}
	if j := await(t, c.svc, resp.JobReference); j.Statistics.Query.StatementType != "ASSERT" {
		t.Errorf("got %s; want ASSERT", j.Statistics.Query.StatementType)
	}
	for _, tt := range []struct{ sql, part string }{
		{"ASSERT EXISTS(SELECT 1 FROM d.t WHERE a = 2) AS 'no two'", "Assertion failed: no two"},
		{"ASSERT FALSE", "Assertion failed"},
		{"ASSERT CAST(NULL AS BOOL)", "Assertion failed"},
		{"ASSERT 1", "ASSERT expression should return type BOOL, but returns type INT64"},
		{"ASSERT TRUE AS x", "Expected string literal"},
	} {
		c.fails(tt.sql, "invalidQuery", tt.part)
	}
	if got := c.value("DECLARE n INT64 DEFAULT 1; ASSERT n = 1; BEGIN ASSERT n = 2 AS 'two'; EXCEPTION WHEN ERROR THEN " +
		"SELECT @@error.message; END; ASSERT TRUE"); got != "Query error: Assertion failed: two at [1:48]" {
		t.Errorf("in a script: got %s", got)
	}
}

// TestCopyJobs runs copy jobs with the official client, one after the other.
func TestCopyJobs(t *testing.T) {
	t.Parallel()
	s := start(t, Config{NoData: true, Projects: map[string][]string{DefaultAccount: {DefaultProject}}})
	exec(t, s, "CREATE SCHEMA d", "CREATE TABLE d.a (id INT64 NOT NULL, s STRING DEFAULT 'x') CLUSTER BY id OPTIONS "+
		"(description = 'first')", "INSERT INTO d.a VALUES (1, 'one'), (2, 'two')",
		"CREATE TABLE d.b (s STRING, id INT64 NOT NULL)", "INSERT INTO d.b VALUES ('three', 3)",
		"CREATE TABLE d.c (id STRING)", "CREATE TABLE d.nullable (id INT64, s STRING)",
		"CREATE TABLE d.arrived (id INT64) PARTITION BY _PARTITIONDATE", "CREATE VIEW d.v AS SELECT 1 AS id",
		"CREATE SCHEMA far OPTIONS (location = 'EU')")
	client := official(t, s, signIn(t, s, DefaultAccount), DefaultProject)
	table := func(name string) *bigquery.Table { return client.Dataset("d").Table(name) }
	const never, empty, add = bigquery.CreateNever, bigquery.WriteEmpty, bigquery.WriteAppend
	for _, tt := range []struct {
		name, to string
		from     []string
		create   bigquery.TableCreateDisposition
		write    bigquery.TableWriteDisposition
		kind     bigquery.TableCopyOperationType
		rows     int64 // in the table afterwards
		reason   string
	}{
		{"a new table", "new", []string{"a"}, "", "", "", 2, ""},
		{"again, into a table with rows", "new", []string{"a"}, "", empty, "", 2, "duplicate"},
		{"appended", "new", []string{"b", "b"}, "", add, "", 4, ""},
		{"replaced", "new", []string{"a", "b"}, "", bigquery.WriteTruncate, "", 3, ""},
		{"itself", "new", []string{"new"}, "", add, "", 6, ""},
		{"another schema", "new", []string{"c"}, "", add, "", 6, "invalid"},
		{"NULLABLE into REQUIRED", "new", []string{"nullable"}, "", add, "", 6, "invalid"},
		{"REQUIRED into NULLABLE", "nullable", []string{"a"}, "", "", "", 2, ""},
		{"sources that differ", "other", []string{"a", "c"}, "", "", "", -1, "invalid"},
		{"CREATE_NEVER", "other", []string{"a"}, never, "", "", -1, "notFound"},
		{"no such source", "other", []string{"nosuch"}, "", "", "", -1, "notFound"},
		{"a view", "other", []string{"v"}, "", "", "", -1, "invalid"},
		{"partitions by ingestion time", "other", []string{"arrived"}, "", "", "", 0, ""},
		{"appending to these", "other", []string{"arrived"}, "", add, "", 0, "invalid"},
		{"a snapshot", "shot", []string{"a"}, "", "", bigquery.SnapshotOperation, 2, ""},
		{"a snapshot twice", "shot", []string{"a"}, "", "", bigquery.SnapshotOperation, 2, "duplicate"},
		{"a clone", "cloned", []string{"shot"}, "", "", bigquery.CloneOperation, 2, ""},
	} {
		var sources []*bigquery.Table
		for _, name := range tt.from {
			sources = append(sources, table(name))
		}
		copier := table(tt.to).CopierFrom(sources...)
		copier.CreateDisposition, copier.WriteDisposition, copier.OperationType = tt.create, tt.write, tt.kind
		job, err := copier.Run(t.Context())
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		status, err := job.Wait(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if e, ok := errors.AsType[*bigquery.Error](status.Err()); ok {
			got = e.Reason
		}
		if got != tt.reason {
			t.Errorf("%s: got %v; want %q", tt.name, status.Err(), tt.reason)
		}
		if md, err := table(tt.to).Metadata(t.Context()); (err != nil) != (tt.rows < 0) || err == nil &&
			md.NumRows != uint64(tt.rows) {
			t.Errorf("%s: got %+v, %v; want %d rows", tt.name, md, err, tt.rows)
		}
	}
	md, err := table("new").Metadata(t.Context())
	if err != nil || md.Description != "first" || md.Clustering == nil || !md.Schema[0].Required {
		t.Errorf("a copied table: got %+v, %v; want its description, clusters and REQUIRED column", md, err)
	}
	svc := rest(t, s, signIn(t, s, DefaultAccount))
	raw := func(config string) string {
		_, _, body := call(t, s, signIn(t, s, DefaultAccount).AccessToken, "POST", "/bigquery/v2/projects/"+DefaultProject+
			"/jobs", `{"jobReference": {"jobId": "counted"}, "configuration": {"copy": `+config+"}}")
		reason, _ := reasonOf(body)
		return reason
	}
	if got := raw(`{"sourceTable": {"datasetId": "d", "tableId": "a"}, "destinationTable": {"datasetId": "far", "tableId": ` +
		`"t"}}`); got != "" {
		t.Errorf("to another location: got %s; want a job", got)
	}
	job, err := svc.Jobs.Insert(DefaultProject, &bq.Job{Configuration: &bq.JobConfiguration{
		Copy: &bq.JobConfigurationTableCopy{SourceTable: &bq.TableReference{DatasetId: "d", TableId: "a"},
			DestinationTable:          &bq.TableReference{DatasetId: "d", TableId: "last"},
			DestinationExpirationTime: "2099-01-02T03:04:05Z"}}}).Do()
	for ; err == nil && job.Status.State != "DONE"; time.Sleep(time.Millisecond) {
		job, err = svc.Jobs.Get(DefaultProject, job.JobReference.JobId).Do()
	}
	if err != nil {
		t.Fatal(err)
	}
	if job.Statistics.Copy == nil || job.Statistics.Copy.CopiedRows != 2 ||
		job.Statistics.Copy.CopiedLogicalBytes != 26 {
		t.Errorf("statistics: got %+v; want 2 rows of 26 bytes", job.Statistics.Copy)
	}
	if md, err := table("last").Metadata(t.Context()); err != nil || md.ExpirationTime.Year() != 2099 {
		t.Errorf("a table that expires: got %+v, %v; want 2099", md, err)
	}
	job, err = svc.Jobs.Get(DefaultProject, "counted").Location("EU").Do()
	for ; err == nil && job.Status.State != "DONE"; time.Sleep(time.Millisecond) {
		job, err = svc.Jobs.Get(DefaultProject, "counted").Location("EU").Do()
	}
	if err != nil || job.Status.ErrorResult == nil || job.Configuration.JobType != "COPY" {
		t.Errorf("between locations: got %+v, %v; want a COPY with an error", job, err)
	}
	_, err = svc.Jobs.GetQueryResults(DefaultProject, "counted").Location("EU").Do()
	if e, ok := errors.AsType[*googleapi.Error](err); !ok || e.Message != "Cannot return results for the copy job "+
		DefaultProject+":counted." {
		t.Errorf("the results of a copy job: got %v", err)
	}
}
