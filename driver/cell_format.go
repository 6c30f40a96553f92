package driver

import (
	"net/url"

	bq "google.golang.org/api/bigquery/v2"
)

// timestamps is the format of TIMESTAMP cells over REST.
type timestamps bool

const (
	micros timestamps = false // integers: fast to read, but they cut a TIMESTAMP(12) to microseconds
	exact  timestamps = true  // ISO 8601 with twelve digits of a second
)

const isoTimestamps = "ISO8601_STRING"

// options returns the format for jobs.query.
func (f timestamps) options() *bq.DataFormatOptions {
	if f == exact {
		return &bq.DataFormatOptions{TimestampOutputFormat: isoTimestamps}
	}
	return &bq.DataFormatOptions{UseInt64Timestamp: true}
}

// set adds the format to the parameters of jobs.getQueryResults. BigQuery refuses both parameters
// together.
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

// inexact reports whether timestamps of the page were cut to microseconds.
func (pg *page) inexact() bool {
	return len(pg.rows) > len("[]") && pg.format == micros && formatOf(pg.Schema) == exact
}
