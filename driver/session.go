package driver

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	bq "google.golang.org/api/bigquery/v2"

	"github.com/bigqueryuser/bigqueryuser/dsn"
)

// session is a BigQuery session: where transactions, temporary tables and variables live. A
// connection has one at most, made when it is first needed.
type session struct {
	id       string
	location string
	// kept tells that the session holds more than finished transactions, such as a temporary
	// table: it must not reach the next user of the connection.
	kept bool
	// settled is closed when a statement that was abandoned in the session has ended; nil if
	// there was none. BigQuery takes one statement at a time.
	settled chan struct{}
}

// stateless are the statement types that leave nothing behind in a session.
var stateless = []string{"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "TRUNCATE_TABLE", "BEGIN_TRANSACTION", "COMMIT_TRANSACTION", "ROLLBACK_TRANSACTION"}

// sessionFor is the session that a statement runs in now; nil with create has one made with it.
func (c *Conn) sessionFor() (s *session, create bool) {
	if !c.tx && c.connector.cfg.CreateSession != "always" {
		return nil, false
	}
	return c.session, c.session == nil
}

// checkLocation refuses a statement that is to run elsewhere than its session. Where the DSN says so, an
// option has put the session where it is.
func (c *Conn) checkLocation(j *job) error {
	s, _ := c.sessionFor()
	if s == nil || j.cfg.Location == c.connector.cfg.Location || s.runsIn(j.cfg.Location) {
		return nil
	}
	return optionError{&dsn.Error{Key: "location", Problem: fmt.Sprintf("can't change in a session, and this connection's is in %s", s.location)}}
}

// runsIn tells whether the session is in a location; "" is any.
func (s *session) runsIn(location string) bool {
	return location == "" || s.location == "" || strings.EqualFold(location, s.location)
}

// enter waits until the session is free for a statement.
func (c *Conn) enter(ctx context.Context) error {
	if c.session == nil || c.session.settled == nil {
		return nil
	}
	select {
	case <-c.session.settled:
		c.session.settled = nil
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// inSession is told what a statement that ran in a session, or made one, left there.
func (c *Conn) inSession(ctx context.Context, j *job, pg *page) error {
	s, create := c.sessionFor()
	if s == nil && !create {
		return nil
	}
	if create {
		id, err := c.sessionID(ctx, pg)
		if err != nil {
			c.abandonSession(pg.JobReference)
			return err
		}
		// Where an option has put it, the next user of the connection does not look for it.
		c.session = &session{id: id, location: pg.Location, kept: j.cfg.Location != c.connector.cfg.Location}
		if pg.JobReference != nil {
			c.session.location = pg.JobReference.Location
		}
	}
	// A BEGIN of the caller's own leaves a transaction behind.
	own := pg.StatementType == "BEGIN_TRANSACTION" && !c.tx
	c.session.kept = c.session.kept || own || !slices.Contains(stateless, pg.StatementType)
	return nil
}

// failedInSession is told of a statement that failed or was abandoned: what it leaves in a session is
// anybody's guess, and a transaction is rolled back by it.
func (c *Conn) failedInSession(err error) {
	if s, _ := c.sessionFor(); s != nil {
		s.kept = true
	}
	if c.tx {
		c.txErr = err
	}
}

// sessionID finds the session that a statement has made: the answer to a poll does not name it.
func (c *Conn) sessionID(ctx context.Context, pg *page) (string, error) {
	if pg.SessionInfo == nil && pg.JobReference != nil {
		job, err := call(ctx, c.connector, retryable, func(cl *client) (*bq.Job, error) { return cl.job(ctx, pg.JobReference) })
		if err != nil {
			return "", c.failed(ctx, err, pg.JobReference)
		}
		if job.Statistics != nil {
			pg.SessionInfo = job.Statistics.SessionInfo
		}
	}
	if pg.SessionInfo == nil || pg.SessionInfo.SessionId == "" {
		return "", errors.New("bigqueryuser: BigQuery did not say which session it has made")
	}
	return pg.SessionInfo.SessionId, nil
}

// afresh runs f, and once more if the session that it was to run in has ended: while the connection lay in the
// pool, say. That is right only where nothing was in it yet. begins tells that f begins the transaction.
func (c *Conn) afresh(begins bool, f func() error) error {
	empty := c.session != nil && !c.session.kept && (begins || !c.tx)
	err := f()
	if e := (*Error)(nil); empty && errors.As(err, &e) && lost(e) {
		c.bad, c.txErr = false, nil
		err = f()
	}
	return err
}

// lost tells whether an error is the end of the session.
func lost(e *Error) bool {
	return e.Reason == "resourcesExceeded" && strings.Contains(e.Message, "Session ") && strings.Contains(e.Message, "no longer available")
}

// endSession has BigQuery drop the session and all that is in it, a transaction too. Nobody
// waits for it.
func (c *Conn) endSession() {
	s := c.session
	if s == nil {
		return
	}
	c.session = nil
	c.connector.inBackground(orphanLimit+cancelLimit, func(bg context.Context) {
		if s.settled != nil {
			select {
			case <-s.settled:
			case <-bg.Done():
				return
			}
		}
		c.connector.abortSession(bg, s.id, s.location)
	})
}

// abandonSession ends the session that a job has made, which could not be learnt.
func (c *Conn) abandonSession(ref *bq.JobReference) {
	if ref != nil {
		c.connector.inBackground(cancelLimit, func(bg context.Context) { c.connector.abortCreated(bg, ref) })
	}
}

// abortCreated ends the session that a job has made, of which nobody will know.
func (c *Connector) abortCreated(ctx context.Context, ref *bq.JobReference) {
	job, err := call(ctx, c, retryable, func(cl *client) (*bq.Job, error) { return cl.job(ctx, ref) })
	if err == nil && job.Statistics != nil && job.Statistics.SessionInfo != nil {
		c.abortSession(ctx, job.Statistics.SessionInfo.SessionId, ref.Location)
	}
}

func (c *Connector) abortSession(ctx context.Context, id, location string) {
	legacy := false
	req := &bq.QueryRequest{
		Query: "CALL BQ.ABORT_SESSION()", UseLegacySql: &legacy, Location: location, TimeoutMs: pollTimeoutMs,
		ConnectionProperties: []*bq.ConnectionProperty{{Key: "session_id", Value: id}},
	}
	// A session that can't be told ends by itself after a day.
	_, _ = call(ctx, c, retryable, func(cl *client) (*page, error) { return cl.query(ctx, req) })
}
