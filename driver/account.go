package driver

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	bq "google.golang.org/api/bigquery/v2"
)

const sessionUser = "SELECT SESSION_USER()"

// accountLimit limits the time of the request for the refused account, which only improves the
// error.
const accountLimit = 5 * time.Second

// accountOf returns the account that was refused, from the sign-in or else from BigQuery; "" if
// neither knows it. BigQuery can't be asked if the account may not run jobs.
func (c *Connector) accountOf(ctx context.Context, refused *Error) string {
	if c.signIn != nil {
		if id, err := c.signIn.Identity(ctx); err != nil || id.Account != "" {
			return id.Account
		}
	}
	if refused.Reason != ErrAccessDenied ||
		strings.HasPrefix(permission.FindString(refused.Message), "bigquery.jobs.") {
		return ""
	}
	if known, ok := c.asked.Load().(string); ok {
		return known // without a sign-in the account never changes
	}
	ctx, cancel := context.WithTimeout(ctx, accountLimit)
	defer cancel()
	legacy := false
	req := &bq.QueryRequest{Query: sessionUser, UseLegacySql: &legacy, Location: c.cfg.Location}
	pg, err := once(ctx, c.backend, func(cl *client) (*page, error) { return cl.query(ctx, req, firstHold) })
	var rows []struct{ F []struct{ V string } }
	if err != nil || json.Unmarshal(pg.rows, &rows) != nil || len(rows) == 0 || len(rows[0].F) == 0 {
		return ""
	}
	if c.signIn == nil {
		c.asked.Store(rows[0].F[0].V)
	}
	return rows[0].F[0].V
}
