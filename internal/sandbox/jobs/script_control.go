package jobs

import (
	"context"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

var (
	boolType   = googlesql.Type{Kind: googlesql.Bool}
	int64Type  = googlesql.Type{Kind: googlesql.Int64}
	stringType = googlesql.Type{Kind: googlesql.String}
)

// evaluate computes an expression. The zero type accepts any type. As in BigQuery, an
// expression with a query runs as a job.
func (r *scriptRun) evaluate(ctx context.Context, part *googlesql.Part, want googlesql.Type) (engine.Value,
	*scriptError) {
	if part.Query {
		_, res, err := r.runPart(ctx, part, expressionJob, want)
		if err != nil {
			return engine.Value{}, r.fail(ctx, *part, err)
		}
		return single(res), nil
	}
	q := r.queryOf(part)
	q.wanted = want
	v, err := r.compute(ctx, q)
	return v, r.fail(ctx, *part, err)
}

// compute evaluates an expression without a job.
func (r *scriptRun) compute(ctx context.Context, q *query) (engine.Value, *apierror.Error) {
	p, err := r.server.prepare(ctx, r.who, q)
	if err != nil {
		return engine.Value{}, err
	}
	res, err := r.server.runSQL(ctx, q, p)
	if err != nil {
		return engine.Value{}, err
	}
	return single(res), nil
}

// single returns the value of a result of one row. The second column of an ARRAY's is whether it is
// NULL.
func single(res *engine.Result) engine.Value {
	cols := res.Blocks[0].Columns
	v := cols[0].Value(0)
	if len(cols) > 1 && cols[1].Bools[0] {
		return null(v.Type)
	}
	return v
}

// isTrue evaluates a condition; NULL is not true.
func (r *scriptRun) isTrue(ctx context.Context, cond *googlesql.Part) (bool, *scriptError) {
	v, failed := r.evaluate(ctx, cond, boolType)
	return v.Bool && !v.Null, failed
}

func (r *scriptRun) branch(ctx context.Context, step *googlesql.If) (flow, *scriptError) {
	for _, b := range step.Branches {
		ok, failed := r.isTrue(ctx, &b.If)
		if failed != nil {
			return flow{}, failed
		}
		if ok {
			return r.steps(ctx, b.Body)
		}
	}
	return r.steps(ctx, step.Else)
}

func (r *scriptRun) loop(ctx context.Context, step *googlesql.Loop) (flow, *scriptError) {
	for {
		if ctx.Err() != nil {
			return flow{}, r.fail(ctx, step.Part, apierror.From(context.Cause(ctx)))
		}
		if step.While != nil {
			if ok, failed := r.isTrue(ctx, step.While); failed != nil || !ok {
				return flow{}, failed
			}
		}
		f, failed := r.steps(ctx, step.Body)
		if done, f := f.after(step.Label); failed != nil || done {
			return f, failed
		}
		if step.Until != nil {
			if ok, failed := r.isTrue(ctx, step.Until); failed != nil || ok {
				return flow{}, failed
			}
		}
	}
}

// after returns what a loop does after an iteration of its body: whether it ends, and what
// follows then.
func (f flow) after(label string) (done bool, next flow) {
	own := f.label == "" || f.matches(label)
	switch {
	case f.kind == goOn, f.kind == again && own:
		return false, flow{}
	case f.kind == leave && own:
		return true, flow{}
	}
	return true, f
}

func (r *scriptRun) forEach(ctx context.Context, step *googlesql.ForEach) (flow, *scriptError) {
	j, res, err := r.runPart(ctx, &step.Rows, expressionJob, googlesql.Type{})
	if err != nil {
		return flow{}, r.fail(ctx, step.Rows, err)
	}
	row := rowType(j.plan.stmt.Columns)
	for _, block := range res.Blocks {
		for i := range block.Rows {
			value := engine.Value{Type: row}
			for _, c := range block.Columns {
				value.Elems = append(value.Elems, c.Value(i))
			}
			f, failed := r.inScope(ctx, step.Body, variable{step.Var.Text, row, value})
			if done, f := f.after(step.Label); failed != nil || done {
				return f, failed
			}
		}
	}
	return flow{}, nil
}

// rowType returns the STRUCT that a row of a query is.
func rowType(columns []googlesql.Column) googlesql.Type {
	t := googlesql.Type{Kind: googlesql.Struct}
	for _, c := range columns {
		t.Fields = append(t.Fields, googlesql.Field{Name: c.Name, Type: c.Type})
	}
	return t
}

// block runs BEGIN ... END. An error in its body runs its handler, unless the script must stop.
func (r *scriptRun) block(ctx context.Context, step *googlesql.Block) (flow, *scriptError) {
	f, failed := r.inScope(ctx, step.Body)
	if failed != nil && step.Handles && !failed.fatal {
		r.caught = append(r.caught, failed)
		f, failed = r.inScope(ctx, step.Handler)
		r.caught = r.caught[:len(r.caught)-1]
	}
	if f.kind == leave && f.label != "" && f.matches(step.Label) {
		f = flow{}
	}
	return f, failed
}
