package driver

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	bq "google.golang.org/api/bigquery/v2"
)

// arrowReader decodes the record batches of one stream.
type arrowReader struct {
	columns []column
	kinds   []arrowKind
	feed    feed
	ipc     *ipc.Reader
	boxes   boxes
	spares  spares
}

// feed is one IPC message after the other, as a reader sees them.
type feed struct{ message bytes.Reader }

func (f *feed) Read(p []byte) (int, error) { return f.message.Read(p) }

// newArrowReader begins with the session's schema, which must be that of the result.
func newArrowReader(columns []column, fields []*bq.TableFieldSchema, schema []byte, s spares) (r *arrowReader, err error) {
	defer recovered(&err)
	r = &arrowReader{columns: columns, spares: s}
	for _, f := range fields {
		k, err := arrowKindOf(f)
		if err != nil {
			return nil, err
		}
		r.kinds = append(r.kinds, k)
	}
	r.feed.message.Reset(schema)
	if r.ipc, err = ipc.NewReader(&r.feed); err != nil {
		return nil, fmt.Errorf("the schema of the stream can't be read: %w", err)
	}
	if n := r.ipc.Schema().NumFields(); n != len(columns) {
		r.ipc.Release()
		return nil, fmt.Errorf("the stream has %d columns and the result %d", n, len(columns))
	}
	return r, nil
}

func (r *arrowReader) close() { r.ipc.Release() }

// record decodes one message. The record is good until the next call.
func (r *arrowReader) record(message []byte, rows int64) (b arrow.RecordBatch, err error) {
	defer recovered(&err)
	r.feed.message.Reset(message)
	if !r.ipc.Next() {
		if err := r.ipc.Err(); err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		return nil, errors.New("a message without a record batch")
	}
	b = r.ipc.RecordBatch()
	if b.NumRows() != rows || int(b.NumCols()) != len(r.columns) {
		return nil, fmt.Errorf("a record batch of %d rows and %d columns, announced as %d rows and %d columns", b.NumRows(), b.NumCols(), rows, len(r.columns))
	}
	return b, nil
}

// run makes rows [from, to) of a record.
func (r *arrowReader) run(record arrow.RecordBatch, from, to int) (out *batch, err error) {
	column := ""
	defer func() {
		if err != nil {
			err = fmt.Errorf("column %q: %w", column, err)
		}
	}()
	defer recovered(&err)
	out = r.spares.get(len(r.columns), to-from)
	for i := range r.columns {
		column = r.columns[i].name
		a := record.Column(i)
		if a.Len() < to {
			return nil, errors.New("the column has fewer values than the batch has rows")
		}
		if err := r.kinds[i].fill(out.values[i:], len(r.columns), a, from, to, &r.boxes); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// recovered turns a panic over malformed input, which Arrow's readers do not exclude, into an error.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("malformed Arrow data: %v", p)
	}
}
