package fakebq

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	bigquery "google.golang.org/api/bigquery/v2"
)

// insert serves jobs.insert.
func (s *Server) insert(rec *Request) (*message, *Error) {
	st, err := fromInsert(rec)
	s.noteUnknown(st.unknown)
	if err != nil {
		return nil, err
	}
	j, _, err := s.start(st, rec.Email)
	if err != nil {
		return nil, err
	}
	return s.jobMessage(j), nil
}

// get serves jobs.get.
func (s *Server) get(rec *Request) (*message, *Error) {
	if l := s.loadNamed(rec.Project, rec.Query.Get("location"), rec.JobID); l != nil {
		return l.message(), nil
	}
	j, err := s.find(rec.Project, rec.Query.Get("location"), rec.JobID)
	if err != nil {
		return nil, err
	}
	m := s.jobMessage(j)
	s.mu.Lock()
	defer s.mu.Unlock()
	if j.incomplete > 0 {
		j.incomplete--
	}
	return m, nil
}

// cancel serves jobs.cancel. A finished job is unchanged; a running one goes on for a while.
func (s *Server) cancel(rec *Request) (*message, *Error) {
	location := rec.Query.Get("location")
	j, err := s.find(rec.Project, location, rec.JobID)
	if err != nil {
		name := jobKey(rec.Project, cmp.Or(location, s.opts.Location), rec.JobID)
		return nil, &Error{Reason: "accessDenied", Message: fmt.Sprintf("Access Denied: Job %s: User does not have "+
			"bigquery.jobs.update permission for job %s, or perhaps it does not exist.", name, name)}
	}
	m := new(message)
	m.before.set("kind", "bigquery#jobCancelResponse")
	m.before.set("job", s.resource(j))
	s.mu.Lock()
	defer s.mu.Unlock()
	if !j.cancelled && !j.finished() {
		j.cancelled = true
		time.AfterFunc(s.opts.CancelDelay, func() { s.stop(j) })
		s.changed.Broadcast()
	}
	return m, nil
}

// stop ends a cancelled job, unless it has ended already.
func (s *Server) stop(j *job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !j.finished() {
		close(j.stop)
		s.changed.Broadcast()
	}
}

// Cancelled returns the number of running jobs for which jobs.cancel was called: of the given
// statements, or of all if there are none.
func (s *Server) Cancelled(texts ...string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, j := range s.order {
		if j.cancelled && (len(texts) == 0 || slices.Contains(texts, j.st.SQL)) {
			n++
		}
	}
	return n
}

// list serves jobs.list: the newest job first, children only on request.
func (s *Server) list(rec *Request) (*message, *Error) {
	limit, err := intParam(rec, "maxResults", 50)
	if err != nil {
		return nil, err
	}
	if most := s.opts.MaxListed; most > 0 {
		limit = min(limit, most)
	}
	start, err := intParam(rec, "pageToken", 0)
	if err != nil {
		return nil, err
	}
	since, err := intParam(rec, "minCreationTime", 0)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	all := slices.Clone(s.order)
	s.mu.Unlock()
	slices.Reverse(all)
	full := strings.EqualFold(rec.Query.Get("projection"), "full")
	var jobs []*bigquery.JobListJobs
	next := ""
	seen := 0
	for _, j := range all {
		parent := ""
		if j.parent != nil {
			parent = j.parent.id
		}
		if time.Since(j.made) < s.opts.ListDelay || j.made.UnixMilli() < int64(since) ||
			j.project != rec.Project || parent != rec.Query.Get("parentJobId") {
			continue
		}
		r := s.resource(j)
		if states := rec.Query["stateFilter"]; len(states) > 0 && !slices.Contains(states,
			strings.ToLower(r.Status.State)) {
			continue
		}
		seen++
		if seen <= start {
			continue
		}
		if limit == len(jobs) {
			next = strconv.Itoa(seen - 1)
			break
		}
		jobs = append(jobs, listed(r, full))
	}
	m := new(message)
	m.before.set("kind", "bigquery#jobList")
	if next != "" {
		m.before.set("nextPageToken", next)
	}
	if len(jobs) > 0 { // else there is no such member
		m.before.set("jobs", jobs)
	}
	return m, nil
}

// listed returns a job as jobs.list shows it: without projection=full only ids, states, times,
// counts and errors.
func listed(r *bigquery.Job, full bool) *bigquery.JobListJobs {
	item := &bigquery.JobListJobs{
		Id: r.Id, JobReference: r.JobReference, Kind: r.Kind, State: r.Status.State, Status: r.Status,
		ErrorResult: r.Status.ErrorResult, Statistics: r.Statistics,
	}
	if full {
		item.Configuration, item.UserEmail = r.Configuration, r.UserEmail
		return item
	}
	stats := *r.Statistics
	stats.Query = nil
	item.Statistics = &stats
	return item
}

// jobMessage returns a job as the answer of jobs.insert and jobs.get.
func (s *Server) jobMessage(j *job) *message {
	r := s.resource(j)
	m := new(message)
	m.before.set("kind", r.Kind)
	m.before.set("etag", r.Etag)
	if r.Id != "" {
		m.before.set("id", r.Id)
		m.before.set("selfLink", r.SelfLink)
	}
	m.before.set("user_email", r.UserEmail)
	m.before.set("configuration", r.Configuration)
	m.before.set("jobReference", r.JobReference)
	m.before.set("statistics", r.Statistics)
	m.before.set("status", r.Status)
	return m
}

// resource returns a job as jobs.get shows it now.
func (s *Server) resource(j *job) *bigquery.Job {
	r := &bigquery.Job{
		Kind: "bigquery#job", Etag: "etag-" + j.id, UserEmail: j.email,
		Configuration: j.configuration(),
		JobReference:  &bigquery.JobReference{ProjectId: j.project, JobId: j.id, Location: j.location},
		Status:        &bigquery.JobStatus{State: "RUNNING"},
	}
	if !j.st.DryRun {
		r.Id = jobKey(j.project, j.location, j.id)
		r.SelfLink = fmt.Sprintf("%s/bigquery/v2/projects/%s/jobs/%s?location=%s", s.url, j.project, j.id, j.location)
	}
	s.mu.Lock()
	done := j.finished()
	s.mu.Unlock()
	r.Statistics = j.statistics(done)
	if !done {
		return r
	}
	r.Status.State = "DONE"
	if err := j.failure(); err != nil {
		r.Status.ErrorResult = err.googleProto()
		r.Status.Errors = []*bigquery.ErrorProto{r.Status.ErrorResult}
	}
	for i := range j.answer.Warnings {
		r.Status.Errors = append(r.Status.Errors, j.answer.Warnings[i].googleProto())
	}
	return r
}

func (e *Error) googleProto() *bigquery.ErrorProto {
	return &bigquery.ErrorProto{Reason: e.Reason, Location: e.Location, Message: e.text(), DebugInfo: e.DebugInfo}
}
