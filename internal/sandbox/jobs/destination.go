package jobs

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/catalog"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/wire"
)

// destination is the table that keeps the result of a query.
type destination struct {
	table googlesql.TableName
	write string // WRITE_EMPTY, WRITE_APPEND, WRITE_TRUNCATE, WRITE_TRUNCATE_DATA
	never bool   // CREATE_NEVER: the table must be there
}

// destinationOf returns a job's destination table, or nil.
func destinationOf(c *wire.QueryConfiguration, project string) (*destination, *apierror.Error) {
	switch c.Priority {
	case "", "INTERACTIVE", "BATCH":
	default:
		return nil, apierror.Errorf("invalid", "Invalid priority %q: want INTERACTIVE or BATCH.", c.Priority)
	}
	d := &destination{write: c.WriteDisposition, never: c.CreateDisposition == "CREATE_NEVER"}
	switch {
	case !slices.Contains([]string{"", "WRITE_EMPTY", "WRITE_APPEND", "WRITE_TRUNCATE", "WRITE_TRUNCATE_DATA"},
		d.write):
		return nil, apierror.Errorf("invalid", "Invalid value for writeDisposition: %q.", c.WriteDisposition)
	case !slices.Contains([]string{"", "CREATE_IF_NEEDED", "CREATE_NEVER"}, c.CreateDisposition):
		return nil, apierror.Errorf("invalid", "Invalid value for createDisposition: %q.", c.CreateDisposition)
	case c.DestinationTable == nil && (d.never || d.write == "WRITE_APPEND" || d.write == "WRITE_TRUNCATE_DATA"):
		return nil, apierror.Unsupported("writeDisposition " + d.write + " and createDisposition " +
			c.CreateDisposition + " without a destinationTable")
	case c.DestinationTable == nil:
		return nil, nil
	}
	ref := c.DestinationTable
	d.table = googlesql.TableName{Project: ref.ProjectID, Dataset: ref.DatasetID, Table: ref.TableID}
	if d.table.Project == "" {
		d.table.Project = project
	}
	if !catalog.ValidDataset(ref.DatasetID) {
		return nil, apierror.Errorf("invalid", "Invalid dataset ID %q. Dataset IDs must be alphanumeric (plus "+
			"underscores) and must be at most 1024 characters long.", ref.DatasetID)
	}
	if strings.Contains(ref.TableID, "$") {
		return nil, apierror.Unsupported("a partition as the destinationTable")
	}
	if !catalog.ValidTable(ref.TableID) {
		return nil, apierror.Errorf("invalid", "Invalid table ID %q.", ref.TableID)
	}
	return d, nil
}

// reportTarget gives a job that writes a table the destination that BigQuery reports for it.
func reportTarget(c *wire.QueryConfiguration, stmt *googlesql.Statement) {
	if slices.Contains(dmlTypes, stmt.Type) || stmt.Type == "CREATE_TABLE" || stmt.Type == "CREATE_TABLE_AS_SELECT" {
		c.DestinationTable = new(wire.ReferenceTo(*stmt.Target))
	}
}

// checkDestination refuses a destination that the statement or the user can't have.
func (s *Runner) checkDestination(who Caller, q *query, stmt *googlesql.Statement) *apierror.Error {
	if q.destination == nil {
		return nil
	}
	switch {
	case slices.Contains(dmlTypes, stmt.Type):
		return apierror.Errorf("invalid", "Cannot set destination table in jobs with DML statements")
	case slices.Contains(ddlTypes, stmt.Type):
		return apierror.Errorf("invalid", "Cannot set destination table in jobs with DDL statements")
	case len(stmt.Columns) == 0:
		return apierror.Errorf("invalid", "Cannot set destination table in jobs with %s statements", stmt.Type)
	}
	name := q.destination.table
	if who.ReadOnly || !s.MayBill(who, name.Project) {
		return apierror.Errorf("accessDenied", "Access Denied: Table %s: Permission bigquery.tables.create denied on "+
			"table %[1]s (or it may not exist).", name)
	}
	if d := s.catalog.Dataset(name.Project, name.Dataset); d == nil {
		return apierror.NotFound("Dataset", name.Project+":"+name.Dataset, q.location)
	}
	if t := s.catalog.Table(name); t != nil && t.ViewKind() != "TABLE" {
		return apierror.Errorf("invalid", "%s is not allowed for this operation because it is currently a %s.", name,
			t.ViewKind())
	}
	if stmt.Duplicate != "" {
		return apierror.Errorf("invalidQuery", "Duplicate column names in the result are not supported when a "+
			"destination table is present. Found duplicate(s): %s", stmt.Duplicate)
	}
	return s.place(q, &googlesql.Statement{Target: &name})
}

// executeInto runs a query and keeps its rows in the destination. It first holds them in a
// temporary table, so that the answer and the table are the same.
func (s *Runner) executeInto(ctx context.Context, q *query, p *plan) (*outcome, *apierror.Error) {
	if q.session != nil && q.session.tx != nil {
		return nil, apierror.Unsupported("a destinationTable in a transaction")
	}
	unlock, apiErr := s.catalog.LockAndSweep(ctx)
	if apiErr != nil {
		return nil, apiErr
	}
	defer unlock()
	conn, err := s.db.Conn()
	if q.work != nil {
		conn, err = q.work.conn, nil
	} else if err == nil {
		defer conn.Release()
	}
	if err != nil {
		return nil, apierror.From(err)
	}
	stage := tempSQL("result " + rand.Text())
	names, values := make([]string, len(p.stmt.Columns)), make([]string, len(p.stmt.Columns))
	for i, c := range p.stmt.Columns {
		names[i] = engine.Quote(c.Name)
		values[i] = "CAST(" + names[i] + " AS " + c.Type.DuckDB() + ")"
		if c.Type.Kind == googlesql.Array {
			values[i] = "coalesce(" + values[i] + ", [])"
		}
		values[i] += " AS " + names[i]
	}
	list := strings.Join(names, ", ")
	create := "CREATE TEMP TABLE " + stage + " AS SELECT " + strings.Join(values, ", ") + " FROM (" + p.stmt.SQL +
		") AS q(" + list + ")"
	if _, err := conn.Query(ctx, create, p.values, nil, 0); err != nil {
		return nil, apierror.From(err)
	}
	defer func() {
		if _, err := conn.Exec(context.Background(), "DROP TABLE "+stage); err != nil {
			s.log.Error("a result was not dropped", "error", err)
		}
	}()
	res, err := conn.Query(ctx, "SELECT "+list+" FROM "+stage, nil, p.stmt.Columns, s.cfg.ResultBytes)
	if err != nil {
		return nil, apierror.From(err)
	}
	return &outcome{result: res}, s.writeInto(ctx, q.destination, p.stmt.Columns, conn, list, stage)
}

// writeInto copies a result that stage holds to its table. The caller holds the catalog's ddl lock.
func (s *Runner) writeInto(ctx context.Context, d *destination, columns []googlesql.Column, conn *engine.Conn, list,
	stage string) *apierror.Error {
	old := s.catalog.Table(d.table)
	if old == nil && d.never {
		return apierror.NotFound("Table", d.table.String(), "")
	}
	to := catalog.TableSQL(d.table)
	if old == nil || d.write == "WRITE_TRUNCATE" {
		if old == nil {
			if err := s.catalog.CheckNewTable(d.table); err != nil {
				return err
			}
		} else {
			if old.Partition != nil || old.Cluster != nil {
				return apierror.Unsupported("WRITE_TRUNCATE of a partitioned or clustered table; use " +
					"WRITE_TRUNCATE_DATA")
			}
			unlock, err := old.Lock(ctx)
			if err != nil {
				return err
			}
			defer unlock()
		}
		if _, err := conn.Exec(ctx, "CREATE OR REPLACE TABLE "+to+" AS SELECT * FROM "+stage); err != nil {
			return apierror.From(err)
		}
		s.catalog.AddTable(catalog.NewTable(d.table, columns, s.now()))
		return nil
	}
	if d.write == "WRITE_EMPTY" || d.write == "" {
		rows, _, err := s.catalog.TableSize(ctx, old)
		if err != nil {
			return apierror.From(err)
		}
		if rows > 0 {
			return apierror.Errorf("duplicate", "Already Exists: Table %s", d.table)
		}
	}
	if err := accepts(old, columns); err != nil {
		return err
	}
	insert := "INSERT INTO " + to + " (" + list + ") SELECT * FROM " + stage
	if d.write != "WRITE_TRUNCATE_DATA" {
		_, err := conn.Exec(ctx, insert)
		if err == nil {
			s.catalog.Touch(old, s.now(), false)
		}
		return apierror.From(err)
	}
	unlock, err := old.Lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if err := atomically(ctx, conn, "DELETE FROM "+to+"; "+insert); err != nil {
		return apierror.From(err)
	}
	s.catalog.Touch(old, s.now(), true)
	return nil
}

// accepts refuses rows whose schema does not fit the table.
func accepts(t *catalog.Table, columns []googlesql.Column) *apierror.Error {
	mismatch := func(format string, args ...any) *apierror.Error {
		e := apierror.Errorf("invalid", format, args...)
		e.Message = "Provided Schema does not match Table " + t.Name.String() + ". " + e.Message
		return e
	}
	for _, c := range columns {
		i := slices.IndexFunc(t.Columns, func(o googlesql.Column) bool { return strings.EqualFold(o.Name, c.Name) })
		if i < 0 {
			return mismatch("Cannot add fields (field: %s)", c.Name)
		}
		have := t.Columns[i]
		was, is := wire.FieldOf(have.Name, have.Type), wire.FieldOf(have.Name, c.Type)
		switch {
		case was.Mode != is.Mode:
			return mismatch("Field %s has changed mode from %s to %s", have.Name, was.Mode, is.Mode)
		case have.Required && !c.Required:
			return mismatch("Field %s has changed mode from REQUIRED to NULLABLE", have.Name)
		case was.Type != is.Type:
			return mismatch("Field %s has changed type from %s to %s", have.Name, was.Type, is.Type)
		case have.Type.String() != c.Type.String():
			return apierror.Unsupported("a destinationTable whose column " + have.Name + " is " + have.Type.String() +
				" where the result has " + c.Type.String())
		}
	}
	return nil
}
