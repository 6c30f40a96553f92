package jobs

import (
	"context"
	"slices"
	"strings"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

// plan is a query that can run.
type plan struct {
	stmt   *googlesql.Statement
	values []engine.Value // in the order of the statement's parameters
	bytes  int64          // processed
	who    Caller
	script *googlesql.Script // nil for a single statement
}

// Kinds of statements by what they do.
var (
	dmlTypes = []string{"INSERT", "UPDATE", "DELETE", "MERGE", "TRUNCATE_TABLE"}
	ddlTypes = []string{"CREATE_TABLE", "CREATE_TABLE_AS_SELECT", "CREATE_SCHEMA", "DROP_TABLE", "DROP_SCHEMA",
		"ALTER_TABLE", "CREATE_VIEW", "CREATE_MATERIALIZED_VIEW", "DROP_VIEW", "DROP_MATERIALIZED_VIEW",
		"CREATE_FUNCTION",
		"CREATE_TABLE_FUNCTION", "DROP_FUNCTION", "DROP_TABLE_FUNCTION", "ALTER_SCHEMA", "ALTER_VIEW",
		"ALTER_MATERIALIZED_VIEW", "CREATE_SNAPSHOT_TABLE", "DROP_SNAPSHOT_TABLE", "CREATE_PROCEDURE", "DROP_PROCEDURE"}
)

// prepare plans a query that is going to run.
func (s *Runner) prepare(ctx context.Context, who Caller, q *query) (*plan, *apierror.Error) {
	p, err := s.planScript(ctx, who, q)
	if p == nil && err == nil {
		p, err = s.analyze(ctx, who, q, false)
	}
	if q.location == "" {
		q.location = s.cfg.Location
	}
	if err != nil {
		return nil, err
	}
	if p.script != nil {
		return p, checkCount(p.script, q)
	}
	if p.values, err = q.order(p.stmt); err != nil {
		return nil, err
	}
	if need := billed(p.bytes); q.maxBytes > 0 && need > q.maxBytes {
		return nil, apierror.Errorf("bytesBilledLimitExceeded", "Query exceeded limit for bytes billed: %d. %d or "+
			"higher required.", q.maxBytes, need)
	}
	return p, nil
}

// analyze translates a query and checks the user's rights.
func (s *Runner) analyze(ctx context.Context, who Caller, q *query, undeclared bool) (*plan, *apierror.Error) {
	stmt, err := s.translate(who, q, undeclared)
	if err != nil {
		return nil, err
	}
	if err := s.checkDestination(who, q, stmt); err != nil {
		return nil, err
	}
	isDML, isDDL := slices.Contains(dmlTypes, stmt.Type), slices.Contains(ddlTypes, stmt.Type)
	if isControl := slices.Contains(controlTypes, stmt.Type); isControl {
		if stmt.Type != "CALL" && q.session == nil && q.sessionID == "" && !q.newSession {
			return nil, outsideSession()
		}
		return &plan{stmt: stmt, who: who}, nil
	}
	if !isDML && !isDDL && len(stmt.Columns) == 0 && stmt.SystemVariable == "" && stmt.Type != "ASSERT" {
		return nil, apierror.Errorf("invalidQuery", "The sandbox does not support statements of type %s at [1:1]",
			stmt.Type)
	}
	if (isDML || isDDL) && !isTempRoutine(stmt) {
		if err := s.checkTarget(who, stmt); err != nil {
			return nil, err
		}
		if err := s.placeSchema(ctx, q, stmt); err != nil {
			return nil, err
		}
		if err := s.place(q, stmt); err != nil {
			return nil, err
		}
	}
	p := &plan{stmt: stmt, who: who}
	bytes, sizeErr := s.bytesProcessed(ctx, who, q, undeclared, stmt)
	if sizeErr != nil {
		return nil, apierror.From(sizeErr)
	}
	p.bytes = bytes
	return p, nil
}

// checkTarget refuses a user who may not change what a statement changes.
func (s *Runner) checkTarget(who Caller, stmt *googlesql.Statement) *apierror.Error {
	target := stmt.Target
	if target == nil {
		return apierror.Broken("it does not know what the %s statement changes", stmt.Type)
	}
	if !who.ReadOnly && s.MayBill(who, target.Project) {
		return nil
	}
	permission := map[string]string{
		"CREATE_SCHEMA": "bigquery.datasets.create", "DROP_SCHEMA": "bigquery.datasets.delete",
		"CREATE_VIEW": "bigquery.tables.create", "CREATE_MATERIALIZED_VIEW": "bigquery.tables.create",
		"DROP_VIEW": "bigquery.tables.delete", "DROP_MATERIALIZED_VIEW": "bigquery.tables.delete",
		"CREATE_FUNCTION": "bigquery.routines.create", "CREATE_TABLE_FUNCTION": "bigquery.routines.create",
		"DROP_FUNCTION": "bigquery.routines.delete", "DROP_TABLE_FUNCTION": "bigquery.routines.delete",
		"CREATE_TABLE": "bigquery.tables.create", "CREATE_TABLE_AS_SELECT": "bigquery.tables.create",
		"CREATE_PROCEDURE": "bigquery.routines.create", "DROP_PROCEDURE": "bigquery.routines.delete",
		"CREATE_SNAPSHOT_TABLE": "bigquery.tables.create", "DROP_SNAPSHOT_TABLE": "bigquery.tables.delete",
		"DROP_TABLE":  "bigquery.tables.delete",
		"ALTER_TABLE": "bigquery.tables.update", "ALTER_VIEW": "bigquery.tables.update",
		"ALTER_MATERIALIZED_VIEW": "bigquery.tables.update", "ALTER_SCHEMA": "bigquery.datasets.update",
	}[stmt.Type]
	if permission == "" {
		permission = "bigquery.tables.updateData"
	}
	if target.Table == "" {
		return apierror.Errorf("accessDenied", "Access Denied: Dataset %s:%s: User does not have %s permission for "+
			"dataset %[1]s:%[2]s.", target.Project, target.Dataset, permission)
	}
	return apierror.Errorf("accessDenied", "Access Denied: Table %s: Permission %s denied on table %[1]s (or it may "+
		"not exist).", target, permission)
}

// place checks the location of a query against that of the dataset in which it
// creates a table.
func (s *Runner) place(q *query, stmt *googlesql.Statement) *apierror.Error {
	d := s.catalog.Dataset(stmt.Target.Project, stmt.Target.Dataset)
	if d == nil || stmt.Type == "CREATE_SCHEMA" {
		return nil
	}
	if q.location == "" {
		q.location = d.Location
	}
	if !strings.EqualFold(q.location, d.Location) {
		return apierror.NotFound("Dataset", d.Ref.ProjectID+":"+d.Ref.DatasetID, q.location)
	}
	return nil
}

// placeSchema sets the location of CREATE SCHEMA from its option.
func (s *Runner) placeSchema(ctx context.Context, q *query, stmt *googlesql.Statement) *apierror.Error {
	at := slices.IndexFunc(stmt.Options, func(o googlesql.Option) bool { return o.Name == "location" })
	if stmt.Type != "CREATE_SCHEMA" || at < 0 {
		return nil
	}
	values, err := s.optionsOf(ctx, q, stmt)
	if err != nil {
		return err
	}
	location := values["location"]
	switch {
	case location == nil:
	case q.location == "":
		q.location = *location
	case !strings.EqualFold(q.location, *location):
		return apierror.Errorf("invalid", "The location option %s does not agree with the location of the job, %s",
			*location, q.location)
	}
	return nil
}
