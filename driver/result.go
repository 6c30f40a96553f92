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
	count func() (int64, error) // asks for the rows; nil if they are known
}

var _ driver.Result = (*result)(nil)

// LastInsertId is an error: BigQuery has no such thing.
func (r *result) LastInsertId() (int64, error) {
	return 0, errors.New("bigqueryuser: BigQuery has no last insert id: use GENERATE_UUID() or a key of your own")
}

// RowsAffected is the number of rows that DML changed, TRUNCATE deleted or CREATE TABLE AS SELECT put into its table,
// 0 for any other statement. With the answer to a CREATE TABLE AS SELECT the number does not come: it is
// asked for here, in two requests, and an error if BigQuery does not tell. For a script it is an
// error if BigQuery does not say what its statements did. They have run all the same.
func (r *result) RowsAffected() (int64, error) {
	if r.count != nil {
		r.rows, r.err = r.count()
		r.count = nil
	}
	return r.rows, r.err
}

// rowsAffected is how many rows a statement has changed. TRUNCATE has it in its statistics alone.
func rowsAffected(total int64, stats *bq.DmlStatistics) int64 {
	if total == 0 && stats != nil {
		return stats.InsertedRowCount + stats.UpdatedRowCount + stats.DeletedRowCount
	}
	return total
}

// createdLimit bounds how long RowsAffected may ask, for which database/sql has no context.
const createdLimit = 30 * time.Second

// createdRows is how many rows a CREATE TABLE AS SELECT has put into its table.
func (c *Connector) createdRows(ref *bq.JobReference) (int64, error) {
	ctx, cancel := context.WithTimeout(c.backgroundCtx, createdLimit)
	defer cancel()
	rows, err := call(ctx, c, retryable, func(cl *client) (int64, error) {
		job, err := cl.job(ctx, ref)
		switch {
		case err != nil:
			return 0, err
		case job.Statistics == nil || job.Statistics.Query == nil || job.Statistics.Query.DdlTargetTable == nil:
			return 0, errors.New("the job does not name it")
		case job.Statistics.Query.DdlOperationPerformed == "SKIP": // IF NOT EXISTS
			return 0, nil
		}
		table, err := cl.table(ctx, job.Statistics.Query.DdlTargetTable)
		if err != nil {
			return 0, err
		}
		return int64(table.NumRows), nil
	})
	if err != nil {
		return 0, fmt.Errorf("bigqueryuser: the table was created, but how many rows it has can't be told: %w", err)
	}
	return rows, nil
}
