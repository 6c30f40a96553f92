package driver

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"sync/atomic"

	bq "google.golang.org/api/bigquery/v2"
)

// loan is how the rows of a statement reach [Query] and [QueryArrow] past database/sql, which has room for driver
// values only. The context of the statement carries it to the connection, also through a library between.
//
// The rows still belong to database/sql. A whole batch counts as one row there, so that the loan asks for the next
// batch under database/sql's locks, and its Close, which may come at any time, waits for that.
type loan struct {
	bind func(columns []column, fields []*bq.TableFieldSchema) (target, error)

	lent *lentRows // the driver's rows; nil until there are some
	rows *sql.Rows // the same as the caller of database/sql sees them
}

type loanKey struct{}

// loanOf returns the loan that a statement's rows are for, or nil.
func loanOf(ctx context.Context) *loan {
	l, _ := ctx.Value(loanKey{}).(*loan)
	return l
}

// borrow runs a statement and takes its rows on loan.
func borrow(
	ctx context.Context, q Queryer, query string, args []any, bind func([]column, []*bq.TableFieldSchema) (target, error),
) (*loan, error) {
	l := &loan{bind: bind}
	rows, err := q.QueryContext(context.WithValue(ctx, loanKey{}, l), query, args...)
	if err != nil {
		return nil, err
	}
	if l.lent == nil {
		rows.Close()
		return nil, fmt.Errorf("bigqueryuser: the rows of a %T are not those of this driver", q)
	}
	l.rows = rows
	return l, nil
}

// next returns the next batch, nil after the last or an error. The batch is the caller's until the following call.
func (l *loan) next() *batch {
	l.lent.batch = nil
	if !l.rows.Next() {
		return nil
	}
	return l.lent.batch
}

// ended reports whether database/sql has closed the rows, as it does when their context ends.
func (l *loan) ended() bool { return l.lent.closed.Load() }

// close ends the loan. left is how many rows of the last batch were not taken.
func (l *loan) close(left int) error {
	l.lent.left.Store(int64(left))
	return l.rows.Close()
}

// lentRows are rows that are on loan, as database/sql has them.
type lentRows struct {
	rows   *rows
	batch  *batch // of the last Next
	left   atomic.Int64
	closed atomic.Bool
}

var _ driver.Rows = (*lentRows)(nil)

// lent returns the rows as database/sql gets them.
func (r *rows) lent() driver.Rows {
	if r.loan == nil {
		return r
	}
	r.loan.lent = &lentRows{rows: r}
	return r.loan.lent
}

func (l *lentRows) Columns() []string { return l.rows.Columns() }

// Next goes on to the next batch. The values of its rows are not for dest.
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
