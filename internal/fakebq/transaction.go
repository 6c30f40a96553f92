package fakebq

import (
	"fmt"
	"slices"
	"strings"
)

// OpenTransactions returns the ids of the sessions with an open transaction, in order. An error
// leaves it open: only COMMIT, ROLLBACK and the end of the session end it.
func (s *Server) OpenTransactions() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []string
	for id, se := range s.sessions {
		se.settle()
		if se.open && !se.ended {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// HeldTables returns the tables that open transactions have changed and hold, in order.
func (s *Server) HeldTables() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for _, se := range s.sessions {
		se.settle()
		for table := range se.held {
			all = append(all, table)
		}
	}
	slices.Sort(all)
	return all
}

// end ends the session and everything in it. The caller holds the server's lock.
func (se *session) end() {
	se.ended, se.open, se.held, se.pending = true, false, nil, nil
}

// settle applies the effect of the last statement to the transaction, once it has ended. The caller
// holds the server's lock.
func (se *session) settle() {
	j := se.pending
	if j == nil || !j.finished() {
		return
	}
	se.pending = nil
	err := j.failure()
	switch j.answer.statementType() {
	case "BEGIN_TRANSACTION":
		se.open = se.open || err == nil
	case "COMMIT_TRANSACTION", "ROLLBACK_TRANSACTION":
		// A conflict aborts the transaction; any other failure does not change it.
		if err == nil || strings.Contains(err.Message, "is aborted") {
			se.open, se.held = false, nil
		}
	}
}

// checkTransaction refuses a statement that conflicts with the transaction of its session or of
// another one, and records the tables that it holds from now on. The caller holds the lock.
func (s *Server) checkTransaction(a *Answer, se *session) *Error {
	if se != nil {
		se.settle()
	}
	refuse := func(format string, args ...any) *Error {
		return &Error{Reason: "invalidQuery", Message: fmt.Sprintf(format, args...)}
	}
	switch typ := a.statementType(); typ {
	case "BEGIN_TRANSACTION", "COMMIT_TRANSACTION", "ROLLBACK_TRANSACTION":
		switch {
		case se == nil:
			return refuse("Transaction control statements are supported only in scripts or sessions")
		case typ == "BEGIN_TRANSACTION" && se.open:
			return refuse("Transaction is already in progress: nested transactions are not supported")
		case typ != "BEGIN_TRANSACTION" && !se.open:
			return refuse("No active transaction found")
		}
		return nil
	}
	for _, table := range a.Tables {
		for _, other := range s.sessions {
			if other.settle(); other == se || other.ended || !other.held[table] {
				continue
			}
			if se == nil || !se.open {
				return refuse("Could not serialize access to table %s due to concurrent update", table)
			}
			return refuse("Transaction is aborted due to concurrent update against table %s. Transaction ID: %s", table,
				se.id)
		}
		if se != nil && se.open {
			if se.held == nil {
				se.held = map[string]bool{}
			}
			se.held[table] = true
		}
	}
	return nil
}

// abort runs CALL BQ.ABORT_SESSION() for its own session or, by id, for another one. It returns
// false for any other statement. The caller holds the lock.
func (s *Server) abort(st *Statement, se *session, location string) (ok bool, apiErr *Error) {
	match := abortCall.FindStringSubmatch(strings.TrimSpace(st.SQL))
	if match == nil {
		return false, nil
	}
	if id := match[1]; id != "" {
		se = s.sessions[id]
	}
	switch {
	case se == nil:
		return true, &Error{Reason: "invalid", Message: "Invalid input session id."}
	case !strings.EqualFold(se.location, location):
		return true, &Error{Reason: "notFound", Message: fmt.Sprintf("Not found: Session %s was not found in location "+
			"%s",
			se.id, location)}
	case st.DryRun:
		return true, nil
	}
	if j := se.current; j != nil && !j.finished() {
		close(j.stop) // it does not wait for running statements
		s.changed.Broadcast()
	}
	se.end()
	return true, nil
}
