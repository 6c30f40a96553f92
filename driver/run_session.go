package driver

import (
	"context"
	"errors"

	bq "google.golang.org/api/bigquery/v2"
)

// inSession notes what a statement that ran in a session, or made one, left there.
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
		if st.sql.verb == "BEGIN" {
			r.openTransaction(r.session.id, r.session.location)
		} else {
			r.closeTransaction(r.session.id)
		}
	}
	return nil
}

// sessionID finds the session that a statement has made: the answer to a poll does not name it.
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
		return "", errors.New("bigqueryuser: BigQuery did not say which session it has made")
	}
	return pg.SessionInfo.SessionId, nil
}

// inNewSession runs f, and once more if the session that it was to run in has ended: while the
// connection lay in the pool, say. That is right only where nothing was in it yet. f reports
// whether something may have begun, too.
func (r *runner) inNewSession(begins bool, f func() (begun bool, err error)) error {
	empty := r.session.empty(begins)
	begun, err := f()
	if e := (*Error)(nil); empty && !begun && errors.As(err, &e) && sessionLost(e) {
		r.bad = false
		if r.session.tx != nil {
			r.session.tx.err = nil
		}
		_, err = f()
	}
	return err
}

// endSession has BigQuery drop the connection's session and all that is in it, an open transaction
// too, from outside, which need not wait for what runs in it.
func (r *runner) endSession() {
	if was := r.session.forget(); was.id != "" {
		r.closeTransaction(was.id)
		r.inBackground(leftLimit, func(bg context.Context) {
			_ = r.abortSession(bg, was.id, was.location) // one that can't be told ends by itself after a day
		})
	}
}

// endCommitted is endSession after a COMMIT whose answer was not awaited: it waits for the COMMIT's
// end. A session whose COMMIT has not ended by then is left, since its end would undo the COMMIT. It
// is empty after it, and ends by itself.
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

// abandonTransaction ends the open transaction with its session, from outside.
func (r *runner) abandonTransaction(ctx context.Context) error {
	done, err := r.begin()
	if err != nil {
		return nil // Close has ended it
	}
	defer done()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), txLimit)
	defer cancel()
	was := r.session.forget()
	r.closeTransaction(was.id)
	return r.failed(ctx, r.abortSession(ctx, was.id, was.location), nil)
}

// endCreated ends the session that a job has made, which could not be learnt.
func (r *runner) endCreated(ref *bq.JobReference) {
	if ref != nil {
		r.inBackground(leftLimit, func(bg context.Context) { r.endSessionOf(bg, ref) })
	}
}
