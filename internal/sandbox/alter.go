package sandbox

import (
	"cmp"
	"context"
	"slices"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

// alterSQL is what DuckDB must do for ALTER TABLE, which may be nothing.
func alterSQL(stmt *googlesql.Statement) string { return cmp.Or(stmt.SQL, "SELECT 1") }

// alterTable runs ALTER TABLE, after the statements that change the table. The caller holds the catalog's
// ddl lock.
func (s *Server) alterTable(ctx context.Context, q *query, p *plan) (*outcome, *apiError) {
	// Another ALTER TABLE may have come between the plan and the lock.
	stmt, err := s.translate(p.who, q, false)
	if err != nil {
		return nil, err
	}
	old := s.catalog.table(*stmt.Target)
	if old == nil {
		return dropMissing(stmt, notFound("Table", stmt.Target.String(), q.location))
	}
	name := old.name
	if stmt.NewName != "" {
		name.Table = stmt.NewName
		if err := s.catalog.checkNewTable(name); err != nil {
			return nil, err
		}
	}
	unlock, err := lock(ctx, old.write)
	if err != nil {
		return nil, err
	}
	defer unlock()
	// DuckDB alters a table once in a transaction, so these are several, which must not be stopped halfway.
	if _, err := s.db.Exec(context.WithoutCancel(ctx), alterSQL(stmt)); err != nil {
		return nil, runError(err)
	}
	t := newTable(name, stmt.NewColumns, s.now())
	s.catalog.mu.RLock()
	t.friendly, t.text, t.labels, t.created = old.friendly, old.text, old.labels, old.created
	for i, f := range t.schema {
		k := slices.IndexFunc(old.schema, func(o fieldSchema) bool { return o.Name == f.Name })
		if k >= 0 {
			t.schema[i].Description = old.schema[k].Description
			t.schema[i].Fields = old.schema[k].Fields // of a STRUCT, which ALTER TABLE can't change
		}
	}
	s.catalog.mu.RUnlock()
	if name != old.name {
		s.catalog.dropTable(old.name)
	}
	s.catalog.addTable(t)
	return &outcome{ddlOperation: "ALTER"}, nil
}
