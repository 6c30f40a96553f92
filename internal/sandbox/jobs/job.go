package jobs

import (
	"context"
	"crypto/rand"
	"sync"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/wire"
)

// Job states.
const (
	pending = "PENDING"
	running = "RUNNING"
	done    = "DONE"
)

// Job is one job: of a query, or with load or copied one that writes a table without a statement.
type Job struct {
	ref    wire.JobReference
	user   string
	config wire.JobConfiguration // as it was asked for
	query  *query                // of a job without a statement, where it runs
	plan   *plan                 // nil if the statement could not be planned
	// queryID is the id of the query in jobs.query.
	queryID string
	created time.Time
	stop    context.CancelCauseFunc
	// finished is closed when the state is DONE; afterwards nothing but result changes.
	finished chan struct{}

	mu             sync.Mutex
	state          string
	started, ended time.Time
	err            *apierror.Error
	result         *engine.Result // nil for DDL and DML, and once it is thrown away
	thrownAway     bool
	changed        int64
	ddlOperation   string
	// transaction is the id of the one that the job ran in.
	transaction string
	load        *loadJob
	copied      *copyJob
	scriptJob
}

// finish ends a job, once.
func (j *Job) finish(out *outcome, err *apierror.Error, now time.Time) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.state == done {
		return
	}
	j.state, j.ended, j.err = done, now, err
	if err == nil {
		j.result, j.changed, j.ddlOperation = out.result, out.changed, out.ddlOperation
	}
	close(j.finished)
}

// Wait returns whether the job is done, after waiting for it at most for d.
func (j *Job) Wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-j.finished:
		return true
	case <-ctx.Done():
	case <-timer.C:
	}
	select {
	case <-j.finished:
		return true
	default:
		return false
	}
}

func newJobID() string { return "job_" + rand.Text() }

// begin creates the job of a query and starts it. The statement is planned
// before begin returns. If it can't be planned, the job has failed.
func (s *Runner) begin(ctx context.Context, who Caller, q *query, id string, config wire.JobConfiguration) (*Job,
	*apierror.Error) {
	// A repeated request must find its job, and not conflict with itself.
	if err := s.jobs.taken(q.project, id); err != nil {
		return nil, err
	}
	if q.sessionID != "" {
		if err := s.enterSession(who, q); err != nil {
			return nil, err
		}
	}
	p, refused := s.prepareIn(ctx, who, q)
	if id == "" {
		id = newJobID()
	}
	if p != nil {
		reportTarget(config.Query, p.stmt)
	}
	runCtx, stop := context.WithCancelCause(s.ctx)
	j := &Job{
		ref: wire.JobReference{ProjectID: q.project, JobID: id, Location: q.location}, user: who.Email, config: config,
		query: q, plan: p, queryID: rand.Text(), created: s.now(), stop: stop, finished: make(chan struct{}),
		state: pending,
	}
	j.reportResult()
	if err := s.jobs.add(j); err != nil {
		stop(nil)
		s.leaveSession(q, err)
		return nil, err
	}
	if refused != nil {
		stop(nil)
		j.started = j.created
		s.leaveSession(q, refused)
		j.finish(nil, refused, s.now())
		return j, nil
	}
	s.sessions.running(q.session, stop)
	s.work.Go(func() {
		defer stop(nil)
		s.run(runCtx, j)
	})
	return j, nil
}

// run takes a job from PENDING to DONE.
func (s *Runner) run(ctx context.Context, j *Job) {
	if limit := time.Duration(j.config.JobTimeoutMs) * time.Millisecond; limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, limit,
			apierror.Errorf("timeout", "Operation timed out after %s. Job execution was cancelled.", limit))
		defer cancel()
	}
	j.mu.Lock()
	j.state, j.started = running, s.now()
	j.mu.Unlock()
	transaction := j.query.transactionID()
	run := s.execute
	if j.plan.script != nil {
		run = func(ctx context.Context, _ *query, _ *plan) (*outcome, *apierror.Error) { return s.runScript(ctx, j) }
	}
	out, err := run(ctx, j.query, j.plan)
	if transaction == "" {
		transaction = j.query.transactionID() // that the statement has opened
	}
	j.mu.Lock()
	j.transaction = transaction
	j.mu.Unlock()
	// Before the job is done: the next statement may come right after.
	s.leaveSession(j.query, err)
	s.catalog.Keep()
	j.finish(out, err, s.now())
	s.jobs.keep(j)
}

// Find looks a job of a project up for a user.
func (s *Runner) Find(who Caller, project, id, location string) (*Job, *apierror.Error) {
	if err := s.CheckJobs(who, project, "bigquery.jobs.get"); err != nil {
		return nil, err
	}
	return s.jobs.find(project, id, location)
}

// Newest describes a project's jobs, newest first: those of the statements of a script, or with parent "" those that
// are no script's.
func (s *Runner) Newest(project, parent string) (list []*wire.Job) {
	for _, j := range s.jobs.newest(project, parent) {
		list = append(list, s.Describe(j))
	}
	return list
}

// Latest describes the last n jobs of all projects, newest first.
func (s *Runner) Latest(n int) (list []*wire.Job) {
	for _, j := range s.jobs.latest(n) {
		list = append(list, s.Describe(j))
	}
	return list
}

// Cancel stops a job that runs.
func (j *Job) Cancel() { j.stop(apierror.ErrStopped) }
