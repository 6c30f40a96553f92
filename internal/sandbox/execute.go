package sandbox

import (
	"context"
	"slices"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

// outcome is what a statement did.
type outcome struct {
	result       *engine.Result // of a statement with rows
	changed      int64          // of DML
	ddlOperation string         // CREATE, SKIP, REPLACE or DROP
}

// execute runs a planned query.
func (s *Server) execute(ctx context.Context, q *query, p *plan) (*outcome, *apiError) {
	switch {
	case slices.Contains(dmlTypes, p.stmt.Type):
		return s.executeDML(ctx, p)
	case slices.Contains(ddlTypes, p.stmt.Type):
		return s.executeDDL(ctx, q, p)
	}
	res, err := s.runSQL(ctx, p)
	if err != nil {
		return nil, err
	}
	return &outcome{result: res}, nil
}

// runSQL runs the statement's translation on a connection of its own.
func (s *Server) runSQL(ctx context.Context, p *plan) (*engine.Result, *apiError) {
	conn, err := s.db.Conn()
	if err != nil {
		return nil, runError(err)
	}
	defer conn.Release()
	res, err := conn.Query(ctx, p.stmt.SQL, p.values, p.stmt.Columns, s.cfg.ResultBytes)
	return res, runError(err)
}

// lock takes a lock that is a channel with room for one, and returns the unlock.
func lock(ctx context.Context, l chan struct{}) (func(), *apiError) {
	select {
	case l <- struct{}{}:
		return func() { <-l }, nil
	case <-ctx.Done():
		return nil, runError(context.Cause(ctx))
	}
}

// executeDML changes a table. As in BigQuery, statements that change the same
// table take turns; readers see the rows as they were.
func (s *Server) executeDML(ctx context.Context, p *plan) (*outcome, *apiError) {
	t := s.catalog.table(*p.stmt.Target)
	if t == nil {
		return nil, notFound("Table", p.stmt.Target.String(), "")
	}
	unlock, err := lock(ctx, t.write)
	if err != nil {
		return nil, err
	}
	defer unlock()
	res, err := s.runSQL(ctx, p)
	if err != nil {
		return nil, err
	}
	s.catalog.touch(t, s.now())
	return &outcome{changed: res.Changed}, nil
}

// executeDDL changes the catalog. Such statements run one at a time.
func (s *Server) executeDDL(ctx context.Context, q *query, p *plan) (*outcome, *apiError) {
	unlock, err := lock(ctx, s.catalog.ddl)
	if err != nil {
		return nil, err
	}
	defer unlock()
	stmt, target := p.stmt, *p.stmt.Target
	switch stmt.Type {
	case "CREATE_SCHEMA":
		ref := datasetReference{target.Project, target.Dataset}
		if stmt.IfNotExists && s.catalog.dataset(ref.ProjectID, ref.DatasetID) != nil {
			return &outcome{ddlOperation: "SKIP"}, nil
		}
		if err := s.createDataset(ctx, &dataset{ref: ref, location: q.location}); err != nil {
			return nil, err
		}
		return &outcome{ddlOperation: "CREATE"}, nil
	case "DROP_SCHEMA":
		ref := datasetReference{target.Project, target.Dataset}
		if s.catalog.dataset(ref.ProjectID, ref.DatasetID) == nil {
			return dropMissing(stmt, notFound("Dataset", ref.ProjectID+":"+ref.DatasetID, q.location))
		}
		return &outcome{ddlOperation: "DROP"}, s.dropDataset(ctx, ref, cascades(stmt))
	case "DROP_TABLE":
		t := s.catalog.table(target)
		if t == nil {
			return dropMissing(stmt, notFound("Table", target.String(), q.location))
		}
		return &outcome{ddlOperation: "DROP"}, s.dropTable(ctx, t)
	default:
		return s.createTable(ctx, p)
	}
}

func dropMissing(stmt *googlesql.Statement, err *apiError) (*outcome, *apiError) {
	if stmt.IfExists {
		return &outcome{ddlOperation: "SKIP"}, nil
	}
	return nil, err
}

// createTable runs CREATE TABLE with and without a query. The caller holds the
// catalog's ddl lock.
func (s *Server) createTable(ctx context.Context, p *plan) (*outcome, *apiError) {
	target, operation := *p.stmt.Target, "CREATE"
	if old := s.catalog.table(target); old != nil {
		switch {
		case p.stmt.IfNotExists:
			return &outcome{ddlOperation: "SKIP"}, nil
		case !p.stmt.OrReplace:
			return nil, errorf("duplicate", "Already Exists: Table %s", target)
		}
		operation = "REPLACE"
		unlock, err := lock(ctx, old.write)
		if err != nil {
			return nil, err
		}
		defer unlock()
	} else if err := s.catalog.checkNewTable(target); err != nil {
		return nil, err
	}
	run := *p
	stmt := *p.stmt
	stmt.Columns = nil // DuckDB answers with a count
	run.stmt = &stmt
	if _, err := s.runSQL(ctx, &run); err != nil {
		return nil, err
	}
	s.catalog.addTable(newTable(target, p.stmt.NewColumns, s.now()))
	return &outcome{ddlOperation: operation}, nil
}
