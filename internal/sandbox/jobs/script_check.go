package jobs

import (
	"context"
	"slices"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

// scriptCheck checks a script without running it, for a dry run.
type scriptCheck struct {
	server *Runner
	who    Caller
	query  *query
	script *googlesql.Script
	scope  *scope
	bytes  int64
	// unsure is set after DDL and other statements that may change what later statements mean.
	// Errors of these no longer count.
	unsure bool
	// locates ends the check where it has found the location of a dataset.
	locates bool
}

// dryRunScript checks a script as far as possible before it runs. It returns nil if the text is
// not a script. The bytes count each statement once. As in BigQuery it does not report parameters.
func (s *Runner) dryRunScript(ctx context.Context, who Caller, q *query) (*plan, *apierror.Error) {
	p, err := s.planScript(ctx, who, q)
	if p == nil || err != nil {
		return nil, err
	}
	c := &scriptCheck{server: s, who: who, query: q, script: p.script, scope: &scope{outer: q.vars}}
	if err := c.steps(ctx, p.script.Body); err != nil {
		return nil, err
	}
	p.bytes = c.bytes
	if q.location == "" {
		q.location = s.cfg.Location
	}
	return p, nil
}

// steps checks all statements, whether they would be run or not.
func (c *scriptCheck) steps(ctx context.Context, steps []googlesql.Step) *apierror.Error {
	for _, step := range steps {
		if c.locates && c.query.location != "" {
			return nil
		}
		if err := c.step(ctx, step); err != nil && !c.unsure {
			return err
		}
	}
	return nil
}

// inScope checks statements with variables of their own.
func (c *scriptCheck) inScope(ctx context.Context, steps []googlesql.Step, vars ...variable) *apierror.Error {
	outer := c.scope
	defer func() { c.scope = outer }()
	c.scope = &scope{outer: outer, vars: vars}
	return c.steps(ctx, steps)
}

func (c *scriptCheck) step(ctx context.Context, step googlesql.Step) *apierror.Error {
	switch step := step.(type) {
	case *googlesql.Run:
		p, err := c.part(ctx, &step.Part, googlesql.Type{})
		if err == nil && (slices.Contains(ddlTypes, p.stmt.Type) || p.stmt.Type == "CALL" ||
			p.stmt.SystemVariable != "") {
			c.unsure = true
		}
		return err
	case *googlesql.Call: // whose procedure may change what there is
		for _, arg := range step.Args {
			if err := c.value(ctx, &arg, googlesql.Type{}); err != nil {
				return err
			}
		}
		c.unsure = true
		return nil
	case *googlesql.Declare:
		return c.declare(ctx, step)
	case *googlesql.Assign:
		return c.assign(ctx, step)
	case *googlesql.If:
		for _, b := range step.Branches {
			if err := c.value(ctx, &b.If, boolType); err != nil {
				return err
			}
			if err := c.steps(ctx, b.Body); err != nil {
				return err
			}
		}
		return c.steps(ctx, step.Else)
	case *googlesql.Loop:
		if err := c.value(ctx, step.While, boolType); err != nil {
			return err
		}
		if err := c.steps(ctx, step.Body); err != nil {
			return err
		}
		return c.value(ctx, step.Until, boolType)
	case *googlesql.ForEach:
		p, err := c.part(ctx, &step.Rows, googlesql.Type{})
		if err != nil {
			return err
		}
		return c.inScope(ctx, step.Body, variable{name: step.Var.Text, typ: rowType(p.stmt.Columns)})
	case *googlesql.Block:
		if err := c.inScope(ctx, step.Body); err != nil {
			return err
		}
		return c.inScope(ctx, step.Handler, errorVariables(&scriptError{Error: &apierror.Error{}})...)
	case *googlesql.Raise:
		return c.value(ctx, step.Message, stringType)
	case *googlesql.Execute:
		return c.execute(ctx, step)
	}
	return nil // a jump or RETURN
}

func (c *scriptCheck) declare(ctx context.Context, step *googlesql.Declare) *apierror.Error {
	v := variable{}
	if step.Type != nil {
		v.typ = *step.Type
	}
	if step.Default != nil {
		p, err := c.part(ctx, step.Default, v.typ)
		if err != nil {
			return err
		}
		if step.Type == nil {
			v.typ = p.stmt.Columns[0].Type
		}
	}
	for _, n := range step.Names {
		v.name = n.Text
		c.scope.declare(v)
	}
	return nil
}

func (c *scriptCheck) assign(ctx context.Context, step *googlesql.Assign) *apierror.Error {
	types, err := c.scope.typesOf(c.script, step.Names)
	if err != nil {
		return err
	}
	want := types[0]
	if step.Tuple {
		want = tupleType(types)
	}
	return c.value(ctx, &step.Value, want)
}

func (c *scriptCheck) execute(ctx context.Context, step *googlesql.Execute) *apierror.Error {
	if _, err := c.scope.typesOf(c.script, step.Into); err != nil {
		return err
	}
	if err := c.value(ctx, &step.SQL, stringType); err != nil {
		return err
	}
	for _, u := range step.Using {
		if err := c.value(ctx, &u.Value, googlesql.Type{}); err != nil {
			return err
		}
	}
	c.unsure = true
	return nil
}

// value checks an expression, if there is one.
func (c *scriptCheck) value(ctx context.Context, part *googlesql.Part, want googlesql.Type) *apierror.Error {
	if part == nil {
		return nil
	}
	_, err := c.part(ctx, part, want)
	return err
}

// part analyzes a statement or an expression of the wanted type.
func (c *scriptCheck) part(ctx context.Context, part *googlesql.Part, want googlesql.Type) (*plan, *apierror.Error) {
	q := *c.query
	q.part, q.wanted, q.newSession = part, want, true
	q.vars = &scope{outer: c.scope, vars: systemVariables(null(int64Type), null(stringType), "")}
	if q.positional && len(q.params) > 0 {
		q.params, q.values = nil, nil
		for _, i := range part.Params {
			q.params = append(q.params, c.query.params[i])
		}
	}
	p, err := c.server.analyze(ctx, c.who, &q, true)
	c.query.location = q.location // where the first dataset that is named is
	if err != nil {
		return nil, err
	}
	c.bytes += p.bytes
	return p, nil
}
