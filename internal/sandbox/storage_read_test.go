package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"cloud.google.com/go/bigquery"
	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"golang.org/x/oauth2"
	"google.golang.org/api/iterator"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// bearer carries a token without TLS, which a loopback address does without.
type bearer string

func (b bearer) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + string(b)}, nil
}

func (bearer) RequireTransportSecurity() bool { return false }

// storageOptions are those of the official clients of the Storage APIs.
func storageOptions(s *Server, tok *oauth2.Token) []option.ClientOption {
	return []option.ClientOption{option.WithEndpoint(strings.TrimPrefix(s.StorageEndpoint(), "http://")),
		option.WithoutAuthentication(),
		option.WithGRPCDialOption(grpc.WithTransportCredentials(insecure.NewCredentials())),
		option.WithGRPCDialOption(grpc.WithPerRPCCredentials(bearer(tok.AccessToken)))}
}

// storageConn is a connection to the Storage APIs of a user.
func storageConn(t testing.TB, s *Server, tok string) *grpc.ClientConn {
	t.Helper()
	opts := []grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials())}
	if tok != "" {
		opts = append(opts, grpc.WithPerRPCCredentials(bearer(tok)))
	}
	conn, err := grpc.NewClient(strings.TrimPrefix(s.StorageEndpoint(), "http://"), opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// tablePath is the name of a table of the default project.
func tablePath(name string) string {
	dataset, table, _ := strings.Cut(name, ".")
	return fmt.Sprintf("projects/%s/datasets/%s/tables/%s", DefaultProject, dataset, table)
}

func routing(ctx context.Context, params string) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "x-goog-request-params", params)
}

// reading is a request for a session of a table.
func reading(table string) *storagepb.CreateReadSessionRequest {
	return &storagepb.CreateReadSessionRequest{Parent: "projects/" + DefaultProject, ReadSession: &storagepb.ReadSession{
		Table: tablePath(table), DataFormat: storagepb.DataFormat_ARROW,
		ReadOptions: &storagepb.ReadSession_TableReadOptions{},
	}}
}

// readInts reads the INT64 column of a stream from an offset on.
func readInts(t testing.TB, c storagepb.BigQueryReadClient, session *storagepb.ReadSession, stream string,
	offset int64) ([]int64, error) {
	t.Helper()
	rows, err := c.ReadRows(routing(t.Context(), "read_stream="+stream),
		&storagepb.ReadRowsRequest{ReadStream: stream, Offset: offset})
	if err != nil {
		t.Fatal(err)
	}
	var out []int64
	for {
		resp, err := rows.Recv()
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		text := append(bytes.Clone(session.GetArrowSchema().GetSerializedSchema()),
			resp.GetArrowRecordBatch().GetSerializedRecordBatch()...)
		r, err := ipc.NewReader(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if !r.Next() || r.RecordBatch().NumRows() != resp.RowCount {
			t.Fatalf("got no batch of %d rows: %v", resp.RowCount, r.Err())
		}
		out = append(out, r.RecordBatch().Column(0).(*array.Int64).Int64Values()...)
		r.Release()
	}
}

func TestReadSession(t *testing.T) {
	t.Parallel()
	s := start(t, Config{NoData: true, Open: true})
	exec(t, s, "CREATE SCHEMA d", "CREATE TABLE d.n (x INT64 NOT NULL, s STRING)",
		"INSERT INTO d.n SELECT x, CAST(x AS STRING) FROM UNNEST(GENERATE_ARRAY(0, 9999)) AS x ORDER BY x")
	c := storagepb.NewBigQueryReadClient(storageConn(t, s, ""))
	ctx := routing(t.Context(), "read_session.table=x")
	for _, tt := range []struct {
		name    string
		change  func(*storagepb.CreateReadSessionRequest, *storagepb.ReadSession_TableReadOptions)
		streams int
		rows    int
	}{
		{"as it is", func(*storagepb.CreateReadSessionRequest, *storagepb.ReadSession_TableReadOptions) {}, 4, 10000},
		{"one stream", func(r *storagepb.CreateReadSessionRequest, _ *storagepb.ReadSession_TableReadOptions) {
			r.MaxStreamCount = 1
		}, 1, 10000},
		{"more streams than blocks", func(r *storagepb.CreateReadSessionRequest, _ *storagepb.ReadSession_TableReadOptions) {
			r.MaxStreamCount = 100
		}, 5, 10000},
		{"a restriction", func(_ *storagepb.CreateReadSessionRequest, o *storagepb.ReadSession_TableReadOptions) {
			o.RowRestriction = "MOD(x, 2) = 0 AND s LIKE '1%'"
		}, 1, 555},
		{"LZ4", func(_ *storagepb.CreateReadSessionRequest, o *storagepb.ReadSession_TableReadOptions) {
			o.OutputFormatSerializationOptions = &storagepb.ReadSession_TableReadOptions_ArrowSerializationOptions{
				ArrowSerializationOptions: &storagepb.ArrowSerializationOptions{
					BufferCompression: storagepb.ArrowSerializationOptions_LZ4_FRAME}}
		}, 4, 10000},
		{"ZSTD", func(_ *storagepb.CreateReadSessionRequest, o *storagepb.ReadSession_TableReadOptions) {
			o.OutputFormatSerializationOptions = &storagepb.ReadSession_TableReadOptions_ArrowSerializationOptions{
				ArrowSerializationOptions: &storagepb.ArrowSerializationOptions{
					BufferCompression: storagepb.ArrowSerializationOptions_ZSTD}}
		}, 4, 10000},
		{"no rows", func(_ *storagepb.CreateReadSessionRequest, o *storagepb.ReadSession_TableReadOptions) {
			o.RowRestriction = "x < 0"
		}, 0, 0},
	} {
		req := reading("d.n")
		req.ReadSession.ReadOptions.SelectedFields = []string{"x"}
		tt.change(req, req.ReadSession.ReadOptions)
		session, err := c.CreateReadSession(ctx, req)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		var all []int64
		for _, stream := range session.Streams {
			rows, err := readInts(t, c, session, stream.Name, 0)
			if err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
			all = append(all, rows...)
		}
		if len(session.Streams) != tt.streams || len(all) != tt.rows || session.EstimatedRowCount != int64(tt.rows) {
			t.Errorf("%s: got %d streams, %d rows, %d estimated; want %d, %d", tt.name, len(session.Streams), len(all),
				session.EstimatedRowCount, tt.streams, tt.rows)
		}
		for i := 1; i < len(all); i++ {
			if all[i] <= all[i-1] {
				t.Errorf("%s: row %d is %d after %d", tt.name, i, all[i], all[i-1])
				break
			}
		}
	}
}

// TestReadStream: a stream is read again from any row on, and is split between its rows.
func TestReadStream(t *testing.T) {
	t.Parallel()
	s := start(t, Config{NoData: true, Open: true})
	exec(t, s, "CREATE SCHEMA d", "CREATE TABLE d.n (x INT64)",
		"INSERT INTO d.n SELECT x FROM UNNEST(GENERATE_ARRAY(0, 4999)) AS x ORDER BY x")
	c := storagepb.NewBigQueryReadClient(storageConn(t, s, ""))
	req := reading("d.n")
	req.MaxStreamCount = 1
	session, err := c.CreateReadSession(routing(t.Context(), "read_session.table=x"), req)
	if err != nil {
		t.Fatal(err)
	}
	stream := session.Streams[0].Name
	exec(t, s, "DELETE FROM d.n WHERE TRUE") // the session is a snapshot
	for _, offset := range []int64{0, 1, 2047, 2048, 2049, 4999, 5000} {
		rows, err := readInts(t, c, session, stream, offset)
		if err != nil || int64(len(rows)) != 5000-offset || len(rows) > 0 && rows[0] != offset {
			t.Errorf("offset %d: got %d rows, %v", offset, len(rows), err)
		}
	}
	if _, err := readInts(t, c, session, stream, 5001); status.Code(err) != codes.OutOfRange {
		t.Errorf("offset 5001: got %v; want OutOfRange", err)
	}
	split, err := c.SplitReadStream(routing(t.Context(), "name=x"),
		&storagepb.SplitReadStreamRequest{Name: stream, Fraction: 0.4})
	if err != nil || split.PrimaryStream == nil || split.RemainderStream == nil {
		t.Fatalf("got %v, %v", split, err)
	}
	first, err1 := readInts(t, c, session, split.PrimaryStream.Name, 0)
	rest, err2 := readInts(t, c, session, split.RemainderStream.Name, 0)
	if err1 != nil || err2 != nil || len(first) == 0 || len(rest) == 0 || len(first)+len(rest) != 5000 ||
		rest[0] != int64(len(first)) {
		t.Errorf("got %d and %d rows, %v, %v", len(first), len(rest), err1, err2)
	}
	split, err = c.SplitReadStream(routing(t.Context(), "name=x"),
		&storagepb.SplitReadStreamRequest{Name: split.PrimaryStream.Name})
	if err != nil || split.PrimaryStream != nil || split.RemainderStream != nil {
		t.Errorf("a stream of one block: got %v, %v; want no streams", split, err)
	}
}

func TestReadRefused(t *testing.T) {
	t.Parallel()
	s := start(t, Config{NoData: true, Projects: map[string][]string{DefaultAccount: {DefaultProject, "other"},
		"eve@example.com": {"hers"}}})
	exec(t, s, "CREATE SCHEMA d", "CREATE TABLE d.n (x INT64)", "CREATE VIEW d.v AS SELECT 1 AS x")
	ada := signIn(t, s, DefaultAccount).AccessToken
	eve := signIn(t, s, "eve@example.com").AccessToken
	half := 50.0
	type request = storagepb.CreateReadSessionRequest
	for _, tt := range []struct {
		name, token string
		change      func(*request)
		code        codes.Code
		message     string
	}{
		{"no token", "", func(*request) {}, codes.Unauthenticated, "credential"},
		{"a wrong token", "x", func(*request) {}, codes.Unauthenticated, "invalid"},
		{"no rights in the project", eve, func(*request) {}, codes.PermissionDenied, "bigquery.readsessions.create"},
		{"no rights in the table", eve, func(r *request) { r.Parent = "projects/hers" }, codes.PermissionDenied,
			"bigquery.tables.getData"},
		{"no parent", ada, func(r *request) { r.Parent = "" }, codes.InvalidArgument, "parent"},
		{"no format", ada, func(r *request) { r.ReadSession.DataFormat = 0 }, codes.InvalidArgument, "data_format"},
		{"Avro", ada, func(r *request) { r.ReadSession.DataFormat = storagepb.DataFormat_AVRO }, codes.InvalidArgument,
			"does not support the data_format AVRO"},
		{"a sample", ada, func(r *request) { r.ReadSession.ReadOptions.SamplePercentage = &half }, codes.InvalidArgument,
			"sample_percentage"},
		{"no such table", ada, func(r *request) { r.ReadSession.Table = tablePath("d.nosuch") }, codes.NotFound,
			"Not found: Table my-billing-project:d.nosuch"},
		{"no table", ada, func(r *request) { r.ReadSession.Table = "d.n" }, codes.InvalidArgument, "table reference"},
		{"a view", ada, func(r *request) { r.ReadSession.Table = tablePath("d.v") }, codes.InvalidArgument,
			"non-table entities"},
		{"no such column", ada, func(r *request) { r.ReadSession.ReadOptions.SelectedFields = []string{"y"} },
			codes.InvalidArgument, "no such columns"},
		{"a wrong restriction", ada, func(r *request) { r.ReadSession.ReadOptions.RowRestriction = "nosuch = 1" },
			codes.InvalidArgument, "Unrecognized name: nosuch"},
		{"a subquery", ada, func(r *request) {
			r.ReadSession.ReadOptions.RowRestriction = "x IN (SELECT x FROM d.v)"
		}, codes.InvalidArgument, "is not an expression over the columns"},
	} {
		req := reading("d.n")
		tt.change(req)
		c := storagepb.NewBigQueryReadClient(storageConn(t, s, tt.token))
		_, err := c.CreateReadSession(routing(t.Context(), "read_session.table=x"), req)
		if status.Code(err) != tt.code || !strings.Contains(status.Convert(err).Message(), tt.message) {
			t.Errorf("%s: got %v; want %s with %q", tt.name, err, tt.code, tt.message)
		}
	}
	c := storagepb.NewBigQueryReadClient(storageConn(t, s, ada))
	if _, err := c.CreateReadSession(t.Context(), reading("d.n")); status.Code(err) != codes.InvalidArgument {
		t.Errorf("without the routing header: got %v; want InvalidArgument", err)
	}
	exec(t, s, "INSERT INTO d.n VALUES (1)")
	session, err := c.CreateReadSession(routing(t.Context(), "read_session.table=x"), reading("d.n"))
	if err != nil {
		t.Fatal(err)
	}
	hers := storagepb.NewBigQueryReadClient(storageConn(t, s, eve))
	if _, err := readInts(t, hers, session, session.Streams[0].Name, 0); status.Code(err) != codes.PermissionDenied {
		t.Errorf("another user's session: got %v; want PermissionDenied", err)
	}
}

// TestStorageIterator: the official client reads tables and the results of queries over the Storage Read API.
func TestStorageIterator(t *testing.T) {
	t.Parallel()
	s := start(t, Config{NoData: true})
	exec(t, s, "CREATE SCHEMA d", "CREATE TABLE d.n (x INT64, s STRING)",
		"INSERT INTO d.n SELECT x, CONCAT('s', CAST(x AS STRING)) FROM UNNEST(GENERATE_ARRAY(1, 5000)) AS x")
	tok := signIn(t, s, DefaultAccount)
	c := official(t, s, tok, DefaultProject)
	if err := c.EnableStorageReadClient(t.Context(), storageOptions(s, tok)...); err != nil {
		t.Fatal(err)
	}
	sum := func(it *bigquery.RowIterator, err error) (total int64) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		for {
			var row struct {
				X int64
				S string
			}
			err := it.Next(&row)
			if errors.Is(err, iterator.Done) {
				break
			}
			if err != nil || row.S != fmt.Sprint("s", row.X) {
				t.Fatalf("got %+v, %v", row, err)
			}
			total += row.X
		}
		if !it.IsAccelerated() {
			t.Error("the rows came over REST")
		}
		return total
	}
	if got := sum(c.Dataset("d").Table("n").Read(t.Context()), nil); got != 5000*5001/2 {
		t.Errorf("a table: got %d", got)
	}
	q := c.Query("SELECT x, s FROM d.n WHERE x <= 3000 ORDER BY x DESC")
	job, err := q.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := sum(job.Read(t.Context())); got != 3000*3001/2 {
		t.Errorf("a query: got %d", got)
	}
	if n := s.Requests()["bigquerystorage.CreateReadSession"]; n != 2 {
		t.Errorf("got %d sessions; want 2", n)
	}
	// The anonymous table can be seen and read over REST as well.
	conf, err := job.Config()
	if err != nil {
		t.Fatal(err)
	}
	dst := conf.(*bigquery.QueryConfig).Dst
	md, err := dst.Metadata(t.Context())
	if err != nil || md.NumRows != 3000 || len(md.Schema) != 2 || md.ExpirationTime.IsZero() {
		t.Errorf("got %+v, %v", md, err)
	}
	data, err := rest(t, s, tok).Tabledata.List(dst.ProjectID, dst.DatasetID, dst.TableID).MaxResults(2).StartIndex(1).
		SelectedFields("s").Do()
	if err != nil || data.TotalRows != 3000 || len(data.Rows) != 2 || data.Rows[0].F[0].V != "s2999" {
		t.Errorf("got %+v, %v", data, err)
	}
}

// storageRESTOptions are those of an official client of an open sandbox.
func storageRESTOptions(t testing.TB, s *Server) []option.ClientOption {
	opts := []option.ClientOption{option.WithEndpoint(s.Endpoint())}
	if s.cfg.Open {
		return append(opts, option.WithHTTPClient(quietClient(t)))
	}
	return append(opts, option.WithHTTPClient(authorized(t, signIn(t, s, DefaultAccount))))
}
