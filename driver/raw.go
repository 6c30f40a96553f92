package driver

import (
	"context"

	"cloud.google.com/go/bigquery"
)

// RawConn gives access to the official client, for what SQL can't express, and to the session of the
// connection. [Raw] passes it to a function, and so does sql.Conn.Raw if no other library wraps the
// driver. It must not be used after that function has returned.
type RawConn interface {
	// Client returns the official BigQuery client, with the sign-in and the network connections of
	// the connector, for load jobs, metadata and the like. It belongs to the connector: do not close
	// it, and do not use it after the database has been closed.
	Client(ctx context.Context) (*bigquery.Client, error)
	// Session returns the id and the location of the BigQuery session that the connection's
	// statements run in, or "" if they run in none. They run in one in a transaction and, with
	// create_session=always, after the first statement. To join it, give a bigquery.Query the
	// connection property session_id and the location, and call Query.Run; Query.Read drops the
	// property. A session runs one statement at a time.
	Session() (id, location string)
}

var _ RawConn = (*conn)(nil)

// Raw calls f with the connection of this driver under q, and returns f's error. Other libraries may wrap
// the connection; see [Queryer]. For an sql.DB it is any connection, for an sql.Tx that of the transaction.
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
