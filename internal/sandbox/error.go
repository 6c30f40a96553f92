package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// apiError is an error in BigQuery's words. It travels as the body of an HTTP
// answer, or as the errorResult of a job.
type apiError struct {
	code    int // HTTP status
	reason  string
	message string
	// location and locationType say what the error is about, such as "q" and "parameter".
	location, locationType string
	authenticate           string // WWW-Authenticate
}

func (e *apiError) Error() string { return fmt.Sprintf("%s: %s", e.reason, e.message) }

// reasonCode is the HTTP status of each reason
// (https://cloud.google.com/bigquery/docs/error-messages).
var reasonCode = map[string]int{
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
	// jobs.get answers 200 for a job that was stopped; asking for its rows is
	// answered with the status that Google's front end has for "client closed request".
	"stopped": 499,
	"timeout": http.StatusBadRequest,
}

// errorf makes an error of one of BigQuery's reasons.
func errorf(reason, format string, args ...any) *apiError {
	return &apiError{code: reasonCode[reason], reason: reason, message: fmt.Sprintf(format, args...)}
}

// unsupported says that BigQuery can do something and the sandbox can't.
func unsupported(what string) *apiError {
	return errorf("invalid", "The sandbox does not support %s.", what)
}

// broken says that the sandbox itself is wrong. It is not BigQuery's internalError:
// clients would try that again, and again.
func broken(format string, args ...any) *apiError {
	return errorf("invalid", "The sandbox has failed, which is a defect of its own: "+format+".", args...)
}

func notFound(kind, name, location string) *apiError {
	if location == "" {
		return errorf("notFound", "Not found: %s %s", kind, name)
	}
	return errorf("notFound", "Not found: %s %s was not found in location %s", kind, name, location)
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

// write sends the error as the answer.
func (e *apiError) write(w http.ResponseWriter) {
	item := errorItem{Message: e.message, Domain: "global", Reason: e.reason, Location: e.location,
		LocationType: e.locationType}
	if e.reason == "invalidQuery" && item.Location == "" {
		item.Location, item.LocationType = "q", "parameter"
	}
	if e.authenticate != "" {
		w.Header().Set("WWW-Authenticate", e.authenticate)
	}
	body, _ := json.Marshal(struct { // strings always marshal
		Error errorBody `json:"error"`
	}{errorBody{Code: e.code, Message: e.message, Errors: []errorItem{item}, Status: statusNames[e.code]}})
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(e.code)
	_, _ = w.Write(body) // the client may be gone
}

// errorProto is an error inside of a job.
type errorProto struct {
	Reason   string `json:"reason"`
	Location string `json:"location,omitempty"`
	Message  string `json:"message"`
}

func (e *apiError) proto() *errorProto {
	p := &errorProto{Reason: e.reason, Location: e.location, Message: e.message}
	if e.reason == "invalidQuery" {
		p.Location = "query"
	}
	return p
}
