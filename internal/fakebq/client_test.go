package fakebq

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"

	client "cloud.google.com/go/bigquery"
	"github.com/google/go-cmp/cmp"
	bigquery "google.golang.org/api/bigquery/v2"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/iterator"
	"google.golang.org/api/option"
)

// rest makes the generated client for a server, at its root.
func rest(t *testing.T, s *Server) *bigquery.Service {
	t.Helper()
	return restAt(t, s.URL())
}

func restAt(t *testing.T, endpoint string) *bigquery.Service {
	t.Helper()
	hc := &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()}
	t.Cleanup(hc.CloseIdleConnections)
	svc, err := bigquery.NewService(context.Background(), option.WithEndpoint(endpoint), option.WithHTTPClient(hc))
	if err != nil {
		t.Fatal(err)
	}
	return svc
}

// official makes the hand-written client for a server.
func official(t *testing.T, s *Server) *client.Client {
	t.Helper()
	hc := &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()}
	t.Cleanup(hc.CloseIdleConnections)
	c, err := client.NewClient(context.Background(), "p", option.WithEndpoint(s.URL()), option.WithHTTPClient(hc))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// googleSQL is a request that the service accepts.
func googleSQL(sql string) *bigquery.QueryRequest {
	return &bigquery.QueryRequest{Query: sql, UseLegacySql: googleapi.Bool(false),
		FormatOptions: &bigquery.DataFormatOptions{UseInt64Timestamp: true}}
}

func wantError(t *testing.T, err error, code int, reason string) *googleapi.Error {
	t.Helper()
	e, ok := errors.AsType[*googleapi.Error](err)
	if !ok {
		t.Fatalf("got error %v; want a *googleapi.Error", err)
	}
	got := ""
	if len(e.Errors) > 0 {
		got = e.Errors[0].Reason
	}
	if e.Code != code || got != reason {
		t.Errorf("got %d %s (%v); want %d %s", e.Code, got, err, code, reason)
	}
	return e
}

func people() Answer {
	return Answer{
		Fields: []Field{{Name: "name", Type: "STRING"}, {Name: "n", Type: "INTEGER"}},
		Rows:   [][]any{{"Ada", 1}, {nil, 2}, {"<&>", 3}},
	}
}

func TestQueryThroughOfficialClient(t *testing.T) {
	t.Parallel()
	s := Run(t, Options{})
	s.On("SELECT people", people())
	it, err := official(t, s).Query("SELECT people").Read(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	var got [][]client.Value
	for {
		var row []client.Value
		err := it.Next(&row)
		if errors.Is(err, iterator.Done) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, row)
	}
	want := [][]client.Value{{"Ada", int64(1)}, {nil, int64(2)}, {"<&>", int64(3)}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows: -want +got\n%s", diff)
	}
	if n := s.Count(); n != 1 {
		t.Errorf("got %d requests; want 1: %v", n, s.Counts())
	}
}

func TestBothBasePaths(t *testing.T) {
	t.Parallel()
	s := Run(t, Options{})
	s.On("SELECT people", people())
	for _, base := range []string{s.URL(), s.URL() + "/", s.URL() + "/bigquery/v2/"} {
		r, err := restAt(t, base).Jobs.Query("p", googleSQL("SELECT people")).Do()
		if err != nil {
			t.Fatalf("%s: %v", base, err)
		}
		if len(r.Rows) != 3 || r.TotalRows != 3 || !r.JobComplete {
			t.Errorf("%s: got %d rows of %d; want 3 of 3", base, len(r.Rows), r.TotalRows)
		}
	}
}

func TestDryRun(t *testing.T) {
	t.Parallel()
	s := Run(t, Options{})
	a := people()
	a.Bytes = 42
	a.Parameters = []Parameter{{Type: &bigquery.QueryParameterType{Type: "DATE"}}}
	s.On("SELECT ?", a)
	svc := rest(t, s)
	job := func(q *bigquery.JobConfigurationQuery) *bigquery.Job {
		q.Query, q.UseLegacySql = "SELECT ?", googleapi.Bool(false)
		return &bigquery.Job{Configuration: &bigquery.JobConfiguration{DryRun: true, Query: q}}
	}
	got, err := svc.Jobs.Insert("p", job(&bigquery.JobConfigurationQuery{ParameterMode: "POSITIONAL"})).Do()
	if err != nil {
		t.Fatal(err)
	}
	q := got.Statistics.Query
	if got.Status.State != "DONE" || q.TotalBytesProcessed != 42 || q.StatementType != "SELECT" ||
		len(q.Schema.Fields) != 2 {
		t.Errorf("got state %s and statistics %+v", got.Status.State, q)
	}
	if len(q.UndeclaredQueryParameters) != 1 || q.UndeclaredQueryParameters[0].ParameterType.Type != "DATE" {
		t.Errorf("got undeclared parameters %+v; want one DATE", q.UndeclaredQueryParameters)
	}
	if got.JobReference.JobId != "" || s.Executions("SELECT ?") != 0 {
		t.Errorf("a dry run left job %q and %d executions", got.JobReference.JobId, s.Executions("SELECT ?"))
	}
	_, err = svc.Jobs.Get("p", "any").Do()
	wantError(t, err, 404, "notFound")

	_, err = svc.Jobs.Insert("p", job(&bigquery.JobConfigurationQuery{})).Do()
	wantError(t, err, 400, "invalidQuery") // no parameterMode
	_, err = svc.Jobs.Query("p", googleSQL("SELECT ?")).Do()
	wantError(t, err, 400, "invalidQuery") // executed without its parameter
}

func TestDryRunThroughQuery(t *testing.T) {
	t.Parallel()
	s := Run(t, Options{})
	a := people()
	a.Bytes = 42
	s.On("SELECT people", a, Answer{Err: &Error{Reason: "invalidQuery"}})
	svc := rest(t, s)
	q := googleSQL("SELECT people")
	q.DryRun = true
	r, err := svc.Jobs.Query("p", q).Do()
	if err != nil {
		t.Fatal(err)
	}
	if !r.JobComplete || len(r.Schema.Fields) != 2 || len(r.Rows) != 0 || r.TotalBytesProcessed != 42 ||
		r.JobReference.JobId != "" {
		t.Errorf("got %+v; want a schema, 42 bytes and no rows", r)
	}
	job, err := official(t, s).Query("SELECT people").Run(context.Background())
	if err != nil {
		t.Fatalf("the execution after a dry run: %v; want the first answer", err)
	}
	if _, err := job.Wait(context.Background()); err != nil {
		t.Error(err)
	}
	if log := s.Requests(Insert); len(log) != 1 {
		t.Errorf("got %d jobs.insert; want 1", len(log))
	} else if j, err := log[0].Job(); err != nil || j.Configuration.Query.Query != "SELECT people" {
		t.Errorf("Job: got %+v, %v", j, err)
	}
}

// TestConcurrentRequests: of equal requests at one time, one runs.
func TestConcurrentRequests(t *testing.T) {
	t.Parallel()
	s := Run(t, Options{})
	s.On("INSERT", Answer{DML: &DML{Inserted: 1}})
	s.On("SELECT people", people())
	svc := rest(t, s)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			q := googleSQL("INSERT")
			q.RequestId = "same"
			if _, err := svc.Jobs.Query("p", q).Do(); err != nil {
				t.Error(err)
			}
			r, err := svc.Jobs.Query("p", googleSQL("SELECT people")).Do()
			if err != nil || len(r.Rows) != 3 {
				t.Errorf("got %+v, %v; want three rows", r, err)
			}
		})
	}
	wg.Wait()
	if i, n := s.Executions("INSERT"), s.Executions("SELECT people"); i != 1 || n != 20 || s.Count(Query) != 40 {
		t.Errorf("got %d and %d executions of %d requests; want 1 and 20 of 40", i, n, s.Count(Query))
	}
}

func TestUnscriptedStatement(t *testing.T) {
	t.Parallel()
	s := Run(t, Options{})
	_, err := rest(t, s).Jobs.Query("p", googleSQL("SELECT nothing")).Do()
	e := wantError(t, err, 400, "invalidQuery")
	if want := `fakebq has no answer for the statement "SELECT nothing" at [1:1]`; e.Message != want {
		t.Errorf("got message %q; want %q", e.Message, want)
	}
}
