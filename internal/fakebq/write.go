package fakebq

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/bigqueryuser/bigqueryuser/internal/storagewire"
)

// The methods of the Storage Write API.
const (
	CreateWriteStream       Method = "CreateWriteStream"
	AppendRows              Method = "AppendRows"
	GetWriteStream          Method = "GetWriteStream"
	FinalizeWriteStream     Method = "FinalizeWriteStream"
	BatchCommitWriteStreams Method = "BatchCommitWriteStreams"
)

// stored is a table to which rows are written.
type stored struct {
	fields []Field
	rows   [][]any
	counts bool // rows are counted and not decoded
}

// writeStream is a write stream with the rows appended to it.
type writeStream struct {
	table     *stored
	parent    string
	pending   bool
	rows      [][]any
	finalized bool
	committed *timestamppb.Timestamp
}

// CreateTable creates a table, PROJECT.DATASET.TABLE, to which rows can be written.
func (s *Server) CreateTable(name string, fields ...Field) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stored[tableName(tableReference(name))] = &stored{fields: named(fields)}
}

// CountTable creates a table whose rows are counted and not decoded, for benchmarks of writers.
func (s *Server) CountTable(name string, fields ...Field) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stored[tableName(tableReference(name))] = &stored{fields: named(fields), counts: true}
}

// TableRows returns the visible rows of a table, as an Answer takes them.
func (s *Server) TableRows(name string) [][]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.stored[tableName(tableReference(name))]
	if t == nil {
		return nil
	}
	return slices.Clone(t.rows)
}

// writes is the Storage Write API of a server.
type writes struct {
	storagepb.UnimplementedBigQueryWriteServer
	storage
}

// play plays the part of a fault before a call's answer. late reports whether the call takes effect
// nevertheless.
func (g writes) play(ctx context.Context, f *StreamFault) (late bool, err error) {
	if f == nil {
		return false, nil
	}
	if f.Hang != nil && !g.s.wait(ctx, f.Hang) {
		return false, status.FromContextError(ctx.Err()).Err()
	}
	if f.Code == codes.OK {
		return false, nil
	}
	return f.Late, f.status()
}

// unary makes a call, with its fault.
func unary[T any](g writes, ctx context.Context, m Method, routing string, do func() (T, error)) (none T, err error) {
	fault, err := g.called(ctx, m, routing)
	if err != nil {
		return none, err
	}
	late, faultErr := g.play(ctx, fault)
	if faultErr != nil && !late {
		return none, faultErr
	}
	g.s.mu.Lock()
	defer g.s.mu.Unlock()
	v, err := do()
	if late {
		return none, faultErr
	}
	return v, err
}

// CreateWriteStream creates a stream for a table.
func (g writes) CreateWriteStream(ctx context.Context, req *storagepb.CreateWriteStreamRequest) (
	*storagepb.WriteStream, error) {
	return unary(g, ctx, CreateWriteStream, "parent=", func() (*storagepb.WriteStream, error) {
		t := g.s.stored[req.GetParent()]
		if t == nil {
			return nil, status.Errorf(codes.NotFound, "Requested entity was not found. Entity: %s", req.GetParent())
		}
		typ := req.GetWriteStream().GetType()
		if typ != storagepb.WriteStream_PENDING && typ != storagepb.WriteStream_COMMITTED {
			return nil, status.Errorf(codes.InvalidArgument, "Invalid stream type %s", typ)
		}
		name := fmt.Sprintf("%s/streams/write%d", req.GetParent(), g.s.next())
		w := &writeStream{table: t, parent: req.GetParent(), pending: typ == storagepb.WriteStream_PENDING}
		if !w.pending {
			w.committed = timestamppb.New(g.s.opts.Now())
		}
		g.s.writeStreams[name] = w
		out := g.message(name, w)
		out.TableSchema = &storagepb.TableSchema{Fields: storageFields(t.fields)}
		return out, nil
	})
}

// message describes a stream. The caller holds the lock.
func (g writes) message(name string, w *writeStream) *storagepb.WriteStream {
	out := &storagepb.WriteStream{Name: name, Type: storagepb.WriteStream_COMMITTED,
		CreateTime: timestamppb.New(g.s.opts.Now()), CommitTime: w.committed,
		Location: strings.ToLower(g.s.opts.Location)}
	if w.pending {
		out.Type = storagepb.WriteStream_PENDING
	}
	return out
}

// find returns a stream. The caller holds the lock.
func (g writes) find(name string) (*writeStream, error) {
	w := g.s.writeStreams[name]
	if w == nil {
		return nil, status.Errorf(codes.NotFound, "Requested entity was not found. Entity: %s", name)
	}
	return w, nil
}

// GetWriteStream returns a stream, with the time of its commit.
func (g writes) GetWriteStream(ctx context.Context, req *storagepb.GetWriteStreamRequest) (
	*storagepb.WriteStream, error) {
	return unary(g, ctx, GetWriteStream, "name=", func() (*storagepb.WriteStream, error) {
		w, err := g.find(req.GetName())
		if err != nil {
			return nil, err
		}
		return g.message(req.GetName(), w), nil
	})
}

// FinalizeWriteStream closes a stream for rows.
func (g writes) FinalizeWriteStream(ctx context.Context, req *storagepb.FinalizeWriteStreamRequest) (
	*storagepb.FinalizeWriteStreamResponse, error) {
	return unary(g, ctx, FinalizeWriteStream, "name=", func() (*storagepb.FinalizeWriteStreamResponse, error) {
		w, err := g.find(req.GetName())
		if err != nil {
			return nil, err
		}
		w.finalized = true
		return &storagepb.FinalizeWriteStreamResponse{RowCount: int64(len(w.rows))}, nil
	})
}

// BatchCommitWriteStreams makes the rows of pending streams visible, all or none.
func (g writes) BatchCommitWriteStreams(ctx context.Context, req *storagepb.BatchCommitWriteStreamsRequest) (
	*storagepb.BatchCommitWriteStreamsResponse, error) {
	type response = storagepb.BatchCommitWriteStreamsResponse
	return unary(g, ctx, BatchCommitWriteStreams, "parent=", func() (*response, error) {
		out := &storagepb.BatchCommitWriteStreamsResponse{}
		for _, name := range req.GetWriteStreams() {
			code, w := storagepb.StorageError_STORAGE_ERROR_CODE_UNSPECIFIED, g.s.writeStreams[name]
			switch {
			case w == nil || w.parent != req.GetParent():
				code = storagepb.StorageError_STREAM_NOT_FOUND
			case w.committed != nil:
				code = storagepb.StorageError_STREAM_ALREADY_COMMITTED
			case !w.finalized:
				code = storagepb.StorageError_INVALID_STREAM_STATE
			}
			if code != storagepb.StorageError_STORAGE_ERROR_CODE_UNSPECIFIED {
				out.StreamErrors = append(out.StreamErrors, &storagepb.StorageError{Code: code, Entity: name,
					ErrorMessage: "Stream " + name + " can't be committed"})
			}
		}
		if len(out.StreamErrors) > 0 {
			return out, nil
		}
		out.CommitTime = timestamppb.New(g.s.opts.Now())
		for _, name := range req.GetWriteStreams() {
			w := g.s.writeStreams[name]
			w.committed = out.CommitTime
			if !w.table.counts {
				w.table.rows = append(w.table.rows, w.rows...)
			}
		}
		return out, nil
	})
}

// AppendRows serves the requests of a connection. A fault follows a number of them; a late one lets
// its request take effect.
func (g writes) AppendRows(conn storagepb.BigQueryWrite_AppendRowsServer) error {
	fault, err := g.called(conn.Context(), AppendRows, "") // the official client sends no routing header
	if err != nil {
		return err
	}
	g.s.mu.Lock()
	g.s.openStreams++
	g.s.mu.Unlock()
	defer func() {
		g.s.mu.Lock()
		defer g.s.mu.Unlock()
		g.s.openStreams--
		g.s.changed.Broadcast()
	}()
	var name string
	var schema protoreflect.MessageDescriptor
	for n := 0; ; n++ {
		req, err := conn.Recv()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if n == 0 || req.GetWriteStream() != "" {
			name = req.GetWriteStream()
		}
		rows := req.GetProtoRows()
		if d := rows.GetWriterSchema().GetProtoDescriptor(); d != nil {
			if schema, err = storagewire.Schema(d); err != nil {
				return status.Errorf(codes.InvalidArgument, "Invalid proto schema: %v", err)
			}
		}
		if schema == nil || rows == nil {
			return status.Error(codes.InvalidArgument,
				"the first request needs writer_schema, and each needs proto_rows")
		}
		due := fault != nil && n == fault.After
		if due {
			late, err := g.play(conn.Context(), fault)
			if err != nil && !late {
				return err
			}
			if late {
				g.append(name, schema, req)
				return err
			}
		}
		if err := conn.Send(g.append(name, schema, req)); err != nil {
			return err
		}
	}
}

// append appends the rows of one request.
func (g writes) append(name string, schema protoreflect.MessageDescriptor, req *storagepb.AppendRowsRequest,
) *storagepb.AppendRowsResponse {
	g.s.mu.Lock()
	defer g.s.mu.Unlock()
	refuse := func(code codes.Code, format string, args ...any) *storagepb.AppendRowsResponse {
		return &storagepb.AppendRowsResponse{WriteStream: name, Response: &storagepb.AppendRowsResponse_Error{
			Error: status.Newf(code, format, args...).Proto()}}
	}
	w := g.s.writeStreams[name]
	offset := req.GetOffset()
	switch {
	case w == nil:
		return refuse(codes.NotFound, "Requested entity was not found. Entity: %s", name)
	case w.finalized:
		return refuse(codes.InvalidArgument, "The stream %s is finalized", name)
	case offset != nil && offset.Value < int64(len(w.rows)):
		return refuse(codes.AlreadyExists, "The offset is within stream, expected offset %d, received %d", len(w.rows),
			offset.Value)
	case offset != nil && offset.Value > int64(len(w.rows)):
		return refuse(codes.OutOfRange, "The offset is beyond stream, expected offset %d, received %d", len(w.rows),
			offset.Value)
	}
	var rows [][]any
	for i, text := range req.GetProtoRows().GetRows().GetSerializedRows() {
		if w.table.counts {
			rows = append(rows, nil)
			continue
		}
		row, err := decodeRow(schema, w.table.fields, text, req.GetMissingValueInterpretations())
		if err == nil {
			_, err = (cells{iso8601}).appendRow(nil, w.table.fields, row)
		}
		if err != nil {
			out := refuse(codes.InvalidArgument, "Errors found while processing rows. Please refer to the row_errors "+
				"field for details.")
			out.RowErrors = []*storagepb.RowError{
				{Index: int64(i), Code: storagepb.RowError_FIELDS_ERROR, Message: err.Error()},
			}
			return out
		}
		rows = append(rows, row)
	}
	at := int64(len(w.rows))
	w.rows = append(w.rows, rows...)
	if !w.pending {
		w.table.rows = append(w.table.rows, rows...)
	}
	return &storagepb.AppendRowsResponse{WriteStream: name, Response: &storagepb.AppendRowsResponse_AppendResult_{
		AppendResult: &storagepb.AppendRowsResponse_AppendResult{Offset: wrapperspb.Int64(at)}}}
}

// storageTypes are the names of the types in the Storage API.
var storageTypes = map[string]storagepb.TableFieldSchema_Type{"INTEGER": storagepb.TableFieldSchema_INT64,
	"FLOAT": storagepb.TableFieldSchema_DOUBLE, "BOOLEAN": storagepb.TableFieldSchema_BOOL,
	"RECORD": storagepb.TableFieldSchema_STRUCT}

func storageFields(fields []Field) []*storagepb.TableFieldSchema {
	out := make([]*storagepb.TableFieldSchema, len(fields))
	for i, f := range fields {
		typ, ok := storageTypes[f.Type]
		if !ok {
			typ = storagepb.TableFieldSchema_Type(storagepb.TableFieldSchema_Type_value[f.Type])
		}
		mode := storagepb.TableFieldSchema_NULLABLE
		if f.Mode != "" {
			mode = storagepb.TableFieldSchema_Mode(storagepb.TableFieldSchema_Mode_value[f.Mode])
		}
		out[i] = &storagepb.TableFieldSchema{Name: f.Name, Type: typ, Mode: mode, Fields: storageFields(f.Fields),
			MaxLength: f.MaxLength, Precision: f.Precision, Scale: f.Scale, Description: f.Description}
		if f.TimestampPrecision != 0 {
			out[i].TimestampPrecision = wrapperspb.Int64(f.TimestampPrecision)
		}
		if f.Default != nil {
			out[i].DefaultValueExpression = fmt.Sprint(f.Default)
		}
		if f.Element != "" {
			out[i].RangeElementType = &storagepb.TableFieldSchema_FieldElementType{
				Type: storagepb.TableFieldSchema_Type(storagepb.TableFieldSchema_Type_value[f.Element])}
		}
	}
	return out
}
