package sandbox

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/bigquery"
	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"
	"cloud.google.com/go/bigquery/storage/managedwriter"
	"cloud.google.com/go/bigquery/storage/managedwriter/adapt"
	"google.golang.org/api/iterator"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/bigqueryuser/bigqueryuser/internal/storagewire"
)

// writerSchema describes rows of INT64 and STRING fields: "x:int s:text".
func writerSchema(fields string) *descriptorpb.DescriptorProto {
	d := &descriptorpb.DescriptorProto{Name: proto.String("Row")}
	for i, f := range strings.Fields(fields) {
		name, typ, _ := strings.Cut(f, ":")
		kind := descriptorpb.FieldDescriptorProto_TYPE_INT64
		if typ == "text" {
			kind = descriptorpb.FieldDescriptorProto_TYPE_STRING
		}
		d.Field = append(d.Field, &descriptorpb.FieldDescriptorProto{Name: &name, Number: proto.Int32(int32(i + 1)),
			Type: &kind, Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum()})
	}
	return d
}

// row encodes values of a writer's schema; nil leaves a field out.
func row(t testing.TB, d *descriptorpb.DescriptorProto, values ...any) []byte {
	t.Helper()
	schema, err := storagewire.Schema(d)
	if err != nil {
		t.Fatal(err)
	}
	m := dynamicpb.NewMessage(schema)
	for i, v := range values {
		if v != nil {
			m.Set(schema.Fields().Get(i), protoreflect.ValueOf(v))
		}
	}
	text, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func appending(stream string, d *descriptorpb.DescriptorProto, offset int64, rows ...[]byte,
) *storagepb.AppendRowsRequest {
	req := &storagepb.AppendRowsRequest{WriteStream: stream, Rows: &storagepb.AppendRowsRequest_ProtoRows{
		ProtoRows: &storagepb.AppendRowsRequest_ProtoData{
			WriterSchema: &storagepb.ProtoSchema{ProtoDescriptor: d},
			Rows:         &storagepb.ProtoRows{SerializedRows: rows},
		}}}
	if offset >= 0 {
		req.Offset = wrapperspb.Int64(offset)
	}
	return req
}

// appendAll makes one call of AppendRows with the requests, and returns the last answer.
func appendAll(t testing.TB, c storagepb.BigQueryWriteClient, requests ...*storagepb.AppendRowsRequest) (
	*storagepb.AppendRowsResponse, error) {
	t.Helper()
	conn, err := c.AppendRows(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.CloseSend() }()
	var resp *storagepb.AppendRowsResponse
	for _, req := range requests {
		if err := conn.Send(req); err != nil {
			_, err = conn.Recv()
			return nil, err
		}
		if resp, err = conn.Recv(); err != nil {
			return nil, err
		}
	}
	if e := resp.GetError(); e != nil {
		return resp, status.FromProto(e).Err()
	}
	return resp, nil
}

// storageCode is the APIs' own code in an error.
func storageCode(err error) storagepb.StorageError_StorageErrorCode {
	for _, d := range status.Convert(err).Details() {
		if e, ok := d.(*storagepb.StorageError); ok {
			return e.Code
		}
	}
	return 0
}

func newStream(t testing.TB, c storagepb.BigQueryWriteClient, table string, typ storagepb.WriteStream_Type) string {
	t.Helper()
	w, err := c.CreateWriteStream(routing(t.Context(), "parent=x"), &storagepb.CreateWriteStreamRequest{
		Parent: tablePath(table), WriteStream: &storagepb.WriteStream{Type: typ}})
	if err != nil {
		t.Fatal(err)
	}
	if w.TableSchema == nil || (w.CommitTime != nil) == (typ == storagepb.WriteStream_PENDING) {
		t.Errorf("got %v", w)
	}
	return w.Name
}

// values are the rows of a query as text.
func values(t testing.TB, s *Server, sql string) string {
	t.Helper()
	c, err := bigquery.NewClient(t.Context(), DefaultProject, storageRESTOptions(t, s)...)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	it, err := c.Query(sql).Read(t.Context())
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	var rows []string
	for {
		var row []bigquery.Value
		err := it.Next(&row)
		if err == iterator.Done {
			return strings.Join(rows, " ")
		}
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, fmt.Sprint(row))
	}
}

func TestWriteStreams(t *testing.T) {
	t.Parallel()
	s := start(t, Config{NoData: true, Open: true})
	exec(t, s, "CREATE SCHEMA d", "CREATE TABLE d.n (x INT64 NOT NULL, s STRING DEFAULT 'none')")
	c := storagepb.NewBigQueryWriteClient(storageConn(t, s, ""))
	d := writerSchema("x:int s:text")
	x := writerSchema("x:int")
	check := func(step, want string) {
		t.Helper()
		if got := values(t, s, "SELECT x, s FROM d.n ORDER BY x"); got != want {
			t.Errorf("%s: got %s; want %s", step, got, want)
		}
	}
	// The default stream: seen at once, without offsets.
	always := tablePath("d.n") + "/streams/_default"
	resp, err := appendAll(t, c, appending(always, d, -1, row(t, d, int64(1), "a"), row(t, d, int64(2), nil)))
	if err != nil || resp.GetAppendResult() == nil || resp.GetAppendResult().Offset != nil {
		t.Errorf("default: got %v, %v", resp, err)
	}
	check("default", "[1 a] [2 <nil>]")
	_, err = appendAll(t, c, appending(always, d, 0, row(t, d, int64(1), "a")))
	if status.Code(err) != codes.InvalidArgument {
		t.Errorf("default with an offset: got %v", err)
	}
	// A committed one: seen at once, each offset once.
	committed := newStream(t, c, "d.n", storagepb.WriteStream_COMMITTED)
	three := appending(committed, d, 0, row(t, d, int64(3), "c"))
	if resp, err := appendAll(t, c, three); err != nil || resp.GetAppendResult().Offset.GetValue() != 0 {
		t.Errorf("committed: got %v, %v", resp, err)
	}
	check("committed", "[1 a] [2 <nil>] [3 c]")
	_, err = appendAll(t, c, three)
	if status.Code(err) != codes.AlreadyExists || storageCode(err) != storagepb.StorageError_OFFSET_ALREADY_EXISTS {
		t.Errorf("an offset again: got %v", err)
	}
	_, err = appendAll(t, c, appending(committed, d, 2, row(t, d, int64(4), "d")))
	if status.Code(err) != codes.OutOfRange || storageCode(err) != storagepb.StorageError_OFFSET_OUT_OF_RANGE {
		t.Errorf("an offset too far: got %v", err)
	}
	// Defaults, as the request asks.
	four := appending(committed, x, 1, row(t, x, int64(4)))
	four.DefaultMissingValueInterpretation = storagepb.AppendRowsRequest_DEFAULT_VALUE
	five := appending("", nil, 2, row(t, x, int64(5)))
	five.GetProtoRows().WriterSchema = nil
	five.MissingValueInterpretations = map[string]storagepb.AppendRowsRequest_MissingValueInterpretation{
		"s": storagepb.AppendRowsRequest_NULL_VALUE}
	if _, err := appendAll(t, c, four, five); err != nil {
		t.Errorf("defaults: %v", err)
	}
	check("defaults", "[1 a] [2 <nil>] [3 c] [4 none] [5 <nil>]")
	fin := func(stream string) (*storagepb.FinalizeWriteStreamResponse, error) {
		return c.FinalizeWriteStream(routing(t.Context(), "name=x"), &storagepb.FinalizeWriteStreamRequest{Name: stream})
	}
	if f, err := fin(committed); err != nil || f.RowCount != 3 {
		t.Errorf("finalize: got %v, %v", f, err)
	}
	_, err = appendAll(t, c, appending(committed, d, 3, row(t, d, int64(6), "f")))
	if status.Code(err) != codes.InvalidArgument || storageCode(err) != storagepb.StorageError_STREAM_FINALIZED {
		t.Errorf("after finalize: got %v", err)
	}
	// Pending ones: seen together, when they are committed, once.
	exec(t, s, "TRUNCATE TABLE d.n")
	one := newStream(t, c, "d.n", storagepb.WriteStream_PENDING)
	two := newStream(t, c, "d.n", storagepb.WriteStream_PENDING)
	for i, stream := range []string{one, two} {
		if _, err := appendAll(t, c, appending(stream, d, 0, row(t, d, int64(i), "p"))); err != nil {
			t.Errorf("pending: %v", err)
		}
	}
	commit := func(streams ...string) *storagepb.BatchCommitWriteStreamsResponse {
		t.Helper()
		out, err := c.BatchCommitWriteStreams(routing(t.Context(), "parent=x"),
			&storagepb.BatchCommitWriteStreamsRequest{Parent: tablePath("d.n"), WriteStreams: streams})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	if _, err := fin(one); err != nil {
		t.Error(err)
	}
	out := commit(one, two, committed, "nosuch")
	got := map[string]storagepb.StorageError_StorageErrorCode{}
	for _, e := range out.StreamErrors {
		got[e.Entity] = e.Code
	}
	want := map[string]storagepb.StorageError_StorageErrorCode{two: storagepb.StorageError_INVALID_STREAM_STATE,
		committed: storagepb.StorageError_INVALID_STREAM_TYPE, "nosuch": storagepb.StorageError_STREAM_NOT_FOUND}
	if out.CommitTime != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("a commit that fails: got %v", out)
	}
	check("a commit that fails", "")
	if _, err := fin(two); err != nil {
		t.Error(err)
	}
	if out := commit(one, two); out.CommitTime == nil || len(out.StreamErrors) > 0 {
		t.Errorf("commit: got %v", out)
	}
	check("commit", "[0 p] [1 p]")
	if out := commit(one); len(out.StreamErrors) != 1 ||
		out.StreamErrors[0].Code != storagepb.StorageError_STREAM_ALREADY_COMMITTED {
		t.Errorf("a second commit: got %v", out)
	}
	info, err := c.GetWriteStream(routing(t.Context(), "name=x"), &storagepb.GetWriteStreamRequest{Name: one})
	if err != nil || info.CommitTime == nil || info.Type != storagepb.WriteStream_PENDING || info.Location != "us" {
		t.Errorf("GetWriteStream: got %v, %v", info, err)
	}
}

// TestWriteRefused: what does not fit is an error, and nothing of its request is written.
func TestWriteRefused(t *testing.T) {
	t.Parallel()
	s := start(t, Config{NoData: true})
	exec(t, s, "CREATE SCHEMA d",
		"CREATE TABLE d.n (x INT64 NOT NULL, s STRING(3), n NUMERIC(5, 2), dt DATE, l ARRAY<INT64>)",
		"CREATE VIEW d.v AS SELECT 1 AS x")
	ada := signIn(t, s, DefaultAccount)
	reader := signIn(t, s, DefaultAccount, scopeBigQueryRead)
	c := storagepb.NewBigQueryWriteClient(storageConn(t, s, ada.AccessToken))
	def := func(table string) string { return tablePath(table) + "/streams/_default" }
	list := writerSchema("x:int l:int")
	list.Field[1].Label = descriptorpb.FieldDescriptorProto_LABEL_REPEATED.Enum()
	both := writerSchema("x:int s:text")
	for _, tt := range []struct {
		name, stream, fields string
		values               []any
		code                 codes.Code
		message              string
	}{
		{"no such table", def("d.nosuch"), "x:int", []any{int64(1)}, codes.NotFound, "d.nosuch"},
		{"no such stream", tablePath("d.n") + "/streams/nosuch", "x:int", []any{int64(1)}, codes.NotFound, "entity"},
		{"a view", def("d.v"), "x:int", []any{int64(1)}, codes.InvalidArgument, "is currently a VIEW"},
		{"no such column", def("d.n"), "x:int y:int", []any{int64(1), int64(1)}, codes.InvalidArgument,
			"extra fields: 'y'"},
		{"a REQUIRED one is left out", def("d.n"), "x:int s:text", []any{nil, "a"}, codes.InvalidArgument,
			"x: the field is REQUIRED"},
		{"a long text", def("d.n"), "x:int s:text", []any{int64(1), "abcd"}, codes.InvalidArgument,
			"STRING(3) has a maximum length of 3"},
		{"too many digits", def("d.n"), "x:int n:text", []any{int64(1), "1000"}, codes.InvalidArgument,
			"more than 3 digits"},
		{"no number", def("d.n"), "x:int n:text", []any{int64(1), "ten"}, codes.InvalidArgument,
			`invalid NUMERIC value: "ten"`},
		{"no date", def("d.n"), "x:int dt:int", []any{int64(1), int64(1 << 40)}, codes.InvalidArgument,
			"out of the range of DATE"},
		{"a text for a number", def("d.n"), "x:text", []any{"1"}, codes.InvalidArgument,
			"a string can't be put into a column of type INT64"},
		{"a number for a text", def("d.n"), "x:int s:int", []any{int64(1), int64(1)}, codes.InvalidArgument,
			"column of type STRING"},
		{"a value for an ARRAY", def("d.n"), "x:int l:int", []any{int64(1), int64(1)}, codes.InvalidArgument, "REPEATED"},
	} {
		d := writerSchema(tt.fields)
		resp, err := appendAll(t, c, appending(tt.stream, d, -1, row(t, both, int64(1), nil), row(t, d, tt.values...)))
		text := status.Convert(err).Message()
		if resp != nil {
			for _, e := range resp.RowErrors {
				text += e.Message
			}
		}
		if status.Code(err) != tt.code || !strings.Contains(text, tt.message) {
			t.Errorf("%s: got %v %q; want %s with %q", tt.name, err, text, tt.code, tt.message)
		}
	}
	if n := count(t, s, "d.n"); n != 0 {
		t.Errorf("got %d rows; want none", n)
	}
	req := appending(def("d.n"), both, -1, row(t, both, int64(1), nil))
	readOnly := storagepb.NewBigQueryWriteClient(storageConn(t, s, reader.AccessToken))
	if _, err := appendAll(t, readOnly, req); status.Code(err) != codes.PermissionDenied {
		t.Errorf("a token for reading: got %v; want PermissionDenied", err)
	}
	req.GetProtoRows().WriterSchema = nil
	if _, err := appendAll(t, c, req); status.Code(err) != codes.InvalidArgument {
		t.Errorf("no writer_schema: got %v; want InvalidArgument", err)
	}
	_, err := c.CreateWriteStream(routing(t.Context(), "parent=x"), &storagepb.CreateWriteStreamRequest{
		Parent: tablePath("d.n"), WriteStream: &storagepb.WriteStream{Type: storagepb.WriteStream_BUFFERED}})
	if status.Code(err) != codes.InvalidArgument || !strings.Contains(err.Error(), "BUFFERED") {
		t.Errorf("BUFFERED: got %v", err)
	}
}

// TestManagedWriter: the official client writes rows of every type that its own conversion of a schema has, in bytes
// and packed numbers.
func TestManagedWriter(t *testing.T) {
	t.Parallel()
	s := start(t, Config{NoData: true})
	exec(t, s, "CREATE SCHEMA d", `CREATE TABLE d.w (i INT64 NOT NULL, f FLOAT64, b BOOL, s STRING, y BYTES, n NUMERIC,
		d DATE, t TIME, dt DATETIME, ts TIMESTAMP, j JSON, l ARRAY<INT64>, r STRUCT<a INT64, l ARRAY<STRUCT<s STRING>>>)`)
	tok := signIn(t, s, DefaultAccount)
	c, err := managedwriter.NewClient(t.Context(), DefaultProject, storageOptions(s, tok)...)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	table := tablePath("d.w")
	schema := storageSchema(t, c, table)
	desc, err := adapt.StorageSchemaToProto2Descriptor(schema, "root")
	if err != nil {
		t.Fatal(err)
	}
	md := desc.(protoreflect.MessageDescriptor)
	normal, err := adapt.NormalizeDescriptor(md)
	if err != nil {
		t.Fatal(err)
	}
	m := dynamicpb.NewMessage(md)
	set := func(name string, v any) { m.Set(md.Fields().ByName(protoreflect.Name(name)), protoreflect.ValueOf(v)) }
	set("i", int64(-1))
	set("f", 0.5)
	set("b", true)
	set("s", "é")
	set("y", []byte{0, 255})
	set("n", []byte{0x00, 0xd1, 0x97, 0xa6, 0xff}) // -1500000000 units of 1e-9
	set("d", int32(19782))
	set("t", int64((13<<12|14<<6|15)<<20|16))
	set("dt", int64((2024<<9|2<<5|29)<<37|(13<<12|14<<6|15)<<20|16))
	set("ts", time.Date(2024, 2, 29, 1, 2, 3, 4000, time.UTC).UnixMicro())
	set("j", `{"a":[1]}`)
	m.Mutable(md.Fields().ByName("l")).List().Append(protoreflect.ValueOf(int64(7)))
	r := m.Mutable(md.Fields().ByName("r")).Message()
	r.Set(r.Descriptor().Fields().ByName("a"), protoreflect.ValueOf(int64(8)))
	inner := r.Mutable(r.Descriptor().Fields().ByName("l")).List().AppendMutable().Message()
	inner.Set(inner.Descriptor().Fields().ByName("s"), protoreflect.ValueOf("deep"))
	text, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	for _, typ := range []managedwriter.StreamType{managedwriter.DefaultStream, managedwriter.CommittedStream,
		managedwriter.PendingStream} {
		exec(t, s, "TRUNCATE TABLE d.w")
		w, err := c.NewManagedStream(t.Context(), managedwriter.WithDestinationTable(table), managedwriter.WithType(typ),
			managedwriter.WithSchemaDescriptor(normal))
		if err != nil {
			t.Fatal(err)
		}
		result, err := w.AppendRows(t.Context(), [][]byte{text, text})
		if err == nil {
			_, err = result.GetResult(t.Context())
		}
		if err != nil {
			t.Fatalf("%s: %v", typ, err)
		}
		if typ == managedwriter.PendingStream {
			commitManaged(t, c, w, table)
		}
		if err := w.Close(); err != nil && err.Error() != "EOF" {
			t.Errorf("%s: Close: %v", typ, err)
		}
		const want = `{"i":-1,"f":0.5,"b":true,"s":"é","y":"AP8=","n":"-1.5","d":"2024-02-29","t":"13:14:15.000016",` +
			`"dt":"2024-02-29T13:14:15.000016","ts":"2024-02-29T01:02:03.000004Z","j":{"a":[1]},"l":[7],` +
			`"r":{"a":8,"l":[{"s":"deep"}]}}`
		got := values(t, s, "SELECT TO_JSON_STRING(w) FROM d.w AS w")
		if got != "["+want+"] ["+want+"]" {
			t.Errorf("%s: got %s; want twice %s", typ, got, want)
		}
	}
}

// storageSchema is a table's schema as the Write API tells it.
func storageSchema(t testing.TB, c *managedwriter.Client, table string) *storagepb.TableSchema {
	t.Helper()
	w, err := c.CreateWriteStream(t.Context(), &storagepb.CreateWriteStreamRequest{Parent: table,
		WriteStream: &storagepb.WriteStream{Type: storagepb.WriteStream_PENDING}})
	if err != nil {
		t.Fatal(err)
	}
	return w.TableSchema
}

func commitManaged(t testing.TB, c *managedwriter.Client, w *managedwriter.ManagedStream, table string) {
	t.Helper()
	if n, err := w.Finalize(t.Context()); err != nil || n != 2 {
		t.Fatalf("got %d, %v", n, err)
	}
	done, err := c.BatchCommitWriteStreams(context.WithoutCancel(t.Context()),
		&storagepb.BatchCommitWriteStreamsRequest{Parent: table, WriteStreams: []string{w.StreamName()}})
	if err != nil || done.CommitTime == nil {
		t.Fatalf("got %v, %v", done, err)
	}
}
