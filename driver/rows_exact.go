package driver

import "context"

// exactly returns the first page of a result with all digits of its timestamps. It fetches the page
// from the job or, if there is no job, runs the query again, which changes nothing.
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
	exactly := *pg // with the statistics of the old page
	exactly.rows, exactly.format = got.rows, exact
	exactly.PageToken, exactly.TotalRows, exactly.Schema = got.PageToken, got.TotalRows, got.Schema
	return &exactly, nil
}
