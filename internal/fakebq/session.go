package fakebq

import (
	"fmt"
	"slices"
	"strings"
)

// session is a BigQuery session.
type session struct {
	id, location string
	ended        bool
	current      *job // the last job in it

	open    bool            // a transaction is open
	held    map[string]bool // tables that the open transaction has changed
	pending *job            // the last job, until its effect on the transaction is settled
}

// Sessions returns the ids of the sessions that have not ended, oldest first.
func (s *Server) Sessions() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []string
	for id, se := range s.sessions {
		if !se.ended {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// EndSession ends a session, as the service does after a day without use. An unknown id has no
// effect.
func (s *Server) EndSession(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if se := s.sessions[id]; se != nil {
		se.end()
	}
}

// ForgetSession makes the server forget a session, so that its id is unknown.
func (s *Server) ForgetSession(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions, id)
}

// enterSession returns or creates the session of a statement; nil means none. The caller holds the
// lock.
func (s *Server) enterSession(st *Statement, location string) (*session, *Error) {
	if st.config.Query.CreateSession && !st.DryRun {
		se := &session{id: fmt.Sprintf("session-%06d", s.next()), location: location}
		s.sessions[se.id] = se
		return se, nil
	}
	if st.Session == "" {
		return nil, nil
	}
	se := s.sessions[st.Session]
	switch {
	case se == nil:
		return nil, &Error{Reason: "invalid", Message: "Invalid input session id."}
	case se.ended:
		return nil, &Error{Reason: "resourcesExceeded", Message: fmt.Sprintf("Session %s has expired and is no longer "+
			"available.", st.Session)}
	case !strings.EqualFold(se.location, location):
		return nil, &Error{Reason: "notFound", Message: fmt.Sprintf("Not found: Session %s was not found in location "+
			"%s", st.Session, location)}
	case se.current != nil && !se.current.finished():
		return nil, &Error{Reason: "invalid", Message: "Concurrent jobs in the same session are not allowed."}
	}
	return se, nil
}
