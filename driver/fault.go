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

// ErrClosed means that a statement, a connection or a database was used after it had been closed.
// That of a database matches auth.ErrClosed too. Most such uses are found by database/sql, whose
// errors are its own: sql.ErrConnDone, sql.ErrTxDone and texts.
var ErrClosed = errors.New("bigqueryuser: closed")

// closedError is an ErrClosed that says what is closed.
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
	serviceReasons = []string{"backendError", "internalError"}
	jobReasons     = []string{"jobBackendError", "jobInternalError", "jobRateLimitExceeded"}
)

// protocolError is the error of an answer that arrived complete but lacks a required field. Sending the
// request again would not help.
type protocolError string

func (e protocolError) Error() string { return string(e) }

// faultOf classifies an error. Errors of the network count as temporary unless they are known to be
// permanent, because a list of the temporary ones would never be complete. The caller checks its context.
func faultOf(err error) fault {
	var api *googleapi.Error
	var wrong protocolError
	var tooLarge *tooLargeError
	var large *largeRequestError
	switch {
	case errors.As(err, &large):
		return faultRefused
	case errors.As(err, &api):
		return faultOfAnswer(api)
	case errors.As(err, &wrong), errors.As(err, &tooLarge):
		return faultRefused
	case lasting(err):
		return faultEnd
	case unreached(err):
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
	var api *googleapi.Error
	return errors.As(err, &api) && fromFrontEnd(api)
}

// statusOf returns the HTTP status of an error answer; 0 for other errors.
func statusOf(err error) int {
	var api *googleapi.Error
	if errors.As(err, &api) {
		return api.Code
	}
	return 0
}

// sameReason reports whether two error answers have the same reason.
func sameReason(a, b error) bool {
	var x, y *googleapi.Error
	return errors.As(a, &x) && errors.As(b, &y) && len(x.Errors) > 0 && len(y.Errors) > 0 &&
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
	var signIn signInError
	var verification *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	var hostname x509.HostnameError
	var invalid x509.CertificateInvalidError
	var record tls.RecordHeaderError
	var address *net.AddrError
	if errors.As(err, &signIn) {
		return !isTemporary(signIn.error)
	}
	return errors.Is(err, errClosed) || errors.As(err, &verification) || strings.Contains(err.Error(), proxyRefusal) ||
		errors.As(
			err,
			&authority,
		) || errors.As(err, &hostname) || errors.As(err, &invalid) || errors.As(err, &record) ||
		errors.As(err, &address) || errors.Is(err, http.ErrSchemeMismatch) ||
		strings.Contains(err.Error(), "unsupported protocol scheme")
}

// proxyRefusal is what net/http says when a proxy asks for a password before it connects. It has no type for it.
const proxyRefusal = "Proxy Authentication Required"

// isTemporary reports whether an error of the sign-in says that it will pass, as when its server is busy.
func isTemporary(err error) bool {
	var t interface{ Temporary() bool }
	return errors.As(err, &t) && t.Temporary()
}

// unreached reports whether an error occurred before a connection was established.
func unreached(err error) bool {
	var op *net.OpError
	var dns *net.DNSError
	var unsent *unsentError
	var signIn signInError
	return errors.As(err, &op) && (op.Op == "dial" || op.Op == "proxyconnect") || errors.As(err, &dns) ||
		errors.As(err, &unsent) || errors.As(err, &signIn) ||
		strings.Contains(err.Error(), "TLS handshake timeout") // net/http has no type for it
}
