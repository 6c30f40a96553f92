package sandbox

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	bq "google.golang.org/api/bigquery/v2"
)

// TestScriptJobs looks at a script's job and at those of its statements.
func TestScriptJobs(t *testing.T) {
	t.Parallel()
	s, tok := signed(t, Config{NoData: true})
	svc := rest(t, s, tok)
	exec(t, s, "CREATE SCHEMA d", "CREATE TABLE d.t (x INT64)", "INSERT INTO d.t VALUES (1), (2)")
	const sql = "DECLARE n INT64 DEFAULT (SELECT COUNT(x) FROM d.t);\n" +
		"INSERT INTO d.t VALUES (n + @more), (9);\n" +
		"IF n > 1 THEN\n\t/* é */ SELECT x FROM d.t ORDER BY x;\nEND IF;\n" +
		"CREATE TABLE d.u (a INT64)"
	in := queryJob(sql, "my-script")
	in.Configuration.Labels = map[string]string{"team": "a"}
	in.Configuration.Query.ParameterMode = "NAMED"
	in.Configuration.Query.QueryParameters = []*bq.QueryParameter{{Name: "more",
		ParameterType: &bq.QueryParameterType{Type: "INT64"}, ParameterValue: &bq.QueryParameterValue{Value: "5"}}}
	j, err := svc.Jobs.Insert(DefaultProject, in).Do()
	if err != nil {
		t.Fatal(err)
	}
	j = await(t, svc, j.JobReference)
	st := j.Statistics
	if j.Status.ErrorResult != nil || st.Query.StatementType != "SCRIPT" || st.NumChildJobs != 4 ||
		st.ParentJobId != "" || st.SessionInfo != nil {
		t.Errorf("got %+v and %+v; want a SCRIPT with four jobs", j.Status, st)
	}
	// The two columns that are read: 16 and 32 bytes.
	if st.TotalBytesProcessed != 48 || st.Query.TotalBytesProcessed != 48 || st.Query.TotalBytesBilled != 2*leastBilled {
		t.Errorf("got %d bytes and %d billed; want 48 and 20 MB", st.TotalBytesProcessed, st.Query.TotalBytesBilled)
	}
	type child struct {
		typ, kind, text, frame string
		changed, bytes         int64
	}
	var got []child
	for token := ""; ; {
		list, err := svc.Jobs.List(DefaultProject).ParentJobId("my-script").MaxResults(3).PageToken(token).Projection(
			"full").Do()
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range list.Jobs {
			st := c.Statistics
			if st.ParentJobId != "my-script" || c.Configuration.Labels["team"] != "a" || c.State != "DONE" ||
				!strings.HasPrefix(c.JobReference.JobId, "script_job_") || c.UserEmail != DefaultAccount {
				t.Errorf("got child %+v with %+v", c, st)
			}
			f := st.ScriptStatistics.StackFrames[0]
			got = append(got, child{st.Query.StatementType, st.ScriptStatistics.EvaluationKind,
				c.Configuration.Query.Query,
				fmt.Sprintf("%d:%d-%d:%d %s", f.StartLine, f.StartColumn, f.EndLine, f.EndColumn, f.Text),
				st.Query.NumDmlAffectedRows, st.TotalBytesProcessed})
		}
		if token = list.NextPageToken; token == "" {
			break
		}
	}
	want := []child{
		{"CREATE_TABLE", "STATEMENT", "CREATE TABLE d.u (a INT64)", "6:1-6:27 CREATE TABLE d.u (a INT64)", 0, 0},
		{"SELECT", "STATEMENT", "SELECT x FROM d.t ORDER BY x", "4:17-4:46 SELECT x FROM d.t ORDER BY x;", 0, 32},
		{"INSERT", "STATEMENT", "INSERT INTO d.t VALUES (n + @more), (9)",
			"2:1-2:41 INSERT INTO d.t VALUES (n + @more), (9);", 2, 0},
		{"SELECT", "EXPRESSION", "(SELECT COUNT(x) FROM d.t)", "1:25-1:51 (SELECT COUNT(x) FROM d.t)", 0, 16},
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got children\n%v\nwant\n%v", got, want)
	}
	list, err := svc.Jobs.List(DefaultProject).ParentJobId("my-script").Do()
	if err != nil {
		t.Fatal(err)
	}
	rows, err := svc.Jobs.GetQueryResults(DefaultProject, list.Jobs[1].JobReference.JobId).Do()
	if err != nil || rowsOf(&bq.QueryResponse{Rows: rows.Rows}) != "1|2|7|9" {
		t.Errorf("got %+v, %v; want the rows of the SELECT", rows, err)
	}
	// The script's own answer is its last statement's, which has no rows.
	if rows, err := svc.Jobs.GetQueryResults(DefaultProject, "my-script").Do(); err != nil || rows.Schema != nil ||
		len(rows.Rows) != 0 {
		t.Errorf("got %+v, %v; want no rows", rows, err)
	}
	if list, err := svc.Jobs.List(DefaultProject).Do(); err != nil || len(list.Jobs) != 1 {
		t.Errorf("got %d jobs, %v; want the script alone", len(list.Jobs), err)
	}
	if list, err := svc.Jobs.List(DefaultProject).ParentJobId("nosuch").Do(); err != nil || len(list.Jobs) != 0 {
		t.Errorf("children of no job: got %d, %v", len(list.Jobs), err)
	}
}

// TestScriptAnswer holds what jobs.query says of a script.
func TestScriptAnswer(t *testing.T) {
	t.Parallel()
	s, tok := signed(t, Config{NoData: true})
	svc := rest(t, s, tok)
	exec(t, s, "CREATE SCHEMA d", "CREATE TABLE d.t (x INT64)")
	query := func(sql string) *bq.QueryResponse {
		t.Helper()
		resp, err := svc.Jobs.Query(DefaultProject, &bq.QueryRequest{Query: sql, UseLegacySql: legacyOff,
			JobCreationMode: "JOB_CREATION_OPTIONAL", MaxResults: 2, ForceSendFields: []string{"MaxResults"}}).Do()
		if err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		if resp.JobReference == nil || resp.StatementType != "SCRIPT" {
			t.Errorf("%s: got %+v; want a SCRIPT with a job", sql, resp)
		}
		return resp
	}
	if resp := query("SELECT 1; INSERT INTO d.t VALUES (1), (2), (3)"); resp.NumDmlAffectedRows != 0 ||
		resp.DmlStats != nil || resp.Schema != nil {
		t.Errorf("got %+v; want no counts and no schema", resp)
	}
	resp := query("SELECT 0; SELECT x FROM d.t ORDER BY x; BEGIN TRANSACTION; COMMIT; DECLARED: BEGIN END")
	if resp.TotalRows != 3 || rowsOf(resp) != "1|2" || resp.PageToken == "" {
		t.Fatalf("got %+v; want the first page of the last SELECT", resp)
	}
	rest, err := svc.Jobs.GetQueryResults(DefaultProject, resp.JobReference.JobId).PageToken(resp.PageToken).Do()
	if err != nil || rowsOf(&bq.QueryResponse{Rows: rest.Rows}) != "3" || rest.PageToken != "" {
		t.Errorf("got %+v, %v; want the last page", rest, err)
	}
	if resp := query("DECLARE a INT64 DEFAULT 1; SET a = 2"); resp.Schema != nil || len(resp.Rows) != 0 ||
		!resp.JobComplete {
		t.Errorf("got %+v; want no result", resp)
	}
}

func TestScriptErrors(t *testing.T) {
	t.Parallel()
	s := start(t, Config{NoData: true})
	exec(t, s, "CREATE SCHEMA d", "CREATE TABLE d.t (x INT64)", "INSERT INTO d.t VALUES (0)")
	c := newClient(t, s, DefaultAccount).with("")
	for _, tt := range []struct{ sql, reason, message string }{
		{"SELECT 1;\nSELEC 2", "invalidQuery", `Syntax error: Unexpected identifier "SELEC" at [2:1]`},
		{"SELECT 1;\n\n  SELECT 1 / x FROM d.t", "invalidQuery", "Query error: division by zero: 1 / 0 at [3:3]"},
		{"SELECT 1;\nSELECT\n  nosuch FROM d.t", "invalidQuery", "Query error: Unrecognized name: nosuch at [3:3]"},
		{"SELECT 1; SELECT * FROM d.nosuch", "notFound", "Query error: Not found: Table my-billing-project:d.nosuch " +
			"was not found in location US at [1:25]"},
		{"SELECT 1; CREATE TABLE d.t (a INT64)", "duplicate", "Query error: Already Exists: Table " +
			"my-billing-project:d.t at [1:11]"},
		{"SELECT 1; DROP TABLE `bigquery-public-data.d.t`", "accessDenied", "Access Denied"},
		{"SELECT 1; BEGIN TRANSACTION; CREATE TABLE d.v (a INT64)", "invalidQuery", "Query error: DDL statements " +
			"are not supported in a transaction, except for those creating or droping temporary tables or temporary " +
			"functions. at [1:30]"},
		{"SELECT 1; COMMIT", "invalidQuery", "no open transaction in this session to commit or roll back at [1:11]"},
		{"DECLARE a INT64 DEFAULT 'x'", "invalidQuery", "Query error: Cannot coerce expression of type STRING to " +
			"type INT64 at [1:25]"},
		{"DECLARE a INT64;\nSET a = 1.5", "invalidQuery", "type FLOAT64 to type INT64 at [2:9]"},
		{"DECLARE a STRING(2) DEFAULT 'abc'", "invalidQuery", "maximum length of 2 at [1:29]"},
		{"DECLARE a INT64;\nSET (a, b) = (1, 2)", "invalidQuery", "Query error: Undeclared variable: b at [2:9]"},
		{"DECLARE a, b INT64;\nSET (a, b) = (1, 2, 3)", "invalidQuery", "at [2:14]"},
		{"BEGIN DECLARE a INT64; END; SELECT a", "invalidQuery", "Query error: Unrecognized name: a at [1:36]"},
		{"IF 1 THEN SELECT 1; END IF", "invalidQuery", "Query error: Cannot coerce expression of type INT64 to type " +
			"BOOL at [1:4]"},
		{"DECLARE a INT64 DEFAULT (SELECT 1 / x FROM d.t)", "invalidQuery", "at [1:25]"},
		{"SELECT 1; RAISE USING MESSAGE = 'no ' - 5", "invalidQuery",
			"No matching signature for operator - for argument types: STRING, INT64 at [1:33]"},
		{"SELECT 1;\nRAISE USING MESSAGE = CONCAT('n', 'o')", "invalidQuery", "Query error: no at [2:1]"},
		{"BEGIN\nRAISE USING MESSAGE = 'a';\nEXCEPTION WHEN ERROR THEN RAISE USING MESSAGE = " +
			"CONCAT(@@error.message, '!'); END", "invalidQuery", "Query error: Query error: a at [2:1]! at [3:27]"},
		{"SELECT 1; SELECT @@error.message", "invalidQuery", "System variable @@error.message is not supported by " +
			"the sandbox at [1:18]"},
		{"SELECT 1; SELECT @p", "invalidQuery", "Query parameter 'p' not found at [1:18]"},
		{"SELECT 1; SELECT SUM(1) + AVG(a) FROM UNNEST([1]) AS x", "invalidQuery", "Unrecognized name: a at [1:31]"},
		{"SELECT 1; CALL BQ.ABORT_SESSION()", "invalidQuery", "can only be called in a session"},
		{"SELECT 1;\nEXECUTE IMMEDIATE CAST(NULL AS STRING)", "invalidQuery",
			"Query error: EXECUTE IMMEDIATE sql string cannot be NULL at [2:19]"},
		{"SELECT 1;\nEXECUTE IMMEDIATE 5", "invalidQuery", "type INT64 to type STRING at [2:19]"},
		{"SELECT 1;\nEXECUTE IMMEDIATE 'SELECT 1 +'", "invalidQuery", "Query error: Invalid EXECUTE IMMEDIATE sql " +
			"string `SELECT 1 +`, Syntax error: Unexpected end of statement at [1:11] at [2:19]"},
		{"EXECUTE IMMEDIATE ''", "invalidQuery", "Empty EXECUTE IMMEDIATE"},
		{"EXECUTE IMMEDIATE 'SELECT 1; SELECT 2'", "invalidQuery", "exactly one statement"},
		{"EXECUTE IMMEDIATE 'BEGIN END'", "invalidQuery", "unsupported statement type: BEGIN"},
		{"DECLARE a INT64 DEFAULT 1;\nEXECUTE IMMEDIATE 'SELECT a'", "invalidQuery",
			"Query error: Unrecognized name: a at [1:8] at [2:1]"},
		{"EXECUTE IMMEDIATE 'SELECT ?'", "invalidQuery", "Positional parameters are not supported"},
		{"EXECUTE IMMEDIATE 'SELECT ?, ?' USING 1", "invalidQuery", "parameter"},
		{"EXECUTE IMMEDIATE 'SELECT @a' USING 1 AS b", "invalidQuery", "Query parameter 'a' not found"},
		{"DECLARE a INT64; EXECUTE IMMEDIATE 'SELECT 1, 2' INTO a", "invalidQuery", "expected 1 columns, but got 2"},
		{"DECLARE a INT64; EXECUTE IMMEDIATE 'SELECT 1 UNION ALL SELECT 2' INTO a", "invalidQuery", "0 or 1 rows"},
		{"DECLARE a INT64; EXECUTE IMMEDIATE 'SELECT TRUE' INTO a", "invalidQuery",
			"type BOOL which is not assignable to variable a of type INT64"},
		{"DECLARE a INT64; EXECUTE IMMEDIATE 'DROP TABLE IF EXISTS d.v' INTO a", "invalidQuery",
			"must use a query statement"},
		{"EXECUTE IMMEDIATE 'SELECT 1' INTO b", "invalidQuery", "Undeclared variable: b at [1:35]"},
	} {
		c.fails(tt.sql, tt.reason, tt.message)
	}
}

// TestScriptErrorJobs: the parent fails with the error of the child.
func TestScriptErrorJobs(t *testing.T) {
	t.Parallel()
	s, tok := signed(t, Config{NoData: true})
	svc := rest(t, s, tok)
	j, err := svc.Jobs.Insert(DefaultProject, queryJob("SELECT 1;\nEXECUTE IMMEDIATE 'SELECT 1 / 0';\nSELECT 2",
		"")).Do()
	if err != nil {
		t.Fatal(err)
	}
	j = await(t, svc, j.JobReference)
	if e := j.Status.ErrorResult; e == nil || e.Reason != "invalidQuery" ||
		e.Message != "Query error: division by zero: 1 / 0 at [2:1]" || e.Location != "query" {
		t.Errorf("got %+v", e)
	}
	list, err := svc.Jobs.List(DefaultProject).ParentJobId(j.JobReference.JobId).Do()
	if err != nil || len(list.Jobs) != 2 || j.Statistics.NumChildJobs != 2 {
		t.Fatalf("got %d jobs, %v; want two", len(list.Jobs), err)
	}
	failed := list.Jobs[0]
	if failed.ErrorResult == nil || failed.ErrorResult.Message != "division by zero: 1 / 0" {
		t.Errorf("got %+v; want the statement's error", failed.ErrorResult)
	}
	frames, err := json.Marshal(failed.Statistics.ScriptStatistics.StackFrames)
	want := `[{"endColumn":13,"endLine":1,"startColumn":1,"startLine":1,"text":"SELECT 1 / 0"},` +
		`{"endColumn":34,"endLine":2,"startColumn":1,"startLine":2,"text":"EXECUTE IMMEDIATE 'SELECT 1 / 0';"}]`
	if err != nil || string(frames) != want {
		t.Errorf("got frames %s; want %s", frames, want)
	}
}

func TestScriptParameters(t *testing.T) {
	t.Parallel()
	s, tok := signed(t, Config{NoData: true})
	svc := rest(t, s, tok)
	param := func(name, value string) *bq.QueryParameter {
		return &bq.QueryParameter{Name: name, ParameterType: &bq.QueryParameterType{Type: "INT64"},
			ParameterValue: &bq.QueryParameterValue{Value: value}}
	}
	for _, tt := range []struct {
		sql, want string
		params    []*bq.QueryParameter
	}{
		{"DECLARE a INT64 DEFAULT ?; IF ? = 2 THEN SELECT a, ?, a + ?; END IF", "1,3,5",
			[]*bq.QueryParameter{param("", "1"), param("", "2"), param("", "3"), param("", "4")}},
		{"CASE ? WHEN ? THEN SELECT 'a'; WHEN ? THEN SELECT ?; END CASE", "7",
			[]*bq.QueryParameter{param("", "1"), param("", "2"), param("", "1"), param("", "7")}},
		{"DECLARE a INT64 DEFAULT @x; SELECT a + @Y, @x; ", "3,1",
			[]*bq.QueryParameter{param("x", "1"), param("y", "2")}},
		{"SELECT ?; SELECT ?", "Query parameter number 2 not found; not enough positional parameters provided at " +
			"[1:18]", []*bq.QueryParameter{param("", "1")}},
		{"SELECT ?; SELECT 1", "1 positional parameters and 2 values are given",
			[]*bq.QueryParameter{param("", "1"), param("", "2")}},
		{"SELECT @x; SELECT @y", "Query parameter 'y' not found at [1:19]", []*bq.QueryParameter{param("x", "1")}},
	} {
		resp, err := svc.Jobs.Query(DefaultProject, &bq.QueryRequest{Query: tt.sql, UseLegacySql: legacyOff,
			QueryParameters: tt.params}).Do()
		if err != nil {
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s: got %v; want %s", tt.sql, err, tt.want)
			}
			continue
		}
		if got := rowsOf(resp); got != tt.want {
			t.Errorf("%s: got %s; want %s", tt.sql, got, tt.want)
		}
	}
}

// endlessScripts never end by themselves.
var endlessScripts = map[string]string{
	"nothing":     "LOOP END LOOP",
	"expressions": "DECLARE n INT64 DEFAULT 0; WHILE n >= 0 DO SET n = MOD(n + 1, 10); END WHILE",
	"statements":  "LOOP SELECT 1; END LOOP",
	"a statement": "SELECT 1; SELECT COUNT(*) FROM UNNEST(GENERATE_ARRAY(1, 1000000)) AS x, " +
		"UNNEST(GENERATE_ARRAY(1, 1000000)) AS y WHERE x + y < 0",
	"a handler": "LOOP BEGIN SELECT 1 / 0; EXCEPTION WHEN ERROR THEN SELECT 1; END; END LOOP",
	"rows":      "FOR r IN (SELECT * FROM UNNEST(GENERATE_ARRAY(1, 1000000)) AS x) DO SELECT r.x; END FOR",
}

func TestScriptCancel(t *testing.T) {
	t.Parallel()
	s, tok := signed(t, Config{NoData: true})
	svc := rest(t, s, tok)
	for name, sql := range endlessScripts {
		j, err := svc.Jobs.Insert(DefaultProject, queryJob(sql, "")).Do()
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond) // into the loop, or not: both must stop
		if _, err := svc.Jobs.Cancel(DefaultProject, j.JobReference.JobId).Do(); err != nil {
			t.Fatal(err)
		}
		if j = await(t, svc, j.JobReference); j.Status.ErrorResult == nil || j.Status.ErrorResult.Reason != "stopped" {
			t.Errorf("%s: got %+v; want stopped", name, j.Status.ErrorResult)
		}
		list, err := svc.Jobs.List(DefaultProject).ParentJobId(j.JobReference.JobId).MaxResults(1).Do()
		if err != nil || len(list.Jobs) > 0 && list.Jobs[0].State != "DONE" {
			t.Errorf("%s: its last statement: got %+v, %v; want done", name, list.Jobs, err)
		}
	}
	// A cancel of the statement that runs ends the script, too.
	j, err := svc.Jobs.Insert(DefaultProject, queryJob("BEGIN "+endlessScripts["a statement"]+
		"; EXCEPTION WHEN ERROR THEN SELECT 2; END", "")).Do()
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		list, err := svc.Jobs.List(DefaultProject).ParentJobId(j.JobReference.JobId).StateFilter("running").Do()
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("no statement runs: %v", err)
		}
		if len(list.Jobs) > 0 && strings.Contains(list.Jobs[0].Id, "_1") {
			if _, err := svc.Jobs.Cancel(DefaultProject, list.Jobs[0].JobReference.JobId).Do(); err != nil {
				t.Fatal(err)
			}
			break
		}
	}
	if j = await(t, svc, j.JobReference); j.Status.ErrorResult == nil || j.Status.ErrorResult.Reason != "stopped" {
		t.Errorf("its statement was cancelled: got %+v; want stopped", j.Status)
	}
}

func TestScriptLimits(t *testing.T) {
	t.Parallel()
	s, tok := signed(t, Config{NoData: true})
	svc := rest(t, s, tok)
	exec(t, s, "CREATE SCHEMA d", "CREATE TABLE d.t (x INT64)", "INSERT INTO d.t VALUES (1)")
	for name, sql := range endlessScripts {
		in := queryJob(sql, "")
		in.Configuration.JobTimeoutMs = 30
		j, err := svc.Jobs.Insert(DefaultProject, in).Do()
		if err != nil {
			t.Fatal(err)
		}
		if j = await(t, svc, j.JobReference); j.Status.ErrorResult == nil || j.Status.ErrorResult.Reason != "timeout" {
			t.Errorf("%s: got %+v; want timeout", name, j.Status)
		}
	}
	// The limit is that of all statements together.
	query := func(limit int64) (*bq.QueryResponse, error) {
		return svc.Jobs.Query(DefaultProject, &bq.QueryRequest{Query: "SELECT x FROM d.t; SELECT 1; SELECT x FROM d.t",
			UseLegacySql: legacyOff, MaximumBytesBilled: limit}).Do()
	}
	if resp, err := query(2 * leastBilled); err != nil || resp.TotalBytesBilled != 2*leastBilled ||
		resp.TotalBytesProcessed != 16 {
		t.Errorf("got %+v, %v; want 20 MB billed", resp, err)
	}
	_, err := query(2*leastBilled - 1)
	if e := apiErr(t, err); e.Errors[0].Reason != "bytesBilledLimitExceeded" ||
		!strings.Contains(e.Message, fmt.Sprint(2*leastBilled)) {
		t.Errorf("got %v; want bytesBilledLimitExceeded", err)
	}
}

// TestScriptLocation: a script runs where its first dataset is.
func TestScriptLocation(t *testing.T) {
	t.Parallel()
	s, tok := signed(t, Config{NoData: true})
	svc := rest(t, s, tok)
	if _, err := svc.Datasets.Insert(DefaultProject,
		&bq.Dataset{DatasetReference: &bq.DatasetReference{DatasetId: "e"}, Location: "EU"}).Do(); err != nil {
		t.Fatal(err)
	}
	exec(t, s, "CREATE TABLE e.t (x INT64)")
	for _, req := range []bq.QueryRequest{
		{Query: "DECLARE a INT64 DEFAULT 1; INSERT INTO e.t VALUES (a); SELECT x FROM e.t"},
		{Query: "SELECT 1; SELECT x FROM e.t"},
		{Query: "DECLARE a INT64 DEFAULT (SELECT MAX(x) FROM e.t); SELECT a"},
		{Query: "LOOP IF TRUE THEN SELECT x FROM e.t; LEAVE; END IF; END LOOP"},
		{Query: "DECLARE a INT64 DEFAULT 1; SELECT x FROM e.t WHERE x = a", Location: "EU"},
	} {
		req.UseLegacySql = legacyOff
		resp, err := svc.Jobs.Query(DefaultProject, &req).Do()
		if err != nil || resp.JobReference.Location != "EU" || rowsOf(resp) != "1" {
			t.Errorf("%s: got %+v, %v; want EU", req.Query, resp, err)
		}
	}
}
