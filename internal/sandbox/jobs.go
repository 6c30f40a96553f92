package sandbox

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/jobs"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/wire"
)

func (s *Server) jobsInsert(r *http.Request, who jobs.Caller) (any, *apierror.Error) {
	project := r.PathValue("project")
	if err := s.jobs.CheckJobs(who, project, "bigquery.jobs.create"); err != nil {
		return nil, err
	}
	var req wire.Job
	if err := readBody(r, &req); err != nil {
		return nil, err
	}
	return s.jobs.Insert(r.Context(), who, project, &req)
}

// jobOf finds the job that a request's path names.
func (s *Server) jobOf(r *http.Request, who jobs.Caller) (*jobs.Job, *apierror.Error) {
	return s.jobs.Find(who, r.PathValue("project"), r.PathValue("job"), r.URL.Query().Get("location"))
}

func (s *Server) jobsGet(r *http.Request, who jobs.Caller) (any, *apierror.Error) {
	j, err := s.jobOf(r, who)
	if err != nil {
		return nil, err
	}
	return s.jobs.Describe(j), nil
}

func (s *Server) jobsCancel(r *http.Request, who jobs.Caller) (any, *apierror.Error) {
	j, err := s.jobOf(r, who)
	if err != nil {
		return nil, err
	}
	before := s.jobs.Describe(j) // which is what the service answers: a cancel takes effect later
	if delay := s.cfg.CancelDelay; delay > 0 {
		time.AfterFunc(delay, j.Cancel)
	} else {
		j.Cancel()
	}
	return struct {
		Kind string    `json:"kind"`
		Job  *wire.Job `json:"job"`
	}{"bigquery#jobCancelResponse", before}, nil
}

func (s *Server) jobsList(r *http.Request, who jobs.Caller) (any, *apierror.Error) {
	project := r.PathValue("project")
	if err := s.jobs.CheckJobs(who, project, "bigquery.jobs.list"); err != nil {
		return nil, err
	}
	params := r.URL.Query()
	all := params.Get("allUsers") == "true"
	var list []*wire.Job
	for _, d := range s.jobs.Newest(project, params.Get("parentJobId")) {
		if !all && d.UserEmail != who.Email {
			continue
		}
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

// within reports whether t, in milliseconds, is between two limits. A limit
// that is not a number has no effect.
func within(t int64, from, to string) bool {
	lo, loErr := strconv.ParseInt(from, 10, 64)
	hi, hiErr := strconv.ParseInt(to, 10, 64)
	return (loErr != nil || t >= lo) && (hiErr != nil || t <= hi)
}

func (s *Server) jobsQuery(r *http.Request, who jobs.Caller) (any, *apierror.Error) {
	project := r.PathValue("project")
	if err := s.jobs.CheckJobs(who, project, "bigquery.jobs.create"); err != nil {
		return nil, err
	}
	var req wire.QueryRequest
	if err := readBody(r, &req); err != nil {
		return nil, err
	}
	return s.jobs.Query(r.Context(), who, project, &req)
}

func (s *Server) jobsGetQueryResults(r *http.Request, who jobs.Caller) (any, *apierror.Error) {
	j, err := s.jobOf(r, who)
	if err != nil {
		return nil, err
	}
	params := r.URL.Query()
	ms, err := intParam(params, "timeoutMs")
	if err != nil {
		return nil, err
	}
	page, err := pageOf(params, r.PathValue("job"))
	if err != nil {
		return nil, err
	}
	return s.jobs.Results(r.Context(), j, ms, page)
}
