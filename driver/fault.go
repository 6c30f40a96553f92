package driver

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"

	"google.golang.org/api/googleapi"

	"github.com/bigqueryuser/bigqueryuser/auth"
)

// ErrClosed means that a statement, a connection or a database was used after it was closed. The
// error of a closed database also matches auth.ErrClosed. database/sql finds most such uses first
// and returns its own errors, such as sql.ErrConnDone and sql.ErrTxDone.
var ErrClosed = errors.New("bigqueryuser: closed")

// closedError is an ErrClosed that names the closed object.
type closedError struct {
	what string
	also error
}

func (e *closedError) Error() string { return "bigqueryuser: the " + e.what + " is closed" }

func (e *closedError) Is(target error) bool { return target == ErrClosed }

func (e *closedError) Unwrap() error { return e.also }

var (
	errClosed     error = &closedError{"connector", auth.ErrClosed}
	errConnClosed error = &closedError{"connection", nil}
	errStmtClosed error = &closedError{"statement", nil}
)

// fault classifies the error of a request by whether it may be sent again.
type fault int

const (
	faultRefused  fault = iota // BigQuery has refused the request
	faultNotBegun              // temporary: BigQuery is busy or was not reached, and has done nothing
	faultBroken                // temporary: the answer was lost, and BigQuery may have run the request
	faultJob                   // the job failed by BigQuery's fault; under the same id it stays failed
	faultToken                 // the access token was refused
	faultEnd                   // no request can succeed: a certificate, the sign-in, a closed connector
)

// passing reports whether the fault is temporary, so that the same request can succeed later.
func (f fault) passing() bool { return f == faultNotBegun || f == faultBroken }

// The reasons of temporary faults. Jobs can have backendError and internalError too.
var (
	busyReasons    = []string{"rateLimitExceeded", "userRateLimitExceeded"}
	quotaReasons   = []string{"quotaExceeded"}
	serviceReasons = []string{"backendError", "internalError"}
	jobReasons     = []string{"jobBackendError", "jobInternalError", "jobRateLimitExceeded"}
)

// ofQuota reports whether BigQuery has refused a request because there were too many.
func ofQuota(err error) bool {
	var api *googleapi.Error
	return errors.As(err, &api) && (api.Code == http.StatusTooManyRequests || hasReason(api, busyReasons) ||
		hasReason(api, quotaReasons))
}

// protocolError is the error of an answer that arrived complete but lacks a required field. Sending the
// request again would not help.
type protocolError string

func (e protocolError) Error() string { return string(e) }

// faultOf classifies an error. Errors of the network count as temporary unless they are known to be
// permanent, because a list of the temporary ones would never be complete. The caller checks its context.
func faultOf(err error) fault {
	api, isAnswer := errors.AsType[*googleapi.Error](err)
	switch {
	case isA[*largeRequestError](err):
		return faultRefused
	case isAnswer:
		return faultOfAnswer(api)
	case isA[protocolError](err), isA[*tooLargeError](err):
		return faultRefused
	case lasting(err):
		return faultEnd
	case unreached(err), errors.Is(err, errUnprocessed):
		return faultNotBegun
	}
	return faultBroken
}

// faultOfAnswer classifies an error answer.
func faultOfAnswer(api *googleapi.Error) fault {
	switch {
	case hasReason(api, jobReasons):
		return faultJob
	case api.Code == http.StatusUnauthorized:
		return faultToken
	case api.Code == http.StatusTooManyRequests, hasReason(api, busyReasons):
		return faultNotBegun
	case api.Code < http.StatusBadRequest, // a redirect, which is not followed
		api.Code == http.StatusNotImplemented,
		api.Code == http.StatusRequestEntityTooLarge, api.Code == http.StatusProxyAuthRequired:
		return faultRefused
	case api.Code >= http.StatusInternalServerError,
		api.Code == http.StatusRequestTimeout,
		hasReason(api, serviceReasons):
		return faultBroken
	case fromFrontEnd(api):
		return faultBroken
	}
	return faultRefused
}

// fromFrontEnd reports whether an error comes from a server in front of BigQuery, such as a proxy.
// BigQuery's own errors are JSON with a message.
func fromFrontEnd(api *googleapi.Error) bool { return api.Message == "" && len(api.Errors) == 0 }

// isFrontEnd reports whether an error is an answer from a server in front of BigQuery.
func isFrontEnd(err error) bool {
	api, ok := errors.AsType[*googleapi.Error](err)
	return ok && fromFrontEnd(api)
}

// statusOf returns the HTTP status of an error answer; 0 for other errors.
func statusOf(err error) int {
	if api, ok := errors.AsType[*googleapi.Error](err); ok {
		return api.Code
	}
	return 0
}

// sameReason reports whether two error answers have the same reason.
func sameReason(a, b error) bool {
	x, ok := errors.AsType[*googleapi.Error](a)
	y, ok2 := errors.AsType[*googleapi.Error](b)
	return ok && ok2 && len(x.Errors) > 0 && len(y.Errors) > 0 &&
		x.Errors[0].Reason == y.Errors[0].Reason
}

func hasReason(api *googleapi.Error, reasons []string) bool {
	return slices.ContainsFunc(
		api.Errors,
		func(e googleapi.ErrorItem) bool { return slices.Contains(reasons, e.Reason) },
	)
}

// lasting reports whether an error is permanent for all requests.
func lasting(err error) bool {
	if signIn, ok := errors.AsType[signInError](err); ok {
		return !isTemporary(signIn.error)
	}
	switch {
	case errors.Is(err, errClosed), errors.Is(err, http.ErrSchemeMismatch), isA[*net.AddrError](err):
		return true
	case isA[*tls.CertificateVerificationError](err), isA[x509.UnknownAuthorityError](err),
		isA[x509.HostnameError](err), isA[x509.CertificateInvalidError](err), isA[tls.RecordHeaderError](err):
		return true
	}
	text := err.Error()
	return strings.Contains(text, proxyRefusal) || strings.Contains(text, "unsupported protocol scheme")
}

// isA reports whether an error in err's tree has the type E.
func isA[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// proxyRefusal is net/http's text if a proxy asks for a password before it connects. It has no
// error type.
const proxyRefusal = "Proxy Authentication Required"

// isTemporary reports whether an error of the sign-in is temporary, for example because its server
// is busy.
func isTemporary(err error) bool {
	t, ok := errors.AsType[interface {
		error
		Temporary() bool
	}](err)
	return ok && t.Temporary()
}

// unreached reports whether an error occurred before a connection was established.
func unreached(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && (op.Op == "dial" || op.Op == "proxyconnect") ||
		isA[*net.DNSError](err) || isA[*unsentError](err) || isA[signInError](err) ||
		strings.Contains(err.Error(), "TLS handshake timeout") // net/http has no error type for it
}
