package driver

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"

	"github.com/bigqueryuser/bigqueryuser/auth"
)

// Identity returns who the statements of a database, a connection or a transaction run as. What the sign-in does not know,
// BigQuery is asked for: SELECT SESSION_USER() is one request and bills nothing. For credentials that do not
// come from a sign-in only the account is known. The error is the sign-in's or an *Error.
func Identity(ctx context.Context, q Queryer) (id auth.Identity, err error) {
	err = onConn(ctx, q, func(c *conn) error {
		id, err = c.identity(ctx)
		return err
	})
	return id, err
}

func (c *conn) identity(ctx context.Context) (id auth.Identity, err error) {
	if c.connector.signIn != nil {
		if id, err = c.connector.signIn.Identity(ctx); err != nil || id.Account != "" {
			return id, err
		}
	}
	rows, err := c.query(WithOptions(ctx, atOnce), sessionUser, nil)
	if err != nil {
		return id, err
	}
	defer rows.Close()
	row := make([]driver.Value, len(rows.Columns()))
	if err := rows.Next(row); err != nil && err != io.EOF {
		return id, err
	}
	if len(row) > 0 {
		id.Account, _ = row[0].(string)
	}
	if id.Account == "" {
		return id, errors.New("bigqueryuser: BigQuery does not say who the session's user is")
	}
	return id, nil
}

// Authenticator returns the sign-in that the connector's connections share, for Login, Logout and
// Revoke; nil if the credentials come from elsewhere. Closing the connector closes it.
func (c *Connector) Authenticator() *auth.Authenticator { return c.signIn }
