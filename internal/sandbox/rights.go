package sandbox

import (
	"slices"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/catalog"
)

// caller is the user behind a request.
type caller struct {
	email string
	// readOnly: the token carries only scopes for reading.
	readOnly bool
	// admin may do everything; it is the program that runs the sandbox.
	admin bool
}

// mayBill reports whether a user has rights in a project.
func (s *runner) mayBill(c caller, project string) bool {
	return c.admin || slices.Contains(s.cfg.Projects[c.email], project)
}

// mayRead reports whether a user may read the datasets of a project.
func (s *runner) mayRead(c caller, project string) bool {
	return project == catalog.PublicProject || s.mayBill(c, project)
}

// checkJobs refuses a user who may not run jobs in a project.
func (s *runner) checkJobs(c caller, project, permission string) *apierror.Error {
	if s.mayBill(c, project) {
		return nil
	}
	return apierror.Errorf("accessDenied", "Access Denied: Project %s: User does not have %s permission in project %s.",
		project, permission, project)
}
