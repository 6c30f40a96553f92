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

// execute runs EXECUTE IMMEDIATE. As in BigQuery the statement sees the arguments of USING and
// a session's variables, but not those of the script.
func (r *scriptRun) execute(ctx context.Context, step *googlesql.Execute) *scriptError {
	types, err := r.scope.typesOf(r.script, step.Into)
	if err != nil {
		return r.fail(ctx, step.Part, err)
	}
	source, failed := r.evaluate(ctx, &step.SQL, stringType)
	if failed != nil {
		return failed
	}
	if source.Null {
		return r.fail(ctx, step.SQL, apierror.Errorf("invalidQuery", "EXECUTE IMMEDIATE sql string cannot be NULL"))
	}
	q, failed := r.dynamicQuery(ctx, step, source.Text)
	if failed != nil {
		return failed
	}
	script, err := dynamicStatement(q)
	if err != nil {
		return r.failDynamic(ctx, step.SQL, err)
	}
	part := script.Body[0].Where()
	q.part = &part
	kind := statementJob
	if step.Into != nil {
		kind = expressionJob // its rows go to the variables
	}
	frames := append([]wire.StackFrame{frame(script, part)}, r.framesOf(step.Part)...)
	j, res, err := r.runStatement(ctx, statement{query: q, kind: kind, text: script.Text(part), frames: frames})
	if err == nil && step.Into != nil {
		err = r.into(ctx, step.Into, types, j.plan.stmt.Columns, res)
	}
	return r.failDynamic(ctx, step.Part, err)
}

// failDynamic is fail for an error whose own place, if it has one, is in the text of EXECUTE IMMEDIATE: the
// script's comes after it.
func (r *scriptRun) failDynamic(ctx context.Context, at googlesql.Part, err *apierror.Error) *scriptError {
	if err == nil {
		return nil
	}
	line, column := r.script.Position(at.From)
	located := *err
	located.Message += fmt.Sprintf(" at [%d:%d]", line, column)
	return r.fail(ctx, at, &located)
}

// dynamicQuery returns the query of a text, with the arguments of USING.
func (r *scriptRun) dynamicQuery(ctx context.Context, step *googlesql.Execute, text string) (*query, *scriptError) {
	q := *r.query
	q.sql, q.session, q.newSession, q.maxBytes = text, r.sess, false, 0
	q.positional, q.named, q.params, q.values, q.vars = false, false, nil, nil, r.sess.vars
	q.work = r.sess.work
	if r.sess.id == "" {
		q.vars = nil
	}
	for _, u := range step.Using {
		v, failed := r.evaluate(ctx, &u.Value, googlesql.Type{})
		if failed != nil {
			return nil, failed
		}
		q.named = u.Name != ""
		q.positional = !q.named
		q.params, q.values = append(q.params, googlesql.Param{Name: u.Name, Type: v.Type}), append(q.values, v)
	}
	return &q, nil
}

// dynamicStatement parses the text of EXECUTE IMMEDIATE, which must be one statement.
func dynamicStatement(q *query) (*googlesql.Script, *apierror.Error) {
	script, err := googlesql.ParseScript(q.sql, q.positional)
	switch {
	case err != nil:
		return nil, apierror.Errorf("invalidQuery", "Invalid EXECUTE IMMEDIATE sql string `%s`, %s", q.sql,
			(&resolver{}).explain(err).Message)
	case len(script.Body) == 0:
		return nil, apierror.Errorf("invalidQuery", "Empty EXECUTE IMMEDIATE sql string cannot be executed")
	case len(script.Body) > 1:
		return nil, apierror.Errorf("invalidQuery", "EXECUTE IMMEDIATE sql string must contain exactly one statement")
	case isCall(script.Body[0]):
		return nil, apierror.Unsupported("CALL in EXECUTE IMMEDIATE")
	case !script.Single():
		word, _, _ := strings.Cut(strings.TrimSpace(q.sql), " ")
		return nil, apierror.Errorf("invalidQuery", "SQL created by EXECUTE IMMEDIATE contains unsupported statement "+
			"type: %s", word)
	}
	return script, nil
}

func isCall(step googlesql.Step) bool {
	_, ok := step.(*googlesql.Call)
	return ok
}

// into sets variables to the values of a result of one row. Without a row they become
// NULL.
func (r *scriptRun) into(ctx context.Context, names []googlesql.Name, types []googlesql.Type,
	columns []googlesql.Column, res *engine.Result) *apierror.Error {
	switch {
	case res == nil || len(columns) == 0:
		return apierror.Errorf("invalidQuery", "EXECUTE IMMEDIATE with INTO clause must use a query statement")
	case len(columns) != len(names):
		return apierror.Errorf("invalidQuery", "Variables returned by Dynamic SQL do not match number of variables "+
			"in INTO clause, expected %d columns, but got %d", len(names), len(columns))
	case res.Rows > 1:
		return apierror.Errorf("invalidQuery", "DynamicSQL may only return 0 or 1 rows with INTO clause")
	}
	values := make([]engine.Value, len(names))
	for i, t := range types {
		values[i] = null(t)
		if res.Rows == 0 {
			continue
		}
		block, row := res.Find(0)
		v, err := r.convert(ctx, res.Blocks[block].Columns[i].Value(row), t)
		if err != nil {
			return apierror.Errorf("invalidQuery", "Value returned by Dynamic SQL has type %s which is not "+
				"assignable to variable %s of type %s", columns[i].Type, names[i].Text, t)
		}
		values[i] = v
	}
	for i, n := range names {
		r.scope.set(n.Text, values[i])
	}
	return nil
}
