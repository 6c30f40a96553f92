package driver

import (
	"context"
	"database/sql/driver"
	"errors"
	"reflect"
	"strings"

	bq "google.golang.org/api/bigquery/v2"
	"google.golang.org/api/googleapi"
)

// maxNewIDs is how often a statement is sent again under a new id because its job has failed by BigQuery's fault.
const maxNewIDs = 3

func (c *Conn) query(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	w := c.observe(ctx, text)
	rows, err := c.rows(ctx, text, args, w)
	if err != nil {
		w.ended(err)
		return nil, err
	}
	return rows, nil
}

func (c *Conn) rows(ctx context.Context, text string, args []driver.NamedValue, w *watch) (driver.Rows, error) {
	st, err := c.statement(ctx, text, args)
	if err != nil {
		return nil, err
	}
	pg, err := c.run(ctx, st)
	if err != nil {
		return nil, err
	}
	w.answered(pg)
	r := &Rows{ctx: ctx, conn: c, watch: w, changed: st.mayChange()}
	if pg.isScript(st) {
		err = r.openScript(pg)
	} else {
		r.ordered = st.sql.ordered
		err = r.open(pg)
	}
	if err != nil {
		return nil, r.end(err)
	}
	return r, nil
}

func (c *Conn) exec(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	w := c.observe(ctx, text)
	st, err := c.statement(ctx, text, args)
	if err != nil {
		w.ended(err)
		return nil, err
	}
	pg, err := c.run(ctx, st)
	if err != nil {
		w.ended(err)
		return nil, err
	}
	r := c.result(ctx, st, pg)
	w.answered(pg)
	w.ended(nil)
	return r, nil
}

// run brings a statement to its end and returns the first page of its result. It ends with ctx, with the context of the
// transaction, and when the connector is closed.
func (c *Conn) run(ctx context.Context, st *statement) (*page, error) {
	if c.closed {
		return nil, errConnClosed
	}
	done, err := c.connector.begin()
	if err != nil {
		return nil, err
	}
	defer done()
	hold := firstHoldFor(ctx, c.session.tx, st)
	ctx, cancel := c.lifetime(ctx)
	defer cancel()
	var pg *page
	err = c.afresh(st.sql.verb == "BEGIN", func() (begun bool, err error) {
		pg, begun, err = c.runOnce(ctx, st, hold)
		return begun, err
	})
	return pg, err
}

// lifetime returns a context that ends with ctx, with the transaction's, and with the connector.
func (c *Conn) lifetime(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(c.connector.open, func() { cancel(endedBy{errClosed}) })
	release := func() { stop(); cancel(nil) }
	tx := c.session.tx
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
func (c *Conn) runOnce(ctx context.Context, st *statement, hold hold) (pg *page, begun bool, err error) {
	if ctx.Err() != nil {
		return nil, false, endOf(ctx)
	}
	if err := c.session.admit(ctx, st, c.connector.cfg.Location); err != nil {
		return nil, false, err
	}
	params, source, err := c.bind(ctx, st, false)
	if err != nil {
		return nil, false, err
	}
	if st.config.DryRun {
		stats, err := c.dryRun(ctx, st, params)
		if err != nil {
			return nil, false, err
		}
		return checked(stats), false, nil
	}
	o := c.send(ctx, st, params, hold)
	if o.state == stateFailed && (wrongTypes(o.err) || statusOf(o.err) == 404) {
		c.connector.types.forget(st) // the table may have changed since BigQuery said what the types are
	}
	if o.state == stateFailed && wrongTypes(o.err) && source.mayBeWrong() && st.repeatable() && !c.session.used() && !o.begun {
		// The types are old, or a text is not a STRING there. With the same types it would only fail once more.
		again, newSource, bindErr := c.bind(ctx, st, source == typesDeclared)
		if bindErr == nil && newSource != typesGuessed && !reflect.DeepEqual(again, params) {
			o = c.send(ctx, st, again, hold)
		}
	}
	if o.state == stateDone {
		return c.finished(ctx, st, o.page)
	}
	err = c.told(ctx, st, o)
	if o.state != stateNotBegun {
		c.session.failed(err)
	}
	if o.state == stateLost && c.session.tx != nil && ctx.Err() == nil {
		c.bad = c.bad || c.session.always // what else was in the session is gone
		c.endSession(st.commits())        // the locks would stay
	}
	return nil, o.begun, about(err, st.text)
}

// finished takes the result of a statement that has run. What is asked for here can fail, but does not change that.
func (c *Conn) finished(ctx context.Context, st *statement, pg *page) (*page, bool, error) {
	if pg.kind(st).voidsTypes() {
		c.connector.types.clear()
	}
	err := c.whole(ctx, st, pg)
	if err == nil {
		err = c.inSession(ctx, st, pg)
	}
	if err != nil {
		c.session.failed(err)
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
func (c *Conn) told(ctx context.Context, st *statement, o outcome) error {
	err := c.failed(ctx, o.err, o.job)
	switch {
	case o.state != stateLost || !st.mayChange():
		return err
	case st.commits():
		return &unknownError{ErrCommitUnknown, err}
	}
	return &unknownError{ErrOutcomeUnknown, err}
}

// send sends a statement and waits for its end. Where its job fails by BigQuery's fault, it is sent again under a new id.
func (c *Conn) send(ctx context.Context, st *statement, params []*bq.QueryParameter, hold hold) (o outcome) {
	for p := newPauses(c.connector); ; {
		s := c.submission(ctx, st, params, hold)
		o = c.submit(ctx, s)
		if o.state == stateRunning {
			ref, begun := o.page.JobReference, o.begun
			o = c.await(ctx, s, o.page)
			o.job, o.begun = ref, begun
		}
		if o.state != stateFaulted {
			return o
		}
		o.state = stateFailed
		if p.tries > maxNewIDs || !st.repeatable() || c.session.used() {
			return o
		}
		if again, end := p.wait(ctx, o.err); end != nil || !again {
			o.err = withEnd(end, o.err)
			return o
		}
	}
}

// whole gets what an answer leaves out that a statement of its kind must have: a duplicate's answer can be short.
func (c *Conn) whole(ctx context.Context, st *statement, pg *page) error {
	kind := pg.kind(st)
	if !kind.hasRows() && pg.rows == nil && pg.TotalRows == 0 {
		pg.Schema = nil // it is that of the table
	}
	switch {
	case pg.JobReference == nil:
	case kind == kindQuery && pg.Schema == nil && !pg.polled:
		return c.fetchInto(ctx, pg)
	case kind == kindQuery && pg.Schema == nil:
		return protocolError("bigqueryuser: BigQuery's answer has no schema: job " + pg.JobReference.JobId)
	case kind == kindDML && !pg.counted && pg.DmlStats == nil && !pg.polled:
		return c.fetchInto(ctx, pg)
	}
	return nil
}

// fetchInto adds what getQueryResults says to an answer.
func (c *Conn) fetchInto(ctx context.Context, pg *page) error {
	fetched, err := c.results(ctx, pg.JobReference)
	if err != nil {
		return err
	}
	statementType, ref := pg.StatementType, pg.JobReference
	*pg = *fetched
	pg.JobReference, pg.StatementType = ref, statementType
	return nil
}

// results fetches the first page of the result of a job that has ended.
func (c *Conn) results(ctx context.Context, ref *bq.JobReference) (*page, error) {
	rows := firstPage(&c.connector.cfg)
	pg, err := ask(ctx, c.connector, func(cl *client) (*page, error) { return cl.results(ctx, ref, rows, pollHold) })
	if err != nil {
		return nil, c.failed(ctx, err, ref)
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

// failed makes the caller's error of that of a request, and takes note of what it means for the connection.
func (c *Conn) failed(ctx context.Context, err error, ref *bq.JobReference) error {
	err = translate(ctx, err, c.connector.cfg.Project, ref)
	c.note(ctx, err)
	return err
}
