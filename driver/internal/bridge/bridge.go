// Package bridge is what package driver lends to the packages below it: one sign-in, one client and one way to encode
// Go values, without an exported name of package driver for each.
package bridge

import (
	"context"
	"database/sql"
	"reflect"
	"time"

	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"
	bq "google.golang.org/api/bigquery/v2"
)

// Service is a connector's way to write rows.
type Service struct {
	Project, Dataset, Location string // of the configuration
	JobIDPrefix                string
	Labels                     map[string]string

	// Begin counts a task in, which Close waits for, and returns a context that ends with the connector too.
	Begin func(ctx context.Context) (context.Context, func(), error)
	// Writer returns the client of the Storage Write API.
	Writer func() (storagepb.BigQueryWriteClient, error)
	// Authorise makes the context of a call, and returns its token.
	Authorise func(ctx context.Context, routing, value string) (context.Context, string, error)
	// Refused tells the token source of a token that was refused; false if err is something else.
	Refused func(err error, token string) bool
	// Passing reports whether the same call can succeed a moment later.
	Passing func(err error) bool
	// Pause waits before a call is made again, at most for limit.
	Pause func(ctx context.Context, limit time.Duration) error
	// Ask makes a REST request until it succeeds or fails for good.
	Ask func(ctx context.Context, request func(context.Context, *bq.Service) error) error
	// Failed makes the caller's error of one of the Write API or of a request.
	Failed func(ctx context.Context, err error, jobID string) error
	// Unknown makes the error of what may have taken effect.
	Unknown func(cause error) error
	// Observe tells the observer, and WithStats, of what was written.
	Observe func(ctx context.Context, began time.Time, w Written, err error)
}

// Written is what was written.
type Written struct {
	Table    string
	Rows     int64
	Bytes    int64
	API      string // storage or load
	JobID    string
	Location string
	Fallback error
}

// Field is a field of a Go struct as BigQuery sees it.
type Field struct {
	Name  string
	Index []int
}

// What package driver does. It sets them before anything else runs.
var (
	// Of returns the service of a database. It stays good until the connector is closed.
	Of func(ctx context.Context, db *sql.DB) (*Service, error)
	// Fields lists the fields of a struct type.
	Fields func(t reflect.Type) []Field
	// FieldNamed finds the field for a name; -1 if there is none.
	FieldNamed func(t reflect.Type, name string) int
	// IsValue reports whether a struct type is a scalar value.
	IsValue func(t reflect.Type) bool
	// Encode makes a query parameter of a value, of type typ where the value has no type of its own.
	Encode func(v any, typ *bq.QueryParameterType) (*bq.QueryParameterType, *bq.QueryParameterValue, error)
	// CheckInterval refuses a text that is no INTERVAL.
	CheckInterval func(text string) error
)
