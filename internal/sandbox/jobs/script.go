package jobs

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/wire"
)

// scriptRun is a running script. Outside of a session it has its own one, so that transactions work
// in the same way. No other statement can name that session, and it ends with the script.
type scriptRun struct {
	server *Runner
	job    *Job
	script *googlesql.Script
	who    Caller
	query  *query // as it was asked for
	sess   *session
	scope  *scope
	// prefix begins the ids of its jobs.
	prefix string
	// lastJob is the id of the latest of them, rowCount what the last DML statement has changed.
	lastJob  engine.Value
	rowCount engine.Value
	// caught has the errors that are being handled, the innermost last.
	caught []*scriptError
	// Of a procedure that runs: its name, how deep it is called, and the places of the calls.
	procedure string
	depth     int
	callers   []wire.StackFrame
}

// flow says where a script continues after a statement.
type flow struct {
	kind  flowKind
	label string // of the loop or block that a jump is about; "" is the innermost loop
}

type flowKind int

const (
	goOn flowKind = iota
	leave
	again // the loop's next turn
	finish
)

// planScript plans a text that is a script for BigQuery. It returns nil for
// others.
func (s *Runner) planScript(ctx context.Context, who Caller, q *query) (*plan, *apierror.Error) {
	if q.part != nil {
		return nil, nil
	}
	script, err := googlesql.ParseScript(q.sql, q.positional)
	switch {
	case err != nil:
		return nil, (&resolver{}).explain(err)
	case script.Single():
		return nil, nil
	}
	if q.destination != nil {
		return nil, apierror.Errorf("invalid", "configuration.query.destinationTable cannot be set for scripts")
	}
	if q.work == nil { // its statements may make temporary tables; the run has a place for them
		q.work = newWorkspace(nil, q.project)
	}
	if len(q.values) > 0 { // a dry run may have none
		if err := checkCount(script, q); err != nil {
			return nil, err
		}
	}
	if q.location == "" {
		probe := scriptCheck{server: s, who: who, query: q, script: script, scope: &scope{outer: q.vars}, unsure: true,
			locates: true}
		_ = probe.steps(ctx, script.Body) // the run says what is wrong
	}
	return &plan{stmt: &googlesql.Statement{Type: "SCRIPT"}, who: who, script: script}, nil
}

// checkCount compares the number of positional parameters of a script with the
// values.
func checkCount(script *googlesql.Script, q *query) *apierror.Error {
	want, have := len(script.Params), len(q.values)
	switch {
	case !q.positional || want == have:
		return nil
	case want < have:
		return apierror.Errorf("invalidQuery", "The statement has %d positional parameters and %d values are given "+
			"at [1:1]", want, have)
	}
	line, column := script.Position(script.Params[have])
	return apierror.Errorf("invalidQuery", "Query parameter number %d not found; not enough positional parameters "+
		"provided at [%d:%d]", have+1, line, column)
}

// runScript runs a script to its end. Outside of a session an open transaction is then rolled back.
// In a session it stays open, also after an error.
func (s *Runner) runScript(ctx context.Context, j *Job) (*outcome, *apierror.Error) {
	r := &scriptRun{
		server: s, job: j, script: j.plan.script, who: j.plan.who, query: j.query, sess: j.query.session,
		prefix:  "script_job_" + rand.Text() + "_",
		lastJob: null(stringType), rowCount: null(int64Type),
	}
	if r.sess == nil {
		conn, err := s.db.Conn()
		if err != nil {
			return nil, apierror.From(err)
		}
		r.sess = &session{user: j.user, project: j.query.project, location: j.query.location, conn: conn,
			vars: &scope{}, work: newWorkspace(conn, j.query.project)}
		defer s.closeSession(r.sess)
	}
	r.scope = r.sess.vars
	if _, failed := r.steps(ctx, r.script.Body); failed != nil {
		return nil, failed.Error
	}
	return &outcome{}, nil
}

// steps runs statements until one of them jumps.
func (r *scriptRun) steps(ctx context.Context, steps []googlesql.Step) (flow, *scriptError) {
	for _, step := range steps {
		if f, failed := r.step(ctx, step); failed != nil || f.kind != goOn {
			return f, failed
		}
	}
	return flow{}, nil
}

// inScope runs statements with their own variables.
func (r *scriptRun) inScope(ctx context.Context, steps []googlesql.Step, vars ...variable) (flow, *scriptError) {
	outer := r.scope
	defer func() { r.scope = outer }()
	r.scope = &scope{outer: outer, vars: vars}
	return r.steps(ctx, steps)
}

func (r *scriptRun) step(ctx context.Context, step googlesql.Step) (flow, *scriptError) {
	at := step.Where()
	if ctx.Err() != nil {
		return flow{}, r.fail(ctx, at, apierror.From(context.Cause(ctx)))
	}
	switch step := step.(type) {
	case *googlesql.Run:
		return flow{}, r.run(ctx, step)
	case *googlesql.Declare:
		return flow{}, r.declare(ctx, step)
	case *googlesql.Call:
		return flow{}, r.call(ctx, step)
	case *googlesql.Assign:
		return flow{}, r.assign(ctx, step)
	case *googlesql.If:
		return r.branch(ctx, step)
	case *googlesql.Loop:
		return r.loop(ctx, step)
	case *googlesql.ForEach:
		return r.forEach(ctx, step)
	case *googlesql.Block:
		return r.block(ctx, step)
	case *googlesql.Jump:
		if step.Continue {
			return flow{again, step.Label}, nil
		}
		return flow{leave, step.Label}, nil
	case *googlesql.Return:
		return flow{kind: finish}, nil
	case *googlesql.Raise:
		return flow{}, r.raise(ctx, step)
	case *googlesql.Execute:
		return flow{}, r.execute(ctx, step)
	}
	return flow{}, r.fail(ctx, at, apierror.Broken("it can't run a %T", step))
}

// run runs a statement as a job. The script's result is that of the last one with a result.
func (r *scriptRun) run(ctx context.Context, step *googlesql.Run) *scriptError {
	_, _, err := r.runPart(ctx, &step.Part, statementJob, googlesql.Type{})
	return r.fail(ctx, step.Part, err)
}

// runPart runs a statement, or an expression of the wanted type, of the script's text as a job.
func (r *scriptRun) runPart(ctx context.Context, part *googlesql.Part, kind string, want googlesql.Type) (*Job,
	*engine.Result, *apierror.Error) {
	q := r.queryOf(part)
	q.wanted = want
	return r.runStatement(ctx, statement{query: q, kind: kind, text: r.script.Text(*part),
		frames: r.framesOf(*part)})
}

// runStatement runs a job and records its results for the rest of the script.
func (r *scriptRun) runStatement(ctx context.Context, st statement) (*Job, *engine.Result, *apierror.Error) {
	j, res, err := r.runJob(ctx, st)
	r.lastJob = text(j.ref.String())
	if err != nil || st.kind != statementJob {
		return j, res, err
	}
	if n, _ := dmlCounts(j.plan.stmt, j.changed); n != nil {
		r.rowCount = engine.Value{Type: int64Type, Int: *n}
	}
	if t := j.plan.stmt.Type; !slices.Contains(controlTypes, t) && t != "ASSERT" {
		r.job.mu.Lock()
		r.job.last = j
		r.job.mu.Unlock()
	}
	return j, res, nil
}

// queryOf returns a part of the script as a query of its own.
func (r *scriptRun) queryOf(part *googlesql.Part) *query {
	q := *r.query
	q.part, q.session, q.newSession, q.maxBytes = part, r.sess, false, 0
	q.vars, q.work = r.visible(), r.sess.work
	if q.positional {
		q.params, q.values = nil, nil
		for _, i := range part.Params {
			q.params, q.values = append(q.params, r.query.params[i]), append(q.values, r.query.values[i])
		}
	}
	return &q
}

// visible returns the variables that a statement sees now.
func (r *scriptRun) visible() *scope {
	system := systemVariables(r.rowCount, r.lastJob, r.job.ref.String())
	if n := len(r.caught); n > 0 {
		system = append(system, errorVariables(r.caught[n-1])...)
	}
	return &scope{outer: r.scope, vars: system}
}

// matches reports whether a jump leads to this loop or block.
func (f flow) matches(label string) bool { return strings.EqualFold(f.label, label) }
