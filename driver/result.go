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

// result makes the result of a statement that has run.
func (c *Conn) result(ctx context.Context, st *statement, pg *page) *result {
	r := new(result)
	kind := pg.kind(st)
	switch {
	case pg.isScript(st):
		r.err = c.sumAffected(ctx, pg) // the script has run, whatever becomes of this
	case kind == kindDML && !pg.counted && pg.DmlStats == nil, pg.StatementType == "" && pg.Schema == nil:
		c.complete(ctx, pg) // the answer to a poll does not always tell what a TRUNCATE has deleted
	}
	r.rows = rowsAffected(pg.NumDmlAffectedRows, pg.DmlStats)
	if pg.StatementType == "CREATE_TABLE_AS_SELECT" && pg.JobReference != nil {
		r.count = func() (int64, error) { return c.connector.createdRows(pg.JobReference) }
	}
	return r
}

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
	rows, err := c.rowsOfCreated(ctx, ref)
	if err != nil {
		return 0, fmt.Errorf("bigqueryuser: the table was created, but how many rows it has can't be told: %w", err)
	}
	return rows, nil
}

func (c *Connector) rowsOfCreated(ctx context.Context, ref *bq.JobReference) (int64, error) {
	job, err := ask(ctx, c, func(cl *client) (*bq.Job, error) { return cl.job(ctx, ref) })
	switch {
	case err != nil:
		return 0, err
	case job.Statistics == nil || job.Statistics.Query == nil || job.Statistics.Query.DdlTargetTable == nil:
		return 0, errors.New("the job does not name it")
	case job.Statistics.Query.DdlOperationPerformed == "SKIP": // IF NOT EXISTS
		return 0, nil
	}
	target := job.Statistics.Query.DdlTargetTable
	table, err := ask(ctx, c, func(cl *client) (*bq.Table, error) { return cl.table(ctx, target) })
	if err != nil {
		return 0, err
	}
	return int64(table.NumRows), nil
}
