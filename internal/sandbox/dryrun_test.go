package sandbox

import (
	"fmt"
	"strings"
	"testing"

	"cloud.google.com/go/bigquery"
	bq "google.golang.org/api/bigquery/v2"
)

func dryJob(sql, mode string, params ...*bq.QueryParameter) *bq.Job {
	j := queryJob(sql, "")
	j.Configuration.DryRun = true
	j.Configuration.Query.ParameterMode = mode
	j.Configuration.Query.QueryParameters = params
	return j
}

func TestDryRun(t *testing.T) {
	t.Parallel()
	s, tok := signed(t, Config{})
	svc := rest(t, s, tok)
	j, err := svc.Jobs.Insert(DefaultProject, dryJob(williams, "")).Do()
	if err != nil {
		t.Fatal(err)
	}
	q := j.Statistics.Query
	if j.Status.State != "DONE" || q.StatementType != "SELECT" || q.TotalBytesProcessed == 0 || q.TotalBytesBilled != 0 ||
		len(q.Schema.Fields) != 2 || q.Schema.Fields[1].Type != "INTEGER" {
		t.Errorf("got status %+v, statistics %+v", j.Status, q)
	}
	if j.JobReference.JobId != "" {
		t.Errorf("got job id %q; want none: no job exists", j.JobReference.JobId)
	}
	if n := len(s.jobs.Newest(DefaultProject, "")); n != 0 {
		t.Errorf("got %d jobs after a dry run; want none", n)
	}
	_, err = svc.Jobs.Insert(DefaultProject, dryJob("SELECT nosuch", "")).Do()
	if e := apiErr(t, err); e.Code != 400 || e.Errors[0].Reason != "invalidQuery" ||
		!strings.Contains(e.Message, "at [1:8]") {
		t.Errorf("a wrong statement: got %v; want 400 invalidQuery with its place", err)
	}

	resp, err := svc.Jobs.Query(DefaultProject, &bq.QueryRequest{Query: williams, UseLegacySql: legacyOff,
		DryRun: true}).Do()
	if err != nil || !resp.JobComplete || len(resp.Schema.Fields) != 2 || resp.TotalBytesProcessed == 0 ||
		len(resp.Rows) != 0 {
		t.Errorf("jobs.query: got %+v, %v; want the schema and the bytes", resp, err)
	}

	query := official(t, s, tok, DefaultProject).Query(williams)
	query.DryRun = true
	job, err := query.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if st := job.LastStatus(); st.Statistics.TotalBytesProcessed != q.TotalBytesProcessed ||
		len(st.Statistics.Details.(*bigquery.QueryStatistics).Schema) != 2 {
		t.Errorf("the official client: got %+v", st.Statistics)
	}
}

// showParams prints undeclared parameters.
func showParams(list []*bq.QueryParameter) string {
	var out []string
	for _, p := range list {
		text := p.ParameterType.Type
		if a := p.ParameterType.ArrayType; a != nil {
			text += "<" + a.Type + ">"
		}
		out = append(out, strings.TrimPrefix(p.Name+" "+text, " "))
	}
	return strings.Join(out, ", ")
}

func TestUndeclaredParameters(t *testing.T) {
	t.Parallel()
	s, tok := signed(t, Config{NoData: true})
	svc := rest(t, s, tok)
	exec(t, s, "CREATE SCHEMA d", "CREATE TABLE d.t (i INT64, s STRING, d DATE, dt DATETIME, ts TIMESTAMP, n "+
		"NUMERIC, f FLOAT64, a ARRAY<STRING>)")
	declared := &bq.QueryParameter{Name: "i", ParameterType: &bq.QueryParameterType{Type: "INT64"},
		ParameterValue: &bq.QueryParameterValue{Value: "1"}}
	for _, tt := range []struct {
		sql, mode, want string
		params          []*bq.QueryParameter
	}{
		{"SELECT * FROM d.t WHERE d = ?", "POSITIONAL", "DATE", nil},
		{"SELECT * FROM d.t WHERE dt >= ? AND s LIKE ? LIMIT ?", "POSITIONAL", "DATETIME, STRING, INT64", nil},
		{"INSERT INTO d.t (i, d, n) VALUES (?, ?, ?)", "POSITIONAL", "INT64, DATE, NUMERIC", nil},
		{"UPDATE d.t SET ts = ? WHERE i = ?", "POSITIONAL", "TIMESTAMP, INT64", nil},
		{"SELECT i FROM d.t WHERE i IN UNNEST(?)", "POSITIONAL", "ARRAY<INT64>", nil},
		{"SELECT ?", "POSITIONAL", "INT64", nil},
		{"SELECT COALESCE(@p, d) FROM d.t", "NAMED", "p DATE", nil},
		{"SELECT i FROM d.t WHERE i = @i AND s = @s", "NAMED", "s STRING", []*bq.QueryParameter{declared}},
		{"SELECT i FROM d.t WHERE i = @i", "NAMED", "", []*bq.QueryParameter{declared}},
	} {
		j, err := svc.Jobs.Insert(DefaultProject, dryJob(tt.sql, tt.mode, tt.params...)).Do()
		if err != nil {
			t.Errorf("%s: %v", tt.sql, err)
			continue
		}
		if got := showParams(j.Statistics.Query.UndeclaredQueryParameters); got != tt.want {
			t.Errorf("%s: got undeclared %q; want %q", tt.sql, got, tt.want)
		}
	}
	positional := &bq.QueryParameter{ParameterType: declared.ParameterType, ParameterValue: declared.ParameterValue}
	for _, tt := range []struct {
		sql, mode string
		params    []*bq.QueryParameter
	}{
		{"SELECT ?, ?", "POSITIONAL", []*bq.QueryParameter{positional}},
		{"SELECT @p", "", nil},
		{"SELECT ?", "", nil},
	} {
		_, err := svc.Jobs.Insert(DefaultProject, dryJob(tt.sql, tt.mode, tt.params...)).Do()
		if e := apiErr(t, err); e.Code != 400 || e.Errors[0].Reason != "invalidQuery" {
			t.Errorf("%s in mode %q with %d: got %v; want 400 invalidQuery", tt.sql, tt.mode, len(tt.params), err)
		}
	}
}

func TestBytes(t *testing.T) {
	t.Parallel()
	s, tok := signed(t, Config{})
	svc := rest(t, s, tok)
	exec(t, s, "CREATE SCHEMA d", "CREATE TABLE d.t (i INT64, s STRING, n NUMERIC, b BOOL, a ARRAY<INT64>, r "+
		"STRUCT<x INT64, y STRING>)",
		"INSERT INTO d.t VALUES (1, 'äb', NUMERIC '1.5', TRUE, [1, 2], STRUCT(1, 'abc')), (NULL, NULL, NULL, NULL, "+
			"NULL, NULL)")
	table, err := svc.Tables.Get(DefaultProject, "d", "t").Do()
	if err != nil {
		t.Fatal(err)
	}
	// 8 + 5 + 16 + 1 + 16 + 13
	if table.NumBytes != 59 || table.NumRows != 2 {
		t.Errorf("got %d bytes in %d rows; want 59 in 2", table.NumBytes, table.NumRows)
	}
	query := func(sql string, limit int64) (*bq.QueryResponse, error) {
		return svc.Jobs.Query(DefaultProject, &bq.QueryRequest{Query: sql, UseLegacySql: legacyOff,
			MaximumBytesBilled: limit}).Do()
	}
	resp, err := query("SELECT * FROM d.t", 0)
	if err != nil || resp.TotalBytesProcessed != 59 || resp.TotalBytesBilled != 10<<20 {
		t.Errorf("got %d bytes, %d billed, %v; want 59 and 10 MB", resp.TotalBytesProcessed, resp.TotalBytesBilled, err)
	}
	for sql, want := range map[string]int64{
		"SELECT i FROM d.t": 8, "SELECT i FROM d.t WHERE s = 'x' LIMIT 1": 13, "SELECT COUNT(*) FROM d.t": 0,
		"SELECT x.i FROM d.t AS x JOIN d.t AS y ON x.i = y.i": 8, "SELECT r.x FROM d.t": 13,
		"UPDATE d.t SET i = 1 WHERE FALSE": 59, "INSERT INTO d.t (i) SELECT i FROM d.t WHERE FALSE": 8,
	} {
		if resp, err := query(sql, 0); err != nil || resp.TotalBytesProcessed != want {
			t.Errorf("%s: got %d bytes, %v; want %d", sql, resp.TotalBytesProcessed, err, want)
		}
	}
	resp, err = query("SELECT 1", 0)
	if err != nil || resp.TotalBytesBilled != 0 {
		t.Errorf("without a table: got %d bytes billed, %v; want 0", resp.TotalBytesBilled, err)
	}
	if _, err = query("SELECT * FROM d.t", 10<<20); err != nil {
		t.Errorf("within the limit: %v", err)
	}
	_, err = query("SELECT * FROM d.t", 10<<20-1)
	if e := apiErr(t, err); e.Code != 400 || e.Errors[0].Reason != "bytesBilledLimitExceeded" ||
		!strings.Contains(e.Message, fmt.Sprint(10<<20)) {
		t.Errorf("over the limit: got %v; want bytesBilledLimitExceeded", err)
	}
}
