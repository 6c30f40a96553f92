package main

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"net/url"
	"reflect"
	"time"

	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"
	"cloud.google.com/go/bigquery/storage/managedwriter"
	"cloud.google.com/go/bigquery/storage/managedwriter/adapt"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/driver/bulk"
	"github.com/bigqueryuser/bigqueryuser/dsn"
)

// The columns of the wide shape that are appended: those whose values all writers take in the same form.
type appendRow struct {
	C00, C04, C08, C12      int64
	C01, C05, C09, C13, C15 string
	C02, C06, C10           float64
	C16                     bool
	C19                     []byte
}

// appendTable is where rows are appended to.
const appendTable = "bench_append"

func appendRows(n int) []appendRow {
	rows := make([]appendRow, n)
	for i := range rows {
		rows[i] = appendRow{
			C00: int64(i), C04: int64(i) * 7919, C08: int64(i) * 31, C12: int64(-i), C01: word(i), C05: word(i + 1),
			C09: word(i + 2), C13: word(i + 3), C15: word(i + 4), C02: float64(i) / 13, C06: float64(i) / 7, C10: float64(i),
			C16: i%2 == 0, C19: []byte(word(i)),
		}
	}
	return rows
}

// compareAppend measures both writers in turns and prints their medians.
func compareAppend(ctx context.Context, w io.Writer, at addresses, n, rounds int) error {
	rows := appendRows(n)
	times := map[string][]measurement{}
	for round := range rounds + 1 {
		for name, write := range map[string]func(context.Context, addresses, []appendRow) error{
			"bulk.AppendSlice": appendBulk, "managedwriter, dynamicpb": appendManaged,
		} {
			began := time.Now()
			if err := write(ctx, at, rows); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			if round > 0 {
				times[name] = append(times[name], measurement{Seconds: time.Since(began).Seconds()})
			}
		}
	}
	ours, plain := median(times["bulk.AppendSlice"], seconds), median(times["managedwriter, dynamicpb"], seconds)
	_, err := fmt.Fprintf(w, "\nAppend of %d rows\n\n| writer | krows/s | ms |\n|---|---:|---:|\n"+
		"| bulk.AppendSlice | %.0f | %.0f |\n| managedwriter, dynamicpb | %.0f | %.0f |\n\n%.2f times as fast\n",
		n, float64(n)/ours/1000, ours*1000, float64(n)/plain/1000, plain*1000, plain/ours)
	return err
}

func appendBulk(ctx context.Context, at addresses, rows []appendRow) error {
	connector, err := driver.NewConnector(&dsn.Config{
		Project: project, Dataset: "bench", Auth: "none", Endpoint: at.REST, StorageEndpoint: at.Storage,
	})
	if err != nil {
		return err
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	result, err := bulk.AppendSlice(ctx, db, appendTable, rows)
	if err == nil && result.Rows != int64(len(rows)) {
		err = fmt.Errorf("wrote %d rows", result.Rows)
	}
	return err
}

// appendManaged writes as the documentation of managedwriter shows: a dynamic message for each row.
func appendManaged(ctx context.Context, at addresses, rows []appendRow) error {
	u, err := url.Parse(at.Storage)
	if err != nil {
		return err
	}
	client, err := managedwriter.NewClient(ctx, project, option.WithEndpoint(u.Host), option.WithoutAuthentication(),
		option.WithGRPCDialOption(grpc.WithTransportCredentials(insecure.NewCredentials())))
	if err != nil {
		return err
	}
	defer client.Close()
	table := managedwriter.TableParentFromParts(project, "bench", appendTable)
	created, err := client.CreateWriteStream(ctx, &storagepb.CreateWriteStreamRequest{
		Parent: table, WriteStream: &storagepb.WriteStream{Type: storagepb.WriteStream_PENDING},
	})
	if err != nil {
		return err
	}
	built, err := adapt.StorageSchemaToProto2Descriptor(created.TableSchema, "root")
	if err != nil {
		return err
	}
	schema := built.(protoreflect.MessageDescriptor)
	described, err := adapt.NormalizeDescriptor(schema)
	if err != nil {
		return err
	}
	stream, err := client.NewManagedStream(ctx, managedwriter.WithStreamName(created.Name),
		managedwriter.WithSchemaDescriptor(described))
	if err != nil {
		return err
	}
	defer stream.Close()
	const batchRows = 5000
	var last *managedwriter.AppendResult
	fields := schema.Fields()
	for from := 0; from < len(rows); from += batchRows {
		var batch [][]byte
		for i := from; i < min(from+batchRows, len(rows)); i++ {
			m := dynamicpb.NewMessage(schema)
			v := reflect.ValueOf(&rows[i]).Elem()
			for j := range v.NumField() {
				fd := fields.ByName(protoreflect.Name("c" + v.Type().Field(j).Name[1:]))
				m.Set(fd, protoreflect.ValueOf(v.Field(j).Interface()))
			}
			text, err := proto.Marshal(m)
			if err != nil {
				return err
			}
			batch = append(batch, text)
		}
		if last, err = stream.AppendRows(ctx, batch, managedwriter.WithOffset(int64(from))); err != nil {
			return err
		}
	}
	if _, err := last.GetResult(ctx); err != nil {
		return err
	}
	if _, err := stream.Finalize(ctx); err != nil {
		return err
	}
	done, err := client.BatchCommitWriteStreams(ctx, &storagepb.BatchCommitWriteStreamsRequest{
		Parent: table, WriteStreams: []string{created.Name},
	})
	if err == nil && len(done.StreamErrors) > 0 {
		err = fmt.Errorf("%v", done.StreamErrors)
	}
	return err
}
