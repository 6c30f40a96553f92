package driver

import (
	"context"
	"database/sql/driver"
	"errors"
	"reflect"
	"time"

	bq "google.golang.org/api/bigquery/v2"
	"google.golang.org/api/googleapi"
)

const (
	// pollTimeoutMs is how long BigQuery holds a request for a job that still runs: a long
	// poll instead of a loop. It is the service's own default for jobs.query.
	pollTimeoutMs = 10_000
	// orphanLimit is how long an abandoned statement's first answer is awaited: it names the
	// job that must be cancelled. It leaves the service its long poll.
	orphanLimit = 2 * pollTimeoutMs * time.Millisecond
	// askAfter is when it is no longer awaited alone, but asked for.
	askAfter = 500 * time.Millisecond
	// cancelLimit bounds one cancel with its retries.
	cancelLimit = 10 * time.Second
)

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
	pg, err := c.run(ctx, text, args)
	if err != nil {
		return nil, err
	}
	w.answered(pg)
	r := &Rows{ctx: ctx, conn: c, watch: w}
	if pg.script {
		err = r.openScript(pg)
	} else {
		r.text = text
		err = r.open(pg)
	}
	if err != nil {
		return nil, r.end(err)
	}
	return r, nil
}

func (c *Conn) exec(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	w := c.observe(ctx, text)
	pg, err := c.run(ctx, text, args)
	if err != nil {
		w.ended(err)
		return nil, err
	}
	r := new(result)
	switch {
	case pg.script:
		r.err = c.sumAffected(ctx, pg) // the script has run, whatever becomes of this
	case pg.StatementType == "" && pg.NumDmlAffectedRows == 0 && !pg.hasColumns():
		c.complete(ctx, pg) // the answer to a poll does not tell what a TRUNCATE has deleted
	}
	w.answered(pg)
	w.ended(nil)
	r.rows = rowsAffected(pg.NumDmlAffectedRows, pg.DmlStats)
	if pg.StatementType == "CREATE_TABLE_AS_SELECT" && pg.JobReference != nil {
		r.count = func() (int64, error) { return c.connector.createdRows(pg.JobReference) }
	}
	return r, nil
}

func (pg *page) hasColumns() bool { return pg.Schema != nil && len(pg.Schema.Fields) > 0 }

// run brings a statement to its end and returns the first page of its result.
func (c *Conn) run(ctx context.Context, text string, args []driver.NamedValue) (pg *page, err error) {
	if c.closed {
		return nil, errConnClosed
	}
	err = c.afresh(text == beginTransaction, func() error {
		pg, err = c.runOnce(ctx, text, args)
		return err
	})
	return pg, err
}

func (c *Conn) runOnce(ctx context.Context, text string, args []driver.NamedValue) (*page, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	j, args, err := c.job(ctx, args)
	if err != nil {
		return nil, err
	}
	p, err := parse(text)
	if err != nil {
		return nil, err
	}
	if err := c.rolledBack(); err != nil && text != rollbackTransaction {
		return nil, err
	}
	if err := c.enter(ctx); err != nil {
		return nil, err
	}
	if err := c.checkLocation(j); err != nil {
		return nil, err
	}
	j.fit(text, p)
	params, source, err := c.bind(ctx, j, text, p, args, false)
	if err != nil {
		return nil, err
	}
	if j.cfg.DryRun {
		stats, err := c.dryRun(ctx, j, text, p, params)
		if err != nil {
			return nil, err
		}
		return checked(stats), nil
	}
	req := c.request(j, text, p, params)
	req.TimeoutMs = waitMs(ctx)
	pg, err := c.finish(ctx, j, p, req)
	if errors.Is(err, ErrInvalidQuery) || errors.Is(err, ErrNotFound) {
		c.connector.types.forget(text) // the table may have changed since BigQuery said what the types are
	}
	if (source == typesCached || source == typesDeclared) && errors.Is(err, ErrInvalidQuery) && !p.script && !c.tx {
		// The types are old, or a text is not a STRING there. A single statement that failed has changed nothing, but
		// with the same types it would only fail once more.
		again, source, bindErr := c.bind(ctx, j, text, p, args, source == typesDeclared)
		if bindErr == nil && source != typesGuessed && !reflect.DeepEqual(again, params) {
			req = c.request(j, text, p, again)
			pg, err = c.finish(ctx, j, p, req)
		}
	}
	if err == nil {
		c.connector.types.ran(pg)
		pg.script = p.isScript(pg)
		err = c.inSession(ctx, j, pg)
	}
	if err != nil {
		c.failedInSession(err)
		return nil, about(err, text)
	}
	return pg, nil
}

// finish sends a statement and waits for its end. BigQuery holds each request for a while; where
// it answers sooner, the pauses here grow up to a second.
func (c *Conn) finish(ctx context.Context, j *job, p parameters, req *bq.QueryRequest) (*page, error) {
	sent := time.Now()
	pg, err := c.submit(ctx, j, p, req)
	pause := 10 * time.Millisecond
	for waited := !j.inserted(); err == nil && !pg.JobComplete; waited = true {
		asked := time.Now()
		if waited {
			c.tellProgress(ctx, pg.JobReference, sent)
		}
		pg, err = c.poll(ctx, pg.JobReference)
		if err == nil && !pg.JobComplete && time.Since(asked) < time.Second {
			if sleep(ctx, pause) != nil {
				c.inDoubt = true
				c.abandon(pg.JobReference)
				return nil, ctx.Err()
			}
			pause = min(2*pause, time.Second)
		}
	}
	return pg, err
}

// poll waits for a job that still runs.
func (c *Conn) poll(ctx context.Context, ref *bq.JobReference) (*page, error) {
	pg, err := c.results(ctx, ref, waitMs(ctx))
	if e := (*Error)(nil); err != nil && (ctx.Err() != nil || !errors.As(err, &e) || e.Reason == "" || retryable(err)) {
		c.inDoubt = true
		c.abandon(ref) // it was not the job that failed, or nobody could tell
	}
	if err == nil && pg.JobReference == nil {
		pg.JobReference = ref
	}
	return pg, err
}

// results fetches the first page of a job's result.
func (c *Conn) results(ctx context.Context, ref *bq.JobReference, timeoutMs int64) (*page, error) {
	maxResults := firstPage(&c.connector.cfg)
	again := func(err error) bool { return retryable(err) && !c.over(ctx, ref, err) }
	pg, err := call(ctx, c.connector, again, func(cl *client) (*page, error) { return cl.results(ctx, ref, maxResults, timeoutMs) })
	return pg, c.failed(ctx, err, ref)
}

// resultsBody fetches a page of the result of a finished job as it is on the wire, into buf if it is large enough. Its
// error is still to be told to failed.
func (c *Conn) resultsBody(ctx context.Context, ref *bq.JobReference, token string, maxResults int64, buf []byte) ([]byte, error) {
	again := func(err error) bool { return retryable(err) && !c.over(ctx, ref, err) }
	return call(ctx, c.connector, again, func(cl *client) ([]byte, error) {
		return cl.resultsBody(ctx, ref, token, maxResults, pollTimeoutMs, buf)
	})
}

// over tells whether err is the end of the job rather than of the request, where its reason can be
// either: BigQuery is asked.
func (c *Conn) over(ctx context.Context, ref *bq.JobReference, err error) bool {
	var api *googleapi.Error
	if !errors.As(err, &api) || !hasReason(api, passing) {
		return false
	}
	cl, err := c.connector.clientFor(ctx)
	if err != nil {
		return false
	}
	job, err := cl.job(ctx, ref)
	return err == nil && job.Status != nil && job.Status.State == "DONE" && job.Status.ErrorResult != nil
}
