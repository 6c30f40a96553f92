package jobs

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"strings"
	"sync"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
)

// How long a session lives: BigQuery's limits.
const (
	DefaultSessionIdle = 24 * time.Hour
	sessionLife        = 7 * 24 * time.Hour
)

// session is a user's session: a connection of DuckDB's own, with at most one
// transaction. It runs one statement at a time.
type session struct {
	id, user, project, location string
	created                     time.Time
	// conn and tx belong to the statement that runs, or to the end of the session.
	conn *engine.Conn
	tx   *transaction
	work *workspace
	vars *scope // of all its statements

	// Guarded by the lock of sessions.
	used  time.Time
	busy  bool
	stop  context.CancelCauseFunc // of the statement that runs
	ended bool
}

// sessions are those that live.
type sessions struct {
	mu   sync.Mutex
	byID map[string]*session
	idle time.Duration
}

func newSessions(idle time.Duration) *sessions {
	return &sessions{byID: map[string]*session{}, idle: idle}
}

func sessionLost(id string) *apierror.Error {
	return apierror.Errorf("resourcesExceeded", "Session %s has expired and is no longer available.", id)
}

// createSession makes a session that is busy with its first statement.
func (s *Runner) createSession(who Caller, q *query) (*session, *apierror.Error) {
	conn, err := s.db.Conn()
	if err != nil {
		return nil, apierror.From(err)
	}
	now := s.now()
	sess := &session{
		id:   base64.RawURLEncoding.EncodeToString([]byte(q.project + "/" + rand.Text() + rand.Text())),
		user: who.Email, project: q.project, location: q.location, created: now, used: now, conn: conn, vars: &scope{},
		busy: true,
		work: newWorkspace(conn, q.project),
	}
	s.sessions.mu.Lock()
	defer s.sessions.mu.Unlock()
	s.sessions.byID[sess.id] = sess
	return sess, nil
}

// prepareIn plans a query, in the session that it asks for if it asks for a new one: its first
// statement may make a temporary table. If the query is refused there is no session.
func (s *Runner) prepareIn(ctx context.Context, who Caller, q *query) (*plan, *apierror.Error) {
	if !q.newSession {
		return s.prepare(ctx, who, q)
	}
	sess, err := s.createSession(who, q)
	if err != nil {
		return nil, err
	}
	q.session, q.work = sess, sess.work
	p, err := s.prepare(ctx, who, q)
	if err != nil {
		s.leaveSession(q, err)
		q.session = nil
		return nil, err
	}
	s.sessions.mu.Lock()
	defer s.sessions.mu.Unlock()
	sess.location = q.location // which the statement's tables may have said
	return p, nil
}

// findSession looks up the session that a query names.
func (s *Runner) findSession(who Caller, q *query) (*session, *apierror.Error) {
	s.sweepSessions()
	s.sessions.mu.Lock()
	defer s.sessions.mu.Unlock()
	return s.sessions.find(who, q)
}

// find is findSession with the lock held.
func (l *sessions) find(who Caller, q *query) (*session, *apierror.Error) {
	sess := l.byID[q.sessionID]
	switch {
	case sess == nil || sess.project != q.project:
		return nil, sessionLost(q.sessionID)
	case sess.user != who.Email:
		return nil, apierror.Errorf("accessDenied", "Access Denied: Session %s: it belongs to another user.",
			q.sessionID)
	case q.location == "" && !multiRegion(sess.location), q.location != "" &&
		!strings.EqualFold(q.location, sess.location):
		return nil, apierror.Errorf("invalid", "Session %s is in location %s; its statements must be sent there, but "+
			"the location of the request is %q.", q.sessionID, sess.location, q.location)
	}
	return sess, nil
}

// multiRegion reports whether a location is found by requests that name none.
func multiRegion(location string) bool {
	return strings.EqualFold(location, "US") || strings.EqualFold(location, "EU")
}

// enterSession finds the session that a query names and makes it busy.
func (s *Runner) enterSession(who Caller, q *query) *apierror.Error {
	s.sweepSessions()
	s.sessions.mu.Lock()
	defer s.sessions.mu.Unlock()
	sess, err := s.sessions.find(who, q)
	if err != nil {
		return err
	}
	if sess.busy {
		return apierror.Errorf("invalid", "Concurrent jobs in the same session are not allowed.")
	}
	sess.busy, sess.used = true, s.now()
	q.session, q.location, q.vars, q.work = sess, sess.location, sess.vars, sess.work
	return nil
}

// leaveSession ends a statement's turn, and the session with it if it was ended
// meanwhile, or if this was its first statement and it has failed: no client knows the
// session's id then.
func (s *Runner) leaveSession(q *query, failed *apierror.Error) {
	sess := q.session
	if sess == nil {
		return
	}
	if q.newSession && failed != nil {
		s.endSession(sess, sess)
	}
	s.sessions.mu.Lock()
	sess.busy, sess.stop, sess.used = false, nil, s.now()
	ended := sess.ended
	s.sessions.mu.Unlock()
	if ended {
		s.closeSession(sess)
	}
}

// running notes how the statement that runs is stopped.
func (l *sessions) running(sess *session, stop context.CancelCauseFunc) {
	if sess == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	sess.stop = stop
	if sess.ended {
		stop(sessionLost(sess.id))
	}
}

// endSession ends a session: a statement of it that runs is stopped, its
// transaction is rolled back. by is the session whose statement asks for it.
func (s *Runner) endSession(sess, by *session) {
	s.sessions.mu.Lock()
	delete(s.sessions.byID, sess.id)
	first := !sess.ended
	sess.ended = true
	if sess.busy && sess != by && sess.stop != nil {
		sess.stop(sessionLost(sess.id))
	}
	busy := sess.busy
	s.sessions.mu.Unlock()
	if first && !busy {
		s.closeSession(sess)
	}
}

// closeSession gives up what an ended session holds.
func (s *Runner) closeSession(sess *session) {
	s.rollback(sess)
	sess.conn.Close()
}

// sweepSessions ends the sessions that were idle for too long or are too old.
func (s *Runner) sweepSessions() {
	now := s.now()
	var old []*session
	s.sessions.mu.Lock()
	for _, sess := range s.sessions.byID {
		if !sess.busy && (now.Sub(sess.used) > s.sessions.idle || now.Sub(sess.created) > sessionLife) {
			old = append(old, sess)
			delete(s.sessions.byID, sess.id)
			sess.ended = true
		}
	}
	s.sessions.mu.Unlock()
	for _, sess := range old {
		s.closeSession(sess)
	}
}

// closeSessions ends all sessions. No statement may be running.
func (s *Runner) closeSessions() {
	s.sessions.mu.Lock()
	all := s.sessions.byID
	s.sessions.byID = map[string]*session{}
	s.sessions.mu.Unlock()
	for _, sess := range all {
		s.closeSession(sess)
	}
}

// transactionID returns the id of the transaction that a query's session has
// open.
func (q *query) transactionID() string {
	if q.session == nil || q.session.tx == nil {
		return ""
	}
	return q.session.tx.id
}

// abortSession runs CALL BQ.ABORT_SESSION.
func (s *Runner) abortSession(who Caller, q *query, id string) *apierror.Error {
	if id == "" {
		if q.session == nil || q.session.id == "" {
			return apierror.Errorf("invalidQuery", "BQ.ABORT_SESSION without a session's id can only be called in a "+
				"session")
		}
		s.endSession(q.session, q.session)
		return nil
	}
	target := *q
	target.sessionID = id
	sess, err := s.findSession(who, &target)
	if err != nil {
		return err
	}
	s.endSession(sess, q.session)
	return nil
}
