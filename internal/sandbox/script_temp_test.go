package sandbox

import (
	"testing"
)

// TestScriptTempTables makes temporary tables in scripts: in a session they stay, outside they end with
// the script.
func TestScriptTempTables(t *testing.T) {
	t.Parallel()
	s := start(t, Config{NoData: true})
	exec(t, s, "CREATE SCHEMA d")
	c := newClient(t, s, DefaultAccount)
	const script = `DECLARE n INT64 DEFAULT 3;
		CREATE TEMP TABLE x AS SELECT a FROM UNNEST(GENERATE_ARRAY(1, n)) AS a;
		WHILE n > 0 DO INSERT INTO x (a) VALUES (n * 10); SET n = n - 1; END WHILE;
		BEGIN TRANSACTION; DELETE FROM x WHERE TRUE; ROLLBACK TRANSACTION;
		EXECUTE IMMEDIATE 'UPDATE x SET a = a + 1 WHERE a = 1';
		SELECT SUM(a) FROM x;`
	for name, at := range map[string]*client{"in a session": c, "outside": c.with("")} {
		if got := at.value(script); got != "67" {
			t.Errorf("%s: got %s; want 67", name, got)
		}
	}
	if got := c.value("SELECT COUNT(*) FROM x"); got != "6" {
		t.Errorf("in the session afterwards: got %s; want 6", got)
	}
	c.with("").fails("SELECT COUNT(*) FROM _SESSION.x", "invalidQuery", "script or session")
	for sql, want := range map[string]string{
		"SET @@time_zone = 'Europe/Zurich'; " +
			"SELECT CAST(TIMESTAMP '2024-07-01 12:00:00Z' AS STRING)": "2024-07-01 14:00:00+02",
		"SELECT 1; SELECT @@session_id IS NULL": "true",
		"BEGIN CREATE TEMP TABLE y AS SELECT 5 AS a; SELECT 1 / 0; EXCEPTION WHEN ERROR THEN SELECT a FROM y; END": "5",
	} {
		if got := c.with("").value(sql); got != want {
			t.Errorf("%s: got %s; want %s", sql, got, want)
		}
	}
	// After an error in DuckDB what was made in its transaction is lost.
	const handled = "BEGIN TRANSACTION; BEGIN CREATE TEMP TABLE bad AS SELECT 1 / 0 AS a; EXCEPTION WHEN ERROR THEN " +
		"SELECT 1; END; "
	c.fails(handled+"CREATE TEMP TABLE more AS SELECT 1 AS a", "invalidQuery", "can't go on with a transaction")
	c.exec("ROLLBACK")
	if got := c.value(handled + "ROLLBACK TRANSACTION; SELECT COUNT(*) FROM x"); got != "6" {
		t.Errorf("rolled back: got %s; want 6", got)
	}
	job, err := c.svc.Jobs.Insert(DefaultProject, into("SELECT 1; SELECT 2 AS a", "t", "", "")).Do()
	if err != nil {
		t.Fatal(err)
	}
	if e := await(t, c.svc, job.JobReference).Status.ErrorResult; e == nil ||
		e.Message != "configuration.query.destinationTable cannot be set for scripts" {
		t.Errorf("a destination table: got %+v", e)
	}
	dry := queryJob("CREATE TEMP TABLE z AS SELECT 1 AS a; SELECT a FROM z", "")
	dry.Configuration.DryRun = true
	if job, err = c.svc.Jobs.Insert(DefaultProject, dry).Do(); err != nil ||
		job.Statistics.Query.StatementType != "SCRIPT" {
		t.Errorf("dry run: got %+v, %v", job, err)
	}
	// The job of a statement of the script says which table it has made.
	resp, err := c.query("SELECT 1; CREATE OR REPLACE TEMP TABLE x AS SELECT 1 AS a")
	if err != nil {
		t.Fatal(err)
	}
	list, err := c.svc.Jobs.List(DefaultProject).ParentJobId(resp.JobReference.JobId).Projection("full").Do()
	if err != nil || len(list.Jobs) != 2 {
		t.Fatalf("got %+v, %v; want two jobs", list, err)
	}
	for _, j := range list.Jobs {
		if q := j.Statistics.Query; q.StatementType == "CREATE_TABLE_AS_SELECT" &&
			(j.Configuration.Query.DestinationTable == nil || j.Configuration.Query.DestinationTable.TableId != "x") {
			t.Errorf("got the destination %+v; want x", j.Configuration.Query.DestinationTable)
		}
	}
}
