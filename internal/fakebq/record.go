package fakebq

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	bigquery "google.golang.org/api/bigquery/v2"
)

// Request is a recorded request.
type Request struct {
	Method  Method      // the API method
	HTTP    string      // GET or POST
	Path    string      // as sent, without the query
	Query   url.Values  // parameters of the URL
	Header  http.Header // a copy
	Body    []byte      // as sent
	Project string      // from the path
	JobID   string      // from the path; "" for methods without one
	Email   string      // the email of the bearer, once checked
	At      time.Time   // time of arrival
}

// setEmail records the user.
func (r *Request) setEmail(s *Server, email string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.Email = email
}

// QueryRequest returns the decoded body of a Query request.
func (r *Request) QueryRequest() (*bigquery.QueryRequest, error) {
	q := new(bigquery.QueryRequest)
	if err := json.Unmarshal(r.Body, q); err != nil {
		return nil, fmt.Errorf("fakebq: body of %s: %w", r.Method, err)
	}
	return q, nil
}

// Job returns the decoded body of an Insert request.
func (r *Request) Job() (*bigquery.Job, error) {
	j := new(bigquery.Job)
	if err := json.Unmarshal(r.Body, j); err != nil {
		return nil, fmt.Errorf("fakebq: body of %s: %w", r.Method, err)
	}
	return j, nil
}

// enter records a request and returns its fault.
func (s *Server) enter(to target, r *http.Request, body []byte) (*Request, *Fault) {
	rec := &Request{
		Method: to.method, HTTP: r.Method, Path: r.URL.EscapedPath(), Query: r.URL.Query(), Header: r.Header.Clone(),
		Body: body, Project: to.project, JobID: to.jobID, At: time.Now(),
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = newest(append(s.log, rec))
	s.counts[rec.Method]++
	s.inFlight++
	s.changed.Broadcast()
	queue := s.faults[to.method]
	if len(queue) == 0 {
		return rec, nil
	}
	s.faults[to.method] = queue[1:]
	if queue[0].pass {
		return rec, nil
	}
	return rec, &queue[0]
}

func (s *Server) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inFlight--
	s.changed.Broadcast()
}

// memory is the number of requests and jobs that are kept. A test makes fewer; it bounds a
// benchmark's memory.
const memory = 5_000

// newest drops the older half of a list that is longer than memory.
func newest[T any](list []T) []T {
	if len(list) <= 2*memory {
		return list
	}
	return slices.Clone(list[len(list)-memory:])
}

// Requests returns the requests of the given methods, or of all methods, oldest first. Only the
// last 5,000 are kept; the counts continue.
func (s *Server) Requests(methods ...Method) []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Request
	for _, r := range s.log {
		if len(methods) == 0 || slices.Contains(methods, r.Method) {
			out = append(out, *r)
		}
	}
	return out
}

// Count returns the number of requests of the given methods, or of all methods.
func (s *Server) Count(methods ...Method) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count(methods)
}

func (s *Server) count(methods []Method) int {
	n := 0
	for m, k := range s.counts {
		if len(methods) == 0 || slices.Contains(methods, m) {
			n += k
		}
	}
	return n
}

// Unknown returns the members of requests that the API does not have. The service ignores them, so
// that a typing error has no effect; Run fails the test for them.
func (s *Server) Unknown() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.unknown)
}

func (s *Server) noteUnknown(name string) {
	if name == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unknown = append(s.unknown, name)
}

// Counts returns the number of requests of each method.
func (s *Server) Counts() map[Method]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.counts)
}

// Executions returns how often a statement was run. A retry that found its job by requestId or job
// id does not count, and neither does a dry run.
func (s *Server) Executions(sql string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.script.runs[strings.TrimSpace(sql)]
}

// Succeeded returns the number of successful jobs with a statement. Jobs that run, have failed or
// were cancelled do not count.
func (s *Server) Succeeded(sql string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, j := range s.order {
		if strings.TrimSpace(j.st.SQL) == strings.TrimSpace(sql) && j.finished() && j.failure() == nil {
			n++
		}
	}
	return n
}

// Running returns the statements of the jobs that run, oldest first.
func (s *Server) Running() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var texts []string
	for _, j := range s.order {
		if !j.finished() {
			texts = append(texts, j.st.SQL)
		}
	}
	return texts
}

// ResetLog forgets the requests and executions so far. Scripts, faults, jobs and sessions stay.
func (s *Server) ResetLog() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log, s.script.runs = nil, nil
	clear(s.counts)
}

// patience bounds the Wait methods, so that a test fails instead of hanging.
const patience = 20 * time.Second

// WaitFor returns when n requests of the method have arrived, and fails the test if they do not.
func (s *Server) WaitFor(t TB, m Method, n int) {
	t.Helper()
	if !s.until(func() bool { return s.count([]Method{m}) >= n }) {
		t.Fatalf("fakebq: got %d %s requests; want %d", s.Count(m), m, n)
	}
}

// InFlight returns the number of requests that are being answered.
func (s *Server) InFlight() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.inFlight
}

// WaitIdle returns when no request is being answered, and fails the test if that does not happen.
func (s *Server) WaitIdle(t TB) {
	t.Helper()
	if !s.until(func() bool { return s.inFlight == 0 }) {
		t.Fatalf("fakebq: requests are still being answered")
	}
}

// until waits until a condition, which it evaluates under the lock, is true.
func (s *Server) until(ok func() bool) bool {
	late := false
	timer := time.AfterFunc(patience, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		late = true
		s.changed.Broadcast()
	})
	defer timer.Stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	for !ok() && !late {
		s.changed.Wait()
	}
	return ok()
}
