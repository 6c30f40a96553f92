package driver

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	bq "google.golang.org/api/bigquery/v2"
	"google.golang.org/api/googleapi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Error is the error of a request that BigQuery refused, or of a job that failed. It wraps the
// *googleapi.Error. Errors of the sign-in are those of package auth instead. %+v adds the line of the
// statement and a caret:
//
//	bigqueryuser: Unrecognized name: prize; Did you mean price? at [2:3] (invalidQuery, job job_1)
//	  prize
//	  ^
type Error struct {
	Reason   Reason // BigQuery's reason, such as invalidQuery; "" if the answer has none
	Message  string // BigQuery's text, unchanged; the method Error cleans it
	Location string // place in the statement, "line:column"; "" if unknown
	JobID    string // id of the job; "" if there is none
	Project  string // the project that would be billed
	Account  string // with status 403, the account that was refused; "" if unknown
	Status   int    // the HTTP status
	err      error
	query    string // text of the statement, for %+v
}

// Error returns one line: BigQuery's text, the reason, the job and, where BigQuery does not say it, what
// to do. Characters that control a terminal or change the direction of text are removed.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("bigqueryuser: " + oneLine(e.Message))
	var about []string
	if e.Reason != "" {
		about = append(about, oneLine(string(e.Reason)))
	}
	if e.JobID != "" {
		about = append(about, "job "+oneLine(e.JobID))
	}
	if len(about) > 0 {
		b.WriteString(" (" + strings.Join(about, ", ") + ")")
	}
	if advice := e.advice(); advice != "" {
		b.WriteString(": " + advice)
	}
	return b.String()
}

// Unwrap returns the *googleapi.Error.
func (e *Error) Unwrap() error { return e.err }

// Is reports whether target is the reason of e, such as [ErrNotFound].
func (e *Error) Is(target error) bool {
	r, ok := target.(Reason)
	return ok && (r == e.Reason || r == ErrConcurrentUpdate && conflict.MatchString(e.Message))
}

// conflict matches BigQuery's messages about another statement that has changed the same table: in a
// transaction, and for DML outside of one.
var conflict = regexp.MustCompile(
	`aborted due to concurrent update|Could not serialize access to table .* due to concurrent update`,
)

// Reason is BigQuery's reason of an error, such as invalidQuery. It is an error itself, so that errors.Is
// compares it with the Reason of an [Error]. Besides the constants it can be any reason of the REST API,
// as in Reason("rateLimitExceeded").
type Reason string

// Error returns the reason after the name of this driver.
func (r Reason) Error() string { return "bigqueryuser: " + string(r) }

// The reasons that programs most often test for. Their texts are those of BigQuery's REST API, except
// that of ErrConcurrentUpdate.
const (
	// ErrAccessDenied means that the account lacks a permission. The message names the account, the
	// project and the permission.
	ErrAccessDenied Reason = "accessDenied"
	// ErrBillingNotEnabled means that the project has no billing account.
	ErrBillingNotEnabled Reason = "billingNotEnabled"
	// ErrBytesBilledLimit means that the statement would bill more than maximum_bytes_billed.
	ErrBytesBilledLimit Reason = "bytesBilledLimitExceeded"
	// ErrConcurrentUpdate means that another statement has changed the same table. The transaction, or
	// the statement outside of one, can be run again. BigQuery reports it by the message alone.
	ErrConcurrentUpdate Reason = "concurrentUpdate"
	// ErrDuplicate means that the table or dataset to be created already exists.
	ErrDuplicate Reason = "duplicate"
	// ErrInvalidQuery means that the statement or its data is wrong. Error.Location is the place.
	ErrInvalidQuery Reason = "invalidQuery"
	// ErrNotFound means that a table, dataset, project or job does not exist, or is in another location.
	ErrNotFound Reason = "notFound"
	// ErrQuotaExceeded means that a quota of the project or of the user is used up.
	ErrQuotaExceeded Reason = "quotaExceeded"
	// ErrResourcesExceeded means that the statement needs more resources than BigQuery gives one.
	ErrResourcesExceeded Reason = "resourcesExceeded"
	// ErrStopped means that the job was cancelled.
	ErrStopped Reason = "stopped"
)

var position = regexp.MustCompile(`\[(\d+:\d+)\]`)

// translate turns the error of a request into the caller's error. ref is the job, or nil. If ctx has
// ended, it returns the error of ctx; it leaves errors of the sign-in unchanged.
func translate(ctx context.Context, err error, project string, ref *bq.JobReference) error {
	if err == nil {
		return nil
	}
	if up, ok := errors.AsType[*gaveUp](err); ok {
		return &gaveUp{up.end, translate(ctx, up.last, project, ref)}
	}
	if ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
		return endOf(ctx)
	}
	if signIn, ok := errors.AsType[signInError](err); ok {
		return signIn.error
	}
	api, isAnswer := errors.AsType[*googleapi.Error](err)
	large, isLarge := errors.AsType[*largeRequestError](err)
	transport, isTransport := errors.AsType[*url.Error](err)
	switch {
	case isLarge && isAnswer:
		e := newError(api, project, ref)
		e.Message = large.Error()
		return e
	case isLarge:
		return fmt.Errorf("bigqueryuser: %w", large)
	case isAnswer:
		return newError(api, project, ref)
	case errors.Is(err, errClosed):
		return err
	case isTransport:
		err = transport.Err
	}
	switch {
	case strings.Contains(err.Error(), proxyRefusal):
		return fmt.Errorf("bigqueryuser: BigQuery can't be reached: %w: %s", err, proxyAdvice)
	case unreached(err) || lasting(err):
		return fmt.Errorf("bigqueryuser: BigQuery can't be reached: %w", cleanError{err})
	case isTransport:
		return fmt.Errorf("bigqueryuser: the connection to BigQuery broke: %w", cleanError{err})
	}
	return fmt.Errorf("bigqueryuser: %w", cleanError{err})
}

// newError returns the Error for an error answer of BigQuery.
func newError(api *googleapi.Error, project string, ref *bq.JobReference) *Error {
	e := &Error{Message: api.Message, Project: project, Status: api.Code, err: api}
	if len(api.Errors) > 0 {
		e.Reason = Reason(api.Errors[0].Reason)
	}
	if e.Message == "" {
		e.Message = fmt.Sprintf("BigQuery answered with HTTP status %d", api.Code)
	}
	if fromFrontEnd(api) && api.Body != "" {
		e.Message = fmt.Sprintf(
			"a server in front of BigQuery, such as a proxy, answered with HTTP status %d",
			api.Code,
		)
	}
	if m := position.FindAllStringSubmatch(e.Message, -1); m != nil {
		e.Location = m[len(m)-1][1]
	}
	if ref != nil {
		e.JobID = ref.JobId
	}
	return e
}

// storageReasons maps gRPC codes of the Storage Read API to reasons of the REST API.
var storageReasons = map[codes.Code]Reason{
	codes.PermissionDenied:   ErrAccessDenied,
	codes.NotFound:           ErrNotFound,
	codes.ResourceExhausted:  ErrQuotaExceeded,
	codes.FailedPrecondition: "invalid",
	codes.InvalidArgument:    "invalid",
	codes.Unavailable:        "backendError",
	codes.Internal:           "internalError",
}

// translateStorage is translate for the Storage Read API.
func translateStorage(ctx context.Context, err error, project string, ref *bq.JobReference) error {
	if ctx.Err() != nil {
		return endOf(ctx)
	}
	s, ok := status.FromError(err)
	if !ok {
		return translate(ctx, err, project, ref)
	}
	return &Error{
		Reason: storageReasons[s.Code()], Message: fmt.Sprintf("the Storage Read API: %s (%s)", s.Message(), s.Code()),
		JobID: ref.JobId, Project: project, err: err,
	}
}
