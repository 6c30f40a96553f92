package sandbox

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	bq "google.golang.org/api/bigquery/v2"
)

// endless runs until it is stopped: 146 billion pairs of rows.
const endless = "SELECT COUNT(*) AS n FROM `bigquery-public-data.usa_names.usa_1910_current` AS a " +
	"CROSS JOIN `bigquery-public-data.usa_names.usa_1910_current` AS b WHERE a.number + b.number = -1"

func queryJob(sql, id string) *bq.Job {
	j := &bq.Job{Configuration: &bq.JobConfiguration{Query: &bq.JobConfigurationQuery{Query: sql,
		UseLegacySql: legacyOff}}}
	if id != "" {
		j.JobReference = &bq.JobReference{JobId: id, ProjectId: DefaultProject}
	}
	return j
}

// await polls until a job is done.
func await(t testing.TB, svc *bq.Service, ref *bq.JobReference) *bq.Job {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for {
		j, err := svc.Jobs.Get(ref.ProjectId, ref.JobId).Location(ref.Location).Context(ctx).Do()
		if err != nil {
			t.Fatal(err)
		}
		if j.Status.State == "DONE" {
			return j
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func TestInsertAndGet(t *testing.T) {
	t.Parallel()
	s, tok := signed(t, Config{})
	svc := rest(t, s, tok)
	in := queryJob(williams, "my-job_1")
	in.Configuration.Labels = map[string]string{"team": "names"}
	j, err := svc.Jobs.Insert(DefaultProject, in).Do()
	if err != nil {
		t.Fatal(err)
	}
	if j.JobReference.JobId != "my-job_1" || j.JobReference.Location != "US" || j.UserEmail != DefaultAccount {
		t.Errorf("got reference %+v by %s", j.JobReference, j.UserEmail)
	}
	j = await(t, svc, j.JobReference)
	if j.Status.ErrorResult != nil || j.Statistics.Query.StatementType != "SELECT" ||
		j.Configuration.Query.Query != williams || j.Configuration.Labels["team"] != "names" {
		t.Errorf("got status %+v, configuration %+v", j.Status, j.Configuration.Query)
	}
	if st := j.Statistics; st.CreationTime == 0 || st.StartTime < st.CreationTime || st.EndTime < st.StartTime ||
		st.TotalSlotMs == 0 {
		t.Errorf("got times %+v", st)
	}
	if q := j.Statistics.Query; len(q.ReferencedTables) != 1 || q.ReferencedTables[0].TableId != "usa_1910_current" ||
		q.TotalBytesProcessed == 0 || q.TotalBytesBilled < 10<<20 {
		t.Errorf("got statistics %+v", q)
	}
	res, err := svc.Jobs.GetQueryResults(DefaultProject, "my-job_1").Do()
	if err != nil || len(res.Rows) != 1 || res.Rows[0].F[1].V != "184498" {
		t.Errorf("got %+v, %v; want one row", res, err)
	}

	_, err = svc.Jobs.Insert(DefaultProject, queryJob("SELECT 1", "my-job_1")).Do()
	if e := apiErr(t, err); e.Code != 409 || e.Errors[0].Reason != "duplicate" {
		t.Errorf("a taken id: got %v; want 409 duplicate", err)
	}
	list, err := svc.Jobs.List(DefaultProject).Do()
	if err != nil || len(list.Jobs) != 1 || list.Jobs[0].State != "DONE" {
		t.Errorf("list: got %+v, %v; want one job", list, err)
	}
}

func TestJobThatFails(t *testing.T) {
	t.Parallel()
	s, tok := signed(t, Config{NoData: true})
	svc := rest(t, s, tok)
	for _, sql := range []string{"SELEC 1", "SELECT CAST('a' AS INT64)"} {
		j, err := svc.Jobs.Insert(DefaultProject, queryJob(sql, "")).Do()
		if err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		j = await(t, svc, j.JobReference)
		if e := j.Status.ErrorResult; e == nil || e.Reason != "invalidQuery" || e.Location != "query" ||
			len(j.Status.Errors) != 1 {
			t.Errorf("%s: got %+v; want invalidQuery", sql, j.Status)
		}
		_, err = svc.Jobs.GetQueryResults(DefaultProject, j.JobReference.JobId).Do()
		if e := apiErr(t, err); e.Code != 400 || e.Errors[0].Reason != "invalidQuery" {
			t.Errorf("%s: its rows: got %v; want 400 invalidQuery", sql, err)
		}
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	const late = 200 * time.Millisecond
	s, tok := signed(t, Config{CancelDelay: late})
	svc := rest(t, s, tok)
	zero := &bq.QueryRequest{Query: endless, UseLegacySql: legacyOff, TimeoutMs: 1}
	resp, err := svc.Jobs.Query(DefaultProject, zero).Do()
	if err != nil {
		t.Fatal(err)
	}
	if resp.JobComplete || resp.JobReference == nil || resp.Schema != nil || resp.Rows != nil {
		t.Fatalf("got %+v; want a job that is not complete, and nothing more", resp)
	}
	ref := resp.JobReference
	poll, err := svc.Jobs.GetQueryResults(DefaultProject, ref.JobId).TimeoutMs(0).Do()
	if err != nil || poll.JobComplete {
		t.Fatalf("poll: got %+v, %v; want not complete", poll, err)
	}
	began := time.Now()
	if _, err := svc.Jobs.Cancel(DefaultProject, ref.JobId).Location(ref.Location).Do(); err != nil {
		t.Fatal(err)
	}
	j := await(t, svc, ref)
	if e := j.Status.ErrorResult; e == nil || e.Reason != "stopped" {
		t.Errorf("got %+v; want reason stopped", j.Status)
	}
	if d := time.Since(began); d < late || d > 15*time.Second {
		t.Errorf("the cancel took %v", d)
	}
	_, err = svc.Jobs.GetQueryResults(DefaultProject, ref.JobId).Do()
	if e := apiErr(t, err); e.Errors[0].Reason != "stopped" {
		t.Errorf("its rows: got %v; want stopped", err)
	}
	// A cancel of a job that is done changes nothing.
	if _, err := svc.Jobs.Cancel(DefaultProject, ref.JobId).Do(); err != nil {
		t.Errorf("a second cancel: %v", err)
	}
}

func TestCancelThroughTheOfficialClient(t *testing.T) {
	t.Parallel()
	s, tok := signed(t, Config{})
	job, err := official(t, s, tok, DefaultProject).Query(endless).Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := job.Cancel(t.Context()); err != nil {
		t.Fatal(err)
	}
	status, err := job.Wait(t.Context())
	if err == nil && status.Err() == nil {
		t.Errorf("got %+v; want an error", status)
	}
}

func TestJobTimeout(t *testing.T) {
	t.Parallel()
	s, tok := signed(t, Config{})
	svc := rest(t, s, tok)
	in := queryJob(endless, "")
	in.Configuration.JobTimeoutMs = 50
	j, err := svc.Jobs.Insert(DefaultProject, in).Do()
	if err != nil {
		t.Fatal(err)
	}
	j = await(t, svc, j.JobReference)
	if e := j.Status.ErrorResult; e == nil || e.Reason != "timeout" {
		t.Errorf("got %+v; want reason timeout", j.Status)
	}
}

func TestCloseStopsJobs(t *testing.T) {
	t.Parallel()
	s, tok := signed(t, Config{})
	svc := rest(t, s, tok)
	if _, err := svc.Jobs.Insert(DefaultProject, queryJob(endless, "")).Do(); err != nil {
		t.Fatal(err)
	}
	waiting := make(chan error, 1)
	go func() {
		_, err := svc.Jobs.Query(DefaultProject, &bq.QueryRequest{Query: endless, UseLegacySql: legacyOff}).Do()
		waiting <- err
	}()
	for s.Requests()["bigquery.jobs.query"] == 0 {
		time.Sleep(time.Millisecond)
	}
	began := time.Now()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := <-waiting; err == nil {
		t.Error("a query outlived the sandbox")
	}
	if d := time.Since(began); d > 15*time.Second {
		t.Errorf("Close took %v", d)
	}
}

func TestJobLookups(t *testing.T) {
	t.Parallel()
	s := start(t, Config{NoData: true, Location: "europe-west3", Projects: map[string][]string{
		"ada@example.com": {"one", "two"}, "bob@example.com": {"two"},
	}})
	ada, bob := rest(t, s, signIn(t, s, "ada@example.com")), rest(t, s, signIn(t, s, "bob@example.com"))
	insert := func(project string) *bq.JobReference {
		t.Helper()
		in := queryJob("SELECT 1", "")
		j, err := ada.Jobs.Insert(project, in).Do()
		if err != nil {
			t.Fatal(err)
		}
		return j.JobReference
	}
	one, two := insert("one"), insert("two")
	get := func(svc *bq.Service, project, id, location string) string {
		_, err := svc.Jobs.Get(project, id).Location(location).Do()
		if err == nil {
			return "found"
		}
		return apiErr(t, err).Errors[0].Reason
	}
	for _, tt := range []struct {
		name, got, want string
	}{
		{"the right place", get(ada, "one", one.JobId, "europe-west3"), "found"},
		{"upper case", get(ada, "one", one.JobId, "EUROPE-WEST3"), "found"},
		{"no location outside of US and EU", get(ada, "one", one.JobId, ""), "notFound"},
		{"another location", get(ada, "one", one.JobId, "US"), "notFound"},
		{"another project", get(ada, "two", one.JobId, "europe-west3"), "notFound"},
		{"a colleague", get(bob, "two", two.JobId, "europe-west3"), "found"},
		{"a stranger", get(bob, "one", one.JobId, "europe-west3"), "accessDenied"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: got %s; want %s", tt.name, tt.got, tt.want)
		}
	}
	mine, err := bob.Jobs.List("two").Do()
	if err != nil || len(mine.Jobs) != 0 {
		t.Errorf("bob's own jobs: got %d, %v; want none", len(mine.Jobs), err)
	}
	all, err := bob.Jobs.List("two").AllUsers(true).Do()
	if err != nil || len(all.Jobs) != 1 {
		t.Errorf("all users' jobs: got %d, %v; want 1", len(all.Jobs), err)
	}
	projects, err := ada.Projects.List().Do()
	if err != nil || len(projects.Projects) != 2 {
		t.Errorf("projects: got %+v, %v; want two", projects, err)
	}
}

func TestOldResultsAreThrownAway(t *testing.T) {
	t.Parallel()
	s, tok := signed(t, Config{ResultBytes: 50_000})
	svc := rest(t, s, tok)
	var refs []*bq.JobReference
	for range 3 {
		resp, err := svc.Jobs.Query(DefaultProject, &bq.QueryRequest{
			Query:        "SELECT number FROM `bigquery-public-data.usa_names.usa_1910_current` LIMIT 3000",
			UseLegacySql: legacyOff, MaxResults: 1}).Do()
		if err != nil {
			t.Fatal(err)
		}
		refs = append(refs, resp.JobReference)
	}
	if _, err := svc.Jobs.GetQueryResults(DefaultProject, refs[2].JobId).Do(); err != nil {
		t.Errorf("the newest result: %v", err)
	}
	_, err := svc.Jobs.GetQueryResults(DefaultProject, refs[0].JobId).Do()
	if e := apiErr(t, err); e.Code != 404 || !strings.Contains(e.Message, "no longer kept") {
		t.Errorf("the oldest result: got %v; want 404", err)
	}
	_, err = svc.Jobs.Query(DefaultProject, &bq.QueryRequest{Query: "SELECT number FROM " +
		"`bigquery-public-data.usa_names.usa_1910_current` LIMIT 30000", UseLegacySql: legacyOff}).Do()
	if e := apiErr(t, err); e.Code != 403 || e.Errors[0].Reason != "responseTooLarge" {
		t.Errorf("a result over the limit: got %v; want responseTooLarge", err)
	}
}

func TestQueriesRunConcurrently(t *testing.T) {
	t.Parallel()
	s, tok := signed(t, Config{})
	svc := rest(t, s, tok)
	slow, err := svc.Jobs.Insert(DefaultProject, queryJob(endless, "")).Do()
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			resp, err := svc.Jobs.Query(DefaultProject, &bq.QueryRequest{Query: williams, UseLegacySql: legacyOff,
				TimeoutMs: 60_000}).Do()
			if err != nil || len(resp.Rows) != 1 {
				t.Errorf("got %+v, %v; want one row", resp, err)
			}
		})
	}
	wg.Wait()
	j, err := svc.Jobs.Get(DefaultProject, slow.JobReference.JobId).Do()
	if err != nil || j.Status.State != "RUNNING" {
		t.Errorf("the slow one: got %+v, %v; want it running", j.Status, err)
	}
	if _, err := svc.Jobs.Cancel(DefaultProject, slow.JobReference.JobId).Do(); err != nil {
		t.Error(err)
	}
}

func TestCallerMayLeave(t *testing.T) {
	t.Parallel()
	s, tok := signed(t, Config{})
	svc := rest(t, s, tok)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	left := make(chan error, 1)
	go func() {
		_, err := svc.Jobs.Query(DefaultProject, &bq.QueryRequest{Query: endless,
			UseLegacySql: legacyOff}).Context(ctx).Do()
		left <- err
	}()
	for deadline := time.Now().Add(30 * time.Second); len(s.jobs.Newest(DefaultProject, "")) == 0; {
		if time.Now().After(deadline) {
			t.Fatal("no job was started")
		}
		time.Sleep(time.Millisecond)
	}
	cancel()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v; want the cancel", err)
	}
	// The job goes on: only jobs.cancel stops it.
	list, err := svc.Jobs.List(DefaultProject).StateFilter("running", "pending").Do()
	if err != nil || len(list.Jobs) != 1 {
		t.Fatalf("got %+v, %v; want the job still running", list, err)
	}
	if _, err := svc.Jobs.Cancel(DefaultProject, list.Jobs[0].JobReference.JobId).Do(); err != nil {
		t.Error(err)
	}
}
