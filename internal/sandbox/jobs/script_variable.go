package jobs

import (
	"context"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

// at returns the place of a name as a part of the script.
func at(n googlesql.Name) googlesql.Part { return googlesql.Part{From: n.At, To: n.At + len(n.Text)} }

// declare runs DECLARE. A script's parser has seen to names of its own; those of earlier scripts of a
// session are found here.
func (r *scriptRun) declare(ctx context.Context, step *googlesql.Declare) *scriptError {
	v := variable{}
	if step.Type != nil {
		v.typ, v.value = *step.Type, null(*step.Type)
	}
	if step.Default != nil {
		var failed *scriptError
		if v.value, failed = r.evaluate(ctx, step.Default, v.typ); failed != nil {
			return failed
		}
	}
	if step.Type == nil {
		v.typ = v.value.Type
	}
	for _, n := range step.Names {
		if _, taken := r.scope.find(n.Text); taken {
			return r.fail(ctx, at(n), apierror.Errorf("invalidQuery", "Variable '%s' redeclaration", n.Text))
		}
		v.name = n.Text
		r.scope.declare(v)
	}
	return nil
}

// assign runs SET.
func (r *scriptRun) assign(ctx context.Context, step *googlesql.Assign) *scriptError {
	types, err := r.scope.typesOf(r.script, step.Names)
	if err != nil {
		return r.fail(ctx, step.Part, err)
	}
	if !step.Tuple {
		v, failed := r.evaluate(ctx, &step.Value, types[0])
		if failed == nil {
			r.scope.set(step.Names[0].Text, v)
		}
		return failed
	}
	v, failed := r.evaluate(ctx, &step.Value, tupleType(types))
	if failed != nil {
		return failed
	}
	for i, n := range step.Names {
		value := null(types[i])
		if !v.Null {
			value = v.Elems[i]
		}
		r.scope.set(n.Text, value)
	}
	return nil
}

// typesOf returns the types of variables, which must be there.
func (s *scope) typesOf(script *googlesql.Script, names []googlesql.Name) ([]googlesql.Type, *apierror.Error) {
	var types []googlesql.Type
	for _, n := range names {
		v, ok := s.find(n.Text)
		if !ok {
			line, column := script.Position(n.At)
			return nil, apierror.Errorf("invalidQuery", "Undeclared variable: %s at [%d:%d]", n.Text, line, column)
		}
		types = append(types, v.typ)
	}
	return types, nil
}

// tupleType returns the STRUCT whose fields go to variables.
func tupleType(types []googlesql.Type) googlesql.Type {
	t := googlesql.Type{Kind: googlesql.Struct}
	for _, f := range types {
		t.Fields = append(t.Fields, googlesql.Field{Type: f})
	}
	return t
}

func text(s string) engine.Value { return engine.Value{Type: stringType, Text: s} }

// systemVariables returns those that every statement of a script sees.
func systemVariables(rowCount, lastJob engine.Value, scriptJob string) []variable {
	return []variable{
		{"@@row_count", int64Type, rowCount}, {"@@last_job_id", stringType, lastJob},
		{"@@script.job_id", stringType, text(scriptJob)},
	}
}

// errorVariables returns those of an exception handler.
func errorVariables(e *scriptError) []variable {
	return append([]variable{{"@@error.message", stringType, text(e.Message)},
		{"@@error.statement_text", stringType, text(e.statement)}}, stackVariables(e.stack)...)
}

// convert gives a value the type of a variable.
func (r *scriptRun) convert(ctx context.Context, v engine.Value, want googlesql.Type) (engine.Value, *apierror.Error) {
	const name = "value"
	part := googlesql.Expression(name)
	q := &query{
		sql: name, project: r.query.project, location: r.query.location, session: r.sess, work: r.sess.work,
		part: &part, wanted: want, vars: &scope{vars: []variable{{name, v.Type, v}}},
	}
	return r.compute(ctx, q)
}
