package fakebq

import (
	"slices"
	"testing"

	bigquery "google.golang.org/api/bigquery/v2"
)

func TestSessions(t *testing.T) {
	t.Parallel()
	s := Run(t, Options{})
	until := make(chan struct{})
	slow := people()
	slow.Until = until
	s.On("SELECT slow", slow)
	s.On("SELECT people", people())
	svc := rest(t, s)
	in := func(sql, session, location string) (*bigquery.QueryResponse, error) {
		q := googleSQL(sql)
		q.Location, q.TimeoutMs = location, 1
		if session != "" {
			q.ConnectionProperties = []*bigquery.ConnectionProperty{{Key: "session_id", Value: session}}
		} else {
			q.CreateSession = true
		}
		return svc.Jobs.Query("p", q).Do()
	}

	first, err := in("SELECT people", "", "EU")
	if err != nil || first.SessionInfo == nil || first.SessionInfo.SessionId == "" {
		t.Fatalf("createSession: got %+v, %v; want a session id", first, err)
	}
	id := first.SessionInfo.SessionId
	if !slices.Equal(s.Sessions(), []string{id}) {
		t.Errorf("got sessions %v; want %v", s.Sessions(), id)
	}
	if r, err := in("SELECT people", id, "EU"); err != nil || r.SessionInfo.SessionId != id ||
		r.JobReference.Location != "EU" {
		t.Errorf("in the session: got %+v, %v", r, err)
	}
	_, err = in("SELECT people", id, "US")
	wantError(t, err, 404, "notFound")

	r, err := in("SELECT slow", id, "EU")
	if err != nil || r.JobComplete {
		t.Fatalf("slow: got %+v, %v; want an incomplete job", r, err)
	}
	_, err = in("SELECT people", id, "EU")
	if e := wantError(t, err, 400, "invalid"); e.Message != "Concurrent jobs in the same session are not allowed." {
		t.Errorf("got message %q", e.Message)
	}
	close(until)
	if _, err = in("SELECT people", id, "EU"); err != nil {
		t.Errorf("after the slow job: %v", err)
	}

	j, err := svc.Jobs.Get("p", first.JobReference.JobId).Do()
	if err != nil || j.Statistics.SessionInfo.SessionId != id {
		t.Errorf("jobs.get: got %+v, %v; want the session", j, err)
	}
	if r, err := in("CALL BQ.ABORT_SESSION();", id, "EU"); err != nil || r.StatementType != "CALL" {
		t.Errorf("abort: got %+v, %v", r, err)
	}
	if s.Executions("CALL BQ.ABORT_SESSION();") != 1 || len(s.Sessions()) != 0 {
		t.Errorf("got sessions %v after the end; want none", s.Sessions())
	}
	_, err = in("SELECT people", id, "EU")
	if e := wantError(t, err, 400, "resourcesExceeded"); e.Message != "Session "+id+" has expired and is no longer "+
		"available." {
		t.Errorf("got message %q", e.Message)
	}

	second, err := in("SELECT people", "", "")
	if err != nil {
		t.Fatal(err)
	}
	s.EndSession(second.SessionInfo.SessionId)
	_, err = in("SELECT people", second.SessionInfo.SessionId, "")
	wantError(t, err, 400, "resourcesExceeded")
}
