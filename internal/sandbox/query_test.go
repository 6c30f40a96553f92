package sandbox

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"cloud.google.com/go/bigquery"
	"golang.org/x/oauth2"
	bq "google.golang.org/api/bigquery/v2"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/iterator"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/jobs"
)

const williams = "SELECT name, SUM(number) AS total FROM `bigquery-public-data.usa_names.usa_1910_current` WHERE " +
	"name = 'William' GROUP BY name"

// legacyOff is useLegacySql=false.
var legacyOff = new(bool)

// signed starts a sandbox and signs the default user in.
func signed(t testing.TB, cfg Config) (*Server, *oauth2.Token) {
	t.Helper()
	s := start(t, cfg)
	return s, signIn(t, s, DefaultAccount)
}

// rows reads all rows of a query through the official client.
func rows(t testing.TB, c *bigquery.Client, sql string, params ...bigquery.QueryParameter) [][]bigquery.Value {
	t.Helper()
	q := c.Query(sql)
	q.Parameters = params
	it, err := q.Read(t.Context())
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	var out [][]bigquery.Value
	for {
		var row []bigquery.Value
		err := it.Next(&row)
		if errors.Is(err, iterator.Done) {
			return out
		}
		if err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		out = append(out, row)
	}
}

// apiErr is the typed error of a client.
func apiErr(t testing.TB, err error) *googleapi.Error {
	t.Helper()
	e, ok := errors.AsType[*googleapi.Error](err)
	if !ok || len(e.Errors) == 0 {
		t.Fatalf("got %v (%T); want a *googleapi.Error with reasons", err, err)
	}
	return e
}

func TestFirstQueryThroughTheOfficialClient(t *testing.T) {
	t.Parallel()
	s, tok := signed(t, Config{})
	got := rows(t, official(t, s, tok, DefaultProject), williams)
	if fmt.Sprint(got) != "[[William 184498]]" {
		t.Errorf("got %v; want one row of William", got)
	}
	if n := s.Requests()["bigquery.jobs.query"]; n != 1 || len(s.Requests()) != 1 {
		t.Errorf("got requests %v; want one jobs.query", s.Requests())
	}
}

func TestPagesThroughTheOfficialClient(t *testing.T) {
	t.Parallel()
	s, tok := signed(t, Config{PageBytes: 20_000})
	const sql = "SELECT name, number FROM `bigquery-public-data.usa_names.usa_1910_current` WHERE year = 1999 ORDER " +
		"BY name, number LIMIT 4000"
	got := rows(t, official(t, s, tok, DefaultProject), sql)
	if len(got) != 4000 {
		t.Fatalf("got %d rows; want 4000", len(got))
	}
	for i := 1; i < len(got); i++ {
		if got[i-1][0].(string) > got[i][0].(string) {
			t.Fatalf("row %d: %v comes after %v", i, got[i], got[i-1])
		}
	}
	if n := s.Requests()["bigquery.jobs.getQueryResults"]; n < 5 {
		t.Errorf("got %d further pages; want more than 5", n)
	}
}

func TestAnswerOfJobsQuery(t *testing.T) {
	t.Parallel()
	s, tok := signed(t, Config{})
	status, header, body := call(t, s, tok.AccessToken, "POST", queryPath(DefaultProject),
		`{"useLegacySql": false, "query": "`+williams+`"}`)
	if status != 200 || header.Get("Content-Type") != "application/json; charset=UTF-8" {
		t.Fatalf("got %d %s: %v", status, header.Get("Content-Type"), body)
	}
	ref := body["jobReference"].(map[string]any)
	for key, want := range map[string]any{
		"kind": "bigquery#queryResponse", "totalRows": "1", "jobComplete": true, "cacheHit": false,
		"statementType": "SELECT",
		"location":      "US", "pageToken": nil, "numDmlAffectedRows": nil,
		"schema": map[string]any{"fields": []any{
			map[string]any{"name": "name", "type": "STRING", "mode": "NULLABLE"},
			map[string]any{"name": "total", "type": "INTEGER", "mode": "NULLABLE"},
		}},
		"rows": []any{map[string]any{"f": []any{map[string]any{"v": "William"}, map[string]any{"v": "184498"}}}},
	} {
		if fmt.Sprint(body[key]) != fmt.Sprint(want) {
			t.Errorf("%s: got %v; want %v", key, body[key], want)
		}
	}
	if ref["projectId"] != DefaultProject || ref["jobId"] == "" || ref["location"] != "US" {
		t.Errorf("got jobReference %v", ref)
	}
	for _, key := range []string{"totalBytesProcessed", "totalBytesBilled", "totalSlotMs", "creationTime", "startTime",
		"endTime", "queryId"} {
		if text, ok := body[key].(string); !ok || text == "" || text == "0" {
			t.Errorf("%s: got %v; want text", key, body[key])
		}
	}
}

func TestMaxResultsAndTokens(t *testing.T) {
	t.Parallel()
	s, tok := signed(t, Config{NoData: true})
	svc := rest(t, s, tok)
	const sql = "SELECT x FROM UNNEST([1, 2, 3, 4, 5]) AS x ORDER BY x"
	resp, err := svc.Jobs.Query(DefaultProject, &bq.QueryRequest{Query: sql, UseLegacySql: legacyOff,
		MaxResults: 2}).Do()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	add := func(list []*bq.TableRow) {
		for _, r := range list {
			got = append(got, r.F[0].V.(string))
		}
	}
	add(resp.Rows)
	id, token := resp.JobReference.JobId, resp.PageToken
	for pages := 0; token != ""; pages++ {
		if pages > 5 {
			t.Fatal("the pages do not end")
		}
		page, err := svc.Jobs.GetQueryResults(DefaultProject, id).PageToken(token).MaxResults(2).Do()
		if err != nil {
			t.Fatal(err)
		}
		if page.TotalRows != 5 {
			t.Errorf("got totalRows %d; want 5", page.TotalRows)
		}
		add(page.Rows)
		token = page.PageToken
	}
	if strings.Join(got, "") != "12345" {
		t.Errorf("got rows %v; want 1 to 5", got)
	}

	at, err := svc.Jobs.GetQueryResults(DefaultProject, id).StartIndex(3).Do()
	if err != nil || len(at.Rows) != 2 || at.Rows[0].F[0].V != "4" {
		t.Errorf("startIndex 3: got %v, %v; want rows 4 and 5", at.Rows, err)
	}
	none, err := svc.Jobs.GetQueryResults(DefaultProject, id).MaxResults(0).Do()
	if err != nil || len(none.Rows) != 0 || none.Schema == nil || none.TotalRows != 5 {
		t.Errorf("maxResults 0: got %+v, %v; want the schema and no rows", none, err)
	}
	cut, err := svc.Jobs.GetQueryResults(DefaultProject, id).Fields("rows", "totalRows").Do()
	if err != nil || len(cut.Rows) != 5 || cut.Schema != nil || cut.JobReference != nil || cut.TotalRows != 5 {
		t.Errorf("fields=rows,totalRows: got %+v, %v", cut, err)
	}
	for _, bad := range []string{"nonsense", jobs.PageToken("another job", 1)} {
		_, err := svc.Jobs.GetQueryResults(DefaultProject, id).PageToken(bad).Do()
		if e := apiErr(t, err); e.Code != 400 || e.Errors[0].Reason != "invalid" {
			t.Errorf("page token %q: got %v; want 400 invalid", bad, err)
		}
	}
}

func TestJobCreationOptional(t *testing.T) {
	t.Parallel()
	s, tok := signed(t, Config{NoData: true})
	svc := rest(t, s, tok)
	resp, err := svc.Jobs.Query(DefaultProject, &bq.QueryRequest{Query: "SELECT 1", UseLegacySql: legacyOff,
		JobCreationMode: "JOB_CREATION_OPTIONAL"}).Do()
	if err != nil || resp.JobReference != nil || resp.QueryId == "" || len(resp.Rows) != 1 {
		t.Errorf("got %+v, %v; want a row and no job", resp, err)
	}
	for range 20 {
		if _, err := svc.Jobs.Query(DefaultProject, &bq.QueryRequest{Query: "SELECT 1", UseLegacySql: legacyOff,
			JobCreationMode: "JOB_CREATION_OPTIONAL"}).Do(); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(s.jobs.Newest(DefaultProject, "")); n != 0 || keptBytes(s) != 0 {
		t.Errorf("got %d jobs and %d bytes kept; want none", n, keptBytes(s))
	}
	resp, err = svc.Jobs.Query(DefaultProject, &bq.QueryRequest{
		Query: "SELECT x FROM UNNEST([1, 2]) x", UseLegacySql: legacyOff, JobCreationMode: "JOB_CREATION_OPTIONAL",
		MaxResults: 1}).Do()
	if err != nil || resp.JobReference == nil || resp.PageToken == "" {
		t.Errorf("more rows to come: got %+v, %v; want a job", resp, err)
	}
}

func TestGzip(t *testing.T) {
	t.Parallel()
	s, tok := signed(t, Config{})
	for accept, want := range map[string]string{"gzip": "gzip", "": ""} {
		req, err := http.NewRequestWithContext(t.Context(), "POST", s.Endpoint()+queryPath(DefaultProject),
			strings.NewReader(`{"useLegacySql": false, "query": "SELECT name FROM `+
				"`bigquery-public-data.usa_names.usa_1910_current`"+` LIMIT 300"}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+tok.AccessToken)
		req.Header.Set("Accept-Encoding", accept)
		resp, err := quietClient(t).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if got := resp.Header.Get("Content-Encoding"); resp.StatusCode != 200 || got != want {
			t.Errorf("Accept-Encoding %q: got %d with %q; want %q", accept, resp.StatusCode, got, want)
		}
	}
}

// leastBilled is the least that BigQuery bills for a query that reads anything.
const leastBilled = 10 << 20

func keptBytes(s *Server) int64 {
	return s.jobs.Held().ResultBytes
}
