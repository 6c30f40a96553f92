package driver

import (
	"context"
	"crypto/rand"
	"strings"
	"time"

	bq "google.golang.org/api/bigquery/v2"

	"github.com/bigqueryuser/bigqueryuser/dsn"
)

// firstPageRows is how many rows the first page has at most, unless max_results says something
// else. Most results are smaller; of a larger one the first rows are there soon, and little is
// fetched in vain where the Storage Read API takes over. The pages after it are as large as
// BigQuery makes them.
const firstPageRows = 10_000

// firstPage is maxResults of a request for a first page.
func firstPage(cfg *dsn.Config) int64 {
	if cfg.MaxResults > 0 {
		return cfg.MaxResults
	}
	return firstPageRows
}

// hold is how long BigQuery holds the first request of a statement.
type hold = time.Duration

// firstHoldFor returns the hold for a statement: short where a context can end it, since the answer
// names the job, and not beyond its end. The answer to BEGIN has the session, which no poll has.
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

// timeoutGrace is how much later than its context a job ends by itself, if nothing else ends it.
const timeoutGrace = 10 * time.Second

// jobTimeout returns how long the job may run: as the configuration says, and not much longer than ctx.
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
	// labelKey is the label by which a job is found whose answer was lost.
	labelKey = "bigqueryuser"
	// maxLabels is how many labels a job can have.
	maxLabels = 64
)

// request is a statement as jobs.query takes it.
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

// insertion is a request as jobs.insert takes it.
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
		// An id of our own makes a retry safe, and the job known before the answer is there.
		JobReference: &bq.JobReference{
			ProjectId: cfg.Project, JobId: cfg.JobIDPrefix + rand.Text(), Location: req.Location,
		},
		Configuration: &bq.JobConfiguration{
			Query: q, Labels: req.Labels, JobTimeoutMs: req.JobTimeoutMs, Reservation: req.Reservation,
		},
	}
}
