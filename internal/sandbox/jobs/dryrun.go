package jobs

import (
	"context"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/wire"
)

// dryRun plans a query and runs nothing. Undeclared parameters are allowed when
// the mode is set; positional ones only if none is declared.
func (s *Runner) dryRun(ctx context.Context, who Caller, q *query) (*plan, *apierror.Error) {
	if q.sessionID != "" {
		sess, err := s.findSession(who, q)
		if err != nil {
			return nil, err
		}
		q.location, q.vars, q.work = sess.location, sess.vars, sess.work
	}
	if q.newSession {
		q.work = newWorkspace(nil, q.project)
	}
	if p, err := s.dryRunScript(ctx, who, q); p != nil || err != nil {
		return p, err
	}
	undeclared := q.named || (q.positional && len(q.params) == 0)
	p, err := s.analyze(ctx, who, q, undeclared)
	if q.location == "" {
		q.location = s.cfg.Location
	}
	if err != nil {
		return nil, err
	}
	if q.positional && len(q.params) > 0 && len(q.params) != positional(p.stmt) {
		return nil, apierror.Errorf("invalidQuery", "Positional query parameters cannot be provided when undeclared "+
			"parameters are allowed at [1:1]")
	}
	if need := billed(p.bytes); q.maxBytes > 0 && need > q.maxBytes {
		return nil, apierror.Errorf("bytesBilledLimitExceeded", "Query exceeded limit for bytes billed: %d. %d or "+
			"higher required.", q.maxBytes, need)
	}
	return p, nil
}

// dryRunQuery answers jobs.query with dryRun.
func (s *Runner) dryRunQuery(ctx context.Context, who Caller, q *query) (*wire.QueryResponse, *apierror.Error) {
	p, err := s.dryRun(ctx, who, q)
	if err != nil {
		return nil, err
	}
	hit, bill := false, int64(0)
	resp := &wire.QueryResponse{
		Kind: "bigquery#queryResponse", JobReference: &wire.JobReference{ProjectID: q.project, Location: q.location},
		Location:    q.location,
		JobComplete: true, CacheHit: &hit, TotalBytesProcessed: &p.bytes, TotalBytesBilled: &bill,
		StatementType: p.stmt.Type,
	}
	if len(p.stmt.Columns) > 0 {
		resp.Schema = &wire.Schema{Fields: wire.SchemaOf(p.stmt.Columns)}
	}
	return resp, nil
}

// dryRunInsert answers jobs.insert with dryRun: a job that does not exist.
func (s *Runner) dryRunInsert(ctx context.Context, who Caller, q *query, config wire.JobConfiguration) (*wire.Job,
	*apierror.Error) {
	p, err := s.dryRun(ctx, who, q)
	if err != nil {
		return nil, err
	}
	stats := s.planStatistics(p)
	stats.TotalBytesBilled = 0
	stats.TotalBytesAccuracy = "PRECISE"
	if p.script != nil {
		stats.TotalBytesAccuracy = "UNKNOWN" // which statements run, and how often, only the run tells
	}
	if len(p.stmt.Columns) > 0 {
		stats.Schema = &wire.Schema{Fields: wire.SchemaOf(p.stmt.Columns)}
	}
	for _, param := range p.stmt.Undeclared {
		stats.Undeclared = append(stats.Undeclared, wire.QueryParameter{Name: param.Name, Type: encodeType(param.Type)})
	}
	return &wire.Job{
		Kind: "bigquery#job", UserEmail: who.Email, Configuration: config,
		JobReference: &wire.JobReference{ProjectID: q.project, Location: q.location},
		Statistics: &wire.JobStatistics{CreationTime: s.now().UnixMilli(), TotalBytesProcessed: p.bytes,
			Query: stats},
		Status: &wire.JobStatus{State: done},
	}, nil
}

// planStatistics returns the statistics that a plan has before it runs.
func (s *Runner) planStatistics(p *plan) *wire.QueryStatistics {
	stats := &wire.QueryStatistics{StatementType: p.stmt.Type, TotalBytesProcessed: p.bytes,
		TotalBytesBilled: billed(p.bytes)}
	for _, t := range p.stmt.Tables {
		stats.ReferencedTables = append(stats.ReferencedTables, wire.ReferenceTo(t))
	}
	if target := p.stmt.Target; target != nil {
		switch p.stmt.Type {
		case "CREATE_SCHEMA", "DROP_SCHEMA", "ALTER_SCHEMA":
			stats.DDLTargetDataset = &wire.DatasetReference{ProjectID: target.Project, DatasetID: target.Dataset}
		case "CREATE_TABLE", "CREATE_TABLE_AS_SELECT", "DROP_TABLE", "ALTER_TABLE", "CREATE_VIEW", "DROP_VIEW",
			"CREATE_MATERIALIZED_VIEW", "DROP_MATERIALIZED_VIEW", "ALTER_VIEW", "ALTER_MATERIALIZED_VIEW",
			"CREATE_SNAPSHOT_TABLE", "DROP_SNAPSHOT_TABLE":
			stats.DDLTargetTable = new(wire.ReferenceTo(*target))
		}
	}
	return stats
}
