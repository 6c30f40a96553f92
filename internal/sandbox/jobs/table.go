package jobs

import (
	"context"
	"strings"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/wire"
)

// planTable plans a CREATE TABLE, which begins with words and ends with clauses, of a schema.
func (s *Runner) planTable(ctx context.Context, who Caller, name googlesql.TableName, fields []wire.Field,
	constraints []string, words, clauses string) (*query, *plan, *apierror.Error) {
	columns := make([]string, len(fields))
	for i := range fields {
		var err *apierror.Error
		if columns[i], err = fields[i].DDL(); err != nil {
			return nil, nil, err
		}
	}
	q := &query{project: name.Project, sql: words + googlesql.QuoteName(name.Project+"."+name.Dataset+"."+name.Table) +
		" (" + strings.Join(append(columns, constraints...), ", ") + ")" + clauses}
	if d := s.catalog.Dataset(name.Project, name.Dataset); d != nil {
		q.location = d.Location
	}
	p, err := s.prepare(ctx, who, q)
	return q, p, err
}

// MakeTable makes a table of a schema; constraints and clauses are GoogleSQL.
func (s *Runner) MakeTable(ctx context.Context, who Caller, name googlesql.TableName, fields []wire.Field,
	constraints []string, clauses string) *apierror.Error {
	q, p, err := s.planTable(ctx, who, name, fields, constraints, "CREATE TABLE ", clauses)
	if err == nil {
		_, err = s.execute(ctx, q, p)
	}
	return err
}
