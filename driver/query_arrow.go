package driver

import (
	"context"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	bq "google.golang.org/api/bigquery/v2"
)

// QueryArrow runs a statement and returns its rows as Arrow record batches, for programs that
// process columns. Batches of the Storage Read API are passed on without copying; those of REST are
// built from JSON. Both have the schema that [ArrowType] describes. If the statement orders its
// rows, the batches are in that order.
//
//	records, err := driver.QueryArrow(ctx, db, "SELECT ...")
//	if err != nil {
//		return err
//	}
//	defer records.Release()
//	for records.Next() {
//		batch := records.RecordBatch() // valid until the next call of Next: Retain keeps it
//		...
//	}
//	return records.Err()
//
// Release ends the reading, also before the last batch, and so does the end of ctx. A reader must
// not be used by several goroutines at once. QueryArrow returns the first SELECT of a script. The
// observer and [WithStats] get the Stats as for any statement.
func QueryArrow(ctx context.Context, q Queryer, query string, args ...any) (array.RecordReader, error) {
	schema := arrow.NewSchema(nil, nil)
	l, err := borrow(ctx, q, query, args, func(columns []column, fields []*bq.TableFieldSchema) (target, error) {
		t, err := newArrowTarget(columns, fields)
		if err == nil {
			schema = t.schema
		}
		return t, err
	})
	if err != nil {
		return nil, err
	}
	r := &arrowRecords{loan: l, schema: schema}
	r.refs.Store(1)
	return r, nil
}

// arrowRecords reads the batches of a loan.
type arrowRecords struct {
	refs   atomic.Int64
	loan   *loan
	schema *arrow.Schema
	batch  arrow.RecordBatch
	err    error
	ended  bool
}

var _ array.RecordReader = (*arrowRecords)(nil)

func (r *arrowRecords) Retain() { r.refs.Add(1) }

func (r *arrowRecords) Release() {
	if r.refs.Add(-1) != 0 {
		return
	}
	r.drop()
	r.ended = true
	_ = r.loan.close(0)
}

func (r *arrowRecords) drop() {
	if r.batch != nil {
		r.batch.Release()
		r.batch = nil
	}
}

func (r *arrowRecords) Schema() *arrow.Schema { return r.schema }

func (r *arrowRecords) Next() bool {
	r.drop()
	if r.ended {
		return false
	}
	b := r.loan.next()
	if b == nil {
		r.ended, r.err = true, r.loan.rows.Err()
		return false
	}
	r.batch, b.made = b.made.record, made{}
	return true
}

func (r *arrowRecords) RecordBatch() arrow.RecordBatch { return r.batch }

// Record is the older name of RecordBatch.
func (r *arrowRecords) Record() arrow.RecordBatch { return r.batch }

func (r *arrowRecords) Err() error { return r.err }
