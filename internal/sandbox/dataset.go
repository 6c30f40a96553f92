package sandbox

import (
	"net/http"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/catalog"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/jobs"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/wire"
)

func (s *Server) describeDataset(d *catalog.Dataset, listed bool) *wire.Dataset {
	s.catalog.Mu.RLock()
	defer s.catalog.Mu.RUnlock()
	out := &wire.Dataset{
		Kind: "bigquery#dataset", ID: d.Ref.ProjectID + ":" + d.Ref.DatasetID, DatasetReference: d.Ref,
		Location: d.Location, FriendlyName: d.FriendlyName, Labels: d.Labels,
	}
	if listed {
		return out
	}
	out.SelfLink = s.Endpoint() + "/bigquery/v2/projects/" + d.Ref.ProjectID + "/datasets/" + d.Ref.DatasetID
	out.Description = d.Description
	out.TableExpirationMs = wire.Int64(d.TableDays * catalog.DayMillis)
	out.PartitionExpirationMs = wire.Int64(d.PartitionDays * catalog.DayMillis)
	out.CreationTime, out.LastModifiedTime = wire.Int64(d.Created.UnixMilli()), wire.Int64(d.Modified.UnixMilli())
	out.ETag = etag(out.ID, d.Modified)
	return out
}

// datasetOf finds the dataset that a request's path names.
func (s *Server) datasetOf(r *http.Request, who jobs.Caller) (*catalog.Dataset, *apierror.Error) {
	project, id := r.PathValue("project"), r.PathValue("dataset")
	if !s.jobs.MayRead(who, project) {
		return nil, apierror.Errorf("accessDenied", "Access Denied: Dataset %s:%s: Permission bigquery.datasets.get "+
			"denied on dataset %[1]s:%[2]s (or it may not exist).", project, id)
	}
	d := s.catalog.Dataset(project, id)
	if d == nil {
		return nil, apierror.NotFound("Dataset", project+":"+id, "")
	}
	return d, nil
}

func (s *Server) datasetsGet(r *http.Request, who jobs.Caller) (any, *apierror.Error) {
	d, err := s.datasetOf(r, who)
	if err != nil {
		return nil, err
	}
	return s.describeDataset(d, false), nil
}

func (s *Server) datasetsList(r *http.Request, who jobs.Caller) (any, *apierror.Error) {
	project := r.PathValue("project")
	if !s.jobs.MayRead(who, project) {
		return nil, apierror.Errorf("accessDenied", "Access Denied: Project %s: User does not have "+
			"bigquery.datasets.list permission in project %[1]s.", project)
	}
	if r.URL.Query().Get("filter") != "" {
		return nil, apierror.Unsupported("the filter of datasets.list")
	}
	list := s.catalog.List(project)
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

func (s *Server) datasetsInsert(r *http.Request, who jobs.Caller) (any, *apierror.Error) {
	project := r.PathValue("project")
	if err := s.jobs.CheckJobs(who, project, "bigquery.datasets.create"); err != nil {
		return nil, err
	}
	var req wire.Dataset
	if err := readBody(r, &req); err != nil {
		return nil, err
	}
	d := &catalog.Dataset{
		Ref:          wire.DatasetReference{ProjectID: project, DatasetID: req.DatasetReference.DatasetID},
		Location:     req.Location,
		FriendlyName: req.FriendlyName, Description: req.Description, Labels: req.Labels,
		TableDays:     float64(req.TableExpirationMs) / catalog.DayMillis,
		PartitionDays: float64(req.PartitionExpirationMs) / catalog.DayMillis,
	}
	unlock, err := s.catalog.Lock(r.Context())
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := s.catalog.CreateDataset(r.Context(), d); err != nil {
		return nil, err
	}
	return s.describeDataset(d, false), nil
}

func (s *Server) datasetsDelete(r *http.Request, who jobs.Caller) (any, *apierror.Error) {
	d, err := s.datasetOf(r, who)
	if err != nil {
		return nil, err
	}
	if !s.jobs.MayBill(who, d.Ref.ProjectID) {
		return nil, apierror.Errorf("accessDenied", "Access Denied: Dataset %s:%s: Permission "+
			"bigquery.datasets.delete denied on dataset %[1]s:%[2]s.", d.Ref.ProjectID, d.Ref.DatasetID)
	}
	unlock, err := s.catalog.Lock(r.Context())
	if err != nil {
		return nil, err
	}
	defer unlock()
	return nil, s.catalog.DropDataset(r.Context(), d.Ref, r.URL.Query().Get("deleteContents") == "true")
}
