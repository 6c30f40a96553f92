// Package storageapi serves the Storage Read and Write APIs over the tables of
// a sandbox. It knows neither HTTP nor SQL: a Backend has the tables.
package storageapi

import (
	"context"
	"regexp"
	"time"

	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

// Backend has the tables. Its errors are those of gRPC, and it finds the user of a call in its context.
type Backend interface {
	// Read returns the rows of a table as they are now: the columns that names has, or all without names, of the rows
	// for which restriction, an expression of GoogleSQL, is true. project is billed.
	Read(
		ctx context.Context, project string, table googlesql.TableName, names []string, restriction string,
	) (Rows, error)
	// Table describes a table that the user may write to.
	Table(ctx context.Context, name googlesql.TableName) (Table, error)
	// Append adds rows to a table, all of them or none. A value without a Type stands for the column's default.
	Append(ctx context.Context, to googlesql.TableName, columns []googlesql.Column, rows [][]engine.Value) error
}

// Rows are the rows of a table or of a query.
type Rows struct {
	Result   *engine.Result
	Columns  []googlesql.Column
	Location string
	Bytes    int64 // logical bytes
}

// Table is a table that rows are written to.
type Table struct {
	Columns  []googlesql.Column
	Location string
}

// Server serves the two APIs. It is safe for concurrent use.
type Server struct {
	storagepb.UnimplementedBigQueryReadServer
	storagepb.UnimplementedBigQueryWriteServer
	backend Backend
	now     func() time.Time
	limit   int64
	reads   readSessions
	writes  writeStreams
}

// New makes a server, whose read sessions hold at most limit bytes of rows together: the oldest give way.
func New(b Backend, now func() time.Time, limit int64) *Server {
	return &Server{backend: b, now: now, limit: limit, reads: readSessions{byName: map[string]*readSession{}},
		writes: writeStreams{byName: map[string]*writeStream{}}}
}

// Register makes the services known to a gRPC server.
func (s *Server) Register(to *grpc.Server) {
	storagepb.RegisterBigQueryReadServer(to, s)
	storagepb.RegisterBigQueryWriteServer(to, s)
}

type userKey struct{}

// WithUser returns the context of a call of a user.
func WithUser(ctx context.Context, user string) context.Context {
	return context.WithValue(ctx, userKey{}, user)
}

func userOf(ctx context.Context) string {
	user, _ := ctx.Value(userKey{}).(string)
	return user
}

var tablePath = regexp.MustCompile(`^projects/([^/]+)/datasets/([^/]+)/tables/([^/]+)$`)

// tableOf reads projects/P/datasets/D/tables/T.
func tableOf(path string) (googlesql.TableName, error) {
	m := tablePath.FindStringSubmatch(path)
	if m == nil {
		return googlesql.TableName{}, status.Errorf(codes.InvalidArgument,
			"Invalid table reference %q: want projects/PROJECT/datasets/DATASET/tables/TABLE", path)
	}
	return googlesql.TableName{Project: m[1], Dataset: m[2], Table: m[3]}, nil
}

// routed refuses a call without the header that the service is routed by.
func routed(ctx context.Context, key string) error {
	for _, params := range metadata.ValueFromIncomingContext(ctx, "x-goog-request-params") {
		if regexp.MustCompile(`(^|&)` + regexp.QuoteMeta(key) + `=`).MatchString(params) {
			return nil
		}
	}
	return status.Errorf(codes.InvalidArgument, "the header x-goog-request-params lacks %s", key)
}

// refuse says that the service can do something and the sandbox can't.
func refuse(what string) error {
	return status.Errorf(codes.InvalidArgument, "The sandbox does not support %s.", what)
}

var fieldTypes = map[googlesql.Kind]storagepb.TableFieldSchema_Type{
	googlesql.Int64:      storagepb.TableFieldSchema_INT64,
	googlesql.Float64:    storagepb.TableFieldSchema_DOUBLE,
	googlesql.Bool:       storagepb.TableFieldSchema_BOOL,
	googlesql.String:     storagepb.TableFieldSchema_STRING,
	googlesql.Bytes:      storagepb.TableFieldSchema_BYTES,
	googlesql.Numeric:    storagepb.TableFieldSchema_NUMERIC,
	googlesql.BigNumeric: storagepb.TableFieldSchema_BIGNUMERIC,
	googlesql.Date:       storagepb.TableFieldSchema_DATE,
	googlesql.Time:       storagepb.TableFieldSchema_TIME,
	googlesql.Datetime:   storagepb.TableFieldSchema_DATETIME,
	googlesql.Timestamp:  storagepb.TableFieldSchema_TIMESTAMP,
	googlesql.Interval:   storagepb.TableFieldSchema_INTERVAL,
	googlesql.Range:      storagepb.TableFieldSchema_RANGE,
	googlesql.JSON:       storagepb.TableFieldSchema_JSON,
	googlesql.Struct:     storagepb.TableFieldSchema_STRUCT,
}

// fieldsOf writes columns as the APIs have them.
func fieldsOf(columns []googlesql.Column) []*storagepb.TableFieldSchema {
	out := make([]*storagepb.TableFieldSchema, len(columns))
	for i, c := range columns {
		out[i] = fieldOf(c.Name, c.Type)
		if c.Required && out[i].Mode == storagepb.TableFieldSchema_NULLABLE {
			out[i].Mode = storagepb.TableFieldSchema_REQUIRED
		}
		out[i].DefaultValueExpression = c.Default
	}
	return out
}

func fieldOf(name string, t googlesql.Type) *storagepb.TableFieldSchema {
	f := &storagepb.TableFieldSchema{Name: name, Mode: storagepb.TableFieldSchema_NULLABLE}
	if t.Kind == googlesql.Array {
		f.Mode, t = storagepb.TableFieldSchema_REPEATED, *t.Elem
	}
	f.Type = fieldTypes[t.Kind]
	switch t.Kind {
	case googlesql.TimestampPicos:
		f.Type, f.TimestampPrecision = storagepb.TableFieldSchema_TIMESTAMP, int64Value(12)
	case googlesql.Range:
		f.RangeElementType = &storagepb.TableFieldSchema_FieldElementType{Type: fieldTypes[t.Elem.Kind]}
	}
	f.Precision, f.Scale, f.MaxLength = int64(t.Precision), int64(t.Scale), int64(t.MaxLength)
	for _, sub := range t.Fields {
		f.Fields = append(f.Fields, fieldOf(sub.Name, sub.Type))
	}
	return f
}

func int64Value(n int) *wrapperspb.Int64Value { return wrapperspb.Int64(int64(n)) }
