package fakebq

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"strings"
	"testing"

	bigquery "google.golang.org/api/bigquery/v2"
	"google.golang.org/api/googleapi"
)

// inserted is a job for jobs.insert.
func inserted(sql, id string) *bigquery.Job {
	return &bigquery.Job{
		JobReference: &bigquery.JobReference{ProjectId: "p", JobId: id},
		Configuration: &bigquery.JobConfiguration{Query: &bigquery.JobConfigurationQuery{Query: sql,
			UseLegacySql: googleapi.Bool(false)}},
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

// TestCloseWhileAJobIsAwaited: the request ends with a broken connection rather
// than with an empty answer.
func TestCloseWhileAJobIsAwaited(t *testing.T) {
	t.Parallel()
	s := Run(t, Options{})
	a := people()
	a.Until = make(chan struct{})
	s.On("SELECT slow", a)
	svc := rest(t, s)
	done := make(chan error)
	go func() {
		_, err := svc.Jobs.Query("p", googleSQL("SELECT slow")).Do()
		done <- err
	}()
	s.WaitFor(t, Query, 1)
	s.Close()
	err := <-done
	if _, parse := errors.AsType[*json.SyntaxError](err); parse || err == nil || errors.Is(err, io.EOF) && !isNetwork(err) {
		t.Errorf("got %v; want a broken connection", err)
	}
}

// isNetwork tells an error of the connection from one of the body.
func isNetwork(err error) bool {
	_, ok := errors.AsType[*url.Error](err)
	return ok
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
	running, err := svc.Jobs.List("p").StateFilter("running").Do()
	if err != nil || len(running.Jobs) != 1 {
		t.Errorf("list of running jobs: got %+v, %v; want one", running, err)
	}
	if j := running.Jobs[0]; j.Configuration != nil || j.UserEmail != "" || j.Statistics.Query != nil || j.Id == "" {
		t.Errorf("without projection=full: got %+v; want ids, states and times", j)
	}
	full, err := svc.Jobs.List("p").Projection("full").Do()
	if err != nil || full.Jobs[0].Configuration.Query.Query != "SELECT slow" || full.Jobs[0].UserEmail == "" {
		t.Errorf("with projection=full: got %+v, %v; want the statement and the email", full.Jobs[0], err)
	}
	finished, err := svc.Jobs.List("p").StateFilter("done", "pending").Do()
	if err != nil || len(finished.Jobs) != 0 {
		t.Errorf("list of other jobs: got %+v, %v; want none", finished, err)
	}
	waited := make(chan error)
	go func() {
		_, err := svc.Jobs.GetQueryResults("p", "mine").Do()
		waited <- err
	}()
	s.WaitFor(t, GetQueryResults, 1)
	c, err := svc.Jobs.Cancel("p", "mine").Location("US").Do()
	if err != nil || c.Job.Status.State != "RUNNING" {
		t.Fatalf("cancel: got %+v, %v; want a job that still runs", c, err)
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
	if e := wantError(t, err, 403, "accessDenied"); !strings.Contains(e.Message, "bigquery.jobs.update") {
		t.Errorf("got %s", e.Message)
	}
}

func TestFailedJob(t *testing.T) {
	t.Parallel()
	s := Run(t, Options{})
	s.On("SELECT 1/0", Answer{Err: &Error{Reason: "invalidQuery", Location: "q",
		Message: "division by zero: 1 / 0 at [1:8]"}})
	svc := rest(t, s)
	_, err := svc.Jobs.Query("p", googleSQL("SELECT 1/0")).Do()
	if e := wantError(t, err, 400, "invalidQuery"); e.Message != "division by zero: 1 / 0 at [1:8]" {
		t.Errorf("got message %q", e.Message)
	}
	j, err := svc.Jobs.Insert("p", inserted("SELECT 1/0", "bad")).Do()
	if err != nil || j.Status.State != "DONE" || j.Status.ErrorResult == nil ||
		j.Status.ErrorResult.Reason != "invalidQuery" || len(j.Status.Errors) != 1 {
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
	j, err := svc.Jobs.Insert("p", inserted("SELECT secret", "j")).Do()
	if err != nil || j.Status.State != "DONE" || j.Status.ErrorResult.Reason != "accessDenied" {
		t.Errorf("insert: got %+v, %v; want a job that has failed", j, err)
	}
	if j, err = svc.Jobs.Get("p", "j").Do(); err != nil || j.Status.ErrorResult == nil {
		t.Errorf("get: got %+v, %v; want a job that has failed", j, err)
	}
	if list, err := svc.Jobs.List("p").StateFilter("done").Do(); err != nil || len(list.Jobs) != 2 {
		t.Errorf("list: got %+v, %v; want both jobs", list, err)
	}

	s.On("SELECT quota", Answer{Reject: &Error{Reason: "quotaExceeded"}})
	_, err = svc.Jobs.Insert("p", inserted("SELECT quota", "k")).Do()
	wantError(t, err, 403, "quotaExceeded")
	_, err = svc.Jobs.Get("p", "k").Do()
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
