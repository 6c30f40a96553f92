package driver

import (
	"context"
	"net/url"

	bq "google.golang.org/api/bigquery/v2"
)

// timestamps is the format of TIMESTAMP cells over REST.
type timestamps bool

const (
	micros timestamps = false // integers, which are read fast and cut a TIMESTAMP(12) to microseconds
	exact  timestamps = true  // ISO 8601 with twelve digits of a second
)

const isoTimestamps = "ISO8601_STRING"

// options are the format as jobs.query takes it.
func (f timestamps) options() *bq.DataFormatOptions {
	if f == exact {
		return &bq.DataFormatOptions{TimestampOutputFormat: isoTimestamps}
	}
	return &bq.DataFormatOptions{UseInt64Timestamp: true}
}

// set puts the format into the parameters of jobs.getQueryResults. BigQuery refuses both of them together.
func (f timestamps) set(q url.Values) {
	if f == exact {
		q.Set("formatOptions.timestampOutputFormat", isoTimestamps)
	} else {
		q.Set("formatOptions.useInt64Timestamp", "true")
	}
}

// formatOf returns the format that keeps all digits of a result.
func formatOf(schema *bq.TableSchema) timestamps {
	return timestamps(schema != nil && havePicos(schema.Fields))
}

// inexact reports whether the rows of an answer were cut.
func (pg *page) inexact() bool {
	return len(pg.rows) > len("[]") && pg.format == micros && formatOf(pg.Schema) == exact
}

// exactly returns the first page of a result with all digits. The job has its rows, where there is one; else the query, which
// only reads, runs again.
func (r *runner) exactly(ctx context.Context, st *statement, pg *page) (*page, error) {
	if !pg.inexact() {
		return pg, nil
	}
	if pg.JobReference == nil {
		again := *st
		again.format = exact
		pg, err := r.run(ctx, &again)
		if err != nil {
			return nil, err
		}
		if pg.format = timestamps(!pg.polled); pg.format == exact {
			return pg, nil
		}
	}
	pg, err := r.exactPage(ctx, pg)
	if err != nil && st.mayChange() {
		err = hasRun(err)
	}
	return pg, err
}

// exactPage fetches the first page of a job's result with all digits.
func (r *runner) exactPage(ctx context.Context, pg *page) (*page, error) {
	rows := firstPage(&r.cfg)
	got, err := ask(ctx, r.backend, func(cl *client) (*page, error) {
		return cl.resultsIn(ctx, exact, pg.JobReference, rows, pollHold)
	})
	if err != nil {
		return nil, r.failed(ctx, err, pg.JobReference)
	}
	if !got.JobComplete {
		return nil, tookBack(pg.JobReference)
	}
	exactly := *pg // with its statistics
	exactly.rows, exactly.PageToken, exactly.TotalRows, exactly.Schema, exactly.format = got.rows, got.PageToken, got.TotalRows, got.Schema, exact
	return &exactly, nil
}
