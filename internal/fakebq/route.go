package fakebq

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Method is a method of the REST API, with its name in the API reference.
type Method string

// The methods that the fake serves.
const (
	Query           Method = "jobs.query"
	GetQueryResults Method = "jobs.getQueryResults"
	Insert          Method = "jobs.insert"
	Get             Method = "jobs.get"
	Cancel          Method = "jobs.cancel"
	List            Method = "jobs.list"
	GetTable        Method = "tables.get"
	// Upload is a request of jobs.insert with data: one in all, or one for the job and one for each
	// chunk.
	Upload Method = "jobs.insert upload"
	// Unknown counts all other requests; they are answered with 404.
	Unknown Method = "unknown"
)

// target is the object of a request.
type target struct {
	method  Method
	project string
	jobID   string
}

// route parses [/bigquery/v2]/projects/P/{queries,jobs}[/J[/cancel]].
func route(r *http.Request) target {
	none := target{method: Unknown}
	path := strings.TrimPrefix(strings.TrimPrefix(r.URL.EscapedPath(), "/upload"), "/bigquery/v2")
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	for i, p := range parts {
		text, err := url.PathUnescape(p)
		if err != nil || text == "" {
			return none
		}
		parts[i] = text
	}
	if len(parts) < 3 || parts[0] != "projects" {
		return none
	}
	t := target{project: parts[1]}
	if len(parts) > 3 {
		t.jobID = parts[3]
	}
	if strings.HasPrefix(r.URL.EscapedPath(), "/upload/") && parts[2] == "jobs" {
		t.method, t.jobID = Upload, ""
		return t
	}
	switch shape := fmt.Sprintf("%s %s %d", r.Method, parts[2], len(parts)); {
	case shape == "POST queries 3":
		t.method = Query
	case shape == "GET queries 4":
		t.method = GetQueryResults
	case shape == "POST jobs 3":
		t.method = Insert
	case shape == "GET jobs 3":
		t.method = List
	case shape == "GET jobs 4":
		t.method = Get
	case shape == "POST jobs 5" && parts[4] == "cancel":
		t.method = Cancel
	case shape == "GET datasets 6" && parts[4] == "tables":
		t.method, t.jobID = GetTable, ""
	default:
		return none
	}
	return t
}

// maxBody is the service's limit for the size of a request.
const maxBody = 10 << 20

// ServeHTTP answers a request: it records it, plays its fault if there is one, checks the user, and
// calls the method.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	to := route(r)
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler) // the client has gone
	}
	if len(body) > maxBody && to.method != Upload {
		e := &Error{Reason: "uploadTooLarge", Status: http.StatusRequestEntityTooLarge,
			Message: "Request payload size exceeds the limit: 10485760 bytes."}
		(&reply{s, w, r}).send(e.body())
		return
	}
	rec, fault := s.enter(to, r, body)
	defer s.leave()
	if s.opts.Latency > 0 && !s.sleep(r.Context(), s.opts.Latency) {
		panic(http.ErrAbortHandler)
	}

	rep := &reply{s: s, w: w, r: r}
	if fault != nil && !fault.after {
		fault.play(rep, nil)
		return
	}
	answer, apiErr := s.serve(rec, r)
	if apiErr != nil {
		answer = apiErr.body()
	}
	if answer == nil {
		panic(http.ErrAbortHandler) // the client or the server has ended while waiting
	}
	if fault != nil {
		fault.play(rep, answer)
		return
	}
	rep.send(answer)
}

// serve checks the caller and runs the method. A nil answer without an error means that the client
// has gone.
func (s *Server) serve(rec *Request, r *http.Request) (*message, *Error) {
	email, err := s.authenticate(r)
	if err != nil {
		return nil, err
	}
	rec.setEmail(s, email)
	if rec.Method != Unknown && s.opts.Projects != nil && !slices.Contains(s.opts.Projects, rec.Project) {
		return nil, &Error{Reason: "accessDenied", Message: fmt.Sprintf("Access Denied: Project %s: User does not "+
			"have bigquery.jobs.create permission in project %s.", rec.Project, rec.Project)}
	}
	if rec.Method != Unknown && rec.Method != Upload {
		if err := checkURL(rec.Method, rec.Query); err != nil {
			return nil, err
		}
	}
	switch rec.Method {
	case Query:
		return s.query(r.Context(), rec)
	case GetQueryResults:
		return s.getQueryResults(r.Context(), rec)
	case Insert:
		return s.insert(rec)
	case Get:
		return s.get(rec)
	case Cancel:
		return s.cancel(rec)
	case List:
		return s.list(rec)
	case GetTable:
		return s.getTable(rec)
	case Upload:
		return s.upload(rec)
	}
	return nil, &Error{Reason: "notFound", Message: "Not Found: fakebq does not serve " + r.Method + " " + r.URL.Path}
}

// authenticate returns the email of the bearer.
func (s *Server) authenticate(r *http.Request) (string, *Error) {
	if s.opts.Verify == nil {
		return "ada@example.com", nil
	}
	header := r.Header.Get("Authorization")
	if header == "" {
		return "", Unauthenticated(false)
	}
	token, ok := strings.CutPrefix(header, "Bearer ")
	if ok {
		if email, ok := s.opts.Verify(token); ok {
			return email, nil
		}
	}
	return "", Unauthenticated(true)
}
