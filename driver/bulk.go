package driver

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"sync"
	"time"

	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"
	bq "google.golang.org/api/bigquery/v2"
	"google.golang.org/api/googleapi"
	"google.golang.org/grpc/status"

	"github.com/bigqueryuser/bigqueryuser/driver/internal/bridge"
)

// The functions of this package that package bulk uses.

func init() {
	bridge.Fields = func(t reflect.Type) (fields []bridge.Field) {
		for _, f := range structFields(t) {
			fields = append(fields, bridge.Field{Name: f.name, Index: f.index})
		}
		return fields
	}
	bridge.FieldNamed = func(t reflect.Type, name string) int { return fieldNamed(structFields(t), name) }
	bridge.IsValue = isValue
	bridge.Of = bulkOf
	bridge.Encode = encodeFor
	bridge.Picos = func(t *time.Time) uint16 { _, picos := markAt(addressOf(t)); return picos }
	bridge.CheckInterval = func(text string) error {
		v, err := parseInterval(text)
		if err == nil {
			_, err = intervalText(&v)
		}
		return err
	}
}

// encodeFor encodes a value for a column.
func encodeFor(v any, typ *bq.QueryParameterType) (*bq.QueryParameterType, *bq.QueryParameterValue, error) {
	a, err := encode(v)
	if err != nil {
		return nil, nil, err
	}
	found, value, _, err := a.resolve(typ, reliance{use: usedAssigned})
	return found, value, err
}

// bulkOf returns the service that package bulk writes with.
func bulkOf(ctx context.Context, db *sql.DB) (s *bridge.Service, err error) {
	err = onConn(ctx, db, func(c *conn) error {
		s = c.connector.bulk()
		return nil
	})
	return s, err
}

func (c *Connector) bulk() *bridge.Service {
	cfg := &c.cfg
	s := &bridge.Service{
		Project: cfg.Project, Dataset: cfg.Dataset, Location: cfg.Location,
		JobIDPrefix: cfg.JobIDPrefix, Labels: maps.Clone(cfg.Labels),
		Begin: c.beginBulk, Passing: func(err error) bool { return resumable(err) },
		Unknown: func(cause error) error { return &unknownError{ErrOutcomeUnknown, cause} },
		Observe: c.observeBulk,
	}
	s.Writer = func() (storagepb.BigQueryWriteClient, error) {
		cl, err := c.clientFor(c.background)
		if err != nil {
			return nil, err
		}
		return cl.storage.writer()
	}
	s.Authorise = func(ctx context.Context, routing, value string) (context.Context, string, error) {
		cl, err := c.clientFor(ctx)
		if err != nil {
			return nil, "", err
		}
		return cl.storage.authorise(ctx, routing, value)
	}
	s.Refused = func(err error, token string) bool {
		cl, clientErr := c.clientFor(c.background)
		return clientErr == nil && cl.storage.refusedToken(err, token)
	}
	s.Pause = func(ctx context.Context, limit time.Duration) error {
		cl, err := c.clientFor(ctx)
		if err != nil {
			return err
		}
		return sleep(ctx, cl.pause(limit))
	}
	s.Ask = func(ctx context.Context, request func(context.Context, *bq.Service) error) error {
		_, err := ask(ctx, c, func(cl *client) (none struct{}, err error) {
			return none, request(withHold(ctx, 0), cl.service)
		})
		return err
	}
	s.Failed = func(ctx context.Context, err error, jobID string) error {
		return translateWrite(ctx, err, cfg.Project, jobID)
	}
	return s
}

// beginBulk registers a task, whose context ends with ctx and with the
// connector.
func (c *Connector) beginBulk(ctx context.Context) (context.Context, func(), error) {
	if err := c.begin(); err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	stop := c.atEnd(func() { cancel(endedBy{errClosed}) })
	return ctx, sync.OnceFunc(func() { stop(); cancel(nil); c.tasks.end() }), nil
}

// writer returns the client of the Storage Write API.
func (s *storage) writer() (storagepb.BigQueryWriteClient, error) {
	if s.endpoint == "" {
		return nil, errors.New("the DSN has an endpoint for REST and none for the Storage API: set storage_endpoint " +
			"too")
	}
	if _, err := s.client(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return storagepb.NewBigQueryWriteClient(s.conn), nil
}

// translateWrite is translate for the Storage Write API.
func translateWrite(ctx context.Context, err error, project, jobID string) error {
	var ref *bq.JobReference
	if jobID != "" {
		ref = &bq.JobReference{JobId: jobID}
	}
	if ctx.Err() != nil {
		return endOf(ctx)
	}
	s, ok := status.FromError(err)
	if !ok || isA[*googleapi.Error](err) { // a *googleapi.Error has a gRPC status too
		return translate(ctx, err, project, ref)
	}
	return &Error{
		Reason: storageReasons[s.Code()], Project: project, JobID: jobID, err: err,
		Message: fmt.Sprintf("the Storage Write API: %s (%s)", s.Message(), s.Code()),
	}
}

// observeBulk reports written rows to the observer.
func (c *Connector) observeBulk(ctx context.Context, began time.Time, w bridge.Written, err error) {
	target, _ := ctx.Value(statsKey{}).(*Stats)
	s := Stats{
		Query: "bulk append to " + w.Table, Project: c.cfg.Project, JobID: w.JobID, Location: w.Location,
		StatementType: "APPEND", RowsAffected: w.Rows, RowsInserted: w.Rows, BytesWritten: w.Bytes,
		WriteAPI: w.API, Fallback: w.Fallback, Duration: time.Since(began),
	}
	if target != nil {
		*target = s
	}
	if c.observer != nil {
		c.observer(ctx, s, err)
	}
}
