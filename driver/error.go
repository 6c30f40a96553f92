package driver

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	bq "google.golang.org/api/bigquery/v2"
	"google.golang.org/api/googleapi"

	"github.com/bigqueryuser/bigqueryuser/auth"
)

// Error is BigQuery's refusal of a request or the failure of a job. errors.As also reaches
// the *googleapi.Error under it. %+v shows the place in the statement that it is about. Errors of the sign-in are those
// of package auth instead.
type Error struct {
	Reason   string // BigQuery's word for it, such as invalidQuery; "" if the answer has none
	Message  string // BigQuery's text
	Location string // where in the statement, "line:column"; "" if the message does not say
	JobID    string // "" if there is no job
	Project  string // the project that was to be billed
	Account  string // who was refused, with status 403; "" if neither the sign-in nor BigQuery can tell
	Status   int    // the HTTP status
	err      error
	query    string // the statement's text, for %+v
}

// Error returns one line: BigQuery's text, the reason, the job, and what to do where BigQuery leaves that open.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("bigqueryuser: " + e.Message)
	var about []string
	if e.Reason != "" {
		about = append(about, e.Reason)
	}
	if e.JobID != "" {
		about = append(about, "job "+e.JobID)
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
	r, ok := target.(reason)
	return ok && (string(r) == e.Reason || r == ErrConcurrentUpdate && strings.Contains(e.Message, "aborted due to concurrent update"))
}

// advice says what to do where BigQuery's own text leaves it open.
func (e *Error) advice() string {
	switch e.Reason {
	case "accessDenied":
		return e.access()
	case "insufficientPermissions":
		return "the sign-in does not cover this: add what is missing to scopes in the DSN"
	case "accessNotConfigured":
		return "enable the BigQuery API in the project of the client secrets, or name one that has it with quota_project"
	case "billingNotEnabled":
		return fmt.Sprintf("enable billing for project %s, or name another in the DSN", e.Project)
	}
	if e.Status == http.StatusUnauthorized {
		return "the sign-in was refused: connect again"
	}
	return ""
}

var permission = regexp.MustCompile(`\bbigquery\.\w+\.\w+`)

// access says who needs what, where a permission is missing.
func (e *Error) access() string {
	who := "the signed-in account"
	if e.Account != "" {
		who = e.Account
	}
	needed := permission.FindString(e.Message)
	switch {
	case strings.Contains(e.Message, "Drive credentials"):
		return fmt.Sprintf("add scopes=bigquery,drive.readonly to the DSN, and have the file shared with %s", who)
	case needed != "" && needed != "bigquery.jobs.create":
		return fmt.Sprintf("%s needs the permission %s there; the statement ran in project %s", who, needed, e.Project)
	}
	return fmt.Sprintf("%s needs the role BigQuery Job User (bigquery.jobs.create) in project %s, and read access to the tables", who, e.Project)
}

// reason is a sentinel that errors.Is compares with an Error's reason.
type reason string

func (r reason) Error() string { return "bigqueryuser: " + string(r) }

// Reasons of an *Error, for errors.Is. Their texts are those of BigQuery's REST API, but for
// ErrConcurrentUpdate. Reasons that are not here are compared as text, with Error.Reason.
const (
	ErrAccessDenied      = reason("accessDenied")             // a permission is missing; the message says whose, where and which
	ErrBillingNotEnabled = reason("billingNotEnabled")        // the project pays for nothing
	ErrBytesBilledLimit  = reason("bytesBilledLimitExceeded") // it would bill more than maximum_bytes_billed
	ErrConcurrentUpdate  = reason("concurrentUpdate")         // of a transaction; known by its message, for BigQuery has no reason of its own
	ErrDuplicate         = reason("duplicate")                // what is to be made is there already
	ErrInvalidQuery      = reason("invalidQuery")             // the statement is wrong, or its data: Error.Location says where
	ErrNotFound          = reason("notFound")                 // a table, a dataset, a project, a job, or it is in another location
	ErrQuotaExceeded     = reason("quotaExceeded")            // a quota of the project or of the person
	ErrResourcesExceeded = reason("resourcesExceeded")        // the statement is too big for BigQuery
	ErrStopped           = reason("stopped")                  // the job was cancelled
)

// ErrCommitUnknown is in the error of an sql.Tx.Commit whose answer was lost, or not waited for since the
// context of BeginTx has ended: the transaction may have been committed, or it may not. What it has changed tells.
var ErrCommitUnknown = errors.New("bigqueryuser: it is not known whether the transaction was committed")

// signInError marks what came from the token source, however deep the HTTP client wraps it.
type signInError struct{ error }

func (e signInError) Unwrap() error { return e.error }

var position = regexp.MustCompile(`\[(\d+:\d+)\]`)

// failed is the one place where an error of a request becomes the caller's error. The end of
// ctx is told as ctx tells it, sign-in errors are left as auth made them.
func (c *Conn) failed(ctx context.Context, err error, ref *bq.JobReference) error {
	if err == nil {
		return nil
	}
	if up := (*gaveUp)(nil); errors.As(err, &up) {
		return &gaveUp{up.end, c.failed(ctx, up.last, ref)}
	}
	if ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
		return ctx.Err()
	}
	var signIn signInError
	if errors.As(err, &signIn) {
		c.bad = c.bad || errors.Is(err, auth.ErrConsentRequired)
		return signIn.error
	}
	var api *googleapi.Error
	if errors.As(err, &api) {
		return c.refusal(ctx, api, ref)
	}
	var transport *url.Error
	if errors.As(err, &transport) {
		return fmt.Errorf("bigqueryuser: BigQuery can't be reached: %w", transport.Err)
	}
	if errors.Is(err, errClosed) {
		return err
	}
	return fmt.Errorf("bigqueryuser: %w", err)
}

func (c *Conn) refusal(ctx context.Context, api *googleapi.Error, ref *bq.JobReference) *Error {
	e := &Error{Message: api.Message, Project: c.connector.cfg.Project, Status: api.Code, err: api}
	if len(api.Errors) > 0 {
		e.Reason = api.Errors[0].Reason
	}
	if e.Message == "" {
		e.Message = fmt.Sprintf("BigQuery answered with HTTP status %d", api.Code)
	}
	if m := position.FindAllStringSubmatch(e.Message, -1); m != nil {
		e.Location = m[len(m)-1][1]
	}
	if ref != nil {
		e.JobID = ref.JobId
	}
	if lost(e) {
		c.session, c.bad = nil, true
	}
	switch api.Code {
	case http.StatusUnauthorized:
		c.bad = true
	case http.StatusForbidden:
		e.Account = c.account(ctx, e)
	}
	return e
}
