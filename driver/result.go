package driver

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	bq "google.golang.org/api/bigquery/v2"
)

// result is the outcome of a statement run by Exec.
type result struct {
	rows  int64
	err   error                 // of RowsAffected
	count func() (int64, error) // requests the number of rows; nil if it is known
}

var _ driver.Result = (*result)(nil)

// result returns the result of a statement that has run.
func (run *runner) result(ctx context.Context, st *statement, pg *page) *result {
	r := new(result)
	kind := pg.kind(st)
	switch {
	case pg.isScript(st):
		r.err = run.sumAffected(ctx, pg) // the script has run, even if this request fails
	case kind == kindDML && !pg.counted && pg.DmlStats == nil, pg.StatementType == "" && pg.Schema == nil:
		run.complete(ctx, pg) // the answer to a poll may lack the number of rows that a TRUNCATE has deleted
	}
	r.rows = rowsAffected(pg.NumDmlAffectedRows, pg.DmlStats)
	if pg.StatementType == "CREATE_TABLE_AS_SELECT" && pg.JobReference != nil {
		r.count = func() (int64, error) { return run.createdRows(pg.JobReference) }
	}
	return r
}

// LastInsertId returns an error, because BigQuery has no last insert id.
func (r *result) LastInsertId() (int64, error) {
	return 0, errors.New("bigqueryuser: BigQuery has no last insert id: " +
		"use GENERATE_UUID() or choose the key in the program")
}

// RowsAffected returns the number of rows that DML changed, TRUNCATE deleted or CREATE TABLE AS
// SELECT inserted; 0 for other statements. For CREATE TABLE AS SELECT it makes two requests,
// because the answer to the statement lacks the number, and returns an error if they fail. For a
// script it returns an error if BigQuery does not report the results of its statements. The
// statements have run nevertheless.
func (r *result) RowsAffected() (int64, error) {
	if r.count != nil {
		r.rows, r.err = r.count()
		r.count = nil
	}
	return r.rows, r.err
}

// createdLimit bounds the requests of RowsAffected, which has no context.
const createdLimit = 30 * time.Second

// createdRows returns how many rows a CREATE TABLE AS SELECT has inserted.
func (b *backend) createdRows(ref *bq.JobReference) (int64, error) {
	ctx, cancel := context.WithTimeout(b.background, createdLimit)
	defer cancel()
	rows, err := b.rowsOfCreated(ctx, ref)
	if err != nil {
		return 0, fmt.Errorf("bigqueryuser: the table was created, but the number of its rows is not known: %w", err)
	}
	return rows, nil
}

func (b *backend) rowsOfCreated(ctx context.Context, ref *bq.JobReference) (int64, error) {
	job, err := ask(ctx, b, func(cl *client) (*bq.Job, error) { return cl.job(ctx, ref) })
	switch {
	case err != nil:
		return 0, err
	case job.Statistics == nil || job.Statistics.Query == nil || job.Statistics.Query.DdlTargetTable == nil:
		return 0, errors.New("BigQuery's answer does not name the table")
	case job.Statistics.Query.DdlOperationPerformed == "SKIP": // IF NOT EXISTS
		return 0, nil
	}
	target := job.Statistics.Query.DdlTargetTable
	table, err := ask(ctx, b, func(cl *client) (*bq.Table, error) { return cl.table(ctx, target) })
	if err != nil {
		return 0, err
	}
	return int64(table.NumRows), nil
}
