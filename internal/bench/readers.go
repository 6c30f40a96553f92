package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"cloud.google.com/go/bigquery"
	bq "google.golang.org/api/bigquery/v2"
	"google.golang.org/api/iterator"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/dsn"
)

// reader is one way to read the result of a query.
type reader struct {
	name string
	// values reports whether the rows become Go values. A reader without is for
	// comparison only.
	values bool
	// open connects, without a request if it can.
	open func(ctx context.Context, at addresses) (session, error)
}

// session reads results, one after the other.
type session interface {
	// read reads all rows of the result and returns how many there were.
	read(ctx context.Context, s shape, rows int) (int, error)
	close() error
}

// readers are compared in this order.
var readers = []reader{
	{"driver, REST", true, openDriver("rest")},
	{"driver, Storage", true, openDriver("storage")},
	{"driver, REST, Scan into types", true, openTyped("rest", scanTyped)},
	{"driver, Storage, Scan into types", true, openTyped("storage", scanTyped)},
	{"driver, Storage, Scan into sql.Null[T]", true, openTyped("storage", scanNull)},
	{"Query[T], REST", true, openTyped("rest", queryTyped)},
	{"Query[T], Storage", true, openTyped("storage", queryTyped)},
	{"QueryArrow, REST", false, openTyped("rest", queryArrow)},
	{"QueryArrow, Storage", false, openTyped("storage", queryArrow)},
	{"official client, REST", true, openOfficial(false)},
	{"official client, Storage", true, openOfficial(true)},
	{"database/sql alone, Scan into types", false, openFloor(scanTyped)},
	{"database/sql alone, Scan into sql.Null[T]", false, openFloor(scanNull)},
	{"plain loop over Arrow cells", true, openArrow(arrowCells)},
	{"Arrow batches, no cells", false, openArrow(arrowBatches)},
	{"Arrow bytes, nothing decoded", false, openArrow(arrowBytes)},
	{"JSON bytes, nothing decoded", false, openDrain},
}

func readerNamed(name string) (reader, error) {
	for _, r := range slices.Concat(readers, writers) {
		if r.name == name {
			return r, nil
		}
	}
	return reader{}, fmt.Errorf("no reader %q", name)
}

type driverSession struct{ db *sql.DB }

func openDriver(readAPI string) func(context.Context, addresses) (session, error) {
	return func(_ context.Context, at addresses) (session, error) {
		connector, err := driver.NewConnector(&dsn.Config{
			Project:         project,
			Auth:            "none",
			Endpoint:        at.REST,
			StorageEndpoint: at.Storage,
			ReadAPI:         readAPI,
		})
		if err != nil {
			return nil, err
		}
		return driverSession{sql.OpenDB(connector)}, nil
	}
}

func (d driverSession) close() error { return d.db.Close() }

func (d driverSession) read(ctx context.Context, s shape, rows int) (int, error) {
	r, err := d.db.QueryContext(ctx, statement(s, rows))
	if err != nil {
		return 0, err
	}
	defer r.Close()
	values := make([]any, len(s.fields))
	dest := make([]any, len(s.fields))
	for i := range values {
		dest[i] = &values[i]
	}
	n := 0
	for r.Next() {
		if err := r.Scan(dest...); err != nil {
			return n, err
		}
		n++
	}
	return n, r.Err()
}

type officialSession struct{ client *bigquery.Client }

func openOfficial(storage bool) func(context.Context, addresses) (session, error) {
	return func(ctx context.Context, at addresses) (session, error) {
		client, err := bigquery.NewClient(ctx, project, option.WithEndpoint(at.REST+"/bigquery/v2/"),
			option.WithoutAuthentication())
		if err != nil {
			return nil, err
		}
		if storage {
			u, err := url.Parse(at.Storage)
			if err == nil {
				err = client.EnableStorageReadClient(ctx, option.WithEndpoint(u.Host), option.WithoutAuthentication(),
					option.WithGRPCDialOption(grpc.WithTransportCredentials(insecure.NewCredentials())))
			}
			if err != nil {
				return nil, errors.Join(err, client.Close())
			}
		}
		return officialSession{client}, nil
	}
}

func (o officialSession) close() error { return o.client.Close() }

func (o officialSession) read(ctx context.Context, s shape, rows int) (int, error) {
	it, err := o.client.Query(statement(s, rows)).Read(ctx)
	if err != nil {
		return 0, err
	}
	for n := 0; ; n++ {
		var values []bigquery.Value
		if err := it.Next(&values); err == iterator.Done {
			return n, nil
		} else if err != nil {
			return n, err
		}
	}
}

// drainSession fetches the pages and reads only their tokens.
type drainSession struct {
	at      addresses
	service *bq.Service
}

func openDrain(ctx context.Context, at addresses) (session, error) {
	service, err := newService(ctx, at)
	return drainSession{at, service}, err
}

func newService(ctx context.Context, at addresses) (*bq.Service, error) {
	return bq.NewService(ctx, option.WithEndpoint(at.REST+"/bigquery/v2/"), option.WithHTTPClient(&http.Client{}))
}

// run runs the statement and leaves its rows to be fetched.
func run(ctx context.Context, service *bq.Service, s shape, rows int) (*bq.QueryResponse, error) {
	legacy := false
	resp, err := service.Jobs.Query(project, &bq.QueryRequest{
		Query:           statement(s, rows),
		UseLegacySql:    &legacy,
		ForceSendFields: []string{"MaxResults"},
	}).Context(ctx).Do()
	if err == nil && !resp.JobComplete {
		err = errors.New("the job is not complete")
	}
	return resp, err
}

func (d drainSession) close() error { return nil }

func (d drainSession) read(ctx context.Context, s shape, rows int) (int, error) {
	job, err := run(ctx, d.service, s, rows)
	if err != nil {
		return 0, err
	}
	for token := job.PageToken; token != ""; {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet,
			d.at.REST+"/bigquery/v2/projects/"+project+"/queries/"+job.JobReference.JobId+
				"?prettyPrint=false&formatOptions.useInt64Timestamp=true&pageToken="+url.QueryEscape(token), nil)
		if err != nil {
			return 0, err
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			return 0, err
		}
		head, err := io.ReadAll(io.LimitReader(resp.Body, 16<<10)) // the token comes before the rows
		if err == nil {
			_, err = io.Copy(io.Discard, resp.Body)
		}
		resp.Body.Close()
		if err != nil {
			return 0, err
		}
		_, rest, found := strings.Cut(string(head), `"pageToken":"`)
		token = ""
		if found {
			token, _, _ = strings.Cut(rest, `"`)
		}
	}
	return rows, nil
}
