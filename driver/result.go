package driver

import (
	"database/sql/driver"
	"errors"

	bq "google.golang.org/api/bigquery/v2"
)

// result is the outcome of a statement run by Exec.
type result struct {
	rows int64
	err  error // of RowsAffected
}

var _ driver.Result = result{}

// LastInsertId is an error: BigQuery has no such thing.
func (r result) LastInsertId() (int64, error) {
	return 0, errors.New("bigqueryuser: BigQuery has no last insert id: use GENERATE_UUID() or a key of your own")
}

// rowsAffected is how many rows a statement has changed. TRUNCATE has it in its statistics alone.
func rowsAffected(total int64, stats *bq.DmlStatistics) int64 {
	if total == 0 && stats != nil {
		return stats.InsertedRowCount + stats.UpdatedRowCount + stats.DeletedRowCount
	}
	return total
}

// RowsAffected is the number of rows that DML changed or TRUNCATE deleted, 0 for any other statement: of CREATE
// TABLE AS SELECT BigQuery does not count them. For a script it is an
// error if BigQuery does not say what its statements did; they have run all the same.
func (r result) RowsAffected() (int64, error) { return r.rows, r.err }
