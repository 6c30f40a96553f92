package jobs

import (
	"context"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/catalog"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/wire"
)

// jobID returns the id and the location that a request asks for; "" is any.
func jobID(project string, ref *wire.JobReference) (id, location string, err *apierror.Error) {
	if ref == nil {
		return "", "", nil
	}
	if ref.ProjectID != "" && ref.ProjectID != project {
		return "", "", apierror.Errorf("invalid", "Value %q in content does not agree with value %q. This can happen "+
			"when a value set through a parameter is inconsistent with a value set in the request.", ref.ProjectID,
			project)
	}
	if ref.JobID != "" && !catalog.ValidJob(ref.JobID) {
		return "", "", apierror.Errorf("invalid", "Invalid job ID %q: letters, digits, dashes and underscores are "+
			"allowed, at most 1024.", ref.JobID)
	}
	return ref.JobID, ref.Location, nil
}

// Insert answers jobs.insert of a job without data.
func (s *Runner) Insert(ctx context.Context, who Caller, project string, req *wire.Job) (*wire.Job, *apierror.Error) {
	config := req.Configuration
	switch {
	case config.Load != nil:
		if _, err := parseLoad(config.Load); err != nil {
			return nil, err
		}
		return nil, apierror.Errorf("required", "The job brings no data: a load job is a media upload.")
	case config.Copy != nil:
		return s.insertCopy(who, project, req)
	case config.Extract != nil:
		return nil, apierror.Unsupported("extract jobs: it has no Cloud Storage")
	case config.Query == nil:
		return nil, apierror.Errorf("required", "Required parameter is missing: configuration.query")
	case config.Reservation != "":
		return nil, apierror.Unsupported("reservations")
	}
	id, location, err := jobID(project, req.JobReference)
	if err != nil {
		return nil, err
	}
	to, err := destinationOf(config.Query, project)
	if err != nil {
		return nil, err
	}
	q, err := newQuery(project, location, &config.Query.QueryFields)
	if err != nil {
		return nil, err
	}
	q.destination = to
	config.JobType = "QUERY"
	if config.Query.Priority == "" {
		config.Query.Priority = "INTERACTIVE"
	}
	if config.DryRun {
		return s.dryRunInsert(ctx, who, q, config)
	}
	j, err := s.begin(ctx, who, q, id, config)
	if err != nil {
		return nil, err
	}
	return s.Describe(j), nil
}
