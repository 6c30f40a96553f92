package jobs

import (
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/wire"
)

// Describe writes a job as jobs.get does.
func (s *Runner) Describe(j *Job) *wire.Job {
	j.mu.Lock()
	defer j.mu.Unlock()
	ref := j.ref
	out := &wire.Job{
		Kind: "bigquery#job", ID: ref.ProjectID + ":" + ref.Location + "." + ref.JobID, UserEmail: j.user,
		SelfLink: s.cfg.Endpoint + "/bigquery/v2/projects/" + ref.ProjectID + "/jobs/" + ref.JobID + "?location=" +
			ref.Location,
		Configuration: j.config, JobReference: &ref, Status: &wire.JobStatus{State: j.state},
		Statistics: &wire.JobStatistics{CreationTime: j.created.UnixMilli()},
	}
	stats := out.Statistics
	if j.state != pending {
		stats.StartTime = j.started.UnixMilli()
	}
	if sess := j.query.session; sess != nil && sess.id != "" {
		stats.SessionInfo = &wire.SessionInfo{SessionID: sess.id}
	}
	if j.transaction != "" {
		stats.TransactionInfo = &wire.TransactionInfo{TransactionID: j.transaction}
	}
	if j.plan != nil {
		stats.Query = s.planStatistics(j.plan)
		stats.TotalBytesProcessed = j.plan.bytes
	}
	j.describeScript(stats)
	if j.state != done {
		return out
	}
	stats.EndTime = j.ended.UnixMilli()
	if j.err != nil {
		out.Status.ErrorResult = j.err.Proto()
		out.Status.Errors = []apierror.Proto{*j.err.Proto()}
	}
	if j.load != nil {
		j.describeLoad(out)
	}
	if c := j.copied; c != nil && j.err == nil {
		stats.Copy = &wire.CopyStatistics{CopiedRows: c.rows, CopiedLogicalBytes: c.bytes}
	}
	if j.err != nil || j.plan == nil {
		return out
	}
	slot := j.slotMillis()
	stats.TotalSlotMs, stats.Query.TotalSlotMs = slot, slot
	stats.Query.NumDMLAffectedRows, stats.Query.DMLStats = dmlCounts(j.plan.stmt, j.changed)
	stats.Query.DDLOperation = j.ddlOperation
	return out
}
