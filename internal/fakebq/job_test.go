package fakebq

import (
	"context"
	"strings"
	"testing"

	bigquery "google.golang.org/api/bigquery/v2"
	"google.golang.org/api/googleapi"
)

// inserted is a job for jobs.insert.
func inserted(sql, id string) *bigquery.Job {
	return &bigquery.Job{
		JobReference:  &bigquery.JobReference{ProjectId: "p", JobId: id},
		Configuration: &bigquery.JobConfiguration{Query: &bigquery.JobConfigurationQuery{Query: sql, UseLegacySql: googleapi.Bool(false)}},
	}
}

func TestIncompleteJob(t *testing.T) {
	t.Parallel()
	s := Run(t, Options{})
	a := people()
	a.Incomplete = 2
	s.On("SELECT slow", a)
	svc := rest(t, s)
	r, err := svc.Jobs.Query("p", googleSQL("SELECT slow")).Do()
	if err != nil {
		t.Fatal(err)
	}
	if r.JobComplete || r.Schema != nil || len(r.Rows) != 0 || r.JobReference == nil {
		t.Errorf("got %+v; want only a job reference", r)
	}
	for i, want := range []bool{false, true} {
		page, err := svc.Jobs.GetQueryResults("p", r.JobReference.JobId).Do()
		if err != nil {
			t.Fatal(err)
		}
		if page.JobComplete != want {
			t.Errorf("poll %d: got jobComplete=%v; want %v", i, page.JobComplete, want)
		}
	}
}

func TestJobRunsUntilChannelIsClosed(t *testing.T) {
	t.Parallel()
	s := Run(t, Options{})
	until := make(chan struct{})
	a := people()
	a.Until = until
	s.On("SELECT slow", a)
	svc := rest(t, s)
	q := googleSQL("SELECT slow")
	q.TimeoutMs = 1
	r, err := svc.Jobs.Query("p", q).Do()
	if err != nil || r.JobComplete {
		t.Fatalf("got %+v, %v; want an incomplete job", r, err)
	}
	j, err := svc.Jobs.Get("p", r.JobReference.JobId).Do()
	if err != nil || j.Status.State != "RUNNING" || j.Statistics.EndTime != 0 {
		t.Fatalf("got %+v, %v; want a running job", j, err)
	}
	got := make(chan *bigquery.GetQueryResultsResponse)
	go func() {
		page, _ := svc.Jobs.GetQueryResults("p", r.JobReference.JobId).Do()
		got <- page
	}()
	s.WaitFor(t, GetQueryResults, 1)
	close(until)
	if page := <-got; page == nil || !page.JobComplete || len(page.Rows) != 3 {
		t.Errorf("got %+v; want three rows", page)
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	s := Run(t, Options{})
	a := people()
	a.Until = make(chan struct{})
	s.On("SELECT slow", a)
	s.On("SELECT people", people())
	svc := rest(t, s)
	j, err := svc.Jobs.Insert("p", inserted("SELECT slow", "mine")).Do()
	if err != nil || j.Status.State != "RUNNING" {
		t.Fatalf("insert: got %+v, %v; want a running job", j, err)
	}
	waited := make(chan error)
	go func() {
		_, err := svc.Jobs.GetQueryResults("p", "mine").Do()
		waited <- err
	}()
	s.WaitFor(t, GetQueryResults, 1)
	c, err := svc.Jobs.Cancel("p", "mine").Location("US").Do()
	if err != nil || c.Job.Status.ErrorResult == nil || c.Job.Status.ErrorResult.Reason != "stopped" {
		t.Fatalf("cancel: got %+v, %v; want a job that was stopped", c, err)
	}
	wantError(t, <-waited, 499, "stopped")
	j, err = svc.Jobs.Get("p", "mine").Do()
	if err != nil || j.Status.State != "DONE" || j.Status.ErrorResult.Reason != "stopped" {
		t.Errorf("get: got %+v, %v; want DONE with reason stopped", j.Status, err)
	}

	r, err := svc.Jobs.Query("p", googleSQL("SELECT people")).Do()
	if err != nil {
		t.Fatal(err)
	}
	c, err = svc.Jobs.Cancel("p", r.JobReference.JobId).Do()
	if err != nil || c.Job.Status.ErrorResult != nil {
		t.Errorf("cancel of a job that is done: got %+v, %v; want it unchanged", c.Job.Status, err)
	}
	if s.Cancelled() != 1 {
		t.Errorf("got %d cancelled jobs; want 1", s.Cancelled())
	}
	_, err = svc.Jobs.Cancel("p", "unknown").Do()
	wantError(t, err, 404, "notFound")
}

func TestFailedJob(t *testing.T) {
	t.Parallel()
	s := Run(t, Options{})
	s.On("SELECT 1/0", Answer{Err: &Error{Reason: "invalidQuery", Location: "q", Message: "division by zero: 1 / 0 at [1:8]"}})
	svc := rest(t, s)
	_, err := svc.Jobs.Query("p", googleSQL("SELECT 1/0")).Do()
	if e := wantError(t, err, 400, "invalidQuery"); e.Message != "division by zero: 1 / 0 at [1:8]" {
		t.Errorf("got message %q", e.Message)
	}
	j, err := svc.Jobs.Insert("p", inserted("SELECT 1/0", "bad")).Do()
	if err != nil || j.Status.State != "DONE" || j.Status.ErrorResult == nil || j.Status.ErrorResult.Reason != "invalidQuery" || len(j.Status.Errors) != 1 {
		t.Errorf("insert: got %+v, %v; want 200 and errorResult", j.Status, err)
	}
	_, err = svc.Jobs.GetQueryResults("p", "bad").Do()
	wantError(t, err, 400, "invalidQuery")

	dry := inserted("SELECT 1/0", "")
	dry.Configuration.DryRun = true
	_, err = svc.Jobs.Insert("p", dry).Do()
	wantError(t, err, 400, "invalidQuery")

	run, err := official(t, s).Query("SELECT 1/0").Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	_, err = run.Wait(context.Background())
	wantError(t, err, 400, "invalidQuery")
}

func TestRejectedStatement(t *testing.T) {
	t.Parallel()
	s := Run(t, Options{})
	s.On("SELECT secret", Answer{Reject: &Error{Reason: "accessDenied", Message: "Access Denied: Table p:d.secret"}})
	svc := rest(t, s)
	_, err := svc.Jobs.Query("p", googleSQL("SELECT secret")).Do()
	wantError(t, err, 403, "accessDenied")
	_, err = svc.Jobs.Insert("p", inserted("SELECT secret", "j")).Do()
	wantError(t, err, 403, "accessDenied")
	_, err = svc.Jobs.Get("p", "j").Do()
	wantError(t, err, 404, "notFound")
}

func TestLocation(t *testing.T) {
	t.Parallel()
	s := Run(t, Options{Location: "europe-west1"})
	s.On("SELECT people", people())
	svc := rest(t, s)
	for _, tc := range []struct {
		asked, found string
		bare         bool // found without a location
	}{{"", "europe-west1", false}, {"US", "us", true}, {"EU", "EU", true}, {"asia-east1", "asia-east1", false}} {
		q := googleSQL("SELECT people")
		q.Location = tc.asked
		r, err := svc.Jobs.Query("p", q).Do()
		if err != nil {
			t.Fatal(err)
		}
		id := r.JobReference.JobId
		if !strings.EqualFold(r.JobReference.Location, tc.found) {
			t.Errorf("asked for %q: got %q; want %q", tc.asked, r.JobReference.Location, tc.found)
		}
		if _, err := svc.Jobs.GetQueryResults("p", id).Location(tc.found).Do(); err != nil {
			t.Errorf("%q in its place: %v", tc.asked, err)
		}
		if _, err := svc.Jobs.Get("p", id).Do(); (err == nil) != tc.bare {
			t.Errorf("%q without location: got %v", tc.asked, err)
		}
		_, err = svc.Jobs.Get("p", id).Location("us-west4").Do()
		wantError(t, err, 404, "notFound")
		_, err = svc.Jobs.Get("q", id).Location(tc.found).Do()
		wantError(t, err, 404, "notFound")
	}
}

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
		t.Errorf("same requestId: got job %s, %d executions; want job %s, 1", again.JobReference.JobId, s.Executions(sql), first.JobReference.JobId)
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

func TestBytesBilledLimit(t *testing.T) {
	t.Parallel()
	s := Run(t, Options{})
	a := people()
	a.Billed = 1000
	s.On("SELECT people", a)
	svc := rest(t, s)
	for limit, ok := range map[int64]bool{0: true, 999: false, 1000: true} {
		q := googleSQL("SELECT people")
		q.MaximumBytesBilled = limit
		_, err := svc.Jobs.Query("p", q).Do()
		if ok && err != nil {
			t.Errorf("limit %d: %v", limit, err)
		}
		if !ok {
			wantError(t, err, 400, "bytesBilledLimitExceeded")
		}
	}
}

func TestLegacyProject(t *testing.T) {
	t.Parallel()
	s := Run(t, Options{})
	s.On("SELECT people", people())
	svc := rest(t, s)
	r, err := svc.Jobs.Query("example.com:proj", googleSQL("SELECT people")).Do()
	if err != nil || r.JobReference.ProjectId != "example.com:proj" {
		t.Fatalf("got %+v, %v", r, err)
	}
	if _, err := svc.Jobs.GetQueryResults("example.com:proj", r.JobReference.JobId).Do(); err != nil {
		t.Error(err)
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
		t.Errorf("got %d jobs and %d requests of %d; want %d of each", len(s.jobs), len(s.Requests()), s.Count(), memory)
	}
}

func TestOptionalJob(t *testing.T) {
	t.Parallel()
	s := Run(t, Options{})
	a := people()
	a.NoJob = true
	s.On("SELECT people", a)
	svc := rest(t, s)
	q := googleSQL("SELECT people")
	r, err := svc.Jobs.Query("p", q).Do()
	if err != nil || r.JobReference == nil {
		t.Errorf("got %+v, %v; want a job", r, err)
	}
	q.JobCreationMode = "JOB_CREATION_OPTIONAL"
	r, err = svc.Jobs.Query("p", q).Do()
	if err != nil || r.JobReference != nil || r.QueryId == "" || len(r.Rows) != 3 {
		t.Errorf("got %+v, %v; want rows and no job", r, err)
	}
	q.MaxResults = 1
	r, err = svc.Jobs.Query("p", q).Do()
	if err != nil || r.JobReference == nil || r.PageToken == "" {
		t.Errorf("got %+v, %v; want a job for the second page", r, err)
	}
}

func TestScriptAndList(t *testing.T) {
	t.Parallel()
	s := Run(t, Options{})
	insert := Answer{DML: &DML{Inserted: 4}, ChildSQL: "INSERT ..."}
	s.On("BEGIN ... END", Answer{Children: []Answer{numbers(1), insert, people()}})
	svc := rest(t, s)
	r, err := svc.Jobs.Query("p", googleSQL("BEGIN ... END")).Do()
	if err != nil {
		t.Fatal(err)
	}
	if r.StatementType != "SCRIPT" || len(r.Rows) != 3 {
		t.Errorf("got %s with %d rows; want SCRIPT with the three of the last SELECT", r.StatementType, len(r.Rows))
	}
	j, err := svc.Jobs.Get("p", r.JobReference.JobId).Do()
	if err != nil || j.Statistics.NumChildJobs != 3 {
		t.Fatalf("got %+v, %v; want three children", j, err)
	}
	list, err := svc.Jobs.List("p").ParentJobId(r.JobReference.JobId).MaxResults(2).Projection("full").Do()
	if err != nil || len(list.Jobs) != 2 || list.NextPageToken == "" {
		t.Fatalf("got %+v, %v; want two jobs and a token", list, err)
	}
	dml := list.Jobs[1] // the newest comes first
	if dml.Statistics.Query.NumDmlAffectedRows != 4 || dml.Statistics.ParentJobId != r.JobReference.JobId || dml.Configuration.Query.Query != "INSERT ..." {
		t.Errorf("got second child %+v", dml.Statistics)
	}
	rest2, err := svc.Jobs.List("p").ParentJobId(r.JobReference.JobId).PageToken(list.NextPageToken).Do()
	if err != nil || len(rest2.Jobs) != 1 || rest2.NextPageToken != "" {
		t.Fatalf("got %+v, %v; want the last child", rest2, err)
	}
	page, err := svc.Jobs.GetQueryResults("p", rest2.Jobs[0].JobReference.JobId).Do()
	if err != nil || len(page.Rows) != 1 {
		t.Errorf("got %+v, %v; want the row of the first SELECT", page, err)
	}
	top, err := svc.Jobs.List("p").Do()
	if err != nil || len(top.Jobs) != 1 {
		t.Errorf("got %d jobs, %v; want the script alone", len(top.Jobs), err)
	}
}

func TestStatistics(t *testing.T) {
	t.Parallel()
	s := Run(t, Options{})
	a := people()
	a.Bytes, a.Billed, a.SlotMillis, a.CacheHit, a.Destination = 10, 20, 30, true, "example.com:p.d.t"
	a.Warnings = []Error{{Reason: "invalid", Message: "careful"}}
	s.On("SELECT people", a)
	svc := rest(t, s)
	r, err := svc.Jobs.Query("p", googleSQL("SELECT people")).Do()
	if err != nil {
		t.Fatal(err)
	}
	if r.TotalBytesProcessed != 10 || r.TotalBytesBilled != 20 || r.TotalSlotMs != 30 || !r.CacheHit || len(r.Errors) != 1 || r.CreationTime == 0 {
		t.Errorf("query: got %+v", r)
	}
	j, err := svc.Jobs.Get("p", r.JobReference.JobId).Do()
	if err != nil {
		t.Fatal(err)
	}
	q := j.Statistics.Query
	if q.TotalBytesProcessed != 10 || q.TotalBytesBilled != 20 || q.TotalSlotMs != 30 || !q.CacheHit || q.StatementType != "SELECT" {
		t.Errorf("get: got %+v", q)
	}
	d := j.Configuration.Query.DestinationTable
	if d.ProjectId != "example.com:p" || d.DatasetId != "d" || d.TableId != "t" || j.UserEmail != "ada@example.com" {
		t.Errorf("got table %+v of %s", d, j.UserEmail)
	}
}
