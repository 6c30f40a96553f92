package jobs

import (
	"slices"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/catalog"
)

// Caller is the user behind a request.
type Caller struct {
	Email string
	// ReadOnly: the token carries only scopes for reading.
	ReadOnly bool
	// Admin may do everything; it is the program that runs the sandbox.
	Admin bool
}

// MayBill reports whether a user has rights in a project.
func (s *Runner) MayBill(c Caller, project string) bool {
	return c.Admin || slices.Contains(s.cfg.Projects[c.Email], project)
}

// MayRead reports whether a user may read the datasets of a project.
func (s *Runner) MayRead(c Caller, project string) bool {
	return project == catalog.PublicProject || s.MayBill(c, project)
}

// CheckJobs refuses a user who may not run jobs in a project.
func (s *Runner) CheckJobs(c Caller, project, permission string) *apierror.Error {
	if s.MayBill(c, project) {
		return nil
	}
	return apierror.Errorf("accessDenied", "Access Denied: Project %s: User does not have %s permission in project %s.",
		project, permission, project)
}
