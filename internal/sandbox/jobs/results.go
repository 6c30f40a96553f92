package jobs

import (
	"context"
	"strings"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/wire"
)

// Results answers jobs.getQueryResults, after waiting for the job.
func (s *Runner) Results(ctx context.Context, j *Job, ms *wire.Int64, page Page) (*wire.QueryResponse,
	*apierror.Error) {
	if j.load != nil || j.copied != nil {
		return nil, apierror.Errorf("invalid", "Cannot return results for the %s job %s:%s.",
			strings.ToLower(j.config.JobType), j.ref.ProjectID, j.ref.JobID)
	}
	const kind = "bigquery#getQueryResultsResponse"
	if !j.Wait(ctx, timeout(ms)) {
		return &wire.QueryResponse{Kind: kind, JobReference: &j.ref}, nil
	}
	resp, err := s.response(j, page)
	if err != nil {
		return nil, err
	}
	resp.Kind = kind
	return resp, nil
}

// response returns what both methods say of a job that is done.
func (s *Runner) response(j *Job, page Page) (*wire.QueryResponse, *apierror.Error) {
	from, failed := j.answer()
	if failed != nil {
		return nil, failed
	}
	from.mu.Lock()
	result, thrownAway, stmt := from.result, from.thrownAway, from.plan.stmt
	from.mu.Unlock()
	hit, bytes := false, j.bytesProcessed()
	resp := &wire.QueryResponse{JobReference: &j.ref, JobComplete: true, CacheHit: &hit, TotalBytesProcessed: &bytes}
	if wireType(j.plan.stmt) == "SCRIPT" {
		resp.CacheHit = nil // nor does it have counts, or the schema of a table
	} else {
		resp.NumDMLAffectedRows, _ = dmlCounts(stmt, from.changed)
		resp.Schema = s.changedSchema(stmt)
	}
	switch {
	case thrownAway:
		return nil, apierror.Errorf("notFound", "Not found: the rows of job %s:%s are no longer kept; the sandbox "+
			"holds only the latest results.", j.ref.ProjectID, j.ref.JobID)
	case result == nil || len(stmt.Columns) == 0:
		return resp, nil
	}
	resp.Schema = &wire.Schema{Fields: wire.SchemaOf(stmt.Columns)}
	resp.TotalRows = &result.Rows
	rows, next := EncodePage(result, page, s.cfg.PageBytes)
	resp.Rows = rows
	if next < result.Rows {
		resp.PageToken = PageToken(j.ref.JobID, next)
	}
	return resp, nil
}

// addCost adds the members that only jobs.query has.
func (s *Runner) addCost(resp *wire.QueryResponse, j *Job) {
	bill, slot := j.bytesBilled(), j.slotMillis()
	resp.TotalBytesBilled, resp.TotalSlotMs = &bill, &slot
	resp.StatementType = wireType(j.plan.stmt)
	if resp.NumDMLAffectedRows != nil {
		_, resp.DMLStats = dmlCounts(j.plan.stmt, j.changed)
	}
	resp.CreationTime, resp.StartTime, resp.EndTime = j.created.UnixMilli(), j.started.UnixMilli(), j.ended.UnixMilli()
}

// slotMillis returns the job's running time, rounded up: the sandbox has one
// slot.
func (j *Job) slotMillis() int64 { return j.ended.Sub(j.started).Milliseconds() + 1 }

// dmlCounts returns the counts of a DML statement, nil for others.
func dmlCounts(stmt *googlesql.Statement, changed int64) (*int64, *wire.DMLStats) {
	switch stmt.Type {
	case "INSERT":
		return &changed, &wire.DMLStats{InsertedRowCount: changed}
	case "UPDATE":
		return &changed, &wire.DMLStats{UpdatedRowCount: changed}
	case "DELETE", "TRUNCATE_TABLE":
		return &changed, &wire.DMLStats{DeletedRowCount: changed}
	case "MERGE":
		return &changed, &wire.DMLStats{} // what it did to each row is not counted
	}
	return nil, nil
}

// wireType returns the type of a statement as answers name it: a CALL is a
// script.
func wireType(stmt *googlesql.Statement) string {
	if stmt.Type == "CALL" {
		return "SCRIPT"
	}
	return stmt.Type
}

// changedSchema returns the schema of the table that DML or DDL has changed or created; nil for
// other statements. Of the modes it has only REPEATED.
func (s *Runner) changedSchema(stmt *googlesql.Statement) *wire.Schema {
	columns := stmt.NewColumns
	switch stmt.Type {
	case "CREATE_TABLE", "CREATE_TABLE_AS_SELECT", "CREATE_VIEW":
	case "INSERT", "UPDATE", "DELETE", "MERGE", "TRUNCATE_TABLE":
		columns = nil
		if t := s.catalog.Table(*stmt.Target); t != nil {
			columns = t.Columns
		}
	default:
		return nil
	}
	if len(columns) == 0 {
		return nil
	}
	return &wire.Schema{Fields: withoutModes(wire.SchemaOf(columns))}
}

func withoutModes(fields []wire.Field) []wire.Field {
	for i := range fields {
		if fields[i].Mode != "REPEATED" {
			fields[i].Mode = ""
		}
		withoutModes(fields[i].Fields)
	}
	return fields
}
