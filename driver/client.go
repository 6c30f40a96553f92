package driver

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"cloud.google.com/go/bigquery"
	bq "google.golang.org/api/bigquery/v2"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/option"
	htransport "google.golang.org/api/transport/http"

	"github.com/bigqueryuser/bigqueryuser/dsn"
)

// Version is the version of this driver, which requests have in their User-Agent.
const Version = "0.1.0-dev"

const (
	defaultEndpoint = "https://bigquery.googleapis.com"
	restPath        = "/bigquery/v2/"
	userAgent       = "bigqueryuser/" + Version + " (gzip)" // Google compresses answers only with gzip in it

	// maxPageBytes bounds the size of an answer. BigQuery's pages stay below 20 MB, except for a
	// page with a single row of up to 100 MB.
	maxPageBytes = 256 << 20
)

const (
	// firstHold is how long BigQuery holds the first request of a statement whose context can end.
	// It is short, because the answer names the job, which is needed to cancel it. The service does
	// not answer for a running job before about 0.7 s.
	firstHold = 2 * time.Second
	// endlessHold is the hold for a statement that nothing can end. It is the service's default.
	endlessHold = 10 * time.Second
	// pollHold is how long BigQuery holds a request for the result of a running job.
	pollHold = 25 * time.Second
)

// client is the connector's access to BigQuery. The official client, the generated REST service and
// the calls whose rows the driver decodes itself share one authorised transport. newClient makes no
// request.
type client struct {
	project string
	base    string // REST base URL, with a slash at its end
	http    *http.Client
	wire    *wire
	idle    *http.Transport
	dialer  *dialer
	crowd   *crowd // nil if the pages of a result are requested one after the other
	service *bq.Service
	storage *storage
	// pause returns how long to wait before a request is sent again, limit at most.
	pause func(limit time.Duration) time.Duration
	// official uses the same transport. RawConn returns it.
	official *bigquery.Client
}

// newClient returns a client whose requests carry the tokens, or no tokens if tokens is nil.
func newClient(ctx context.Context, cfg *dsn.Config, tokens *tokenSource, n network) (*client, error) {
	agent := userAgent
	if cfg.Application != "" {
		agent = cfg.Application + " " + userAgent
	}
	// Without WithTelemetryDisabled each request would be measured and traced by OpenTelemetry, and
	// carry the trace's headers.
	opts := []option.ClientOption{option.WithUserAgent(agent), option.WithTelemetryDisabled()}
	if tokens == nil {
		opts = append(opts, option.WithoutAuthentication())
	} else {
		opts = append(opts, option.WithTokenSource(tokens))
	}
	if cfg.QuotaProject != "" {
		opts = append(opts, option.WithQuotaProject(cfg.QuotaProject))
	}
	base := newTransport(n)
	dialer := newDialer(dialOf(base))
	base.DialContext = dialer.dialContext
	w := &wire{base: n.wrapped(base)}
	authorised, err := htransport.NewTransport(ctx, refusalWatch{w, tokens}, opts...)
	if err != nil {
		return nil, err
	}
	// BigQuery never redirects, and following a redirect would send the access token to another
	// host.
	hc := &http.Client{Transport: authorised, CheckRedirect: lastResponse}
	c := &client{
		project: cfg.Project, base: restBase(cfg.Endpoint), http: hc, wire: w, idle: base, dialer: dialer,
		storage: newStorage(cfg, agent, tokens, n), pause: rand.N[time.Duration],
	}
	if ownEndpoint(cfg.Endpoint) {
		c.crowd = &crowd{quick: quickAnswer}
	}
	shared := []option.ClientOption{option.WithHTTPClient(hc), option.WithEndpoint(c.base)}
	if c.service, err = bq.NewService(ctx, shared...); err != nil {
		return nil, err
	}
	c.service.UserAgent = agent
	if c.official, err = bigquery.NewClient(ctx, cfg.Project, shared...); err != nil {
		return nil, err
	}
	c.official.Location = cfg.Location
	return c, nil
}

func lastResponse(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// newTransport returns the transport for REST.
func newTransport(n network) *http.Transport {
	t := n.transport()
	t.ForceAttemptHTTP2 = true                       // net/http turns HTTP/2 off if the transport has its own dialer
	t.MaxIdleConnsPerHost = max(t.MaxIdleConns, 100) // all connections of the pool talk to one host
	t.HTTP2 = &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingTimeout}
	return t
}

// restBase returns the base URL of an endpoint: it adds the path of the REST API if the endpoint
// has no path.
func restBase(endpoint string) string {
	if endpoint == "" {
		endpoint = defaultEndpoint
	}
	trimmed := strings.TrimSuffix(endpoint, "/")
	if u, err := url.Parse(trimmed); err == nil && u.Path == "" {
		return trimmed + restPath
	}
	return trimmed + "/"
}

func (c *client) close() {
	c.storage.close()
	c.idle.CloseIdleConnections()
	c.dialer.close()
}

// query calls jobs.query with TimeoutMs set to hold.
func (c *client) query(ctx context.Context, req *bq.QueryRequest, hold time.Duration) (*page, error) {
	held := *req
	held.TimeoutMs = hold.Milliseconds()
	body, err := json.Marshal(&held)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(
		withHold(ctx, hold),
		http.MethodPost,
		c.url("queries", nil),
		bytes.NewReader(body),
	)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.GetBody = nil // net/http would send it again, even after PROTOCOL_ERROR, when it may have run
	sent := time.Now()
	answer, err := c.readBody(r, nil)
	if err != nil {
		return nil, ofSize(len(body), err)
	}
	return parsePage(answer, time.Since(sent))
}

// maxRequestBytes is the size of the largest request that BigQuery accepts.
const maxRequestBytes = 10_000_000

// largeRequestError is the error of a request larger than BigQuery accepts. Google's front end
// refuses such a request, or resets the connection while it is sent.
type largeRequestError struct {
	size int
	err  error
}

func (e *largeRequestError) Error() string {
	return fmt.Sprintf("the statement with its arguments has %.1f MB, and a request can have 10 MB; "+
		"bulk.Append writes any number of rows: %v", float64(e.size)/1e6, e.err)
}

func (e *largeRequestError) Unwrap() error { return e.err }

// ofSize returns the error of a request of this size.
func ofSize(size int, err error) error {
	status := statusOf(err)
	if size > maxRequestBytes &&
		(status == http.StatusRequestEntityTooLarge || status == 0 && faultOf(err) == faultBroken) {
		return &largeRequestError{size, err}
	}
	return err
}

// results calls jobs.getQueryResults for a first page.
func (c *client) results(
	ctx context.Context, ref *bq.JobReference, maxResults int64, hold time.Duration,
) (*page, error) {
	return c.resultsIn(ctx, micros, ref, maxResults, hold)
}

// resultsIn is results with a format for timestamps.
func (c *client) resultsIn(
	ctx context.Context, format timestamps, ref *bq.JobReference, maxResults int64, hold time.Duration,
) (*page, error) {
	sent := time.Now()
	body, err := c.resultsBody(ctx, format, ref, pagePlace{limit: maxResults}, hold, nil)
	if err != nil {
		return nil, err
	}
	pg, err := parsePage(body, time.Since(sent))
	if err == nil && !pg.JobComplete && pg.JobReference == nil {
		return nil, errNothing
	}
	return pg, err
}

// pagePlace says which rows of a result to request: from the page that the token names or, without
// a token, from a row, counted from 0. A limit of 0 leaves the number of rows to BigQuery.
type pagePlace struct {
	token      string
	row, limit int64
}

func (p pagePlace) set(q url.Values) {
	switch {
	case p.token != "":
		q.Set("pageToken", p.token)
	case p.row > 0:
		q.Set("startIndex", strconv.FormatInt(p.row, 10))
	}
	if p.limit > 0 {
		q.Set("maxResults", strconv.FormatInt(p.limit, 10))
	}
}

// resultsBody calls jobs.getQueryResults for a page. It returns the answer unparsed, in buf if that is
// large enough.
func (c *client) resultsBody(
	ctx context.Context, format timestamps, ref *bq.JobReference, at pagePlace, hold time.Duration, buf []byte,
) ([]byte, error) {
	q := url.Values{}
	format.set(q)
	q.Set("timeoutMs", strconv.FormatInt(hold.Milliseconds(), 10))
	if ref.Location != "" {
		q.Set("location", ref.Location)
	}
	at.set(q)
	path := c.url("queries/"+url.PathEscape(ref.JobId), q)
	r, err := http.NewRequestWithContext(withHold(ctx, hold), http.MethodGet, path, nil)
	if err != nil {
		return nil, err
	}
	return c.readBody(r, buf)
}

// something returns an error for the answer null, from which the generated client makes no value.
func something[T any](answer *T, err error) (*T, error) {
	if err == nil && answer == nil {
		err = errNothing
	}
	return answer, err
}

// insert calls jobs.insert.
func (c *client) insert(ctx context.Context, job *bq.Job) (*bq.Job, error) {
	made, err := something(c.service.Jobs.Insert(c.project, job).Context(withHold(ctx, 0)).Do())
	if err != nil {
		if body, e := json.Marshal(job); e == nil {
			err = ofSize(len(body), err)
		}
	}
	return made, err
}

// dryRun calls jobs.insert for a dry run, which bills nothing and creates no job.
func (c *client) dryRun(ctx context.Context, dry *bq.Job) (*bq.JobStatistics, error) {
	job, err := c.insert(ctx, dry)
	if err != nil {
		return nil, err
	}
	if err := jobError(job); err != nil {
		return nil, err
	}
	if job.Statistics == nil || job.Statistics.Query == nil {
		return nil, protocolError("BigQuery's answer to a dry run has no query statistics")
	}
	return job.Statistics, nil
}

// jobError returns the error of a job that has failed, as a *googleapi.Error; nil if it did not
// fail.
func jobError(job *bq.Job) error {
	if job.Status == nil || job.Status.ErrorResult == nil {
		return nil
	}
	failed := job.Status.ErrorResult
	return &googleapi.Error{
		Code: http.StatusBadRequest, Message: failed.Message,
		Errors: []googleapi.ErrorItem{{Reason: failed.Reason, Message: failed.Message}},
	}
}

// isDone reports whether a job has ended.
func isDone(job *bq.Job) bool { return job.Status != nil && job.Status.State == "DONE" }

// job calls jobs.get.
func (c *client) job(ctx context.Context, ref *bq.JobReference) (*bq.Job, error) {
	call := c.service.Jobs.Get(ref.ProjectId, ref.JobId).Location(ref.Location)
	return something(call.Context(withHold(ctx, 0)).Do())
}

// table calls tables.get for the number of rows.
func (c *client) table(ctx context.Context, ref *bq.TableReference) (*bq.Table, error) {
	call := c.service.Tables.Get(ref.ProjectId, ref.DatasetId, ref.TableId)
	return something(call.Fields("numRows").Context(withHold(ctx, 0)).Do())
}

const (
	// maxListed is the largest page of jobs.list; the default is 50.
	maxListed = 1000
	// childFields leaves out query plans and the like, which make the list of a long script slow.
	childFields = "nextPageToken,jobs(jobReference,errorResult,statistics(parentJobId," +
		"scriptStatistics(evaluationKind),query(statementType,numDmlAffectedRows,dmlStats)))"
	// lostFields has the fields that identify a job, and those that jobs.cancel needs.
	lostFields = "nextPageToken,unreachable,jobs(jobReference,state,configuration(labels,query(query)))"
)

// children calls jobs.list for the jobs of a script's statements. Without projection=full the
// service leaves out their statistics.
func (c *client) children(ctx context.Context, script *bq.JobReference, token string) (*bq.JobList, error) {
	call := c.service.Jobs.List(script.ProjectId).ParentJobId(script.JobId).Projection("full")
	call = call.PageToken(token).MaxResults(maxListed).Fields(childFields)
	return something(call.Context(withHold(ctx, 0)).Do())
}

// unfinished calls jobs.list for the user's jobs created since a time that have not ended.
func (c *client) unfinished(ctx context.Context, since time.Time, token string) (*bq.JobList, error) {
	call := c.service.Jobs.List(c.project).StateFilter("pending", "running").Projection("full")
	call = call.MinCreationTime(uint64(c.wire.serverTime(since).UnixMilli())).PageToken(token).MaxResults(maxListed)
	return something(call.Fields(lostFields).Context(withHold(ctx, 0)).Do())
}

// cancel calls jobs.cancel. The job ends some time later.
func (c *client) cancel(ctx context.Context, ref *bq.JobReference) error {
	_, err := c.service.Jobs.Cancel(ref.ProjectId, ref.JobId).Location(ref.Location).Context(withHold(ctx, 0)).Do()
	return err
}

// url returns the URL of a method. prettyPrint=false keeps white space out of the answer.
func (c *client) url(path string, q url.Values) string {
	query := "?prettyPrint=false"
	if len(q) > 0 {
		query += "&" + q.Encode()
	}
	return c.base + "projects/" + url.PathEscape(c.project) + "/" + path + query
}

func (c *client) readBody(r *http.Request, buf []byte) ([]byte, error) {
	resp, err := c.http.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= http.StatusMultipleChoices {
		resp.Body = io.NopCloser(io.LimitReader(resp.Body, maxErrorBytes))
	}
	if err := googleapi.CheckResponse(resp); err != nil {
		return nil, err
	}
	return readAll(resp, buf)
}

// maxErrorBytes bounds how much of an error answer is read, because a proxy can send a page of any
// size.
const maxErrorBytes = 1 << 20

// tooLargeError is the error of an answer that would take too much memory, and is not read.
type tooLargeError struct{ limit int64 }

func (e *tooLargeError) Error() string {
	return fmt.Sprintf(
		"BigQuery's answer has more than %d MiB: set a smaller max_results, or select less if a single row is so large",
		e.limit>>20,
	)
}

// readAll reads an answer, into room if it is large enough, else into one allocation if the length
// is known.
func readAll(resp *http.Response, room []byte) ([]byte, error) {
	if n := resp.ContentLength; n > maxPageBytes {
		return nil, &tooLargeError{maxPageBytes}
	} else if n >= 0 {
		if int64(cap(room)) < n {
			room = make([]byte, n) // which is free for new memory, unlike growing a buffer
		}
		_, err := io.ReadFull(resp.Body, room[:n])
		return room[:n], err
	}
	buf := bytes.NewBuffer(room[:0])
	n, err := buf.ReadFrom(io.LimitReader(resp.Body, maxPageBytes+1))
	if err != nil {
		return nil, err
	}
	if n > maxPageBytes {
		return nil, &tooLargeError{maxPageBytes}
	}
	return buf.Bytes(), nil
}
