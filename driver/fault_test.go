package driver_test

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/oauth2"
	bq "google.golang.org/api/bigquery/v2"

	"github.com/bigqueryuser/bigqueryuser/auth"
	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

const insert = "INSERT INTO t VALUES (1)"

// TestNothingSentAfterTheEnd: a refused token does not bring a statement back whose caller has
// left.
func TestNothingSentAfterTheEnd(t *testing.T) {
	t.Parallel()
	asked, answer := make(chan struct{}), make(chan struct{})
	var tokens atomic.Int64
	server := fakebq.Run(t, fakebq.Options{Verify: func(string) (string, bool) {
		if tokens.Add(1) == 1 {
			close(asked)
			<-answer
			return "", false
		}
		return "ada@example.com", true
	}})
	server.On(insert, fakebq.Answer{StatementType: "INSERT", DML: &fakebq.DML{Inserted: 1}})
	db := open(t, server)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-asked
		cancel()
	}()
	if _, err := db.ExecContext(ctx, insert); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v; want context.Canceled", err)
	}
	close(answer)
	if err := db.Close(); err != nil { // waits for what goes on in the background
		t.Error(err)
	}
	if got := server.Executions(insert); got != 0 {
		t.Errorf("the statement ran %d times; want 0", got)
	}
}

// slowTokens returns no token until the test allows it.
type slowTokens struct{ ready chan struct{} }

func (s slowTokens) Token() (*oauth2.Token, error) {
	<-s.ready
	return &oauth2.Token{AccessToken: "token"}, nil
}

// TestSlowToken: ctx ends whatever waits for a token, and nothing is sent when the token comes.
func TestSlowToken(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	tokens := slowTokens{make(chan struct{})}
	connector, err := driver.NewConnector(&dsn.Config{Project: "my-project", Endpoint: server.URL()},
		driver.WithTokenSource(tokens))
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	for name, run := range map[string]func(context.Context) error{
		"Ping":    db.PingContext,
		"Exec":    func(ctx context.Context) error { _, err := db.ExecContext(ctx, insert); return err },
		"Prepare": func(ctx context.Context) error { _, err := db.PrepareContext(ctx, insert); return err },
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		if err := run(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: got %v; want context.DeadlineExceeded", name, err)
		}
		cancel()
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	close(tokens.ready)
	if got := server.Count(); got != 0 {
		t.Errorf("got %d requests; want 0", got)
	}
}

// TestFailedJob: a job that has failed is not asked for again and again, nor run again where a
// part of it stands.
func TestFailedJob(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, sql  string
		answer     fakebq.Answer
		executions int
		polls      int
	}{
		{"while it is polled", "SELECT 1", fakebq.Answer{Incomplete: 1, Err: &fakebq.Error{Reason: "jobBackendError"}}, 4, 4},
		{
			"with a reason that a request can have too",
			"SELECT 1",
			fakebq.Answer{Incomplete: 1, Err: &fakebq.Error{Reason: "backendError"}},
			1,
			1,
		},
		{
			"a script",
			"INSERT INTO t VALUES (1); SELECT 1",
			fakebq.Answer{Err: &fakebq.Error{Reason: "jobInternalError"}},
			1,
			0,
		},
		{"a procedure", "CALL d.p()", fakebq.Answer{Err: &fakebq.Error{Reason: "jobBackendError"}}, 1, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := fakebq.Run(t, fakebq.Options{})
			server.On(tt.sql, tt.answer)
			if _, err := open(t, server).ExecContext(t.Context(), tt.sql); err == nil {
				t.Error("got no error")
			}
			if got := server.Executions(tt.sql); got != tt.executions {
				t.Errorf("the statement ran %d times; want %d", got, tt.executions)
			}
			if got := server.Count(fakebq.GetQueryResults); got != tt.polls {
				t.Errorf("got %d polls; want %d", got, tt.polls)
			}
		})
	}
}

// TestFailedProcedureIsNotRepeated: a type that has changed does not run a procedure twice, a
// part of which stands.
func TestFailedProcedureIsNotRepeated(t *testing.T) {
	t.Parallel()
	const call = "CALL d.p(?)"
	server := fakebq.Run(t, fakebq.Options{})
	typ := func(name string) []fakebq.Parameter {
		return []fakebq.Parameter{{Type: &bq.QueryParameterType{Type: name}}}
	}
	server.On(call, fakebq.Answer{StatementType: "SELECT", Fields: numbers.Fields, Parameters: typ("DATE")},
		fakebq.Answer{Parameters: typ("DATETIME"), Err: &fakebq.Error{Reason: "invalidQuery"}})
	db := open(t, server)
	if _, err := db.ExecContext(t.Context(), call, time.Now()); err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), call, time.Now()); !errors.Is(err, driver.ErrInvalidQuery) {
		t.Errorf("got %v; want invalidQuery", err)
	}
	if got := server.Count(fakebq.Query); got != 2 {
		t.Errorf("got %d statements sent; want 2", got)
	}
}

// TestPassingFaults: dry runs and pages survive what passes, as statements do.
func TestPassingFaults(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	server.On("SELECT 1", fakebq.Answer{})
	server.On("SELECT *", fakebq.Answer{Fields: numbers.Fields, Rows: numbers.Rows, Repeat: 3, PageSize: 3})
	server.Inject(fakebq.Insert, fakebq.HTML(http.StatusServiceUnavailable), fakebq.Drop())
	server.Inject(fakebq.GetQueryResults, fakebq.Fail(fakebq.Error{Reason: "backendError"}), fakebq.Pass(), fakebq.Cut(10))
	db := open(t, server)
	if err := db.PingContext(t.Context()); err != nil {
		t.Error(err)
	}
	rows, err := db.QueryContext(t.Context(), "SELECT *")
	if err != nil {
		t.Fatal(err)
	}
	if got := readAll(t, rows); len(got) != 9 {
		t.Errorf("got %d rows; want 9", len(got))
	}
	if got := server.Faults(); got != 0 {
		t.Errorf("%d faults were not met", got)
	}
}

// TestCloseWithOpenRows: rows that are open when the database is closed can be read to their end.
func TestCloseWithOpenRows(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	server.On("SELECT *", fakebq.Answer{Fields: numbers.Fields, Rows: numbers.Rows, Repeat: 3, PageSize: 3})
	db := open(t, server)
	rows, err := db.QueryContext(t.Context(), "SELECT *")
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	if got := readAll(t, rows); len(got) != 9 {
		t.Errorf("got %d rows; want 9", len(got))
	}
	if err := db.PingContext(t.Context()); err == nil {
		t.Error("Ping after Close: got no error")
	}
}

// TestCloseWithRunningJob: a job that runs when the database is closed is cancelled.
func TestCloseWithRunningJob(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	server.On("SELECT slow", fakebq.Answer{Fields: numbers.Fields, Incomplete: 1000, Until: make(chan struct{})})
	server.Inject(fakebq.GetQueryResults, fakebq.Hang(nil))
	db := open(t, server)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		server.WaitFor(t, fakebq.GetQueryResults, 1)
		if err := db.Close(); err != nil {
			t.Error(err)
		}
		cancel()
	}()
	if _, err := db.ExecContext(ctx, "SELECT slow"); !errors.Is(err, auth.ErrClosed) {
		t.Errorf("got %v; want auth.ErrClosed", err)
	}
	server.WaitFor(t, fakebq.Cancel, 1)
}

// TestStatsOfALongStatement: the answer to a poll lacks some statistics. The driver requests them if the
// caller wants Stats.
func TestStatsOfALongStatement(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	server.On("SELECT *", fakebq.Answer{
		Fields:     numbers.Fields,
		Rows:       numbers.Rows,
		Incomplete: 1,
		Bytes:      100,
		Billed:     10 << 20,
	})
	db := open(t, server)
	var stats driver.Stats
	if err := db.QueryRowContext(driver.WithStats(t.Context(), &stats), "SELECT *").Scan(new(any), new(any)); err != nil {
		t.Fatal(err)
	}
	if stats.BytesProcessed != 100 || stats.BytesBilled != 10<<20 || stats.StatementType != "SELECT" || stats.JobID == "" {
		t.Errorf("got %+v", stats)
	}
	if err := db.QueryRowContext(t.Context(), "SELECT *").Scan(new(any), new(any)); err != nil {
		t.Fatal(err)
	}
	if got := server.Count(fakebq.Get); got != 1 {
		t.Errorf("got %d requests for the job; want 1, for the statement whose Stats were asked for", got)
	}
}

func TestStatementIsNotUTF8(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	db := open(t, server)
	if _, err := db.ExecContext(t.Context(), "INSERT INTO t VALUES ('caf\xe9')"); err == nil {
		t.Error("Exec: got no error")
	}
	if _, err := db.PrepareContext(t.Context(), "SELECT 'caf\xe9'"); err == nil {
		t.Error("Prepare: got no error")
	}
	if got := server.Count(); got != 0 {
		t.Errorf("got %d requests; want 0", got)
	}
}
