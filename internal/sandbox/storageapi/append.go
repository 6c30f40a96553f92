package storageapi

import (
	"context"
	"errors"
	"io"
	"slices"

	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/cells"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
	"github.com/bigqueryuser/bigqueryuser/internal/storagewire"
)

// maxRequest is the service's limit for a request of AppendRows.
const maxRequest = 10 << 20

// appender is one call of AppendRows. A request inherits fields that it omits from the one
// before.
type appender struct {
	s       *Server
	ctx     context.Context
	name    string // of the stream
	schema  protoreflect.MessageDescriptor
	columns []googlesql.Column // by the client's schema
	decoder storagewire.Decoder
}

// AppendRows answers requests with rows, one after the other.
func (s *Server) AppendRows(conn storagepb.BigQueryWrite_AppendRowsServer) error {
	a := &appender{s: s, ctx: conn.Context(), decoder: storagewire.Decoder{Scalar: scalar}}
	for {
		req, err := conn.Recv()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := a.read(req); err != nil {
			return err
		}
		if err := conn.Send(a.append(req)); err != nil {
			return err
		}
	}
}

// read reads the fields of a request other than its rows. An error ends the
// call.
func (a *appender) read(req *storagepb.AppendRowsRequest) error {
	if name := req.GetWriteStream(); name != "" && name != a.name {
		if a.name != "" && req.GetProtoRows().GetWriterSchema() == nil {
			return status.Error(codes.InvalidArgument, "a request for another stream needs writer_schema")
		}
		a.name, a.columns = name, nil
	}
	if a.name == "" {
		return status.Error(codes.InvalidArgument, "the first request needs write_stream")
	}
	if req.GetArrowRows() != nil {
		return refuse("arrow_rows of AppendRows")
	}
	if d := req.GetProtoRows().GetWriterSchema().GetProtoDescriptor(); d != nil {
		schema, err := storagewire.Schema(d)
		if err != nil {
			return status.Errorf(codes.InvalidArgument, "Invalid proto schema: %v", err)
		}
		a.schema = schema
	}
	if a.schema == nil || req.GetProtoRows() == nil {
		return status.Error(codes.InvalidArgument, "the first request needs writer_schema, and each needs proto_rows")
	}
	if m := req.GetMissingValueInterpretations(); len(m) > 0 {
		a.decoder.Missing = m
	}
	if how := req.GetDefaultMissingValueInterpretation(); how != 0 {
		a.decoder.Otherwise = how
	}
	return nil
}

// append writes the rows of one request.
func (a *appender) append(req *storagepb.AppendRowsRequest) *storagepb.AppendRowsResponse {
	out := &storagepb.AppendRowsResponse{WriteStream: a.name}
	if err := a.try(req, out); err != nil {
		st, _ := status.FromError(err)
		out.Response = &storagepb.AppendRowsResponse_Error{Error: st.Proto()}
	}
	return out
}

func (a *appender) try(req *storagepb.AppendRowsRequest, out *storagepb.AppendRowsResponse) error {
	w, table, t, err := a.s.streamNamed(a.ctx, a.name)
	if err != nil {
		return err
	}
	if a.columns != nil && !sameColumns(a.columns, t.Columns) {
		out.UpdatedSchema = &storagepb.TableSchema{Fields: fieldsOf(t.Columns)}
	}
	a.columns = t.Columns
	texts := req.GetProtoRows().GetRows().GetSerializedRows()
	size := 0
	for _, text := range texts {
		size += len(text)
	}
	switch {
	case len(texts) == 0:
		return status.Error(codes.InvalidArgument, "the request has no rows")
	case size > maxRequest:
		return status.Errorf(codes.InvalidArgument, "the request has %d bytes of rows; 10 MB is the limit", size)
	}
	if w == nil {
		if req.GetOffset() != nil {
			return status.Error(codes.InvalidArgument, "offset must not be set on the default stream")
		}
		rows, err := a.decode(texts, out)
		if err == nil {
			err = a.s.backend.Append(a.ctx, table, t.Columns, rows)
		}
		out.Response = &storagepb.AppendRowsResponse_AppendResult_{
			AppendResult: &storagepb.AppendRowsResponse_AppendResult{}}
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.takes(a.name, req); err != nil {
		return err
	}
	rows, err := a.decode(texts, out)
	if err != nil {
		return err
	}
	if w.pending {
		if w.columns != nil && !sameColumns(w.columns, t.Columns) {
			return refuse("appending to a pending stream after the table's schema has changed")
		}
		w.columns, w.rows = t.Columns, append(w.rows, rows...)
	} else if err := a.s.backend.Append(a.ctx, table, t.Columns, rows); err != nil {
		return err
	}
	out.Response = &storagepb.AppendRowsResponse_AppendResult_{
		AppendResult: &storagepb.AppendRowsResponse_AppendResult{Offset: int64Value(int(w.count))}}
	w.count += int64(len(rows))
	return nil
}

// takes returns an error for rows that a stream does not accept. The caller
// holds the stream's lock.
func (w *writeStream) takes(name string, req *storagepb.AppendRowsRequest) error {
	offset := req.GetOffset()
	switch {
	case w.finalized:
		return fault(codes.InvalidArgument, storagepb.StorageError_STREAM_FINALIZED, name,
			"The stream %s is finalized", name)
	case offset != nil && offset.Value < w.count:
		return fault(codes.AlreadyExists, storagepb.StorageError_OFFSET_ALREADY_EXISTS, name,
			"The offset is within stream, expected offset %d, received %d", w.count, offset.Value)
	case offset != nil && offset.Value > w.count:
		return fault(codes.OutOfRange, storagepb.StorageError_OFFSET_OUT_OF_RANGE, name,
			"The offset is beyond stream, expected offset %d, received %d", w.count, offset.Value)
	}
	return nil
}

// decode decodes all rows. Bad rows become row errors of the answer, and then no row is written.
func (a *appender) decode(texts [][]byte, out *storagepb.AppendRowsResponse) ([][]engine.Value, error) {
	a.decoder.Fields = fieldsOf(a.columns)
	if extra := a.decoder.Unknown(a.schema); extra != "" {
		return nil, fault(codes.InvalidArgument, storagepb.StorageError_SCHEMA_MISMATCH_EXTRA_FIELDS, a.name,
			"Input schema has more fields than BigQuery schema, extra fields: '%s'", extra)
	}
	rows := make([][]engine.Value, 0, len(texts))
	for i, text := range texts {
		row, err := a.row(text)
		if err != nil {
			out.RowErrors = append(out.RowErrors, &storagepb.RowError{Index: int64(i),
				Code: storagepb.RowError_FIELDS_ERROR, Message: err.Error()})
		}
		rows = append(rows, row)
	}
	if len(out.RowErrors) > 0 {
		return nil, status.Error(codes.InvalidArgument, "Errors found while processing rows. Please refer to the "+
			"row_errors field for details. The list may not be complete because of the size limitations.")
	}
	return rows, nil
}

func (a *appender) row(text []byte) ([]engine.Value, error) {
	decoded, err := a.decoder.Row(a.schema, text)
	if err != nil {
		return nil, err
	}
	row := make([]engine.Value, len(decoded))
	for i, x := range decoded {
		row[i] = valueOf(x, a.columns[i].Type)
		err = errors.Join(err, cells.Fit(a.columns[i], &row[i]))
	}
	return row, err
}

// sameColumns reports whether rows for a table still fit it.
func sameColumns(a, b []googlesql.Column) bool {
	return slices.EqualFunc(a, b, func(x, y googlesql.Column) bool {
		return x.Name == y.Name && x.Required == y.Required && x.Type.String() == y.Type.String()
	})
}
