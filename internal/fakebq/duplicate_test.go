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
	if again.JobReference.JobId != first.JobReference.JobId || again.NumDmlAffectedRows != 1 ||
		s.Executions(sql) != 1 ||
		again.JobComplete || again.Schema != nil || again.EndTime == 0 {
		t.Errorf("same requestId: got %+v, %d executions; want a short answer of job %s, 1", again, s.Executions(sql),
			first.JobReference.JobId)
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

// TestFailedJobStaysFailed: a job that has failed by the service's fault needs a new id. The answer to a
// duplicate request does not say that it has failed.
func TestFailedJobStaysFailed(t *testing.T) {
	t.Parallel()
	s := Run(t, Options{})
	s.On("DELETE", Answer{DML: &DML{}, Err: &Error{Reason: "jobBackendError"}}, Answer{DML: &DML{Deleted: 3}})
	svc := rest(t, s)
	q := googleSQL("DELETE")
	q.RequestId = "same"
	_, err := svc.Jobs.Query("p", q).Do()
	wantError(t, err, 400, "jobBackendError")
	again, err := svc.Jobs.Query("p", q).Do()
	if err != nil || again.JobComplete || again.EndTime == 0 {
		t.Fatalf("same requestId: got %+v, %v; want a short answer", again, err)
	}
	_, err = svc.Jobs.GetQueryResults("p", again.JobReference.JobId).Do()
	wantError(t, err, 400, "jobBackendError")
	q.RequestId = "other"
	r, err := svc.Jobs.Query("p", q).Do()
	if err != nil || r.NumDmlAffectedRows != 3 || s.Executions("DELETE") != 2 {
		t.Errorf("new id: got %+v, %v, %d executions; want three deleted rows, 2", r, err, s.Executions("DELETE"))
	}
}

// TestNotDeduplicated: of these a requestId promises nothing. A second BEGIN makes a second session.
func TestNotDeduplicated(t *testing.T) {
	t.Parallel()
	for _, typ := range []string{"SELECT", "SCRIPT", "BEGIN_TRANSACTION"} {
		s := Run(t, Options{})
		s.On("X", Answer{StatementType: typ})
		svc := rest(t, s)
		q := googleSQL("X")
		q.RequestId, q.CreateSession = "same", typ == "BEGIN_TRANSACTION"
		for range 2 {
			if _, err := svc.Jobs.Query("p", q).Do(); err != nil {
				t.Fatalf("%s: %v", typ, err)
			}
		}
		if got := s.Executions("X"); got != 2 {
			t.Errorf("%s: got %d executions; want 2", typ, got)
		}
		if q.CreateSession && len(s.OpenTransactions()) != 2 {
			t.Errorf("got transactions in %q; want two", s.OpenTransactions())
		}
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
