package jobs

import (
	"context"
	"fmt"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/catalog"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

// optionsOf computes the options that a statement sets.
func (s *Runner) optionsOf(ctx context.Context, q *query, stmt *googlesql.Statement) (catalog.OptionValues,
	*apierror.Error) {
	if stmt.OptionsSQL == "" {
		return nil, nil
	}
	columns := make([]googlesql.Column, len(stmt.Options))
	for i, o := range stmt.Options {
		columns[i] = googlesql.Column{Name: o.Name, Type: googlesql.Type{Kind: googlesql.String}}
	}
	var conn *engine.Conn
	if q.work != nil {
		conn = q.work.conn
	} else {
		c, err := s.db.Conn()
		if err != nil {
			return nil, apierror.From(err)
		}
		defer c.Release()
		conn = c
	}
	res, err := conn.Query(ctx, stmt.OptionsSQL, nil, columns, 0)
	if err != nil {
		return nil, apierror.From(err)
	}
	values := catalog.OptionValues{}
	for i, o := range stmt.Options {
		v := res.Blocks[0].Columns[i]
		if v.Null(0) {
			values[o.Name] = nil
			continue
		}
		text := string(v.Bytes(0))
		values[o.Name] = &text
	}
	return values, nil
}

// describeNew gives a new table the properties from CREATE TABLE and the defaults of its
// dataset.
func (s *Runner) describeNew(ctx context.Context, q *query, t *catalog.Table,
	stmt *googlesql.Statement) *apierror.Error {
	s.catalog.CopyMetadata(t, stmt)
	t.Keys, t.Partition, t.Cluster = stmt.NewKeys, stmt.Partition, stmt.Cluster
	s.catalog.SetExpiry(t)
	return s.setOptions(ctx, q, t, stmt)
}

// setOptions gives a table that is not visible yet the options of a statement.
func (s *Runner) setOptions(ctx context.Context, q *query, t *catalog.Table,
	stmt *googlesql.Statement) *apierror.Error {
	values, err := s.optionsOf(ctx, q, stmt)
	if err != nil {
		return err
	}
	return t.Set(values)
}

// alterSchema runs ALTER SCHEMA. The caller holds the catalog's ddl lock.
func (s *Runner) alterSchema(ctx context.Context, q *query, stmt *googlesql.Statement) (*outcome, *apierror.Error) {
	d := s.catalog.Dataset(stmt.Target.Project, stmt.Target.Dataset)
	if d == nil {
		name := fmt.Sprintf("%s:%s", stmt.Target.Project, stmt.Target.Dataset)
		return dropMissing(stmt, apierror.NotFound("Dataset", name, q.location))
	}
	values, err := s.optionsOf(ctx, q, stmt)
	if err != nil {
		return nil, err
	}
	s.catalog.Mu.Lock()
	defer s.catalog.Mu.Unlock()
	if err := d.Set(values); err != nil {
		return nil, err
	}
	d.Modified = s.now()
	return &outcome{ddlOperation: "ALTER"}, nil
}
