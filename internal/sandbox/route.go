package sandbox

import (
	"net/http"
	"runtime/debug"
	"strings"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/jobs"
)

// handler answers one method. It returns a value to send as JSON, or nil for an
// empty answer.
type handler func(r *http.Request, who jobs.Caller) (any, *apierror.Error)

// routes returns the methods of BigQuery's REST API that the sandbox supports.
func (s *Server) routes() *http.ServeMux {
	const (
		project = "/projects/{project}"
		dataset = project + "/datasets/{dataset}"
		table   = dataset + "/tables/{table}"
		routine = dataset + "/routines/{routine}"
		job     = project + "/jobs/{job}"
	)
	mux := http.NewServeMux()
	for _, route := range []struct {
		method, pattern string
		need            access
		handle          handler
	}{
		{"bigquery.projects.list", "GET /projects", reads, s.projectsList},
		{"bigquery.jobs.query", "POST " + project + "/queries", reads, s.jobsQuery},
		{"bigquery.jobs.getQueryResults", "GET " + project + "/queries/{job}", reads, s.jobsGetQueryResults},
		{"bigquery.jobs.insert", "POST " + project + "/jobs", writes, s.jobsInsert},
		{"bigquery.jobs.list", "GET " + project + "/jobs", reads, s.jobsList},
		{"bigquery.jobs.get", "GET " + job, reads, s.jobsGet},
		{"bigquery.jobs.cancel", "POST " + job + "/cancel", writes, s.jobsCancel},
		{"bigquery.datasets.list", "GET " + project + "/datasets", reads, s.datasetsList},
		{"bigquery.datasets.insert", "POST " + project + "/datasets", writes, s.datasetsInsert},
		{"bigquery.datasets.get", "GET " + dataset, reads, s.datasetsGet},
		{"bigquery.datasets.delete", "DELETE " + dataset, writes, s.datasetsDelete},
		{"bigquery.tables.list", "GET " + dataset + "/tables", reads, s.tablesList},
		{"bigquery.tables.insert", "POST " + dataset + "/tables", writes, s.tablesInsert},
		{"bigquery.tables.get", "GET " + table, reads, s.tablesGet},
		{"bigquery.tables.delete", "DELETE " + table, writes, s.tablesDelete},
		{"bigquery.tabledata.list", "GET " + table + "/data", reads, s.tabledataList},

		{"bigquery.datasets.patch", "PATCH " + dataset, writes, s.changeDataset(true)},
		{"bigquery.datasets.update", "PUT " + dataset, writes, s.changeDataset(false)},
		{"bigquery.tables.patch", "PATCH " + table, writes, s.changeTable(true)},
		{"bigquery.tables.update", "PUT " + table, writes, s.changeTable(false)},
		{"bigquery.tabledata.insertAll", "POST " + table + "/insertAll", writes, s.tabledataInsertAll},

		{"bigquery.routines.list", "GET " + dataset + "/routines", reads, s.routinesList},
		{"bigquery.routines.get", "GET " + routine, reads, s.routinesGet},
		{"bigquery.routines.insert", "POST " + dataset + "/routines", writes, s.putRoutine("CREATE")},
		{"bigquery.routines.update", "PUT " + routine, writes, s.putRoutine("CREATE OR REPLACE")},
		{"bigquery.routines.delete", "DELETE " + routine, writes, s.routinesDelete},

		{"bigquery.jobs.delete", "DELETE " + job + "/delete", writes, refuse("deleting a job's metadata")},
	} {
		mux.Handle(route.pattern, s.serve(route.method, route.need, route.handle))
	}
	mux.Handle("/", s.serve("unknown", reads, func(r *http.Request, _ jobs.Caller) (any, *apierror.Error) {
		return nil, apierror.Errorf("notFound", "The sandbox has no method %s %s.", r.Method, r.URL.Path)
	}))
	return mux
}

func refuse(what string) handler {
	return func(*http.Request, jobs.Caller) (any, *apierror.Error) { return nil, apierror.Unsupported(what) }
}

// serve returns the HTTP handler of a method. It counts the request, finds the
// user and answers.
func (s *Server) serve(method string, need access, handle handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.count(method)
		w.Header().Set("Cache-Control", "private")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		who, err := s.authenticate(r, need)
		if err != nil {
			err.Write(w)
			return
		}
		defer func() {
			if p := recover(); p != nil {
				s.log.Error("the sandbox panicked", "method", method, "panic", p, "stack", string(debug.Stack()))
				apierror.Broken("it panicked in %s: %v", method, p).Write(w)
			}
		}()
		if alt := r.URL.Query().Get("alt"); alt != "" && alt != "json" {
			apierror.Unsupported("alt=" + alt).Write(w)
			return
		}
		answer, err := handle(r, who)
		if need == writes {
			s.catalog.Keep()
		}
		if err == nil {
			err = send(w, r, answer)
		}
		if err != nil {
			err.Write(w)
		}
	})
}

// apiPrefix is the path of the service at Google. Clients with another endpoint
// omit it, so both paths work.
const apiPrefix = "/bigquery/v2"

// ServeHTTP serves the REST API, and Google's sign-in at its own paths.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.open.RLock()
	defer s.open.RUnlock()
	if s.closed {
		apierror.Errorf("backendError", "The sandbox is closed.").Write(w)
		return
	}
	for _, prefix := range uploadPaths {
		if strings.HasPrefix(r.URL.Path, prefix+"/projects/") && strings.HasSuffix(r.URL.Path, "/jobs") {
			http.StripPrefix(prefix, http.HandlerFunc(s.serveUpload)).ServeHTTP(w, r)
			return
		}
	}
	switch {
	case strings.HasPrefix(r.URL.Path, apiPrefix+"/"):
		http.StripPrefix(apiPrefix, s.mux).ServeHTTP(w, r)
	case r.URL.Path == "/projects" || strings.HasPrefix(r.URL.Path, "/projects/"):
		s.mux.ServeHTTP(w, r)
	case s.cfg.Open && r.URL.Path == "/" && r.Method == http.MethodGet && fromHere(r):
		s.serveHome(w, r)
	default:
		s.serveGoogle(w, r)
	}
}
