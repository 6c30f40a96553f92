package main

import (
	"context"
	"fmt"
	"iter"
	"net/url"
	"reflect"
	"strings"
	"sync"

	"cloud.google.com/go/bigquery"
	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"
	"cloud.google.com/go/bigquery/storage/managedwriter"
	"cloud.google.com/go/bigquery/storage/managedwriter/adapt"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/bigqueryuser/bigqueryuser/driver/bulk"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// The rows to append have only the columns whose values all writers accept in the same form.
type (
	appendNarrow struct {
		C00 int64
		C01 string
	}
	appendWide struct {
		C00, C04, C08, C12      int64
		C01, C05, C09, C13, C15 string
		C02, C06, C10           float64
		C16                     bool
		C19                     []byte
	}
)

// differentRows is the number of different rows. A longer input repeats them, so that
// generating rows takes no time.
const differentRows = 10_000

var (
	narrowRows = sync.OnceValue(func() []appendNarrow {
		rows := make([]appendNarrow, differentRows)
		for i := range rows {
			rows[i] = appendNarrow{int64(i) * 7919, word(i)}
		}
		return rows
	})
	wideRows = sync.OnceValue(func() []appendWide {
		rows := make([]appendWide, differentRows)
		for i := range rows {
			rows[i] = appendWide{
				C00: int64(i), C04: int64(i) * 7919, C08: int64(i) * 31, C12: int64(-i), C01: word(i), C05: word(i + 1),
				C09: word(i + 2), C13: word(i + 3), C15: word(i + 4), C02: float64(i) / 13, C06: float64(i) / 7,
				C10: float64(i), C16: i%2 == 0, C19: []byte(word(i)),
			}
		}
		return rows
	})
)

// appendTable returns the table to which rows of a shape are appended.
func appendTable(s shape) string { return "append_" + s.name }

// appendFields returns the columns of such a table.
func appendFields(s shape) []fakebq.Field {
	row := reflect.TypeFor[appendWide]()
	if s.name == "narrow" {
		row = reflect.TypeFor[appendNarrow]()
	}
	types := map[reflect.Kind]string{reflect.Int64: "INTEGER", reflect.String: "STRING", reflect.Float64: "FLOAT",
		reflect.Bool: "BOOLEAN", reflect.Slice: "BYTES"}
	var fields []fakebq.Field
	for f := range row.Fields() {
		fields = append(fields, fakebq.Field{Name: strings.ToLower(f.Name), Type: types[f.Type.Kind()]})
	}
	return fields
}

// writers are the ways to write rows, measured in the same way as readers. The first streamWriters
// can write any number of rows.
var writers = []reader{
	{"bulk.Append", true, openWriter(appendBulk[appendNarrow], appendBulk[appendWide])},
	{"managedwriter, dynamicpb", true, openWriter(appendManaged[appendNarrow], appendManaged[appendWide])},
	{"bulk.Append, load job", true, openWriter(appendLoad[appendNarrow], appendLoad[appendWide])},
	{"official client, Inserter", true, openWriter(appendInserter[appendNarrow], appendInserter[appendWide])},
	{"INSERT from UNNEST", true, openWriter(appendUnnest[appendNarrow], appendUnnest[appendWide])},
	{"INSERT with a list of values", true, openWriter(appendValues[appendNarrow], appendValues[appendWide])},
}

// streamWriters is the number of writers that can write any number of rows.
const streamWriters = 3

// writeSession writes the rows of a shape; its read is a write.
type writeSession struct {
	driverSession
	at     addresses
	narrow write[appendNarrow]
	wide   write[appendWide]
}

// write writes rows into a table.
type write[T any] func(ctx context.Context, w writeSession, table string, rows iter.Seq2[T, error]) error

func openWriter(narrow write[appendNarrow], wide write[appendWide]) func(context.Context, addresses) (session, error) {
	return func(ctx context.Context, at addresses) (session, error) {
		s, err := openDriver("auto")(ctx, at)
		if err != nil {
			return nil, err
		}
		return writeSession{s.(driverSession), at, narrow, wide}, nil
	}
}

func (w writeSession) read(ctx context.Context, s shape, n int) (int, error) {
	switch s.name {
	case "narrow":
		return n, w.narrow(ctx, w, appendTable(s), repeated(narrowRows(), n))
	case "wide":
		return n, w.wide(ctx, w, appendTable(s), repeated(wideRows(), n))
	}
	return 0, fmt.Errorf("no rows to append for the shape %q", s.name)
}

// repeated yields n rows.
func repeated[T any](rows []T, n int) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for i := range n {
			if !yield(rows[i%len(rows)], nil) {
				return
			}
		}
	}
}

// batchesOf yields rows in slices of size rows.
func batchesOf[T any](rows iter.Seq2[T, error], size int) iter.Seq[[]T] {
	return func(yield func([]T) bool) {
		var batch []T
		for row := range rows {
			if batch = append(batch, row); len(batch) == size {
				if !yield(batch) {
					return
				}
				batch = batch[:0]
			}
		}
		if len(batch) > 0 {
			yield(batch)
		}
	}
}

func appendBulk[T any](ctx context.Context, w writeSession, table string, rows iter.Seq2[T, error]) error {
	_, err := bulk.Append(ctx, w.db, "bench."+table, rows)
	return err
}

func appendLoad[T any](ctx context.Context, w writeSession, table string, rows iter.Seq2[T, error]) error {
	_, err := bulk.Append(ctx, w.db, "bench."+table, rows, bulk.LoadJob())
	return err
}

// appendUnnest writes by statements whose argument is a slice of structs, which certainly fits into
// 10 MB.
func appendUnnest[T any](ctx context.Context, w writeSession, table string, rows iter.Seq2[T, error]) error {
	for batch := range batchesOf(rows, 10_000) {
		if _, err := w.db.ExecContext(ctx, "INSERT INTO bench."+table+" SELECT * FROM UNNEST(?)", batch); err != nil {
			return err
		}
	}
	return nil
}

// appendValues writes by statements with the largest number of parameters.
func appendValues[T any](ctx context.Context, w writeSession, table string, rows iter.Seq2[T, error]) error {
	columns := reflect.TypeFor[T]().NumField()
	list := "(?" + strings.Repeat(", ?", columns-1) + ")"
	for batch := range batchesOf(rows, 10_000/columns) {
		args := make([]any, 0, len(batch)*columns)
		for i := range batch {
			v := reflect.ValueOf(&batch[i]).Elem()
			for j := range columns {
				args = append(args, v.Field(j).Interface())
			}
		}
		text := "INSERT INTO bench." + table + " VALUES " + list + strings.Repeat(", "+list, len(batch)-1)
		if _, err := w.db.ExecContext(ctx, text, args...); err != nil {
			return err
		}
	}
	return nil
}

// appendInserter writes by the official client's Inserter, 500 rows a request as its documentation advises.
func appendInserter[T any](ctx context.Context, w writeSession, table string, rows iter.Seq2[T, error]) error {
	client, err := bigquery.NewClient(ctx, project, option.WithEndpoint(w.at.Control+"/bigquery/v2/"),
		option.WithoutAuthentication())
	if err != nil {
		return err
	}
	defer client.Close()
	inserter := client.Dataset("bench").Table(table).Inserter()
	for batch := range batchesOf(rows, 500) {
		if err := inserter.Put(ctx, batch); err != nil {
			return err
		}
	}
	return nil
}

// appendManaged writes as the documentation of managedwriter shows: a dynamic message for each row.
func appendManaged[T any](ctx context.Context, w writeSession, name string, rows iter.Seq2[T, error]) error {
	u, err := url.Parse(w.at.Storage)
	if err != nil {
		return err
	}
	client, err := managedwriter.NewClient(ctx, project, option.WithEndpoint(u.Host), option.WithoutAuthentication(),
		option.WithGRPCDialOption(grpc.WithTransportCredentials(insecure.NewCredentials())))
	if err != nil {
		return err
	}
	defer client.Close()
	table := managedwriter.TableParentFromParts(project, "bench", name)
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
	var last *managedwriter.AppendResult
	fields, offset := schema.Fields(), int64(0)
	for rows := range batchesOf(rows, 5000) {
		var batch [][]byte
		for i := range rows {
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
		if last, err = stream.AppendRows(ctx, batch, managedwriter.WithOffset(offset)); err != nil {
			return err
		}
		offset += int64(len(rows))
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
