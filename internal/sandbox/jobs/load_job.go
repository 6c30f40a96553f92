package jobs

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/catalog"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/load"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/wire"
)

// loadJob has the properties of a load job. It is nil for other jobs.
type loadJob struct {
	config *loadConfiguration
	size   int64 // of the data

	// Guarded by the job's lock.
	rows, bytes, bad int64
	problems         []apierror.Proto
}

// BeginLoad makes a load job of a request and its data, and starts it.
func (s *Runner) BeginLoad(who Caller, project string, req *wire.Job, data []byte) (*Job, *apierror.Error) {
	config, err := parseLoad(req.Configuration.Load)
	if err != nil {
		return nil, err
	}
	return s.beginWrite(who, project, req, "LOAD", config.DestinationTable,
		&Job{load: &loadJob{config: config, size: int64(len(data))}},
		func(ctx context.Context, who Caller, j *Job) *apierror.Error { return s.runLoad(ctx, who, j, data) })
}

// beginWrite makes a job of a kind that writes a table without a statement, and starts it.
func (s *Runner) beginWrite(who Caller, project string, req *wire.Job, kind string, ref *wire.TableReference, j *Job,
	run func(context.Context, Caller, *Job) *apierror.Error) (*Job, *apierror.Error) {
	if req.Configuration.DryRun {
		return nil, apierror.Errorf("invalid", "Dry run is not supported for %s jobs.", strings.ToLower(kind))
	}
	id, location, err := jobID(project, req.JobReference)
	if err != nil {
		return nil, err
	}
	if ref.ProjectID == "" {
		ref.ProjectID = project
	}
	if who.ReadOnly || !s.MayBill(who, ref.ProjectID) {
		return nil, apierror.Errorf("accessDenied", "Access Denied: Dataset %s:%s: Permission bigquery.tables.create "+
			"denied on dataset %[1]s:%[2]s (or it may not exist).", ref.ProjectID, ref.DatasetID)
	}
	d := s.catalog.Dataset(ref.ProjectID, ref.DatasetID)
	switch {
	case d == nil || location != "" && !strings.EqualFold(location, d.Location):
		return nil, apierror.NotFound("Dataset", ref.ProjectID+":"+ref.DatasetID, location)
	case !catalog.ValidTable(ref.TableID):
		return nil, apierror.Errorf("invalid", "Invalid table ID %q.", ref.TableID)
	case id == "":
		id = newJobID()
	}
	runCtx, stop := context.WithCancelCause(s.ctx)
	j.ref, j.user = wire.JobReference{ProjectID: project, JobID: id, Location: d.Location}, who.Email
	j.config, j.query = req.Configuration, &query{project: project, location: d.Location}
	j.config.JobType = kind
	j.created, j.stop, j.finished, j.state = s.now(), stop, make(chan struct{}), pending
	if err := s.jobs.add(j); err != nil {
		stop(nil)
		return nil, err
	}
	s.work.Go(func() {
		defer stop(nil)
		j.mu.Lock()
		j.state, j.started = running, s.now()
		j.mu.Unlock()
		ctx := runCtx
		if limit := time.Duration(j.config.JobTimeoutMs) * time.Millisecond; limit > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeoutCause(ctx, limit,
				apierror.Errorf("timeout", "Operation timed out after %s. Job execution was cancelled.", limit))
			defer cancel()
		}
		err := run(ctx, who, j)
		s.catalog.Keep()
		j.finish(&outcome{}, err, s.now())
	})
	return j, nil
}

// runLoad reads a job's data and writes it to its table.
func (s *Runner) runLoad(ctx context.Context, who Caller, j *Job, data []byte) *apierror.Error {
	c := j.load.config
	unlock, apiErr := s.catalog.Lock(ctx)
	if apiErr != nil {
		return apiErr
	}
	defer unlock()
	name := googlesql.TableName{Project: c.DestinationTable.ProjectID, Dataset: c.DestinationTable.DatasetID,
		Table: c.DestinationTable.TableID}
	old := s.catalog.Table(name)
	if err := s.checkLoad(ctx, c, name, old); err != nil {
		return err
	}
	o, fields := c.options(), []wire.Field(nil)
	replace := old == nil || c.WriteDisposition == "WRITE_TRUNCATE" && (c.Schema != nil || c.detects())
	switch {
	case !replace:
		o.Columns = old.Columns
	case c.Schema != nil:
		fields = c.Schema.Fields
		columns, err := s.columnsOf(ctx, who, name, fields)
		if err != nil {
			return err
		}
		o.Columns = columns
	case !c.detects() && c.SourceFormat != "PARQUET":
		return apierror.Errorf("invalid", "Schema has no fields. Table: %s", name.Table)
	}
	rows, err := readLoad(ctx, c.SourceFormat, data, o)
	if err != nil {
		return loadError(ctx, err)
	}
	j.mu.Lock()
	j.load.bad = rows.BadRecords
	for _, p := range rows.Problems {
		j.load.problems = append(j.load.problems, apierror.Proto{Reason: "invalid", Message: p})
	}
	j.mu.Unlock()
	if text := rows.TooMany(formatNames[c.SourceFormat], &o); text != "" {
		return apierror.Errorf("invalid", "%s", text)
	}
	if fields == nil {
		fields = wire.SchemaOf(rows.Columns)
	}
	return s.writeLoad(ctx, who, j, name, old, replace, fields, rows)
}

// loadError returns the error of data that can't be read at all.
func loadError(ctx context.Context, err error) *apierror.Error {
	if problem := (*load.Problem)(nil); errors.As(err, &problem) {
		return apierror.Errorf("invalid", "%s", problem.Message)
	}
	if ctx.Err() != nil {
		return apierror.From(context.Cause(ctx))
	}
	return apierror.Broken("%s", err)
}

// formatNames has the names of formats in errors.
var formatNames = map[string]string{"CSV": "CSV", "NEWLINE_DELIMITED_JSON": "JSON", "PARQUET": "Parquet"}

// detects reports whether the columns must be detected from the data.
func (c *loadConfiguration) detects() bool {
	return c.Autodetect != nil && *c.Autodetect || c.SourceFormat == "PARQUET"
}

// checkLoad refuses a table that the job may not write to.
func (s *Runner) checkLoad(ctx context.Context, c *loadConfiguration, name googlesql.TableName,
	old *catalog.Table) *apierror.Error {
	switch {
	case old == nil && c.CreateDisposition == "CREATE_NEVER":
		return apierror.NotFound("Table", name.String(), "")
	case old == nil:
		return s.catalog.CheckNewTable(name)
	case c.WriteDisposition == "WRITE_TRUNCATE" && (old.Partition != nil || old.Cluster != nil):
		return apierror.Unsupported("WRITE_TRUNCATE of a partitioned or clustered table; use WRITE_TRUNCATE_DATA")
	case c.WriteDisposition == "WRITE_EMPTY":
		rows, _, err := s.catalog.TableSize(ctx, old)
		if err != nil {
			return apierror.From(err)
		}
		if rows > 0 {
			return apierror.Errorf("duplicate", "Already Exists: Table %s", name)
		}
	}
	if _, _, err := s.Writable(Caller{Admin: true}, name); err != nil {
		return err
	}
	if c.Schema == nil || c.WriteDisposition == "WRITE_TRUNCATE" {
		return nil
	}
	for _, f := range c.Schema.Fields {
		i := slices.IndexFunc(old.Schema, func(o wire.Field) bool { return strings.EqualFold(o.Name, f.Name) })
		if i < 0 {
			return apierror.Errorf("invalid", "Provided Schema does not match Table %s. Cannot add fields (field: %s)",
				name, f.Name)
		}
		if have := old.Schema[i]; wire.KindOf(have.Type) != wire.KindOf(f.Type) {
			return apierror.Errorf("invalid", "Provided Schema does not match Table %s. Field %s has changed type "+
				"from %s to %s", name, f.Name, have.Type, strings.ToUpper(f.Type))
		}
	}
	return nil
}

// columnsOf returns the columns of a table that would have a schema.
func (s *Runner) columnsOf(ctx context.Context, who Caller, name googlesql.TableName, fields []wire.Field) (
	[]googlesql.Column, *apierror.Error) {
	_, p, err := s.planTable(ctx, who, name, fields, nil, "CREATE OR REPLACE TABLE ", "")
	if err != nil {
		return nil, err
	}
	return p.stmt.NewColumns, nil
}

// readLoad reads data of a format, which may be gzipped.
func readLoad(ctx context.Context, format string, data []byte, o load.Options) (*load.Rows, error) {
	if bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			return nil, err
		}
		if data, err = io.ReadAll(io.LimitReader(z, MaxUpload+1)); err != nil {
			return nil, &load.Problem{Message: "Error while reading data, error message: " + err.Error()}
		}
		if len(data) > MaxUpload {
			return nil, engine.ErrTooLarge
		}
	}
	switch format {
	case "CSV":
		return load.CSV(data, o)
	case "PARQUET":
		return load.Parquet(ctx, data, o)
	}
	return load.JSON(data, o)
}

// writeLoad writes rows to the table, and creates it if necessary. The caller holds the catalog's
// ddl lock.
func (s *Runner) writeLoad(ctx context.Context, who Caller, j *Job, name googlesql.TableName, old *catalog.Table,
	replace bool, fields []wire.Field, rows *load.Rows) *apierror.Error {
	t := old
	var before int64
	truncate := strings.HasPrefix(j.load.config.WriteDisposition, "WRITE_TRUNCATE")
	if replace {
		q, p, err := s.planTable(ctx, who, name, fields, nil, "CREATE OR REPLACE TABLE ", "")
		if err == nil {
			_, err = s.createTable(ctx, q, p)
		}
		if err != nil {
			return err
		}
		t = s.catalog.Table(name)
		s.catalog.DescribeFields(t, fields)
	} else if !truncate {
		_, sizes, err := s.catalog.TableSize(ctx, t)
		if err != nil {
			return apierror.From(err)
		}
		before = sum(sizes)
	}
	err := s.writeRows(ctx, t, rows.Columns, rows.Values, truncate && !replace)
	if err != nil {
		if old == nil {
			_ = s.catalog.DropTable(context.WithoutCancel(ctx), t) // it was made for these rows
		}
		return err
	}
	_, sizes, sizeErr := s.catalog.TableSize(ctx, t)
	if sizeErr != nil {
		return apierror.From(sizeErr)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.load.rows, j.load.bytes = int64(len(rows.Values)), sum(sizes)-before
	return nil
}

func sum(sizes map[string]int64) (total int64) {
	for _, n := range sizes {
		total += n
	}
	return total
}

// describeLoad adds the statistics of a finished load job. The caller holds the lock.
func (j *Job) describeLoad(out *wire.Job) {
	l := j.load
	out.Status.Errors = append(out.Status.Errors, l.problems...)
	if j.err == nil {
		out.Statistics.Load = &wire.LoadStatistics{InputFiles: 1, InputFileBytes: l.size, OutputRows: l.rows,
			OutputBytes: l.bytes, BadRecords: l.bad}
	}
}

// MaxUpload is the size of the data that a load job may bring.
const MaxUpload = 512 << 20
