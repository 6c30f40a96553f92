package driver

import (
	"context"
	"time"

	bq "google.golang.org/api/bigquery/v2"
)

// Stats is what a statement cost, as BigQuery's answer tells it.
type Stats struct {
	Project        string        // the project that was billed
	JobID          string        // "" if BigQuery ran the statement without a job
	Location       string        // where it ran, such as US
	StatementType  string        // such as SELECT or INSERT; "" if the answer does not say
	BytesProcessed int64         // bytes read
	BytesBilled    int64         // bytes that are paid for
	CacheHit       bool          // the result came from BigQuery's cache: nothing was read or billed
	TotalRows      int64         // of the result
	RowsAffected   int64         // by DML
	Duration       time.Duration // from the call until the first page was there
}

type statsKey struct{}

// WithStats returns a context that makes a statement run with it fill in s, by the time that
// Query or Exec returns. A context serves one statement: a second one overwrites the first. For a
// statement that took more than a few seconds BigQuery is asked once more, as its answer leaves some out.
func WithStats(ctx context.Context, s *Stats) context.Context {
	return context.WithValue(ctx, statsKey{}, s)
}

// watch fills in the Stats of one statement, or nothing if nobody asked for them.
type watch struct {
	stats   *Stats
	conn    *Conn
	started time.Time
}

func (c *Conn) observe(ctx context.Context) watch {
	s, _ := ctx.Value(statsKey{}).(*Stats)
	return watch{stats: s, conn: c, started: time.Now()}
}

func (w watch) answered(ctx context.Context, pg *page) {
	if w.stats == nil {
		return
	}
	if pg.StatementType == "" && pg.JobReference != nil {
		w.complete(ctx, pg)
	}
	*w.stats = Stats{
		Project:        w.conn.connector.cfg.Project,
		Location:       pg.Location,
		StatementType:  pg.StatementType,
		BytesProcessed: pg.TotalBytesProcessed,
		BytesBilled:    pg.TotalBytesBilled,
		CacheHit:       pg.CacheHit,
		TotalRows:      int64(pg.TotalRows),
		RowsAffected:   pg.NumDmlAffectedRows,
		Duration:       time.Since(w.started),
	}
	if ref := pg.JobReference; ref != nil {
		w.stats.JobID, w.stats.Location = ref.JobId, ref.Location
	}
}

// complete asks for what the answer to a long statement leaves out. That the statement has
// succeeded does not depend on it.
func (w watch) complete(ctx context.Context, pg *page) {
	job, err := call(ctx, w.conn.connector, retryable, func(cl *client) (*bq.Job, error) { return cl.job(ctx, pg.JobReference) })
	if err != nil || job.Statistics == nil || job.Statistics.Query == nil {
		return
	}
	pg.StatementType, pg.TotalBytesBilled = job.Statistics.Query.StatementType, job.Statistics.Query.TotalBytesBilled
}
