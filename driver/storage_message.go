package driver

import (
	"bytes"
	"context"
	"fmt"

	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
)

// rowsMessage is a ReadRowsResponse of the Storage Read API, with the fields that the driver needs.
// The generated type would copy each batch once more.
type rowsMessage struct {
	batch  []byte // serialized_record_batch, a part of buffer
	rows   int64  // row_count
	keep   bool   // each message needs a buffer of its own
	buffer []byte // the whole message
}

// rowsStream returns the messages of one stream.
type rowsStream struct {
	grpc.ClientStream
	message rowsMessage
}

// newRowsStream opens a stream. If keep is false, a message is valid until the next call of Recv.
func newRowsStream(
	ctx context.Context, conn *grpc.ClientConn, req *storagepb.ReadRowsRequest, keep bool,
) (*rowsStream, error) {
	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true},
		storagepb.BigQueryRead_ReadRows_FullMethodName, grpc.ForceCodecV2(rowsCodec{}))
	if err != nil {
		return nil, err
	}
	if err := stream.SendMsg(req); err != nil {
		return nil, err
	}
	return &rowsStream{stream, rowsMessage{keep: keep}}, stream.CloseSend()
}

// Recv returns the next message, or io.EOF at the end of the stream.
func (s *rowsStream) Recv() (*rowsMessage, error) {
	return &s.message, s.RecvMsg(&s.message)
}

// rowsCodec decodes each message into a rowsMessage.
type rowsCodec struct{}

var _ encoding.CodecV2 = rowsCodec{}

// Name returns "", so that the content type of requests is application/grpc, as it is without a
// codec.
func (rowsCodec) Name() string { return "" }

func (rowsCodec) Marshal(v any) (mem.BufferSlice, error) {
	return encoding.GetCodecV2(proto.Name).Marshal(v)
}

func (rowsCodec) Unmarshal(data mem.BufferSlice, v any) error {
	m, ok := v.(*rowsMessage)
	if !ok {
		return fmt.Errorf("a message of type %T", v)
	}
	switch n := data.Len(); {
	case m.keep:
		parts := make([][]byte, len(data))
		for i, part := range data {
			parts[i] = part.ReadOnlyData()
		}
		m.buffer = bytes.Join(parts, nil)
	case cap(m.buffer) < n:
		m.buffer = make([]byte, n, n+n/4) // the next one can be a little longer
		data.CopyTo(m.buffer)
	default:
		m.buffer = m.buffer[:n]
		data.CopyTo(m.buffer)
	}
	return m.decode()
}

// Numbers of the fields of ReadRowsResponse and of its ArrowRecordBatch.
const (
	arrowRecordBatchField      protowire.Number = 4
	rowCountField              protowire.Number = 6
	serializedRecordBatchField protowire.Number = 1
)

// decode sets the fields of m from its buffer.
func (m *rowsMessage) decode() error {
	m.batch, m.rows = nil, 0
	return eachField(m.buffer, func(n protowire.Number, number uint64, part []byte) error {
		switch {
		case n == rowCountField && part == nil:
			m.rows = int64(number)
		case n == arrowRecordBatchField && part != nil:
			return eachField(part, func(n protowire.Number, _ uint64, part []byte) error {
				if n == serializedRecordBatchField && part != nil {
					m.batch = part
				}
				return nil
			})
		}
		return nil
	})
}

// eachField calls f for each field of a message: with the value of a varint, or with the bytes of a
// field that has a length. It skips fields of other wire types.
func eachField(message []byte, f func(n protowire.Number, number uint64, part []byte) error) error {
	for len(message) > 0 {
		n, typ, size := protowire.ConsumeTag(message)
		if size < 0 {
			return protowire.ParseError(size)
		}
		message = message[size:]
		var number uint64
		var part []byte
		switch typ {
		case protowire.VarintType:
			number, size = protowire.ConsumeVarint(message)
		case protowire.BytesType:
			part, size = protowire.ConsumeBytes(message)
		default:
			size = protowire.ConsumeFieldValue(n, typ, message)
		}
		if size < 0 {
			return protowire.ParseError(size)
		}
		message = message[size:]
		if typ == protowire.VarintType || typ == protowire.BytesType {
			if err := f(n, number, part); err != nil {
				return err
			}
		}
	}
	return nil
}
