package jobs

import (
	"context"
	"fmt"
	"strings"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/wire"
)

// maxCalls is how deep procedures may call others, as in BigQuery.
const maxCalls = 50

// executeProcedure creates or drops a procedure. The caller holds the catalog's ddl
// lock.
func (s *Runner) executeProcedure(ctx context.Context, q *query, p *plan) (*outcome, *apierror.Error) {
	stmt, name := p.stmt, *p.stmt.Target
	d := s.catalog.Dataset(name.Project, name.Dataset)
	if d == nil {
		return nil, apierror.NotFound("Dataset", name.Project+":"+name.Dataset, q.location)
	}
	old := s.catalog.Procedure(name)
	s.catalog.Mu.RLock()
	taken := d.Functions[name.Table] != nil
	s.catalog.Mu.RUnlock()
	switch {
	case stmt.Type == "DROP_PROCEDURE" && old == nil:
		return dropMissing(stmt, apierror.NotFound("Routine", name.String(), q.location))
	case stmt.Type == "DROP_PROCEDURE":
		s.catalog.Mu.Lock()
		delete(d.Procedures, name.Table)
		s.catalog.Mu.Unlock()
		return &outcome{ddlOperation: "DROP"}, nil
	case old != nil && stmt.IfNotExists:
		return &outcome{ddlOperation: "SKIP"}, nil
	case old != nil && !stmt.OrReplace, taken:
		return nil, apierror.Errorf("duplicate", "Already Exists: Routine %s", name)
	}
	values, err := s.optionsOf(ctx, q, stmt)
	if err != nil {
		return nil, err
	}
	if v := values["strict_mode"]; v == nil || *v != "false" {
		if err := s.checkProcedure(ctx, q, p); err != nil {
			return nil, err
		}
	}
	stmt.NewProcedure.Created = s.now()
	if v := values["description"]; v != nil {
		stmt.NewProcedure.Description = *v
	}
	s.catalog.Mu.Lock()
	d.Procedures[name.Table] = stmt.NewProcedure
	s.catalog.Mu.Unlock()
	return &outcome{ddlOperation: created(old != nil)}, nil
}

// checkProcedure checks the names and types of a body, as far as they are known before it runs.
func (s *Runner) checkProcedure(ctx context.Context, q *query, p *plan) *apierror.Error {
	proc := p.stmt.NewProcedure
	args := &scope{}
	for _, param := range proc.Params {
		if param.Type == nil {
			return nil
		}
		args.declare(variable{param.Name, *param.Type, null(*param.Type)})
	}
	body := bodyQuery(q, proc)
	body.sql = proc.InPlace(q.sql)
	script, err := googlesql.ParseScript(body.sql, false)
	if err != nil {
		return (&resolver{}).explain(err)
	}
	if body.work == nil {
		body.work = newWorkspace(nil, q.project)
	}
	c := &scriptCheck{server: s, who: p.who, query: body, script: script, scope: args}
	return c.steps(ctx, script.Body)
}

// bodyQuery returns a procedure's body as a query of its own.
func bodyQuery(q *query, proc *googlesql.Procedure) *query {
	body := *q
	body.sql, body.part, body.newSession, body.maxBytes = proc.Body, nil, false, 0
	body.positional, body.named, body.params, body.values, body.vars = false, false, nil, nil, nil
	if proc.Dataset != "" {
		body.defaultDataset = &wire.DatasetReference{ProjectID: proc.Project, DatasetID: proc.Dataset}
	}
	if proc.Project != q.project {
		_ = body.set.put("dataset_project_id", proc.Project) // the name of a project is always taken
	}
	return &body
}

// stackPlace is a place in the stack of procedures of an error.
type stackPlace struct {
	line, column int
	location     string // the procedure's name, "" for the script itself
}

// call runs CALL: the procedure's body as part of this script, with variables of its own.
func (r *scriptRun) call(ctx context.Context, step *googlesql.Call) *scriptError {
	proc, err := r.procedureOf(step)
	if err != nil {
		return r.fail(ctx, step.Part, err)
	}
	if r.depth >= maxCalls {
		return r.fail(ctx, step.Part, apierror.Errorf("invalidQuery", "The maximum nesting level of procedure calls, "+
			"%d, is exceeded", maxCalls))
	}
	args := &scope{}
	for i := range proc.Params {
		v, failed := r.argument(ctx, &proc.Params[i], step.Args[i])
		if failed != nil {
			return failed
		}
		args.declare(v)
	}
	script, parseErr := googlesql.ParseScript(proc.Body, false)
	if parseErr != nil {
		return r.fail(ctx, step.Part, (&resolver{}).explain(parseErr))
	}
	inner := &scriptRun{server: r.server, job: r.job, script: script, who: r.who, query: bodyQuery(r.query, proc),
		sess: r.sess, scope: args, prefix: r.prefix, lastJob: r.lastJob, rowCount: r.rowCount, depth: r.depth + 1,
		procedure: strings.Join([]string{proc.Name.Project, proc.Name.Dataset, proc.Name.Table}, "."),
		callers:   r.framesOf(step.Part)}
	inner.query.location = r.query.location
	_, failed := inner.steps(ctx, script.Body)
	r.lastJob, r.rowCount = inner.lastJob, inner.rowCount
	if failed != nil {
		line, column := r.script.Position(step.From)
		failed.stack = append(failed.stack, stackPlace{line, column, r.procedure})
		return failed
	}
	for i, param := range proc.Params {
		if param.Mode == "IN" {
			continue
		}
		name := r.variableName(step.Args[i])
		to, _ := r.scope.find(name)
		out, _ := args.find(param.Name)
		v, err := r.convert(ctx, out.value, to.typ)
		if err != nil {
			return r.fail(ctx, step.Args[i], err)
		}
		r.scope.set(name, v)
	}
	return nil
}

// procedureOf finds the procedure that CALL names, and counts the arguments.
func (r *scriptRun) procedureOf(step *googlesql.Call) (*googlesql.Procedure, *apierror.Error) {
	opts := r.queryOf(&step.Part).options(&resolver{server: r.server, who: r.who, query: r.query}, false)
	name := googlesql.TableName{Project: opts.DefaultProject, Dataset: opts.DefaultDataset}
	path := step.Path
	name.Table = path[len(path)-1]
	switch {
	case len(path) == 3:
		name.Project, name.Dataset = path[0], path[1]
	case len(path) == 2:
		name.Dataset = path[0]
	case len(path) > 3 || name.Dataset == "":
		return nil, apierror.Errorf("invalidQuery", "Procedure name %q must be qualified with a dataset",
			strings.Join(path, "."))
	}
	proc := r.server.catalog.Procedure(name)
	switch {
	case proc == nil || !r.server.MayRead(r.who, name.Project):
		return nil, apierror.NotFound("Routine", name.String(), r.query.location)
	case len(proc.Params) != len(step.Args):
		return nil, apierror.Errorf("invalidQuery", "Procedure %s takes %d arguments, but the call has %d",
			strings.Join(path, "."), len(proc.Params), len(step.Args))
	}
	return proc, nil
}

// argument returns a parameter with its initial value.
func (r *scriptRun) argument(ctx context.Context, p *googlesql.ProcedureParam, arg googlesql.Part) (variable,
	*scriptError) {
	if p.Mode == "IN" {
		want := googlesql.Type{}
		if p.Type != nil {
			want = *p.Type
		}
		v, failed := r.evaluate(ctx, &arg, want)
		if p.Type == nil {
			want = v.Type
		}
		return variable{p.Name, want, v}, failed
	}
	from, ok := r.scope.find(r.variableName(arg))
	if !ok || strings.HasPrefix(from.name, "@@") {
		return variable{}, r.fail(ctx, arg, apierror.Errorf("invalidQuery", "The argument of the %s parameter %s "+
			"must be a variable", p.Mode, p.Name))
	}
	typ := from.typ
	if p.Type != nil {
		typ = *p.Type
	}
	out := variable{p.Name, typ, null(typ)}
	if p.Mode == "INOUT" {
		v, err := r.convert(ctx, from.value, typ)
		if err != nil {
			return out, r.fail(ctx, arg, err)
		}
		out.value = v
	}
	return out, nil
}

// variableName returns the name that an argument consists of.
func (r *scriptRun) variableName(arg googlesql.Part) string {
	return strings.Trim(strings.TrimSpace(r.script.Text(arg)), "`")
}

// framesOf returns a place of the script's text and those of the calls that have led to it,
// innermost first.
func (r *scriptRun) framesOf(p googlesql.Part) []wire.StackFrame {
	f := frame(r.script, p)
	f.ProcedureID = r.procedure
	return append([]wire.StackFrame{f}, r.callers...)
}

var stackType = googlesql.Type{Kind: googlesql.Array, Elem: &googlesql.Type{Kind: googlesql.Struct,
	Fields: []googlesql.Field{{Name: "line", Type: int64Type}, {Name: "column", Type: int64Type},
		{Name: "filename", Type: stringType}, {Name: "location", Type: stringType}}}}

// stackVariables returns the system variables about where an error has come
// from.
func stackVariables(stack []stackPlace) []variable {
	trace := engine.Value{Type: stackType}
	var lines []string
	for _, p := range stack {
		location := null(stringType)
		shown := "the script"
		if p.location != "" {
			location, shown = text(p.location), p.location
		}
		trace.Elems = append(trace.Elems, engine.Value{Type: *stackType.Elem, Elems: []engine.Value{
			{Type: int64Type, Int: int64(p.line)}, {Type: int64Type, Int: int64(p.column)}, null(stringType),
			location}})
		lines = append(lines, fmt.Sprintf("At %s[%d:%d]", shown, p.line, p.column))
	}
	return []variable{{"@@error.stack_trace", stackType, trace},
		{"@@error.formatted_stack_trace", stringType, text(strings.Join(lines, "\n"))}}
}
