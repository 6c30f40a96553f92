package driver

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	bq "google.golang.org/api/bigquery/v2"
)

// What becomes of statements that their callers have left. Cleaning up looks and cancels. It never sends a statement, and
// never cancels what may be another one's.

const (
	// leftLimit bounds what is done about one statement.
	leftLimit = 2 * time.Minute
	// endLimit is how long the end of a job is awaited that was cancelled: that takes effect late.
	endLimit = time.Minute
	// youngLimit is how long after its beginning a job may not be known everywhere.
	youngLimit = 5 * time.Second
)

// lookAt is when BigQuery is asked for a job whose answer was lost. A job is listed within about two seconds.
var lookAt = []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second}

// awaited is a request that is still on its way.
type awaited struct {
	outcome <-chan outcome
	stop    func() // gives it up
}

// left is a statement that its caller has left, with what has to be known to end it.
type left struct {
	connector *Connector
	sub       *submission
	waits     bool // later statements of the session wait for its end
}

// leave takes over a statement whose caller has gone, or whose answer is lost. request is what is still on its way, nil
// if nothing is; then o is what is known.
func (c *Conn) leave(s *submission, request *awaited, o outcome) {
	l := &left{connector: c.connector, sub: s, waits: c.session.current() != ""}
	settle := c.session.leave()
	c.generation++
	if !c.connector.inBackground(leftLimit, func(bg context.Context) {
		defer settle()
		if request != nil {
			defer request.stop()
			select {
			case o = <-request.outcome:
			case <-bg.Done():
				request.stop()
				<-request.outcome
				return
			}
		}
		l.end(bg, o)
	}) {
		if request != nil {
			request.stop()
		}
		settle()
	}
}

// end ends what the statement has begun.
func (l *left) end(ctx context.Context, o outcome) {
	var ref *bq.JobReference
	switch o.state {
	case stateDone:
		ref = o.page.JobReference
	case stateRunning:
		ref = o.page.JobReference
		l.stop(ctx, ref)
	case stateLost:
		if ref = l.look(ctx); ref != nil {
			l.stop(ctx, ref)
		}
	}
	if l.sub.req.CreateSession && ref != nil {
		l.connector.endSessionOf(ctx, ref)
	}
}

// stop cancels the job. A COMMIT is not cancelled, its end is awaited.
func (l *left) stop(ctx context.Context, ref *bq.JobReference) {
	if !l.sub.st.commits() {
		l.connector.cancel(ctx, ref, l.sub.since)
	}
	if l.waits {
		l.connector.awaitEnd(ctx, ref)
	}
}

// look finds the job of a statement whose answer was lost; nil if there is none that is surely its own. That a list does not
// have it does not mean that it did not run.
func (l *left) look(ctx context.Context) *bq.JobReference {
	lost := time.Now()
	for _, at := range lookAt {
		if l.sub.job == nil && l.sub.label == "" {
			return nil // nothing would tell it from another one of the same text
		}
		if sleep(ctx, time.Until(lost.Add(at))) != nil {
			return nil
		}
		if ref := l.sub.id(); ref != nil && ref.Location != "" {
			job, err := ask(ctx, l.connector, func(cl *client) (*bq.Job, error) { return cl.job(ctx, ref) })
			if err == nil && isDone(job) {
				return nil
			}
			if err == nil {
				return ref
			}
			continue
		}
		if found, ok := l.list(ctx); !ok || len(found) > 1 {
			return nil
		} else if len(found) == 1 {
			return found[0]
		}
	}
	return nil
}

// list returns the jobs that have not ended and that can be the statement's. It reports false if the list may miss some.
func (l *left) list(ctx context.Context) (found []*bq.JobReference, ok bool) {
	since := l.sub.since.Add(-time.Minute)
	for token := ""; ; {
		page, err := ask(ctx, l.connector, func(cl *client) (*bq.JobList, error) { return cl.unfinished(ctx, since, token) })
		if err != nil || len(page.Unreachable) > 0 {
			return nil, err != nil && ctx.Err() == nil // asked again
		}
		for _, job := range page.Jobs {
			if job.JobReference != nil && l.isOwn(job) {
				found = append(found, job.JobReference)
			}
		}
		if token = page.NextPageToken; token == "" {
			return found, true
		}
	}
}

// isOwn reports whether a job is that of the statement: by its id where the driver has chosen it, else by its label and
// text, if no answer has named it as another statement's.
func (l *left) isOwn(job *bq.JobListJobs) bool {
	if ref := l.sub.id(); ref != nil {
		return job.JobReference.JobId == ref.JobId
	}
	cfg := job.Configuration
	return cfg != nil && cfg.Query != nil && cfg.Labels[labelKey] == l.sub.label &&
		cfg.Query.Query == l.sub.st.text && !l.connector.knows(job.JobReference.JobId)
}

// id returns the id that the driver has chosen for the job; nil if BigQuery chooses it.
func (s *submission) id() *bq.JobReference {
	if s.job == nil {
		return nil
	}
	return s.job.JobReference
}

// leaveJob cancels a job whose caller has left.
func (c *Conn) leaveJob(s *submission, ref *bq.JobReference) {
	pg := &page{}
	pg.JobReference = ref
	c.leave(s, nil, outcome{state: stateRunning, page: pg})
}

// cancel cancels a job. One that has just begun may not be known yet.
func (c *Connector) cancel(ctx context.Context, ref *bq.JobReference, began time.Time) {
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		_, err := ask(ctx, c, func(cl *client) (struct{}, error) { return struct{}{}, cl.cancel(ctx, ref) })
		unknown := statusOf(err) == http.StatusForbidden || statusOf(err) == http.StatusNotFound
		if !unknown || time.Since(began) > youngLimit || sleep(ctx, pause) != nil {
			return
		}
	}
}

// awaitEnd returns when a job has ended, or after a minute.
func (c *Connector) awaitEnd(ctx context.Context, ref *bq.JobReference) {
	ctx, cancel := context.WithTimeout(ctx, endLimit)
	defer cancel()
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		pg, err := ask(ctx, c, func(cl *client) (*page, error) { return cl.results(ctx, ref, 1, pollHold) })
		if err != nil || pg.JobComplete || sleep(ctx, pause) != nil {
			return
		}
	}
}

// endSession has BigQuery drop the connection's session and all that is in it, an open transaction too, from
// outside, which need not wait for what runs in it. Only a COMMIT is awaited, whose answer was.
func (c *Conn) endSession(committing bool) {
	was := c.session.forget()
	if was.id == "" {
		return
	}
	c.connector.closeTransaction(was.id)
	c.connector.inBackground(leftLimit, func(bg context.Context) {
		if committing && was.settled != nil {
			select {
			case <-was.settled:
			case <-bg.Done():
				return
			}
		}
		_ = c.connector.abortSession(bg, was.id, was.location) // one that can't be told ends by itself after a day
	})
}

// abandonTransaction ends the open transaction with its session, from outside.
func (c *Conn) abandonTransaction(ctx context.Context) error {
	done, err := c.connector.begin()
	if err != nil {
		return nil // Close has ended it
	}
	defer done()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), txLimit)
	defer cancel()
	was := c.session.forget()
	c.connector.closeTransaction(was.id)
	return c.failed(ctx, c.connector.abortSession(ctx, was.id, was.location), nil)
}

// endCreated ends the session that a job has made, which could not be learnt.
func (c *Conn) endCreated(ref *bq.JobReference) {
	if ref != nil {
		c.connector.inBackground(leftLimit, func(bg context.Context) { c.connector.endSessionOf(bg, ref) })
	}
}

// endSessionOf ends the session that a job has made and that no connection will use.
func (c *Connector) endSessionOf(ctx context.Context, ref *bq.JobReference) {
	job, err := ask(ctx, c, func(cl *client) (*bq.Job, error) { return cl.job(ctx, ref) })
	if err == nil && job.Statistics != nil && job.Statistics.SessionInfo != nil {
		_ = c.abortSession(ctx, job.Statistics.SessionInfo.SessionId, ref.Location)
	}
}

// abortSession ends a session from outside.
func (c *Connector) abortSession(ctx context.Context, id, location string) error {
	legacy := false
	req := &bq.QueryRequest{
		Query: "CALL BQ.ABORT_SESSION('" + escape(id) + "')", UseLegacySql: &legacy, Location: location,
	}
	_, err := ask(ctx, c, func(cl *client) (*page, error) { return cl.query(ctx, req, endlessHold) })
	return err
}

// escape makes a text safe between the quotes of a string literal.
func escape(text string) string {
	return strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`, "\r", `\r`).Replace(text)
}

// begin counts a statement in, and refuses it when the connector is closed. It returns what counts the statement out.
func (c *Connector) begin() (end func(), err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, errClosed
	}
	return c.tasks.begin(), nil
}

// knows reports whether an answer has named a job that runs.
func (c *Connector) knows(id string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Contains(c.running, id)
}

// runs notes a job that an answer has named, until the returned function is called.
func (c *Connector) runs(id string) (ended func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running = append(c.running, id)
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if i := slices.Index(c.running, id); i >= 0 {
			c.running = slices.Delete(c.running, i, i+1)
		}
	}
}

// openTransaction notes a session with an open transaction, which Close ends.
func (c *Connector) openTransaction(id, location string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.transactions[id] = location
}

func (c *Connector) closeTransaction(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.transactions, id)
}

// endTransactions ends the sessions in which a transaction is open.
func (c *Connector) endTransactions() {
	c.mu.Lock()
	open := c.transactions
	c.transactions = map[string]string{}
	c.mu.Unlock()
	for id, location := range open {
		c.inBackground(leftLimit, func(bg context.Context) { _ = c.abortSession(bg, id, location) })
	}
}
