package sandbox

import (
	"cmp"
	"context"
	"crypto/rand"
	"slices"
	"strings"
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

// job is one job: of a query, or with load one that loads rows.
type job struct {
	ref    wire.JobReference
	user   string
	config wire.JobConfiguration // as it was asked for
	query  *query                // of a load job, where it runs
	plan   *plan                 // nil if the statement could not be planned
	// queryID is what jobs.query names the query by.
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
	scriptJob
}

// finish ends a job, once.
func (j *job) finish(out *outcome, err *apierror.Error, now time.Time) {
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

// wait returns whether the job is done, after waiting for it at most for d.
func (j *job) wait(ctx context.Context, d time.Duration) bool {
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

// maxJobs is how many jobs are remembered; the oldest that is done goes first.
const maxJobs = 10_000

// registry has the jobs that the sandbox remembers.
type registry struct {
	mu   sync.Mutex
	byID map[string]*job // by project and id
	list []*job          // by creation
	// requests are the jobs of jobs.query by request id, recent their keys, oldest first.
	requests map[requestKey]*job
	recent   []requestKey
	// kept are the finished jobs that hold rows, oldest first; their size is at most limit.
	kept        []*job
	keptBytes   int64
	resultLimit int64
}

func newRegistry(resultLimit int64) *registry {
	return &registry{byID: map[string]*job{}, requests: map[requestKey]*job{}, resultLimit: resultLimit}
}

// add registers a job. An id that is taken is an error.
func (js *registry) add(j *job) *apierror.Error {
	js.mu.Lock()
	defer js.mu.Unlock()
	key := j.ref.ProjectID + " " + j.ref.JobID
	if js.byID[key] != nil {
		return apierror.Errorf("duplicate", "Already Exists: Job %s:%s.%s", j.ref.ProjectID, j.ref.Location,
			j.ref.JobID)
	}
	js.byID[key] = j
	js.list = append(js.list, j)
	js.forgetOldest()
	return nil
}

func (js *registry) forgetOldest() {
	for i := 0; len(js.list) > maxJobs && i < len(js.list); i++ {
		old := js.list[i]
		select {
		case <-old.finished:
			js.drop(old)
			i--
		default:
		}
	}
}

// drop forgets a job. The caller holds the lock.
func (js *registry) drop(j *job) {
	delete(js.byID, j.ref.ProjectID+" "+j.ref.JobID)
	js.list = slices.DeleteFunc(js.list, func(o *job) bool { return o == j })
	if k := slices.Index(js.kept, j); k >= 0 {
		js.kept = slices.Delete(js.kept, k, k+1)
		js.release(j)
	}
}

// release throws the rows of a job away that has been in kept.
func (js *registry) release(j *job) {
	j.mu.Lock()
	defer j.mu.Unlock()
	js.keptBytes -= j.result.Bytes
	j.result, j.thrownAway = nil, true
}

// remove forgets a job whose id no client knows.
func (js *registry) remove(j *job) {
	js.mu.Lock()
	defer js.mu.Unlock()
	js.drop(j)
}

// keep counts a finished job's rows, and throws the oldest rows away when there
// are too many.
func (js *registry) keep(j *job) {
	js.mu.Lock()
	defer js.mu.Unlock()
	j.mu.Lock()
	result := j.result
	j.mu.Unlock()
	// A job that is forgotten already is garbage with its rows.
	if result == nil || js.byID[j.ref.ProjectID+" "+j.ref.JobID] != j {
		return
	}
	js.keptBytes += result.Bytes
	js.kept = append(js.kept, j)
	for js.keptBytes > js.resultLimit && len(js.kept) > 1 {
		js.release(js.kept[0])
		js.kept = js.kept[1:]
	}
}

// find looks a job up. Without a location only jobs of the multi-regions are found.
func (js *registry) find(project, id, location string) (*job, *apierror.Error) {
	js.mu.Lock()
	defer js.mu.Unlock()
	j := js.byID[project+" "+id]
	if j != nil {
		at := strings.ToUpper(j.ref.Location)
		if strings.EqualFold(location, at) || (location == "" && (at == "US" || at == "EU")) {
			return j, nil
		}
	}
	name := project + ":" + id
	if location != "" {
		name = project + ":" + location + "." + id
	}
	return nil, apierror.Errorf("notFound", "Not found: Job %s", name)
}

// newest returns a project's jobs, newest first: those of the statements of a script, or
// with parent "" those that are no script's.
func (js *registry) newest(project, parent string) []*job {
	js.mu.Lock()
	defer js.mu.Unlock()
	var out []*job
	for _, j := range slices.Backward(js.list) {
		if j.ref.ProjectID == project && j.parentID() == parent {
			out = append(out, j)
		}
	}
	slices.SortStableFunc(out, func(a, b *job) int { return cmp.Compare(b.created.UnixNano(), a.created.UnixNano()) })
	return out
}

// all returns a project's jobs, oldest first.
func (js *registry) all(project string) (out []*job) {
	js.mu.Lock()
	defer js.mu.Unlock()
	for _, j := range js.list {
		if j.ref.ProjectID == project {
			out = append(out, j)
		}
	}
	return out
}

// stopAll stops every job that runs.
func (js *registry) stopAll(cause error) {
	js.mu.Lock()
	defer js.mu.Unlock()
	for _, j := range js.list {
		j.stop(cause)
	}
}

// taken refuses the id of a job that there is already.
func (js *registry) taken(project, id string) *apierror.Error {
	js.mu.Lock()
	defer js.mu.Unlock()
	if j := js.byID[project+" "+id]; id != "" && j != nil {
		return apierror.Errorf("duplicate", "Already Exists: Job %s:%s.%s", project, j.ref.Location, id)
	}
	return nil
}

func newJobID() string { return "job_" + rand.Text() }

// begin makes a job of a query and starts it. The statement is planned before
// begin returns; a statement that can't be planned is a job that has failed.
func (s *runner) begin(ctx context.Context, who caller, q *query, id string, config wire.JobConfiguration) (*job,
	*apierror.Error) {
	// A request that is repeated must learn that its job is there, not that it is in its own way.
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
	j := &job{
		ref: wire.JobReference{ProjectID: q.project, JobID: id, Location: q.location}, user: who.email, config: config,
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
func (s *runner) run(ctx context.Context, j *job) {
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

// find looks a job of a project up for a user.
func (s *runner) find(who caller, project, id, location string) (*job, *apierror.Error) {
	if err := s.checkJobs(who, project, "bigquery.jobs.get"); err != nil {
		return nil, err
	}
	return s.jobs.find(project, id, location)
}

// newest describes a project's jobs, newest first: those of the statements of a script, or with parent "" those that
// are no script's.
func (s *runner) newest(project, parent string) (list []*wire.Job) {
	for _, j := range s.jobs.newest(project, parent) {
		list = append(list, s.describe(j))
	}
	return list
}

// latest describes the last n jobs of all projects, newest first.
func (s *runner) latest(n int) (list []*wire.Job) {
	for _, j := range s.jobs.latest(n) {
		list = append(list, s.describe(j))
	}
	return list
}

// latest are the last n jobs, newest first.
func (js *registry) latest(n int) []*job {
	js.mu.Lock()
	defer js.mu.Unlock()
	list := slices.Clone(js.list[max(0, len(js.list)-n):])
	slices.Reverse(list)
	return list
}

// cancel stops a job that runs.
func (j *job) cancel() { j.stop(apierror.ErrStopped) }
