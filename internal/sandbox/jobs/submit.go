package jobs

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"slices"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/wire"
)

// requestLife is how long a request id refers to its first request.
const requestLife = 15 * time.Minute

// requestKey identifies a repeated jobs.query: by the user, the id and
// everything that affects the result.
type requestKey struct {
	project, user, id string
	content           [sha256.Size]byte
}

// defaultTimeout is how long jobs.query and getQueryResults wait for a job.
const defaultTimeout = 10 * time.Second

// Query answers jobs.query.
func (s *Runner) Query(ctx context.Context, who Caller, project string, req *wire.QueryRequest) (*wire.QueryResponse,
	*apierror.Error) {
	if len(req.RequestID) > 36 || !isASCII(req.RequestID) {
		return nil, apierror.Errorf("invalid", "Invalid requestId: at most 36 ASCII characters are allowed.")
	}
	switch req.JobCreationMode {
	case "", "JOB_CREATION_MODE_UNSPECIFIED", "JOB_CREATION_REQUIRED", "JOB_CREATION_OPTIONAL":
	default:
		return nil, apierror.Errorf("invalid", "Invalid jobCreationMode %q: want JOB_CREATION_REQUIRED or "+
			"JOB_CREATION_OPTIONAL.", req.JobCreationMode)
	}
	if req.Reservation != "" {
		return nil, apierror.Unsupported("reservations")
	}
	page, err := NewPage(req.FormatOptions, req.MaxResults)
	if err != nil {
		return nil, err
	}
	q, err := newQuery(project, req.Location, &req.QueryFields)
	if err != nil {
		return nil, err
	}
	if req.DryRun {
		return s.dryRunQuery(ctx, who, q)
	}
	j, repeated, err := s.beginOnce(ctx, who, q, req)
	if err != nil {
		return nil, err
	}
	if !j.Wait(ctx, timeout(req.TimeoutMs)) {
		started := j.created // until it runs
		j.mu.Lock()
		if !j.started.IsZero() {
			started = j.started
		}
		j.mu.Unlock()
		return &wire.QueryResponse{Kind: "bigquery#queryResponse", JobReference: &j.ref, Location: j.ref.Location,
			QueryID: j.queryID, JobCreationReason: &wire.CreationReason{Code: "LONG_RUNNING"},
			StatementType: wireType(j.plan.stmt),
			CreationTime:  j.created.UnixMilli(), StartTime: started.UnixMilli()}, nil
	}
	resp, err := s.response(j, page)
	if err != nil {
		return nil, err
	}
	resp.Kind, resp.QueryID, resp.Location = "bigquery#queryResponse", j.queryID, j.ref.Location
	resp.JobCreationReason = &wire.CreationReason{Code: "REQUESTED"}
	s.addCost(resp, j)
	if repeated { // a short answer, "not complete" although it is
		resp.JobComplete, resp.Schema = false, nil
		return resp, nil
	}
	if sess := j.query.session; sess != nil {
		resp.SessionInfo = &wire.SessionInfo{SessionID: sess.id}
	}
	if req.JobCreationMode == "JOB_CREATION_OPTIONAL" && j.plan.script == nil { // a script has jobs that name its own
		resp.JobCreationReason = &wire.CreationReason{Code: "LARGE_RESULTS"}
		if resp.PageToken == "" {
			resp.JobReference, resp.JobCreationReason = nil, nil
			if req.RequestID == "" {
				s.jobs.remove(j)
			}
		}
	}
	return resp, nil
}

// beginOnce starts a job, or returns the one that the same request has started
// before.
func (s *Runner) beginOnce(ctx context.Context, who Caller, q *query, req *wire.QueryRequest) (
	j *Job, repeated bool, apiErr *apierror.Error) {
	config := wire.JobConfiguration{
		JobType: "QUERY", JobTimeoutMs: req.JobTimeoutMs, Labels: req.Labels,
		Query: &wire.QueryConfiguration{QueryFields: req.QueryFields, Priority: "INTERACTIVE"},
	}
	if req.RequestID == "" {
		j, apiErr = s.begin(ctx, who, q, "", config)
		return j, false, apiErr
	}
	content, marshalErr := json.Marshal(struct {
		Fields   wire.QueryFields
		Location string
	}{req.QueryFields, req.Location})
	if marshalErr != nil {
		return nil, false, apierror.Broken("%s", marshalErr)
	}
	key := requestKey{project: q.project, user: who.Email, id: req.RequestID, content: sha256.Sum256(content)}
	// Held while the job begins: a second request must find the first one's job.
	s.once.Lock()
	defer s.once.Unlock()
	if j := s.jobs.repeated(key, s.now()); j != nil && j.plan != nil && deduplicated(j.plan.stmt) {
		return j, true, nil
	}
	if j, apiErr = s.begin(ctx, who, q, "", config); apiErr == nil {
		s.jobs.remember(key, j)
	}
	return j, false, apiErr
}

// deduplicated reports whether a requestId keeps a statement from running twice, as it does for mutating queries alone.
func deduplicated(stmt *googlesql.Statement) bool {
	typ := wireType(stmt)
	return typ != "SELECT" && typ != "SCRIPT" && !slices.Contains(controlTypes, typ)
}

// timeout returns the timeoutMs of a request.
func timeout(ms *wire.Int64) time.Duration {
	if ms == nil {
		return defaultTimeout
	}
	return time.Duration(min(max(*ms, 0), 200_000)) * time.Millisecond
}

func isASCII(s string) bool {
	for _, r := range s {
		if r > 127 {
			return false
		}
	}
	return true
}
