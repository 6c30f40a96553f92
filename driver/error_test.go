package driver_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/api/googleapi"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// TestErrors: what BigQuery refuses is an *Error with its reason, and the *googleapi.Error
// under it.
func TestErrors(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	server.On("SELECT x", fakebq.Answer{
		Reject: &fakebq.Error{Reason: "invalidQuery", Message: "Unrecognized name: x at [1:8]"},
	})
	server.On("SELECT forbidden", fakebq.Answer{Reject: &fakebq.Error{
		Reason: "accessDenied",
		Message: "Access Denied: Project my-project: " +
			"User does not have bigquery.jobs.create permission in project my-project.",
	}})
	server.On("SELECT gone", fakebq.Answer{
		Reject: &fakebq.Error{Reason: "notFound", Message: "Not found: Table my-project:d.gone"},
	})
	server.On("SELECT late", fakebq.Answer{
		Incomplete: 1,
		Err:        &fakebq.Error{Reason: "resourcesExceeded", Message: "Resources exceeded during query execution"},
	})
	db := open(t, server)
	for _, tt := range []struct {
		sql      string
		is       error
		location string
		status   int
		say      string
	}{
		{"SELECT x", driver.ErrInvalidQuery, "1:8", 400, "Unrecognized name: x at [1:8]"},
		{
			"SELECT forbidden",
			driver.ErrAccessDenied,
			"",
			403,
			"BigQuery Job User (bigquery.jobs.create) in project my-project",
		},
		{"SELECT gone", driver.ErrNotFound, "", 404, "d.gone"},
		{"SELECT late", driver.ErrResourcesExceeded, "", 400, "job "},
	} {
		_, err := db.QueryContext(t.Context(), tt.sql)
		e, ok := errors.AsType[*driver.Error](err)
		if !ok || !errors.Is(err, tt.is) || e.Location != tt.location || e.Status != tt.status ||
			!strings.Contains(err.Error(), tt.say) {
			t.Errorf("%s: got %v (%+v); want %v at %q with status %d and %q",
				tt.sql, err, e, tt.is, tt.location, tt.status, tt.say)
		}
		if errors.Is(err, driver.ErrQuotaExceeded) {
			t.Errorf("%s: matches another reason", tt.sql)
		}
		if _, ok := errors.AsType[*googleapi.Error](err); !ok {
			t.Errorf("%s: no *googleapi.Error under %v", tt.sql, err)
		}
	}
	if _, err := db.PrepareContext(t.Context(), "SELECT x"); !errors.Is(err, driver.ErrInvalidQuery) {
		t.Errorf("Prepare: got %v; want invalidQuery", err)
	}
}

// TestBytesLimit: a statement that would cost more than the limit is refused.
func TestBytesLimit(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	server.On("SELECT name, n FROM t", fakebq.Answer{
		Fields: numbers.Fields,
		Rows:   numbers.Rows,
		Bytes:  2 << 30,
		Billed: 2 << 30,
	})
	db := open(t, server, func(c *dsn.Config) { c.MaximumBytesBilled = 1 << 30 })
	if _, err := db.QueryContext(t.Context(), "SELECT name, n FROM t"); !errors.Is(err, driver.ErrBytesBilledLimit) {
		t.Errorf("got %v; want bytesBilledLimitExceeded", err)
	}
}

// TestRetry: a statement survives passing faults, and runs once.
func TestRetry(t *testing.T) {
	t.Parallel()
	insert := "INSERT INTO t VALUES (1)"
	for _, tt := range []struct {
		name  string
		fault fakebq.Fault
	}{
		{"503", fakebq.Fail(fakebq.Error{Reason: "backendError"})},
		{"a page of HTML", fakebq.HTML(http.StatusBadGateway)},
		{"rateLimitExceeded", fakebq.Fail(fakebq.Error{Reason: "rateLimitExceeded"})},
		{"a dropped connection", fakebq.Drop()},
		{"the answer lost", fakebq.Drop().After()},
		{"half an answer", fakebq.Cut(20)},
		{"an answer that can't be read", fakebq.Garbage("{")},
		{"a page of HTML with status 200", fakebq.Garbage("<html>")},
		{"a token refused once", fakebq.Fail(fakebq.Error{Reason: "authError", Status: 401})},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := fakebq.Run(t, fakebq.Options{})
			server.On(insert, fakebq.Answer{StatementType: "INSERT", DML: &fakebq.DML{Inserted: 1}})
			server.Inject(fakebq.Query, tt.fault)
			res, err := open(t, server).ExecContext(t.Context(), insert)
			if err != nil {
				t.Fatal(err)
			}
			if n, _ := res.RowsAffected(); n != 1 {
				t.Errorf("RowsAffected: got %d; want 1", n)
			}
			if got := server.Executions(insert); got != 1 {
				t.Errorf("the statement ran %d times; want 1", got)
			}
			if got := server.Count(fakebq.Query); got != 2 {
				t.Errorf("got %d requests; want 2", got)
			}
		})
	}
}

// TestNoRetry: an error that a further try would not change is returned at once.
func TestNoRetry(t *testing.T) {
	t.Parallel()
	for _, fault := range []fakebq.Fault{
		fakebq.Fail(fakebq.Error{Reason: "invalidQuery"}),
		fakebq.Fail(fakebq.Error{Reason: "accessDenied", Message: "User does not have bigquery.jobs.create permission"}),
		fakebq.Fail(fakebq.Error{Reason: "quotaExceeded"}),
		fakebq.Garbage("{}"),
		fakebq.Body(307, "text/html", ""),
	} {
		server := fakebq.Run(t, fakebq.Options{})
		server.On("SELECT name, n FROM t", numbers)
		server.Inject(fakebq.Query, fault)
		if rows, err := open(t, server).QueryContext(t.Context(), "SELECT name, n FROM t"); err == nil {
			rows.Close()
			t.Error("got no error")
		}
		if got := server.Count(); got != 1 {
			t.Errorf("got %d requests; want 1", got)
		}
	}
}

// TestUnauthorized: a token that stays refused is an error after one more try, and the pool
// drops the connection.
func TestUnauthorized(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{Verify: func(string) (string, bool) { return "", false }})
	db := open(t, server)
	_, err := db.QueryContext(t.Context(), "SELECT 1")
	e, ok := errors.AsType[*driver.Error](err)
	if !ok || e.Status != 401 {
		t.Errorf("got %v; want an *Error with status 401", err)
	}
	if got := server.Count(); got != 2 {
		t.Errorf("got %d requests; want 2", got)
	}
	if got := db.Stats().OpenConnections; got != 0 {
		t.Errorf("the pool keeps %d connections; want 0", got)
	}
}

// TestAccessDenied: a refusal names the account, the project and the missing permission. If the sign-in
// does not know the account, the driver asks BigQuery, unless BigQuery can't answer either.
func TestAccessDenied(t *testing.T) {
	t.Parallel()
	user := fakebq.Answer{Fields: []fakebq.Field{{Name: "f0_", Type: "STRING"}}, Rows: [][]any{{"ada@example.com"}}}
	for _, tt := range []struct {
		name     string
		message  string
		user     fakebq.Answer
		account  string
		requests int
		want     []string
	}{
		{
			"a table",
			"Access Denied: Table p:d.t: User does not have permission to query table p:d.t, or perhaps it does not exist.",
			user, "ada@example.com", 2,
			[]string{"ada@example.com needs", "in project my-project", "read access to the tables"},
		},
		{
			"a permission of a table",
			"Access Denied: Table p:d.t: Permission bigquery.tables.getData denied on table p:d.t (or it may not exist).",
			user, "ada@example.com", 2,
			[]string{"ada@example.com needs the permission bigquery.tables.getData", "project my-project"},
		},
		{
			"Drive",
			"Access Denied: BigQuery BigQuery: Permission denied while getting Drive credentials.",
			user, "ada@example.com", 2,
			[]string{"scopes=bigquery,drive.readonly", "shared with ada@example.com"},
		},
		{
			"jobs",
			"Access Denied: Project my-project: User does not have bigquery.jobs.create permission in project my-project.",
			user, "", 1,
			[]string{"the signed-in account needs the role BigQuery Job User (bigquery.jobs.create) in project my-project"},
		},
		{
			"who asks is refused as well",
			"Access Denied: Table p:d.t",
			fakebq.Answer{Reject: &fakebq.Error{Reason: "accessDenied"}}, "", 2,
			[]string{"the signed-in account needs"},
		},
		{
			"the user is NULL",
			"Access Denied: Table p:d.t",
			fakebq.Answer{Fields: user.Fields, Rows: [][]any{{nil}}}, "", 2,
			[]string{"the signed-in account needs"},
		},
		{
			"no row with the user",
			"Access Denied: Table p:d.t",
			fakebq.Answer{Fields: user.Fields}, "", 2,
			[]string{"the signed-in account needs"},
		},
		{
			"the user is not known at once",
			"Access Denied: Table p:d.t",
			fakebq.Answer{Fields: user.Fields, Incomplete: 1}, "", 2,
			[]string{"the signed-in account needs"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := fakebq.Run(t, fakebq.Options{})
			server.On("SELECT forbidden", fakebq.Answer{Reject: &fakebq.Error{Reason: "accessDenied", Message: tt.message}})
			server.On("SELECT SESSION_USER()", tt.user)
			_, err := open(t, server).QueryContext(t.Context(), "SELECT forbidden")
			e, ok := errors.AsType[*driver.Error](err)
			if !ok || !errors.Is(err, driver.ErrAccessDenied) ||
				e.Account != tt.account || e.Project != "my-project" {
				t.Fatalf("got %+v; want the account %q", e, tt.account)
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %v; want %q in it", err, want)
				}
			}
			if got := server.Count(); got != tt.requests {
				t.Errorf("got %d requests; want %d", got, tt.requests)
			}
		})
	}
}
