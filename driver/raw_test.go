package driver_test

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"strings"
	"testing"

	"cloud.google.com/go/bigquery"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// TestRaw reaches the official client, which shares the sign-in, and the session.
func TestRaw(t *testing.T) {
	t.Parallel()
	server := transactions(t)
	conn, err := open(t, server).Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	session := func() (id, location string) {
		t.Helper()
		if err := driver.Raw(conn, func(c driver.RawConn) error {
			id, location = c.Session()
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return id, location
	}
	if id, location := session(); id != "" || location != "" {
		t.Errorf("before a transaction: got the session %q in %q; want none", id, location)
	}
	tx, err := conn.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	id, location := session()
	if live := server.Sessions(); len(live) != 1 || id != live[0] || location != "US" {
		t.Errorf("in a transaction: got %q in %q; want %q", id, location, live)
	}
	if err := conn.Raw(func(raw any) error { // without another library between
		client, err := raw.(driver.RawConn).Client(t.Context())
		if err != nil {
			return err
		}
		q := client.Query("SELECT name, n FROM t")
		q.Location, q.ConnectionProperties = location, []*bigquery.ConnectionProperty{{Key: "session_id", Value: id}}
		job, err := q.Run(t.Context())
		if err != nil {
			return err
		}
		_, err = job.Read(t.Context())
		return err
	}); err != nil {
		t.Error(err)
	}
	sent := server.Requests(fakebq.Insert)
	if len(sent) != 1 || !strings.Contains(string(sent[0].Body), id) ||
		sent[0].Header.Get("Authorization") != "Bearer token" {
		t.Errorf("got the requests %+v; want one in the session, with the sign-in", sent)
	}
	if err := tx.Commit(); err != nil {
		t.Error(err)
	}
	if id, _ := session(); id != "" {
		t.Errorf("after the transaction: got the session %q; want none, as statements run in none", id)
	}
}

// wrapped is a connector whose connections are those of a library around the driver.
type wrapped struct{ sqldriver.Connector }

type wrappedConn struct{ sqldriver.Conn }

func (c wrappedConn) Raw() sqldriver.Conn { return c.Conn }

func (w wrapped) Connect(ctx context.Context) (sqldriver.Conn, error) {
	conn, err := w.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return wrappedConn{wrappedConn{conn}}, nil
}

// foreign is a connection that is none of this driver's.
type foreign struct{ wrapped }

func (f foreign) Connect(ctx context.Context) (sqldriver.Conn, error) {
	conn, err := f.Connector.Connect(ctx)
	return struct{ sqldriver.Conn }{conn}, err
}

// TestRawThroughLibraries: Raw looks through wrappers, and the error names a connection of another driver.
func TestRawThroughLibraries(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	for name, wrap := range map[string]func(sqldriver.Connector) sqldriver.Connector{
		"wrapped": func(c sqldriver.Connector) sqldriver.Connector { return wrapped{c} },
		"foreign": func(c sqldriver.Connector) sqldriver.Connector { return foreign{wrapped{c}} },
	} {
		db := sql.OpenDB(wrap(newConnector(t, server)))
		conn, err := db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		err = driver.Raw(conn, func(c driver.RawConn) error {
			_, err := c.Client(t.Context())
			return err
		})
		if ours := name == "wrapped"; ours != (err == nil) ||
			!ours && !strings.Contains(err.Error(), "not one of this driver") {
			t.Errorf("%s: got %v", name, err)
		}
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
		db.Close()
	}
}
