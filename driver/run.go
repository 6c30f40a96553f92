package driver

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"

	bq "google.golang.org/api/bigquery/v2"
	"google.golang.org/api/googleapi"

	"github.com/bigqueryuser/bigqueryuser/auth"
)

// maxNewIDs is how often a statement is sent again under a new id after its job has failed by BigQuery's
// fault.
const maxNewIDs = 3

// txLimit bounds Commit and Rollback, even if the context of BeginTx has no deadline.
const txLimit = 2 * time.Minute

// runner runs the statements of one connection, one after the other.
type runner struct {
	*backend
	number     int64 // of this connection, counted by the connector
	generation int64 // grows whenever a statement is abandoned
	session    session
	bad        bool // the sign-in or the session has ended: the pool must drop the connection
	closed     bool
}

// run runs a statement to its end and returns the first page of its result. It returns early when ctx or
// the context of the transaction ends, or the connector is closed.
func (r *runner) run(ctx context.Context, st *statement) (*page, error) {
	pg, _, err := r.runTo(ctx, st)
	return pg, err
}

// runTo is run. With an error it also reports whether a request may have begun the statement.
func (r *runner) runTo(ctx context.Context, st *statement) (pg *page, begun bool, err error) {
	if r.closed {
		return nil, false, errConnClosed
	}
	if err := r.begin(); err != nil {
		return nil, false, err
	}
	defer r.tasks.end()
	hold := firstHoldFor(ctx, r.session.tx, st)
	ctx, cancel := r.lifetime(ctx)
	defer cancel()
	err = r.inNewSession(st.begins(), func() (_ bool, err error) {
		pg, begun, err = r.runOnce(ctx, st, hold)
		return begun, err
	})
	return pg, begun, err
}

// lifetime returns a context that ends with ctx, with the context of the transaction, and with the
// connector.
func (r *runner) lifetime(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := r.atEnd(func() { cancel(endedBy{errClosed}) })
	release := func() { stop(); cancel(nil) }
	tx := r.session.tx
	if tx == nil {
		return ctx, release
	}
	txCtx := tx.ctx // the transaction's end gives it another one
	stopTx := context.AfterFunc(txCtx, func() { cancel(endedBy{txCtx.Err()}) })
	deadline, ok := txCtx.Deadline()
	if !ok {
		return ctx, func() { stopTx(); release() }
	}
	ctx, earlier := context.WithDeadline(ctx, deadline)
	return ctx, func() { earlier(); stopTx(); release() }
}

// runOnce runs a statement once. It also reports whether a request that failed may have started it.
func (r *runner) runOnce(ctx context.Context, st *statement, hold hold) (pg *page, begun bool, err error) {
	if ctx.Err() != nil {
		return nil, false, endOf(ctx)
	}
	if err := r.session.admit(ctx, st, r.cfg.Location); err != nil {
		return nil, false, err
	}
	bound, err := r.bind(ctx, st)
	if err != nil {
		return nil, false, err
	}
	if st.config.DryRun {
		stats, err := r.dryRun(ctx, st, bound.params)
		if err != nil {
			return nil, false, err
		}
		return checked(stats), false, nil
	}
	if st.commits() {
		r.closeTransaction(r.session.id) // Close awaits a COMMIT; ending its session would roll it back
	}
	o := r.send(ctx, st, bound.params, hold)
	if o.state == stateFailed && (wrongTypes(o.err) || statusOf(o.err) == 404) {
		r.types.forget(st) // the table may have changed since the types were learned
	}
	if o.state == stateFailed && wrongTypes(o.err) && st.repeatable() && !r.session.used() && !o.begun {
		// The types are old, or a value is not of the type of its Go type there.
		if again := r.rebind(ctx, st, bound); again != nil {
			if o = r.send(ctx, st, again.params, hold); o.state == stateDone {
				r.learnt(again)
			}
		}
	}
	if o.state == stateDone {
		return r.finished(ctx, st, o.page)
	}
	err = r.told(ctx, st, o)
	if o.state != stateNotBegun {
		r.session.failed(err)
	}
	if o.state == stateLost && r.session.tx != nil && ctx.Err() == nil {
		r.bad = r.bad || r.session.always // the session's temporary tables and variables are lost
		if st.commits() {
			r.endCommitted()
		} else {
			r.endSession() // otherwise the locks would stay
		}
	}
	return nil, o.begun, about(err, st.text)
}

// finished completes the result of a statement that has run. Its requests may fail, which does not
// change the outcome of the statement.
func (r *runner) finished(ctx context.Context, st *statement, pg *page) (*page, bool, error) {
	if pg.kind(st).voidsTypes() {
		r.types.clear()
	}
	err := r.whole(ctx, st, pg)
	switch {
	case err == nil:
		err = r.inSession(ctx, st, pg)
	case r.session.creates():
		r.endCreated(pg.JobReference)
	}
	if err != nil {
		r.session.failed(err)
		if st.mayChange() {
			err = hasRun(err)
		}
		return nil, true, about(err, st.text)
	}
	return pg, false, nil
}

// wrongTypes reports whether a refusal can be due to the types of the parameters.
func wrongTypes(err error) bool {
	api, ok := errors.AsType[*googleapi.Error](err)
	return ok && (hasReason(api, []string{string(ErrInvalidQuery)}) ||
		hasReason(api, []string{"invalid"}) && strings.Contains(api.Message, "Unparseable query parameter"))
}

// told returns the caller's error for an outcome.
func (r *runner) told(ctx context.Context, st *statement, o outcome) error {
	err := r.failed(ctx, o.err, o.job)
	switch {
	case o.state != stateLost || !st.mayChange():
		return err
	case st.commits():
		return &unknownError{ErrCommitUnknown, err}
	}
	return &unknownError{ErrOutcomeUnknown, err}
}

// send sends a statement and waits for its end. If its job fails by BigQuery's fault, send sends it again
// under a new id.
func (r *runner) send(ctx context.Context, st *statement, params []*bq.QueryParameter, hold hold) (o outcome) {
	for p := newPauses(r.backend); ; {
		s := r.submission(ctx, st, params, hold)
		o = s.submit(ctx, r.backend)
		if o.state == stateRunning {
			begun := o.begun
			o = s.await(ctx, r.backend, o.page)
			o.begun = begun
		}
		if o.state == stateLost {
			r.generation++
			r.leave(s, o, r.session.current() != "", r.session.leave())
		}
		if o.state != stateFaulted {
			return o
		}
		o.state = stateFailed
		if p.tries > maxNewIDs || !st.repeatable() || r.session.used() {
			return o
		}
		if again, end := p.wait(ctx, o.err); end != nil || !again {
			o.err = withEnd(end, o.err)
			return o
		}
	}
}

// whole requests the fields that an answer lacks but that its kind of statement needs. The answer to a
// duplicate can be short.
func (r *runner) whole(ctx context.Context, st *statement, pg *page) error {
	kind := pg.kind(st)
	if !kind.hasRows() && pg.rows == nil && pg.TotalRows == 0 {
		pg.Schema = nil // it is the schema of the changed table
	}
	switch {
	case kind == kindQuery && pg.Schema == nil && (pg.polled || pg.JobReference == nil):
		return protocolError("bigqueryuser: BigQuery's answer has no schema: job " + pg.id())
	case pg.JobReference == nil:
	case kind == kindQuery && pg.Schema == nil:
		return r.fetchInto(ctx, pg)
	case kind == kindDML && !pg.counted && pg.DmlStats == nil && !pg.polled:
		return r.fetchInto(ctx, pg)
	}
	return nil
}

// fetchInto replaces an answer by that of getQueryResults.
func (r *runner) fetchInto(ctx context.Context, pg *page) error {
	fetched, err := r.results(ctx, pg.JobReference)
	if err != nil {
		return err
	}
	statementType, ref := pg.StatementType, pg.JobReference
	*pg = *fetched
	pg.JobReference, pg.StatementType = ref, statementType
	return nil
}

// results fetches the first page of the result of a job that has ended.
func (r *runner) results(ctx context.Context, ref *bq.JobReference) (*page, error) {
	rows := firstPage(&r.cfg)
	pg, err := ask(ctx, r.backend, func(cl *client) (*page, error) { return cl.results(ctx, ref, rows, pollHold) })
	if err != nil {
		return nil, r.failed(ctx, err, ref)
	}
	if !pg.JobComplete {
		return nil, tookBack(ref)
	}
	pg.polled, pg.JobReference = true, ref
	return pg, nil
}

// tookBack returns the error of a job that was reported complete and is still running.
func tookBack(ref *bq.JobReference) error {
	return protocolError("bigqueryuser: job " + ref.JobId + " was reported complete, then as still running")
}

// failed turns the error of a request into the caller's error, and records its effect on the connection.
func (r *runner) failed(ctx context.Context, err error, ref *bq.JobReference) error {
	err = translate(ctx, err, r.cfg.Project, ref)
	r.note(ctx, err)
	return err
}

// note records the effect of an error on the connection, and adds the account to the error.
func (r *runner) note(ctx context.Context, err error) {
	if errors.Is(err, auth.ErrConsentRequired) {
		r.bad = true
	}
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return
	}
	if sessionLost(e) {
		r.closeTransaction(r.session.forget().id)
		r.bad = true
	}
	switch e.Status {
	case http.StatusUnauthorized:
		r.bad = true
	case http.StatusForbidden:
		e.Account = r.account(ctx, e)
	}
}

// label returns the label of a statement's job; "" means none. All statements of a connection share it
// until one is abandoned, so that a search for the abandoned job never finds a later one.
func (r *runner) label(st *statement) string {
	cfg := &st.config
	if _, taken := cfg.Labels[labelKey]; taken || !cfg.LabelJobs || len(cfg.Labels) >= maxLabels {
		return ""
	}
	return r.name + "-" + strconv.FormatInt(r.number, 36) + "-" + strconv.FormatInt(r.generation, 36)
}

// submission returns a submission of the statement under a new id.
func (r *runner) submission(ctx context.Context, st *statement, params []*bq.QueryParameter, hold hold) *submission {
	s := &submission{
		st:      st,
		req:     st.request(&r.session, params),
		hold:    hold,
		crossed: r.session.crossed,
		label:   r.label(st),
	}
	if st.sql.kind != kindTransaction {
		s.req.JobTimeoutMs = jobTimeout(ctx, &st.config.Config).Milliseconds()
	}
	if s.label != "" {
		labels := maps.Clone(s.req.Labels)
		if labels == nil {
			labels = map[string]string{}
		}
		labels[labelKey] = s.label
		s.req.Labels = labels
	}
	if st.config.inserted() {
		s.job = st.insertion(s.req)
	}
	return s
}
