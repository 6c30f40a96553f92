package fakebq

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// job is a statement that has been started.
type job struct {
	project, id, location string

	st      Statement
	answer  Answer
	table   *Table // of the result; nil = none
	email   string
	created time.Time // by the clock of the statistics
	made    time.Time
	session *session
	parent  *job
	kids    []*job

	duplicate string // its key in Server.byID, "" = none

	// Under the server's lock:
	incomplete int
	cancelled  bool
	stop       chan struct{} // closed once a cancel takes effect
}

func jobKey(project, location, id string) string {
	return project + ":" + strings.ToUpper(location) + "." + id
}

// next returns the next number of a job or session. The caller holds the lock.
func (s *Server) next() int {
	s.serial++
	return s.serial
}

// start runs a statement, or finds the job that an earlier request with the same requestId has
// started.
func (s *Server) start(st Statement, email string) (j *job, repeated bool, apiErr *Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	duplicate := st.duplicateKey()
	if j := s.byID[duplicate]; j != nil && j.answer.deduplicated() {
		return j, true, nil // also a failed one, which needs a new id
	}
	j, apiErr = s.begin(st, email, duplicate)
	return j, false, apiErr
}

// deduplicated reports whether a requestId keeps the statement from running twice. The service
// promises it for mutating queries, but not for scripts or for BEGIN, COMMIT and ROLLBACK.
func (a *Answer) deduplicated() bool {
	switch a.statementType() {
	case "SELECT", "SCRIPT", "BEGIN_TRANSACTION", "COMMIT_TRANSACTION", "ROLLBACK_TRANSACTION":
		return false
	}
	return true
}

// begin creates the job of a statement. The caller holds the lock.
func (s *Server) begin(st Statement, email, duplicate string) (*job, *Error) {
	id, location := "", cmp.Or(st.Location, s.opts.Location)
	if st.Session != "" && st.Location == "" && s.sessions[st.Session] != nil {
		location = s.sessions[st.Session].location
	}
	if st.Job != nil && st.Job.JobReference != nil {
		id = st.Job.JobReference.JobId
	}
	if !st.DryRun && id != "" && s.jobs[jobKey(st.Project, location, id)] != nil {
		return nil, &Error{Reason: "duplicate", Message: fmt.Sprintf("Already Exists: Job %s",
			jobKey(st.Project, location, id))}
	}
	se, err := s.enterSession(&st, location)
	if err != nil {
		return nil, err
	}
	answer, err := s.take(st, se, location)
	if err != nil && (st.DryRun || !err.ofStatement()) {
		return nil, err
	}
	if err != nil {
		answer.Err, answer.Until, answer.Incomplete = err, nil, 0 // a job that has failed at once
	}
	j := &job{
		project: st.Project, id: id, location: location, st: st, answer: answer, table: answer.result(), email: email,
		created: s.opts.Now(), made: time.Now(), session: se, incomplete: answer.Incomplete, stop: make(chan struct{}),
	}
	if st.DryRun {
		j.answer.Err, j.answer.Until, j.incomplete = nil, nil, 0 // a dry run does not run
		return j, nil
	}
	s.keep(j, se, duplicate)
	return j, nil
}

// take returns the answer of the script. The caller holds the lock.
func (s *Server) take(st Statement, se *session, location string) (Answer, *Error) {
	// This belongs to the session protocol, not to a test's script.
	if ok, err := s.abort(&st, se, location); ok {
		return s.script.ran(strings.TrimSpace(st.SQL), st.DryRun, Answer{StatementType: "SCRIPT"}), err
	}
	answer, err := s.script.answer(st)
	switch {
	case err != nil:
		return answer, err
	case answer.Reject != nil:
		return answer, answer.Reject
	}
	if err := st.checkDeclared(answer.Parameters); err != nil {
		return answer, err
	}
	if st.DryRun && answer.Err != nil && answer.Err.ofStatement() {
		return answer, answer.Err
	}
	if !st.DryRun {
		if err := s.checkTransaction(&answer, se); err != nil {
			return answer, err
		}
	}
	if limit := st.config.Query.MaximumBytesBilled; limit > 0 && answer.Billed > limit && !st.DryRun {
		answer.Err = &Error{
			Reason: "bytesBilledLimitExceeded",
			Message: fmt.Sprintf("Query exceeded limit for bytes billed: %d. %d or higher required.", limit,
				answer.Billed),
		}
	}
	if st.config.Query.DestinationTable != nil && !st.DryRun && answer.Err == nil {
		answer.Err = checkDestination(answer.statementType())
	}
	return answer, nil
}

// keep stores a job with its children. The caller holds the lock.
func (s *Server) keep(j *job, se *session, duplicate string) {
	j.id = cmp.Or(j.id, fmt.Sprintf("job_fake%08d", s.next()))
	j.duplicate = duplicate
	s.jobs[jobKey(j.project, j.location, j.id)] = j
	s.order = append(s.order, j)
	if duplicate != "" {
		s.byID[duplicate] = j
	}
	if se != nil {
		se.current, se.pending = j, j
	}
	for i, a := range j.answer.Children {
		kid := &job{
			project: j.project, id: fmt.Sprintf("script_%s_%d", j.id, i), location: j.location, answer: a,
			table: a.result(),
			email: j.email, created: j.created, made: j.made, session: se, parent: j, stop: make(chan struct{}),
			st: j.st.child(a.ChildSQL),
		}
		s.jobs[jobKey(kid.project, kid.location, kid.id)] = kid
		s.order = append(s.order, kid)
		j.kids = append(j.kids, kid)
	}
	s.forget()
	s.changed.Broadcast()
}

// forget drops the oldest jobs, as the service does after half a year. The caller holds the lock.
func (s *Server) forget() {
	kept := newest(s.order)
	for _, j := range s.order[:len(s.order)-len(kept)] {
		delete(s.jobs, jobKey(j.project, j.location, j.id))
		if s.byID[j.duplicate] == j {
			delete(s.byID, j.duplicate)
		}
	}
	s.order = kept
}

// result returns the table of an answer. That of a script is its last statement's, which may not be
// a SELECT.
func (a *Answer) result() *Table {
	if t := a.table(); t != nil || len(a.Children) == 0 {
		return t
	}
	return a.Children[len(a.Children)-1].result()
}

// duplicateKey returns the requestId and everything that affects the result. It is equal for
// duplicate requests, and "" for a request that is never a duplicate.
func (st *Statement) duplicateKey() string {
	if st.Request == nil || st.Request.RequestId == "" || st.DryRun {
		return ""
	}
	q := *st.Request
	q.TimeoutMs, q.MaxResults, q.FormatOptions = 0, 0, nil
	text, err := json.Marshal(&q)
	if err != nil {
		return "" // it came from JSON
	}
	return st.Project + "\n" + string(text)
}

// find returns a job. Without a location it is found where none is needed.
func (s *Server) find(project, location, id string) (*job, *Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	places := []string{location}
	if location == "" {
		places = []string{"US", "EU"}
	}
	for _, l := range places {
		if j := s.jobs[jobKey(project, l, id)]; j != nil {
			return j, nil
		}
	}
	name := project + ":" + id
	if location != "" {
		name = jobKey(project, location, id)
	}
	return nil, &Error{Reason: "notFound", Message: "Not found: Job " + name}
}

// await waits for the end of a job. gone is closed when the client has closed
// the connection.
func (s *Server) await(ctx context.Context, j *job, timeout time.Duration) (done, gone bool) {
	s.mu.Lock()
	held := j.incomplete > 0 && !j.finished()
	if held {
		j.incomplete--
	}
	done = !held && j.finished()
	s.mu.Unlock()
	if held || done {
		return done, false
	}
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-j.answer.Until:
		return true, false
	case <-j.stop:
		return true, false
	case <-timer.C:
		return false, false
	case <-ctx.Done():
	case <-s.done:
	}
	return false, true
}

// finished reports whether nothing delays the job any longer. A job with incomplete answers left is
// finished when they have been sent. The caller holds the lock.
func (j *job) finished() bool {
	select {
	case <-j.stop:
		return true
	default:
	}
	if j.incomplete > 0 {
		return false
	}
	if j.answer.Until == nil {
		return true
	}
	select {
	case <-j.answer.Until:
		return true
	default:
		return false
	}
}

// failure returns the error of a finished job, or nil.
func (j *job) failure() *Error {
	select {
	case <-j.stop:
		return &Error{Reason: "stopped", Message: "Job execution was cancelled: User requested cancellation"}
	default:
		return j.answer.Err
	}
}
