package sandbox

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/jobs"
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

const realm = `Bearer realm="https://accounts.google.com/"`

// authenticate finds the user behind a request by its bearer token.
func (s *Server) authenticate(r *http.Request, need access) (jobs.Caller, *apierror.Error) {
	if s.cfg.Open && r.Header.Get("Authorization") == "" && fromHere(r) {
		return jobs.Caller{Email: slices.Min(slices.Collect(maps.Keys(s.cfg.Projects)))}, nil
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		e := apierror.Errorf("authError", "Request is missing required authentication credential. Expected OAuth 2 "+
			"access token, login cookie or other valid authentication credential.")
		e.Reason, e.Location, e.LocationType = "required", "Authorization", "header"
		e.Authenticate = realm
		return jobs.Caller{}, e
	}
	grant, ok := s.google.Verify(token)
	if !ok {
		e := apierror.Errorf("authError", "Request had invalid authentication credentials. Expected OAuth 2 access "+
			"token, login cookie or other valid authentication credential.")
		e.Location, e.LocationType = "Authorization", "header"
		e.Authenticate = realm + `, error="invalid_token"`
		return jobs.Caller{}, e
	}
	full := slices.Contains(grant.Scopes, scopeBigQuery) || slices.Contains(grant.Scopes, scopeCloud)
	read := full || slices.Contains(grant.Scopes, scopeBigQueryRead) || slices.Contains(grant.Scopes, scopeCloudRead)
	if !read || (need == writes && !full) {
		e := apierror.Errorf("insufficientPermissions", "Request had insufficient authentication scopes.")
		e.Authenticate = realm + `, error="insufficient_scope", scope="` + scopeBigQuery + ` ` + scopeCloud + `"`
		return jobs.Caller{}, e
	}
	c := jobs.Caller{Email: grant.Email, ReadOnly: !full}
	if quota := r.Header.Get("X-Goog-User-Project"); quota != "" && !s.jobs.MayBill(c, quota) {
		return jobs.Caller{}, apierror.Errorf("accessDenied", "Caller does not have required permission to use "+
			"project %s. Grant the caller the roles/serviceusage.serviceUsageConsumer role.", quota)
	}
	return c, nil
}

// fromHere reports whether a request comes from a program and not from a web page, which could also
// reach a loopback address.
func fromHere(r *http.Request) bool {
	return r.Header.Get("Origin") == "" && checkLoopback(r.Host) == nil
}
