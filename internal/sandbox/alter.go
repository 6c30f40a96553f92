package sandbox

import (
	"cmp"
	"context"
	"slices"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

// alterSQL is what DuckDB must do for ALTER TABLE, which may be nothing.
func alterSQL(stmt *googlesql.Statement) string { return cmp.Or(stmt.SQL, "SELECT 1") }

// alterTable runs ALTER TABLE, after the statements that change the table. The caller holds the catalog's
// ddl lock.
func (s *Server) alterTable(ctx context.Context, q *query, p *plan) (*outcome, *apierror.Error) {
	// Another ALTER TABLE may have come between the plan and the lock.
	stmt, err := s.translate(p.who, q, false)
	if err != nil {
		return nil, err
	}
	old := s.catalog.table(*stmt.Target)
	if old == nil {
		return dropMissing(stmt, apierror.NotFound("Table", stmt.Target.String(), q.location))
	}
	values, err := s.optionsOf(ctx, q, stmt)
	if err != nil {
		return nil, err
	}
	name := old.name
	if stmt.NewName != "" {
		name.Table = stmt.NewName
		if err := s.catalog.checkNewTable(name); err != nil {
			return nil, err
		}
	}
	t := s.altered(old, name, stmt)
	if err := t.set(values); err != nil {
		return nil, err
	}
	unlock, err := lock(ctx, old.write)
	if err != nil {
		return nil, err
	}
	defer unlock()
	// DuckDB alters a table once in a transaction, so these are several, which must not be stopped halfway.
	if _, err := s.db.Exec(context.WithoutCancel(ctx), alterSQL(stmt)); err != nil {
		return nil, apierror.From(err)
	}
	if name != old.name {
		s.catalog.dropTable(old.name)
	}
	s.catalog.addTable(t)
	return &outcome{ddlOperation: "ALTER"}, nil
}

// altered is a table after a statement that alters it.
func (s *Server) altered(old *table, name googlesql.TableName, stmt *googlesql.Statement) *table {
	t := newTable(name, stmt.NewColumns, s.now())
	s.catalog.mu.RLock()
	defer s.catalog.mu.RUnlock()
	t.inherit(old)
	t.keys = stmt.NewKeys
	for i := range t.schema {
		f, was := &t.schema[i], t.schema[i].Name
		if n, ok := stmt.Renamed[was]; ok {
			was = n
		}
		if k := slices.IndexFunc(old.columns, func(c googlesql.Column) bool { return c.Name == was }); k >= 0 {
			f.Description = old.schema[k].Description
			if old.columns[k].Type.String() == stmt.NewColumns[i].Type.String() {
				f.Fields = old.schema[k].Fields
			}
		}
		if text, ok := stmt.Descriptions[f.Name]; ok {
			f.Description = text
		}
	}
	return t
}

// inherit takes over what a table keeps when it is altered, beside its columns and keys.
func (t *table) inherit(old *table) {
	t.friendly, t.text, t.labels, t.created = old.friendly, old.text, old.labels, old.created
	t.view, t.materialized = old.view, old.materialized
	t.partitioning, t.expires, t.base = old.partitioning, old.expires, old.base
}
