package jobs

import (
	"errors"
	"slices"
	"strings"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/catalog"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/infoschema"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/wire"
)

// resolver is the catalog for one user and one statement. It remembers why a
// table was refused, because the translator's errors have a message and a
// position but not BigQuery's reason.
type resolver struct {
	server *Runner
	who    Caller
	// query's location is set by the first dataset if the request has none.
	query    *query
	refusals []*apierror.Error
	// hidden is a column that is hidden from the statement; see columnsRead.
	hidden columnName
}

// columnName is a column of a table.
type columnName struct {
	table  googlesql.TableName
	column string
}

// Table implements googlesql.Catalog.
func (r *resolver) Table(name googlesql.TableName) (*googlesql.Table, error) {
	if t := r.query.work.table(name); t != nil {
		return &googlesql.Table{Name: name, Columns: r.visible(t), SQL: tempSQL(name.Table), Keys: t.Keys,
			Partition: t.Partition, Cluster: t.Cluster, RequireFilter: t.RequireFilter}, nil
	}
	if r.query.work.owns(&name) {
		return nil, r.refuse(apierror.NotFound("Table", name.String(), r.query.location))
	}
	if !r.server.MayRead(r.who, name.Project) {
		return nil, r.refuse(apierror.Errorf("accessDenied", "Access Denied: Table %s: User does not have permission "+
			"to query table %s, or perhaps it does not exist.", name, name))
	}
	if view, ok := strings.CutPrefix(name.Table, googlesql.InformationSchema); ok {
		t, err := r.informationSchema().View(name, view, &r.query.location)
		return t, r.refused(err)
	}
	d := r.server.catalog.Dataset(name.Project, name.Dataset)
	if d != nil && r.query.location == "" {
		r.query.location = d.Location
	}
	if d == nil || !strings.EqualFold(d.Location, r.query.location) {
		return nil, r.refuse(apierror.NotFound("Dataset", name.Project+":"+name.Dataset, r.query.location))
	}
	if strings.HasSuffix(name.Table, "*") {
		return r.wildcard(d, name)
	}
	if t, err := r.informationSchema().MetaTable(d, name); t != nil || err != nil {
		return t, r.refused(err)
	}
	t := r.server.catalog.Table(name)
	if t == nil {
		return nil, r.refuse(apierror.NotFound("Table", name.String(), r.query.location))
	}
	r.server.catalog.DropPartitions(t)
	return &googlesql.Table{Name: name, Columns: r.visible(t), SQL: catalog.TableSQL(name), View: t.View, Keys: t.Keys,
		Partition: t.Partition, Cluster: t.Cluster, RequireFilter: t.RequireFilter,
		Snapshot: t.ViewKind() == catalog.Snapshot}, nil
}

// visible returns the columns of a table without the hidden one.
func (r *resolver) visible(t *catalog.Table) []googlesql.Column {
	if r.hidden.table != t.Name {
		return t.Columns
	}
	return slices.DeleteFunc(slices.Clone(t.Columns),
		func(c googlesql.Column) bool { return c.Name == r.hidden.column })
}

func (r *resolver) refuse(e *apierror.Error) error {
	r.refusals = append(r.refusals, e)
	return &googlesql.Error{Message: e.Message}
}

// translate turns GoogleSQL into DuckDB's SQL for a user.
func (s *Runner) translate(who Caller, q *query, undeclared bool) (*googlesql.Statement, *apierror.Error) {
	r := &resolver{server: s, who: who, query: q}
	stmt, err := googlesql.Translate(q.sql, q.options(r, undeclared))
	if err != nil {
		return nil, r.explain(err)
	}
	return stmt, nil
}

// options returns the options for the translation of a query.
func (q *query) options(r *resolver, undeclared bool) googlesql.Options {
	opts := googlesql.Options{
		Catalog: r, DefaultProject: q.project, Positional: q.positional, Params: q.params,
		AllowUndeclared: undeclared, SchemaSQL: q.work.schemaSQL, SessionUser: r.who.Email, Temp: q.work.temp(),
		Part: q.part, Want: q.wanted, Variables: q.vars.types(), Function: r.function,
	}
	q.setVariables(&opts)
	return opts
}

// explain adds BigQuery's reason to a translator's error.
func (r *resolver) explain(err error) *apierror.Error {
	refused, ok := errors.AsType[*googlesql.Error](err)
	if !ok {
		return apierror.Errorf("invalidQuery", "%s", err)
	}
	text := refused.Error()
	if refused.Line == 0 {
		text = refused.Message
	}
	for _, known := range r.refusals {
		if strings.HasPrefix(refused.Message, known.Message) {
			return apierror.Errorf(known.Reason, "%s", text)
		}
	}
	return apierror.Errorf("invalidQuery", "%s", text)
}

// informationSchema is INFORMATION_SCHEMA as the user sees it.
func (r *resolver) informationSchema() *infoschema.Views {
	return &infoschema.Views{Catalog: r.server.catalog, Location: r.server.cfg.Location, Jobs: r.jobs}
}

// refused keeps the reason of an error of INFORMATION_SCHEMA.
func (r *resolver) refused(err error) error {
	if e, ok := errors.AsType[*apierror.Error](err); ok {
		return r.refuse(e)
	}
	return err
}

// jobs are the jobs of a project in the query's location, or the user's own among them, oldest first.
func (r *resolver) jobs(project string, own bool) (list []*wire.Job, _ *apierror.Error) {
	if err := r.server.CheckJobs(r.who, project, "bigquery.jobs.listAll"); err != nil && !r.who.Admin {
		return nil, err
	}
	for _, j := range r.server.jobs.all(project) {
		if strings.EqualFold(j.ref.Location, r.query.location) && (!own || j.user == r.who.Email) {
			list = append(list, r.server.Describe(j))
		}
	}
	return list, nil
}
