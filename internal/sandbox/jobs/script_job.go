package jobs

import (
	"context"
	"crypto/rand"
	"strconv"
	"strings"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/wire"
)

// Kinds of the jobs that a script begins.
const (
	statementJob  = "STATEMENT"
	expressionJob = "EXPRESSION" // a query inside of a condition, a value, ...
)

// scriptJob relates a job to a script. It is zero for other jobs.
type scriptJob struct {
	// Of the job of a statement in a script. They never change.
	parent *Job
	kind   string
	frames []wire.StackFrame

	// Of the script's own job, guarded by its lock.
	last                    *Job // whose result is the script's
	children, bytes, billed int64
}

func (j *Job) parentID() string {
	if j.parent == nil {
		return ""
	}
	return j.parent.ref.JobID
}

// answer returns the job with the result of this one, which for a script is that of the
// last query, DML or DDL statement.
func (j *Job) answer() (*Job, *apierror.Error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.err == nil && j.last != nil {
		return j.last, nil
	}
	return j, j.err
}

// bytesProcessed are, for a script, those of all its statements so far.
func (j *Job) bytesProcessed() int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.plan.bytes + j.bytes
}

func (j *Job) bytesBilled() int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return billed(j.plan.bytes) + j.billed
}

// describeScript adds the members of jobs.get about scripts. The caller holds the
// lock.
func (j *Job) describeScript(stats *wire.JobStatistics) {
	stats.ParentJobID = j.parentID()
	if j.parent != nil {
		stats.Script = &wire.ScriptStatistics{EvaluationKind: j.kind, StackFrames: j.frames}
	}
	if j.plan == nil || j.plan.script == nil {
		return
	}
	stats.NumChildJobs, stats.TotalBytesProcessed = j.children, j.bytes
	stats.Query.TotalBytesProcessed, stats.Query.TotalBytesBilled = j.bytes, j.billed
}

// frame returns a part of a script as a stack trace shows it.
func frame(s *googlesql.Script, p googlesql.Part) wire.StackFrame {
	f := wire.StackFrame{Text: s.Text(p)}
	f.StartLine, f.StartColumn = s.Position(p.From)
	f.EndLine, f.EndColumn = s.Position(p.To)
	return f
}

// statement is one of a script that is about to run as a job of its own.
type statement struct {
	query  *query
	kind   string
	text   string
	frames []wire.StackFrame // the innermost first
}

// runJob runs a statement of the script. The job is there also if the statement could not be planned.
func (r *scriptRun) runJob(ctx context.Context, st statement) (*Job, *engine.Result, *apierror.Error) {
	s, q := r.server, st.query
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	r.job.mu.Lock()
	number := r.job.children
	r.job.children++
	r.job.mu.Unlock()
	j := &Job{
		ref: wire.JobReference{ProjectID: q.project, JobID: r.prefix + strconv.FormatInt(number, 10),
			Location: q.location},
		user: r.job.user, config: r.childConfig(st), query: q, queryID: rand.Text(),
		created: s.now(), stop: stop, finished: make(chan struct{}), state: running,
		scriptJob: scriptJob{parent: r.job, kind: st.kind, frames: st.frames},
	}
	j.started, j.transaction = j.created, q.transactionID()
	var err *apierror.Error
	if j.plan, err = s.prepare(ctx, r.who, q); err == nil {
		err = r.spend(j.plan.bytes)
		reportTarget(j.config.Query, j.plan.stmt)
		j.reportResult()
	}
	if clash := s.jobs.add(j); clash != nil {
		return j, nil, clash
	}
	out := &outcome{}
	if err == nil {
		out, err = s.execute(ctx, q, j.plan)
	}
	if id := q.transactionID(); id != "" { // the statement may have opened it
		j.setTransaction(id)
	}
	j.finish(out, err, s.now())
	s.jobs.keep(j)
	if err != nil {
		return j, nil, err
	}
	return j, out.result, nil
}

func (j *Job) setTransaction(id string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.transaction = id
}

// spend counts what a statement reads towards the script's maximumBytesBilled.
func (r *scriptRun) spend(bytes int64) *apierror.Error {
	j, limit := r.job, r.query.maxBytes
	j.mu.Lock()
	defer j.mu.Unlock()
	if need := j.billed + billed(bytes); limit > 0 && need > limit {
		return apierror.Errorf("bytesBilledLimitExceeded", "Query exceeded limit for bytes billed: %d. %d or higher "+
			"required.", limit, need)
	}
	j.bytes += bytes
	j.billed += billed(bytes)
	return nil
}

// childConfig returns the configuration of a statement's job: the script's, with a text and
// parameters of its own.
func (r *scriptRun) childConfig(st statement) wire.JobConfiguration {
	settings := *r.job.config.Query
	settings.Query = strings.TrimSpace(strings.TrimSuffix(st.text, ";"))
	settings.CreateSession = false
	if all := settings.QueryParameters; st.query.sql != r.query.sql {
		settings.QueryParameters, settings.ParameterMode = nil, ""
	} else if st.query.positional {
		settings.QueryParameters = nil
		for _, i := range st.query.part.Params {
			settings.QueryParameters = append(settings.QueryParameters, all[i])
		}
	}
	return wire.JobConfiguration{JobType: "QUERY", Labels: r.job.config.Labels, Query: &settings}
}
