package driver

import (
	"context"

	"cloud.google.com/go/bigquery"
)

// RawConn gives access to the official client, for operations that SQL can't express, and to the
// session of the connection. [Raw] passes it to a function; sql.Conn.Raw does too, if no library
// wraps the driver. It must not be used after that function has returned.
type RawConn interface {
	// Client returns the official BigQuery client, with the sign-in and the network connections of
	// the connector, for load jobs, metadata and the like. It belongs to the connector: do not close
	// it, and do not use it after the database has been closed.
	Client(ctx context.Context) (*bigquery.Client, error)
	// Session returns the id and location of the BigQuery session of the connection, or "" if its
	// statements run in none. A connection has a session in a transaction and, with
	// create_session=always, after its first statement. To join the session, set the connection
	// property session_id and the location of a bigquery.Query, and call Query.Run; Query.Read
	// drops the property. A session runs one statement at a time.
	Session() (id, location string)
}

var _ RawConn = (*conn)(nil)

// Raw calls f with the driver's connection under q, and returns f's error. For an sql.DB it is any
// connection, for an sql.Tx the transaction's. Other libraries may wrap the connection; see
// [Queryer].
func Raw(q Queryer, f func(RawConn) error) error {
	return onConn(context.Background(), q, func(c *conn) error { return f(c) })
}

// Client returns the official client. See [RawConn].
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

// Session returns the id and location of the current session. See [RawConn].
func (c *conn) Session() (id, location string) {
	if id := c.session.current(); id != "" {
		return id, c.session.location
	}
	return "", ""
}
