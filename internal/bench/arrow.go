package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/url"
	"time"

	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	bq "google.golang.org/api/bigquery/v2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
)

// depth says how far an arrowSession decodes what it receives.
type depth int

const (
	arrowBytes   depth = iota // the messages are received
	arrowBatches              // and decoded into Arrow's arrays
	arrowCells                // whose cells become Go values, one after the other
)

// arrowSession reads by one stream on one goroutine.
type arrowSession struct {
	depth   depth
	service *bq.Service
	conn    *grpc.ClientConn
}

func openArrow(d depth) func(context.Context, addresses) (session, error) {
	return func(ctx context.Context, at addresses) (session, error) {
		service, err := newService(ctx, at)
		if err != nil {
			return nil, err
		}
		u, err := url.Parse(at.Storage)
		if err != nil {
			return nil, err
		}
		conn, err := grpc.NewClient(u.Host, grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(math.MaxInt32)))
		return arrowSession{d, service, conn}, err
	}
}

func (a arrowSession) close() error { return a.conn.Close() }

func (a arrowSession) read(ctx context.Context, s shape, rows int) (int, error) {
	if _, err := run(ctx, a.service, s, rows); err != nil {
		return 0, err
	}
	client := storagepb.NewBigQueryReadClient(a.conn)
	var p, d, t string
	words := string(bytes.ReplaceAll([]byte(destination(s, rows)), []byte("."), []byte(" ")))
	if _, err := fmt.Sscanf(words, "%s %s %s", &p, &d, &t); err != nil {
		return 0, err
	}
	table := "projects/" + p + "/datasets/" + d + "/tables/" + t
	compressed := &storagepb.ReadSession_TableReadOptions_ArrowSerializationOptions{
		ArrowSerializationOptions: &storagepb.ArrowSerializationOptions{
			BufferCompression: storagepb.ArrowSerializationOptions_LZ4_FRAME,
		},
	}
	session, err := client.CreateReadSession(routed(ctx, "read_session.table="+url.QueryEscape(table)),
		&storagepb.CreateReadSessionRequest{
			Parent:         "projects/" + project,
			MaxStreamCount: 1,
			ReadSession: &storagepb.ReadSession{
				Table:       table,
				DataFormat:  storagepb.DataFormat_ARROW,
				ReadOptions: &storagepb.ReadSession_TableReadOptions{OutputFormatSerializationOptions: compressed},
			},
		})
	if err != nil {
		return 0, err
	}
	n := 0
	for _, stream := range session.Streams {
		got, err := a.stream(ctx, client, stream.Name, session.GetArrowSchema().GetSerializedSchema())
		n += got
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

func routed(ctx context.Context, params string) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "x-goog-request-params", params)
}

// messages joins the schema and the batches into one Arrow stream.
type messages struct {
	client interface {
		Recv() (*storagepb.ReadRowsResponse, error)
	}
	buf bytes.Reader
}

func (m *messages) Read(p []byte) (int, error) {
	for m.buf.Len() == 0 {
		resp, err := m.client.Recv()
		if err != nil {
			return 0, err
		}
		m.buf.Reset(resp.GetArrowRecordBatch().GetSerializedRecordBatch())
	}
	return m.buf.Read(p)
}

func (a arrowSession) stream(
	ctx context.Context, client storagepb.BigQueryReadClient, name string, schema []byte,
) (int, error) {
	ctx = routed(ctx, "read_stream="+url.QueryEscape(name))
	rows, err := client.ReadRows(ctx, &storagepb.ReadRowsRequest{ReadStream: name})
	if err != nil {
		return 0, err
	}
	n := 0
	if a.depth == arrowBytes {
		for {
			resp, err := rows.Recv()
			if errors.Is(err, io.EOF) {
				return n, nil
			}
			if err != nil {
				return n, err
			}
			n += int(resp.RowCount)
		}
	}
	m := &messages{client: rows}
	m.buf.Reset(schema)
	r, err := ipc.NewReader(m)
	if err != nil {
		return 0, err
	}
	defer r.Release()
	var values []any
	for r.Next() {
		batch := r.RecordBatch()
		n += int(batch.NumRows())
		if a.depth < arrowCells {
			continue
		}
		for row := range int(batch.NumRows()) {
			values = values[:0]
			for _, column := range batch.Columns() {
				values = append(values, cell(column, row))
			}
		}
	}
	if err := r.Err(); err != nil && !errors.Is(err, io.EOF) {
		return n, err
	}
	return n, nil
}

// cell returns one cell as a Go value, in the simplest way: by a switch over the array's
// type.
func cell(a arrow.Array, i int) any {
	if a.IsNull(i) {
		return nil
	}
	switch a := a.(type) {
	case *array.Int64:
		return a.Value(i)
	case *array.Float64:
		return a.Value(i)
	case *array.Boolean:
		return a.Value(i)
	case *array.String:
		return a.Value(i) // a part of the batch, which stays as long as it does
	case *array.Binary:
		return a.Value(i)
	case *array.Timestamp:
		return time.UnixMicro(int64(a.Value(i))).UTC()
	case *array.Date32:
		return a.Value(i).ToTime()
	case *array.Decimal128:
		return a.Value(i).ToString(9)
	case *array.List:
		from, to := a.ValueOffsets(i)
		list := make([]any, 0, to-from)
		for j := from; j < to; j++ {
			list = append(list, cell(a.ListValues(), int(j)))
		}
		return list
	case *array.Struct:
		fields := make([]any, a.NumField())
		for f := range fields {
			fields[f] = cell(a.Field(f), i)
		}
		return fields
	}
	return a.ValueStr(i)
}
