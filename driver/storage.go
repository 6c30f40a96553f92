package driver

import (
	"context"
	"fmt"
	"net/url"
	"runtime"
	"sync"
	"time"

	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"
	bq "google.golang.org/api/bigquery/v2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/bigqueryuser/bigqueryuser/dsn"
)

const (
	defaultStorageEndpoint = "https://bigquerystorage.googleapis.com"

	// maxMessageBytes bounds one message of the Storage Read API, which the service keeps below 128 MB.
	maxMessageBytes = 256 << 20
	// streamWindow and channelWindow are how many bytes the service may send ahead.
	streamWindow  = 4 << 20
	channelWindow = 8 << 20
	// maxStreams bounds the number of streams that are read at once.
	maxStreams = 8
	// refusalLife is how long a refusal of the Storage Read API is remembered. Until then results are
	// read over REST.
	refusalLife = 10 * time.Minute
	// absenceLife is the same for an API that does not answer. It takes dialLimit to notice a network
	// without gRPC.
	absenceLife = time.Minute
	dialLimit   = 5 * time.Second
	// sessionLimit bounds the request for a read session. After it rows are read over REST.
	sessionLimit = 30 * time.Second
	// silenceLimit is how long to wait for the next message of a stream before it is opened again.
	silenceLimit = 40 * time.Second
)

// storageMinBytes is how many bytes of JSON, two full pages, must remain for a result to be read through
// the Storage Read API. Opening it takes two requests before the first row.
const storageMinBytes = 20 << 20

// keepAlive detects a vanished network under a stream within 40 seconds. gRPC servers allow no more
// pings than that.
var keepAlive = keepalive.ClientParameters{Time: 28 * time.Second, Timeout: 8 * time.Second}

// storage is a connector's client of the Storage Read API. It connects when the first result is read.
type storage struct {
	endpoint string // "" means none, as with an endpoint in the DSN but no storage_endpoint
	agent    string
	project  string // billed
	quota    string // project whose API quota is used; may be ""
	tokens   *tokenSource
	network  network

	mu      sync.Mutex
	conn    *grpc.ClientConn
	refused time.Time // no request before this time
}

func newStorage(cfg *dsn.Config, agent string, tokens *tokenSource, n network) *storage {
	s := &storage{
		endpoint: cfg.StorageEndpoint, agent: agent, project: cfg.Project, quota: cfg.QuotaProject,
		tokens: tokens, network: n,
	}
	if s.endpoint == "" && cfg.Endpoint == "" {
		s.endpoint = defaultStorageEndpoint
	}
	return s
}

// wanted reports whether to use the API for a result with this many remaining
// bytes.
func (s *storage) wanted(readAPI string, bytes int64) bool {
	switch {
	case s.endpoint == "" || readAPI == "rest":
		return false
	case readAPI == "storage":
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return bytes >= storageMinBytes && time.Now().After(s.refused)
}

// refusals maps gRPC codes to how long they are remembered. They mean that the account may not use
// the API, or that the API does not answer.
var refusals = map[codes.Code]time.Duration{
	codes.PermissionDenied: refusalLife, codes.Unimplemented: refusalLife, codes.NotFound: refusalLife,
	codes.Unavailable: absenceLife,
}

func (s *storage) refuse(err error) {
	if life := refusals[status.Code(err)]; life > 0 {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.refused = time.Now().Add(life)
	}
}

// client returns the connection to the API, on which its first request connects.
func (s *storage) client() (*grpc.ClientConn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == nil {
		target, opts, err := s.network.grpcTarget(s.endpoint)
		if err != nil {
			return nil, err
		}
		s.conn, err = grpc.NewClient(target, append(opts,
			grpc.WithUserAgent(s.agent),
			grpc.WithKeepaliveParams(keepAlive),
			grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.DefaultConfig, MinConnectTimeout: dialLimit}),
			grpc.WithInitialWindowSize(streamWindow), grpc.WithInitialConnWindowSize(channelWindow),
			grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessageBytes)))...)
		if err != nil {
			return nil, err
		}
	}
	return s.conn, nil
}

func (s *storage) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil {
		_ = s.conn.Close() // all its calls have ended
		s.conn = nil
	}
}

// authorise returns the context of a call, with its token and the routing header.
func (s *storage) authorise(ctx context.Context, routing, value string) (context.Context, string, error) {
	pairs := []string{"x-goog-request-params", routing + "=" + url.QueryEscape(value)}
	if s.quota != "" {
		pairs = append(pairs, "x-goog-user-project", s.quota)
	}
	token := ""
	if s.tokens != nil {
		if err := s.tokens.ready(ctx); err != nil {
			return nil, "", err
		}
		t, err := s.tokens.Token()
		if err != nil {
			return nil, "", err
		}
		token = t.AccessToken
		pairs = append(pairs, "authorization", "Bearer "+token)
	}
	return metadata.AppendToOutgoingContext(ctx, pairs...), token, nil
}

// refusedToken invalidates a token that was refused. It reports whether err was that refusal.
func (s *storage) refusedToken(err error, token string) bool {
	if status.Code(err) != codes.Unauthenticated || s.tokens == nil || s.tokens.invalidate == nil {
		return false
	}
	s.tokens.invalidate(token)
	return true
}

// createSession creates a read session of a table with at most this many
// streams.
func (s *storage) createSession(
	ctx context.Context, table *bq.TableReference, streams int, format timestamps,
) (*storagepb.ReadSession, error) {
	conn, err := s.client()
	if err != nil {
		return nil, err
	}
	name := fmt.Sprintf("projects/%s/datasets/%s/tables/%s", table.ProjectId, table.DatasetId, table.TableId)
	req := &storagepb.CreateReadSessionRequest{
		Parent: "projects/" + s.project,
		ReadSession: &storagepb.ReadSession{
			Table: name, DataFormat: storagepb.DataFormat_ARROW,
			ReadOptions: &storagepb.ReadSession_TableReadOptions{
				OutputFormatSerializationOptions: &storagepb.ReadSession_TableReadOptions_ArrowSerializationOptions{
					ArrowSerializationOptions: &storagepb.ArrowSerializationOptions{
						BufferCompression: storagepb.ArrowSerializationOptions_LZ4_FRAME,
					},
				},
			},
		},
		MaxStreamCount: int32(streams), PreferredMinStreamCount: int32(streams),
	}
	if streams == 1 {
		req.PreferredMinStreamCount = 0
	}
	if format == exact {
		arrow := req.ReadSession.ReadOptions.GetArrowSerializationOptions()
		arrow.PicosTimestampPrecision = storagepb.ArrowSerializationOptions_TIMESTAMP_PRECISION_PICOS
	}
	for renewed := false; ; renewed = true {
		call, token, err := s.authorise(ctx, "read_session.table", name)
		if err != nil {
			return nil, err
		}
		call, cancel := context.WithTimeout(call, sessionLimit)
		session, err := storagepb.NewBigQueryReadClient(conn).CreateReadSession(call, req)
		cancel()
		if err == nil || renewed || !s.refusedToken(err, token) {
			return session, err
		}
	}
}

// readRows opens a stream at the row offset.
func (s *storage) readRows(ctx context.Context, stream string, offset int64, keep bool) (*rowsStream, string, error) {
	conn, err := s.client()
	if err != nil {
		return nil, "", err
	}
	call, token, err := s.authorise(ctx, "read_stream", stream)
	if err != nil {
		return nil, "", err
	}
	rows, err := newRowsStream(call, conn, &storagepb.ReadRowsRequest{ReadStream: stream, Offset: offset}, keep)
	return rows, token, err
}

// streamCount returns the number of streams to read at once.
func streamCount() int { return min(runtime.GOMAXPROCS(0), maxStreams) }

// resumable reports whether to open a broken stream again at the row where it broke. Errors of the
// service and of the network are temporary; errors of the request are not.
func resumable(err error) bool {
	if isA[*unreadableRows](err) || lasting(err) {
		return false
	}
	s, ok := status.FromError(err)
	if !ok {
		return faultOf(err).passing()
	}
	switch s.Code() {
	case codes.Unavailable, codes.DeadlineExceeded, codes.Aborted, codes.ResourceExhausted,
		codes.Internal, codes.Unknown, codes.Canceled:
		return true
	}
	return false
}
