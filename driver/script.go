package driver

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"slices"

	bq "google.golang.org/api/bigquery/v2"
)

var _ driver.RowsNextResultSet = (*rows)(nil)

// children returns the jobs of a script's statements in the order in which they ran.
func (r *runner) children(ctx context.Context, script *bq.JobReference) ([]*bq.JobListJobs, error) {
	var jobs []*bq.JobListJobs
	for token := ""; ; {
		list, err := ask(ctx, r.backend, func(cl *client) (*bq.JobList, error) {
			return cl.children(ctx, script, token)
		})
		if err != nil {
			return nil, r.failed(ctx, err, script)
		}
		jobs = append(jobs, list.Jobs...)
		if token = list.NextPageToken; token == "" {
			break
		}
	}
	slices.Reverse(jobs) // BigQuery lists the newest job first
	return slices.DeleteFunc(jobs, func(j *bq.JobListJobs) bool {
		// An expression of the script, such as the condition of an IF, is not a statement. A
		// statement that failed in a script that succeeded was handled by the script.
		s := j.Statistics
		return j.ErrorResult != nil || s == nil || s.Query == nil || s.ParentJobId != script.JobId ||
			s.ScriptStatistics != nil && s.ScriptStatistics.EvaluationKind == "EXPRESSION"
	}), nil
}

// openScript opens the first result of a script, which has one for each SELECT. The answer to the
// script has the result of its last statement, which may be a SELECT. A user who may not list jobs
// gets only that one.
func (r *rows) openScript(pg *page) error {
	r.ordered = true // the texts of its statements are unknown
	children, err := r.run.children(r.ctx, pg.JobReference)
	if err != nil && !errors.Is(err, ErrAccessDenied) {
		return r.unread(err)
	}
	if n := len(children); n == 0 || children[n-1].Statistics.Query.StatementType == "SELECT" {
		r.last = pg
	}
	for _, child := range children {
		if child.Statistics.Query.StatementType == "SELECT" {
			r.sets = append(r.sets, child.JobReference)
		}
	}
	if len(r.sets) == 0 {
		r.sets, r.last = []*bq.JobReference{pg.JobReference}, pg
	}
	return r.NextResultSet()
}

// HasNextResultSet reports whether the script has another SELECT.
func (r *rows) HasNextResultSet() bool { return len(r.sets) > 0 }

// NextResultSet fetches the result of the script's next SELECT. It returns io.EOF after the last.
func (r *rows) NextResultSet() error {
	if len(r.sets) == 0 {
		return io.EOF
	}
	if r.batches != nil {
		r.batches.Close()
	}
	ref, pg := r.sets[0], r.last
	r.sets = r.sets[1:]
	if len(r.sets) > 0 || pg == nil {
		var err error
		if pg, err = r.run.results(r.ctx, ref); err != nil {
			return r.end(r.unread(err))
		}
	}
	if pg.inexact() {
		var err error
		if pg, err = r.run.exactPage(r.ctx, pg); err != nil {
			return r.end(r.unread(err))
		}
	}
	if err := r.open(pg); err != nil {
		return r.end(err)
	}
	return nil
}

// sumAffected returns the sum of the rows that the DML statements of a script have changed.
func (r *runner) sumAffected(ctx context.Context, pg *page) error {
	children, err := r.children(ctx, pg.JobReference)
	pg.NumDmlAffectedRows, pg.DmlStats = 0, &bq.DmlStatistics{}
	for _, child := range children {
		q := child.Statistics.Query
		pg.NumDmlAffectedRows += rowsAffected(q.NumDmlAffectedRows, q.DmlStats)
		if q.DmlStats != nil {
			pg.DmlStats.InsertedRowCount += q.DmlStats.InsertedRowCount
			pg.DmlStats.UpdatedRowCount += q.DmlStats.UpdatedRowCount
			pg.DmlStats.DeletedRowCount += q.DmlStats.DeletedRowCount
		}
	}
	return err
}
