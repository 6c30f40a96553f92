package sandbox

import (
	"strings"
	"testing"

	bq "google.golang.org/api/bigquery/v2"
)

// TestSessionVariables: what a statement declares at its top level, later ones of the session see.
func TestSessionVariables(t *testing.T) {
	t.Parallel()
	s := start(t, Config{NoData: true})
	exec(t, s, "CREATE SCHEMA d", "CREATE TABLE d.t (x INT64)", "INSERT INTO d.t VALUES (1), (2)")
	c := newClient(t, s, DefaultAccount)
	c.exec("DECLARE a INT64 DEFAULT 5; DECLARE b STRING", "SET b = 'x'",
		"BEGIN DECLARE i INT64 DEFAULT 1; SET a = a + i; END")
	if got := c.value("SELECT FORMAT('%s%d', b, a)"); got != "x6" {
		t.Errorf("got %s; want x6", got)
	}
	if got := c.value("SELECT COUNT(*) FROM d.t WHERE x < a AND x = a - 4"); got != "1" {
		t.Errorf("a query with variables: got %s; want 1", got)
	}
	c.exec("INSERT INTO d.t VALUES (a), (a)", "EXECUTE IMMEDIATE 'INSERT INTO d.t VALUES (a)'")
	if got := c.value("SELECT COUNT(*) FROM d.t WHERE x = 6"); got != "3" {
		t.Errorf("DML with variables: got %s rows; want 3", got)
	}
	c.fails("DECLARE A STRING", "invalidQuery", "Query error: Variable 'A' redeclaration at [1:9]")
	c.fails("SELECT i; SELECT 1", "invalidQuery", "Unrecognized name: i")
	c.fails("SELECT @@row_count", "invalidQuery", "not supported") // a script's alone
	// What has run before an error stays.
	c.fails("DECLARE k INT64 DEFAULT 9; SET a = 7; SELECT 1 / 0", "invalidQuery", "division by zero")
	if got := c.value("SELECT a + k"); got != "16" {
		t.Errorf("after an error: got %s; want 16", got)
	}
	// A dry run sees the variables, and changes none.
	req := &bq.QueryRequest{Query: "SET a = 100; DECLARED: BEGIN END; SELECT a + k", UseLegacySql: legacyOff,
		DryRun: true, ConnectionProperties: c.properties()}
	if resp, err := c.svc.Jobs.Query(DefaultProject, req).Do(); err != nil || resp.StatementType != "SCRIPT" {
		t.Errorf("dry run: got %+v, %v", resp, err)
	}
	req = &bq.QueryRequest{Query: "SELECT a + k AS n", UseLegacySql: legacyOff, DryRun: true,
		ConnectionProperties: c.properties()}
	if resp, err := c.svc.Jobs.Query(DefaultProject, req).Do(); err != nil || len(resp.Schema.Fields) != 1 ||
		resp.Schema.Fields[0].Type != "INTEGER" {
		t.Errorf("dry run of a query: got %+v, %v", resp, err)
	}
	if got := c.value("SELECT a"); got != "7" {
		t.Errorf("after a dry run: got %s; want 7", got)
	}
	other := newClient(t, s, DefaultAccount)
	other.fails("SELECT a", "invalidQuery", "Unrecognized name: a")
	c.with("").fails("SELECT 1; SELECT a", "invalidQuery", "Unrecognized name: a")
}

// TestScriptMakesASession: with createSession a script's variables are the session's first.
func TestScriptMakesASession(t *testing.T) {
	t.Parallel()
	s := start(t, Config{NoData: true})
	c := newClient(t, s, DefaultAccount)
	resp, err := c.svc.Jobs.Query(DefaultProject,
		&bq.QueryRequest{Query: "DECLARE a INT64 DEFAULT 5; SELECT a", UseLegacySql: legacyOff,
			CreateSession: true}).Do()
	if err != nil || resp.SessionInfo == nil || rowsOf(resp) != "5" {
		t.Fatalf("got %+v, %v", resp, err)
	}
	if got := c.with(resp.SessionInfo.SessionId).value("SELECT a"); got != "5" {
		t.Errorf("got %s; want 5", got)
	}
	list, err := c.svc.Jobs.List(DefaultProject).ParentJobId(resp.JobReference.JobId).Do()
	if err != nil || len(list.Jobs) != 1 ||
		list.Jobs[0].Statistics.SessionInfo.SessionId != resp.SessionInfo.SessionId {
		t.Errorf("got %+v, %v; want a child in the session", list, err)
	}
}

func TestScriptTransactions(t *testing.T) {
	t.Parallel()
	s, a, b := bank(t)
	out := b.with("")
	const sum = "SELECT SUM(v) FROM d.t"
	resp, err := out.query("BEGIN TRANSACTION; UPDATE d.t SET v = 20 WHERE id = 1; INSERT INTO d.t VALUES (2, 1); " +
		"SELECT SUM(v) FROM d.t; COMMIT TRANSACTION;")
	if err != nil || rowsOf(resp) != "21" || out.value(sum) != "21" {
		t.Fatalf("got %+v, %v and %s; want 21", resp, err, out.value(sum))
	}
	list, err := out.svc.Jobs.List(DefaultProject).ParentJobId(resp.JobReference.JobId).Do()
	if err != nil || len(list.Jobs) != 5 {
		t.Fatalf("got %+v, %v; want five jobs", list, err)
	}
	ids := map[string]bool{}
	for _, j := range list.Jobs {
		ids[j.Statistics.TransactionInfo.TransactionId] = true
	}
	if len(ids) != 1 || ids[""] {
		t.Errorf("got transactions %v; want one", ids)
	}
	for _, tt := range []struct {
		client     *client
		sql        string
		fails      string // "" = it succeeds
		want, left string // the sum, and how the session is left: open or closed
	}{
		{out, "BEGIN; UPDATE d.t SET v = 0 WHERE TRUE; ROLLBACK; INSERT INTO d.t VALUES (3, 1)", "", "22", "closed"},
		{out, "BEGIN TRANSACTION; UPDATE d.t SET v = 0 WHERE TRUE; SELECT 1", "", "22", "closed"}, // left open
		{out, "BEGIN TRANSACTION; UPDATE d.t SET v = 0 WHERE TRUE; SELECT 1 / 0", "division by zero", "22", "closed"},
		{out, "BEGIN TRANSACTION; UPDATE d.t SET v = 0 WHERE TRUE; SELECT nosuch", "Unrecognized name", "22", "closed"},
		{out, "BEGIN TRANSACTION; SELECT 1; BEGIN TRANSACTION", "cannot be nested", "22", "closed"},
		{out, "BEGIN BEGIN TRANSACTION; UPDATE d.t SET v = 0 WHERE TRUE; SELECT 1 / 0; COMMIT; EXCEPTION WHEN ERROR " +
			"THEN SELECT @@error.message; ROLLBACK TRANSACTION; END; UPDATE d.t SET v = v + 1 WHERE id = 1", "", "23",
			"closed"},
		{out, "BEGIN BEGIN TRANSACTION; UPDATE d.t SET v = v + 1 WHERE id = 1; SELECT nosuch; EXCEPTION WHEN ERROR " +
			"THEN COMMIT; END", "", "24", "closed"},
		// The sandbox's limit: DuckDB has given up the transaction.
		{out, "BEGIN BEGIN TRANSACTION; UPDATE d.t SET v = 0 WHERE TRUE; SELECT 1 / 0; EXCEPTION WHEN ERROR THEN " +
			"COMMIT; END", "can't go on with a transaction after an error in it", "24", "closed"},
		{out, "BEGIN BEGIN TRANSACTION; UPDATE d.t SET v = 0 WHERE TRUE; SELECT 1 / 0; EXCEPTION WHEN ERROR THEN " +
			"SELECT * FROM d.t; END", "can't go on with a transaction after an error in it", "24", "closed"},
		{b, "BEGIN TRANSACTION; UPDATE d.t SET v = 0 WHERE TRUE", "", "24", "open"},
		{b, "BEGIN SELECT 1 / 0; EXCEPTION WHEN ERROR THEN SELECT 'x'; END", "", "24", "open"},
		{b, "SELECT v FROM d.t", "can't go on with a transaction after an error in it", "24", "open"},
		{b, "ROLLBACK", "", "24", "closed"},
		{b, "BEGIN TRANSACTION; UPDATE d.t SET v = 0 WHERE TRUE; SELECT 1 / 0", "division by zero", "24", "open"},
		{b, "ROLLBACK", "", "24", "closed"},
		{b, "BEGIN TRANSACTION; UPDATE d.t SET v = v + 1 WHERE id = 1; COMMIT; BEGIN TRANSACTION; DELETE FROM d.t " +
			"WHERE TRUE; SELEC", "Syntax error", "24", "closed"},
	} {
		_, err := tt.client.query(tt.sql)
		if tt.fails == "" && err != nil || tt.fails != "" && (err == nil || !strings.Contains(err.Error(), tt.fails)) {
			t.Errorf("%s: got %v; want %q", tt.sql, err, tt.fails)
		}
		if got := a.with("").value(sum); got != tt.want {
			t.Errorf("%s: got the sum %s; want %s", tt.sql, got, tt.want)
		}
		open := s.jobs.Held().Transactions > 0
		if open != (tt.left == "open") {
			t.Errorf("%s: an open transaction in the session: %v; want %s", tt.sql, open, tt.left)
		}
	}
	// Two at once are in each other's way.
	a.exec("BEGIN", "UPDATE d.t SET v = 7 WHERE id = 1")
	out.fails("SELECT 1;\nBEGIN TRANSACTION; UPDATE d.t SET v = 0 WHERE TRUE; COMMIT", "invalidQuery",
		"Query error: "+aborted)
	a.exec("COMMIT")
	if got := out.value(sum); got != "9" {
		t.Errorf("got %s; want 9", got)
	}
}

// TestScriptDryRun checks scripts and runs nothing.
func TestScriptDryRun(t *testing.T) {
	t.Parallel()
	s, tok := signed(t, Config{NoData: true})
	svc := rest(t, s, tok)
	exec(t, s, "CREATE SCHEMA d", "CREATE TABLE d.t (x INT64)", "INSERT INTO d.t VALUES (1)")
	for _, tt := range []struct {
		sql   string
		bytes int64
		fails string
	}{
		{"SELECT 1; INSERT INTO d.t VALUES (2)", 0, ""},
		{"DECLARE a DEFAULT (SELECT MAX(x) FROM d.t); DECLARE b INT64 DEFAULT a; SET b = a + 1; SET (a, b) = (1, " +
			"2); SELECT x FROM d.t WHERE x = a", 16, ""},
		{"FOR r IN (SELECT x FROM d.t) DO SELECT r.x + 1; END FOR; BEGIN SELECT 1; EXCEPTION WHEN ERROR THEN SELECT " +
			"@@error.message; RAISE; END", 8, ""},
		{"LOOP IF EXISTS (SELECT x FROM d.t) THEN BREAK; END IF; END LOOP; WHILE FALSE DO CONTINUE; END WHILE; " +
			"REPEAT RETURN; UNTIL @@row_count > 1 END REPEAT", 8, ""},
		{"CREATE TABLE d.u (a INT64); SELECT a FROM d.u; SELECT x FROM d.t", 8, ""},
		{"DECLARE a INT64; EXECUTE IMMEDIATE 'SELECT ?' INTO a USING a; SELECT x FROM d.t", 8, ""},
		{"BEGIN TRANSACTION; SELECT ?; COMMIT", 0, ""},
		{"SELECT 1; SELEC", 0, "Syntax error"},
		{"SELECT 1; SELECT nosuch FROM d.t", 0, "Unrecognized name: nosuch at [1:18]"},
		{"IF FALSE THEN SELECT * FROM d.nosuch; END IF", 0, "Not found: Table"},
		{"DECLARE a INT64 DEFAULT 'x'", 0, "Cannot coerce"},
		{"SELECT 1; SET a = 1", 0, "Undeclared variable: a at [1:15]"},
		{"WHILE 1 DO SELECT 1; END WHILE", 0, "Cannot coerce"},
		{"FOR r IN (SELECT x FROM d.t) DO SELECT r.y; END FOR", 0, "Field name y does not exist"},
		{"RAISE USING MESSAGE = 1", 0, "Cannot coerce"},
		{"EXECUTE IMMEDIATE 1", 0, "Cannot coerce"},
		{"EXECUTE IMMEDIATE 'x' INTO a", 0, "Undeclared variable"},
	} {
		job := queryJob(tt.sql, "")
		job.Configuration.DryRun, job.Configuration.Query.ParameterMode = true, "POSITIONAL"
		got, err := svc.Jobs.Insert(DefaultProject, job).Do()
		if tt.fails != "" {
			if err == nil || !strings.Contains(err.Error(), tt.fails) {
				t.Errorf("%s: got %v; want %s", tt.sql, err, tt.fails)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", tt.sql, err)
			continue
		}
		if st := got.Statistics; st.Query.StatementType != "SCRIPT" || st.TotalBytesProcessed != tt.bytes ||
			st.Query.Schema != nil || st.Query.UndeclaredQueryParameters != nil ||
			st.Query.TotalBytesProcessedAccuracy != "UNKNOWN" {
			t.Errorf("%s: got %+v and %+v; want a SCRIPT of %d bytes", tt.sql, st, st.Query, tt.bytes)
		}
	}
	if n := count(t, s, "d.t"); n != 1 || len(s.jobs.Newest(DefaultProject, "")) != 0 {
		t.Errorf("got %d rows and jobs; want nothing done", n)
	}
}
