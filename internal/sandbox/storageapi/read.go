package storageapi

import (
	"context"
	"crypto/rand"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"

	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"
	"github.com/apache/arrow-go/v18/arrow"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/bigqueryuser/bigqueryuser/internal/storagewire"
)

const (
	// readSessionLife is how long the service keeps a session.
	readSessionLife = 6 * time.Hour
	// defaultStreams is how many streams a session has by default.
	defaultStreams = 4
)

// readSession is a result that is being read. Its streams are runs of its
// blocks.
type readSession struct {
	user    string
	rows    Rows
	schema  *arrow.Schema
	text    []byte // the schema as a message
	options *storagepb.ArrowSerializationOptions
	expires time.Time

	mu      sync.Mutex
	streams []readStream
}

// readStream is blocks [from, to) of its session.
type readStream struct{ from, to int }

// readSessions are the live sessions. The slice order has the oldest first.
type readSessions struct {
	mu     sync.Mutex
	byName map[string]*readSession
	order  []string
	bytes  int64
}

func (r *readSessions) add(name string, rs *readSession, limit int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.byName[name] = rs
	r.order = append(r.order, name)
	r.bytes += rs.rows.Result.Bytes
	for len(r.order) > 1 && r.bytes > limit {
		r.bytes -= r.byName[r.order[0]].rows.Result.Bytes
		delete(r.byName, r.order[0])
		r.order = r.order[1:]
	}
}

// CreateReadSession takes a snapshot of a table, or of a query's result, for reading over several
// streams.
func (s *Server) CreateReadSession(ctx context.Context, req *storagepb.CreateReadSessionRequest) (
	*storagepb.ReadSession, error) {
	if err := routed(ctx, "read_session.table"); err != nil {
		return nil, err
	}
	project, ok := strings.CutPrefix(req.GetParent(), "projects/")
	if !ok || project == "" || strings.Contains(project, "/") {
		return nil, status.Errorf(codes.InvalidArgument,
			"parent %q is not of the form projects/PROJECT", req.GetParent())
	}
	asked := req.GetReadSession()
	if err := checkRead(asked); err != nil {
		return nil, err
	}
	table, err := tableOf(asked.GetTable())
	if err != nil {
		return nil, err
	}
	options := asked.GetReadOptions()
	rows, err := s.backend.Read(ctx, project, table, options.GetSelectedFields(), options.GetRowRestriction())
	if err != nil {
		return nil, err
	}
	rs := &readSession{user: userOf(ctx), rows: rows, options: options.GetArrowSerializationOptions(),
		expires: s.now().Add(readSessionLife)}
	if rs.schema, err = storagewire.ArrowSchema(fieldsOf(rows.Columns), rs.options); err != nil {
		return nil, refuse(err.Error())
	}
	if rs.text, err = storagewire.SchemaMessage(rs.schema); err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	rs.deal(streamCount(req, len(rows.Result.Blocks)))
	name := fmt.Sprintf("projects/%s/locations/%s/sessions/%s", project, strings.ToLower(rows.Location), rand.Text())
	s.reads.add(name, rs, s.limit)
	out := &storagepb.ReadSession{
		Name: name, Table: asked.GetTable(), DataFormat: storagepb.DataFormat_ARROW, ReadOptions: options,
		ExpireTime: timestamppb.New(rs.expires), EstimatedRowCount: rows.Result.Rows,
		EstimatedTotalBytesScanned: rows.Bytes, TraceId: asked.GetTraceId(),
		Schema: &storagepb.ReadSession_ArrowSchema{ArrowSchema: &storagepb.ArrowSchema{SerializedSchema: rs.text}},
	}
	for i := range rs.streams {
		out.Streams = append(out.Streams, &storagepb.ReadStream{Name: streamName(name, i)})
	}
	return out, nil
}

// checkRead refuses a request that the service supports and the sandbox does
// not.
func checkRead(asked *storagepb.ReadSession) error {
	options := asked.GetReadOptions()
	switch {
	case asked.GetDataFormat() == storagepb.DataFormat_DATA_FORMAT_UNSPECIFIED:
		return status.Error(codes.InvalidArgument, "data_format must be set")
	case asked.GetDataFormat() != storagepb.DataFormat_ARROW:
		return refuse("the data_format " + asked.GetDataFormat().String())
	case asked.GetTableModifiers().GetSnapshotTime() != nil:
		return refuse("the snapshot_time of table_modifiers")
	case options != nil && options.SamplePercentage != nil:
		return refuse("sample_percentage")
	case options.GetResponseCompressionCodec() != 0:
		return refuse("the response_compression_codec " + options.GetResponseCompressionCodec().String())
	}
	return nil
}

// streamCount returns the number of streams for a session of this many blocks.
func streamCount(req *storagepb.CreateReadSessionRequest, blocks int) int {
	n := max(defaultStreams, int(req.GetPreferredMinStreamCount()))
	if limit := int(req.GetMaxStreamCount()); limit > 0 {
		n = limit
	}
	return min(n, blocks)
}

// deal gives each of n streams a run of blocks.
func (rs *readSession) deal(n int) {
	blocks := len(rs.rows.Result.Blocks)
	for i := range n {
		rs.streams = append(rs.streams, readStream{blocks * i / n, blocks * (i + 1) / n})
	}
}

func streamName(session string, i int) string { return fmt.Sprintf("%s/streams/%d", session, i) }

var streamPath = regexp.MustCompile(`^(projects/[^/]+/locations/[^/]+/sessions/[^/]+)/streams/(\d{1,9})$`)

// stream finds a stream of a session of the caller's.
func (s *Server) stream(ctx context.Context, name string) (string, *readSession, readStream, error) {
	none := readStream{}
	m := streamPath.FindStringSubmatch(name)
	if m == nil {
		return "", nil, none, status.Errorf(codes.InvalidArgument, "Invalid read stream name %q", name)
	}
	var i int
	_, _ = fmt.Sscan(m[2], &i) // it is a number
	s.reads.mu.Lock()
	rs := s.reads.byName[m[1]]
	s.reads.mu.Unlock()
	if rs == nil {
		return "", nil, none, status.Errorf(codes.NotFound, "Not found: read session %s", m[1])
	}
	rs.mu.Lock()
	defer rs.mu.Unlock()
	switch {
	case i >= len(rs.streams):
		return "", nil, none, status.Errorf(codes.NotFound, "Not found: read stream %s", name)
	case rs.user != userOf(ctx):
		return "", nil, none, status.Errorf(codes.PermissionDenied,
			"Permission 'bigquery.readsessions.getData' denied on read session %s", m[1])
	case !s.now().Before(rs.expires):
		return "", nil, none, status.Errorf(codes.FailedPrecondition, "Read session %s has expired", m[1])
	}
	return m[1], rs, rs.streams[i], nil
}

// ReadRows sends the rows of a stream from an offset on, a block a message.
func (s *Server) ReadRows(req *storagepb.ReadRowsRequest, out storagepb.BigQueryRead_ReadRowsServer) error {
	if err := routed(out.Context(), "read_stream"); err != nil {
		return err
	}
	_, rs, stream, err := s.stream(out.Context(), req.GetReadStream())
	if err != nil {
		return err
	}
	blocks := rs.rows.Result.Blocks[stream.from:stream.to]
	total, skip := 0, int(req.GetOffset())
	for _, b := range blocks {
		total += b.Rows
	}
	if skip < 0 || skip > total {
		return status.Errorf(codes.OutOfRange, "The offset %d is beyond the end of the stream, which has %d rows", skip,
			total)
	}
	at, first := 0, true
	for _, b := range blocks {
		from := min(max(skip-at, 0), b.Rows)
		at += b.Rows
		if from == b.Rows {
			continue
		}
		batch, err := batchOf(rs.schema, b, from, b.Rows)
		if err != nil {
			return status.Error(codes.Internal, err.Error())
		}
		text, err := storagewire.BatchMessage(batch, rs.text, rs.options)
		batch.Release()
		if err != nil {
			return status.Error(codes.Internal, err.Error())
		}
		rows := b.Rows - from
		resp := &storagepb.ReadRowsResponse{
			RowCount: int64(rows),
			Rows: &storagepb.ReadRowsResponse_ArrowRecordBatch{ArrowRecordBatch: &storagepb.ArrowRecordBatch{
				SerializedRecordBatch: text}},
			Stats: &storagepb.StreamStats{Progress: &storagepb.StreamStats_Progress{
				AtResponseStart: float64(at-rows) / float64(total), AtResponseEnd: float64(at) / float64(total)}},
		}
		if first {
			resp.Schema = &storagepb.ReadRowsResponse_ArrowSchema{
				ArrowSchema: &storagepb.ArrowSchema{SerializedSchema: rs.text}}
		}
		first = false
		if err := out.Send(resp); err != nil {
			return err
		}
	}
	return nil
}

// SplitReadStream splits a stream into two with the same rows, between two blocks. If it can't be
// split, the answer has no streams.
func (s *Server) SplitReadStream(ctx context.Context, req *storagepb.SplitReadStreamRequest) (
	*storagepb.SplitReadStreamResponse, error) {
	if err := routed(ctx, "name"); err != nil {
		return nil, err
	}
	fraction := req.GetFraction()
	switch {
	case fraction == 0:
		fraction = 0.5
	case !(fraction > 0 && fraction < 1):
		return nil, status.Errorf(codes.InvalidArgument, "fraction is %v: want one between 0 and 1", fraction)
	}
	session, rs, stream, err := s.stream(ctx, req.GetName())
	if err != nil {
		return nil, err
	}
	n := stream.to - stream.from
	if n < 2 {
		return &storagepb.SplitReadStreamResponse{}, nil
	}
	middle := stream.from + min(max(int(fraction*float64(n)), 1), n-1)
	rs.mu.Lock()
	defer rs.mu.Unlock()
	i := len(rs.streams)
	rs.streams = append(rs.streams, readStream{stream.from, middle}, readStream{middle, stream.to})
	return &storagepb.SplitReadStreamResponse{
		PrimaryStream:   &storagepb.ReadStream{Name: streamName(session, i)},
		RemainderStream: &storagepb.ReadStream{Name: streamName(session, i+1)},
	}, nil
}
