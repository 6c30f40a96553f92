package driver

import (
	"context"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	bq "google.golang.org/api/bigquery/v2"
)

// QueryArrow runs a statement and gives its rows as Arrow record batches, for programs that work on columns. Batches
// of the Storage Read API are passed on as they come; those of REST are built. Both have the schema that
// [ArrowType] describes. The batches come in the order of the rows, where the statement orders them.
//
//	records, err := driver.QueryArrow(ctx, db, "SELECT ...")
//	if err != nil {
//		return err
//	}
//	defer records.Release()
//	for records.Next() {
//		batch := records.RecordBatch() // good until the next call of Next: Retain keeps it
//		...
//	}
//	return records.Err()
//
// Release before the last batch ends the reading, and so does the end of ctx. The reader is used by one goroutine at a
// time. Of a script, QueryArrow reads the first SELECT. The observer and [WithStats] are told as for any statement.
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

// arrowRecords is a reader of the batches of a loan.
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

// Record is RecordBatch by its older name.
func (r *arrowRecords) Record() arrow.RecordBatch { return r.batch }

func (r *arrowRecords) Err() error { return r.err }
