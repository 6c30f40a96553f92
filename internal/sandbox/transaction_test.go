package sandbox

import (
	"testing"

	bq "google.golang.org/api/bigquery/v2"
)

const aborted = "Transaction is aborted due to concurrent update against table my-billing-project:d.t. Transaction ID: "

// bank makes a sandbox with a table of one row, and two clients with sessions.
func bank(t *testing.T) (s *Server, a, b *client) {
	t.Helper()
	s = start(t, Config{NoData: true})
	exec(t, s, "CREATE SCHEMA d", "CREATE TABLE d.t (id INT64, v INT64)", "INSERT INTO d.t VALUES (1, 10)",
		"CREATE TABLE d.u (v INT64)", "INSERT INTO d.u VALUES (7)")
	return s, newClient(t, s, DefaultAccount), newClient(t, s, DefaultAccount)
}

func TestTransaction(t *testing.T) {
	t.Parallel()
	s, a, b := bank(t)
	for _, tt := range []struct{ sql, typ string }{
		{"BEGIN TRANSACTION", "BEGIN_TRANSACTION"}, {"UPDATE d.t SET v = 11 WHERE id = 1", "UPDATE"},
		{"ROLLBACK TRANSACTION", "ROLLBACK_TRANSACTION"},
		{"BEGIN", "BEGIN_TRANSACTION"}, {"INSERT INTO d.t VALUES (2, 20)", "INSERT"}, {"COMMIT", "COMMIT_TRANSACTION"},
	} {
		resp, err := a.query(tt.sql)
		if err != nil {
			t.Fatalf("%s: %v", tt.sql, err)
		}
		job := await(t, a.svc, resp.JobReference)
		if got := job.Statistics.Query.StatementType; got != tt.typ {
			t.Errorf("%s: got type %s; want %s", tt.sql, got, tt.typ)
		}
		if info := job.Statistics.TransactionInfo; info == nil || info.TransactionId == "" {
			t.Errorf("%s: got no transaction id", tt.sql)
		}
	}
	const all = "SELECT STRING_AGG(FORMAT('%d=%d', id, v) ORDER BY id) FROM d.t"
	if got := b.value(all); got != "1=10,2=20" {
		t.Errorf("got %s; want 1=10,2=20", got)
	}
	// What a transaction has changed is seen by itself alone, until it commits.
	a.exec("BEGIN", "UPDATE d.t SET v = 12 WHERE id = 1", "DELETE FROM d.t WHERE id = 2")
	if got := a.value(all); got != "1=12" {
		t.Errorf("inside: got %s; want 1=12", got)
	}
	if got := b.value(all); got != "1=10,2=20" {
		t.Errorf("outside: got %s; want 1=10,2=20", got)
	}
	a.exec("COMMIT")
	if got := b.value(all); got != "1=12" {
		t.Errorf("committed: got %s; want 1=12", got)
	}
	if n := count(t, s, "d.t"); n != 1 {
		t.Errorf("got %d rows in the table's metadata; want 1", n)
	}
}

func TestTransactionSeesASnapshot(t *testing.T) {
	t.Parallel()
	_, a, b := bank(t)
	a.exec("BEGIN") // and looks at nothing yet
	b.exec("INSERT INTO d.t VALUES (2, 20)", "UPDATE d.u SET v = 8 WHERE TRUE")
	if got := a.value("SELECT COUNT(*) FROM d.t"); got != "1" {
		t.Errorf("got %s rows; want 1", got)
	}
	if got := a.value("SELECT v FROM d.u"); got != "7" {
		t.Errorf("got %s; want 7", got)
	}
	a.exec("COMMIT")
	if got := a.value("SELECT v FROM d.u"); got != "8" {
		t.Errorf("afterwards: got %s; want 8", got)
	}
}

func TestTransactionRules(t *testing.T) {
	t.Parallel()
	s, a, b := bank(t)
	outside := a.with("")
	for _, sql := range []string{"BEGIN", "BEGIN TRANSACTION", "COMMIT", "ROLLBACK TRANSACTION"} {
		outside.fails(sql, "invalidQuery", "Transaction control statements are supported only in scripts or sessions")
	}
	a.fails("COMMIT", "invalidQuery", "no open transaction")
	a.fails("ROLLBACK", "invalidQuery", "no open transaction")
	// Every error leaves the transaction open, with its tables. After some DuckDB can't go on with it.
	for _, tt := range []struct {
		sql, part string
		broken    bool
	}{
		{"BEGIN", "cannot be nested", false},
		{"CREATE TABLE d.x (a INT64)", "DDL statements are not supported in a transaction", false},
		{"DROP TABLE d.t", "DDL statements are not supported in a transaction", false},
		{"SELECT 1 / 0", "division by zero", true},
		{"SELECT nosuch", "Unrecognized name", false},
		{"SELEC 1", "Syntax error", false},
		{"INSERT INTO d.t SELECT 1, DIV(1, v - v) FROM d.u", "division by zero", true},
		{"SELECT 1; SELECT 1 / 0", "division by zero", true},
	} {
		a.exec("BEGIN", "INSERT INTO d.t VALUES (2, 20)", "UPDATE d.t SET v = 1 WHERE TRUE")
		a.fails(tt.sql, "invalidQuery", tt.part)
		b.exec("BEGIN")
		b.fails("UPDATE d.t SET v = 2 WHERE TRUE", "invalidQuery", aborted)
		b.fails("COMMIT", "invalidQuery", "can't go on with a transaction after an error in it")
		b.exec("ROLLBACK")
		if tt.broken {
			const limit = "can't go on with a transaction after an error in it, because DuckDB has given up its rows; roll it back"
			a.fails("COMMIT", "invalidQuery", limit)
			a.fails("SELECT * FROM d.t", "invalidQuery", limit)
			a.fails("INSERT INTO d.u VALUES (8)", "invalidQuery", limit)
			a.fails("CREATE TEMP TABLE x AS SELECT 1 AS a", "invalidQuery", limit)
			a.exec("SELECT 1")
		} else if got := a.value("SELECT COUNT(*) FROM d.t"); got != "2" {
			t.Errorf("after %s: got %s rows in the transaction; want 2", tt.sql, got)
		}
		a.exec("ROLLBACK")
		if n := count(t, s, "d.t"); n != 1 {
			t.Fatalf("after %s: got %d rows; want 1", tt.sql, n)
		}
	}
	// The session's end gives the tables back too.
	a.exec("BEGIN", "UPDATE d.t SET v = 1 WHERE TRUE")
	a.fails("SELECT 1 / 0", "invalidQuery", "division by zero")
	outside.exec("CALL BQ.ABORT_SESSION('" + a.session + "')")
	a = newClient(t, s, DefaultAccount)
	outside.exec("UPDATE d.t SET v = 2 WHERE TRUE") // nothing is locked
	// A dry run is no statement of the transaction.
	a.exec("BEGIN", "INSERT INTO d.t VALUES (2, 20)")
	if _, err := a.svc.Jobs.Query(DefaultProject,
		&bq.QueryRequest{Query: "SELECT nosuch", UseLegacySql: legacyOff, DryRun: true,
			ConnectionProperties: a.properties()}).Do(); err == nil {
		t.Error("dry run of a wrong statement: got no error")
	}
	a.exec("COMMIT")
	if n := count(t, s, "d.t"); n != 2 {
		t.Errorf("got %d rows; want 2", n)
	}
}

func TestTransactionConflicts(t *testing.T) {
	t.Parallel()
	s, a, b := bank(t)
	v := func() string { return a.with("").value("SELECT SUM(v) FROM d.t") }
	// Another open transaction has changed the table.
	a.exec("BEGIN", "UPDATE d.t SET v = 11 WHERE id = 1")
	b.exec("BEGIN")
	b.fails("DELETE FROM d.t WHERE id = 99", "invalidQuery", aborted)
	b.fails("COMMIT", "invalidQuery", "can't go on with a transaction after an error in it")
	b.exec("ROLLBACK")
	a.exec("COMMIT")
	// A transaction that was committed meanwhile has.
	b.exec("BEGIN")
	a.exec("BEGIN", "UPDATE d.t SET v = 12 WHERE id = 1", "COMMIT")
	b.fails("UPDATE d.t SET v = 0 WHERE id = 1", "invalidQuery", aborted)
	b.exec("ROLLBACK")
	// A statement outside of a transaction has.
	b.exec("BEGIN", "SELECT * FROM d.t")
	a.exec("UPDATE d.t SET v = 13 WHERE id = 1")
	b.fails("MERGE d.t USING d.u ON FALSE WHEN NOT MATCHED THEN INSERT (id) VALUES (9)", "invalidQuery", aborted)
	b.exec("ROLLBACK")
	// The table was replaced.
	b.exec("BEGIN")
	exec(t, s, "CREATE OR REPLACE TABLE d.t (id INT64, v INT64)", "INSERT INTO d.t VALUES (1, 14)")
	b.fails("UPDATE d.t SET v = 0 WHERE id = 1", "invalidQuery", aborted)
	b.exec("ROLLBACK")
	if got := v(); got != "14" {
		t.Errorf("got %s; want 14", got)
	}
	// A transaction that was rolled back is no conflict, and neither are new rows or other tables.
	b.exec("BEGIN")
	a.exec("BEGIN", "UPDATE d.t SET v = 0 WHERE TRUE", "ROLLBACK", "INSERT INTO d.t VALUES (2, 1)",
		"UPDATE d.u SET v = 9 WHERE TRUE")
	b.exec("UPDATE d.t SET v = v + 1 WHERE id = 1")
	a.with("").exec("INSERT INTO d.t VALUES (3, 1)")
	a.exec("BEGIN", "INSERT INTO d.t VALUES (4, 1)", "COMMIT")
	b.exec("INSERT INTO d.t VALUES (5, 1)", "COMMIT")
	if got := v(); got != "19" {
		t.Errorf("got %s; want 19", got)
	}
}

func TestCancelInTransaction(t *testing.T) {
	t.Parallel()
	s, a, b := bank(t)
	const endless = "SELECT COUNT(*) FROM UNNEST(GENERATE_ARRAY(1, 1000000)) AS x, UNNEST(GENERATE_ARRAY(1, " +
		"1000000)) AS y WHERE x + y < 0"
	a.exec("BEGIN", "INSERT INTO d.t VALUES (2, 20)", "UPDATE d.t SET v = 0 WHERE TRUE")
	job := queryJob(endless, "")
	job.Configuration.Query.ConnectionProperties = a.properties()
	job, err := a.svc.Jobs.Insert(DefaultProject, job).Do()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.svc.Jobs.Cancel(DefaultProject, job.JobReference.JobId).Do(); err != nil {
		t.Fatal(err)
	}
	if job = await(t, a.svc, job.JobReference); job.Status.ErrorResult == nil ||
		job.Status.ErrorResult.Reason != "stopped" {
		t.Errorf("got %+v; want stopped", job.Status)
	}
	a.fails("COMMIT", "invalidQuery", "can't go on with a transaction after an error in it")
	a.exec("ROLLBACK")
	b.exec("UPDATE d.t SET v = 5 WHERE id = 1")
	if got := a.value("SELECT SUM(v) FROM d.t"); got != "5" {
		t.Errorf("got %s; want 5", got)
	}
	if n := count(t, s, "d.t"); n != 1 {
		t.Errorf("got %d rows; want 1", n)
	}
}

// TestCloseEndsTransactions closes a sandbox with a transaction that is open and a statement
// that waits for it; the test's end looks for what is left.
func TestCloseEndsTransactions(t *testing.T) {
	t.Parallel()
	_, a, b := bank(t)
	a.exec("BEGIN", "UPDATE d.t SET v = 0 WHERE TRUE")
	job := queryJob("DELETE FROM d.t WHERE TRUE", "")
	job.Configuration.Query.ConnectionProperties = b.properties()
	if _, err := b.svc.Jobs.Insert(DefaultProject, job).Do(); err != nil {
		t.Fatal(err)
	}
}
