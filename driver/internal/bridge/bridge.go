// Package bridge lets package bulk use package driver's sign-in, client and
// encoding of Go values, without exporting them from package driver.
package bridge

import (
	"context"
	"database/sql"
	"reflect"
	"time"

	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"
	bq "google.golang.org/api/bigquery/v2"
)

// Service is the connector's part in writing rows.
type Service struct {
	Project, Dataset, Location string // the connector's configuration
	JobIDPrefix                string
	Labels                     map[string]string

	// Begin registers a task, for which Close waits. It returns a context that also ends with the
	// connector.
	Begin func(ctx context.Context) (context.Context, func(), error)
	// Writer returns the client of the Storage Write API.
	Writer func() (storagepb.BigQueryWriteClient, error)
	// Authorise returns the context of a call, and the token in it.
	Authorise func(ctx context.Context, routing, value string) (context.Context, string, error)
	// Refused tells the token source that a token was refused. It returns false if err is another
	// error.
	Refused func(err error, token string) bool
	// Passing reports whether an error is temporary.
	Passing func(err error) bool
	// Pause waits before the next try of a call, limit at most.
	Pause func(ctx context.Context, limit time.Duration) error
	// Ask makes a REST request until it succeeds or fails permanently.
	Ask func(ctx context.Context, request func(context.Context, *bq.Service) error) error
	// Failed returns the caller's error for an error of the Write API or of a request.
	Failed func(ctx context.Context, err error, jobID string) error
	// Unknown returns the error of a commit that may have taken effect.
	Unknown func(cause error) error
	// Observe reports written rows to the observer and to WithStats.
	Observe func(ctx context.Context, began time.Time, w Written, err error)
}

// Written describes the rows that were written.
type Written struct {
	Table    string
	Rows     int64
	Bytes    int64
	API      string // storage or load
	JobID    string
	Location string
	Fallback error
}

// Field is a field of a Go struct.
type Field struct {
	Name  string
	Index []int
}

// Functions of package driver, which sets them when it is initialized.
var (
	// Of returns the service of a database. It is valid until the connector is closed.
	Of func(ctx context.Context, db *sql.DB) (*Service, error)
	// Fields returns the fields of a struct type.
	Fields func(t reflect.Type) []Field
	// FieldNamed returns the index of the field with a name; -1 if there is none.
	FieldNamed func(t reflect.Type, name string) int
	// IsValue reports whether a struct type is a scalar value.
	IsValue func(t reflect.Type) bool
	// Encode encodes a value as a query parameter, of type typ if the value determines no type.
	Encode func(v any, typ *bq.QueryParameterType) (*bq.QueryParameterType, *bq.QueryParameterValue, error)
	// Picos returns the picoseconds of a TIMESTAMP(12) in a result that its time does not hold.
	Picos func(t *time.Time) uint16
	// CheckInterval returns an error for a text that is not an INTERVAL.
	CheckInterval func(text string) error
)
