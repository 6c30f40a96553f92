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

// Version is the version of this driver. It is in the User-Agent header of the requests.
const Version = "0.1.0-dev"

const (
	defaultEndpoint = "https://bigquery.googleapis.com"
	restPath        = "/bigquery/v2/"
	userAgent       = "bigqueryuser/" + Version + " (gzip)" // Google compresses answers only for who says gzip here too

	// maxPageBytes bounds one answer in memory. BigQuery's pages stay below 20 MB, but for a single
	// row of up to 100 MB.
	maxPageBytes = 256 << 20
)

const (
	// firstHold is how long BigQuery holds the first request of a statement whose context can end:
	// the answer names the job, which is to be known early. The service does not answer a running
	// job before about 0.7 s.
	firstHold = 2 * time.Second
	// endlessHold is the same where nothing can end the statement. It is the service's own default.
	endlessHold = 10 * time.Second
	// pollHold is how long BigQuery holds a request for a job that still runs.
	pollHold = 25 * time.Second
)

// client is a connector's one way to BigQuery: one authorised transport under the
// official client, the generated REST service and the two calls whose rows the driver
// reads itself. It makes no request until it is used.
type client struct {
	project string
	base    string // REST base URL, with a slash at its end
	http    *http.Client
	wire    *wire
	idle    *http.Transport
	dialer  *dialer
	service *bq.Service
	storage *storage
	// pause chooses how long to wait before a request is made again, up to a limit.
	pause func(limit time.Duration) time.Duration
	// official shares the transport. It is for callers that reach below database/sql, by RawConn.
	official *bigquery.Client
}

// newClient makes a client whose requests carry the tokens; nil tokens are none at all.
func newClient(ctx context.Context, cfg *dsn.Config, tokens *tokenSource, n network) (*client, error) {
	agent := userAgent
	if cfg.Application != "" {
		agent = cfg.Application + " " + userAgent
	}
	opts := []option.ClientOption{option.WithUserAgent(agent)}
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
	// A redirect would carry the access token to another host; BigQuery never sends one.
	hc := &http.Client{Transport: authorised, CheckRedirect: lastResponse}
	c := &client{
		project: cfg.Project, base: restBase(cfg.Endpoint), http: hc, wire: w, idle: base, dialer: dialer,
		storage: newStorage(cfg, agent, tokens, n), pause: rand.N[time.Duration],
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

// newTransport makes the transport of REST.
func newTransport(n network) *http.Transport {
	t := n.transport()
	t.ForceAttemptHTTP2 = true                       // net/http turns HTTP/2 off where a dialer is set
	t.MaxIdleConnsPerHost = max(t.MaxIdleConns, 100) // one host serves every connection of the pool
	t.HTTP2 = &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingTimeout}
	return t
}

// restBase completes an endpoint that is only a host, as people write it, with the
// path of the REST API; one with a path of its own is taken as it is.
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

// query calls jobs.query. The request's TimeoutMs is replaced by hold.
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
	answer, err := c.readBody(r, nil)
	if err != nil {
		return nil, ofSize(len(body), err)
	}
	return parsePage(answer)
}

// maxRequestBytes is how large a request BigQuery takes.
const maxRequestBytes = 10_000_000

// largeRequestError is that of a request that is larger than BigQuery takes. A front end refuses
// such a one, or resets the connection while it is sent.
type largeRequestError struct {
	size int
	err  error
}

func (e *largeRequestError) Error() string {
	return fmt.Sprintf("the statement with its arguments is %.1f MB, and BigQuery takes 10 MB a request: %v",
		float64(e.size)/1e6, e.err)
}

func (e *largeRequestError) Unwrap() error { return e.err }

// ofSize is the error of a request of so many bytes.
func ofSize(size int, err error) error {
	status := statusOf(err)
	if size > maxRequestBytes &&
		(status == http.StatusRequestEntityTooLarge || status == 0 && faultOf(err) == faultBroken) {
		return &largeRequestError{size, err}
	}
	return err
}

// results calls jobs.getQueryResults for a first page.
func (c *client) results(ctx context.Context, ref *bq.JobReference, maxResults int64, hold time.Duration) (*page, error) {
	return c.resultsIn(ctx, micros, ref, maxResults, hold)
}

// resultsIn is results with timestamps in a format.
func (c *client) resultsIn(
	ctx context.Context, format timestamps, ref *bq.JobReference, maxResults int64, hold time.Duration,
) (*page, error) {
	body, err := c.resultsBody(ctx, format, ref, "", maxResults, hold, nil)
	if err != nil {
		return nil, err
	}
	return parsePage(body)
}

// resultsBody calls jobs.getQueryResults for the page that a token names. It returns the answer as
// it is, in buf if that is large enough.
func (c *client) resultsBody(
	ctx context.Context, format timestamps, ref *bq.JobReference, token string, maxResults int64, hold time.Duration, buf []byte,
) ([]byte, error) {
	q := url.Values{}
	format.set(q)
	q.Set("timeoutMs", strconv.FormatInt(hold.Milliseconds(), 10))
	if ref.Location != "" {
		q.Set("location", ref.Location)
	}
	if token != "" {
		q.Set("pageToken", token)
	}
	if maxResults > 0 {
		q.Set("maxResults", strconv.FormatInt(maxResults, 10))
	}
	path := c.url("queries/"+url.PathEscape(ref.JobId), q)
	r, err := http.NewRequestWithContext(withHold(ctx, hold), http.MethodGet, path, nil)
	if err != nil {
		return nil, err
	}
	return c.readBody(r, buf)
}

// insert calls jobs.insert.
func (c *client) insert(ctx context.Context, job *bq.Job) (*bq.Job, error) {
	made, err := c.service.Jobs.Insert(c.project, job).Context(withHold(ctx, 0)).Do()
	if err != nil {
		if body, e := json.Marshal(job); e == nil {
			err = ofSize(len(body), err)
		}
	}
	return made, err
}

// dryRun calls jobs.insert for a dry run, which bills nothing and leaves no job behind.
func (c *client) dryRun(ctx context.Context, dry *bq.Job) (*bq.JobStatistics, error) {
	job, err := c.insert(ctx, dry)
	if err != nil {
		return nil, err
	}
	if err := jobError(job); err != nil {
		return nil, err
	}
	if job.Statistics == nil || job.Statistics.Query == nil {
		return nil, protocolError("the answer to a dry run has no query statistics")
	}
	return job.Statistics, nil
}

// jobError returns what a job that has ended failed with, in the form of an answer that is an
// error; nil if it did not fail.
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
	return c.service.Jobs.Get(ref.ProjectId, ref.JobId).Location(ref.Location).Context(withHold(ctx, 0)).Do()
}

// table calls tables.get, for what it says of the rows.
func (c *client) table(ctx context.Context, ref *bq.TableReference) (*bq.Table, error) {
	call := c.service.Tables.Get(ref.ProjectId, ref.DatasetId, ref.TableId)
	return call.Fields("numRows").Context(withHold(ctx, 0)).Do()
}

const (
	// maxListed is the largest page that jobs.list gives; its default is 50.
	maxListed = 1000
	// childFields leaves out what a script of many statements would be slow for, such as their query plans.
	childFields = "nextPageToken,jobs(jobReference,errorResult,statistics(parentJobId,scriptStatistics(evaluationKind)," +
		"query(statementType,numDmlAffectedRows,dmlStats)))"
	// lostFields is what a job is recognised by, and what it has to be cancelled with.
	lostFields = "nextPageToken,unreachable,jobs(jobReference,state,configuration(labels,query(query)))"
)

// children calls jobs.list for the jobs of a script's statements. Without the full projection the
// service leaves out what they were.
func (c *client) children(ctx context.Context, script *bq.JobReference, token string) (*bq.JobList, error) {
	call := c.service.Jobs.List(script.ProjectId).ParentJobId(script.JobId).Projection("full")
	return call.PageToken(token).MaxResults(maxListed).Fields(childFields).Context(withHold(ctx, 0)).Do()
}

// unfinished calls jobs.list for the user's jobs that were made since a time and have not ended.
func (c *client) unfinished(ctx context.Context, since time.Time, token string) (*bq.JobList, error) {
	call := c.service.Jobs.List(c.project).StateFilter("pending", "running").Projection("full")
	call = call.MinCreationTime(uint64(c.wire.serverTime(since).UnixMilli())).PageToken(token).MaxResults(maxListed)
	return call.Fields(lostFields).Context(withHold(ctx, 0)).Do()
}

// cancel calls jobs.cancel. The job ends some time after it.
func (c *client) cancel(ctx context.Context, ref *bq.JobReference) error {
	_, err := c.service.Jobs.Cancel(ref.ProjectId, ref.JobId).Location(ref.Location).Context(withHold(ctx, 0)).Do()
	return err
}

// url returns the address of a method. Without prettyPrint=false there would be white space between all
// cells.
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

// maxErrorBytes is how much is read of an answer that is an error: a proxy can send pages of any size.
const maxErrorBytes = 1 << 20

// tooLargeError is that of an answer that is not read, since it would take too much memory.
type tooLargeError struct{ limit int64 }

func (e *tooLargeError) Error() string {
	return fmt.Sprintf(
		"an answer of BigQuery is larger than %d MiB: set a smaller max_results, or select less where one row is so large",
		e.limit>>20,
	)
}

// readAll reads a whole answer, over what is in room if it is large enough, else into one
// allocation where the length is known.
func readAll(resp *http.Response, room []byte) ([]byte, error) {
	if n := resp.ContentLength; n > maxPageBytes {
		return nil, &tooLargeError{maxPageBytes}
	} else if n >= 0 {
		if int64(cap(room)) < n {
			room = make([]byte, n) // which costs nothing where the memory is new, unlike growing a buffer
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
