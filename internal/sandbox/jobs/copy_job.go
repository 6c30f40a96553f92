package jobs

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/catalog"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/wire"
)

// copyJob has the properties of a copy job. It is nil for other jobs.
type copyJob struct {
	config *copyConfiguration

	rows, bytes int64 // guarded by the job's lock
}

// copyConfiguration is configuration.copy.
type copyConfiguration struct {
	SourceTable       *wire.TableReference  `json:"sourceTable"`
	SourceTables      []wire.TableReference `json:"sourceTables"`
	DestinationTable  *wire.TableReference  `json:"destinationTable"`
	WriteDisposition  string                `json:"writeDisposition"`
	CreateDisposition string                `json:"createDisposition"`
	OperationType     string                `json:"operationType"`
	Expiration        time.Time             `json:"destinationExpirationTime"`
	Encryption        json.RawMessage       `json:"destinationEncryptionConfiguration"`
}

// copyWords begin and join the statement that does an operation.
var copyWords = map[string][2]string{"COPY": {"CREATE OR REPLACE TABLE ", " COPY "},
	"CLONE": {"CREATE TABLE ", " CLONE "}, "SNAPSHOT": {"CREATE SNAPSHOT TABLE ", " CLONE "}}

// parseCopy reads configuration.copy. project completes the names of tables.
func parseCopy(raw json.RawMessage, project string) (*copyConfiguration, *apierror.Error) {
	var c copyConfiguration
	if err := json.Unmarshal(raw, &c); err != nil {
		return nil, apierror.Errorf("parseError", "Invalid JSON payload received. %s", err)
	}
	if c.SourceTable != nil {
		c.SourceTables = append(c.SourceTables, *c.SourceTable)
	}
	c.WriteDisposition = cmp.Or(c.WriteDisposition, "WRITE_EMPTY")
	c.CreateDisposition = cmp.Or(c.CreateDisposition, "CREATE_IF_NEEDED")
	c.OperationType = cmp.Or(c.OperationType, "COPY")
	switch {
	case len(c.SourceTables) == 0:
		return nil, apierror.Errorf("required", "Required parameter is missing: sourceTable")
	case c.DestinationTable == nil:
		return nil, apierror.Errorf("required", "Required parameter is missing: destinationTable")
	case c.Encryption != nil && !wire.Empty(c.Encryption):
		return nil, apierror.Unsupported("configuration.copy.destinationEncryptionConfiguration")
	case copyWords[c.OperationType][0] == "":
		return nil, apierror.Unsupported("the operationType " + c.OperationType)
	case c.OperationType != "COPY" && (len(c.SourceTables) > 1 || c.WriteDisposition != "WRITE_EMPTY"):
		return nil, apierror.Unsupported("the operationType " + c.OperationType + " of several tables or into a table")
	case !slices.Contains([]string{"WRITE_EMPTY", "WRITE_APPEND", "WRITE_TRUNCATE"}, c.WriteDisposition):
		return nil, apierror.Errorf("invalid", "Invalid value for writeDisposition: %q.", c.WriteDisposition)
	case !slices.Contains([]string{"CREATE_IF_NEEDED", "CREATE_NEVER"}, c.CreateDisposition):
		return nil, apierror.Errorf("invalid", "Invalid value for createDisposition: %q.", c.CreateDisposition)
	}
	all := []*wire.TableReference{c.DestinationTable}
	for i := range c.SourceTables {
		all = append(all, &c.SourceTables[i])
	}
	for _, ref := range all {
		ref.ProjectID = cmp.Or(ref.ProjectID, project)
		if strings.Contains(ref.TableID, "$") {
			return nil, apierror.Unsupported("copying a partition")
		}
	}
	return &c, nil
}

// insertCopy makes a copy job and starts it.
func (s *Runner) insertCopy(who Caller, project string, req *wire.Job) (*wire.Job, *apierror.Error) {
	config, err := parseCopy(req.Configuration.Copy, project)
	if err != nil {
		return nil, err
	}
	j, err := s.beginWrite(who, project, req, "COPY", config.DestinationTable, &Job{copied: &copyJob{config: config}},
		s.runCopy)
	if err != nil {
		return nil, err
	}
	return s.Describe(j), nil
}

func nameOf(ref wire.TableReference) googlesql.TableName {
	return googlesql.TableName{Project: ref.ProjectID, Dataset: ref.DatasetID, Table: ref.TableID}
}

// runCopy copies the tables of a job.
func (s *Runner) runCopy(ctx context.Context, who Caller, j *Job) *apierror.Error {
	c := j.copied.config
	unlock, err := s.catalog.LockAndSweep(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	to := nameOf(*c.DestinationTable)
	sources, err := s.copySources(who, j, c)
	if err != nil {
		return err
	}
	old := s.catalog.Table(to)
	switch {
	case old == nil && c.CreateDisposition == "CREATE_NEVER":
		return apierror.NotFound("Table", to.String(), "")
	case old != nil && c.OperationType != "COPY":
		return apierror.Errorf("duplicate", "Already Exists: Table %s", to)
	case old != nil && c.WriteDisposition != "WRITE_TRUNCATE":
		return s.addCopies(ctx, j, old, sources)
	}
	words := copyWords[c.OperationType]
	quoted := func(n googlesql.TableName) string {
		return googlesql.QuoteName(n.Project + "." + n.Dataset + "." + n.Table)
	}
	q := &query{project: to.Project, location: j.query.location,
		sql: words[0] + quoted(to) + words[1] + quoted(sources[0].Name)}
	if !c.Expiration.IsZero() {
		q.sql += fmt.Sprintf(" OPTIONS (expiration_timestamp = TIMESTAMP_MILLIS(%d))", c.Expiration.UnixMilli())
	}
	p, err := s.prepare(ctx, who, q)
	if err == nil {
		_, err = s.createTable(ctx, q, p)
	}
	if err != nil {
		return err
	}
	made := s.catalog.Table(to)
	if err := s.countCopies(ctx, j, made); err != nil || len(sources) == 1 {
		return err
	}
	if err := s.insertCopies(ctx, j, made, sources[1:]); err != nil {
		if old == nil {
			_ = s.catalog.DropTable(context.WithoutCancel(ctx), made) // it was made for these rows
		}
		return err
	}
	return nil
}

// copySources finds the tables to copy, which must have the same columns.
func (s *Runner) copySources(who Caller, j *Job, c *copyConfiguration) ([]*catalog.Table, *apierror.Error) {
	var sources []*catalog.Table
	for _, ref := range c.SourceTables {
		name := nameOf(ref)
		t, d := s.catalog.Table(name), s.catalog.Dataset(name.Project, name.Dataset)
		switch {
		case !s.MayRead(who, name.Project):
			return nil, apierror.Errorf("accessDenied", "Access Denied: Table %s: Permission bigquery.tables.getData "+
				"denied on table %[1]s (or it may not exist).", name)
		case t == nil:
			return nil, apierror.NotFound("Table", name.String(), j.query.location)
		case !strings.EqualFold(d.Location, j.query.location):
			return nil, apierror.Errorf("invalid", "Cannot read and write in different locations: source: %s, "+
				"destination: %s", d.Location, j.query.location)
		case t.View != nil || c.OperationType == "COPY" && t.ViewKind() != "TABLE":
			return nil, apierror.Errorf("invalid", "%s is not allowed for this operation because it is currently a %s.",
				name, t.ViewKind())
		}
		if len(sources) > 0 {
			if len(t.Columns) != len(sources[0].Columns) {
				return nil, apierror.Errorf("invalid", "The source tables %s and %s have different schemas",
					sources[0].Name, name)
			}
			if err := accepts(sources[0], t.Columns); err != nil {
				return nil, err
			}
		}
		sources = append(sources, t)
	}
	return sources, nil
}

// addCopies adds the rows of tables to one that is there.
func (s *Runner) addCopies(ctx context.Context, j *Job, to *catalog.Table, sources []*catalog.Table) *apierror.Error {
	if _, _, err := s.Writable(Caller{Admin: true}, to.Name); err != nil {
		return err
	}
	if j.copied.config.WriteDisposition == "WRITE_EMPTY" {
		rows, _, err := s.catalog.TableSize(ctx, to)
		if err != nil {
			return apierror.From(err)
		}
		if rows > 0 {
			return apierror.Errorf("duplicate", "Already Exists: Table %s", to.Name)
		}
	}
	for _, t := range sources {
		if err := accepts(to, t.Columns); err != nil {
			return err
		}
	}
	return s.insertCopies(ctx, j, to, sources)
}

// insertCopies adds the rows of tables, all or none.
func (s *Runner) insertCopies(
	ctx context.Context, j *Job, to *catalog.Table, sources []*catalog.Table,
) *apierror.Error {
	var statements []string
	for _, t := range sources {
		if t.Partition != nil && t.Partition.Column == "" {
			return apierror.Unsupported("appending a table that is partitioned by ingestion time")
		}
		var names []string
		for _, c := range t.Columns {
			names = append(names, engine.Quote(c.Name))
		}
		list := strings.Join(names, ", ")
		statements = append(statements, "INSERT INTO "+catalog.TableSQL(to.Name)+" ("+list+") SELECT "+list+" FROM "+
			catalog.TableSQL(t.Name))
		if err := s.countCopies(ctx, j, t); err != nil {
			return err
		}
	}
	conn, err := s.db.Conn()
	if err != nil {
		return apierror.From(err)
	}
	defer conn.Release()
	if err := atomically(ctx, conn, strings.Join(statements, "; ")); err != nil {
		return apierror.From(err)
	}
	s.catalog.Touch(to, s.now(), false)
	return nil
}

// countCopies adds a table to the statistics of a job.
func (s *Runner) countCopies(ctx context.Context, j *Job, t *catalog.Table) *apierror.Error {
	rows, sizes, err := s.catalog.TableSize(ctx, t)
	j.mu.Lock()
	defer j.mu.Unlock()
	j.copied.rows, j.copied.bytes = j.copied.rows+rows, j.copied.bytes+sum(sizes)
	return apierror.From(err)
}
