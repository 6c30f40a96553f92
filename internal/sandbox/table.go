package sandbox

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/wire"
)

// refuseTable says no to a table that the sandbox can't make.
func refuseTable(t *wire.Table) *apierror.Error {
	switch {
	case t.MaterializedView != nil:
		return apierror.Unsupported("materialized views made by tables.insert; use SQL")
	case t.External != nil:
		return apierror.Unsupported("external tables")
	case t.View == nil && (t.Schema == nil || len(t.Schema.Fields) == 0):
		return apierror.Unsupported("a table without a schema")
	}
	return nil
}

// describeTable writes a table's metadata; counts are left out of a list.
func (s *Server) describeTable(ctx context.Context, d *dataset, t *table, listed bool) (*wire.Table,
	*apierror.Error) {
	var rows, bytes int64
	if !listed {
		n, sizes, err := s.tableSize(ctx, t)
		if err != nil {
			return nil, apierror.From(err)
		}
		rows = n
		for _, b := range sizes {
			bytes += b
		}
	}
	s.catalog.mu.RLock()
	defer s.catalog.mu.RUnlock()
	out := &wire.Table{
		Kind: "bigquery#table", ID: t.name.Project + ":" + t.name.Dataset + "." + t.name.Table, TableReference: t.ref(),
		Type:         t.viewKind(),
		FriendlyName: t.friendly, Labels: t.labels, CreationTime: wire.Int64(t.created.UnixMilli()),
	}
	if t.view != nil {
		text, _ := json.Marshal(map[string]any{"query": t.view.Query, "useLegacySql": false})
		out.View = text
		if t.materialized {
			out.View, out.MaterializedView = nil, text
		}
	}
	if !t.expires.IsZero() {
		out.ExpirationTime = wire.Int64(t.expires.UnixMilli())
	}
	t.describe(out)
	t.base.describe(out)
	if listed {
		return out, nil
	}
	out.SelfLink = s.Endpoint() + "/bigquery/v2/projects/" + t.name.Project + "/datasets/" + t.name.Dataset +
		"/tables/" + t.name.Table
	out.Location, out.Description, out.LastModifiedTime = d.location, t.text, wire.Int64(t.modified.UnixMilli())
	out.ETag = etag(out.ID, t.modified)
	out.Schema, out.NumRows, out.NumBytes = &wire.Schema{Fields: t.schema}, &rows, &bytes
	out.Constraints = wire.ConstraintsOf(t.keys)
	return out, nil
}

// pathTable is the table that a request's path names.
func pathTable(r *http.Request) googlesql.TableName {
	return googlesql.TableName{Project: r.PathValue("project"), Dataset: r.PathValue("dataset"),
		Table: r.PathValue("table")}
}

// tableOf finds the table that a request's path names.
func (s *Server) tableOf(r *http.Request, who caller) (*dataset, *table, *apierror.Error) {
	name := pathTable(r)
	if !s.mayRead(who, name.Project) {
		return nil, nil, apierror.Errorf("accessDenied", "Access Denied: Table %s: Permission bigquery.tables.get "+
			"denied on table %[1]s (or it may not exist).", name)
	}
	d := s.catalog.dataset(name.Project, name.Dataset)
	if d == nil {
		return nil, nil, apierror.NotFound("Dataset", name.Project+":"+name.Dataset, "")
	}
	t := s.catalog.table(name)
	if t == nil {
		return nil, nil, apierror.NotFound("Table", name.String(), "")
	}
	s.dropPartitions(t)
	return d, t, nil
}

func (s *Server) tablesGet(r *http.Request, who caller) (any, *apierror.Error) {
	if j := s.jobs.resultNamed(pathTable(r)); j != nil {
		result, err := j.resultOf(who)
		if err != nil {
			return nil, err
		}
		return s.describeResult(j, result), nil
	}
	d, t, err := s.tableOf(r, who)
	if err != nil {
		return nil, err
	}
	return s.describeTable(r.Context(), d, t, false)
}

func (s *Server) tablesList(r *http.Request, who caller) (any, *apierror.Error) {
	d, err := s.datasetOf(r, who)
	if err != nil {
		return nil, err
	}
	all := s.catalog.tables(d)
	list, token, err := pageOfList(r, all, "tables "+d.ref.ProjectID+" "+d.ref.DatasetID)
	if err != nil {
		return nil, err
	}
	out := struct {
		Kind   string        `json:"kind"`
		Tables []*wire.Table `json:"tables,omitempty"`
		Total  int           `json:"totalItems"`
		Next   string        `json:"nextPageToken,omitempty"`
	}{Kind: "bigquery#tableList", Total: len(all), Next: token}
	for _, t := range list {
		item, err := s.describeTable(r.Context(), d, t, true)
		if err != nil {
			return nil, err
		}
		out.Tables = append(out.Tables, item)
	}
	return out, nil
}

// tablesInsert makes a table through the translator's CREATE TABLE, so that both
// ways make the same table.
func (s *Server) tablesInsert(r *http.Request, who caller) (any, *apierror.Error) {
	d, err := s.datasetOf(r, who)
	if err != nil {
		return nil, err
	}
	var req wire.Table
	if err := readBody(r, &req); err != nil {
		return nil, err
	}
	if err := refuseTable(&req); err != nil {
		return nil, err
	}
	name := googlesql.TableName{Project: d.ref.ProjectID, Dataset: d.ref.DatasetID, Table: req.TableReference.TableID}
	if !validTable(name.Table) {
		return nil, apierror.Errorf("invalid", "Invalid table ID %q.", name.Table)
	}
	if req.View != nil {
		return s.insertView(r.Context(), who, d, name, &req)
	}
	clauses, err := partitionClauses(&req)
	if err != nil {
		return nil, err
	}
	q, p, err := s.planTable(r.Context(), who, name, req.Schema.Fields, req.Constraints.DDL(), "CREATE TABLE ", clauses)
	if err != nil {
		return nil, err
	}
	if _, err := s.execute(r.Context(), q, p); err != nil {
		return nil, err
	}
	t := s.catalog.table(name)
	if t == nil {
		return nil, apierror.NotFound("Table", name.String(), "")
	}
	s.describeFields(t, req.Schema.Fields)
	s.catalog.mu.Lock()
	t.friendly, t.text, t.labels = req.FriendlyName, req.Description, req.Labels
	s.catalog.mu.Unlock()
	return s.describeTable(r.Context(), d, t, false)
}

// planTable plans a CREATE TABLE, which begins with words and ends with clauses, of a schema.
func (s *Server) planTable(ctx context.Context, who caller, name googlesql.TableName, fields []wire.Field,
	constraints []string, words, clauses string) (*query, *plan, *apierror.Error) {
	columns := make([]string, len(fields))
	for i := range fields {
		var err *apierror.Error
		if columns[i], err = fields[i].DDL(); err != nil {
			return nil, nil, err
		}
	}
	q := &query{project: name.Project, sql: words + googlesql.QuoteName(name.Project+"."+name.Dataset+"."+name.Table) +
		" (" + strings.Join(append(columns, constraints...), ", ") + ")" + clauses}
	if d := s.catalog.dataset(name.Project, name.Dataset); d != nil {
		q.location = d.location
	}
	p, err := s.prepare(ctx, who, q)
	return q, p, err
}

// describeFields keeps the descriptions of a schema that CREATE TABLE has not seen.
func (s *Server) describeFields(t *table, fields []wire.Field) {
	s.catalog.mu.Lock()
	defer s.catalog.mu.Unlock()
	t.schema = withDescriptions(t.schema, fields)
}

// insertView makes a view through the translator's CREATE VIEW.
func (s *Server) insertView(ctx context.Context, who caller, d *dataset, name googlesql.TableName, req *wire.Table) (
	any, *apierror.Error) {
	var view wire.ViewDefinition
	if err := json.Unmarshal(req.View, &view); err != nil {
		return nil, apierror.Errorf("parseError", "Invalid JSON payload received. %s", err)
	}
	if view.UseLegacySQL == nil || *view.UseLegacySQL {
		return nil, apierror.Unsupported("views in legacy SQL: set useLegacySql to false; it is true when it is left " +
			"out")
	}
	q := &query{project: name.Project, location: d.location,
		sql: "CREATE VIEW " + googlesql.QuoteName(name.Project+"."+name.Dataset+"."+name.Table) + " AS " + view.Query}
	p, err := s.prepare(ctx, who, q)
	if err == nil {
		_, err = s.execute(ctx, q, p)
	}
	if err != nil {
		return nil, err
	}
	t := s.catalog.table(name)
	if t == nil {
		return nil, apierror.NotFound("Table", name.String(), "")
	}
	s.catalog.mu.Lock()
	t.friendly, t.text, t.labels = req.FriendlyName, req.Description, req.Labels
	s.catalog.mu.Unlock()
	return s.describeTable(ctx, d, t, false)
}

// withDescriptions copies the descriptions that CREATE TABLE has not seen.
func withDescriptions(fields, asked []wire.Field) []wire.Field {
	out := make([]wire.Field, len(fields))
	for i, f := range fields {
		if i < len(asked) {
			f.Description = asked[i].Description
			f.Fields = withDescriptions(f.Fields, asked[i].Fields)
			if len(f.Fields) == 0 {
				f.Fields = nil
			}
		}
		out[i] = f
	}
	return out
}

func (s *Server) tablesDelete(r *http.Request, who caller) (any, *apierror.Error) {
	_, t, err := s.tableOf(r, who)
	if err != nil {
		return nil, err
	}
	if !s.mayBill(who, t.name.Project) {
		return nil, apierror.Errorf("accessDenied", "Access Denied: Table %s: Permission bigquery.tables.delete "+
			"denied on table %[1]s (or it may not exist).", t.name)
	}
	unlock, err := lock(r.Context(), s.catalog.ddl)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if s.catalog.table(t.name) != t {
		return nil, apierror.NotFound("Table", t.name.String(), "")
	}
	return nil, s.dropTable(r.Context(), t)
}
