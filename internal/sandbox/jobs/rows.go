package jobs

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/catalog"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

// Writable finds a table that a user may write rows to.
func (s *Runner) Writable(who Caller, name googlesql.TableName) (*catalog.Dataset, *catalog.Table, *apierror.Error) {
	if who.ReadOnly || !s.MayBill(who, name.Project) {
		return nil, nil, apierror.Errorf("accessDenied", "Access Denied: Table %s: Permission "+
			"bigquery.tables.updateData denied on table %[1]s (or it may not exist).", name)
	}
	d, t := s.catalog.Dataset(name.Project, name.Dataset), s.catalog.Table(name)
	switch {
	case d == nil:
		return nil, nil, apierror.NotFound("Dataset", name.Project+":"+name.Dataset, "")
	case t == nil:
		return nil, nil, apierror.NotFound("Table", name.String(), "")
	case t.ViewKind() != "TABLE":
		return nil, nil, apierror.Errorf("invalid", "%s is not allowed for this operation because it is currently a "+
			"%s.", name, t.ViewKind())
	case t.Partition != nil && t.Partition.Column == "":
		return nil, nil, apierror.Unsupported("appending rows to a table that is partitioned by ingestion time; use " +
			"INSERT")
	}
	return d, t, nil
}

// AppendRows adds rows to a table, all or none. A value without a Type stands for its column's default; so does a
// column of the table that the rows do not have.
func (s *Runner) AppendRows(ctx context.Context, t *catalog.Table, columns []googlesql.Column,
	rows [][]engine.Value) *apierror.Error {
	if len(rows) == 0 {
		return nil
	}
	return s.writeRows(ctx, t, columns, rows, false)
}

// writeRows is appendRows, with truncate in place of the rows that the table has.
func (s *Runner) writeRows(ctx context.Context, t *catalog.Table, columns []googlesql.Column, rows [][]engine.Value,
	truncate bool) *apierror.Error {
	begin := "BEGIN"
	if truncate {
		unlock, err := t.Lock(ctx)
		if err != nil {
			return err
		}
		defer unlock()
		begin += "; DELETE FROM " + catalog.TableSQL(t.Name)
	}
	types, places := make([]googlesql.Type, len(t.Columns)), make([]int, len(t.Columns))
	for i, c := range t.Columns {
		types[i] = c.Type
		places[i] = slices.IndexFunc(columns, func(o googlesql.Column) bool {
			return strings.EqualFold(o.Name,
				c.Name)
		})
		if k := places[i]; k >= 0 && columns[k].Type.String() != c.Type.String() {
			return apierror.Errorf("invalid", "Field %s has changed type from %s to %s", c.Name, columns[k].Type,
				c.Type)
		}
	}
	whole := make([][]engine.Value, len(rows))
	for r, row := range rows {
		whole[r] = make([]engine.Value, len(places))
		for i, k := range places {
			if k >= 0 {
				whole[r][i] = row[k]
			}
		}
	}
	if err := s.fillDefaults(ctx, t, whole); err != nil {
		return err
	}
	conn, err := s.db.Conn()
	if err != nil {
		return apierror.From(err)
	}
	defer conn.Release()
	if _, err := conn.Exec(ctx, begin); err != nil {
		_, _ = conn.Exec(context.Background(), "ROLLBACK") // BEGIN may be what has failed
		return apierror.From(err)
	}
	err = conn.Append(ctx, catalog.SchemaName(t.Name.Project, t.Name.Dataset), t.Name.Table, types, whole)
	if err == nil {
		_, err = conn.Exec(ctx, "COMMIT")
	}
	if err != nil {
		_, _ = conn.Exec(context.Background(), "ROLLBACK") // a COMMIT that failed has ended it
		return apierror.From(err)
	}
	s.catalog.Touch(t, s.now(), truncate)
	return nil
}

// fillDefaults puts values for those that stand for their column's default.
func (s *Runner) fillDefaults(ctx context.Context, t *catalog.Table, rows [][]engine.Value) *apierror.Error {
	for i, c := range t.Columns {
		var missing []int
		for r := range rows {
			if rows[r][i].Type.Kind == "" {
				missing = append(missing, r)
			}
		}
		switch {
		case len(missing) == 0:
			continue
		case c.Default == "" && c.Required:
			return apierror.Errorf("invalid", "Missing required field: %s.", c.Name)
		}
		values, err := s.defaults(ctx, t, c, len(missing))
		if err != nil {
			return err
		}
		for n, r := range missing {
			rows[r][i] = values(n)
		}
	}
	return nil
}

// defaults are n values of a column's default.
func (s *Runner) defaults(ctx context.Context, t *catalog.Table, c googlesql.Column, n int) (
	func(int) engine.Value, *apierror.Error) {
	if c.Default == "" {
		return func(int) engine.Value { return null(c.Type) }, nil
	}
	q := &query{project: t.Name.Project, sql: fmt.Sprintf("SELECT CAST((%s) AS %s) FROM UNNEST(GENERATE_ARRAY(1, %d))",
		c.Default, c.Type, n)}
	p, err := s.prepare(ctx, Caller{Admin: true}, q)
	if err != nil {
		return nil, err
	}
	res, err := s.runSQL(ctx, q, p)
	if err != nil {
		return nil, err
	}
	return func(i int) engine.Value {
		block, at := res.Find(int64(i))
		v := res.Blocks[block].Columns[0].Value(at)
		v.Type = c.Type
		return v
	}, nil
}
