package driver

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
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

const (
	defaultEndpoint = "https://bigquery.googleapis.com"
	restPath        = "/bigquery/v2/"
	userAgent       = "bigqueryuser (gzip)" // Google compresses answers only for who says gzip here too

	// maxPageBytes bounds one answer in memory. BigQuery's pages stay below 20 MB.
	maxPageBytes = 64 << 20
)

// client is a connector's one way to BigQuery: one authorised transport under the
// official client, the generated REST service and the two calls whose rows the driver
// reads itself. It makes no request until it is used.
type client struct {
	project string
	base    string // REST base URL, with a slash at its end
	http    *http.Client
	idle    *http.Transport
	service *bq.Service
	storage *storage
	// pause chooses how long to wait before a request is made again, up to a limit.
	pause func(limit time.Duration) time.Duration
	// official shares the transport. It is for callers that reach below database/sql, by Conn.Client.
	official *bigquery.Client
}

// newClient makes a client whose requests carry the tokens; nil tokens are none at all.
func newClient(ctx context.Context, cfg *dsn.Config, tokens *tokenSource) (*client, error) {
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
	base := newTransport()
	authorised, err := htransport.NewTransport(ctx, refusalWatch{base, tokens}, opts...)
	if err != nil {
		return nil, err
	}
	// A redirect would carry the access token to another host; BigQuery never sends one.
	hc := &http.Client{Transport: authorised, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	c := &client{project: cfg.Project, base: restBase(cfg.Endpoint), http: hc, idle: base, storage: newStorage(cfg, agent, tokens), pause: rand.N[time.Duration]}
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

// newTransport makes a transport of the connector's own, so that closing it closes nobody else's
// connections. A program may have replaced http.DefaultTransport by something else altogether.
func newTransport() *http.Transport {
	t := &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, MaxIdleConns: 100, IdleConnTimeout: 90 * time.Second, TLSHandshakeTimeout: 10 * time.Second}
	if standard, ok := http.DefaultTransport.(*http.Transport); ok {
		t = standard.Clone()
	}
	t.MaxIdleConnsPerHost = t.MaxIdleConns // one host serves every connection of the pool
	// Notices, as Google's own transport does, that the network has gone away under a connection.
	t.HTTP2 = &http.HTTP2Config{SendPingTimeout: 31 * time.Second, PingTimeout: 15 * time.Second}
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
}

// query calls jobs.query.
func (c *client) query(ctx context.Context, req *bq.QueryRequest) (*page, error) {
	body, err := json.Marshal(req)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url("queries", nil), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := c.readBody(r, nil)
	if err != nil {
		return nil, err
	}
	return parsePage(answer)
}

// results calls jobs.getQueryResults for a first page. A timeout of 0 does not wait.
func (c *client) results(ctx context.Context, ref *bq.JobReference, maxResults, timeoutMs int64) (*page, error) {
	body, err := c.resultsBody(ctx, ref, "", maxResults, timeoutMs, nil)
	if err != nil {
		return nil, err
	}
	return parsePage(body)
}

func (c *client) resultsBody(ctx context.Context, ref *bq.JobReference, token string, maxResults, timeoutMs int64, buf []byte) ([]byte, error) {
	q := url.Values{}
	q.Set("formatOptions.useInt64Timestamp", "true")
	q.Set("timeoutMs", strconv.FormatInt(timeoutMs, 10))
	if ref.Location != "" {
		q.Set("location", ref.Location)
	}
	if token != "" {
		q.Set("pageToken", token)
	}
	if maxResults > 0 {
		q.Set("maxResults", strconv.FormatInt(maxResults, 10))
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url("queries/"+url.PathEscape(ref.JobId), q), nil)
	if err != nil {
		return nil, err
	}
	return c.readBody(r, buf)
}

// insert calls jobs.insert.
func (c *client) insert(ctx context.Context, job *bq.Job) (*bq.Job, error) {
	return c.service.Jobs.Insert(c.project, job).Context(ctx).Do()
}

// dryRun calls jobs.insert for a dry run, which bills nothing and leaves no job behind.
func (c *client) dryRun(ctx context.Context, dry *bq.Job) (*bq.JobStatistics, error) {
	job, err := c.insert(ctx, dry)
	if err != nil {
		return nil, err
	}
	if job.Status != nil && job.Status.ErrorResult != nil {
		return nil, &googleapi.Error{Code: http.StatusBadRequest, Message: job.Status.ErrorResult.Message,
			Errors: []googleapi.ErrorItem{{Reason: job.Status.ErrorResult.Reason, Message: job.Status.ErrorResult.Message}}}
	}
	if job.Statistics == nil || job.Statistics.Query == nil {
		return nil, errors.New("the answer to a dry run has no query statistics")
	}
	return job.Statistics, nil
}

// job calls jobs.get.
func (c *client) job(ctx context.Context, ref *bq.JobReference) (*bq.Job, error) {
	return c.service.Jobs.Get(ref.ProjectId, ref.JobId).Location(ref.Location).Context(ctx).Do()
}

const (
	// maxChildren is the largest page that jobs.list gives; its default is 50.
	maxChildren = 1000
	// childFields leaves out what a script of many statements would be slow for, such as their query plans.
	childFields = "nextPageToken,jobs(jobReference,errorResult,statistics(scriptStatistics(evaluationKind),query(statementType,numDmlAffectedRows,dmlStats)))"
)

// table calls tables.get, for what it says of the rows.
func (c *client) table(ctx context.Context, ref *bq.TableReference) (*bq.Table, error) {
	return c.service.Tables.Get(ref.ProjectId, ref.DatasetId, ref.TableId).Fields("numRows").Context(ctx).Do()
}

// children calls jobs.list for the jobs of a script's statements.
func (c *client) children(ctx context.Context, script *bq.JobReference, token string) (*bq.JobList, error) {
	return c.service.Jobs.List(script.ProjectId).ParentJobId(script.JobId).PageToken(token).MaxResults(maxChildren).Fields(childFields).Context(ctx).Do()
}

// cancel calls jobs.cancel.
func (c *client) cancel(ctx context.Context, ref *bq.JobReference) error {
	_, err := c.service.Jobs.Cancel(ref.ProjectId, ref.JobId).Location(ref.Location).Context(ctx).Do()
	return err
}

func (c *client) url(path string, q url.Values) string {
	// prettyPrint would put white space between all cells.
	if q == nil {
		q = url.Values{}
	}
	q.Set("prettyPrint", "false")
	return c.base + "projects/" + url.PathEscape(c.project) + "/" + path + "?" + q.Encode()
}

func (c *client) readBody(r *http.Request, buf []byte) ([]byte, error) {
	resp, err := c.http.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if err := googleapi.CheckResponse(resp); err != nil {
		return nil, err
	}
	return readAll(resp, buf)
}

// readAll reads a whole answer, over what is in room if it is large enough, else into one allocation where the
// length is known.
func readAll(resp *http.Response, room []byte) ([]byte, error) {
	tooLarge := fmt.Errorf("an answer of BigQuery is larger than %d MiB: set a smaller max_results", maxPageBytes>>20)
	if n := resp.ContentLength; n > maxPageBytes {
		return nil, tooLarge
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
		return nil, tooLarge
	}
	return buf.Bytes(), nil
}
