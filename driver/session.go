package driver

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	bq "google.golang.org/api/bigquery/v2"
	"google.golang.org/api/googleapi"

	"github.com/bigqueryuser/bigqueryuser/dsn"
)

// session is the state of a connection's BigQuery session, which holds transactions, temporary tables
// and variables. A connection has at most one, created when it is first needed. It runs one statement
// at a time.
type session struct {
	always bool // create_session=always: every statement runs in it

	id       string // "" if there is none
	location string
	// kept means that the session holds something, such as a temporary table, that the next user of
	// the connection must not see.
	kept bool
	// settled is closed when a statement that was abandoned in the session has ended; nil if there is
	// none.
	settled chan struct{}
	// crossed means that a statement was abandoned in the session, and that BigQuery may still be
	// busy with it.
	crossed bool

	tx *transaction // nil outside of a transaction
}

// transaction is a transaction that is open, or has failed.
type transaction struct {
	ctx context.Context // BeginTx's
	// err is the error of a statement of the transaction. BigQuery keeps the transaction open, with
	// its locks, and only ROLLBACK may follow.
	err error
}

// stateless are the statement types that leave nothing behind in a session.
var stateless = []string{
	"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "TRUNCATE_TABLE",
	"BEGIN_TRANSACTION", "COMMIT_TRANSACTION", "ROLLBACK_TRANSACTION",
}

// used reports whether statements run in the session, even if it is not created yet.
func (s *session) used() bool { return s.tx != nil || s.always }

// creates reports whether the next statement creates the session.
func (s *session) creates() bool { return s.used() && s.id == "" }

// current returns the id of the session that the next statement runs in; "" if it runs in none.
func (s *session) current() string {
	if !s.used() {
		return ""
	}
	return s.id
}

// runsIn reports whether the session is in a location; "" is any.
func (s *session) runsIn(location string) bool {
	return location == "" || s.location == "" || strings.EqualFold(location, s.location)
}

// join makes a request run in the session.
func (s *session) join(req *bq.QueryRequest) {
	if req.CreateSession = s.creates(); s.current() == "" {
		return
	}
	property := &bq.ConnectionProperty{Key: "session_id", Value: s.id}
	req.ConnectionProperties = append(req.ConnectionProperties, property)
	req.Location = s.location
}

// allows returns an error for BEGIN, COMMIT and ROLLBACK as the caller's statements, unless
// create_session=always is set. Without a session the statements after a BEGIN would be permanent, and
// in an sql.Tx a COMMIT would end the transaction without its knowledge.
func (s *session) allows(st *statement) error {
	ends := st.sql.verb == "COMMIT" || st.sql.verb == "ROLLBACK" // a script can begin with one of them, too
	switch {
	case s.tx != nil && (st.sql.kind == kindTransaction || ends):
		return fmt.Errorf("bigqueryuser: %s can't be a statement of an sql.Tx: call its Commit or Rollback",
			st.sql.verb)
	case s.used() || st.sql.kind != kindTransaction:
		return nil
	}
	return fmt.Errorf("bigqueryuser: %s as a statement begins or ends no transaction here: use BeginTx, or "+
		"create_session=always in the DSN and one sql.Conn", st.sql.verb)
}

// admit waits until the session is free. It returns an error for a statement that can't run in it: one
// with another location, and anything but ROLLBACK after a failure in a transaction. usual is the
// location of the DSN; a statement with that location runs wherever the session is.
func (s *session) admit(ctx context.Context, st *statement, usual string) error {
	if s.tx != nil && s.tx.err != nil && st.sql.verb != "ROLLBACK" {
		return fmt.Errorf(
			"bigqueryuser: after an earlier error the transaction can only be rolled back: %w",
			s.tx.err,
		)
	}
	if s.settled != nil && s.used() {
		select {
		case <-s.settled:
			s.settled = nil
		case <-ctx.Done():
			return endOf(ctx)
		}
	}
	if s.current() == "" || st.config.Location == usual || s.runsIn(st.config.Location) {
		return nil
	}
	problem := fmt.Sprintf("can't change in a session, and this connection's is in %s", s.location)
	return optionError{&dsn.Error{Key: "location", Problem: problem}}
}

// empty reports whether the session holds nothing, so that another session can replace it.
func (s *session) empty(begins bool) bool { return s.id != "" && !s.kept && (begins || s.tx == nil) }

// made records the session that a statement has created. moved means that an option has chosen its
// location, so the next user of the connection must not get it.
func (s *session) made(id, location string, moved bool) {
	s.id, s.location, s.kept = id, location, moved
}

// ran records what a statement left in the session. A BEGIN of the caller's own leaves a transaction.
func (s *session) ran(statementType string) {
	own := statementType == "BEGIN_TRANSACTION" && s.tx == nil
	s.kept = s.kept || own || !slices.Contains(stateless, statementType)
	s.crossed = false
}

// failed records that a statement failed or was abandoned. It may have left something in the session,
// and its transaction can only be rolled back.
func (s *session) failed(err error) {
	if !s.used() {
		return
	}
	s.kept = true
	if s.tx != nil {
		s.tx.err = err
	}
}

// leave makes later statements of the session wait until settle is called. Statements outside of the
// session do not wait.
func (s *session) leave() (settle func()) {
	if s.current() == "" {
		return func() {}
	}
	settled := make(chan struct{})
	s.settled, s.crossed = settled, true
	return func() { close(settled) }
}

// forget resets the session and returns its former state. The caller ends the open transaction and session in it.
func (s *session) forget() session {
	was := *s
	*s = session{always: s.always, tx: s.tx}
	return was
}

// sessionBusy reports whether a statement was refused because another job runs in its session.
func sessionBusy(err error) bool {
	api, ok := errors.AsType[*googleapi.Error](err)
	return ok && strings.Contains(api.Message, "Concurrent jobs in the same session are not allowed")
}

// sessionLost reports whether an error means that the session has ended.
func sessionLost(e *Error) bool {
	return e.Reason == "resourcesExceeded" && strings.Contains(e.Message, "Session ") &&
		strings.Contains(e.Message, "no longer available") ||
		e.Reason == "invalid" && strings.Contains(e.Message, "Invalid input session id")
}
