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

// Error is BigQuery's refusal of a request or the failure of a job. errors.As also reaches the
// *googleapi.Error under it. %+v shows the place in the statement that it is about. Errors of the
// sign-in are those of package auth instead.
type Error struct {
	Reason   Reason // BigQuery's word for it, such as invalidQuery; "" if the answer has none
	Message  string // BigQuery's text, as it came; Error cleans it
	Location string // where in the statement, "line:column"; "" if the message does not say
	JobID    string // "" if there is no job
	Project  string // the project that was to be billed
	Account  string // who was refused, with status 403; "" if neither the sign-in nor BigQuery can tell
	Status   int    // the HTTP status
	err      error
	query    string // the statement's text, for %+v
}

// Error returns one line: BigQuery's text, without characters that control a terminal or change the
// direction of text, the reason, the job, and what to do where BigQuery leaves that open.
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

// Is matches the exported reasons.
func (e *Error) Is(target error) bool {
	r, ok := target.(Reason)
	return ok && (r == e.Reason || r == ErrConcurrentUpdate && conflict.MatchString(e.Message))
}

// conflict is how BigQuery says that another statement has changed the same table: to a
// transaction, and to DML outside of one.
var conflict = regexp.MustCompile(
	`aborted due to concurrent update|Could not serialize access to table .* due to concurrent update`,
)

// Reason is BigQuery's word for what went wrong, such as invalidQuery. It is an error, so that errors.Is compares it with the
// Reason of an [Error]: the constants, and Reason("rateLimitExceeded") or any other word of the REST API as well.
type Reason string

// Error returns the word after the name of this driver.
func (r Reason) Error() string { return "bigqueryuser: " + string(r) }

// The reasons that programs ask for. Their texts are those of BigQuery's REST API, but for ErrConcurrentUpdate.
const (
	ErrAccessDenied      Reason = "accessDenied"             // a permission is missing; the message says whose, where and which
	ErrBillingNotEnabled Reason = "billingNotEnabled"        // the project pays for nothing
	ErrBytesBilledLimit  Reason = "bytesBilledLimitExceeded" // it would bill more than maximum_bytes_billed
	ErrConcurrentUpdate  Reason = "concurrentUpdate"         // another statement has changed the same table; known by the message
	ErrDuplicate         Reason = "duplicate"                // what is to be made is there already
	ErrInvalidQuery      Reason = "invalidQuery"             // the statement is wrong, or its data: Error.Location says where
	ErrNotFound          Reason = "notFound"                 // a table, a dataset, a project, a job, or it is in another location
	ErrQuotaExceeded     Reason = "quotaExceeded"            // a quota of the project or of the user
	ErrResourcesExceeded Reason = "resourcesExceeded"        // the statement is too big for BigQuery
	ErrStopped           Reason = "stopped"                  // the job was cancelled
)

var position = regexp.MustCompile(`\[(\d+:\d+)\]`)

// translate makes the caller's error of that of a request. ref is the job that it is about, nil if
// there is none. The end of ctx is told as ctx tells it, and errors of the sign-in are left as
// package auth made them.
func translate(ctx context.Context, err error, project string, ref *bq.JobReference) error {
	if err == nil {
		return nil
	}
	if up := (*gaveUp)(nil); errors.As(err, &up) {
		return &gaveUp{up.end, translate(ctx, up.last, project, ref)}
	}
	if ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
		return endOf(ctx)
	}
	var api *googleapi.Error
	var signIn signInError
	var transport *url.Error
	var large *largeRequestError
	switch {
	case errors.As(err, &signIn):
		return signIn.error
	case errors.As(err, &large) && errors.As(err, &api):
		e := newError(api, project, ref)
		e.Message = large.Error()
		return e
	case errors.As(err, &large):
		return fmt.Errorf("bigqueryuser: %w", large)
	case errors.As(err, &api):
		return newError(api, project, ref)
	case errors.Is(err, errClosed):
		return err
	case errors.As(err, &transport):
		err = transport.Err
	}
	switch {
	case unreached(err) || lasting(err):
		return fmt.Errorf("bigqueryuser: BigQuery can't be reached: %w", cleanError{err})
	case transport != nil:
		return fmt.Errorf("bigqueryuser: the connection to BigQuery broke: %w", cleanError{err})
	}
	return fmt.Errorf("bigqueryuser: %w", cleanError{err})
}

// newError makes an Error of an answer that is one.
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

// storageReasons are BigQuery's words for what the Storage Read API says by codes.
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
