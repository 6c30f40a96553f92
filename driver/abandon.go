package driver

import (
	"context"
	"net/http"
	"strings"
	"time"

	bq "google.golang.org/api/bigquery/v2"
)

// This file cleans up statements whose callers have stopped waiting: it looks for their jobs and
// cancels them. It never sends a statement, and never cancels a job that may belong to another
// statement.

const (
	// leftLimit limits the time of the cleanup of one statement.
	leftLimit = 2 * time.Minute
	// endLimit limits the wait for the end of a cancelled job. A cancel takes effect late.
	endLimit = time.Minute
	// youngLimit is how long parts of BigQuery may not know a new job.
	youngLimit = 5 * time.Second
)

// lookAt has the times at which to look for a job whose answer was lost. BigQuery lists a job
// within about two seconds.
var lookAt = []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second}

// left is a statement whose caller has stopped waiting, with the data that is
// needed to end it.
type left struct {
	*backend
	sub   *submission
	waits bool // later statements of the session wait for its end
}

// leave cleans up a statement in the background, because its caller has stopped waiting or its
// answer was lost. It calls settle when the statement has ended; waits means that later statements
// wait for that.
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

// end cancels the job of the statement, and ends the session that it created.
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

// stopJob cancels the job. It does not cancel a COMMIT, but waits for its end.
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

// look returns the job of a statement whose answer was lost, or nil if no job certainly belongs to it. A
// job that is not listed may have run nevertheless.
func (l *left) look(ctx context.Context) *bq.JobReference {
	lost := time.Now()
	for _, at := range lookAt {
		if l.sub.job == nil && l.sub.label == "" {
			return nil // it can't be told from the job of another statement with the same text
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

// list returns the running jobs that can be the statement's. It returns false if the list may be
// incomplete.
func (l *left) list(ctx context.Context) (found []*bq.JobReference, ok bool) {
	since := l.sub.since.Add(-time.Minute)
	for token := ""; ; {
		page, err := ask(ctx, l.backend, func(cl *client) (*bq.JobList, error) {
			return cl.unfinished(ctx, since, token)
		})
		if err != nil || len(page.Unreachable) > 0 && l.sub.job == nil {
			return nil, err != nil && ctx.Err() == nil // look asks again
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

// isOwn reports whether a job is the statement's: by its id if the driver has chosen it, else by its label
// and text, unless an answer has named it as the job of another statement.
func (l *left) isOwn(job *bq.JobListJobs) bool {
	if ref := l.sub.id(); ref != nil {
		return job.JobReference.JobId == ref.JobId
	}
	cfg := job.Configuration
	return cfg != nil && cfg.Query != nil && cfg.Labels[labelKey] == l.sub.label &&
		cfg.Query.Query == l.sub.st.text && !l.knows(job.JobReference.JobId)
}

// id returns the job id that the driver has chosen; nil if BigQuery chooses it.
func (s *submission) id() *bq.JobReference {
	if s.job == nil {
		return nil
	}
	return s.job.JobReference
}

// cancel cancels a job. It repeats the request for a new job that BigQuery does not know everywhere yet.
func (b *backend) cancel(ctx context.Context, ref *bq.JobReference, began time.Time) {
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		_, err := ask(ctx, b, func(cl *client) (struct{}, error) { return struct{}{}, cl.cancel(ctx, ref) })
		unknown := statusOf(err) == http.StatusForbidden || statusOf(err) == http.StatusNotFound
		if !unknown || time.Since(began) > youngLimit || sleep(ctx, pause) != nil {
			return
		}
	}
}

// awaitEnd waits until a job or ctx has ended. If a poll fails, it looks up the job.
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

// endSessionOf ends the session that a job has created and that no connection uses.
func (b *backend) endSessionOf(ctx context.Context, ref *bq.JobReference) {
	job, err := ask(ctx, b, func(cl *client) (*bq.Job, error) { return cl.job(ctx, ref) })
	if err == nil && job.Statistics != nil && job.Statistics.SessionInfo != nil {
		_ = b.abortSession(ctx, job.Statistics.SessionInfo.SessionId, ref.Location)
	}
}

// abortSession ends a session by its id. It waits if BigQuery wants a job in the session to end first.
func (b *backend) abortSession(ctx context.Context, id, location string) error {
	legacy := false
	req := &bq.QueryRequest{
		Query: "CALL BQ.ABORT_SESSION('" + escape(id) + "')", UseLegacySql: &legacy, Location: location,
	}
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		_, err := ask(ctx, b, func(cl *client) (*page, error) { return cl.query(ctx, req, endlessHold) })
		if !sessionBusy(err) || sleep(ctx, pause) != nil {
			return err
		}
	}
}

// escape escapes a text for a string literal.
func escape(text string) string {
	return strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`, "\r", `\r`).Replace(text)
}

// endTransactions ends all sessions that have an open transaction.
func (b *backend) endTransactions() {
	for id, location := range b.takeTransactions() {
		b.inBackground(leftLimit, func(bg context.Context) { _ = b.abortSession(bg, id, location) })
	}
}
