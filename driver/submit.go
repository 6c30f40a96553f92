package driver

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"time"

	bq "google.golang.org/api/bigquery/v2"
	"google.golang.org/api/googleapi"
)

// submission is a statement on its way to BigQuery.
type submission struct {
	req *bq.QueryRequest
	job *bq.Job // for jobs.insert; nil for jobs.query
	// unsure tells that a request failed which may have begun the statement all the same.
	unsure bool
}

// send makes one request. It may be made again: the request id, or the job id, keeps BigQuery from running
// the statement twice.
func (s *submission) send(ctx context.Context, cl *client) (*page, error) {
	var pg *page
	var err error
	if s.job != nil {
		pg, err = s.insert(ctx, cl)
	} else {
		pg, err = cl.query(ctx, s.req)
	}
	s.unsure = s.unsure || mayHaveBegun(err)
	return pg, err
}

// insert begins the job; its result is left to a poll.
func (s *submission) insert(ctx context.Context, cl *client) (*page, error) {
	job, err := cl.insert(ctx, s.job)
	if api := (*googleapi.Error)(nil); s.unsure && errors.As(err, &api) && api.Code == http.StatusConflict {
		// Nobody else has this id: an earlier request has begun the job.
		return s.begun(locationIn(api.Message, s.job.JobReference.JobId)), nil
	}
	if err != nil {
		return nil, err
	}
	if job.JobReference != nil {
		return s.begun(job.JobReference.Location), nil
	}
	return s.begun(""), nil
}

// begun is the answer that the job with our id is there. location is where it says it runs, if it does.
func (s *submission) begun(location string) *page {
	ref := *s.job.JobReference
	if location != "" {
		ref.Location = location
	}
	pg := &page{}
	pg.JobReference = &ref
	return pg
}

// locationIn finds where a job runs in a message that names it as PROJECT:LOCATION.ID; "" if it does not.
func locationIn(message, id string) string {
	before, _, found := strings.Cut(message, "."+id)
	colon := strings.LastIndexByte(before, ':')
	if !found || strings.ContainsAny(before[colon+1:], " .") {
		return ""
	}
	return before[colon+1:]
}

// mayHaveBegun tells whether a request that failed may have begun its statement all the same.
func mayHaveBegun(err error) bool {
	var api *googleapi.Error
	var signIn signInError
	var dial *net.OpError
	switch {
	case err == nil, errors.As(err, &signIn), errors.As(err, &dial) && dial.Op == "dial":
		return false
	case errors.As(err, &api):
		return api.Code >= http.StatusInternalServerError
	}
	return true
}

// submit sends the statement. The request itself does not end with ctx: a job that has
// begun must be cancelled, and only the answer tells which one it is.
func (c *Conn) submit(ctx context.Context, j *job, p parameters, req *bq.QueryRequest) (*page, error) {
	send, stop := context.WithCancel(context.WithoutCancel(ctx))
	s := &submission{req: req}
	again := restartable(p.script || c.tx) // here, since c is the caller's again when ctx ends
	if j.inserted() {
		s.job = j.insertion(req)
	}
	type outcome struct {
		page *page
		err  error
	}
	answer := make(chan outcome, 1)
	go func() {
		pg, err := call(ctx, c.connector, again, func(cl *client) (*page, error) { return s.send(send, cl) })
		if err == nil && !pg.JobComplete && pg.JobReference == nil {
			err = errors.New("BigQuery's answer names no job and has no result")
		}
		answer <- outcome{pg, err}
	}()
	var left error // what the caller leaves with
	select {
	case a := <-answer:
		stop()
		c.inDoubt = a.err != nil && s.unsure
		left = c.failed(ctx, a.err, nil)
		if !c.inDoubt || ctx.Err() == nil && s.job == nil && !retryable(a.err) {
			return a.page, left
		}
		answer <- a // no more tries, and nobody can tell whether one of them has begun the statement
	case <-ctx.Done():
		c.inDoubt = true
		left = ctx.Err()
	}
	settled := c.unsettle()
	waits := c.connector.inBackground(orphanLimit, func(bg context.Context) {
		defer settle(settled)
		defer stop()
		late := time.NewTimer(askAfter)
		defer late.Stop()
		for {
			select {
			case a := <-answer:
				c.connector.endOrphan(bg, s, a.page, a.err, settled != nil)
				return
			case <-late.C:
				// BigQuery holds the answer as long as the job runs. The program may be gone by then.
				if pg, err := c.connector.find(bg, s); err == nil {
					c.connector.drop(bg, s, pg, settled != nil)
				}
			case <-bg.Done():
				stop()
				<-answer
				return
			}
		}
	})
	if !waits {
		stop()
		settle(settled)
	}
	return nil, left
}

// endOrphan stops what a statement has begun for which nobody waits any more. pg and err are its answer.
func (c *Connector) endOrphan(ctx context.Context, s *submission, pg *page, err error, wait bool) {
	if err != nil && s.unsure { // the answer was lost
		pg, err = c.find(ctx, s)
	}
	if err == nil {
		c.drop(ctx, s, pg, wait)
	}
}

// find tells which job a statement has begun whose answer is not there: the same request once more gives it, and
// does not wait for it.
func (c *Connector) find(ctx context.Context, s *submission) (*page, error) {
	if s.job != nil {
		return s.begun(""), nil
	}
	ask := *s.req
	ask.TimeoutMs = 1
	return call(ctx, c, retryable, func(cl *client) (*page, error) { return cl.query(ctx, &ask) })
}

// drop cancels a job that goes on, and ends the session that it has made.
func (c *Connector) drop(ctx context.Context, s *submission, pg *page, wait bool) {
	if pg.JobReference == nil {
		return // it has ended, without a job
	}
	if !pg.JobComplete {
		c.cancelNow(ctx, pg.JobReference, wait)
	}
	if s.req.CreateSession {
		c.abortCreated(ctx, pg.JobReference)
	}
}

// abandon cancels a job that nobody waits for any more.
func (c *Conn) abandon(ref *bq.JobReference) {
	settled := c.unsettle()
	_, created := c.sessionFor()
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
	s, _ := c.sessionFor()
	if s == nil {
		return nil
	}
	s.settled = make(chan struct{})
	return s.settled
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
		pg, err := call(ctx, c, retryable, func(cl *client) (*page, error) { return cl.results(ctx, ref, 1, pollTimeoutMs) })
		if err != nil || pg.JobComplete || sleep(ctx, pause) != nil {
			return
		}
	}
}
