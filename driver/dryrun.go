package driver

import (
	"context"
	"errors"

	bq "google.golang.org/api/bigquery/v2"
)

// dryRun has BigQuery check a statement without running it. declared are named parameters with
// known types; BigQuery finds the types of the others.
func (r *runner) dryRun(
	ctx context.Context, st *statement, declared []*bq.QueryParameter,
) (stats *bq.JobStatistics, err error) {
	if r.closed {
		return nil, errConnClosed
	}
	if err := r.begin(); err != nil {
		return nil, err
	}
	defer r.tasks.end()
	ctx, cancel := r.lifetime(ctx)
	defer cancel()
	err = r.inNewSession(false, func() (bool, error) {
		stats, err = r.dryRunOnce(ctx, st, declared)
		return false, err
	})
	return stats, err
}

func (r *runner) dryRunOnce(
	ctx context.Context,
	st *statement,
	declared []*bq.QueryParameter,
) (*bq.JobStatistics, error) {
	if err := r.session.admit(ctx, st, r.cfg.Location); err != nil {
		return nil, err
	}
	insertion := st.insertion(st.request(&r.session, declared))
	insertion.JobReference.JobId, insertion.Configuration.DryRun = "", true
	q := insertion.Configuration.Query
	q.CreateSession = false
	q.MaximumBytesBilled = 0 // a dry run asks how much the statement would read
	stats, err := ask(
		ctx,
		r.backend,
		func(cl *client) (*bq.JobStatistics, error) { return cl.dryRun(ctx, insertion) },
	)
	err = about(r.failed(ctx, err, nil), st.text)
	if r.session.creates() && errors.Is(err, ErrInvalidQuery) {
		// It may be valid in the session that it would create, as CREATE TEMP TABLE is.
		if r.makeSession(ctx) == nil {
			return r.dryRun(ctx, st, declared)
		}
	}
	return stats, err
}

// makeSession creates the session of the connection.
func (r *runner) makeSession(ctx context.Context) error {
	ctx = WithOptions(ctx, atOnce)
	st, err := newStatement(ctx, &r.cfg, "SELECT 1", nil)
	if err == nil {
		_, err = r.run(ctx, st)
	}
	return err
}

// checked returns the answer for a statement that was only checked.
func checked(stats *bq.JobStatistics) *page {
	pg := &page{}
	pg.JobComplete = true
	pg.TotalBytesProcessed = stats.TotalBytesProcessed
	pg.Schema, pg.StatementType, pg.CacheHit = stats.Query.Schema, stats.Query.StatementType, stats.Query.CacheHit
	return pg
}
