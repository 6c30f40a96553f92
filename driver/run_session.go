package driver

import (
	"context"
	"errors"

	bq "google.golang.org/api/bigquery/v2"
)

// inSession records the session that a statement created, and the statement's effects on it.
func (r *runner) inSession(ctx context.Context, st *statement, pg *page) error {
	if !r.session.used() {
		return nil
	}
	if r.session.creates() {
		id, err := r.sessionID(ctx, pg)
		if err != nil {
			r.endCreated(pg.JobReference)
			return err
		}
		location := pg.Location
		if pg.JobReference != nil {
			location = pg.JobReference.Location
		}
		r.session.made(id, location, st.config.Location != r.cfg.Location)
	}
	r.session.ran(pg.StatementType)
	if st.sql.kind == kindTransaction {
		if !st.begins() {
			r.closeTransaction(r.session.id)
		} else if !r.openTransaction(r.session.id, r.session.location) {
			r.endSession()
			return errClosed
		}
	}
	return nil
}

// sessionID returns the session that a statement has created. The answer to a poll does not have it.
func (r *runner) sessionID(ctx context.Context, pg *page) (string, error) {
	if pg.SessionInfo == nil && pg.JobReference != nil {
		job, err := ask(ctx, r.backend, func(cl *client) (*bq.Job, error) { return cl.job(ctx, pg.JobReference) })
		if err != nil {
			return "", r.failed(ctx, err, pg.JobReference)
		}
		if job.Statistics != nil {
			pg.SessionInfo = job.Statistics.SessionInfo
		}
	}
	if pg.SessionInfo == nil || pg.SessionInfo.SessionId == "" {
		return "", errors.New("bigqueryuser: BigQuery's answer has no id of the new session")
	}
	return pg.SessionInfo.SessionId, nil
}

// inNewSession runs f, and runs it again in a new session if the old one has ended, for example while the
// connection was idle, and was empty. f also reports whether the statement may have started.
func (r *runner) inNewSession(begins bool, f func() (begun bool, err error)) error {
	empty := r.session.empty(begins)
	begun, err := f()
	if e, ok := errors.AsType[*Error](err); empty && !begun && ok && sessionLost(e) {
		r.bad = false
		if r.session.tx != nil {
			r.session.tx.err = nil
		}
		_, err = f()
	}
	return err
}

// endSession ends the connection's session, an open transaction included, in the background. It ends the
// session by its id, which does not wait for statements that run in it.
func (r *runner) endSession() {
	if was := r.session.forget(); was.id != "" {
		r.closeTransaction(was.id)
		r.inBackground(leftLimit, func(bg context.Context) {
			_ = r.abortSession(bg, was.id, was.location) // after a failure it ends by itself within a day
		})
	}
}

// endCommitted ends the session after a COMMIT whose answer did not come. It waits for the end of the
// COMMIT first, because ending the session would roll it back. If the COMMIT takes too long, the session
// is left; it is empty afterwards, and ends by itself.
func (r *runner) endCommitted() {
	was := r.session.forget()
	if was.id == "" {
		return
	}
	r.closeTransaction(was.id)
	r.inBackground(endLimit, func(bg context.Context) {
		if was.settled != nil {
			select {
			case <-was.settled:
			case <-bg.Done():
				return
			}
		}
		_ = r.abortSession(bg, was.id, was.location)
	})
}

// abandonTransaction ends the open transaction by ending its session.
func (r *runner) abandonTransaction(ctx context.Context) error {
	if r.begin() != nil {
		return nil // Close has ended it
	}
	defer r.tasks.end()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), txLimit)
	defer cancel()
	was := r.session.forget()
	r.closeTransaction(was.id)
	err := r.failed(ctx, r.abortSession(ctx, was.id, was.location), nil)
	if e, ok := errors.AsType[*Error](err); ok && sessionLost(e) {
		return nil // it has ended already
	}
	return err
}

// endCreated ends the session that a job has created, if its id could not be learned.
func (r *runner) endCreated(ref *bq.JobReference) {
	if ref != nil {
		r.inBackground(leftLimit, func(bg context.Context) { r.endSessionOf(bg, ref) })
	}
}
