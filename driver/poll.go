package driver

import (
	"context"
	"net/http"
	"time"

	bq "google.golang.org/api/bigquery/v2"
)

// maxRefusals is how many polls in a row may fail.
const maxRefusals = 8

// await waits until a running job ends. first is the first answer about it. If the end can't be learned,
// or ctx ends, the outcome has the job, which the caller cancels.
func (s *submission) await(ctx context.Context, b *backend, first *page) outcome {
	ref := first.JobReference
	defer b.runs(ref.JobId)()
	p := &poller{backend: b, sub: s, first: first, ref: ref, quick: firstQuickPause}
	for {
		o := p.poll(ctx)
		if o.job = ref; ctx.Err() != nil && (o.state == stateRunning || o.state == stateLost) {
			return outcome{state: stateLost, err: endOf(ctx), job: ref}
		}
		if o.state != stateRunning {
			return o
		}
	}
}

const firstQuickPause = 10 * time.Millisecond

// poller polls for the result of a job.
type poller struct {
	*backend
	sub   *submission
	first *page
	ref   *bq.JobReference

	refusals int           // failed polls in a row
	pauses   *pauses       // pauses between them
	quick    time.Duration // pause after an answer that BigQuery did not hold
	polled   bool
}

// poll makes one poll. It pauses if another one is needed.
func (p *poller) poll(ctx context.Context) outcome {
	if p.polled || !p.sub.st.config.inserted() {
		p.tellProgress(ctx)
	}
	p.polled = true
	asked := time.Now()
	rows := firstPage(&p.cfg)
	pg, err := once(ctx, p.backend, func(cl *client) (*page, error) {
		return cl.results(ctx, p.ref, rows, pollHoldFor(ctx))
	})
	switch {
	case err != nil && ctx.Err() != nil:
		return outcome{state: stateRunning}
	case err != nil:
		return p.refused(ctx, err)
	case pg.JobComplete:
		return outcome{state: stateDone, page: p.complete(pg)}
	}
	p.refusals, p.pauses = 0, nil
	if time.Since(asked) < time.Second {
		_ = sleep(ctx, p.quick)
		p.quick = min(2*p.quick, time.Second)
	}
	return outcome{state: stateRunning}
}

// complete adds to the answer of a poll the fields that only the first answer has.
func (p *poller) complete(pg *page) *page {
	pg.polled = true
	if pg.JobReference == nil {
		pg.JobReference = p.ref
	}
	if pg.StatementType == "" {
		pg.StatementType = p.first.StatementType
	}
	if pg.Location == "" {
		pg.Location = p.ref.Location
	}
	if pg.SessionInfo == nil {
		pg.SessionInfo = p.first.SessionInfo
	}
	return pg
}

// refused returns the outcome of a poll that failed. The failure of a poll says nothing about the job,
// so refused looks up the job.
func (p *poller) refused(ctx context.Context, err error) outcome {
	if faultOf(err) == faultEnd {
		return outcome{state: stateLost, err: err}
	}
	if p.refusals++; p.refusals >= maxRefusals {
		return outcome{state: stateLost, err: err}
	}
	young := statusOf(err) == http.StatusNotFound && time.Since(p.sub.tried) < youngLimit
	if statusOf(err) != 0 && !isFrontEnd(err) && !young {
		if o := p.look(ctx, err); o.state != stateRunning {
			return o
		}
	}
	if p.pauses == nil {
		p.pauses = newPauses(p.backend)
	}
	if again, end := p.pauses.wait(ctx, err); end != nil || !again {
		return outcome{state: stateLost, err: withEnd(end, err)}
	}
	return outcome{state: stateRunning}
}

// look looks up the state of the job. refusal is the error of the poll: for a job that failed, BigQuery
// answers the poll with the failure.
func (p *poller) look(ctx context.Context, refusal error) outcome {
	job, err := once(ctx, p.backend, func(cl *client) (*bq.Job, error) { return cl.job(ctx, p.ref) })
	if err != nil || !isDone(job) {
		return outcome{state: stateRunning}
	}
	if failed := jobError(job); failed != nil {
		if faultOf(failed) == faultJob {
			return outcome{state: stateFaulted, err: failed}
		}
		if sameReason(refusal, failed) {
			failed = refusal
		}
		return outcome{state: stateFailed, err: failed}
	}
	if job.Statistics == nil || job.Statistics.Query == nil ||
		kindOfType(job.Statistics.Query.StatementType).hasRows() {
		return outcome{state: stateRunning} // its rows are asked for again
	}
	q := job.Statistics.Query
	pg := &page{}
	pg.JobComplete, pg.StatementType, pg.Schema = true, q.StatementType, q.Schema
	pg.TotalBytesProcessed, pg.CacheHit = job.Statistics.TotalBytesProcessed, q.CacheHit
	pg.NumDmlAffectedRows, pg.DmlStats, pg.counted = q.NumDmlAffectedRows, q.DmlStats, true
	pg.SessionInfo = job.Statistics.SessionInfo
	return outcome{state: stateDone, page: p.complete(pg)}
}

// progressLimit limits the time of a request for the progress of a job, which is not
// essential.
const progressLimit = 5 * time.Second

// tellProgress reports the progress of the job, if WithProgress asks for it. It ignores errors.
func (p *poller) tellProgress(ctx context.Context) {
	tell := progressOf(ctx)
	if tell == nil {
		return
	}
	limited, cancel := context.WithTimeout(ctx, progressLimit)
	defer cancel()
	job, err := once(limited, p.backend, func(cl *client) (*bq.Job, error) { return cl.job(limited, p.ref) })
	if err == nil && job.Status != nil && !isDone(job) {
		tell(progress(job, p.ref.JobId, p.sub.since))
	}
}
