package driver

import (
	"context"
	"database/sql/driver"
)

func (c *conn) query(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	if call := callOf(ctx, text); call != nil {
		return call.on(c)
	}
	w := newRecorder(ctx, c.backend, c.connector.observer, text)
	rows, err := c.rows(ctx, text, args, w)
	if err != nil {
		w.ended(err)
		return nil, err
	}
	return rows.lent(), nil
}

func (c *conn) rows(ctx context.Context, text string, args []driver.NamedValue, w *recorder) (*rows, error) {
	st, err := newStatement(ctx, &c.cfg, text, args)
	if err == nil {
		err = c.session.allows(st)
	}
	if err != nil {
		return nil, err
	}
	pg, err := c.run(ctx, st)
	if err == nil {
		pg, err = c.exactly(ctx, st, pg)
	}
	if err != nil {
		return nil, err
	}
	w.answered(pg)
	r := &rows{ctx: ctx, run: &c.runner, watch: w, changed: st.mayChange(), loan: loanOf(ctx)}
	r.fixed = st.config.DestinationTable == "" && pg.kind(st).hasRows()
	if pg.isScript(st) {
		err = r.openScript(pg)
	} else {
		r.ordered = st.sql.ordered
		err = r.open(pg)
	}
	if err != nil {
		return nil, r.end(err)
	}
	return r, nil
}

func (c *conn) exec(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	w := newRecorder(ctx, c.backend, c.connector.observer, text)
	st, err := newStatement(ctx, &c.cfg, text, args)
	if err == nil {
		err = c.session.allows(st)
	}
	if err != nil {
		w.ended(err)
		return nil, err
	}
	pg, err := c.run(ctx, st)
	if err != nil {
		w.ended(err)
		return nil, err
	}
	r := c.result(ctx, st, pg)
	w.answered(pg)
	w.ended(nil)
	return r, nil
}
