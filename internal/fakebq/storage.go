package fakebq

import (
	"context"
	"fmt"
	"io"
	"math"
	"net"
	"strings"
	"time"

	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/bigqueryuser/bigqueryuser/internal/fakecert"
)

// The methods of the Storage Read API.
const (
	CreateReadSession Method = "CreateReadSession"
	ReadRows          Method = "ReadRows"
)

const (
	// defaultBatchRows and defaultStreams are the server's defaults; the service chooses its own.
	defaultBatchRows = 4096
	defaultStreams   = 4
	// readSessionLife is how long the service keeps a session.
	readSessionLife = 6 * time.Hour
)

// storage is the Storage Read API of a server.
type storage struct {
	storagepb.UnimplementedBigQueryReadServer
	s *Server
}

// readSession is a read session of a table.
type readSession struct {
	table   *arrowTable
	repeat  int
	streams int
}

// streamBatch is a run of rows of the table.
type streamBatch struct{ from, to int }

// rows returns the number of rows of the result, with all of its copies.
func (r *readSession) rows() int { return r.table.table.rows * r.repeat }

// batches returns the number of batches of the result. No batch spans two copies.
func (r *readSession) batches() int {
	return r.repeat * r.perCopy()
}

func (r *readSession) perCopy() int { return (r.table.table.rows + r.table.size - 1) / r.table.size }

// at returns batch k of a stream. Batches are dealt to the streams in turn. It returns false after
// the last.
func (r *readSession) at(stream, k int) (streamBatch, bool) {
	i := stream + k*r.streams
	if i >= r.batches() {
		return streamBatch{}, false
	}
	from := i % r.perCopy() * r.table.size
	return streamBatch{from, min(from+r.table.size, r.table.table.rows)}, true
}

// StorageURL returns the address of the Storage Read API, with TLS if the server has HTTP2. The
// first call makes it listen.
func (s *Server) StorageURL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.storageURL != "" {
		return s.storageURL
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return ""
	}
	s.storageURL = "http://" + l.Addr().String()
	opts := []grpc.ServerOption{grpc.MaxSendMsgSize(math.MaxInt32), grpc.MaxRecvMsgSize(20 << 20)}
	if s.opts.HTTP2 {
		s.storageURL = "https://" + l.Addr().String()
		opts = append(opts, grpc.Creds(credentials.NewTLS(fakecert.Server("h2"))))
	}
	s.grpc = grpc.NewServer(opts...)
	storagepb.RegisterBigQueryReadServer(s.grpc, storage{s: s})
	storagepb.RegisterBigQueryWriteServer(s.grpc, writes{storage: storage{s: s}})
	go func() { _ = s.grpc.Serve(l) }() // ends in Close
	return s.storageURL
}

// called records a call and returns its fault.
func (g storage) called(ctx context.Context, m Method, routing string) (*StreamFault, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	g.s.mu.Lock()
	g.s.counts[m]++
	g.s.changed.Broadcast()
	var fault *StreamFault
	if queue := g.s.streamFaults[m]; len(queue) > 0 {
		fault, g.s.streamFaults[m] = &queue[0], queue[1:]
	}
	g.s.mu.Unlock()
	if fault != nil && fault.pass {
		fault = nil
	}
	if g.s.opts.Verify != nil {
		token, ok := strings.CutPrefix(strings.Join(md.Get("authorization"), ""), "Bearer ")
		if ok {
			_, ok = g.s.opts.Verify(token)
		}
		if !ok {
			return nil, status.Error(codes.Unauthenticated, "Request had invalid authentication credentials. Expected "+
				"OAuth 2 access token, login cookie or other valid authentication credential.")
		}
	}
	if !strings.Contains(strings.Join(md.Get("x-goog-request-params"), "&"), routing) {
		return nil, status.Errorf(codes.InvalidArgument, "the header x-goog-request-params lacks %s", routing)
	}
	return fault, nil
}

// CreateReadSession opens the result of a finished job for reading.
func (g storage) CreateReadSession(ctx context.Context, req *storagepb.CreateReadSessionRequest) (
	*storagepb.ReadSession, error) {
	fault, err := g.called(ctx, CreateReadSession, "read_session.table=")
	if err != nil {
		return nil, err
	}
	if fault != nil {
		if fault.Hang != nil && !g.s.wait(ctx, fault.Hang) {
			return nil, status.FromContextError(ctx.Err()).Err()
		}
		if fault.Code != codes.OK {
			return nil, fault.status()
		}
	}
	asked := req.GetReadSession()
	project, ok := strings.CutPrefix(req.GetParent(), "projects/")
	switch {
	case !ok || project == "":
		return nil, status.Errorf(codes.InvalidArgument, "parent %q is not of the form projects/PROJECT",
			req.GetParent())
	case asked.GetDataFormat() != storagepb.DataFormat_ARROW:
		return nil, status.Errorf(codes.InvalidArgument, "data_format is %s: this server has ARROW alone",
			asked.GetDataFormat())
	case asked.GetReadOptions().GetRowRestriction() != "" || asked.GetReadOptions().GetSamplePercentage() != 0:
		return nil, status.Error(codes.InvalidArgument, "this server knows no SQL, and so no row_restriction and no "+
			"sample_percentage")
	}
	j := g.s.resultNamed(asked.GetTable())
	if j == nil {
		return nil, status.Errorf(codes.NotFound, "Not found: Table %s", asked.GetTable())
	}
	size := j.answer.BatchRows
	if size <= 0 {
		size = defaultBatchRows
	}
	options := asked.GetReadOptions()
	table, err := j.table.arrow(options.GetSelectedFields(), size,
		options.GetArrowSerializationOptions())
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	r := &readSession{table: table, repeat: max(j.answer.Repeat, 1)}
	limit := int(req.GetMaxStreamCount())
	if limit <= 0 {
		limit = max(defaultStreams, int(req.GetPreferredMinStreamCount()))
	}
	r.streams = min(limit, r.batches())
	name := g.s.keepReadSession(fmt.Sprintf("projects/%s/locations/%s/sessions/", project, strings.ToLower(j.location)),
		r)
	session := &storagepb.ReadSession{
		Name: name, Table: asked.GetTable(), DataFormat: storagepb.DataFormat_ARROW,
		ReadOptions: asked.GetReadOptions(),
		ExpireTime:  timestamppb.New(g.s.opts.Now().Add(readSessionLife)), EstimatedRowCount: int64(r.rows()),
		Schema: &storagepb.ReadSession_ArrowSchema{ArrowSchema: &storagepb.ArrowSchema{SerializedSchema: table.text}},
	}
	for i := range r.streams {
		session.Streams = append(session.Streams, &storagepb.ReadStream{Name: fmt.Sprintf("%s/streams/%d", name, i)})
	}
	return session, nil
}

// keepReadSession stores a session under a name.
func (s *Server) keepReadSession(prefix string, r *readSession) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := fmt.Sprintf("%sread%d", prefix, s.next())
	s.readSessions[name] = r
	return name
}

// resultNamed returns the newest finished job with its result in the table
// projects/P/datasets/D/tables/T.
func (s *Server) resultNamed(table string) *job {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := len(s.order) - 1; i >= 0; i-- {
		j := s.order[i]
		if j.table == nil || !j.finished() || j.failure() != nil {
			continue
		}
		ref := j.configuration().Query.DestinationTable
		if ref != nil && table == tableName(ref) {
			return j
		}
	}
	return nil
}

// ReadRows sends the batches of a stream.
func (g storage) ReadRows(req *storagepb.ReadRowsRequest, out storagepb.BigQueryRead_ReadRowsServer) error {
	fault, err := g.called(out.Context(), ReadRows, "read_stream=")
	if err != nil {
		return err
	}
	name, number, _ := strings.Cut(req.GetReadStream(), "/streams/")
	var stream int
	_, err = fmt.Sscan(number, &stream)
	g.s.mu.Lock()
	r := g.s.readSessions[name]
	g.s.reads = newest(append(g.s.reads, Read{Stream: req.GetReadStream(), Offset: req.GetOffset()}))
	g.s.openStreams++
	g.s.mu.Unlock()
	defer func() {
		g.s.mu.Lock()
		defer g.s.mu.Unlock()
		g.s.openStreams--
		g.s.changed.Broadcast()
	}()
	if r == nil || err != nil || stream < 0 || stream >= r.streams {
		return status.Errorf(codes.NotFound, "Not found: read stream %s", req.GetReadStream())
	}
	err = g.send(r, stream, int(req.GetOffset()), fault, out)
	if err == io.EOF {
		return nil
	}
	return err
}

func (g storage) send(r *readSession, stream, offset int, fault *StreamFault,
	out storagepb.BigQueryRead_ReadRowsServer) error {
	first := true
	sent := 0
	for k := 0; ; k++ {
		b, ok := r.at(stream, k)
		if !ok {
			break
		}
		if skip := min(offset, b.to-b.from); skip > 0 {
			b.from += skip
			offset -= skip
			if b.from == b.to {
				continue
			}
		}
		if fault != nil && sent == fault.After {
			if err := g.play(fault, out.Context()); err != nil {
				return err
			}
		}
		text, err := r.table.batch(b.from, b.to)
		if err != nil {
			return status.Error(codes.Internal, err.Error())
		}
		rows := int64(b.to - b.from)
		if fault != nil && sent == fault.After {
			text, rows = fault.change(text, rows)
		}
		resp := &storagepb.ReadRowsResponse{
			RowCount: rows,
			Rows: &storagepb.ReadRowsResponse_ArrowRecordBatch{ArrowRecordBatch: &storagepb.ArrowRecordBatch{
				SerializedRecordBatch: text}},
			Stats: &storagepb.StreamStats{Progress: &storagepb.StreamStats_Progress{}},
		}
		if first {
			resp.Schema = &storagepb.ReadRowsResponse_ArrowSchema{ArrowSchema: &storagepb.ArrowSchema{
				SerializedSchema: r.table.text}}
		}
		first = false
		if fault != nil && fault.Empty && sent == fault.After {
			empty := &storagepb.ReadRowsResponse{Rows: &storagepb.ReadRowsResponse_ArrowRecordBatch{
				ArrowRecordBatch: &storagepb.ArrowRecordBatch{}}, Stats: resp.Stats}
			if err := out.Send(empty); err != nil {
				return err
			}
		}
		if err := out.Send(resp); err != nil {
			return err
		}
		sent++
	}
	if offset > 0 {
		return status.Error(codes.OutOfRange, "the offset is beyond the end of the stream")
	}
	if fault != nil && fault.After >= sent {
		return g.play(fault, out.Context())
	}
	return nil
}
