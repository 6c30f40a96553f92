package driver

import (
	"context"
	"time"
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
// Query or Exec returns. A context serves one statement: a second one overwrites the first.
func WithStats(ctx context.Context, s *Stats) context.Context {
	return context.WithValue(ctx, statsKey{}, s)
}

// watch fills in the Stats of one statement. Its zero value fills in nothing.
type watch struct {
	stats   *Stats
	project string
	started time.Time
}

func (c *Conn) observe(ctx context.Context) watch {
	s, _ := ctx.Value(statsKey{}).(*Stats)
	if s == nil {
		return watch{}
	}
	return watch{stats: s, project: c.connector.cfg.Project, started: time.Now()}
}

func (w watch) answered(pg *page) {
	if w.stats == nil {
		return
	}
	*w.stats = Stats{
		Project:        w.project,
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
