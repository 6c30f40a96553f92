package driver

import (
	"context"

	"cloud.google.com/go/bigquery"
)

// RawConn is what lies under database/sql: the official client, for what SQL has no words for, and
// the session of the connection. [Raw] gives it, and sql.Conn.Raw where no other library stands
// between. It must not be used after the function that it was given to has returned.
type RawConn interface {
	// Client returns the official BigQuery client with the connector's sign-in and network
	// connections, for load jobs, metadata and the like. It belongs to the connector: it must not
	// be closed, and not be used after the database has been closed.
	Client(ctx context.Context) (*bigquery.Client, error)
	// Session returns the id of the BigQuery session that the connection's statements run in now,
	// and where it is; "" if they run in none. They do in a transaction, and with
	// create_session=always after the first of them. A bigquery.Query joins it with the connection
	// property session_id, the session's location and Query.Run: Query.Read leaves the property
	// out. A session runs one statement at a time.
	Session() (id, location string)
}

var _ RawConn = (*conn)(nil)

// Raw calls f with the connection of this driver under q, also where another library has put one of its own around it: see
// [Queryer]. Of a *sql.DB it is any connection, of a *sql.Tx that of the transaction. It returns what f returns.
func Raw(q Queryer, f func(RawConn) error) error {
	return onConn(context.Background(), q, func(c *conn) error { return f(c) })
}

// Client returns the official client, as [RawConn] says.
func (c *conn) Client(ctx context.Context) (*bigquery.Client, error) {
	if c.closed {
		return nil, errConnClosed
	}
	cl, err := c.connector.clientFor(ctx)
	if err != nil {
		return nil, err
	}
	return cl.official, nil
}

// Session returns the session that statements run in now, as [RawConn] says.
func (c *conn) Session() (id, location string) {
	if id := c.session.current(); id != "" {
		return id, c.session.location
	}
	return "", ""
}
