package driver

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	bq "google.golang.org/api/bigquery/v2"
	"google.golang.org/api/googleapi"
)

// submission is the sending of a statement under one id. All tries send the same bytes, except for the
// hold time, because BigQuery recognizes only an identical request as a duplicate.
type submission struct {
	st   *statement
	req  *bq.QueryRequest
	job  *bq.Job // for jobs.insert; nil for jobs.query
	hold time.Duration
	// crossed means that another statement was abandoned in the session, and that BigQuery may still
	// be busy with it.
	crossed bool
	label   string // of the job; "" if it has none

	since time.Time // when it was first sent
	tried time.Time // when it was last sent
	begun bool      // a request that failed may have begun the statement

	mu     sync.Mutex
	flying bool // a request is under way
	traced bool // its transport tells how far it is
	held   bool // it has a connection
	wrote  bool // its headers have been written to the network
	gone   bool // the caller's context has ended: no further request may be made
}

// start registers a request. It returns false if the caller's context has ended.
func (s *submission) start() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flying, s.traced, s.held, s.wrote = !s.gone, false, false, false
	return s.flying
}

// connecting records that the transport looks for a connection. It returns false if the caller's context has ended.
func (s *submission) connecting() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.traced = true
	return !s.gone
}

// connected records that the request has a connection, on which it is written at once.
func (s *submission) connected() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = true
}

// wroteHeaders records that the request was written to the network.
func (s *submission) wroteHeaders() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wrote = true
}

// finish records the end of a request. It reports whether the request was written to the network.
func (s *submission) finish() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flying = false
	return s.wrote || !s.traced
}

// abandon prevents further requests. It reports whether a request is under way that can have been written to
// the network.
func (s *submission) abandon() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gone = true
	return s.flying && (s.held || !s.traced)
}

// submit sends a statement and returns its outcome. When ctx ends it returns at once; the outcome then
// has the request that is still under way.
func (s *submission) submit(ctx context.Context, c caller) outcome {
	if ctx.Err() != nil {
		return outcome{state: stateNotBegun, err: endOf(ctx)}
	}
	// The requests do not end with ctx, because only the answer says whether the statement has begun.
	sending, stop := context.WithCancel(context.WithoutCancel(ctx))
	got := make(chan outcome, 1)
	go func() { got <- s.tries(ctx, sending, c) }()
	select {
	case o := <-got:
		stop()
		return o
	case <-ctx.Done():
	}
	if s.abandon() {
		return outcome{state: stateLost, err: endOf(ctx), begun: true, awaited: &awaited{got, stop}}
	}
	stop() // the request was not written yet
	return <-got
}

// tries makes requests until one is answered, the tries are used up, or ctx ends.
func (s *submission) tries(ctx, sending context.Context, c caller) outcome {
	s.since = time.Now()
	sending = withWatcher(sending, s)
	for p := newPauses(c); ; {
		s.tried = time.Now()
		left := false
		pg, err := once(ctx, c, func(cl *client) (*page, error) {
			if !s.start() {
				return nil, ctx.Err()
			}
			defer func() { left = s.finish() }()
			return s.request(sending, cl)
		})
		if err == nil {
			return s.answered(pg)
		}
		again := false
		switch f := faultOf(err); {
		case ctx.Err() != nil && !isAnswer(err):
			s.begun = s.begun || f == faultBroken && left
			return s.lost(asEnded(ctx, err))
		case f == faultJob:
			return outcome{state: stateFaulted, err: err, begun: s.begun}
		case f == faultBroken, inconclusive(err):
			s.begun, again = s.begun || left, f == faultBroken
		case f == faultNotBegun, (s.begun || s.crossed) && sessionBusy(err):
			// In the latter case the session is busy with an earlier try, or with a statement whose
			// cancellation has not taken effect yet.
			again = true
		case s.existing(err):
			s.begun = true
		case f == faultRefused && !s.begun, f == faultRefused && !s.explained(err):
			return outcome{state: stateFailed, err: err, begun: s.begun}
		}
		if !again || s.begun && !s.deduplicated() {
			return s.lost(err)
		}
		if goOn, end := p.wait(ctx, err); end != nil || !goOn {
			return s.lost(withEnd(end, err))
		}
	}
}

// deduplicated reports whether sending the statement again under its id is safe. BigQuery guarantees to
// run it once for a job id and, with a request id, for single statements that change something, but not
// for scripts. A query may run twice without harm, and a second BEGIN or COMMIT is refused.
func (s *submission) deduplicated() bool {
	return s.job != nil || s.st.sql.kind != kindScript || s.st.sql.reads
}

// isAnswer reports whether an error is BigQuery's final answer about the statement.
func isAnswer(err error) bool {
	api, ok := errors.AsType[*googleapi.Error](err)
	return ok && !faultOfAnswer(api).passing()
}

// lost returns the outcome after the last try.
func (s *submission) lost(err error) outcome {
	if s.begun {
		return outcome{state: stateLost, err: err, begun: true}
	}
	return outcome{state: stateNotBegun, err: err}
}

// answered returns the outcome of an answer that is not an error.
func (s *submission) answered(pg *page) outcome {
	switch {
	case pg.JobComplete && pg.saysNothing(), !pg.JobComplete && pg.JobReference == nil:
		return outcome{
			state: stateLost,
			err:   protocolError("the answer is not BigQuery's: it has neither a job nor a result"),
		}
	case pg.JobComplete:
		return outcome{state: stateDone, page: pg}
	}
	return outcome{state: stateRunning, page: pg, begun: s.begun}
}

// inconclusive reports whether an answer does not say what became of the statement, and would be the same
// again: one that is too large to be read, and a redirect or a 501 of a server in front of BigQuery.
func inconclusive(err error) bool {
	code := statusOf(err)
	return isA[*tooLargeError](err) || code/100 == 3 || code == http.StatusNotImplemented && isFrontEnd(err)
}

// existing reports whether jobs.query was refused because its job exists. A request of jobs.query has no job
// id, so an earlier try, or a server in front of BigQuery that repeated this one, has begun the statement.
func (s *submission) existing(err error) bool {
	api, ok := errors.AsType[*googleapi.Error](err)
	return ok && s.job == nil && api.Code == http.StatusConflict &&
		strings.Contains(api.Message, "Already Exists: Job ")
}

// requestReasons are the reasons of refusals that concern a request and not its statement.
var requestReasons = []string{"quotaExceeded", "billingNotEnabled", "forbidden"}

// explained reports whether a refusal can be explained by the success of an earlier try, or does not
// concern the statement. The outcome of that try then stays unknown. BigQuery does not guarantee to
// recognize the id of every kind of statement.
func (s *submission) explained(err error) bool {
	api, ok := errors.AsType[*googleapi.Error](err)
	if !ok {
		return false
	}
	if fromFrontEnd(api) || hasReason(api, requestReasons) {
		return true
	}
	switch s.st.sql.verb {
	case "COMMIT":
		return !conflict.MatchString(api.Message)
	case "CREATE", "UNDROP":
		return hasReason(api, []string{"duplicate"}) || strings.Contains(api.Message, "Already Exists")
	case "DROP", "ALTER", "RENAME":
		return hasReason(api, []string{"notFound"})
	}
	return false
}

// request makes one request.
func (s *submission) request(ctx context.Context, cl *client) (*page, error) {
	if s.job == nil {
		return cl.query(ctx, s.req, s.hold)
	}
	job, err := cl.insert(ctx, s.job)
	if api, ok := errors.AsType[*googleapi.Error](err); ok && api.Code == http.StatusConflict {
		if location, ours := jobIn(api.Message, s.job.JobReference.JobId); ours {
			return s.inserted(location, ""), nil
		}
	}
	if err != nil {
		return nil, err
	}
	if err := jobError(job); err != nil {
		return nil, err
	}
	if job.JobReference == nil && job.Status == nil {
		return nil, errNothing
	}
	location, statementType := "", ""
	if job.JobReference != nil {
		location = job.JobReference.Location
	}
	if job.Statistics != nil && job.Statistics.Query != nil {
		statementType = job.Statistics.Query.StatementType
	}
	return s.inserted(location, statementType), nil
}

// inserted returns the answer of a job that exists under our id. A poll fetches its result.
func (s *submission) inserted(location, statementType string) *page {
	ref := *s.job.JobReference
	if location != "" {
		ref.Location = location
	}
	pg := &page{}
	pg.JobReference, pg.StatementType = &ref, statementType
	return pg
}

// jobIn reports whether a message names a job as PROJECT:LOCATION.ID. It returns the location, or "" if
// the message has none.
func jobIn(message, id string) (location string, ok bool) {
	before, _, found := strings.Cut(message, "."+id)
	colon := strings.LastIndexByte(before, ':')
	if !found || strings.ContainsAny(before[colon+1:], " .") {
		return "", strings.Contains(message, id)
	}
	return before[colon+1:], true
}
