package sandbox

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/catalog"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/jobs"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/wire"
)

// refuseTable refuses a table that the sandbox can't make.
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
func (s *Server) describeTable(ctx context.Context, d *catalog.Dataset, t *catalog.Table, listed bool) (*wire.Table,
	*apierror.Error) {
	var rows, bytes int64
	if !listed {
		n, sizes, err := s.catalog.TableSize(ctx, t)
		if err != nil {
			return nil, apierror.From(err)
		}
		rows = n
		for _, b := range sizes {
			bytes += b
		}
	}
	s.catalog.Mu.RLock()
	defer s.catalog.Mu.RUnlock()
	out := &wire.Table{
		Kind: "bigquery#table", ID: t.Name.Project + ":" + t.Name.Dataset + "." + t.Name.Table, TableReference: t.Ref(),
		Type:         t.ViewKind(),
		FriendlyName: t.FriendlyName, Labels: t.Labels, CreationTime: wire.Int64(t.Created.UnixMilli()),
	}
	if t.View != nil {
		text, _ := json.Marshal(map[string]any{"query": t.View.Query, "useLegacySql": false})
		out.View = text
		if t.Materialized {
			out.View, out.MaterializedView = nil, text
		}
	}
	if !t.Expires.IsZero() {
		out.ExpirationTime = wire.Int64(t.Expires.UnixMilli())
	}
	t.Describe(out)
	t.Base.Describe(out)
	if listed {
		return out, nil
	}
	out.SelfLink = s.Endpoint() + "/bigquery/v2/projects/" + t.Name.Project + "/datasets/" + t.Name.Dataset +
		"/tables/" + t.Name.Table
	out.Location, out.Description, out.LastModifiedTime = d.Location, t.Description, wire.Int64(t.Modified.UnixMilli())
	out.ETag = etag(out.ID, t.Modified)
	out.Schema, out.NumRows, out.NumBytes = &wire.Schema{Fields: t.Schema}, &rows, &bytes
	out.Constraints = wire.ConstraintsOf(t.Keys)
	return out, nil
}

// pathTable returns the table that a request's path names.
func pathTable(r *http.Request) googlesql.TableName {
	return googlesql.TableName{Project: r.PathValue("project"), Dataset: r.PathValue("dataset"),
		Table: r.PathValue("table")}
}

// tableOf finds the table that a request's path names.
func (s *Server) tableOf(r *http.Request, who jobs.Caller) (*catalog.Dataset, *catalog.Table, *apierror.Error) {
	name := pathTable(r)
	if !s.jobs.MayRead(who, name.Project) {
		return nil, nil, apierror.Errorf("accessDenied", "Access Denied: Table %s: Permission bigquery.tables.get "+
			"denied on table %[1]s (or it may not exist).", name)
	}
	d := s.catalog.Dataset(name.Project, name.Dataset)
	if d == nil {
		return nil, nil, apierror.NotFound("Dataset", name.Project+":"+name.Dataset, "")
	}
	t := s.catalog.Table(name)
	if t == nil {
		return nil, nil, apierror.NotFound("Table", name.String(), "")
	}
	s.catalog.DropPartitions(t)
	return d, t, nil
}

func (s *Server) tablesGet(r *http.Request, who jobs.Caller) (any, *apierror.Error) {
	switch result, err := s.jobs.ResultNamed(who, pathTable(r)); {
	case err != nil:
		return nil, err
	case result != nil:
		return s.describeResult(result), nil
	}
	d, t, err := s.tableOf(r, who)
	if err != nil {
		return nil, err
	}
	return s.describeTable(r.Context(), d, t, false)
}

func (s *Server) tablesList(r *http.Request, who jobs.Caller) (any, *apierror.Error) {
	d, err := s.datasetOf(r, who)
	if err != nil {
		return nil, err
	}
	all := s.catalog.Tables(d)
	list, token, err := pageOfList(r, all, "tables "+d.Ref.ProjectID+" "+d.Ref.DatasetID)
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
func (s *Server) tablesInsert(r *http.Request, who jobs.Caller) (any, *apierror.Error) {
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
	name := googlesql.TableName{Project: d.Ref.ProjectID, Dataset: d.Ref.DatasetID, Table: req.TableReference.TableID}
	if !catalog.ValidTable(name.Table) {
		return nil, apierror.Errorf("invalid", "Invalid table ID %q.", name.Table)
	}
	if req.View != nil {
		return s.insertView(r.Context(), who, d, name, &req)
	}
	clauses, err := catalog.PartitionClauses(&req)
	if err != nil {
		return nil, err
	}
	err = s.jobs.MakeTable(r.Context(), who, name, req.Schema.Fields, req.Constraints.DDL(), clauses)
	if err != nil {
		return nil, err
	}
	t := s.catalog.Table(name)
	if t == nil {
		return nil, apierror.NotFound("Table", name.String(), "")
	}
	s.catalog.DescribeFields(t, req.Schema.Fields)
	s.catalog.Mu.Lock()
	t.FriendlyName, t.Description, t.Labels = req.FriendlyName, req.Description, req.Labels
	s.catalog.Mu.Unlock()
	return s.describeTable(r.Context(), d, t, false)
}

// insertView makes a view through the translator's CREATE VIEW.
func (s *Server) insertView(ctx context.Context, who jobs.Caller, d *catalog.Dataset, name googlesql.TableName,
	req *wire.Table) (any, *apierror.Error) {
	var view wire.ViewDefinition
	if err := json.Unmarshal(req.View, &view); err != nil {
		return nil, apierror.Errorf("parseError", "Invalid JSON payload received. %s", err)
	}
	if view.UseLegacySQL == nil || *view.UseLegacySQL {
		return nil, apierror.Unsupported("views in legacy SQL: set useLegacySql to false; it is true when it is left " +
			"out")
	}
	sql := "CREATE VIEW " + googlesql.QuoteName(name.Project+"."+name.Dataset+"."+name.Table) + " AS " + view.Query
	if err := s.jobs.Do(ctx, who, name.Project, d.Location, sql); err != nil {
		return nil, err
	}
	t := s.catalog.Table(name)
	if t == nil {
		return nil, apierror.NotFound("Table", name.String(), "")
	}
	s.catalog.Mu.Lock()
	t.FriendlyName, t.Description, t.Labels = req.FriendlyName, req.Description, req.Labels
	s.catalog.Mu.Unlock()
	return s.describeTable(ctx, d, t, false)
}

func (s *Server) tablesDelete(r *http.Request, who jobs.Caller) (any, *apierror.Error) {
	_, t, err := s.tableOf(r, who)
	if err != nil {
		return nil, err
	}
	if !s.jobs.MayBill(who, t.Name.Project) {
		return nil, apierror.Errorf("accessDenied", "Access Denied: Table %s: Permission bigquery.tables.delete "+
			"denied on table %[1]s (or it may not exist).", t.Name)
	}
	unlock, err := s.catalog.Lock(r.Context())
	if err != nil {
		return nil, err
	}
	defer unlock()
	if s.catalog.Table(t.Name) != t {
		return nil, apierror.NotFound("Table", t.Name.String(), "")
	}
	return nil, s.catalog.DropTable(r.Context(), t)
}
