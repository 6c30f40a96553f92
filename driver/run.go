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

// maxNewIDs is how often a statement is sent again under a new id because its job has failed by
// BigQuery's fault.
const maxNewIDs = 3

// txLimit bounds Commit and Rollback, also where the context of BeginTx has no end.
const txLimit = 2 * time.Minute

// runner runs the statements of one connection, one after the other.
type runner struct {
	*backend
	number     int64 // of the connector's connections
	generation int64 // grows whenever a statement is left
	session    session
	bad        bool // the sign-in or the session is gone: the pool must drop the connection
	closed     bool
}

// run brings a statement to its end and returns the first page of its result. It ends with ctx,
// with the context of the transaction, and when the connector is closed.
func (r *runner) run(ctx context.Context, st *statement) (*page, error) {
	if r.closed {
		return nil, errConnClosed
	}
	done, err := r.begin()
	if err != nil {
		return nil, err
	}
	defer done()
	hold := firstHoldFor(ctx, r.session.tx, st)
	ctx, cancel := r.lifetime(ctx)
	defer cancel()
	var pg *page
	err = r.inNewSession(st.sql.verb == "BEGIN", func() (begun bool, err error) {
		pg, begun, err = r.runOnce(ctx, st, hold)
		return begun, err
	})
	return pg, err
}

// lifetime returns a context that ends with ctx, with the transaction's, and with the connector.
func (r *runner) lifetime(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(r.open, func() { cancel(endedBy{errClosed}) })
	release := func() { stop(); cancel(nil) }
	tx := r.session.tx
	if tx == nil {
		return ctx, release
	}
	stopTx := context.AfterFunc(tx.ctx, func() { cancel(endedBy{tx.ctx.Err()}) })
	deadline, ok := tx.ctx.Deadline()
	if !ok {
		return ctx, func() { stopTx(); release() }
	}
	ctx, earlier := context.WithDeadline(ctx, deadline)
	return ctx, func() { earlier(); stopTx(); release() }
}

// runOnce also reports whether a request that failed may have begun the statement.
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
	o := r.send(ctx, st, bound.params, hold)
	if o.state == stateFailed && (wrongTypes(o.err) || statusOf(o.err) == 404) {
		r.types.forget(st) // the table may have changed since BigQuery said what the types are
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
		r.bad = r.bad || r.session.always // what else was in the session is gone
		if st.commits() {
			r.endCommitted()
		} else {
			r.endSession() // the locks would stay
		}
	}
	return nil, o.begun, about(err, st.text)
}

// finished takes the result of a statement that has run. What is asked for here can fail, but does
// not change that.
func (r *runner) finished(ctx context.Context, st *statement, pg *page) (*page, bool, error) {
	if pg.kind(st).voidsTypes() {
		r.types.clear()
	}
	err := r.whole(ctx, st, pg)
	if err == nil {
		err = r.inSession(ctx, st, pg)
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

// wrongTypes reports whether a refusal can come from the types of the parameters.
func wrongTypes(err error) bool {
	var api *googleapi.Error
	return errors.As(err, &api) && (hasReason(api, []string{string(ErrInvalidQuery)}) ||
		hasReason(api, []string{"invalid"}) && strings.Contains(api.Message, "Unparseable query parameter"))
}

// told makes the caller's error of an outcome.
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

// send sends a statement and waits for its end. Where its job fails by BigQuery's fault, it is sent
// again under a new id.
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

// whole gets what an answer leaves out that a statement of its kind must have: a duplicate's answer
// can be short.
func (r *runner) whole(ctx context.Context, st *statement, pg *page) error {
	kind := pg.kind(st)
	if !kind.hasRows() && pg.rows == nil && pg.TotalRows == 0 {
		pg.Schema = nil // it is that of the table
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

// fetchInto adds what getQueryResults says to an answer.
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

// tookBack is the error of a job that was complete and is not.
func tookBack(ref *bq.JobReference) error {
	return protocolError("bigqueryuser: job " + ref.JobId + " was reported complete, then as still running")
}

// failed makes the caller's error of that of a request, and takes note of what it means for the
// connection.
func (r *runner) failed(ctx context.Context, err error, ref *bq.JobReference) error {
	err = translate(ctx, err, r.cfg.Project, ref)
	r.note(ctx, err)
	return err
}

// note takes note of what an error means for the connection, and completes it with what the
// connection knows.
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

// label returns the label that the job of a statement gets, "" for none. It is the connection's own
// until a statement is left: what is then sought never shares it with what runs.
func (r *runner) label(st *statement) string {
	cfg := &st.config
	if _, taken := cfg.Labels[labelKey]; taken || !cfg.LabelJobs || len(cfg.Labels) >= maxLabels {
		return ""
	}
	return r.name + "-" + strconv.FormatInt(r.number, 36) + "-" + strconv.FormatInt(r.generation, 36)
}

// submission makes a statement ready to be sent, under a new id.
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
