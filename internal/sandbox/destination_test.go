package sandbox

import (
	"strings"
	"testing"

	bq "google.golang.org/api/bigquery/v2"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/catalog"
)

// into is a job that keeps its result in a table of the dataset d.
func into(sql, table, write, create string) *bq.Job {
	j := queryJob(sql, "")
	q := j.Configuration.Query
	q.DestinationTable = &bq.TableReference{ProjectId: DefaultProject, DatasetId: "d", TableId: table}
	q.WriteDisposition, q.CreateDisposition, q.Priority = write, create, "BATCH"
	return j
}

// TestDestinationTable runs one job after another.
func TestDestinationTable(t *testing.T) {
	t.Parallel()
	s, tok := signed(t, Config{NoData: true})
	svc := rest(t, s, tok)
	exec(t, s, "CREATE SCHEMA d", "CREATE TABLE d.strict (a INT64 NOT NULL)", "CREATE TABLE d.short (s STRING(3))",
		"CREATE TABLE d.empty (b STRING, a INT64)")
	const name = "Table " + DefaultProject + ":d."
	for _, tt := range []struct {
		sql, table, write, create string
		rows                      int64 // of the table afterwards
		reason, part              string
	}{
		{"SELECT 1 AS a, [1, 2] AS b, STRUCT('x' AS c) AS s, NULL AS n FROM UNNEST([1]) ORDER BY 1", "t", "",
			"CREATE_NEVER", -1,
			"notFound", "Not found: " + name + "t"},
		{"SELECT 1 AS a, [1, 2] AS b, STRUCT('x' AS c) AS s, NULL AS n FROM UNNEST([1]) ORDER BY 1", "t", "", "", 1, "", ""},
		{"SELECT 1 AS a", "t", "WRITE_EMPTY", "CREATE_IF_NEEDED", 1, "duplicate", "Already Exists: " + name + "t"},
		{"SELECT a + 1 AS A, CAST(NULL AS ARRAY<INT64>) AS b FROM d.t", "t", "WRITE_APPEND", "CREATE_NEVER", 2, "", ""},
		{"SELECT 'x' AS a", "t", "WRITE_APPEND", "", 2, "invalid",
			"Provided Schema does not match " + name + "t. Field a has changed type from INTEGER to STRING"},
		{"SELECT 1 AS b", "t", "WRITE_APPEND", "", 2, "invalid", "Field b has changed mode from REPEATED to NULLABLE"},
		{"SELECT 1 AS z", "t", "WRITE_APPEND", "", 2, "invalid", "Cannot add fields (field: z)"},
		{"SELECT 1 AS a", "strict", "WRITE_APPEND", "", 0, "invalid", "REQUIRED"},
		{"SELECT 'long' AS s", "short", "WRITE_APPEND", "", 0, "invalid", "STRING(3)"},
		{"SELECT 1 AS a, 'x' AS b", "empty", "", "", 1, "", ""},
		{"SELECT a FROM UNNEST([5, 6, 7]) AS a", "empty", "WRITE_TRUNCATE_DATA", "", 3, "", ""},
		{"SELECT 'other' AS schema, f.* FROM (SELECT 1, 2 AS x) AS f", "t", "WRITE_TRUNCATE", "", 1, "", ""},
		{"SELECT 1 AS a, 2 AS A", "dup", "", "", -1, "invalidQuery", "Found duplicate(s): A"},
		{"SELECT [1, NULL] AS a", "nulls", "", "", -1, "invalidQuery", "null element"},
		{"INSERT INTO d.strict VALUES (1)", "u", "", "", -1, "invalid",
			"Cannot set destination table in jobs with DML statements"},
		{"CREATE TABLE d.z (a INT64)", "u", "", "", -1, "invalid",
			"Cannot set destination table in jobs with DDL statements"},
	} {
		j, err := svc.Jobs.Insert(DefaultProject, into(tt.sql, tt.table, tt.write, tt.create)).Do()
		if err != nil {
			t.Errorf("%s: %v", tt.sql, err)
			continue
		}
		j = await(t, svc, j.JobReference)
		reason, message := "", ""
		if e := j.Status.ErrorResult; e != nil {
			reason, message = e.Reason, e.Message
		}
		if reason != tt.reason || !strings.Contains(message, tt.part) {
			t.Errorf("%s into %s %s: got %s: %s; want %s with %q", tt.sql, tt.table, tt.write, reason, message,
				tt.reason, tt.part)
		}
		if got := j.Configuration.Query; got.DestinationTable.TableId != tt.table || got.WriteDisposition != tt.write ||
			got.Priority != "BATCH" {
			t.Errorf("%s: got the configuration %+v", tt.sql, got)
		}
		rows := int64(-1)
		if tbl, err := svc.Tables.Get(DefaultProject, "d", tt.table).Do(); err == nil {
			rows = int64(tbl.NumRows)
		}
		if rows != tt.rows {
			t.Errorf("%s: %s has %d rows; want %d", tt.sql, tt.table, rows, tt.rows)
		}
		if tt.reason == "" {
			res, err := svc.Jobs.GetQueryResults(DefaultProject, j.JobReference.JobId).Do()
			if err != nil || len(res.Rows) == 0 {
				t.Errorf("%s: its rows: got %+v, %v", tt.sql, res, err)
			}
		}
	}
	tbl, err := svc.Tables.Get(DefaultProject, "d", "t").Do()
	if err != nil {
		t.Fatal(err)
	}
	var columns []string
	for _, f := range tbl.Schema.Fields {
		columns = append(columns, f.Name+" "+f.Type)
	}
	if got := strings.Join(columns, ", "); got != "schema STRING, f0_ INTEGER, x INTEGER" {
		t.Errorf("after WRITE_TRUNCATE: got %s", got)
	}
}

// TestDestinationTableRights needs the right to write, and a dataset that is there.
func TestDestinationTableRights(t *testing.T) {
	t.Parallel()
	s, tok := signed(t, Config{NoData: true})
	svc := rest(t, s, tok)
	exec(t, s, "CREATE SCHEMA d")
	for _, tt := range []struct{ project, dataset, reason string }{
		{catalog.PublicProject, "usa_names", "accessDenied"}, {DefaultProject, "nosuch", "notFound"},
	} {
		j := into("SELECT 1 AS a", "t", "", "")
		j.Configuration.Query.DestinationTable.ProjectId, j.Configuration.Query.DestinationTable.DatasetId = tt.project,
			tt.dataset
		j, err := svc.Jobs.Insert(DefaultProject, j).Do()
		if err != nil {
			t.Fatal(err)
		}
		if e := await(t, svc, j.JobReference).Status.ErrorResult; e == nil || e.Reason != tt.reason {
			t.Errorf("%s.%s: got %+v; want %s", tt.project, tt.dataset, e, tt.reason)
		}
	}
}
