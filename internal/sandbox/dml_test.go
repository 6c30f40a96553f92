package sandbox

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"cloud.google.com/go/bigquery"
	bq "google.golang.org/api/bigquery/v2"
)

func TestRequestIDStandsForOneJob(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s := start(t, Config{NoData: true, Now: func() time.Time { return now }})
	svc := rest(t, s, signIn(t, s, DefaultAccount))
	exec(t, s, "CREATE SCHEMA d", "CREATE TABLE d.t (a INT64)")
	insert := func(id, sql string) string {
		t.Helper()
		resp, err := svc.Jobs.Query(DefaultProject, &bq.QueryRequest{Query: sql, UseLegacySql: legacyOff,
			RequestId: id}).Do()
		if err != nil {
			t.Fatal(err)
		}
		return resp.JobReference.JobId
	}
	const sql = "INSERT INTO d.t VALUES (1)"
	first := insert("request-1", sql)
	if again := insert("request-1", sql); again != first {
		t.Errorf("the same request: got job %s; want %s", again, first)
	}
	if other := insert("request-1", "INSERT INTO d.t VALUES (2)"); other == first {
		t.Error("another statement with the same id: got the same job")
	}
	if other := insert("request-2", sql); other == first {
		t.Error("another id: got the same job")
	}
	if n := count(t, s, "d.t"); n != 3 {
		t.Errorf("got %d rows; want 3", n)
	}
	now = now.Add(16 * time.Minute)
	// The token lives for an hour; the request id has been forgotten.
	if later := insert("request-1", sql); later == first {
		t.Error("after 16 minutes: got the same job")
	}
}

// TestRequestIDOfARefusal: a statement that was refused is refused again under its id.
func TestRequestIDOfARefusal(t *testing.T) {
	t.Parallel()
	s, tok := signed(t, Config{NoData: true})
	svc := rest(t, s, tok)
	for i := range 2 {
		_, err := svc.Jobs.Query(DefaultProject, &bq.QueryRequest{Query: "INSERT INTO nosuch.t VALUES (1)",
			UseLegacySql: legacyOff, RequestId: "request"}).Do()
		if err == nil || !strings.Contains(err.Error(), "nosuch") {
			t.Errorf("time %d: got %v; want an error that names nosuch", i+1, err)
		}
	}
}

func TestDML(t *testing.T) {
	t.Parallel()
	s, tok := signed(t, Config{NoData: true})
	svc := rest(t, s, tok)
	exec(t, s, "CREATE SCHEMA d", "CREATE TABLE d.t (a INT64 NOT NULL, b STRING)")
	for _, tt := range []struct {
		sql  string
		want int64
		stat bq.DmlStatistics
	}{
		{"INSERT INTO d.t (a, b) VALUES (1, 'x'), (2, NULL), (3, 'z')", 3, bq.DmlStatistics{InsertedRowCount: 3}},
		{"UPDATE d.t SET b = 'y' WHERE a > 1", 2, bq.DmlStatistics{UpdatedRowCount: 2}},
		{"UPDATE d.t SET b = 'y' WHERE a > 100", 0, bq.DmlStatistics{}},
		{"DELETE FROM d.t WHERE a = 1", 1, bq.DmlStatistics{DeletedRowCount: 1}},
		{"TRUNCATE TABLE d.t", 2, bq.DmlStatistics{DeletedRowCount: 2}},
	} {
		resp, err := svc.Jobs.Query(DefaultProject, &bq.QueryRequest{Query: tt.sql, UseLegacySql: legacyOff}).Do()
		if err != nil {
			t.Errorf("%s: %v", tt.sql, err)
			continue
		}
		if resp.NumDmlAffectedRows != tt.want || resp.DmlStats == nil ||
			resp.DmlStats.InsertedRowCount != tt.stat.InsertedRowCount ||
			resp.DmlStats.UpdatedRowCount != tt.stat.UpdatedRowCount ||
			resp.DmlStats.DeletedRowCount != tt.stat.DeletedRowCount {
			t.Errorf("%s: got %d rows, %+v; want %d, %+v", tt.sql, resp.NumDmlAffectedRows, resp.DmlStats, tt.want,
				tt.stat)
		}
		if resp.Schema == nil || resp.Schema.Fields[0].Mode != "" || resp.Rows != nil || !resp.JobComplete {
			t.Errorf("%s: got %+v; want the table's schema without modes, and no rows", tt.sql, resp)
		}
		job := await(t, svc, resp.JobReference)
		if n := job.Statistics.Query.NumDmlAffectedRows; n != tt.want {
			t.Errorf("%s: got %d rows in the job; want %d", tt.sql, n, tt.want)
		}
	}
	_, err := svc.Jobs.Query(DefaultProject, &bq.QueryRequest{Query: "INSERT INTO d.t (b) VALUES ('x')",
		UseLegacySql: legacyOff}).Do()
	if e := apiErr(t, err); e.Errors[0].Reason != "invalidQuery" ||
		!strings.Contains(strings.ToLower(e.Message), "required") {
		t.Errorf("NULL into a REQUIRED column: got %v; want invalidQuery", err)
	}
	if n := count(t, s, "d.t"); n != 0 {
		t.Errorf("got %d rows; want none", n)
	}
}

func TestConcurrentDMLTakesTurns(t *testing.T) {
	t.Parallel()
	s, tok := signed(t, Config{NoData: true})
	exec(t, s, "CREATE SCHEMA d", "CREATE TABLE d.t (a INT64)", "INSERT INTO d.t VALUES (0)")
	svc := rest(t, s, tok)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 5 {
				if _, err := svc.Jobs.Query(DefaultProject, &bq.QueryRequest{
					Query: "UPDATE d.t SET a = a + 1 WHERE TRUE", UseLegacySql: legacyOff,
					TimeoutMs: 60_000}).Do(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if got := rows(t, official(t, s, tok, DefaultProject), "SELECT a FROM d.t"); fmt.Sprint(got) != "[[40]]" {
		t.Errorf("got %v; want 40", got)
	}
}

func TestDDL(t *testing.T) {
	t.Parallel()
	s, tok := signed(t, Config{NoData: true})
	svc := rest(t, s, tok)
	for _, tt := range []struct{ sql, operation, reason string }{
		{"CREATE SCHEMA d", "CREATE", ""},
		{"CREATE SCHEMA d", "", "duplicate"},
		{"CREATE SCHEMA IF NOT EXISTS d", "SKIP", ""},
		{"CREATE TABLE d.t (a INT64, b ARRAY<STRING>, c STRUCT<x INT64, y STRING>)", "CREATE", ""},
		{"CREATE TABLE d.t (a INT64)", "", "duplicate"},
		{"CREATE TABLE IF NOT EXISTS d.t (a INT64)", "SKIP", ""},
		{"CREATE OR REPLACE TABLE d.t (a INT64)", "REPLACE", ""},
		{"CREATE TABLE d.u AS SELECT 1 AS x, 'y' AS y", "CREATE", ""},
		{"CREATE TABLE nosuch.t (a INT64)", "", "notFound"},
		{"DROP SCHEMA d", "", "resourceInUse"},
		{"DROP TABLE d.t", "DROP", ""},
		{"DROP TABLE d.t", "", "notFound"},
		{"DROP TABLE IF EXISTS d.t", "SKIP", ""},
		{"CREATE TABLE d.U (a INT64)", "", "invalid"},
		{"DROP SCHEMA d CASCADE", "DROP", ""},
		{"DROP SCHEMA IF EXISTS d", "SKIP", ""},
		{"DROP SCHEMA d", "", "notFound"},
		{"CREATE SCHEMA `bigquery-public-data.mine`", "", "accessDenied"},
		{"CREATE TABLE `bigquery-public-data.usa_names.mine` (a INT64)", "", "accessDenied"},
	} {
		j, err := svc.Jobs.Insert(DefaultProject, queryJob(tt.sql, "")).Do()
		if err != nil {
			t.Errorf("%s: %v", tt.sql, err)
			continue
		}
		j = await(t, svc, j.JobReference)
		if e := j.Status.ErrorResult; e != nil {
			if e.Reason != tt.reason {
				t.Errorf("%s: got %s: %s; want %q", tt.sql, e.Reason, e.Message, tt.reason)
			}
			continue
		}
		if got := j.Statistics.Query.DdlOperationPerformed; tt.reason != "" || got != tt.operation {
			t.Errorf("%s: got operation %q; want %q, reason %q", tt.sql, got, tt.operation, tt.reason)
		}
	}
}

func TestCreateTableAsSelect(t *testing.T) {
	t.Parallel()
	s, tok := signed(t, Config{NoData: true})
	c := official(t, s, tok, DefaultProject)
	exec(t, s, "CREATE SCHEMA d")
	rows(t, c, "CREATE TABLE d.t AS SELECT 1 AS a, 'x' AS b, [1, 2] AS c, STRUCT(1 AS p, 'q' AS q) AS s")
	md, err := c.Dataset("d").Table("t").Metadata(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var types []string
	for _, f := range md.Schema {
		types = append(types, fmt.Sprint(f.Name, ":", f.Type, ":", f.Repeated))
	}
	if got, want := strings.Join(types, " "),
		"a:INTEGER:false b:STRING:false c:INTEGER:true s:RECORD:false"; got != want {
		t.Errorf("got schema %s; want %s", got, want)
	}
	got := rows(t, c, "SELECT * FROM d.t")
	if want := []bigquery.Value{int64(1), "x", []bigquery.Value{int64(1), int64(2)},
		[]bigquery.Value{int64(1), "q"}}; fmt.Sprint(got[0]) != fmt.Sprint(want) {
		t.Errorf("got %v; want %v", got[0], want)
	}
}

func TestNullArrayIsEmpty(t *testing.T) {
	t.Parallel()
	s, tok := signed(t, Config{NoData: true})
	c := official(t, s, tok, DefaultProject)
	exec(t, s, "CREATE SCHEMA d", "CREATE TABLE d.t (id INT64, a ARRAY<INT64>)",
		"INSERT INTO d.t VALUES (1, NULL)", "INSERT INTO d.t (id) VALUES (2)", "INSERT INTO d.t SELECT 3, NULL")
	got := rows(t, c, "SELECT COUNT(*), COUNTIF(a IS NULL), SUM(ARRAY_LENGTH(a)) FROM d.t")
	if want := "[[3 0 0]]"; fmt.Sprint(got) != want {
		t.Errorf("stored: got %v; want %s", got, want)
	}
	got = rows(t, c, "SELECT CAST(NULL AS ARRAY<INT64>), STRUCT(CAST(NULL AS ARRAY<STRING>))")
	if want := "[[[] [[]]]]"; fmt.Sprint(got) != want {
		t.Errorf("result: got %v; want %s", got, want)
	}
}
