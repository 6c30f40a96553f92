package driver_test

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"strings"
	"testing"

	"cloud.google.com/go/bigquery"

	"github.com/bigqueryuser/bigqueryuser/auth"
	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// wrapping is a connector whose connections are put into others.
type wrapping struct {
	*driver.Connector
	wrap func(sqldriver.Conn) sqldriver.Conn
}

func (w wrapping) Connect(ctx context.Context) (sqldriver.Conn, error) {
	c, err := w.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return w.wrap(c), nil
}

type (
	rawWrapper     struct{ sqldriver.Conn }
	wrappedWrapper struct{ sqldriver.Conn }
	queryWrapper   struct{ sqldriver.Conn } // hides the connection
	prepareWrapper struct{ sqldriver.Conn } // and its QueryContext
)

func (w rawWrapper) Raw() sqldriver.Conn             { return w.Conn }
func (w wrappedWrapper) WrappedConn() sqldriver.Conn { return w.Conn }
func (w queryWrapper) BeginTx(ctx context.Context, opts sqldriver.TxOptions) (sqldriver.Tx, error) {
	return w.Conn.(sqldriver.ConnBeginTx).BeginTx(ctx, opts)
}

func (w queryWrapper) QueryContext(
	ctx context.Context,
	query string,
	args []sqldriver.NamedValue,
) (sqldriver.Rows, error) {
	return w.Conn.(sqldriver.QueryerContext).QueryContext(ctx, query, args)
}

func (w prepareWrapper) PrepareContext(ctx context.Context, query string) (sqldriver.Stmt, error) {
	return w.Conn.(sqldriver.ConnPrepareContext).PrepareContext(ctx, query)
}

// otherDB is a database of no driver of ours.
type otherDB struct{ err error }

func (o otherDB) QueryContext(context.Context, string, ...any) (*sql.Rows, error) { return nil, o.err }

// TestQueryer reaches the connection of a database, of a connection and of a transaction, under
// libraries that show it or hide it, and makes no request for that.
func TestQueryer(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		wrap func(sqldriver.Conn) sqldriver.Conn
		tx   bool
	}{
		{"none", func(c sqldriver.Conn) sqldriver.Conn { return c }, true},
		{"Raw", func(c sqldriver.Conn) sqldriver.Conn { return rawWrapper{c} }, false},
		{"WrappedConn", func(c sqldriver.Conn) sqldriver.Conn { return wrappedWrapper{c} }, false},
		{"both", func(c sqldriver.Conn) sqldriver.Conn { return rawWrapper{wrappedWrapper{c}} }, false},
		{"hidden", func(c sqldriver.Conn) sqldriver.Conn { return queryWrapper{c} }, true},
		{"hidden, prepared", func(c sqldriver.Conn) sqldriver.Conn { return prepareWrapper{c} }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := transactions(t)
			server.On(
				"SELECT SESSION_USER()",
				fakebq.Answer{
					Fields: []fakebq.Field{{Name: "f0_", Type: "STRING"}},
					Rows:   [][]any{{"ada@example.com"}},
				},
			)
			connector, err := driver.NewConnector(
				&dsn.Config{Project: "my-project", Auth: dsn.AuthNone, Endpoint: server.URL()},
			)
			if err != nil {
				t.Fatal(err)
			}
			db := sql.OpenDB(wrapping{connector, tt.wrap})
			t.Cleanup(func() { db.Close() })
			conn, err := db.Conn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			queryers := map[string]driver.Queryer{"DB": db, "Conn": conn}
			if tt.tx {
				tx, err := db.BeginTx(t.Context(), nil)
				if err != nil {
					t.Fatal(err)
				}
				defer tx.Rollback()
				queryers["Tx"] = tx
			}
			for name, q := range queryers {
				server.ResetLog()
				err := driver.Raw(q, func(raw driver.RawConn) error {
					if id, _ := raw.Session(); (id != "") != (name == "Tx") {
						t.Errorf("%s: got the session %q", name, id)
					}
					_, err := raw.Client(t.Context())
					return err
				})
				if err != nil || len(server.Counts()) != 0 {
					t.Errorf("%s: got %v and requests %v; want none", name, err, server.Counts())
				}
				mine := errors.New("mine")
				if err := driver.Raw(q, func(driver.RawConn) error { return mine }); err != mine {
					t.Errorf("%s: got %v; want the function's own error", name, err)
				}
				if _, err := driver.Estimate(
					t.Context(),
					q,
					"SELECT name, n FROM t",
				); err != nil ||
					server.Counts()[fakebq.Insert] != 1 {
					t.Errorf("%s: Estimate: got %v and requests %v", name, err, server.Counts())
				}
				if id, err := driver.Identity(t.Context(), q); err != nil || id.Account != "ada@example.com" {
					t.Errorf("%s: Identity: got %v, %v", name, id, err)
				}
			}
		})
	}
	failed := errors.New("no table SELECT")
	for _, tt := range []struct {
		name string
		q    driver.Queryer
		want string
	}{
		{"a database of another driver", otherDB{failed}, failed.Error()},
		{"nil", nil, "got nil"},
	} {
		err := driver.Raw(tt.q, func(driver.RawConn) error { t.Error("called"); return nil })
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v; want %q", tt.name, err, tt.want)
		}
	}
}

// TestOpen opens a database by a DSN with an option; a wrong DSN is an error at once.
func TestOpen(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	server.On("SELECT 1", fakebq.Answer{Fields: []fakebq.Field{{Name: "f0_", Type: "INTEGER"}}, Rows: [][]any{{1}}})
	observed := 0
	db, err := driver.Open("bigqueryuser://my-project?auth=none&endpoint="+server.URL(),
		driver.WithObserver(func(context.Context, driver.Stats, error) { observed++ }))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var one int
	if err := db.QueryRowContext(t.Context(), "SELECT 1").Scan(&one); err != nil || one != 1 || observed != 1 {
		t.Errorf("got %d, %v, and %d statements observed; want 1, none, 1", one, err, observed)
	}
	if agent := server.Requests(fakebq.Query)[0].Header.Get(
		"User-Agent",
	); !strings.Contains(
		agent,
		"bigqueryuser/"+driver.Version+" ",
	) {
		t.Errorf("got the User-Agent %q", agent)
	}
	_, err = driver.Open("bigqueryuser://my-project?nosuch=1")
	e, ok := errors.AsType[*dsn.Error](err)
	if !ok || e.Key != "nosuch" {
		t.Errorf("got %v; want a *dsn.Error of the key", err)
	}
}

// TestOfficialConstants: options take the official client's constants.
func TestOfficialConstants(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	server.On("SELECT 1", fakebq.Answer{Fields: []fakebq.Field{{Name: "f0_", Type: "INTEGER"}}, Rows: [][]any{{1}}})
	db := open(t, server)
	if err := run(
		t.Context(),
		db,
		"SELECT 1",
		driver.Priority(string(bigquery.BatchPriority)),
	); err != nil ||
		server.Counts()[fakebq.Insert] != 1 {
		t.Errorf("got %v, requests %v; want a batch job", err, server.Counts())
	}
	for _, opt := range []driver.JobOption{
		driver.Priority(string(bigquery.InteractivePriority)), driver.JobCreation(string(bigquery.JobCreationModeOptional)),
		driver.JobCreation(string(bigquery.JobCreationModeRequired)), driver.JobCreation(dsn.JobCreationOptional),
	} {
		if err := run(t.Context(), db, "SELECT 1", opt); err != nil {
			t.Error(err)
		}
	}
	req := sent(t, server)
	if req.JobCreationMode != "JOB_CREATION_OPTIONAL" {
		t.Errorf("got %q; want JOB_CREATION_OPTIONAL", req.JobCreationMode)
	}
	if err := run(t.Context(), db, "SELECT 1", driver.JobCreation("JOB_CREATION_MODE_UNSPECIFIED")); err == nil {
		t.Error("a mode that is none: got no error")
	}
}

// TestClosed: errors of what has been closed can be told from others.
func TestClosed(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	connector, err := driver.NewConnector(
		&dsn.Config{Project: "my-project", Auth: dsn.AuthNone, Endpoint: server.URL()},
	)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := connector.Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.(sqldriver.QueryerContext).QueryContext(
		t.Context(),
		"SELECT 1",
		nil,
	); !errors.Is(err, driver.ErrClosed) ||
		errors.Is(err, auth.ErrClosed) {
		t.Errorf("a connection: got %v; want ErrClosed", err)
	}
	if err := connector.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := connector.Connect(
		t.Context(),
	); !errors.Is(err, driver.ErrClosed) ||
		!errors.Is(err, auth.ErrClosed) {
		t.Errorf("a connector: got %v; want both packages' ErrClosed", err)
	}
}

// TestReason: any word of BigQuery's is an error to compare with.
func TestReason(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	server.On("SELECT 1", fakebq.Answer{Reject: &fakebq.Error{Reason: "billingTierLimitExceeded", Message: "no"}})
	err := run(t.Context(), open(t, server), "SELECT 1")
	e, ok := errors.AsType[*driver.Error](err)
	if !errors.Is(err, driver.Reason("billingTierLimitExceeded")) || errors.Is(err, driver.ErrInvalidQuery) ||
		!ok || e.Reason != "billingTierLimitExceeded" ||
		e.Reason.Error() != "bigqueryuser: billingTierLimitExceeded" {
		t.Errorf("got %v; want the reason", err)
	}
}
