package driver

import (
	"errors"
	"fmt"

	bq "google.golang.org/api/bigquery/v2"
)

// ErrOutcomeUnknown means that a statement that can change something was sent, and that it is not
// known whether it has taken effect: the answer was lost, or the context ended before it came. What
// the statement would have changed tells. It is in the same error as the cause, so that errors.Is
// finds context.DeadlineExceeded too. A query has no such error.
var ErrOutcomeUnknown = errors.New("bigqueryuser: it is not known whether the statement has taken effect")

// ErrCommitUnknown means that it is not known whether an sql.Tx.Commit has committed. It is an
// [ErrOutcomeUnknown].
var ErrCommitUnknown error = commitUnknown{}

type commitUnknown struct{}

func (commitUnknown) Error() string {
	return "bigqueryuser: it is not known whether the transaction was committed"
}

func (commitUnknown) Unwrap() error { return ErrOutcomeUnknown }

// unknownError is the error of a statement whose outcome is not known, with the cause.
type unknownError struct{ unknown, cause error }

func (e *unknownError) Error() string   { return fmt.Sprintf("%v: %v", e.unknown, e.cause) }
func (e *unknownError) Unwrap() []error { return []error{e.unknown, e.cause} }

// Timeout reports whether the cause is a timeout, as net.Error does.
func (e *unknownError) Timeout() bool {
	t, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](e.cause)
	return ok && t.Timeout()
}

// Temporary reports whether the cause is temporary, as net.Error does.
func (e *unknownError) Temporary() bool {
	t, ok := errors.AsType[interface {
		error
		Temporary() bool
	}](e.cause)
	return ok && t.Temporary()
}

// hasRun is the error of a statement that has run and whose result can't be had.
func hasRun(err error) error {
	return fmt.Errorf("bigqueryuser: the statement has run, but its result can't be read: %w", err)
}

// outcome is what became of sending a statement.
type outcome struct {
	state state
	page  *page            // done: the first page of the result; running: what the first answer says
	err   error            // failed, not begun, lost: what a try failed with, not translated yet
	job   *bq.JobReference // nil if it is not known
	// awaited is a request that is still on its way, nil if none is.
	awaited *awaited
	begun   bool // a request that failed may have begun the statement, whatever became of it
}

// awaited is a request whose answer nobody waits for.
type awaited struct {
	outcome <-chan outcome
	stop    func() // gives it up
}

// state is where a statement is in its life.
type state int

const (
	stateDone     state = iota // it has its result
	stateRunning               // its job is known
	stateFailed                // BigQuery has refused it, or its job has failed
	stateFaulted               // its job has failed by BigQuery's fault
	stateNotBegun              // it can't have begun
	stateLost                  // it can have begun, and nothing tells what became of it
)
