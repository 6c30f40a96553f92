package driver

import (
	"bytes"
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	arrowmemory "github.com/apache/arrow-go/v18/arrow/memory"
	bq "google.golang.org/api/bigquery/v2"
)

// arrowReader decodes the record batches of one stream.
type arrowReader struct {
	columns []column
	kinds   []arrowKind
	feed    feed
	memory  recordMemory
	ipc     *ipc.Reader
	boxes   boxes
	spares  spares
	target  target // nil for driver values
}

// feed passes IPC messages to an Arrow reader one by one. It does not copy their bytes, and values
// that are not compressed refer to them.
type feed struct{ message []byte }

var _ ipc.MessageReader = (*feed)(nil)

func (f *feed) Retain()  {}
func (f *feed) Release() {}

// Message returns the message once: its metadata, which follow their length, and its body.
func (f *feed) Message() (*ipc.Message, error) {
	head := bytes.TrimPrefix(f.message, continuation)
	f.message = nil
	if len(head) < 4 {
		return nil, io.EOF
	}
	n := int64(binary.LittleEndian.Uint32(head))
	head = head[4:]
	if n < 4 || n > int64(len(head)) {
		return nil, io.ErrUnexpectedEOF
	}
	body := head[n:]
	m := ipc.NewMessage(arrowmemory.NewBufferBytes(head[:n]), arrowmemory.NewBufferBytes(body))
	if size := m.BodyLen(); size < 0 || size > int64(len(body)) {
		return nil, io.ErrUnexpectedEOF
	}
	return m, nil
}

// continuation can precede the length of a message.
var continuation = []byte{0xff, 0xff, 0xff, 0xff}

// newArrowReader returns a reader for a stream. It reads the schema, which must be that of the
// result.
func newArrowReader(
	columns []column, fields []*bq.TableFieldSchema, schema []byte, s spares, t target,
) (r *arrowReader, err error) {
	defer recovered(&err)
	r = &arrowReader{columns: columns, spares: s, target: t}
	r.memory.keep = r.kept()
	for _, f := range fields {
		k, err := arrowKindOf(f)
		if err != nil {
			return nil, err
		}
		r.kinds = append(r.kinds, k)
	}
	if err := r.begin(schema); err != nil {
		return nil, err
	}
	if r.ipc, err = ipc.NewReaderFromMessageReader(&r.feed, ipc.WithAllocator(&r.memory)); err != nil {
		return nil, fmt.Errorf("reading the schema of the stream: %w", err)
	}
	if n := r.ipc.Schema().NumFields(); n != len(columns) {
		r.ipc.Release()
		return nil, fmt.Errorf("the stream has %d columns and the result %d", n, len(columns))
	}
	return r, nil
}

// begin passes a message to the reader. It checks the length at the start, because the reader
// allocates it.
func (r *arrowReader) begin(message []byte) error {
	head := bytes.TrimPrefix(message, continuation)
	if len(head) < 4 || int64(binary.LittleEndian.Uint32(head)) > int64(len(head)) {
		return errors.New("a message whose length is more than its bytes")
	}
	r.feed.message = message
	r.memory.begin(len(message))
	return nil
}

func (r *arrowReader) close() { r.ipc.Release() }

// kept reports whether rows refer to the memory of their message and record.
func (r *arrowReader) kept() bool { return r.target != nil && r.target.keeps() }

// record decodes one message. The record is valid until the next call.
func (r *arrowReader) record(message []byte, rows int64) (b arrow.RecordBatch, err error) {
	defer recovered(&err)
	if err := r.begin(message); err != nil {
		return nil, err
	}
	if !r.ipc.Next() {
		if err := r.ipc.Err(); err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		return nil, errors.New("a message without a record batch")
	}
	b = r.ipc.RecordBatch()
	if b.NumRows() != rows || int(b.NumCols()) != len(r.columns) {
		return nil, fmt.Errorf("a record batch of %d rows and %d columns, announced as %d rows and %d columns",
			b.NumRows(), b.NumCols(), rows, len(r.columns))
	}
	return b, nil
}

// badCell is the error of a cell. row is counted from 0 in the run.
type badCell struct {
	row    int
	column string
	err    error
}

func (e *badCell) Error() string { return fmt.Sprintf("column %q: %v", e.column, e.err) }

// unreadableRows is the error of rows that arrived but can't be read. It does not unwrap, because
// an unexpected end inside a message must not look like the end of a stream, which can be resumed.
type unreadableRows struct {
	stream string
	after  int64 // rows of the stream before it
	err    error
}

func (e *unreadableRows) Error() string {
	if bad, ok := errors.AsType[*badCell](e.err); ok {
		return fmt.Sprintf("row %d of stream %s, column %q, can't be read: %v",
			e.after+int64(bad.row)+1, e.stream, bad.column, bad.err)
	}
	return fmt.Sprintf("what comes after row %d of stream %s can't be read: %v", e.after, e.stream, e.err)
}

// batch decodes rows [from, to) of a record.
func (r *arrowReader) batch(record arrow.RecordBatch, from, to int) (*batch, error) {
	if r.target != nil {
		return r.target.record(r.spares, record, from, to, &r.boxes)
	}
	out := r.spares.get(len(r.columns), to-from)
	for i := range r.columns {
		err := r.fill(out.values[i:], i, record, from, to)
		if err == nil {
			continue
		}
		for row := from; row < to; row++ { // find the column
			if one := r.fill(out.values[i:], i, record, row, row+1); one != nil {
				return nil, &badCell{row - from, r.columns[i].name, one}
			}
		}
		return nil, &badCell{0, r.columns[i].name, err} // no single column has the error
	}
	return out, nil
}

// fill decodes column i of rows [from, to).
func (r *arrowReader) fill(dst []driver.Value, i int, record arrow.RecordBatch, from, to int) (err error) {
	defer recovered(&err)
	a := record.Column(i)
	if a.Len() < to {
		return errShortColumn
	}
	return r.kinds[i].fill(dst, len(r.columns), a, from, to, &r.boxes)
}

var errShortColumn = errors.New("the column has fewer values than the batch has rows")

// recovered turns a panic into an error, because Arrow's readers can panic on malformed input.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("malformed Arrow data: %v", p)
	}
}
