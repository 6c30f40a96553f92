package storageapi

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"sync"

	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

// writeStream is a stream that was created. What was appended to a pending one waits in it.
type writeStream struct {
	path    string // of the table
	table   googlesql.TableName
	pending bool
	created *timestamppb.Timestamp

	mu        sync.Mutex
	columns   []googlesql.Column // of the rows that wait
	rows      [][]engine.Value
	count     int64
	finalized bool
	committed *timestamppb.Timestamp
}

type writeStreams struct {
	mu     sync.Mutex
	byName map[string]*writeStream
}

// fault is a status with the APIs' own error in it.
func fault(code codes.Code, what storagepb.StorageError_StorageErrorCode, entity, format string, args ...any) error {
	message := fmt.Sprintf(format, args...)
	st, err := status.New(code, message).WithDetails(
		&storagepb.StorageError{Code: what, Entity: entity, ErrorMessage: message})
	if err != nil {
		return status.Error(codes.Internal, err.Error())
	}
	return st.Err()
}

func noStream(name string) error {
	return fault(codes.NotFound, storagepb.StorageError_STREAM_NOT_FOUND, name,
		"Requested entity was not found. Entity: %s", name)
}

// CreateWriteStream makes a pending or a committed stream.
func (s *Server) CreateWriteStream(ctx context.Context, req *storagepb.CreateWriteStreamRequest) (
	*storagepb.WriteStream, error) {
	if err := routed(ctx, "parent"); err != nil {
		return nil, err
	}
	name, err := tableOf(req.GetParent())
	if err != nil {
		return nil, err
	}
	typ := req.GetWriteStream().GetType()
	switch typ {
	case storagepb.WriteStream_PENDING, storagepb.WriteStream_COMMITTED:
	case storagepb.WriteStream_BUFFERED:
		return nil, refuse("streams of type BUFFERED")
	default:
		return nil, status.Errorf(codes.InvalidArgument, "Invalid stream type %s", typ)
	}
	t, err := s.backend.Table(ctx, name)
	if err != nil {
		return nil, err
	}
	w := &writeStream{path: req.GetParent(), table: name, pending: typ == storagepb.WriteStream_PENDING,
		created: timestamppb.New(s.now())}
	if !w.pending {
		w.committed = w.created
	}
	stream := req.GetParent() + "/streams/" + rand.Text()
	s.writes.mu.Lock()
	s.writes.byName[stream] = w
	s.writes.mu.Unlock()
	out := w.message(stream, t)
	out.TableSchema = &storagepb.TableSchema{Fields: fieldsOf(t.Columns)}
	return out, nil
}

func (w *writeStream) message(name string, t Table) *storagepb.WriteStream {
	out := &storagepb.WriteStream{Name: name, Type: storagepb.WriteStream_COMMITTED, CreateTime: w.created,
		CommitTime: w.committed, Location: strings.ToLower(t.Location), WriteMode: storagepb.WriteStream_INSERT}
	if w.pending {
		out.Type = storagepb.WriteStream_PENDING
	}
	return out
}

// defaultOf returns the path of the table whose default stream has the name.
func defaultOf(name string) (string, bool) {
	path, ok := strings.CutSuffix(name, "/streams/_default")
	if !ok {
		path, ok = strings.CutSuffix(name, "/_default")
	}
	return path, ok
}

// streamNamed finds a stream, and its table with the user's rights. A default stream is nil.
func (s *Server) streamNamed(ctx context.Context, name string) (*writeStream, googlesql.TableName, Table, error) {
	var w *writeStream
	path, isDefault := defaultOf(name)
	if !isDefault {
		s.writes.mu.Lock()
		w = s.writes.byName[name]
		s.writes.mu.Unlock()
		if w == nil {
			return nil, googlesql.TableName{}, Table{}, noStream(name)
		}
		path = w.path
	}
	table, err := tableOf(path)
	if err != nil {
		return nil, table, Table{}, err
	}
	t, err := s.backend.Table(ctx, table)
	return w, table, t, err
}

// GetWriteStream describes a stream. One with a commit_time has rows that can be seen.
func (s *Server) GetWriteStream(ctx context.Context, req *storagepb.GetWriteStreamRequest) (
	*storagepb.WriteStream, error) {
	if err := routed(ctx, "name"); err != nil {
		return nil, err
	}
	w, _, t, err := s.streamNamed(ctx, req.GetName())
	if err != nil {
		return nil, err
	}
	if w == nil {
		w = &writeStream{}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.message(req.GetName(), t)
	if req.GetView() == storagepb.WriteStreamView_FULL {
		out.TableSchema = &storagepb.TableSchema{Fields: fieldsOf(t.Columns)}
	}
	return out, nil
}

// FinalizeWriteStream ends the appending to a stream.
func (s *Server) FinalizeWriteStream(ctx context.Context, req *storagepb.FinalizeWriteStreamRequest) (
	*storagepb.FinalizeWriteStreamResponse, error) {
	if err := routed(ctx, "name"); err != nil {
		return nil, err
	}
	w, _, _, err := s.streamNamed(ctx, req.GetName())
	if err != nil {
		return nil, err
	}
	if w == nil {
		return nil, status.Error(codes.InvalidArgument, "FinalizeWriteStream is not supported on the default stream")
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.finalized = true
	return &storagepb.FinalizeWriteStreamResponse{RowCount: w.count}, nil
}

// FlushRows is for buffered streams, which the sandbox does not have.
func (s *Server) FlushRows(context.Context, *storagepb.FlushRowsRequest) (*storagepb.FlushRowsResponse, error) {
	return nil, refuse("FlushRows, which is for streams of type BUFFERED")
}

// BatchCommitWriteStreams makes the rows of pending streams of one table visible, all or none.
func (s *Server) BatchCommitWriteStreams(ctx context.Context, req *storagepb.BatchCommitWriteStreamsRequest) (
	*storagepb.BatchCommitWriteStreamsResponse, error) {
	if err := routed(ctx, "parent"); err != nil {
		return nil, err
	}
	table, err := tableOf(req.GetParent())
	if err != nil {
		return nil, err
	}
	if _, err := s.backend.Table(ctx, table); err != nil {
		return nil, err
	}
	out := &storagepb.BatchCommitWriteStreamsResponse{}
	streams, unlock := s.lockAll(req.GetWriteStreams())
	defer unlock()
	var columns []googlesql.Column
	var rows [][]engine.Value
	names := slices.Clone(req.GetWriteStreams())
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		w := streams[name]
		if code := w.committable(req.GetParent()); code != 0 {
			out.StreamErrors = append(out.StreamErrors, &storagepb.StorageError{Code: code, Entity: name,
				ErrorMessage: fmt.Sprintf("Stream %s can't be committed: %s", name, code)})
			continue
		}
		if w.columns == nil {
			continue // nothing was appended
		}
		if columns != nil && !sameColumns(columns, w.columns) {
			return nil, refuse("committing streams together between whose rows the table's schema has changed")
		}
		columns, rows = w.columns, append(rows, w.rows...)
	}
	if len(out.StreamErrors) > 0 {
		return out, nil
	}
	if len(rows) > 0 {
		if err := s.backend.Append(ctx, table, columns, rows); err != nil {
			return nil, err
		}
	}
	out.CommitTime = timestamppb.New(s.now())
	for _, w := range streams {
		w.committed, w.rows = out.CommitTime, nil
	}
	return out, nil
}

// lockAll locks the streams of a commit, in one order for all commits.
func (s *Server) lockAll(names []string) (map[string]*writeStream, func()) {
	s.writes.mu.Lock()
	defer s.writes.mu.Unlock() // one commit at a time takes its locks
	streams := map[string]*writeStream{}
	for _, name := range names {
		if w := s.writes.byName[name]; w != nil && streams[name] == nil {
			w.mu.Lock()
			streams[name] = w
		}
	}
	return streams, func() {
		for _, w := range streams {
			w.mu.Unlock()
		}
	}
}

// committable is why a stream can't be committed into a table; 0 if it can. It needs the stream's lock.
func (w *writeStream) committable(parent string) storagepb.StorageError_StorageErrorCode {
	switch {
	case w == nil || w.path != parent:
		return storagepb.StorageError_STREAM_NOT_FOUND
	case !w.pending:
		return storagepb.StorageError_INVALID_STREAM_TYPE
	case w.committed != nil:
		return storagepb.StorageError_STREAM_ALREADY_COMMITTED
	case !w.finalized:
		return storagepb.StorageError_INVALID_STREAM_STATE
	}
	return storagepb.StorageError_STORAGE_ERROR_CODE_UNSPECIFIED
}
