package driver

import (
	"context"
	"errors"
	"net/url"
	"reflect"
	"time"

	bq "google.golang.org/api/bigquery/v2"
)

// Stats describes what a statement did and cost, as BigQuery reports it.
type Stats struct {
	Query          string        // the text of the statement, without arguments
	Project        string        // the project that was billed
	JobID          string        // "" if BigQuery ran the statement without a job
	Location       string        // where it ran, such as US
	StatementType  string        // such as SELECT or INSERT; "" if the answer does not say
	BytesProcessed int64         // bytes read
	BytesBilled    int64         // bytes that the project pays for
	SlotTime       time.Duration // the sum over all of BigQuery's workers
	CacheHit       bool          // the result came from BigQuery's cache: nothing was read or billed
	TotalRows      int64         // rows of the result
	RowsAffected   int64         // rows that DML changed: the sum of the next three
	RowsInserted   int64
	RowsUpdated    int64
	RowsDeleted    int64
	Duration       time.Duration // from the call until the first page arrived
	Warnings       []string      // BigQuery's warnings about a statement that succeeded
	Columns        []Column      // columns of the result, after Prepare only

	// Package bulk reports these.

	BytesWritten int64  // bytes of the rows as they were sent
	WriteAPI     string // how they were written: storage or load

	// The following fields are known only after the last row. An observer gets them, WithStats does not.

	RowsRead int64  // rows that the caller read
	ReadAPI  string // how they were read: rest or storage; "" if none were fetched
	Fallback error  // why they were read by rest, or written by load, after storage was tried; nil if it was not
}

// Column is a column of the result of a prepared statement. Its fields are those of sql.ColumnType.
type Column struct {
	Name             string
	DatabaseTypeName string
	ScanType         reflect.Type
	Nullable         bool
}

// ConsoleURL returns the address of the job's page in the Cloud console; "" without a job.
func (s Stats) ConsoleURL() string {
	if s.JobID == "" {
		return ""
	}
	q := url.Values{"project": {s.Project}, "j": {"bq:" + s.Location + ":" + s.JobID}, "page": {"queryresults"}}
	return "https://console.cloud.google.com/bigquery?" + q.Encode()
}

// Observer is called when a statement has ended: after Exec, and after the rows of a query have been
// read or closed. err is the error of a statement that failed, whose Stats have only Query, Project,
// JobID and Duration. An Observer runs on the goroutine that ended the statement, and must not use the
// database. It is not called for BeginTx, Commit and Rollback.
type Observer func(ctx context.Context, stats Stats, err error)

type statsKey struct{}

// WithStats returns a context whose statement fills in s before Query or Exec returns. If the
// statement fails, s has only Query, Project, JobID and Duration. Use a new context for each statement.
// For a statement that took more than a few seconds the driver makes one more request, because
// BigQuery's answer leaves some of the Stats out. Prepare fills in the type of the statement, its
// columns and, as BytesProcessed, the most bytes that it would read. See [WithObserver] for the Stats of
// all statements.
func WithStats(ctx context.Context, s *Stats) context.Context {
	return context.WithValue(ctx, statsKey{}, s)
}

// recorder collects the Stats of one statement. It is nil if neither a context nor an observer wants
// them.
type recorder struct {
	ctx      context.Context // the statement's, for the observer
	backend  *backend
	started  time.Time
	stats    Stats
	target   *Stats // of WithStats; may be nil
	observer Observer
}

// newRecorder returns a recorder if the context or the connector asks for Stats, else nil.
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

// answered records the first page of the result.
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

// prepared records the answer to a dry run.
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

// ended records the end of the statement, and calls the observer.
func (w *recorder) ended(err error) {
	if w == nil {
		return
	}
	if e, ok := errors.AsType[*Error](err); ok && w.stats.JobID == "" {
		w.stats.JobID = e.JobID
	}
	if w.stats.Duration == 0 {
		w.stats.Duration = time.Since(w.started)
		if w.target != nil {
			*w.target = w.stats // the statement has failed
		}
	}
	if observer := w.observer; observer != nil {
		w.observer = nil
		observer(w.ctx, w.stats, err)
	}
}

// complete requests the Stats that the answer to a long statement leaves out. It ignores errors,
// because the statement has succeeded.
func (b *backend) complete(ctx context.Context, pg *page) {
	if !pg.polled && pg.StatementType != "" || pg.JobReference == nil {
		return // the answer is complete, or there is no job to ask for
	}
	ctx, cancel := context.WithTimeout(ctx, progressLimit) // the statement has run, whatever comes of this
	defer cancel()
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

// rowsAffected returns the number of rows that a statement has changed. TRUNCATE reports it only in
// its statistics.
func rowsAffected(total int64, stats *bq.DmlStatistics) int64 {
	if total == 0 && stats != nil {
		return stats.InsertedRowCount + stats.UpdatedRowCount + stats.DeletedRowCount
	}
	return total
}
