package driver

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"time"

	bq "google.golang.org/api/bigquery/v2"

	"github.com/bigqueryuser/bigqueryuser/auth"
)

const sessionUser = "SELECT SESSION_USER()"

// Identity tells who the statements of db run as. What the sign-in does not know, BigQuery is
// asked for: SELECT SESSION_USER() is one request and bills nothing. For credentials that do not
// come from a sign-in only the account is known. The error is the sign-in's or an *Error.
func Identity(ctx context.Context, db *sql.DB) (id auth.Identity, err error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return id, err
	}
	defer conn.Close()
	err = onConn(conn, func(c *Conn) error {
		id, err = c.identity(ctx)
		return err
	})
	return id, err
}

func (c *Conn) identity(ctx context.Context) (id auth.Identity, err error) {
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

// accountLimit bounds the question who was refused: the answer only helps the person who reads the error.
const accountLimit = 5 * time.Second

// account is who was refused, as the sign-in knows or else BigQuery; "" if neither does. Who may not run jobs
// can't ask it.
func (c *Conn) account(ctx context.Context, refused *Error) string {
	if c.connector.signIn != nil {
		if id, err := c.connector.signIn.Identity(ctx); err != nil || id.Account != "" {
			return id.Account
		}
	}
	if refused.Reason != string(ErrAccessDenied) || strings.HasPrefix(permission.FindString(refused.Message), "bigquery.jobs.") {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, accountLimit)
	defer cancel()
	legacy := false
	req := &bq.QueryRequest{Query: sessionUser, UseLegacySql: &legacy, Location: c.connector.cfg.Location}
	pg, err := once(ctx, c.connector, func(cl *client) (*page, error) { return cl.query(ctx, req, firstHold) })
	var rows []struct{ F []struct{ V string } }
	if err != nil || json.Unmarshal(pg.rows, &rows) != nil || len(rows) == 0 || len(rows[0].F) == 0 {
		return ""
	}
	return rows[0].F[0].V
}

// SignIn returns the sign-in that the connector's connections share, for Login, Logout and
// Revoke; nil if the credentials come from elsewhere. Closing the connector closes it.
func (c *Connector) SignIn() *auth.Authenticator { return c.signIn }
