package driver

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"

	bq "google.golang.org/api/bigquery/v2"

	"github.com/bigqueryuser/bigqueryuser/dsn"
)

// firstPageRows is how many rows the first page has at most, unless max_results says something else. Most results are
// smaller; of a larger one the first rows are there soon, and little is fetched in vain where the Storage Read API
// takes over. The pages after it are as large as BigQuery makes them.
const firstPageRows = 10_000

// firstPage is maxResults of a request for a first page.
func firstPage(cfg *dsn.Config) int64 {
	if cfg.MaxResults > 0 {
		return cfg.MaxResults
	}
	return firstPageRows
}

// request is a statement as jobs.query takes it.
func (c *Conn) request(j *job, text string, p parameters, params []*bq.QueryParameter) *bq.QueryRequest {
	legacy := false
	cfg := &j.cfg
	req := &bq.QueryRequest{
		Query:              text,
		UseLegacySql:       &legacy, // the service's default is true
		QueryParameters:    params,
		Location:           cfg.Location,
		MaxResults:         firstPage(cfg),
		TimeoutMs:          pollTimeoutMs,
		FormatOptions:      &bq.DataFormatOptions{UseInt64Timestamp: true},
		RequestId:          rand.Text(), // makes a retry of the same request safe
		DefaultDataset:     datasetReference(cfg.Dataset, cfg.Project),
		MaximumBytesBilled: cfg.MaximumBytesBilled,
		UseQueryCache:      cfg.UseQueryCache,
		Labels:             cfg.Labels,
		JobTimeoutMs:       cfg.JobTimeout.Milliseconds(),
		Reservation:        cfg.Reservation,
	}
	if p.count() > 0 {
		req.ParameterMode = p.mode()
	}
	if cfg.KMSKey != "" {
		req.DestinationEncryptionConfiguration = &bq.EncryptionConfiguration{KmsKeyName: cfg.KMSKey}
	}
	if cfg.JobCreation != "" {
		req.JobCreationMode = "JOB_CREATION_" + strings.ToUpper(cfg.JobCreation)
	}
	if cfg.TimeZone != "" {
		req.ConnectionProperties = append(req.ConnectionProperties, &bq.ConnectionProperty{Key: "time_zone", Value: cfg.TimeZone})
	}
	s, create := c.sessionFor()
	if req.CreateSession = create; s != nil {
		req.ConnectionProperties = append(req.ConnectionProperties, &bq.ConnectionProperty{Key: "session_id", Value: s.id})
		req.Location = s.location
	}
	return req
}

// inserted tells whether the statement needs what jobs.query has no word for. It then goes by jobs.insert, and its
// result is fetched with one request more.
func (j *job) inserted() bool {
	return j.cfg.DestinationTable != "" || j.cfg.Priority == "batch" || j.cfg.JobIDPrefix != ""
}

// insertion is a request as jobs.insert takes it.
func (j *job) insertion(req *bq.QueryRequest) *bq.Job {
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
		Priority:                           strings.ToUpper(j.cfg.Priority),
		DestinationTable:                   j.destination(),
		WriteDisposition:                   disposition("WRITE_", j.cfg.WriteDisposition),
		CreateDisposition:                  disposition("CREATE_", j.cfg.CreateDisposition),
	}
	return &bq.Job{
		// An id of our own makes a retry safe, and the job known before the answer is there.
		JobReference:  &bq.JobReference{ProjectId: j.cfg.Project, JobId: j.cfg.JobIDPrefix + rand.Text(), Location: req.Location},
		Configuration: &bq.JobConfiguration{Query: q, Labels: req.Labels, JobTimeoutMs: req.JobTimeoutMs, Reservation: req.Reservation},
	}
}

// dryRun has BigQuery check a statement without running it. declared are named parameters
// whose types are known; for the rest BigQuery says what they are.
func (c *Conn) dryRun(ctx context.Context, j *job, text string, p parameters, declared []*bq.QueryParameter) (stats *bq.JobStatistics, err error) {
	if c.closed {
		return nil, errConnClosed
	}
	err = c.afresh(false, func() error {
		stats, err = c.dryRunOnce(ctx, j, text, p, declared)
		return err
	})
	return stats, err
}

func (c *Conn) dryRunOnce(ctx context.Context, j *job, text string, p parameters, declared []*bq.QueryParameter) (*bq.JobStatistics, error) {
	if err := c.rolledBack(); err != nil {
		return nil, err
	}
	if s, _ := c.sessionFor(); s != nil {
		if err := c.enter(ctx); err != nil {
			return nil, err
		}
	}
	if err := c.checkLocation(j); err != nil {
		return nil, err
	}
	j.fit(text, p)
	insertion := j.insertion(c.request(j, text, p, declared))
	insertion.JobReference.JobId, insertion.Configuration.DryRun = "", true
	q := insertion.Configuration.Query
	q.CreateSession = false
	q.MaximumBytesBilled = 0 // what it would read is the question
	stats, err := call(ctx, c.connector, retryable, func(cl *client) (*bq.JobStatistics, error) { return cl.dryRun(ctx, insertion) })
	err = about(c.failed(ctx, err, nil), text)
	if _, create := c.sessionFor(); create && errors.Is(err, ErrInvalidQuery) {
		// In the session that the statement is going to make it may be right, such as CREATE TEMP TABLE.
		if _, failed := c.run(WithOptions(ctx, atOnce), "SELECT 1", nil); failed == nil {
			return c.dryRun(ctx, j, text, p, declared)
		}
	}
	return stats, err
}

// checked is the answer to a statement that was only checked.
func checked(stats *bq.JobStatistics) *page {
	pg := &page{}
	pg.JobComplete = true
	pg.TotalBytesProcessed = stats.TotalBytesProcessed
	pg.Schema, pg.StatementType, pg.CacheHit = stats.Query.Schema, stats.Query.StatementType, stats.Query.CacheHit
	return pg
}
