package sandbox

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/catalog"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/wire"
)

func (s *Server) jobsInsert(r *http.Request, who caller) (any, *apierror.Error) {
	project := r.PathValue("project")
	if err := s.checkJobs(who, project, "bigquery.jobs.create"); err != nil {
		return nil, err
	}
	var req wire.Job
	if err := readBody(r, &req); err != nil {
		return nil, err
	}
	config := req.Configuration
	switch {
	case config.Load != nil:
		if _, err := parseLoad(config.Load); err != nil {
			return nil, err
		}
		return nil, apierror.Errorf("required", "The job brings no data: a load job is a media upload.")
	case config.Copy != nil:
		return nil, apierror.Unsupported("copy jobs")
	case config.Extract != nil:
		return nil, apierror.Unsupported("extract jobs: it has no Cloud Storage")
	case config.Query == nil:
		return nil, apierror.Errorf("required", "Required parameter is missing: configuration.query")
	case config.Reservation != "":
		return nil, apierror.Unsupported("reservations")
	}
	id, location, err := jobID(project, req.JobReference)
	if err != nil {
		return nil, err
	}
	to, err := destinationOf(config.Query, project)
	if err != nil {
		return nil, err
	}
	q, err := newQuery(project, location, &config.Query.QueryFields)
	if err != nil {
		return nil, err
	}
	q.destination = to
	config.JobType = "QUERY"
	if config.Query.Priority == "" {
		config.Query.Priority = "INTERACTIVE"
	}
	if config.DryRun {
		return s.dryRunInsert(r.Context(), who, q, config)
	}
	j, err := s.begin(r.Context(), who, q, id, config)
	if err != nil {
		return nil, err
	}
	return s.describe(j), nil
}

// jobID returns the id and the location that a request asks for; "" is any.
func jobID(project string, ref *wire.JobReference) (id, location string, err *apierror.Error) {
	if ref == nil {
		return "", "", nil
	}
	if ref.ProjectID != "" && ref.ProjectID != project {
		return "", "", apierror.Errorf("invalid", "Value %q in content does not agree with value %q. This can happen "+
			"when a value set through a parameter is inconsistent with a value set in the request.", ref.ProjectID,
			project)
	}
	if ref.JobID != "" && !catalog.ValidJob(ref.JobID) {
		return "", "", apierror.Errorf("invalid", "Invalid job ID %q: letters, digits, dashes and underscores are "+
			"allowed, at most 1024.", ref.JobID)
	}
	return ref.JobID, ref.Location, nil
}

// jobOf finds the job that a request's path names.
func (s *Server) jobOf(r *http.Request, who caller) (*job, *apierror.Error) {
	project := r.PathValue("project")
	if err := s.checkJobs(who, project, "bigquery.jobs.get"); err != nil {
		return nil, err
	}
	return s.jobs.find(project, r.PathValue("job"), r.URL.Query().Get("location"))
}

func (s *Server) jobsGet(r *http.Request, who caller) (any, *apierror.Error) {
	j, err := s.jobOf(r, who)
	if err != nil {
		return nil, err
	}
	return s.describe(j), nil
}

func (s *Server) jobsCancel(r *http.Request, who caller) (any, *apierror.Error) {
	j, err := s.jobOf(r, who)
	if err != nil {
		return nil, err
	}
	before := s.describe(j) // which is what the service answers: a cancel takes effect later
	if delay := s.cfg.CancelDelay; delay > 0 {
		time.AfterFunc(delay, func() { j.stop(apierror.ErrStopped) })
	} else {
		j.stop(apierror.ErrStopped)
	}
	return struct {
		Kind string    `json:"kind"`
		Job  *wire.Job `json:"job"`
	}{"bigquery#jobCancelResponse", before}, nil
}

// describe writes a job as jobs.get does.
func (s *Server) describe(j *job) *wire.Job {
	j.mu.Lock()
	defer j.mu.Unlock()
	ref := j.ref
	out := &wire.Job{
		Kind: "bigquery#job", ID: ref.ProjectID + ":" + ref.Location + "." + ref.JobID, UserEmail: j.user,
		SelfLink: s.Endpoint() + "/bigquery/v2/projects/" + ref.ProjectID + "/jobs/" + ref.JobID + "?location=" +
			ref.Location,
		Configuration: j.config, JobReference: &ref, Status: &wire.JobStatus{State: j.state},
		Statistics: &wire.JobStatistics{CreationTime: j.created.UnixMilli()},
	}
	stats := out.Statistics
	if j.state != pending {
		stats.StartTime = j.started.UnixMilli()
	}
	if sess := j.query.session; sess != nil && sess.id != "" {
		stats.SessionInfo = &wire.SessionInfo{SessionID: sess.id}
	}
	if j.transaction != "" {
		stats.TransactionInfo = &wire.TransactionInfo{TransactionID: j.transaction}
	}
	if j.plan != nil {
		stats.Query = s.planStatistics(j.plan)
		stats.TotalBytesProcessed = j.plan.bytes
	}
	j.describeScript(stats)
	if j.state != done {
		return out
	}
	stats.EndTime = j.ended.UnixMilli()
	if j.err != nil {
		out.Status.ErrorResult = j.err.Proto()
		out.Status.Errors = []apierror.Proto{*j.err.Proto()}
	}
	if j.load != nil {
		j.describeLoad(out)
	}
	if j.err != nil || j.load != nil {
		return out
	}
	slot := j.slotMillis()
	stats.TotalSlotMs, stats.Query.TotalSlotMs = slot, slot
	stats.Query.NumDMLAffectedRows, stats.Query.DMLStats = dmlCounts(j.plan.stmt, j.changed)
	stats.Query.DDLOperation = j.ddlOperation
	return out
}

func (s *Server) jobsList(r *http.Request, who caller) (any, *apierror.Error) {
	project := r.PathValue("project")
	if err := s.checkJobs(who, project, "bigquery.jobs.list"); err != nil {
		return nil, err
	}
	params := r.URL.Query()
	all := params.Get("allUsers") == "true"
	var list []*wire.Job
	for _, j := range s.jobs.newest(project, params.Get("parentJobId")) {
		if !all && j.user != who.email {
			continue
		}
		d := s.describe(j)
		if states := params["stateFilter"]; len(states) > 0 && !containsFold(states, d.Status.State) {
			continue
		}
		if !within(d.Statistics.CreationTime, params.Get("minCreationTime"), params.Get("maxCreationTime")) {
			continue
		}
		d.State, d.ErrorResult = d.Status.State, d.Status.ErrorResult
		if !strings.EqualFold(params.Get("projection"), "full") { // ids, states, times and errors alone
			d.Configuration, d.UserEmail, d.Statistics.Query = wire.JobConfiguration{}, "", nil
		}
		list = append(list, d)
	}
	page, token, err := pageOfList(r, list, "jobs "+project)
	if err != nil {
		return nil, err
	}
	return struct {
		Kind string      `json:"kind"`
		Jobs []*wire.Job `json:"jobs,omitempty"`
		Next string      `json:"nextPageToken,omitempty"`
	}{"bigquery#jobList", page, token}, nil
}

func containsFold(list []string, s string) bool {
	for _, x := range list {
		if strings.EqualFold(x, s) {
			return true
		}
	}
	return false
}

// within reports whether t, in milliseconds, is between two limits; a limit
// that is no number does not limit.
func within(t int64, from, to string) bool {
	lo, loErr := strconv.ParseInt(from, 10, 64)
	hi, hiErr := strconv.ParseInt(to, 10, 64)
	return (loErr != nil || t >= lo) && (hiErr != nil || t <= hi)
}

// pageOfList cuts a list of things to the page that a request asks for.
func pageOfList[T any](r *http.Request, list []T, owner string) (page []T, next string, err *apierror.Error) {
	params := r.URL.Query()
	start := int64(0)
	if token := params.Get("pageToken"); token != "" {
		if start, err = parsePageToken(token, owner); err != nil {
			return nil, "", err
		}
	}
	limit, err := intParam(params, "maxResults")
	if err != nil {
		return nil, "", err
	}
	list = list[min(start, int64(len(list))):]
	size := int64(1000)
	if limit != nil && *limit > 0 {
		size = min(size, int64(*limit))
	}
	if size < int64(len(list)) {
		return list[:size], pageToken(owner, start+size), nil
	}
	return list, "", nil
}
