package sandbox

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/jobs"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/wire"
)

// uploadPaths are the paths of jobs.insert with data, before /projects.
var uploadPaths = []string{"/resumable/upload/bigquery/v2", "/upload/bigquery/v2"}

// uploadLife is how long an upload may pause; BigQuery's is a week.
const uploadLife = 24 * time.Hour

// upload is the data of a load job that comes in parts.
type upload struct {
	who     jobs.Caller
	project string
	job     wire.Job
	touched time.Time

	mu   sync.Mutex
	data []byte
	done *jobs.Job // that the last part has begun
}

type uploads struct {
	mu   sync.Mutex
	byID map[string]*upload
}

// serveUpload answers jobs.insert with data: all in one request, or the job first and its data in parts.
func (s *Server) serveUpload(w http.ResponseWriter, r *http.Request) {
	project := strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, "/projects/"), "/jobs")
	s.serve("bigquery.jobs.insert", writes, func(r *http.Request, who jobs.Caller) (any, *apierror.Error) {
		if strings.Contains(project, "/") {
			return nil, apierror.Errorf("notFound", "The sandbox has no method %s %s.", r.Method, r.URL.Path)
		}
		if err := s.jobs.CheckJobs(who, project, "bigquery.jobs.create"); err != nil {
			return nil, err
		}
		switch params := r.URL.Query(); {
		case params.Get("upload_id") != "":
			return s.uploadPart(w, r, who, params.Get("upload_id"))
		case params.Get("uploadType") == "resumable":
			return s.uploadStart(w, r, who, project)
		case params.Get("uploadType") == "multipart":
			return s.uploadAll(r, who, project)
		}
		return nil, apierror.Errorf("invalid", "Invalid uploadType %q: want multipart or resumable.",
			r.URL.Query().Get("uploadType"))
	}).ServeHTTP(w, r)
}

// uploadAll returns a job and its data in one request of two parts.
func (s *Server) uploadAll(r *http.Request, who jobs.Caller, project string) (any, *apierror.Error) {
	_, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return nil, apierror.Errorf("invalid", "Invalid Content-Type: %s", err)
	}
	parts := multipart.NewReader(http.MaxBytesReader(nil, r.Body, jobs.MaxUpload), params["boundary"])
	var read [2][]byte
	for i := range read {
		p, err := parts.NextPart()
		if err == nil {
			read[i], err = io.ReadAll(p)
		}
		if err != nil {
			return nil, uploadError(err)
		}
	}
	var req wire.Job
	if err := json.Unmarshal(read[0], &req); err != nil {
		return nil, apierror.Errorf("parseError", "Invalid JSON payload received. %s", err)
	}
	return s.uploaded(who, project, &req, read[1])
}

func uploadError(err error) *apierror.Error {
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return apierror.Errorf("invalid", "The sandbox loads %d bytes at most.", jobs.MaxUpload)
	}
	return apierror.Errorf("invalid", "The request could not be read: %s", err)
}

// uploaded begins the job of an upload whose data is all there.
func (s *Server) uploaded(who jobs.Caller, project string, req *wire.Job, data []byte) (any, *apierror.Error) {
	if req.Configuration.Load == nil {
		return nil, apierror.Errorf("required", "Required parameter is missing: configuration.load")
	}
	j, err := s.jobs.BeginLoad(who, project, req, data)
	if err != nil {
		return nil, err
	}
	return s.jobs.Describe(j), nil
}

// uploadStart keeps the job and says where its data is to go.
func (s *Server) uploadStart(w http.ResponseWriter, r *http.Request, who jobs.Caller, project string) (any,
	*apierror.Error) {
	u := &upload{who: who, project: project, touched: s.now()}
	if err := readBody(r, &u.job); err != nil {
		return nil, err
	}
	if u.job.Configuration.Load == nil {
		return nil, apierror.Errorf("required", "Required parameter is missing: configuration.load")
	}
	id := rand.Text()
	s.uploads.mu.Lock()
	for old, o := range s.uploads.byID {
		if s.now().Sub(o.touched) > uploadLife {
			delete(s.uploads.byID, old)
		}
	}
	s.uploads.byID[id] = u
	s.uploads.mu.Unlock()
	w.Header().Set("Location", fmt.Sprintf("%s/upload/bigquery/v2/projects/%s/jobs?uploadType=resumable&upload_id=%s",
		s.Endpoint(), project, id))
	w.Header().Set("X-GUploader-UploadID", id)
	return struct{}{}, nil
}

// uploadPart takes a part of the data, and begins the job with the last.
func (s *Server) uploadPart(w http.ResponseWriter, r *http.Request, who jobs.Caller, id string) (any, *apierror.Error) {
	s.uploads.mu.Lock()
	u := s.uploads.byID[id]
	if u != nil {
		u.touched = s.now()
	}
	s.uploads.mu.Unlock()
	if u == nil || u.who.Email != who.Email {
		return nil, apierror.Errorf("notFound", "Not found: upload %s", id)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.done != nil {
		return s.jobs.Describe(u.done), nil
	}
	var from, to int
	total := "*"
	text := r.Header.Get("Content-Range")
	switch n, _ := fmt.Sscanf(text, "bytes %d-%d/%s", &from, &to, &total); {
	case n == 3:
	case strings.HasPrefix(text, "bytes */"):
		if total = strings.TrimPrefix(text, "bytes */"); total != fmt.Sprint(len(u.data)) {
			return u.more(w, r), nil
		}
		from = len(u.data)
	case text == "": // all of it
		from, total = 0, ""
	default:
		return nil, apierror.Errorf("invalid", "Invalid Content-Range: %s", text)
	}
	if from > len(u.data) {
		return u.more(w, r), nil
	}
	part, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, int64(jobs.MaxUpload-from)))
	if err != nil {
		return nil, uploadError(err)
	}
	u.data = append(u.data[:from], part...) // a part that comes again takes the place of the first
	if total == "*" || total != "" && total != fmt.Sprint(len(u.data)) {
		return u.more(w, r), nil
	}
	j, apiErr := s.jobs.BeginLoad(u.who, u.project, &u.job, u.data)
	if apiErr != nil {
		return nil, apiErr
	}
	u.done, u.data = j, nil
	return s.jobs.Describe(j), nil
}

// more asks for the rest of the data. Clients that can't take a 308 say so.
func (u *upload) more(w http.ResponseWriter, r *http.Request) any {
	if len(u.data) > 0 {
		w.Header().Set("Range", fmt.Sprintf("bytes=0-%d", len(u.data)-1))
	}
	if r.Header.Get("X-GUploader-No-308") == "yes" {
		w.Header().Set("X-Http-Status-Code-Override", "308")
		return struct{}{}
	}
	return resumeIncomplete{}
}

// resumeIncomplete is an answer with the status 308.
type resumeIncomplete struct{}
