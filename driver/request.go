package driver

import (
	"context"
	"crypto/rand"
	"strings"
	"time"

	bq "google.golang.org/api/bigquery/v2"

	"github.com/bigqueryuser/bigqueryuser/dsn"
)

// firstPageRows is the largest number of rows of a first page, unless max_results is set. It holds
// most results. Of a larger result the first rows arrive soon, and few are fetched in vain if the
// Storage Read API reads them again. BigQuery chooses the size of later pages.
const firstPageRows = 10_000

// firstPage returns the maxResults of a request for a first page.
func firstPage(cfg *dsn.Config) int64 {
	if cfg.MaxResults > 0 {
		return cfg.MaxResults
	}
	return firstPageRows
}

// hold is how long BigQuery holds the first request of a statement.
type hold = time.Duration

// firstHoldFor returns the hold for a statement. It is short if a context can end, because the
// answer names the job. It is long for BEGIN, COMMIT and ROLLBACK, because only the first answer
// has the session.
func firstHoldFor(ctx context.Context, tx *transaction, st *statement) hold {
	endless := ctx.Done() == nil && (tx == nil || tx.ctx.Done() == nil)
	h := firstHold
	switch {
	case st.sql.kind == kindTransaction:
		h = endlessHold
	case progressOf(ctx) != nil:
		h = progressHold
	case endless:
		h = endlessHold
	}
	if deadline, ok := ctx.Deadline(); ok {
		h = max(time.Millisecond, min(h, time.Until(deadline)))
	}
	return h
}

// pollHoldFor returns how long BigQuery holds a poll.
func pollHoldFor(ctx context.Context) time.Duration {
	if progressOf(ctx) != nil {
		return progressHold
	}
	return pollHold
}

// timeoutGrace is added to the end of ctx for the job's own timeout.
const timeoutGrace = 10 * time.Second

// jobTimeout returns how long the job may run: as configured, and not much longer than ctx.
func jobTimeout(ctx context.Context, cfg *dsn.Config) time.Duration {
	deadline, ok := ctx.Deadline()
	if !ok {
		return cfg.JobTimeout
	}
	left := time.Until(deadline) + timeoutGrace
	if cfg.JobTimeout > 0 && cfg.JobTimeout < left {
		return cfg.JobTimeout
	}
	return left
}

const (
	// labelKey is the key of the label that identifies a job whose answer was lost.
	labelKey = "bigqueryuser"
	// maxLabels is the number of labels that a job can have.
	maxLabels = 64
)

// request returns the statement as a request of jobs.query.
func (st *statement) request(s *session, params []*bq.QueryParameter) *bq.QueryRequest {
	legacy := false
	cfg := &st.config.Config
	req := &bq.QueryRequest{
		Query:              st.text,
		UseLegacySql:       &legacy, // the service's default is true
		QueryParameters:    params,
		Location:           cfg.Location,
		MaxResults:         firstPage(cfg),
		FormatOptions:      st.format.options(),
		RequestId:          rand.Text(), // makes a retry of the same request safe
		DefaultDataset:     datasetReference(cfg.Dataset, cfg.Project),
		MaximumBytesBilled: cfg.MaximumBytesBilled,
		UseQueryCache:      cfg.UseQueryCache,
		Labels:             cfg.Labels,
		JobTimeoutMs:       cfg.JobTimeout.Milliseconds(),
		Reservation:        cfg.Reservation,
	}
	if st.sql.count() > 0 {
		req.ParameterMode = st.sql.mode()
	}
	if cfg.KMSKey != "" {
		req.DestinationEncryptionConfiguration = &bq.EncryptionConfiguration{KmsKeyName: cfg.KMSKey}
	}
	if cfg.JobCreation != "" {
		req.JobCreationMode = "JOB_CREATION_" + strings.ToUpper(cfg.JobCreation)
	}
	if cfg.TimeZone != "" {
		req.ConnectionProperties = append(req.ConnectionProperties,
			&bq.ConnectionProperty{Key: "time_zone", Value: cfg.TimeZone})
	}
	s.join(req)
	return req
}

// insertion returns a request as a job for jobs.insert.
func (st *statement) insertion(req *bq.QueryRequest) *bq.Job {
	cfg := &st.config
	q := &bq.JobConfigurationQuery{
		Query:                              req.Query,
		UseLegacySql:                       req.UseLegacySql,
		ParameterMode:                      req.ParameterMode,
		QueryParameters:                    req.QueryParameters,
		DefaultDataset:                     req.DefaultDataset,
		MaximumBytesBilled:                 req.MaximumBytesBilled,
		UseQueryCache:                      req.UseQueryCache,
		ConnectionProperties:               req.ConnectionProperties,
		CreateSession:                      req.CreateSession,
		DestinationEncryptionConfiguration: req.DestinationEncryptionConfiguration,
		Priority:                           strings.ToUpper(cfg.Priority),
		DestinationTable:                   cfg.destination(),
		WriteDisposition:                   disposition("WRITE_", cfg.WriteDisposition),
		CreateDisposition:                  disposition("CREATE_", cfg.CreateDisposition),
	}
	return &bq.Job{
		// With an id of our own a retry is safe, and the job is known before the answer arrives.
		JobReference: &bq.JobReference{
			ProjectId: cfg.Project, JobId: cfg.JobIDPrefix + rand.Text(), Location: req.Location,
		},
		Configuration: &bq.JobConfiguration{
			Query: q, Labels: req.Labels, JobTimeoutMs: req.JobTimeoutMs, Reservation: req.Reservation,
		},
	}
}
