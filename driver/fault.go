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

// ErrClosed means that a statement, a connection or a database was used after it had been closed. That of a database matches
// auth.ErrClosed too. Most such uses are found by database/sql, whose errors are its own: sql.ErrConnDone, sql.ErrTxDone and
// texts.
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

// fault is what the error of one request means for sending it again.
type fault int

const (
	faultRefused  fault = iota // the service's word on what was asked
	faultNotBegun              // passing: the service is busy or was not reached, and has done nothing
	faultBroken                // passing: the answer was lost, and the service may have done what was asked
	faultJob                   // the job failed by BigQuery's fault: under its own id it stays failed
	faultToken                 // the access token was refused
	faultEnd                   // no request can succeed: a certificate, the sign-in, a closed connector
)

// passing reports whether the same request can succeed a moment later.
func (f fault) passing() bool { return f == faultNotBegun || f == faultBroken }

// The reasons of passing faults. backendError and internalError can also be those of a job.
var (
	busyReasons    = []string{"rateLimitExceeded", "userRateLimitExceeded"}
	serviceReasons = []string{"backendError", "internalError"}
	jobReasons     = []string{"jobBackendError", "jobInternalError", "jobRateLimitExceeded"}
)

// protocolError is an answer that came whole and does not have what it must have. Asking again
// gives the same.
type protocolError string

func (e protocolError) Error() string { return string(e) }

// faultOf says what an error means. Errors of the network are passing unless they are known to
// stay: a list of those that pass would never be complete. The end of a context is the caller's to
// see.
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

// faultOfAnswer says what an answer means that is an error.
func faultOfAnswer(api *googleapi.Error) fault {
	switch {
	case hasReason(api, jobReasons):
		return faultJob
	case api.Code == http.StatusUnauthorized:
		return faultToken
	case api.Code == http.StatusTooManyRequests, hasReason(api, busyReasons):
		return faultNotBegun
	case api.Code >= http.StatusInternalServerError,
		api.Code == http.StatusRequestTimeout,
		hasReason(api, serviceReasons):
		return faultBroken
	case api.Code < http.StatusBadRequest, // a redirect, which is not followed
		api.Code == http.StatusRequestEntityTooLarge, api.Code == http.StatusProxyAuthRequired:
		return faultRefused
	case fromFrontEnd(api):
		return faultBroken
	}
	return faultRefused
}

// fromFrontEnd reports whether an error is the word of something in front of BigQuery, such as a
// proxy: BigQuery's own errors are JSON with a message.
func fromFrontEnd(api *googleapi.Error) bool { return api.Message == "" && len(api.Errors) == 0 }

// isFrontEnd is fromFrontEnd for any error.
func isFrontEnd(err error) bool {
	var api *googleapi.Error
	return errors.As(err, &api) && fromFrontEnd(api)
}

// statusOf returns the HTTP status of an error that is an answer, else 0.
func statusOf(err error) int {
	var api *googleapi.Error
	if errors.As(err, &api) {
		return api.Code
	}
	return 0
}

// sameReason reports whether two answers are errors for the same reason.
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

// lasting reports whether no request can succeed after this error.
func lasting(err error) bool {
	var signIn signInError
	var verification *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	var hostname x509.HostnameError
	var invalid x509.CertificateInvalidError
	var record tls.RecordHeaderError
	var address *net.AddrError
	return errors.Is(err, errClosed) || errors.As(err, &signIn) || errors.As(err, &verification) ||
		errors.As(
			err,
			&authority,
		) || errors.As(err, &hostname) || errors.As(err, &invalid) || errors.As(err, &record) ||
		errors.As(err, &address) || errors.Is(err, http.ErrSchemeMismatch) ||
		strings.Contains(err.Error(), "unsupported protocol scheme")
}

// unreached reports whether the error came before a connection was there.
func unreached(err error) bool {
	var op *net.OpError
	var dns *net.DNSError
	return errors.As(err, &op) && (op.Op == "dial" || op.Op == "proxyconnect") || errors.As(err, &dns) ||
		strings.Contains(err.Error(), "TLS handshake timeout") // net/http has no type for it
}
