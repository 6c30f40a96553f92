package driver

import (
	"context"
	"errors"
	"net/url"
	"reflect"
	"time"

	bq "google.golang.org/api/bigquery/v2"
)

// Stats is what a statement cost, as BigQuery's answer tells it.
type Stats struct {
	Query          string        // the statement's text; arguments are no part of it
	Project        string        // the project that was billed
	JobID          string        // "" if BigQuery ran the statement without a job
	Location       string        // where it ran, such as US
	StatementType  string        // such as SELECT or INSERT; "" if the answer does not say
	BytesProcessed int64         // bytes read
	BytesBilled    int64         // bytes that are paid for
	SlotTime       time.Duration // of all of BigQuery's workers together
	CacheHit       bool          // the result came from BigQuery's cache: nothing was read or billed
	TotalRows      int64         // of the result
	RowsAffected   int64         // by DML: the sum of the next three
	RowsInserted   int64
	RowsUpdated    int64
	RowsDeleted    int64
	Duration       time.Duration // from the call until the first page was there
	Warnings       []string      // BigQuery's, about a statement that succeeded
	Columns        []Column      // of the result, as Prepare has found them; nil for a statement that has run

	// What follows is known at the end of the rows only: an observer has it, WithStats does not.

	RowsRead int64  // rows that the caller took
	ReadAPI  string // how they came: rest or storage; "" if there were none to fetch
	Fallback error  // why they came by rest although storage was tried; nil if it was not
}

// Column is a column of a prepared statement's result. Its members are those of sql.ColumnType.
type Column struct {
	Name             string
	DatabaseTypeName string
	ScanType         reflect.Type
	Nullable         bool
}

// ConsoleURL is the page of the job in the Cloud console; "" without a job.
func (s Stats) ConsoleURL() string {
	if s.JobID == "" {
		return ""
	}
	q := url.Values{"project": {s.Project}, "j": {"bq:" + s.Location + ":" + s.JobID}, "page": {"queryresults"}}
	return "https://console.cloud.google.com/bigquery?" + q.Encode()
}

// Observer is told of each statement when it has ended: after Exec, and after the rows of a query
// have been read or closed. err is what it failed with, nil if it did not; of a failed one only
// Query, Project, JobID and Duration are known. It runs on the goroutine that ended the statement,
// and must not use the database. BEGIN, COMMIT and ROLLBACK of an sql.Tx are not told.
type Observer func(ctx context.Context, stats Stats, err error)

type statsKey struct{}

// WithStats returns a context that makes a statement run with it fill in s, by the time that Query
// or Exec returns, also with an error: of a failed statement only Query, Project, JobID and
// Duration are known. A context serves one statement: a second one overwrites the first. For a
// statement that took more than a few seconds BigQuery is asked once more, as its answer leaves
// some out. With Prepare s has the statement's type, its columns and, as BytesProcessed, how many
// bytes it would read at most. [WithObserver] is told of every statement.
func WithStats(ctx context.Context, s *Stats) context.Context {
	return context.WithValue(ctx, statsKey{}, s)
}

// recorder gathers the Stats of one statement. A nil one is that of a statement that nobody watches.
type recorder struct {
	ctx      context.Context // the statement's, for the observer
	backend  *backend
	started  time.Time
	stats    Stats
	target   *Stats // of WithStats; nil without
	observer Observer
}

// newRecorder records a statement, if its context or the connector asks for that.
func newRecorder(ctx context.Context, b *backend, observer Observer, text string) *recorder {
	target, _ := ctx.Value(statsKey{}).(*Stats)
	if target == nil && observer == nil {
		return nil
	}
	return &recorder{
		ctx: ctx, backend: b, started: time.Now(), target: target, observer: observer,
		stats: Stats{Query: text, Project: b.cfg.Project},
	}
}

// answered is told the first page.
func (w *recorder) answered(pg *page) {
	if w == nil {
		return
	}
	w.backend.complete(w.ctx, pg)
	s := &w.stats
	s.Location, s.StatementType, s.CacheHit = pg.Location, pg.StatementType, pg.CacheHit
	s.BytesProcessed, s.BytesBilled = pg.TotalBytesProcessed, pg.TotalBytesBilled
	s.SlotTime = time.Duration(pg.TotalSlotMs) * time.Millisecond
	s.TotalRows, s.RowsAffected = int64(pg.TotalRows), rowsAffected(pg.NumDmlAffectedRows, pg.DmlStats)
	if dml := pg.DmlStats; dml != nil {
		s.RowsInserted, s.RowsUpdated, s.RowsDeleted = dml.InsertedRowCount, dml.UpdatedRowCount, dml.DeletedRowCount
	}
	if ref := pg.JobReference; ref != nil {
		s.JobID, s.Location = ref.JobId, ref.Location
	}
	for _, warning := range pg.Errors {
		s.Warnings = append(s.Warnings, warning.Message)
	}
	s.Duration = time.Since(w.started)
	if w.target != nil {
		*w.target = *s
	}
}

// prepared is told what is known of a statement before it runs.
func (w *recorder) prepared(p *plan) {
	if w == nil || w.target == nil {
		return
	}
	s := &w.stats
	s.StatementType, s.BytesProcessed, s.Duration = p.statementType, p.bytes, time.Since(w.started)
	for i := range p.columns {
		c := &p.columns[i]
		s.Columns = append(s.Columns, Column{c.name, c.typeName, c.scanType(), c.nullable()})
	}
	*w.target = *s
}

// ended is told that there is no more to come of the statement.
func (w *recorder) ended(err error) {
	if w == nil {
		return
	}
	if e := (*Error)(nil); errors.As(err, &e) && w.stats.JobID == "" {
		w.stats.JobID = e.JobID
	}
	if w.stats.Duration == 0 {
		w.stats.Duration = time.Since(w.started)
		if w.target != nil {
			*w.target = w.stats // of a statement that failed
		}
	}
	if observer := w.observer; observer != nil {
		w.observer = nil
		observer(w.ctx, w.stats, err)
	}
}

// complete asks for what the answer to a long statement leaves out. That the statement has
// succeeded does not depend on it.
func (b *backend) complete(ctx context.Context, pg *page) {
	if !pg.polled && pg.StatementType != "" || pg.JobReference == nil {
		return // there is nothing left out, or nothing to ask for
	}
	job, err := ask(ctx, b, func(cl *client) (*bq.Job, error) { return cl.job(ctx, pg.JobReference) })
	if err != nil || job.Statistics == nil || job.Statistics.Query == nil {
		return
	}
	pg.polled = false
	q := job.Statistics.Query
	pg.StatementType, pg.TotalBytesBilled, pg.TotalSlotMs = q.StatementType, q.TotalBytesBilled, q.TotalSlotMs
	if pg.DmlStats == nil {
		pg.DmlStats = q.DmlStats
	}
}

// rowsAffected is how many rows a statement has changed. TRUNCATE has it in its statistics alone.
func rowsAffected(total int64, stats *bq.DmlStatistics) int64 {
	if total == 0 && stats != nil {
		return stats.InsertedRowCount + stats.UpdatedRowCount + stats.DeletedRowCount
	}
	return total
}
