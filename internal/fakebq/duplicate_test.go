package fakebq

import (
	"testing"

	bigquery "google.golang.org/api/bigquery/v2"
)

func TestDuplicates(t *testing.T) {
	t.Parallel()
	s := Run(t, Options{})
	sql := "INSERT INTO t VALUES (1)"
	s.On(sql, Answer{DML: &DML{Inserted: 1}}, Answer{DML: &DML{Inserted: 2}})
	svc := rest(t, s)
	query := func(requestID, location string) *bigquery.QueryResponse {
		q := googleSQL(sql)
		q.RequestId, q.Location = requestID, location
		r, err := svc.Jobs.Query("p", q).Do()
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	first := query("a", "")
	if first.NumDmlAffectedRows != 1 || first.DmlStats.InsertedRowCount != 1 || first.StatementType != "INSERT" {
		t.Errorf("got %+v; want one inserted row", first)
	}
	again := query("a", "")
	if again.JobReference.JobId != first.JobReference.JobId || again.NumDmlAffectedRows != 1 || s.Executions(sql) != 1 {
		t.Errorf("same requestId: got job %s, %d executions; want job %s, 1", again.JobReference.JobId,
			s.Executions(sql), first.JobReference.JobId)
	}
	query("a", "EU") // another statement
	query("b", "")   // another request
	query("", "")
	query("", "")
	if s.Executions(sql) != 5 || s.Count(Query) != 6 {
		t.Errorf("got %d executions of %d requests; want 5 of 6", s.Executions(sql), s.Count(Query))
	}

	if _, err := svc.Jobs.Insert("p", inserted(sql, "mine")).Do(); err != nil {
		t.Fatal(err)
	}
	_, err := svc.Jobs.Insert("p", inserted(sql, "mine")).Do()
	wantError(t, err, 409, "duplicate")
	if s.Executions(sql) != 6 {
		t.Errorf("got %d executions; want 6", s.Executions(sql))
	}
}

func TestFailedJobIsNoDuplicate(t *testing.T) {
	t.Parallel()
	s := Run(t, Options{})
	s.On("DELETE", Answer{Err: &Error{Reason: "jobBackendError"}}, Answer{DML: &DML{Deleted: 3}})
	svc := rest(t, s)
	q := googleSQL("DELETE")
	q.RequestId = "same"
	_, err := svc.Jobs.Query("p", q).Do()
	wantError(t, err, 400, "jobBackendError")
	r, err := svc.Jobs.Query("p", q).Do()
	if err != nil || r.NumDmlAffectedRows != 3 {
		t.Errorf("retry: got %+v, %v; want three deleted rows", r, err)
	}
}

func TestOldJobsAreForgotten(t *testing.T) {
	t.Parallel()
	s := New(Options{})
	s.On("SELECT people", Answer{})
	for range 2*memory + 1 {
		if w := ask(t, s, "", nil); w.Code != 200 {
			t.Fatalf("got %d %s", w.Code, w.Body)
		}
	}
	if len(s.order) != memory || len(s.jobs) != memory || len(s.Requests()) != memory || s.Count() != 2*memory+1 {
		t.Errorf("got %d jobs and %d requests of %d; want %d of each", len(s.jobs), len(s.Requests()), s.Count(),
			memory)
	}
}
