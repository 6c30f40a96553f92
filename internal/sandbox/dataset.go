package sandbox

import (
	"context"
	"net/http"
	"strings"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/wire"
)

func (s *Server) describeDataset(d *dataset, listed bool) *wire.Dataset {
	s.catalog.mu.RLock()
	defer s.catalog.mu.RUnlock()
	out := &wire.Dataset{
		Kind: "bigquery#dataset", ID: d.ref.ProjectID + ":" + d.ref.DatasetID, DatasetReference: d.ref,
		Location: d.location, FriendlyName: d.friendly, Labels: d.labels,
	}
	if listed {
		return out
	}
	out.SelfLink = s.Endpoint() + "/bigquery/v2/projects/" + d.ref.ProjectID + "/datasets/" + d.ref.DatasetID
	out.Description = d.text
	out.TableExpirationMs = wire.Int64(d.tableDays * dayMillis)
	out.PartitionExpirationMs = wire.Int64(d.partitionDays * dayMillis)
	out.CreationTime, out.LastModifiedTime = wire.Int64(d.created.UnixMilli()), wire.Int64(d.modified.UnixMilli())
	out.ETag = etag(out.ID, d.modified)
	return out
}

// datasetOf finds the dataset that a request's path names.
func (s *Server) datasetOf(r *http.Request, who caller) (*dataset, *apierror.Error) {
	project, id := r.PathValue("project"), r.PathValue("dataset")
	if !s.mayRead(who, project) {
		return nil, apierror.Errorf("accessDenied", "Access Denied: Dataset %s:%s: Permission bigquery.datasets.get "+
			"denied on dataset %[1]s:%[2]s (or it may not exist).", project, id)
	}
	d := s.catalog.dataset(project, id)
	if d == nil {
		return nil, apierror.NotFound("Dataset", project+":"+id, "")
	}
	return d, nil
}

func (s *Server) datasetsGet(r *http.Request, who caller) (any, *apierror.Error) {
	d, err := s.datasetOf(r, who)
	if err != nil {
		return nil, err
	}
	return s.describeDataset(d, false), nil
}

func (s *Server) datasetsList(r *http.Request, who caller) (any, *apierror.Error) {
	project := r.PathValue("project")
	if !s.mayRead(who, project) {
		return nil, apierror.Errorf("accessDenied", "Access Denied: Project %s: User does not have "+
			"bigquery.datasets.list permission in project %[1]s.", project)
	}
	if r.URL.Query().Get("filter") != "" {
		return nil, apierror.Unsupported("the filter of datasets.list")
	}
	list := s.catalog.list(project)
	list, token, err := pageOfList(r, list, "datasets "+project)
	if err != nil {
		return nil, err
	}
	out := struct {
		Kind     string          `json:"kind"`
		Datasets []*wire.Dataset `json:"datasets,omitempty"`
		Next     string          `json:"nextPageToken,omitempty"`
	}{Kind: "bigquery#datasetList", Next: token}
	for _, d := range list {
		out.Datasets = append(out.Datasets, s.describeDataset(d, true))
	}
	return out, nil
}

func (s *Server) datasetsInsert(r *http.Request, who caller) (any, *apierror.Error) {
	project := r.PathValue("project")
	if err := s.checkJobs(who, project, "bigquery.datasets.create"); err != nil {
		return nil, err
	}
	var req wire.Dataset
	if err := readBody(r, &req); err != nil {
		return nil, err
	}
	d := &dataset{
		ref:      wire.DatasetReference{ProjectID: project, DatasetID: req.DatasetReference.DatasetID},
		location: req.Location,
		friendly: req.FriendlyName, text: req.Description, labels: req.Labels,
		tableDays: float64(req.TableExpirationMs) / dayMillis, partitionDays: float64(req.PartitionExpirationMs) / dayMillis,
	}
	unlock, err := lock(r.Context(), s.catalog.ddl)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := s.createDataset(r.Context(), d); err != nil {
		return nil, err
	}
	return s.describeDataset(d, false), nil
}

func (s *Server) datasetsDelete(r *http.Request, who caller) (any, *apierror.Error) {
	d, err := s.datasetOf(r, who)
	if err != nil {
		return nil, err
	}
	if !s.mayBill(who, d.ref.ProjectID) {
		return nil, apierror.Errorf("accessDenied", "Access Denied: Dataset %s:%s: Permission "+
			"bigquery.datasets.delete denied on dataset %[1]s:%[2]s.", d.ref.ProjectID, d.ref.DatasetID)
	}
	unlock, err := lock(r.Context(), s.catalog.ddl)
	if err != nil {
		return nil, err
	}
	defer unlock()
	return nil, s.dropDataset(r.Context(), d.ref, r.URL.Query().Get("deleteContents") == "true")
}

// createDataset makes a dataset. The caller holds the catalog's ddl lock.
func (s *Server) createDataset(ctx context.Context, d *dataset) *apierror.Error {
	if err := s.catalog.checkNewDataset(d.ref); err != nil {
		return err
	}
	if d.location == "" {
		d.location = s.cfg.Location
	}
	d.location = strings.ToLower(d.location)
	if d.location == "us" || d.location == "eu" { // as BigQuery writes regions and multi-regions
		d.location = strings.ToUpper(d.location)
	}
	d.created = s.now()
	d.modified = d.created
	if _, err := s.db.Exec(ctx, "CREATE SCHEMA "+schemaSQL(d.ref.ProjectID, d.ref.DatasetID)); err != nil {
		return apierror.From(err)
	}
	s.catalog.addDataset(d)
	return nil
}

// dropDataset drops a dataset, and its tables if contents is true. The caller
// holds the catalog's ddl lock.
func (s *Server) dropDataset(ctx context.Context, ref wire.DatasetReference, contents bool) *apierror.Error {
	d := s.catalog.dataset(ref.ProjectID, ref.DatasetID)
	if d == nil {
		return apierror.NotFound("Dataset", ref.ProjectID+":"+ref.DatasetID, "")
	}
	tables := s.catalog.tables(d)
	if len(tables) > 0 && !contents {
		return apierror.Errorf("resourceInUse", "Dataset %s:%s is still in use", ref.ProjectID, ref.DatasetID)
	}
	for _, t := range tables {
		if err := s.dropTable(ctx, t); err != nil {
			return err
		}
	}
	if _, err := s.db.Exec(ctx, "DROP SCHEMA "+schemaSQL(ref.ProjectID, ref.DatasetID)+" CASCADE"); err != nil {
		return apierror.From(err)
	}
	s.catalog.dropDataset(ref)
	return nil
}

// dropTable drops a table after the statements that change it. The caller holds
// the catalog's ddl lock.
func (s *Server) dropTable(ctx context.Context, t *table) *apierror.Error {
	unlock, err := lock(ctx, t.write)
	if err != nil {
		return err
	}
	defer unlock()
	if t.view == nil {
		if _, err := s.db.Exec(ctx, "DROP TABLE "+tableSQL(t.name)); err != nil {
			return apierror.From(err)
		}
	}
	s.catalog.dropTable(t.name)
	return nil
}

// cascades reports whether a DROP SCHEMA drops the tables, too.
func cascades(stmt *googlesql.Statement) bool {
	return strings.HasSuffix(strings.ToUpper(strings.TrimRight(stmt.SQL, " ;\n")), "CASCADE")
}
