package driver

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"

	"github.com/bigqueryuser/bigqueryuser/auth"
)

// Identity returns the account that the statements of a database, a connection or a transaction run
// as. If the sign-in does not know the account, Identity runs SELECT SESSION_USER(), which is one
// request and bills nothing. For credentials that do not come from a sign-in only Account is set.
// The error is the sign-in's or an *Error.
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
		return id, errors.New("bigqueryuser: SESSION_USER() returned no account")
	}
	return id, nil
}

// Authenticator returns the sign-in of the connector, for Login, Logout and Revoke. It returns nil if the
// credentials do not come from a sign-in. Closing the connector closes it.
func (c *Connector) Authenticator() *auth.Authenticator { return c.signIn }
