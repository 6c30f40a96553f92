package jobs

import (
	"cmp"
	"context"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

// alterSQL returns DuckDB's statements for ALTER TABLE, if it needs any.
func alterSQL(stmt *googlesql.Statement) string { return cmp.Or(stmt.SQL, "SELECT 1") }

// alterTable runs ALTER TABLE when the statements that change the table have ended. The caller
// holds the catalog's ddl lock.
func (s *Runner) alterTable(ctx context.Context, q *query, p *plan) (*outcome, *apierror.Error) {
	// Another ALTER TABLE may have run between the plan and the lock.
	stmt, err := s.translate(p.who, q, false)
	if err != nil {
		return nil, err
	}
	old := s.catalog.Table(*stmt.Target)
	if old == nil {
		return dropMissing(stmt, apierror.NotFound("Table", stmt.Target.String(), q.location))
	}
	values, err := s.optionsOf(ctx, q, stmt)
	if err != nil {
		return nil, err
	}
	name := old.Name
	if stmt.NewName != "" {
		name.Table = stmt.NewName
		if err := s.catalog.CheckNewTable(name); err != nil {
			return nil, err
		}
	}
	t := s.catalog.Altered(old, name, stmt)
	if err := t.Set(values); err != nil {
		return nil, err
	}
	unlock, err := old.Lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	// DuckDB alters a table once in a transaction, so these are several, which must not be stopped halfway.
	if _, err := s.db.Exec(context.WithoutCancel(ctx), alterSQL(stmt)); err != nil {
		return nil, apierror.From(err)
	}
	if name != old.Name {
		s.catalog.ForgetTable(old.Name)
	}
	s.catalog.AddTable(t)
	return &outcome{ddlOperation: "ALTER"}, nil
}
