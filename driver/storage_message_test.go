package driver

import (
	"bytes"
	"io"
	"net"
	"reflect"
	"testing"

	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
)

// rowsResponse is the message of the service, with the fields that the driver does not read too.
func rowsResponse(batch []byte, rows int64) *storagepb.ReadRowsResponse {
	return &storagepb.ReadRowsResponse{
		Rows: &storagepb.ReadRowsResponse_ArrowRecordBatch{
			ArrowRecordBatch: &storagepb.ArrowRecordBatch{SerializedRecordBatch: batch},
		},
		RowCount:      rows,
		Stats:         &storagepb.StreamStats{Progress: &storagepb.StreamStats_Progress{AtResponseStart: 0.5}},
		ThrottleState: &storagepb.ThrottleState{ThrottlePercent: 3},
		Schema: &storagepb.ReadRowsResponse_ArrowSchema{
			ArrowSchema: &storagepb.ArrowSchema{SerializedSchema: []byte("schema")},
		},
		UncompressedByteSize: proto.Int64(-1),
	}
}

// TestRowsMessage: messages in any number of buffers are decoded one after the other, and a kept one is not changed
// by the next.
func TestRowsMessage(t *testing.T) {
	t.Parallel()
	for _, keep := range []bool{false, true} {
		m := rowsMessage{keep: keep}
		var last []byte
		for i, batch := range []string{"first", "a second, longer one", "3", ""} {
			wire, err := proto.Marshal(rowsResponse([]byte(batch), int64(i)))
			if err != nil {
				t.Fatal(err)
			}
			var parts mem.BufferSlice
			for at := range wire {
				parts = append(parts, mem.SliceBuffer(wire[at:at+1]))
			}
			before := string(last)
			if err := (rowsCodec{}).Unmarshal(parts, &m); err != nil {
				t.Fatal(err)
			}
			if string(m.batch) != batch || m.rows != int64(i) {
				t.Errorf("message %d: got %q and %d rows; want %q and %d", i, m.batch, m.rows, batch, i)
			}
			if keep && string(last) != before {
				t.Errorf("message %d changed the one before it", i)
			}
			last = m.batch
		}
	}
	if err := (rowsCodec{}).Unmarshal(nil, new(storagepb.ReadSession)); err == nil {
		t.Error("another type of message: got no error")
	}
}

// FuzzRowsMessage: a message that protobuf decodes has the same batch and number of rows here; no message panics.
func FuzzRowsMessage(f *testing.F) {
	for _, batch := range [][]byte{nil, {}, []byte("batch"), bytes.Repeat([]byte("x"), 300)} {
		wire, err := proto.Marshal(rowsResponse(batch, 7))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(wire)
		f.Add(append(wire, wire...))
	}
	f.Fuzz(func(t *testing.T, wire []byte) {
		var want storagepb.ReadRowsResponse
		m := rowsMessage{buffer: wire}
		err := m.decode()
		if proto.Unmarshal(wire, &want) != nil || want.GetArrowRecordBatch() == nil {
			return // protobuf also checks fields that are not read here; Avro is not requested
		}
		if err != nil {
			t.Fatalf("got %v; want none", err)
		}
		if !bytes.Equal(m.batch, want.GetArrowRecordBatch().GetSerializedRecordBatch()) || m.rows != want.GetRowCount() {
			t.Errorf("got %q and %d rows; want %q and %d", m.batch, m.rows,
				want.GetArrowRecordBatch().GetSerializedRecordBatch(), want.GetRowCount())
		}
	})
}

// TestRowsStream: the request of a stream is the generated client's, with its content type.
func TestRowsStream(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	type request struct {
		contentType []string
		offset      int64
	}
	requests := make(chan request, 2)
	server := grpc.NewServer(grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
		var req storagepb.ReadRowsRequest
		if err := stream.RecvMsg(&req); err != nil {
			return err
		}
		md, _ := metadata.FromIncomingContext(stream.Context())
		requests <- request{md.Get("content-type"), req.GetOffset()}
		return stream.SendMsg(rowsResponse([]byte("batch"), 1))
	}))
	defer server.Stop()
	go server.Serve(listener)
	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	req := &storagepb.ReadRowsRequest{ReadStream: "s", Offset: 5}
	generated, err := storagepb.NewBigQueryReadClient(conn).ReadRows(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := generated.Recv(); err != nil {
		t.Fatal(err)
	}
	own, err := newRowsStream(t.Context(), conn, req, false)
	if err != nil {
		t.Fatal(err)
	}
	if m, err := own.Recv(); err != nil || string(m.batch) != "batch" || m.rows != 1 {
		t.Errorf("got %v, %v; want the batch", m, err)
	}
	if _, err := own.Recv(); err != io.EOF {
		t.Errorf("got %v; want io.EOF", err)
	}
	if want, got := <-requests, <-requests; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v; want %v", got, want)
	}
}
