package fakebq

import (
	"slices"
	"strings"
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
	if r, err := in("CALL BQ.ABORT_SESSION();", id, "EU"); err != nil || r.StatementType != "SCRIPT" {
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

// TestTransactions: an error leaves a transaction open, and it holds its tables until it or its session ends.
func TestTransactions(t *testing.T) {
	t.Parallel()
	s := Run(t, Options{})
	s.On("BEGIN", Answer{StatementType: "BEGIN_TRANSACTION"})
	s.On("COMMIT", Answer{StatementType: "COMMIT_TRANSACTION"})
	s.On("ROLLBACK", Answer{StatementType: "ROLLBACK_TRANSACTION"})
	dml := Answer{DML: &DML{Inserted: 1}, Tables: []string{"p:d.t"}}
	s.On("INSERT", dml)
	dml.Err = &Error{Reason: "invalidQuery", Message: "division by zero"}
	s.On("INSERT 1/0", dml)
	svc := rest(t, s)
	in := func(sql, session string) (string, error) {
		q := googleSQL(sql)
		switch session {
		case "new":
			q.CreateSession = true
		case "":
		default:
			q.ConnectionProperties = []*bigquery.ConnectionProperty{{Key: "session_id", Value: session}}
		}
		r, err := svc.Jobs.Query("p", q).Do()
		if err != nil || r.SessionInfo == nil {
			return "", err
		}
		return r.SessionInfo.SessionId, nil
	}
	refused := func(sql, session, message string) {
		t.Helper()
		_, err := in(sql, session)
		if err == nil || !strings.Contains(err.Error(), message) {
			t.Errorf("%s: got %v; want %q", sql, err, message)
		}
	}
	refused("BEGIN", "", "only in scripts or sessions")
	refused("INSERT", "unknown", "Invalid input session id.")
	first, err := in("BEGIN", "new")
	if err != nil {
		t.Fatal(err)
	}
	refused("BEGIN", first, "nested")
	refused("INSERT 1/0", first, "division by zero")
	if open, held := s.OpenTransactions(), s.HeldTables(); !slices.Equal(open, []string{first}) ||
		!slices.Equal(held, []string{"p:d.t"}) {
		t.Errorf("after an error: got open transactions %q with %q; want it open with its table", open, held)
	}
	refused("INSERT", "", "Could not serialize access to table p:d.t due to concurrent update")
	second, err := in("BEGIN", "new")
	if err != nil {
		t.Fatal(err)
	}
	refused("INSERT", second, "Transaction is aborted due to concurrent update against table p:d.t")
	if _, err := in("ROLLBACK", first); err != nil {
		t.Error(err)
	}
	for _, sql := range []string{"COMMIT", "ROLLBACK"} { // under any request id
		refused(sql, first, "No active transaction found")
	}
	if _, err := in("INSERT", second); err != nil {
		t.Error(err)
	}
	if _, err := in("CALL BQ.ABORT_SESSION('"+second+"')", ""); err != nil {
		t.Error(err)
	}
	if _, err := in("INSERT", ""); err != nil {
		t.Errorf("after the end of the session: %v", err)
	}
	if open := s.OpenTransactions(); len(open) != 0 {
		t.Errorf("got open transactions %q; want none", open)
	}
	s.ForgetSession(first)
	refused("INSERT", first, "Invalid input session id.")
}
