// Package apierror has the errors of the API: a reason with its HTTP status, as the body of an
// answer and as the errorResult of a job. It also translates DuckDB's errors to BigQuery's. It
// knows neither tables nor jobs, and all packages above it use it.
package apierror

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// Error is an error of the API. It is sent as the body of an HTTP answer, or as
// the errorResult of a job.
type Error struct {
	code    int // HTTP status
	Reason  string
	Message string
	// Location and LocationType say what the error is about, such as "q" and "parameter".
	Location, LocationType string
	Authenticate           string // WWW-Authenticate
}

func (e *Error) Error() string { return fmt.Sprintf("%s: %s", e.Reason, e.Message) }

// Codes has the HTTP status of each reason
// (https://cloud.google.com/bigquery/docs/error-messages).
var Codes = map[string]int{
	"accessDenied":             http.StatusForbidden,
	"authError":                http.StatusUnauthorized,
	"backendError":             http.StatusServiceUnavailable,
	"bytesBilledLimitExceeded": http.StatusBadRequest,
	"conditionNotMet":          http.StatusPreconditionFailed,
	"duplicate":                http.StatusConflict,
	"insufficientPermissions":  http.StatusForbidden,
	"invalid":                  http.StatusBadRequest,
	"invalidQuery":             http.StatusBadRequest,
	"notFound":                 http.StatusNotFound,
	"parseError":               http.StatusBadRequest,
	"required":                 http.StatusBadRequest,
	"resourceInUse":            http.StatusBadRequest,
	"resourcesExceeded":        http.StatusBadRequest,
	"responseTooLarge":         http.StatusForbidden,
	// jobs.get answers 200 for a stopped job. A request for its rows gets the status
	// that Google's front end uses for "client closed request".
	"stopped": 499,
	"timeout": http.StatusBadRequest,
}

// Errorf returns an error with one of BigQuery's reasons.
func Errorf(reason, format string, args ...any) *Error {
	return &Error{code: Codes[reason], Reason: reason, Message: fmt.Sprintf(format, args...)}
}

// Unsupported returns the error for something that BigQuery can do and the
// sandbox can't.
func Unsupported(what string) *Error {
	return Errorf("invalid", "The sandbox does not support %s.", what)
}

// Broken returns the error for a bug of the sandbox. It is not BigQuery's
// internalError, because clients would repeat the request.
func Broken(format string, args ...any) *Error {
	return Errorf("invalid", "The sandbox has failed, which is a defect of its own: "+format+".", args...)
}

// NotFound returns the error for a resource that does not exist, in a location
// if one is known.
func NotFound(kind, name, location string) *Error {
	if location == "" {
		return Errorf("notFound", "Not found: %s %s", kind, name)
	}
	return Errorf("notFound", "Not found: %s %s was not found in location %s", kind, name, location)
}

// statusNames are the names of google.rpc.Code that go with HTTP statuses.
var statusNames = map[int]string{
	http.StatusBadRequest:          "INVALID_ARGUMENT",
	http.StatusUnauthorized:        "UNAUTHENTICATED",
	http.StatusForbidden:           "PERMISSION_DENIED",
	http.StatusNotFound:            "NOT_FOUND",
	http.StatusConflict:            "ALREADY_EXISTS",
	http.StatusPreconditionFailed:  "FAILED_PRECONDITION",
	499:                            "CANCELLED",
	http.StatusInternalServerError: "INTERNAL",
	http.StatusServiceUnavailable:  "UNAVAILABLE",
}

// StatusName returns the name of the error's code in google.rpc.Code.
func (e *Error) StatusName() string { return statusNames[e.code] }

type errorItem struct {
	Message      string `json:"message"`
	Domain       string `json:"domain"`
	Reason       string `json:"reason"`
	Location     string `json:"location,omitempty"`
	LocationType string `json:"locationType,omitempty"`
}

type errorBody struct {
	Code    int         `json:"code"`
	Message string      `json:"message"`
	Errors  []errorItem `json:"errors"`
	Status  string      `json:"status,omitempty"`
}

// Write sends the error as the answer.
func (e *Error) Write(w http.ResponseWriter) {
	item := errorItem{Message: e.Message, Domain: "global", Reason: e.Reason, Location: e.Location,
		LocationType: e.LocationType}
	if e.Reason == "invalidQuery" && item.Location == "" {
		item.Location, item.LocationType = "q", "parameter"
	}
	if e.Authenticate != "" {
		w.Header().Set("WWW-Authenticate", e.Authenticate)
	}
	body, _ := json.Marshal(struct { // strings always marshal
		Error errorBody `json:"error"`
	}{errorBody{Code: e.code, Message: e.Message, Errors: []errorItem{item}, Status: e.StatusName()}})
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(e.code)
	_, _ = w.Write(body) // the client may be gone
}

// Proto is an error inside of a job.
type Proto struct {
	Reason   string `json:"reason"`
	Location string `json:"location,omitempty"`
	Message  string `json:"message"`
}

// Proto returns the error as a job reports it.
func (e *Error) Proto() *Proto {
	p := &Proto{Reason: e.Reason, Location: e.Location, Message: e.Message}
	if e.Reason == "invalidQuery" {
		p.Location = "query"
	}
	return p
}
