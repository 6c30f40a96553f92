package driver

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"sync/atomic"

	bq "google.golang.org/api/bigquery/v2"
)

// loan gives the rows of a statement to [Query] and [QueryArrow], bypassing database/sql, which can
// only pass driver values. The context of the statement carries it to the connection, also through
// libraries that wrap the driver.
//
// The rows still belong to database/sql, which sees each batch as one row. So the next batch is
// read under database/sql's locks, and Rows.Close, which may be called at any time, waits for it.
type loan struct {
	bind func(columns []column, fields []*bq.TableFieldSchema) (target, error)

	lent *lentRows // the driver's rows; nil until the statement has run
	rows *sql.Rows // database/sql's rows around lent
}

type loanKey struct{}

// loanOf returns the loan of a statement; nil if it has none.
func loanOf(ctx context.Context) *loan {
	l, _ := ctx.Value(loanKey{}).(*loan)
	return l
}

// borrow runs a statement and returns its rows on loan.
func borrow(
	ctx context.Context, q Queryer, query string, args []any,
	bind func([]column, []*bq.TableFieldSchema) (target, error),
) (*loan, error) {
	l := &loan{bind: bind}
	rows, err := q.QueryContext(context.WithValue(ctx, loanKey{}, l), query, args...)
	if err != nil {
		return nil, err
	}
	if l.lent == nil {
		rows.Close()
		return nil, fmt.Errorf("bigqueryuser: the rows of the %T are not of this driver", q)
	}
	l.rows = rows
	return l, nil
}

// next returns the next batch; nil after the last one or an error. The batch is valid until the
// next call.
func (l *loan) next() *batch {
	l.lent.batch = nil
	if !l.rows.Next() {
		return nil
	}
	return l.lent.batch
}

// ended reports whether database/sql has closed the rows, as it does when their context ends.
func (l *loan) ended() bool { return l.lent.closed.Load() }

// close ends the loan. left is the number of rows of the last batch that the caller has not read.
func (l *loan) close(left int) error {
	l.lent.left.Store(int64(left))
	return l.rows.Close()
}

// lentRows are the rows that database/sql gets while they are on loan.
type lentRows struct {
	rows   *rows
	batch  *batch // of the last Next
	left   atomic.Int64
	closed atomic.Bool
}

var _ driver.Rows = (*lentRows)(nil)

// lent returns the rows for database/sql.
func (r *rows) lent() driver.Rows {
	if r.loan == nil {
		return r
	}
	r.loan.lent = &lentRows{rows: r}
	return r.loan.lent
}

func (l *lentRows) Columns() []string { return l.rows.Columns() }

// Next reads the next batch. It leaves dest as it is.
func (l *lentRows) Next([]driver.Value) error {
	for {
		b, err := l.rows.nextBatch()
		if err != nil {
			return err
		}
		if b.rows > 0 {
			l.batch = b
			l.rows.read += int64(b.rows)
			return nil
		}
	}
}

func (l *lentRows) Close() error {
	l.closed.Store(true)
	l.rows.read -= l.left.Load()
	return l.rows.Close()
}
