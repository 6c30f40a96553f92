package driver

import (
	"context"
	"net/http"
	"strings"
	"time"

	bq "google.golang.org/api/bigquery/v2"
)

// What becomes of statements that their callers have left. Cleaning up looks and cancels. It never
// sends a statement, and never cancels what may be another one's.

const (
	// leftLimit bounds what is done about one statement.
	leftLimit = 2 * time.Minute
	// endLimit is how long the end of a job is awaited that was cancelled: that takes effect late.
	endLimit = time.Minute
	// youngLimit is how long after its beginning a job may not be known everywhere.
	youngLimit = 5 * time.Second
)

// lookAt is when BigQuery is asked for a job whose answer was lost. A job is listed within about
// two seconds.
var lookAt = []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second}

// left is a statement that its caller has left, with what has to be known to end it.
type left struct {
	*backend
	sub   *submission
	waits bool // later statements of the session wait for its end
}

// leave takes over a statement whose caller has gone, or whose answer is lost. It calls settle when
// nothing of it runs any more; waits means that this is awaited.
func (b *backend) leave(s *submission, o outcome, waits bool, settle func()) {
	l := &left{backend: b, sub: s, waits: waits}
	request := o.awaited
	if b.inBackground(leftLimit, func(bg context.Context) {
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
		return
	}
	if request != nil {
		request.stop()
	}
	settle()
}

// end ends what the statement has begun.
func (l *left) end(ctx context.Context, o outcome) {
	ref := o.job
	if o.page != nil {
		ref = o.page.JobReference
	}
	if o.state == stateLost && ref == nil {
		ref = l.look(ctx)
	}
	if ref != nil && (o.state == stateRunning || o.state == stateLost) {
		l.stopJob(ctx, ref)
	}
	switch {
	case !l.sub.req.CreateSession || ref == nil:
	case o.page != nil && o.page.SessionInfo != nil:
		_ = l.abortSession(ctx, o.page.SessionInfo.SessionId, ref.Location)
	default:
		l.endSessionOf(ctx, ref)
	}
}

// stopJob cancels the job. A COMMIT is not cancelled, its end is awaited.
func (l *left) stopJob(ctx context.Context, ref *bq.JobReference) {
	if l.sub.st.commits() {
		l.awaitEnd(ctx, ref)
		return
	}
	l.cancel(ctx, ref, l.sub.tried)
	if l.waits {
		ctx, cancel := context.WithTimeout(ctx, endLimit)
		defer cancel()
		l.awaitEnd(ctx, ref)
	}
}

// look finds the job of a statement whose answer was lost; nil if there is none that is surely its
// own. That a list does not have it does not mean that it did not run.
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
			job, err := ask(ctx, l.backend, func(cl *client) (*bq.Job, error) { return cl.job(ctx, ref) })
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

// list returns the jobs that have not ended and that can be the statement's. It reports false if
// the list may miss some.
func (l *left) list(ctx context.Context) (found []*bq.JobReference, ok bool) {
	since := l.sub.since.Add(-time.Minute)
	for token := ""; ; {
		page, err := ask(ctx, l.backend, func(cl *client) (*bq.JobList, error) { return cl.unfinished(ctx, since, token) })
		if err != nil || len(page.Unreachable) > 0 && l.sub.job == nil {
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

// isOwn reports whether a job is that of the statement: by its id where the driver has chosen it,
// else by its label and text, if no answer has named it as another statement's.
func (l *left) isOwn(job *bq.JobListJobs) bool {
	if ref := l.sub.id(); ref != nil {
		return job.JobReference.JobId == ref.JobId
	}
	cfg := job.Configuration
	return cfg != nil && cfg.Query != nil && cfg.Labels[labelKey] == l.sub.label &&
		cfg.Query.Query == l.sub.st.text && !l.knows(job.JobReference.JobId)
}

// id returns the id that the driver has chosen for the job; nil if BigQuery chooses it.
func (s *submission) id() *bq.JobReference {
	if s.job == nil {
		return nil
	}
	return s.job.JobReference
}

// cancel cancels a job. One that has just begun may not be known yet.
func (b *backend) cancel(ctx context.Context, ref *bq.JobReference, began time.Time) {
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		_, err := ask(ctx, b, func(cl *client) (struct{}, error) { return struct{}{}, cl.cancel(ctx, ref) })
		unknown := statusOf(err) == http.StatusForbidden || statusOf(err) == http.StatusNotFound
		if !unknown || time.Since(began) > youngLimit || sleep(ctx, pause) != nil {
			return
		}
	}
}

// awaitEnd returns when a job has ended, or with ctx. A poll that is refused says nothing of it.
func (b *backend) awaitEnd(ctx context.Context, ref *bq.JobReference) {
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		pg, err := ask(ctx, b, func(cl *client) (*page, error) { return cl.results(ctx, ref, 1, pollHold) })
		if err == nil && pg.JobComplete || err != nil && faultOf(err) == faultEnd {
			return
		}
		if err != nil {
			job, err := ask(ctx, b, func(cl *client) (*bq.Job, error) { return cl.job(ctx, ref) })
			if err == nil && isDone(job) {
				return
			}
		}
		if sleep(ctx, pause) != nil {
			return
		}
	}
}

// endSessionOf ends the session that a job has made and that no connection will use.
func (b *backend) endSessionOf(ctx context.Context, ref *bq.JobReference) {
	job, err := ask(ctx, b, func(cl *client) (*bq.Job, error) { return cl.job(ctx, ref) })
	if err == nil && job.Statistics != nil && job.Statistics.SessionInfo != nil {
		_ = b.abortSession(ctx, job.Statistics.SessionInfo.SessionId, ref.Location)
	}
}

// abortSession ends a session from outside.
func (b *backend) abortSession(ctx context.Context, id, location string) error {
	legacy := false
	req := &bq.QueryRequest{
		Query: "CALL BQ.ABORT_SESSION('" + escape(id) + "')", UseLegacySql: &legacy, Location: location,
	}
	_, err := ask(ctx, b, func(cl *client) (*page, error) { return cl.query(ctx, req, endlessHold) })
	return err
}

// escape makes a text safe between the quotes of a string literal.
func escape(text string) string {
	return strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`, "\r", `\r`).Replace(text)
}

// endTransactions ends the sessions in which a transaction is open.
func (b *backend) endTransactions() {
	for id, location := range b.takeTransactions() {
		b.inBackground(leftLimit, func(bg context.Context) { _ = b.abortSession(bg, id, location) })
	}
}
