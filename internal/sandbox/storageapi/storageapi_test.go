package storageapi

import (
	"fmt"
	"math"
	"testing"

	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

func TestNames(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		path, want string
		code       codes.Code
	}{
		{"projects/p/datasets/d/tables/t", "p:d.t", codes.OK},
		{"projects/p/datasets/d/tables/", "", codes.InvalidArgument},
		{"projects/p/datasets/d/tables/t/streams/x", "", codes.InvalidArgument},
		{"p.d.t", "", codes.InvalidArgument},
	} {
		name, err := tableOf(tt.path)
		if status.Code(err) != tt.code || err == nil && name.String() != tt.want {
			t.Errorf("%s: got %s, %v; want %s", tt.path, name, err, tt.want)
		}
	}
	for name, want := range map[string]bool{"t/streams/_default": true, "t/_default": true, "t/streams/x": false} {
		if path, ok := defaultOf(name); ok != want || ok && path != "t" {
			t.Errorf("%s: got %s, %t; want t, %t", name, path, ok, want)
		}
	}
}

// TestStreamCounts: how many streams a session has, and that each block is in one of them.
func TestStreamCounts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ most, preferred, blocks, want int }{
		{0, 0, 0, 0}, {0, 0, 2, 2}, {0, 0, 100, 4}, {0, 9, 100, 9}, {1, 9, 100, 1}, {50, 0, 7, 7},
	} {
		n := streamCount(&storagepb.CreateReadSessionRequest{MaxStreamCount: int32(tt.most),
			PreferredMinStreamCount: int32(tt.preferred)}, tt.blocks)
		rs := &readSession{rows: Rows{Result: &engine.Result{Blocks: make([]*engine.Block, tt.blocks)}}}
		rs.deal(n)
		at := 0
		for _, s := range rs.streams {
			if s.from != at || s.to <= s.from {
				t.Errorf("%+v: stream %+v after block %d", tt, s, at)
			}
			at = s.to
		}
		if n != tt.want || at != tt.blocks {
			t.Errorf("%+v: got %d streams of %d blocks", tt, n, at)
		}
	}
}

// TestReadSessionsGiveWay: the oldest sessions give way, the newest never does.
func TestReadSessionsGiveWay(t *testing.T) {
	t.Parallel()
	r := readSessions{byName: map[string]*readSession{}}
	for i, tt := range []struct {
		bytes int64
		left  int
	}{{60, 1}, {40, 2}, {30, 2}, {500, 1}, {10, 1}} {
		r.add(fmt.Sprint(i), &readSession{rows: Rows{Result: &engine.Result{Bytes: tt.bytes}}}, 100)
		if len(r.byName) != tt.left || len(r.order) != tt.left || r.byName[fmt.Sprint(i)] == nil {
			t.Errorf("after session %d: got %v; want %d sessions, the newest among them", i, r.order, tt.left)
		}
	}
}

// TestWriteStreamStates: what a stream accepts, and whether it can be committed.
func TestWriteStreamStates(t *testing.T) {
	t.Parallel()
	at := func(n int64) *storagepb.AppendRowsRequest {
		return &storagepb.AppendRowsRequest{Offset: wrapperspb.Int64(n)}
	}
	for _, tt := range []struct {
		name string
		w    *writeStream
		req  *storagepb.AppendRowsRequest
		code codes.Code
	}{
		{"no offset", &writeStream{count: 3}, &storagepb.AppendRowsRequest{}, codes.OK},
		{"the next offset", &writeStream{count: 3}, at(3), codes.OK},
		{"rows that are there", &writeStream{count: 3}, at(0), codes.AlreadyExists},
		{"rows that are missing", &writeStream{count: 3}, at(4), codes.OutOfRange},
		{"finalized", &writeStream{finalized: true}, at(0), codes.InvalidArgument},
	} {
		if err := tt.w.takes("s", tt.req); status.Code(err) != tt.code {
			t.Errorf("%s: got %v; want %s", tt.name, err, tt.code)
		}
	}
	for _, tt := range []struct {
		name string
		w    *writeStream
		want storagepb.StorageError_StorageErrorCode
	}{
		{"unknown", nil, storagepb.StorageError_STREAM_NOT_FOUND},
		{"of another table", &writeStream{path: "u", pending: true, finalized: true}, storagepb.StorageError_STREAM_NOT_FOUND},
		{"committed at once", &writeStream{path: "t"}, storagepb.StorageError_INVALID_STREAM_TYPE},
		{"twice", &writeStream{path: "t", pending: true, committed: timestamppb.Now()},
			storagepb.StorageError_STREAM_ALREADY_COMMITTED},
		{"not finalized", &writeStream{path: "t", pending: true}, storagepb.StorageError_INVALID_STREAM_STATE},
		{"ready", &writeStream{path: "t", pending: true, finalized: true}, 0},
	} {
		if got := tt.w.committable("t"); got != tt.want {
			t.Errorf("%s: got %s; want %s", tt.name, got, tt.want)
		}
	}
}

// TestScalars converts values of protocol buffers to columns.
func TestScalars(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		kind googlesql.Kind
		x    any
		want string // of the field that the type uses; "" for an error
	}{
		{googlesql.Int64, int32(-5), "-5"}, {googlesql.Int64, uint64(math.MaxInt64), "9223372036854775807"},
		{googlesql.Int64, uint64(math.MaxUint64), ""}, {googlesql.Int64, 1.5, ""}, {googlesql.Int64, "7", ""},
		{googlesql.Float64, float32(0.5), "0.5"}, {googlesql.Float64, "x", ""},
		{googlesql.Bool, true, "true"}, {googlesql.Bool, "yes", ""},
		{googlesql.String, "x", "x"}, {googlesql.String, []byte("x"), ""}, {googlesql.Bytes, []byte("\xff"), "\xff"},
		{googlesql.Date, int32(1), "1"}, {googlesql.Date, int32(lastDay + 1), ""}, {googlesql.Date, "1970-01-03", "2"},
		{googlesql.Timestamp, int64(5), "5"}, {googlesql.Timestamp, int64(lastMicros + 1), ""},
		{googlesql.Timestamp, (&timestamppb.Timestamp{Seconds: 1, Nanos: 2999}).ProtoReflect(), "1000002"},
		{googlesql.Int64, wrapperspb.Int64(9).ProtoReflect(), "9"},
		{googlesql.Date, wrapperspb.Bool(true).ProtoReflect(), ""},
	} {
		got := ""
		x, err := scalar(fieldOf("c", googlesql.Type{Kind: tt.kind}), tt.x)
		if v, ok := x.(engine.Value); err == nil && ok {
			switch tt.kind {
			case googlesql.Float64:
				got = fmt.Sprint(v.Float)
			case googlesql.Bool:
				got = fmt.Sprint(v.Bool)
			case googlesql.String, googlesql.Bytes:
				got = v.Text
			default:
				got = fmt.Sprint(v.Int)
			}
		}
		if got != tt.want {
			t.Errorf("%T %v as %s: got %q, %v; want %q", tt.x, tt.x, tt.kind, got, err, tt.want)
		}
	}
}
