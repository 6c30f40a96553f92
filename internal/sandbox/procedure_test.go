package sandbox

import (
	"strings"
	"testing"

	bq "google.golang.org/api/bigquery/v2"
)

func TestProcedures(t *testing.T) {
	t.Parallel()
	s := start(t, Config{NoData: true})
	exec(t, s, "CREATE SCHEMA d", "CREATE TABLE d.t (a INT64)",
		"CREATE PROCEDURE d.add(x INT64, INOUT total NUMERIC, OUT note STRING) BEGIN DECLARE twice INT64 DEFAULT x * 2; "+
			"SET total = total + twice; SET note = CONCAT('added ', twice); END",
		"CREATE PROCEDURE d.fill(IN n INT64) BEGIN WHILE n > 0 DO INSERT INTO d.t VALUES (n); SET n = n - 1; END WHILE; "+
			"SELECT COUNT(*) AS c FROM d.t; END",
		"CREATE PROCEDURE d.fact(n INT64, OUT r INT64) BEGIN IF n <= 1 THEN SET r = 1; ELSE CALL d.fact(n - 1, r); SET r = "+
			"r * n; END IF; END",
		"CREATE PROCEDURE d.endless() BEGIN CALL d.endless(); END",
		"CREATE PROCEDURE d.fail(x INT64)\nBEGIN\n  SELECT 1 / x;\nEND",
		"CREATE PROCEDURE d.outer_fail() BEGIN CALL d.fail(0); END",
		"CREATE PROCEDURE d.early(OUT r STRING) BEGIN SET r = 'a'; RETURN; SET r = 'b'; END",
		"CREATE PROCEDURE d.any_type(x ANY TYPE, OUT y ANY TYPE) BEGIN SET y = x; END",
		"CREATE PROCEDURE d.keep() BEGIN BEGIN TRANSACTION; INSERT INTO d.t VALUES (100); COMMIT; END",
		"CREATE PROCEDURE d.loose() OPTIONS (strict_mode = FALSE) BEGIN SELECT a FROM d.later; END")
	c := newClient(t, s, DefaultAccount).with("")
	for _, tt := range []struct{ name, sql, want string }{
		{"arguments", "DECLARE n NUMERIC DEFAULT 1; DECLARE s STRING; CALL d.add(3, n, s); CALL d.add(4, n, s); SELECT " +
			"FORMAT('%t %s', n, s)", "15 added 8"},
		{"statements are the script's", "CALL d.fill(3)", "3"},
		{"recursion", "DECLARE r INT64; CALL d.fact(10, r); SELECT CAST(r AS STRING)", "3628800"},
		{"RETURN leaves the procedure alone", "DECLARE r STRING; CALL d.early(r); SELECT CONCAT(r, '!')", "a!"},
		{"ANY TYPE", "DECLARE r DATE; CALL d.any_type(DATE '2026-01-02', r); SELECT CAST(r AS STRING)", "2026-01-02"},
		{"a transaction", "CALL d.keep(); SELECT CAST(MAX(a) AS STRING) FROM d.t", "100"},
		{"an error that is handled", "BEGIN CALL d.outer_fail(); EXCEPTION WHEN ERROR THEN SELECT FORMAT('%s | %d %s | " +
			"%T', @@error.message, ARRAY_LENGTH(@@error.stack_trace), @@error.formatted_stack_trace, " +
			"@@error.stack_trace[OFFSET(2)].location); END", "Query error: division by zero: 1 / 0 at " +
			"[my-billing-project.d.fail:2:3] | 3 At my-billing-project.d.fail[2:3]\nAt " +
			"my-billing-project.d.outer_fail[1:7]\nAt the script[1:7] | NULL"},
		{"its variables are its own", "DECLARE twice INT64 DEFAULT 5; DECLARE n NUMERIC DEFAULT 0; DECLARE s STRING; CALL " +
			"d.add(1, n, s); SELECT CAST(twice AS STRING)", "5"},
		{"temporary tables", "CREATE TEMP TABLE tmp AS SELECT 1 AS a; CALL d.fill(0); SELECT CAST(COUNT(*) AS " +
			"STRING) FROM tmp", "1"},
		{"routines", "SELECT CONCAT(routine_type, ' ', routine_definition) FROM d.INFORMATION_SCHEMA.ROUTINES WHERE " +
			"routine_name = 'endless'", "PROCEDURE BEGIN CALL d.endless(); END"},
		{"parameters", "SELECT STRING_AGG(FORMAT('%d %s %s %s', ordinal_position, parameter_mode, " +
			"parameter_name, data_type), ', ' ORDER BY ordinal_position) FROM d.INFORMATION_SCHEMA.PARAMETERS WHERE specific_name = 'add'",
			"1 IN x INT64, 2 INOUT total NUMERIC, 3 OUT note STRING"},
	} {
		if got := strings.ReplaceAll(c.value(tt.sql), "Division", "division"); got != tt.want {
			t.Errorf("%s: got %s; want %s", tt.name, got, tt.want)
		}
	}
	for _, tt := range []struct{ sql, reason, part string }{
		{"CALL d.outer_fail()", "invalidQuery", "at [my-billing-project.d.fail:2:3]"},
		{"CALL d.endless()", "invalidQuery", "maximum nesting level of procedure calls, 50"},
		{"CALL d.nosuch()", "notFound", "Routine my-billing-project:d.nosuch"},
		{"CALL nosuch()", "invalidQuery", "must be qualified with a dataset"},
		{"CALL d.fill()", "invalidQuery", "takes 1 arguments, but the call has 0"},
		{"CALL d.fill(n => 1)", "invalidQuery", "A named argument of CALL is not supported by the sandbox"},
		{"CALL d.fill('x')", "invalidQuery", "Cannot coerce expression of type STRING to type INT64"},
		{"CALL d.early('x')", "invalidQuery", "The argument of the OUT parameter r must be a variable"},
		{"CALL d.loose()", "notFound", "d.later"},
		{"EXECUTE IMMEDIATE 'CALL d.keep()'", "invalid", "CALL in EXECUTE IMMEDIATE"},
		{"CREATE PROCEDURE d.fill() BEGIN END", "duplicate", "Already Exists: Routine"},
		{"CREATE PROCEDURE d.bad() BEGIN SELECT nope FROM d.t; END", "invalidQuery", "Unrecognized name: nope at [1:39]"},
		{"CREATE PROCEDURE d.bad() BEGIN SELECT 1 END", "invalidQuery", "Syntax error"},
		{"CREATE PROCEDURE d.bad(a INT64, A INT64) BEGIN END", "invalidQuery", "redeclaration"},
		{"CREATE PROCEDURE d.bad(a INT64) BEGIN DECLARE a INT64; END", "invalidQuery", "redeclaration"},
		{"CREATE PROCEDURE d.bad() LANGUAGE PYTHON AS ''", "invalidQuery", "another language"},
		{"DROP PROCEDURE d.nosuch", "notFound", "nosuch"},
	} {
		c.fails(tt.sql, tt.reason, tt.part)
	}
	c.exec("CREATE OR REPLACE PROCEDURE d.fill(n INT64) BEGIN SELECT n; END",
		"CREATE PROCEDURE IF NOT EXISTS d.fill() BEGIN END", "DROP PROCEDURE d.early", "DROP PROCEDURE IF EXISTS d.early")
	if got := c.value("CALL d.fill(42)"); got != "42" {
		t.Errorf("a procedure that was replaced: got %s; want 42", got)
	}
	if got := c.value("SELECT CAST(COUNT(*) AS STRING) FROM d.INFORMATION_SCHEMA.ROUTINES WHERE routine_name = " +
		"'early'"); got != "0" {
		t.Errorf("a procedure that was dropped: got %s", got)
	}
}

// TestProcedureJobs: the statements of a procedure are jobs of the script, with the stack of the calls.
func TestProcedureJobs(t *testing.T) {
	t.Parallel()
	s := start(t, Config{NoData: true})
	exec(t, s, "CREATE SCHEMA d", "CREATE PROCEDURE d.inner_one() BEGIN SELECT 1; END",
		"CREATE PROCEDURE d.outer_one() BEGIN CALL d.inner_one(); END")
	svc := rest(t, s, signIn(t, s, DefaultAccount))
	resp, err := svc.Jobs.Query(DefaultProject,
		&bq.QueryRequest{Query: "CALL d.outer_one()", UseLegacySql: legacyOff}).Do()
	if err != nil {
		t.Fatal(err)
	}
	j := await(t, svc, resp.JobReference)
	if j.Statistics.NumChildJobs != 1 || j.Statistics.Query.StatementType != "SCRIPT" {
		t.Errorf("got %+v; want a script with one job", j.Statistics)
	}
	list, err := svc.Jobs.List(DefaultProject).ParentJobId(resp.JobReference.JobId).Projection("full").Do()
	if err != nil || len(list.Jobs) != 1 {
		t.Fatalf("got %+v, %v; want one job", list, err)
	}
	var got []string
	for _, f := range list.Jobs[0].Statistics.ScriptStatistics.StackFrames {
		got = append(got, f.ProcedureId+": "+f.Text)
	}
	want := "my-billing-project.d.inner_one: SELECT 1;, my-billing-project.d.outer_one: CALL d.inner_one();, : CALL " +
		"d.outer_one()"
	if text := strings.Join(got, ", "); text != want {
		t.Errorf("got %s; want %s", text, want)
	}
}
