package jobs

import (
	"context"
	"slices"
	"strings"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/catalog"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

// routineTypes are the statements about functions, viewTypes those about views. Neither runs in
// DuckDB, because the translator replaces the name of a function or a view by its body.
var (
	routineTypes = []string{"CREATE_FUNCTION", "CREATE_TABLE_FUNCTION", "DROP_FUNCTION", "DROP_TABLE_FUNCTION"}
	viewTypes    = []string{"CREATE_VIEW", "CREATE_MATERIALIZED_VIEW", "DROP_VIEW", "DROP_MATERIALIZED_VIEW",
		"ALTER_VIEW", "ALTER_MATERIALIZED_VIEW"}
)

// function finds a user's function for a statement; nil if there is none.
func (r *resolver) function(name googlesql.TableName) *googlesql.Function {
	if name.Dataset == "" {
		return r.query.work.function(name.Table)
	}
	if !r.server.MayRead(r.who, name.Project) {
		return nil
	}
	return r.server.catalog.Function(name)
}

// function returns a temporary function, nil if there is none.
func (w *workspace) function(name string) *googlesql.Function {
	if w == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.functions[strings.ToLower(name)]
}

// isTempRoutine reports a statement about a temporary function.
func isTempRoutine(stmt *googlesql.Statement) bool {
	return slices.Contains(routineTypes, stmt.Type) && stmt.Target.Dataset == ""
}

// executeTempRoutine creates or drops a temporary function of a session or a script. Outside of
// both it ends with its statement.
func (s *Runner) executeTempRoutine(q *query, stmt *googlesql.Statement) (*outcome, *apierror.Error) {
	name := strings.ToLower(stmt.Target.Table)
	old := q.work.function(name)
	if q.work != nil {
		q.work.mu.Lock()
		defer q.work.mu.Unlock()
	}
	switch {
	case strings.HasPrefix(stmt.Type, "DROP") && old == nil:
		return dropMissing(stmt, apierror.NotFound("Function", stmt.Target.Table, q.location))
	case strings.HasPrefix(stmt.Type, "DROP"):
		delete(q.work.functions, name)
		return &outcome{ddlOperation: "DROP"}, nil
	case old != nil && stmt.IfNotExists:
		return &outcome{ddlOperation: "SKIP"}, nil
	case old != nil && !stmt.OrReplace:
		return nil, apierror.Errorf("duplicate", "Already Exists: Routine %s", stmt.Target.Table)
	case q.work != nil:
		q.work.functions[name] = stmt.NewFunction
	}
	return &outcome{ddlOperation: created(old != nil)}, nil
}

func created(replaced bool) string {
	if replaced {
		return "REPLACE"
	}
	return "CREATE"
}

// executeRoutine creates or drops a function of a dataset. The caller holds the catalog's ddl
// lock.
func (s *Runner) executeRoutine(ctx context.Context, q *query, stmt *googlesql.Statement) (*outcome, *apierror.Error) {
	name := *stmt.Target
	d := s.catalog.Dataset(name.Project, name.Dataset)
	if d == nil {
		return nil, apierror.NotFound("Dataset", name.Project+":"+name.Dataset, q.location)
	}
	values, err := s.optionsOf(ctx, q, stmt)
	if err != nil {
		return nil, err
	}
	s.catalog.Mu.Lock()
	defer s.catalog.Mu.Unlock()
	old := d.Functions[name.Table]
	switch {
	case strings.HasPrefix(stmt.Type, "DROP") && (old == nil || old.Table != (stmt.Type == "DROP_TABLE_FUNCTION")):
		return dropMissing(stmt, apierror.NotFound("Routine", name.String(), q.location))
	case strings.HasPrefix(stmt.Type, "DROP"):
		delete(d.Functions, name.Table)
		return &outcome{ddlOperation: "DROP"}, nil
	case old != nil && stmt.IfNotExists:
		return &outcome{ddlOperation: "SKIP"}, nil
	case old != nil && !stmt.OrReplace, d.Procedures[name.Table] != nil:
		return nil, apierror.Errorf("duplicate", "Already Exists: Routine %s", name)
	}
	stmt.NewFunction.Created = s.now()
	if v := values["description"]; v != nil {
		stmt.NewFunction.Description = *v
	}
	d.Functions[name.Table] = stmt.NewFunction
	return &outcome{ddlOperation: created(old != nil)}, nil
}

// executeView creates or drops a view. The caller holds the catalog's ddl lock.
func (s *Runner) executeView(ctx context.Context, q *query, stmt *googlesql.Statement) (*outcome, *apierror.Error) {
	name := *stmt.Target
	old := s.catalog.Table(name)
	action, kind, _ := strings.Cut(stmt.Type, "_")
	if old != nil && old.ViewKind() != kind {
		return nil, apierror.Errorf("invalidQuery", "%s is a %s, not a %s", name, old.ViewKind(), kind)
	}
	values, err := s.optionsOf(ctx, q, stmt)
	if err != nil {
		return nil, err
	}
	switch {
	case action != "CREATE" && old == nil:
		return dropMissing(stmt, apierror.NotFound("Table", name.String(), q.location))
	case action == "DROP":
		return &outcome{ddlOperation: "DROP"}, s.catalog.DropTable(ctx, old)
	case action == "ALTER":
		t := s.catalog.Altered(old, name, stmt)
		if err := t.Set(values); err != nil {
			return nil, err
		}
		s.catalog.AddTable(t)
		return &outcome{ddlOperation: "ALTER"}, nil
	case old != nil && stmt.IfNotExists:
		return &outcome{ddlOperation: "SKIP"}, nil
	case old != nil && !stmt.OrReplace:
		return nil, apierror.Errorf("duplicate", "Already Exists: Table %s", name)
	case old == nil:
		if err := s.catalog.CheckNewTable(name); err != nil {
			return nil, err
		}
	}
	t := catalog.NewTable(name, stmt.NewColumns, s.now())
	t.View, t.Materialized = stmt.NewView, kind == "MATERIALIZED_VIEW"
	if err := t.Set(values); err != nil {
		return nil, err
	}
	s.catalog.AddTable(t)
	return &outcome{ddlOperation: created(old != nil)}, nil
}
