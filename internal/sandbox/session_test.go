package sandbox

import (
	"fmt"
	"strings"
	"testing"
	"time"

	bq "google.golang.org/api/bigquery/v2"
)

// client runs statements of one user, in a session if it has one.
type client struct {
	t        testing.TB
	svc      *bq.Service
	session  string
	location string
}

// newClient makes a client with a session of its own.
func newClient(t testing.TB, s *Server, email string) *client {
	t.Helper()
	c := &client{t: t, svc: rest(t, s, signIn(t, s, email))}
	c.open()
	return c
}

func (c *client) open() {
	c.t.Helper()
	c.session = ""
	resp, err := c.svc.Jobs.Query(DefaultProject,
		&bq.QueryRequest{Query: "SELECT 1", UseLegacySql: legacyOff, CreateSession: true}).Do()
	if err != nil {
		c.t.Fatal(err)
	}
	if resp.SessionInfo == nil || resp.SessionInfo.SessionId == "" {
		c.t.Fatal("createSession: got no session")
	}
	c.session = resp.SessionInfo.SessionId
}

// with is the same user in another session; "" for none.
func (c *client) with(session string) *client {
	other := *c
	other.session = session
	return &other
}

func (c *client) properties() []*bq.ConnectionProperty {
	if c.session == "" {
		return nil
	}
	return []*bq.ConnectionProperty{{Key: "session_id", Value: c.session}}
}

func (c *client) query(sql string) (*bq.QueryResponse, error) {
	return c.svc.Jobs.Query(DefaultProject, &bq.QueryRequest{
		Query: sql, UseLegacySql: legacyOff, ConnectionProperties: c.properties(), Location: c.location,
		TimeoutMs: 60_000,
	}).Do()
}

// exec runs statements that must succeed.
func (c *client) exec(statements ...string) {
	c.t.Helper()
	for _, sql := range statements {
		if _, err := c.query(sql); err != nil {
			c.t.Fatalf("%s: %v", sql, err)
		}
	}
}

// value is the single value of a query.
func (c *client) value(sql string) string {
	c.t.Helper()
	resp, err := c.query(sql)
	if err != nil {
		c.t.Fatalf("%s: %v", sql, err)
	}
	return fmt.Sprint(resp.Rows[0].F[0].V)
}

// fails runs a statement that must fail, with a reason and a part of the message.
func (c *client) fails(sql, reason, part string) {
	c.t.Helper()
	_, err := c.query(sql)
	if err == nil {
		c.t.Errorf("%s: got no error; want %s with %q", sql, reason, part)
		return
	}
	e := apiErr(c.t, err)
	if e.Errors[0].Reason != reason || !strings.Contains(e.Message, part) {
		c.t.Errorf("%s: got %s: %s; want %s with %q", sql, e.Errors[0].Reason, e.Message, reason, part)
	}
}

func TestSession(t *testing.T) {
	t.Parallel()
	s := start(t, Config{NoData: true})
	c := newClient(t, s, DefaultAccount)
	resp, err := c.query("SELECT 2")
	if err != nil || resp.SessionInfo == nil || resp.SessionInfo.SessionId != c.session {
		t.Fatalf("got %+v, %v; want session %s", resp, err, c.session)
	}
	job := queryJob("SELECT 3", "")
	job.Configuration.Query.ConnectionProperties = c.properties()
	job, err = c.svc.Jobs.Insert(DefaultProject, job).Do()
	if err != nil {
		t.Fatal(err)
	}
	if job = await(t, c.svc, job.JobReference); job.Statistics.SessionInfo == nil ||
		job.Statistics.SessionInfo.SessionId != c.session {
		t.Errorf("jobs.get: got session %+v; want %s", job.Statistics.SessionInfo, c.session)
	}
	job = queryJob("SELECT 4", "")
	job.Configuration.Query.CreateSession = true
	if job, err = c.svc.Jobs.Insert(DefaultProject, job).Do(); err != nil {
		t.Fatal(err)
	}
	if info := job.Statistics.SessionInfo; info == nil || info.SessionId == "" || info.SessionId == c.session {
		t.Errorf("jobs.insert with createSession: got session %+v; want a new one", info)
	}
	if resp, err = c.with("").query("SELECT 5"); err != nil || resp.SessionInfo != nil {
		t.Errorf("outside: got session %+v, %v; want none", resp.SessionInfo, err)
	}
}

func TestSessionEnds(t *testing.T) {
	t.Parallel()
	s := start(t, Config{NoData: true})
	exec(t, s, "CREATE SCHEMA d", "CREATE TABLE d.t (a INT64)")
	c := newClient(t, s, DefaultAccount)
	c.exec("BEGIN", "INSERT INTO d.t VALUES (1)", "UPDATE d.t SET a = 2 WHERE TRUE", "CALL BQ.ABORT_SESSION()")
	c.fails("SELECT 1", "resourcesExceeded", "Session "+c.session+" has expired and is no longer available.")
	c.with("").exec("DELETE FROM d.t WHERE TRUE") // its lock is gone
	if n := count(t, s, "d.t"); n != 0 {
		t.Errorf("got %d rows; want none", n)
	}
	c.open()
	c.with("").exec("CALL BQ.ABORT_SESSION('" + c.session + "')")
	c.fails("SELECT 1", "resourcesExceeded", "has expired")
	c.with("").fails("CALL BQ.ABORT_SESSION()", "invalidQuery", "session")
}

func TestSessionExpires(t *testing.T) {
	t.Parallel()
	clock := &fakeClock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	s := start(t, Config{NoData: true, Now: clock.Now, SessionIdle: 10 * time.Minute})
	exec(t, s, "CREATE SCHEMA d", "CREATE TABLE d.t (a INT64)", "INSERT INTO d.t VALUES (1)")
	c := newClient(t, s, DefaultAccount)
	clock.add(9 * time.Minute)
	c.exec("BEGIN", "UPDATE d.t SET a = 2 WHERE TRUE")
	clock.add(9 * time.Minute)
	c.exec("SELECT 1")
	clock.add(11 * time.Minute)
	c.fails("COMMIT", "resourcesExceeded", "has expired")
	if got := c.with("").value("SELECT a FROM d.t"); got != "1" {
		t.Errorf("got %s; want 1", got)
	}
}

func TestSessionBelongsToOnePersonAndPlace(t *testing.T) {
	t.Parallel()
	s := start(t, Config{NoData: true, Projects: map[string][]string{
		DefaultAccount: {DefaultProject, "second"}, "bob@example.com": {DefaultProject},
	}})
	ada, bob := newClient(t, s, DefaultAccount), newClient(t, s, "bob@example.com")
	bob.with(ada.session).fails("SELECT 1", "accessDenied", "another user")
	bob.fails("CALL BQ.ABORT_SESSION('"+ada.session+"')", "accessDenied", "another user")
	elsewhere := *ada
	elsewhere.location = "EU"
	elsewhere.fails("SELECT 1", "invalid", "location US")
	_, err := ada.svc.Jobs.Query("second", &bq.QueryRequest{Query: "SELECT 1", UseLegacySql: legacyOff,
		ConnectionProperties: ada.properties()}).Do()
	if e := apiErr(t, err); e.Errors[0].Reason != "resourcesExceeded" {
		t.Errorf("another project: got %v; want resourcesExceeded", err)
	}
	ada.exec("SELECT 1")
}

func TestSessionRunsOneStatementAtATime(t *testing.T) {
	t.Parallel()
	s := start(t, Config{NoData: true})
	exec(t, s, "CREATE SCHEMA d", "CREATE TABLE d.t (a INT64)")
	holder, c := newClient(t, s, DefaultAccount), newClient(t, s, DefaultAccount)
	holder.exec("INSERT INTO d.t VALUES (1)", "BEGIN", "UPDATE d.t SET a = 2 WHERE TRUE")
	// Outside of a transaction the second UPDATE waits for the first one's.
	job := queryJob("UPDATE d.t SET a = a + 10 WHERE TRUE", "waiting")
	job.Configuration.Query.ConnectionProperties = c.properties()
	if _, err := c.svc.Jobs.Insert(DefaultProject, job).Do(); err != nil {
		t.Fatal(err)
	}
	c.fails("SELECT 1", "invalid", "Concurrent jobs in the same session are not allowed.")
	if _, err := c.svc.Jobs.Insert(DefaultProject, job).Do(); apiErr(t, err).Code != 409 {
		t.Errorf("the same job id: got %v; want 409", err)
	}
	holder.exec("COMMIT")
	await(t, c.svc, &bq.JobReference{ProjectId: DefaultProject, JobId: "waiting", Location: "US"})
	if got := c.value("SELECT a FROM d.t"); got != "12" {
		t.Errorf("got %s; want 12", got)
	}
}

// TestSessionEndsWhileItsStatementRuns stops the statement.
func TestSessionEndsWhileItsStatementRuns(t *testing.T) {
	t.Parallel()
	s := start(t, Config{NoData: true})
	exec(t, s, "CREATE SCHEMA d", "CREATE TABLE d.t (a INT64)")
	holder, c := newClient(t, s, DefaultAccount), newClient(t, s, DefaultAccount)
	holder.exec("BEGIN", "UPDATE d.t SET a = 2 WHERE TRUE")
	job := queryJob("UPDATE d.t SET a = 3 WHERE TRUE", "waiting")
	job.Configuration.Query.ConnectionProperties = c.properties()
	if _, err := c.svc.Jobs.Insert(DefaultProject, job).Do(); err != nil {
		t.Fatal(err)
	}
	holder.exec("CALL BQ.ABORT_SESSION('" + c.session + "')")
	got := await(t, c.svc, &bq.JobReference{ProjectId: DefaultProject, JobId: "waiting", Location: "US"})
	if e := got.Status.ErrorResult; e == nil || e.Reason != "resourcesExceeded" {
		t.Errorf("got %+v; want resourcesExceeded", e)
	}
	c.fails("SELECT 1", "resourcesExceeded", "has expired")
}

func TestFailedStatementMakesNoSession(t *testing.T) {
	t.Parallel()
	s, tok := signed(t, Config{NoData: true})
	for _, sql := range []string{"SELECT nosuch", "SELECT 1 / 0", "COMMIT", "CALL BQ.ABORT_SESSION()"} {
		call(t, s, tok.AccessToken, "POST", queryPath(DefaultProject),
			fmt.Sprintf(`{"useLegacySql": false, "createSession": true, "query": %q}`, sql))
	}
	if n := s.jobs.Held().Sessions; n != 0 {
		t.Errorf("got %d sessions; want none", n)
	}
}
