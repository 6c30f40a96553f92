package sandbox

import (
	"strings"
	"testing"

	bq "google.golang.org/api/bigquery/v2"
)

func TestTempTable(t *testing.T) {
	t.Parallel()
	s := start(t, Config{NoData: true})
	exec(t, s, "CREATE SCHEMA d", "CREATE TABLE d.t (a INT64)", "INSERT INTO d.t VALUES (1)")
	c, other := newClient(t, s, DefaultAccount), newClient(t, s, DefaultAccount)
	c.exec("CREATE TEMP TABLE x (a INT64 NOT NULL, tags ARRAY<STRING>)",
		"INSERT INTO x VALUES (1, ['p', 'q']), (2, NULL)",
		"CREATE TEMPORARY TABLE y AS SELECT a + 10 AS a FROM x", "UPDATE y SET a = a + 1 WHERE a = 11",
		"DELETE FROM x WHERE a = 2",
		"MERGE y USING x ON y.a = x.a WHEN NOT MATCHED THEN INSERT (a) VALUES (x.a)")
	for sql, want := range map[string]string{
		"SELECT STRING_AGG(CAST(a AS STRING) ORDER BY a) FROM y":                "1,12,12",
		"SELECT FORMAT('%d%s', a, ARRAY_TO_STRING(tags, '')) FROM _SESSION.x":   "1pq",
		"SELECT COUNT(*) FROM x JOIN `_SESSION.y` USING (a) JOIN d.t USING (a)": "1",
		"WITH x AS (SELECT 7 AS a) SELECT a FROM x":                             "7",
	} {
		if got := c.value(sql); got != want {
			t.Errorf("%s: got %s; want %s", sql, got, want)
		}
	}
	c.exec("CREATE TEMP TABLE IF NOT EXISTS x (b INT64)", "CREATE OR REPLACE TEMP TABLE y AS SELECT 'new' AS a",
		"CREATE TABLE d.copy AS SELECT * FROM y", "TRUNCATE TABLE x")
	if got := c.value(
		"SELECT FORMAT('%s%d%d', y.a, (SELECT COUNT(a) FROM x), (SELECT COUNT(*) FROM d.copy)) " +
			"FROM y"); got != "new01" {
		t.Errorf("got %s; want new01", got)
	}
	// No other session sees them, and the other's may have the same name.
	other.fails("SELECT * FROM _SESSION.x", "notFound", ".x")
	other.exec("CREATE TEMP TABLE x AS SELECT 5 AS n")
	if got := other.value("SELECT n FROM x"); got != "5" {
		t.Errorf("the other's: got %s; want 5", got)
	}
	for _, tt := range []struct{ sql, reason, part string }{
		{"CREATE TEMP TABLE x (a INT64)", "duplicate", "Already Exists: Table " + DefaultProject + ":_"},
		{"CREATE TEMP TABLE X (a INT64)", "invalid", "differ only by case"},
		{"CREATE TEMP TABLE d.z (a INT64)", "invalidQuery", "cannot have a qualified name: d.z at [1:1]"},
		{"CREATE TABLE _SESSION.z (a INT64)", "invalidQuery", "CREATE TEMP TABLE"},
		{"INSERT INTO x (a) VALUES (NULL)", "invalidQuery", "Required field a cannot be null"},
		{"DROP TABLE _SESSION.nosuch", "notFound", "nosuch"},
		{"SELECT * FROM z", "invalidQuery", "must be qualified"},
	} {
		c.fails(tt.sql, tt.reason, tt.part)
	}
	c.exec("DROP TABLE x", "DROP TABLE IF EXISTS _SESSION.x")
	c.fails("SELECT * FROM x", "invalidQuery", "must be qualified")
	const outside = "Use of CREATE TEMPORARY TABLE requires a script or session"
	c.with("").fails("CREATE TEMP TABLE z (a INT64)", "invalidQuery", outside)
	c.with("").fails("CREATE OR REPLACE TEMPORARY TABLE z AS SELECT 1 AS a", "invalidQuery", outside)
	c.with("").fails("SELECT * FROM _SESSION.y", "invalidQuery", "script or session")
}

// TestTempTableHidesTheDefaultDatasets resolves a name without a dataset.
func TestTempTableHidesTheDefaultDatasets(t *testing.T) {
	t.Parallel()
	s := start(t, Config{NoData: true})
	exec(t, s, "CREATE SCHEMA d", "CREATE TABLE d.t AS SELECT 'permanent' AS v")
	c := newClient(t, s, DefaultAccount)
	run := func(sql string) string {
		t.Helper()
		resp, err := c.svc.Jobs.Query(DefaultProject, &bq.QueryRequest{
			Query: sql, UseLegacySql: legacyOff, ConnectionProperties: c.properties(),
			DefaultDataset: &bq.DatasetReference{DatasetId: "d"},
		}).Do()
		if err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		if len(resp.Rows) == 0 {
			return ""
		}
		return resp.Rows[0].F[0].V.(string)
	}
	run("CREATE TEMP TABLE t AS SELECT 'temporary' AS v")
	run("CREATE TABLE u AS SELECT v FROM t") // in the dataset
	for sql, want := range map[string]string{"SELECT v FROM t": "temporary", "SELECT v FROM d.t": "permanent",
		"SELECT v FROM d.u": "temporary"} {
		if got := run(sql); got != want {
			t.Errorf("%s: got %s; want %s", sql, got, want)
		}
	}
	run("DROP TABLE t") // the temporary one
	if got := run("SELECT v FROM t"); got != "permanent" {
		t.Errorf("after DROP TABLE: got %s; want permanent", got)
	}
}

func TestTempTableInTransaction(t *testing.T) {
	t.Parallel()
	_, c, _ := bank(t)
	c.exec("CREATE TEMP TABLE x AS SELECT 1 AS a")
	const sum = "SELECT SUM(a) FROM x"
	c.exec("BEGIN", "INSERT INTO x VALUES (2)", "CREATE TEMP TABLE y AS SELECT * FROM x",
		"INSERT INTO d.t SELECT a, a FROM y", "DROP TABLE x")
	c.exec("ROLLBACK")
	if got := c.value(sum); got != "1" {
		t.Errorf("rolled back: got %s; want 1", got)
	}
	c.fails("SELECT * FROM y", "invalidQuery", "y")
	if got := c.value("SELECT COUNT(*) FROM d.t"); got != "1" {
		t.Errorf("rolled back: d.t has %s rows; want 1", got)
	}
	c.exec("BEGIN", "UPDATE x SET a = 5 WHERE TRUE", "CREATE OR REPLACE TEMP TABLE y AS SELECT * FROM x")
	c.fails("SELECT 1 / 0 FROM y", "invalidQuery", "division by zero")
	c.fails("ALTER TABLE x ADD COLUMN b INT64", "invalidQuery", "can't go on with a transaction after an error in it")
	c.exec("ROLLBACK")
	if got := c.value(sum); got != "1" {
		t.Errorf("after an error: got %s; want 1", got)
	}
	c.exec("BEGIN", "INSERT INTO x VALUES (2)", "CREATE TEMP TABLE y AS SELECT * FROM x", "COMMIT")
	if got := c.value("SELECT SUM(x.a) + COUNT(*) FROM x JOIN y USING (a)"); got != "5" {
		t.Errorf("committed: got %s; want 5", got)
	}
}

// TestTempTableMetadata holds the job's metadata, the bytes, and what a dry run says.
func TestTempTableMetadata(t *testing.T) {
	t.Parallel()
	s, tok := signed(t, Config{NoData: true})
	svc := rest(t, s, tok)
	// The session's first statement makes one.
	resp, err := svc.Jobs.Query(DefaultProject, &bq.QueryRequest{Query: "CREATE TEMP TABLE x AS SELECT 1 AS a, 2 AS b",
		UseLegacySql: legacyOff, CreateSession: true}).Do()
	if err != nil {
		t.Fatal(err)
	}
	c := &client{t: t, svc: svc, session: resp.SessionInfo.SessionId}
	job := await(t, svc, resp.JobReference)
	q := job.Statistics.Query
	if q.StatementType != "CREATE_TABLE_AS_SELECT" || q.DdlOperationPerformed != "CREATE" || q.DdlTargetTable == nil ||
		q.DdlTargetTable.TableId != "x" || !strings.HasPrefix(q.DdlTargetTable.DatasetId, "_") {
		t.Errorf("got %s, %s, %+v", q.StatementType, q.DdlOperationPerformed, q.DdlTargetTable)
	}
	if d := job.Configuration.Query.DestinationTable; d == nil || d.DatasetId != q.DdlTargetTable.DatasetId ||
		d.TableId != "x" {
		t.Errorf("got the destination %+v; want that of %+v", d, q.DdlTargetTable)
	}
	c.exec("INSERT INTO x VALUES (3, 4)")
	dry := queryJob("SELECT a FROM x", "")
	dry.Configuration.DryRun, dry.Configuration.Query.ConnectionProperties = true, c.properties()
	job, err = svc.Jobs.Insert(DefaultProject, dry).Do()
	if err != nil {
		t.Fatal(err)
	}
	if got := job.Statistics.TotalBytesProcessed; got != 16 {
		t.Errorf("got %d bytes; want 16", got)
	}
	dry.Configuration.Query.ConnectionProperties = nil
	if _, err := svc.Jobs.Insert(DefaultProject, dry).Do(); err == nil {
		t.Error("a dry run outside of the session: got no error")
	}
	c.exec("CALL BQ.ABORT_SESSION()")
	c.open()
	c.fails("SELECT * FROM _SESSION.x", "notFound", ".x")
}
