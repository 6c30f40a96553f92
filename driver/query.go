package driver

import (
	"context"
	"crypto/rand"
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
		err = r.open(pg)
	}
	return r, err
}

func (c *Conn) exec(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	w := c.observe(ctx, text)
	pg, err := c.run(ctx, text, args)
	if err != nil {
		w.ended(err)
		return nil, err
	}
	w.answered(pg)
	r := result{rows: pg.NumDmlAffectedRows}
	if pg.script {
		// The script has run, whatever becomes of this.
		r.rows, r.err = c.affected(ctx, pg)
	}
	w.ended(nil)
	return r, nil
}

// run brings a statement to its end and returns the first page of its result.
func (c *Conn) run(ctx context.Context, text string, args []driver.NamedValue) (*page, error) {
	if c.closed {
		return nil, errConnClosed
	}
	if err := ctx.Err(); err != nil {
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
	params, source, err := c.bind(ctx, text, p, args)
	if err != nil {
		return nil, err
	}
	req := c.request(text, p, params)
	req.TimeoutMs = waitMs(ctx)
	pg, err := c.finish(ctx, p, req)
	if source == typesCached && errors.Is(err, ErrInvalidQuery) && !p.script && !c.tx {
		// The table may have changed since BigQuery said what the types are. A single statement
		// that failed has changed nothing, but with the same types it would only fail once more.
		c.connector.types.forget(text)
		again, source, bindErr := c.bind(ctx, text, p, args)
		if bindErr == nil && source == typesAsked && !reflect.DeepEqual(again, params) {
			req = c.request(text, p, again)
			pg, err = c.finish(ctx, p, req)
		}
	}
	if err == nil {
		c.connector.types.ran(pg)
		pg.script = p.isScript(pg)
		err = c.inSession(ctx, req, pg)
	}
	if err != nil {
		c.failedInSession(err)
		return nil, about(err, text)
	}
	return pg, nil
}

// finish sends a statement and waits for its end. BigQuery holds each request for a while; where
// it answers sooner, the pauses here grow up to a second.
func (c *Conn) finish(ctx context.Context, p parameters, req *bq.QueryRequest) (*page, error) {
	sent := time.Now()
	pg, err := c.submit(ctx, p, req)
	pause := 10 * time.Millisecond
	for err == nil && !pg.JobComplete {
		asked := time.Now()
		c.tellProgress(ctx, pg.JobReference, sent)
		pg, err = c.poll(ctx, pg.JobReference)
		if err == nil && !pg.JobComplete && time.Since(asked) < time.Second {
			if sleep(ctx, pause) != nil {
				c.abandon(pg.JobReference)
				return nil, ctx.Err()
			}
			pause = min(2*pause, time.Second)
		}
	}
	return pg, err
}

func (c *Conn) request(text string, p parameters, params []*bq.QueryParameter) *bq.QueryRequest {
	legacy := false
	req := &bq.QueryRequest{
		Query:           text,
		UseLegacySql:    &legacy, // the service's default is true
		QueryParameters: params,
		Location:        c.connector.cfg.Location,
		MaxResults:      c.connector.cfg.MaxResults,
		TimeoutMs:       pollTimeoutMs,
		FormatOptions:   &bq.DataFormatOptions{UseInt64Timestamp: true},
		RequestId:       rand.Text(), // makes a retry of the same request safe
		DefaultDataset:  c.defaultDataset(),
	}
	if len(params) > 0 {
		req.ParameterMode = p.mode()
	}
	if req.ConnectionProperties, req.CreateSession = c.sessionProperties(); req.ConnectionProperties != nil {
		req.Location = c.session.location
	}
	cfg := &c.connector.cfg
	req.MaximumBytesBilled = cfg.MaximumBytesBilled
	req.UseQueryCache = cfg.UseQueryCache
	req.Labels = cfg.Labels
	req.JobTimeoutMs = cfg.JobTimeout.Milliseconds()
	return req
}

func (c *Conn) defaultDataset() *bq.DatasetReference {
	cfg := &c.connector.cfg
	if cfg.Dataset == "" {
		return nil
	}
	return &bq.DatasetReference{ProjectId: cfg.Project, DatasetId: cfg.Dataset}
}

// submit sends the statement. The request itself does not end with ctx: a job that has
// begun must be cancelled, and only the answer tells which one it is.
func (c *Conn) submit(ctx context.Context, p parameters, req *bq.QueryRequest) (*page, error) {
	send, stop := context.WithCancel(context.WithoutCancel(ctx))
	type outcome struct {
		page *page
		err  error
	}
	answer := make(chan outcome, 1)
	again := restartable(p.script || c.tx) // here, since c is the caller's again when ctx ends
	go func() {
		pg, err := call(ctx, c.connector, again, func(cl *client) (*page, error) { return cl.query(send, req) })
		if err == nil && !pg.JobComplete && pg.JobReference == nil {
			err = errors.New("BigQuery's answer names no job and has no result")
		}
		answer <- outcome{pg, err}
	}()
	select {
	case a := <-answer:
		stop()
		return a.page, c.failed(ctx, a.err, nil)
	case <-ctx.Done():
	}
	settled := c.unsettle()
	waits := c.connector.inBackground(orphanLimit, func(bg context.Context) {
		defer settle(settled)
		defer stop()
		select {
		case a := <-answer:
			if a.err == nil && !a.page.JobComplete {
				c.connector.cancelNow(bg, a.page.JobReference, settled != nil)
			}
			if a.err == nil && req.CreateSession && a.page.JobReference != nil {
				c.connector.abortCreated(bg, a.page.JobReference)
			}
		case <-bg.Done():
			stop()
			<-answer
		}
	})
	if !waits {
		stop()
		settle(settled)
	}
	return nil, ctx.Err()
}

// poll waits for a job that still runs.
func (c *Conn) poll(ctx context.Context, ref *bq.JobReference) (*page, error) {
	pg, err := c.results(ctx, ref, "", c.connector.cfg.MaxResults, waitMs(ctx))
	if e := (*Error)(nil); err != nil && (ctx.Err() != nil || !errors.As(err, &e) || e.Reason == "" || retryable(err)) {
		c.abandon(ref) // it was not the job that failed, or nobody could tell
	}
	if err == nil && pg.JobReference == nil {
		pg.JobReference = ref
	}
	return pg, err
}

// results fetches a page of a job's result.
func (c *Conn) results(ctx context.Context, ref *bq.JobReference, token string, maxResults, timeoutMs int64) (*page, error) {
	again := func(err error) bool { return retryable(err) && !c.over(ctx, ref, err) }
	pg, err := call(ctx, c.connector, again, func(cl *client) (*page, error) { return cl.results(ctx, ref, token, maxResults, timeoutMs) })
	return pg, c.failed(ctx, err, ref)
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

// abandon cancels a job that nobody waits for any more.
func (c *Conn) abandon(ref *bq.JobReference) {
	settled := c.unsettle()
	_, created := c.sessionProperties()
	if !c.connector.inBackground(cancelLimit, func(bg context.Context) {
		defer settle(settled)
		c.connector.cancelNow(bg, ref, settled != nil)
		if created {
			c.connector.abortCreated(bg, ref)
		}
	}) {
		settle(settled)
	}
}

// unsettle makes later statements of the session wait until settle is called; nil if the
// abandoned one was in none.
func (c *Conn) unsettle() chan struct{} {
	if properties, _ := c.sessionProperties(); properties == nil {
		return nil
	}
	c.session.settled = make(chan struct{})
	return c.session.settled
}

func settle(settled chan struct{}) {
	if settled != nil {
		close(settled)
	}
}

// cancelNow stops a job and, if asked to, waits for its end. Nobody is left to be told whether it worked.
func (c *Connector) cancelNow(ctx context.Context, ref *bq.JobReference, wait bool) {
	_, _ = call(ctx, c, retryable, func(cl *client) (struct{}, error) { return struct{}{}, cl.cancel(ctx, ref) })
	for pause := 10 * time.Millisecond; wait; pause = min(2*pause, time.Second) {
		pg, err := call(ctx, c, retryable, func(cl *client) (*page, error) { return cl.results(ctx, ref, "", 1, pollTimeoutMs) })
		if err != nil || pg.JobComplete || sleep(ctx, pause) != nil {
			return
		}
	}
}

// dryRun has BigQuery check a statement without running it. declared are named parameters
// whose types are known; for the rest BigQuery says what they are.
func (c *Conn) dryRun(ctx context.Context, text string, p parameters, declared []*bq.QueryParameter) (*bq.JobStatistics, error) {
	if c.closed {
		return nil, errConnClosed
	}
	legacy := false
	location := c.connector.cfg.Location
	q := &bq.JobConfigurationQuery{
		Query:           text,
		UseLegacySql:    &legacy,
		QueryParameters: declared,
		DefaultDataset:  c.defaultDataset(),
	}
	if p.count() > 0 {
		q.ParameterMode = p.mode()
	}
	if err := c.rolledBack(); err != nil {
		return nil, err
	}
	if properties, _ := c.sessionProperties(); properties != nil {
		if err := c.enter(ctx); err != nil {
			return nil, err
		}
		q.ConnectionProperties, location = properties, c.session.location
	}
	stats, err := call(ctx, c.connector, retryable, func(cl *client) (*bq.JobStatistics, error) {
		return cl.dryRun(ctx, location, q)
	})
	return stats, about(c.failed(ctx, err, nil), text)
}
