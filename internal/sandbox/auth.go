package sandbox

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/catalog"
)

// The OAuth scopes that BigQuery's methods accept.
const (
	scopeBigQuery     = "https://www.googleapis.com/auth/bigquery"
	scopeBigQueryRead = "https://www.googleapis.com/auth/bigquery.readonly"
	scopeCloud        = "https://www.googleapis.com/auth/cloud-platform"
	scopeCloudRead    = "https://www.googleapis.com/auth/cloud-platform.read-only"
)

// access says which scopes a method accepts.
type access int

const (
	reads  access = iota // also with the read-only scopes
	writes               // only with bigquery or cloud-platform
)

// caller is the user behind a request.
type caller struct {
	email string
	// readOnly: the token carries only scopes for reading.
	readOnly bool
	// admin may do everything; it is the program that runs the sandbox.
	admin bool
}

const realm = `Bearer realm="https://accounts.google.com/"`

// authenticate finds the user behind a request by its bearer token.
func (s *Server) authenticate(r *http.Request, need access) (caller, *apierror.Error) {
	if s.cfg.Open && r.Header.Get("Authorization") == "" && fromHere(r) {
		return caller{email: slices.Min(slices.Collect(maps.Keys(s.cfg.Projects)))}, nil
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		e := apierror.Errorf("authError", "Request is missing required authentication credential. Expected OAuth 2 "+
			"access token, login cookie or other valid authentication credential.")
		e.Reason, e.Location, e.LocationType = "required", "Authorization", "header"
		e.Authenticate = realm
		return caller{}, e
	}
	grant, ok := s.google.Verify(token)
	if !ok {
		e := apierror.Errorf("authError", "Request had invalid authentication credentials. Expected OAuth 2 access "+
			"token, login cookie or other valid authentication credential.")
		e.Location, e.LocationType = "Authorization", "header"
		e.Authenticate = realm + `, error="invalid_token"`
		return caller{}, e
	}
	full := slices.Contains(grant.Scopes, scopeBigQuery) || slices.Contains(grant.Scopes, scopeCloud)
	read := full || slices.Contains(grant.Scopes, scopeBigQueryRead) || slices.Contains(grant.Scopes, scopeCloudRead)
	if !read || (need == writes && !full) {
		e := apierror.Errorf("insufficientPermissions", "Request had insufficient authentication scopes.")
		e.Authenticate = realm + `, error="insufficient_scope", scope="` + scopeBigQuery + ` ` + scopeCloud + `"`
		return caller{}, e
	}
	c := caller{email: grant.Email, readOnly: !full}
	if quota := r.Header.Get("X-Goog-User-Project"); quota != "" && !s.mayBill(c, quota) {
		return caller{}, apierror.Errorf("accessDenied", "Caller does not have required permission to use project "+
			"%s. Grant the caller the roles/serviceusage.serviceUsageConsumer role.", quota)
	}
	return c, nil
}

// fromHere reports whether a request comes from a program and not from a page of the web, which could
// have found the way to a loopback address.
func fromHere(r *http.Request) bool {
	return r.Header.Get("Origin") == "" && checkLoopback(r.Host) == nil
}

// mayBill reports whether a user has rights in a project.
func (s *Server) mayBill(c caller, project string) bool {
	return c.admin || slices.Contains(s.cfg.Projects[c.email], project)
}

// mayRead reports whether a user may read the datasets of a project.
func (s *Server) mayRead(c caller, project string) bool {
	return project == catalog.PublicProject || s.mayBill(c, project)
}

// checkJobs refuses a user who may not run jobs in a project.
func (s *Server) checkJobs(c caller, project, permission string) *apierror.Error {
	if s.mayBill(c, project) {
		return nil
	}
	return apierror.Errorf("accessDenied", "Access Denied: Project %s: User does not have %s permission in project %s.",
		project, permission, project)
}
