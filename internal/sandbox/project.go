package sandbox

import (
	"hash/fnv"
	"net/http"
	"strconv"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/jobs"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/wire"
)

// projectsList lists the projects that the user has rights in.
func (s *Server) projectsList(r *http.Request, who jobs.Caller) (any, *apierror.Error) {
	all := s.cfg.Projects[who.Email]
	list, token, err := pageOfList(r, all, "projects")
	if err != nil {
		return nil, err
	}
	out := struct {
		Kind     string         `json:"kind"`
		Projects []wire.Project `json:"projects,omitempty"`
		Total    int            `json:"totalItems"`
		Next     string         `json:"nextPageToken,omitempty"`
	}{Kind: "bigquery#projectList", Total: len(all), Next: token}
	for _, p := range list {
		h := fnv.New32a()
		h.Write([]byte(p))
		out.Projects = append(out.Projects, wire.Project{
			Kind: "bigquery#project", ID: p, NumericID: strconv.FormatUint(uint64(h.Sum32()), 10),
			ProjectReference: wire.ProjectReference{ProjectID: p}, FriendlyName: p,
		})
	}
	return out, nil
}
