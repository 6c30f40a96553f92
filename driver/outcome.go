package driver

import (
	"errors"
	"strings"

	bq "google.golang.org/api/bigquery/v2"
)

// ErrOutcomeUnknown means that a statement that can change something was sent, and that it is not known
// whether it took effect: the answer was lost, or the context ended before the answer came. Check the
// data before you run the statement again. The error also wraps the cause, so that errors.Is finds
// context.DeadlineExceeded. A query never returns it.
var ErrOutcomeUnknown = errors.New("bigqueryuser: it is not known whether the statement has taken effect")

// ErrCommitUnknown means that it is not known whether sql.Tx.Commit has committed the transaction. An
// error that matches it also matches [ErrOutcomeUnknown].
var ErrCommitUnknown error = commitUnknown{}

type commitUnknown struct{}

func (commitUnknown) Error() string {
	return "bigqueryuser: it is not known whether the transaction was committed"
}

func (commitUnknown) Unwrap() error { return ErrOutcomeUnknown }

// unknownError is the error of a statement with an unknown outcome, and its cause.
type unknownError struct{ unknown, cause error }

func (e *unknownError) Error() string   { return e.unknown.Error() + ": " + unprefixed(e.cause) }
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

// hasRun returns the error of a statement that has run, but whose result can't be read.
func hasRun(err error) error { return &hasRunError{err} }

type hasRunError struct{ err error }

func (e *hasRunError) Unwrap() error { return e.err }
func (e *hasRunError) Error() string {
	return "bigqueryuser: the statement has run, but its result can't be read: " + unprefixed(e.err)
}

// unprefixed returns the text of an error inside another error of this package.
func unprefixed(err error) string { return strings.TrimPrefix(err.Error(), "bigqueryuser: ") }

// outcome is the result of sending a statement.
type outcome struct {
	state state
	page  *page            // done: the first page of the result; running: the first answer
	err   error            // failed, not begun, lost: the error of a try, not translated yet
	job   *bq.JobReference // nil if unknown
	// awaited is a request that is still under way; nil if there is none.
	awaited *awaited
	begun   bool // a request that failed may have started the statement
}

// awaited is a request whose caller no longer waits for the answer.
type awaited struct {
	outcome <-chan outcome
	stop    func() // cancels the request
}

// state is the state of a statement.
type state int

const (
	stateDone     state = iota // the result has arrived
	stateRunning               // the job runs
	stateFailed                // BigQuery has refused the statement, or its job has failed
	stateFaulted               // the job has failed by BigQuery's fault
	stateNotBegun              // the statement has certainly not started
	stateLost                  // the statement may have started, and its outcome is unknown
)
