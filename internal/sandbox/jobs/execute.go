package jobs

import (
	"context"
	"slices"
	"strings"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/catalog"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/wire"
)

// outcome is the outcome of a statement.
type outcome struct {
	result       *engine.Result // of a statement with rows
	changed      int64          // of DML
	ddlOperation string         // CREATE, SKIP, REPLACE or DROP
}

// execute runs a planned query. As in BigQuery an error leaves the transaction of its session open.
func (s *Runner) execute(ctx context.Context, q *query, p *plan) (*outcome, *apierror.Error) {
	if q.session.broken() && (len(p.stmt.Tables) > 0 || p.stmt.Target != nil || q.destination != nil) {
		return nil, brokenTransaction()
	}
	out, err := s.executeStatement(ctx, q, p)
	if err != nil && q.session != nil && q.session.tx != nil && breaks(q, p.stmt) {
		q.session.tx.broken = true
	}
	return out, err
}

// breaks reports whether a failing statement fails in DuckDB, which then drops the transaction.
func breaks(q *query, stmt *googlesql.Statement) bool {
	return q.work.owns(stmt.Target) || !slices.Contains(controlTypes, stmt.Type) &&
		!slices.Contains(ddlTypes, stmt.Type)
}

func (s *Runner) executeStatement(ctx context.Context, q *query, p *plan) (*outcome, *apierror.Error) {
	switch {
	case q.destination != nil:
		return s.executeInto(ctx, q, p)
	case p.stmt.SystemVariable != "":
		return s.executeSet(ctx, q, p)
	case q.work.owns(p.stmt.Target):
		return s.executeTemp(ctx, q, p)
	case slices.Contains(controlTypes, p.stmt.Type):
		return s.executeControl(q, p)
	case slices.Contains(dmlTypes, p.stmt.Type):
		return s.executeDML(ctx, q, p)
	case isTempRoutine(p.stmt):
		return s.executeTempRoutine(q, p.stmt)
	case slices.Contains(ddlTypes, p.stmt.Type):
		return s.executeDDL(ctx, q, p)
	}
	if p.stmt.Type == "ASSERT" {
		return s.executeAssert(ctx, q, p)
	}
	res, err := s.runSQL(ctx, q, p)
	if err != nil {
		return nil, err
	}
	return &outcome{result: res}, nil
}

// executeAssert runs ASSERT, whose query fails if the condition is not true. It has no result.
func (s *Runner) executeAssert(ctx context.Context, q *query, p *plan) (*outcome, *apierror.Error) {
	run, stmt := *p, *p.stmt
	stmt.Columns = []googlesql.Column{{Name: "holds", Type: boolType}}
	run.stmt = &stmt
	if _, err := s.runSQL(ctx, q, &run); err != nil {
		return nil, err
	}
	return &outcome{}, nil
}

// runSQL runs the statement's translation on its session's connection, or on one of its own.
func (s *Runner) runSQL(ctx context.Context, q *query, p *plan) (*engine.Result, *apierror.Error) {
	if q.work != nil && !q.session.broken() {
		res, err := q.work.conn.Query(ctx, p.stmt.SQL, p.values, p.stmt.Columns, s.cfg.ResultBytes)
		return res, apierror.From(err)
	}
	conn, err := s.db.Conn()
	if err != nil {
		return nil, apierror.From(err)
	}
	defer conn.Release()
	res, err := conn.Query(ctx, p.stmt.SQL, p.values, p.stmt.Columns, s.cfg.ResultBytes)
	return res, apierror.From(err)
}

// executeDML changes a table. As in BigQuery, statements that change or delete rows of
// the same table run one after the other, new rows can always be added, and readers
// see the rows as they were. A statement in a transaction does not wait, but fails
// with a conflict.
func (s *Runner) executeDML(ctx context.Context, q *query, p *plan) (*outcome, *apierror.Error) {
	t := s.catalog.Table(*p.stmt.Target)
	if t == nil {
		return nil, apierror.NotFound("Table", p.stmt.Target.String(), "")
	}
	mutates := p.stmt.Type != "INSERT"
	var tx *transaction
	if q.session != nil {
		tx = q.session.tx
	}
	switch {
	case tx != nil && mutates:
		if err := s.claim(tx, t); err != nil {
			return nil, err
		}
	case tx != nil:
		tx.appended[t] = true
	case mutates:
		unlock, err := t.Lock(ctx)
		if err != nil {
			return nil, err
		}
		defer unlock()
	}
	res, err := s.runSQL(ctx, q, p)
	switch {
	case err != nil && tx != nil && strings.HasPrefix(err.Message, apierror.AbortedByUpdate):
		return nil, tx.conflict(t)
	case err != nil:
		return nil, err
	case tx == nil:
		s.catalog.Touch(t, s.now(), mutates)
	}
	return &outcome{changed: res.Changed}, nil
}

// executeDDL changes the catalog. Such statements run one at a time.
func (s *Runner) executeDDL(ctx context.Context, q *query, p *plan) (*outcome, *apierror.Error) {
	if q.session != nil && q.session.tx != nil {
		return nil, apierror.Errorf("invalidQuery", "Query error: DDL statements are not supported in a transaction, "+
			"except for those creating or droping temporary tables or temporary functions. at [1:1]")
	}
	unlock, err := s.catalog.LockAndSweep(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	stmt, target := p.stmt, *p.stmt.Target
	switch {
	case slices.Contains(routineTypes, stmt.Type):
		return s.executeRoutine(ctx, q, stmt)
	case strings.HasSuffix(stmt.Type, "_PROCEDURE"):
		return s.executeProcedure(ctx, q, p)
	case slices.Contains(viewTypes, stmt.Type):
		return s.executeView(ctx, q, stmt)
	}
	switch stmt.Type {
	case "CREATE_SCHEMA":
		ref := wire.DatasetReference{ProjectID: target.Project, DatasetID: target.Dataset}
		if stmt.IfNotExists && s.catalog.Dataset(ref.ProjectID, ref.DatasetID) != nil {
			return &outcome{ddlOperation: "SKIP"}, nil
		}
		d := &catalog.Dataset{Ref: ref, Location: q.location}
		values, err := s.optionsOf(ctx, q, stmt)
		if err == nil {
			err = d.Set(values)
		}
		if err == nil {
			err = s.catalog.CreateDataset(ctx, d)
		}
		if err != nil {
			return nil, err
		}
		return &outcome{ddlOperation: "CREATE"}, nil
	case "DROP_SCHEMA":
		ref := wire.DatasetReference{ProjectID: target.Project, DatasetID: target.Dataset}
		if s.catalog.Dataset(ref.ProjectID, ref.DatasetID) == nil {
			return dropMissing(stmt, apierror.NotFound("Dataset", ref.ProjectID+":"+ref.DatasetID, q.location))
		}
		return &outcome{ddlOperation: "DROP"}, s.catalog.DropDataset(ctx, ref, cascades(stmt))
	case "DROP_TABLE", "DROP_SNAPSHOT_TABLE":
		t := s.catalog.Table(target)
		if t == nil {
			return dropMissing(stmt, apierror.NotFound("Table", target.String(), q.location))
		}
		want := "TABLE"
		if stmt.Type == "DROP_SNAPSHOT_TABLE" {
			want = catalog.Snapshot
		}
		if kind := t.ViewKind(); kind != want {
			return nil, apierror.Errorf("invalidQuery", "%s is a %s, not a %s", target, kind, want)
		}
		return &outcome{ddlOperation: "DROP"}, s.catalog.DropTable(ctx, t)
	case "ALTER_SCHEMA":
		return s.alterSchema(ctx, q, stmt)
	case "ALTER_TABLE":
		return s.alterTable(ctx, q, p)
	default:
		return s.createTable(ctx, q, p)
	}
}

func dropMissing(stmt *googlesql.Statement, err *apierror.Error) (*outcome, *apierror.Error) {
	if stmt.IfExists {
		return &outcome{ddlOperation: "SKIP"}, nil
	}
	return nil, err
}

// createTable runs CREATE TABLE with and without a query. The caller holds the
// catalog's ddl lock.
func (s *Runner) createTable(ctx context.Context, q *query, p *plan) (*outcome, *apierror.Error) {
	target, operation := *p.stmt.Target, "CREATE"
	if old := s.catalog.Table(target); old != nil {
		switch {
		case p.stmt.IfNotExists:
			return &outcome{ddlOperation: "SKIP"}, nil
		case !p.stmt.OrReplace:
			return nil, apierror.Errorf("duplicate", "Already Exists: Table %s", target)
		}
		operation = "REPLACE"
		unlock, err := old.Lock(ctx)
		if err != nil {
			return nil, err
		}
		defer unlock()
	} else if err := s.catalog.CheckNewTable(target); err != nil {
		return nil, err
	}
	t := catalog.NewTable(target, p.stmt.NewColumns, s.now())
	if err := s.describeNew(ctx, q, t, p.stmt); err != nil {
		return nil, err
	}
	if err := s.runCreate(ctx, q, p); err != nil {
		return nil, err
	}
	s.catalog.AddTable(t)
	return &outcome{ddlOperation: operation}, nil
}

// runCreate creates a table in DuckDB.
func (s *Runner) runCreate(ctx context.Context, q *query, p *plan) *apierror.Error {
	run := *p
	stmt := *p.stmt
	stmt.Columns = nil // DuckDB answers with a count
	run.stmt = &stmt
	if _, err := s.runSQL(ctx, q, &run); err != nil || stmt.After == "" {
		return err
	}
	after := s.db.Exec
	if q.work.owns(stmt.Target) {
		after = q.work.conn.Exec
	}
	_, err := after(context.WithoutCancel(ctx), stmt.After) // which can't fail, and must not stop halfway
	return apierror.From(err)
}

// cascades reports whether a DROP SCHEMA also drops the tables.
func cascades(stmt *googlesql.Statement) bool {
	return strings.HasSuffix(strings.ToUpper(strings.TrimRight(stmt.SQL, " ;\n")), "CASCADE")
}
