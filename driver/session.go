package driver

import (
	"context"
	"fmt"
	"slices"
	"strings"

	bq "google.golang.org/api/bigquery/v2"

	"github.com/bigqueryuser/bigqueryuser/dsn"
)

// session is what a connection knows of its BigQuery session: where transactions, temporary tables
// and variables live. The connection has one at most, made when it is first needed, and it takes
// one statement at a time.
type session struct {
	always bool // create_session=always: every statement runs in it

	id       string // "" if there is none
	location string
	// kept means that the session holds more than finished transactions, such as a temporary table:
	// it must not reach the next user of the connection.
	kept bool
	// settled is closed when a statement that was left in the session has ended; nil if there was none.
	settled chan struct{}
	// crossed means that a statement was left in the session, whose end may not be over for BigQuery.
	crossed bool

	tx *transaction // nil outside of one
}

// transaction is one that is open, or was.
type transaction struct {
	ctx context.Context // BeginTx's
	// err is what a statement of it has failed with. BigQuery keeps the transaction open, with its
	// locks; nothing but its end may follow.
	err error
}

// stateless are the statement types that leave nothing behind in a session.
var stateless = []string{
	"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "TRUNCATE_TABLE",
	"BEGIN_TRANSACTION", "COMMIT_TRANSACTION", "ROLLBACK_TRANSACTION",
}

// used reports whether statements run in the session now, or in one that is still to be made.
func (s *session) used() bool { return s.tx != nil || s.always }

// creates reports whether the next statement makes the session.
func (s *session) creates() bool { return s.used() && s.id == "" }

// current returns the id of the session that the next statement runs in, "" if that is none.
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

// join puts a statement into the session.
func (s *session) join(req *bq.QueryRequest) {
	if req.CreateSession = s.creates(); s.current() == "" {
		return
	}
	property := &bq.ConnectionProperty{Key: "session_id", Value: s.id}
	req.ConnectionProperties = append(req.ConnectionProperties, property)
	req.Location = s.location
}

// allows refuses BEGIN, COMMIT and ROLLBACK as statements of the caller's where they would not do
// what they say: without a session BigQuery has no transactions, so that what follows a BEGIN would
// be permanent, and in an sql.Tx they would end the transaction behind its back.
func (s *session) allows(st *statement) error {
	switch {
	case st.sql.kind != kindTransaction || s.always && s.tx == nil:
		return nil
	case s.tx != nil:
		return fmt.Errorf("bigqueryuser: %s can't be a statement of an sql.Tx: call its Commit or Rollback", st.sql.verb)
	}
	return fmt.Errorf("bigqueryuser: %s as a statement begins or ends no transaction here: use BeginTx, or "+
		"create_session=always in the DSN and one sql.Conn", st.sql.verb)
}

// admit waits until the session is free for a statement, and refuses one that can't run in it: one
// that is to run in another location than the session, and whatever follows a failure in a
// transaction. usual is the DSN's location: where a statement names no other, an option has put the
// session where it is.
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

// empty reports whether nothing is in the session that would be missed, so that another one can
// take its place.
func (s *session) empty(begins bool) bool { return s.id != "" && !s.kept && (begins || s.tx == nil) }

// made notes the session that a statement has made. Where an option has put it, the next user of
// the connection does not look for it.
func (s *session) made(id, location string, moved bool) {
	s.id, s.location, s.kept = id, location, moved
}

// ran notes what a statement that ran in the session left there. A BEGIN of the caller's own leaves
// a transaction.
func (s *session) ran(statementType string) {
	own := statementType == "BEGIN_TRANSACTION" && s.tx == nil
	s.kept = s.kept || own || !slices.Contains(stateless, statementType)
	s.crossed = false
}

// failed notes that a statement failed or was left: what it leaves in the session is not known, and
// its transaction can only be rolled back.
func (s *session) failed(err error) {
	if !s.used() {
		return
	}
	s.kept = true
	if s.tx != nil {
		s.tx.err = err
	}
}

// leave makes later statements of the session wait until settle is called. Outside of the session
// nothing waits.
func (s *session) leave() (settle func()) {
	if s.current() == "" {
		return func() {}
	}
	settled := make(chan struct{})
	s.settled, s.crossed = settled, true
	return func() { close(settled) }
}

// forget lets the session go, and returns it as it was. What is open in it is to be ended by the caller.
func (s *session) forget() session {
	was := *s
	*s = session{always: s.always, tx: s.tx}
	return was
}

// sessionLost reports whether an error is the end of the session.
func sessionLost(e *Error) bool {
	return e.Reason == "resourcesExceeded" && strings.Contains(e.Message, "Session ") &&
		strings.Contains(e.Message, "no longer available") ||
		e.Reason == "invalid" && strings.Contains(e.Message, "Invalid input session id")
}
