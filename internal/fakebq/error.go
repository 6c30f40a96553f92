package fakebq

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
)

// Error is an error of BigQuery.
type Error struct {
	// Reason is a reason of BigQuery, such as invalidQuery.
	Reason string
	// Message is the text; "" means the reason.
	Message string
	// Status is the HTTP status; 0 means the service's status for Reason.
	Status int
	// Location is the place of the error: "q" or "query" for statements, or a table.
	Location string
	// DebugInfo is for the service's internal use and never shown to clients.
	DebugInfo string

	locationType string
	challenge    string // WWW-Authenticate of a 401
}

// Unauthenticated returns the 401 for a request without an access token, or with an invalid one.
// They differ.
func Unauthenticated(withToken bool) *Error {
	const rest = "Expected OAuth 2 access token, login cookie or other valid authentication credential. " +
		"See https://developers.google.com/identity/sign-in/web/devconsole-project."
	e := &Error{Status: http.StatusUnauthorized, Reason: "required", Location: "Authorization", locationType: "header",
		Message:   "Request is missing required authentication credential. " + rest,
		challenge: `Bearer realm="https://accounts.google.com/"`}
	if withToken {
		e.Reason, e.challenge = "authError", ""
		e.Message = "Request had invalid authentication credentials. " + rest
	}
	return e
}

// statusOf has the HTTP status of the reasons that BigQuery documents, and of those of Google's API front end
// (insufficientPermissions for a token without the scope, parseError for a body that is not JSON).
var statusOf = map[string]int{
	"accessDenied":             403,
	"authError":                401,
	"backendError":             503,
	"billingNotEnabled":        403,
	"blocked":                  403,
	"bytesBilledLimitExceeded": 400,
	"conditionNotMet":          412,
	"duplicate":                409,
	"insufficientPermissions":  403,
	"internalError":            500,
	"invalid":                  400,
	"invalidQuery":             400,
	"invalidUser":              400,
	"jobBackendError":          400,
	"jobInternalError":         400,
	"jobRateLimitExceeded":     400,
	"notFound":                 404,
	"notImplemented":           501,
	"parseError":               400,
	"quotaExceeded":            403,
	"rateLimitExceeded":        403,
	"required":                 400,
	"resourceInUse":            400,
	"resourcesExceeded":        400,
	"responseTooLarge":         403,
	"stopped":                  499,
	"tableUnavailable":         400,
	"timeout":                  400,
}

// Reasons returns the reasons that errors of the service can have.
func Reasons() []string { return slices.Sorted(maps.Keys(statusOf)) }

// rpcStatus has the canonical name that goes with an HTTP status.
var rpcStatus = map[int]string{
	400: "INVALID_ARGUMENT",
	401: "UNAUTHENTICATED",
	403: "PERMISSION_DENIED",
	404: "NOT_FOUND",
	409: "ALREADY_EXISTS",
	412: "FAILED_PRECONDITION",
	429: "RESOURCE_EXHAUSTED",
	499: "CANCELLED",
	500: "INTERNAL",
	501: "UNIMPLEMENTED",
	502: "UNAVAILABLE",
	503: "UNAVAILABLE",
	504: "DEADLINE_EXCEEDED",
}

// Error makes *Error an error, for tests that compare.
func (e *Error) Error() string { return e.Reason + ": " + e.text() }

func (e *Error) text() string { return cmp.Or(e.Message, e.Reason) }

// status returns the HTTP status of the error.
func (e *Error) status() int {
	return cmp.Or(e.Status, statusOf[e.Reason], http.StatusBadRequest)
}

// ofStatement reports whether the error is about the statement, so that there is a failed job, and
// not about the request.
func (e *Error) ofStatement() bool {
	return slices.Contains([]string{"invalidQuery", "notFound", "accessDenied", "duplicate"}, e.Reason)
}

// errorItem is an element of error.errors.
type errorItem struct {
	Message      string `json:"message"`
	Domain       string `json:"domain"`
	Reason       string `json:"reason"`
	Location     string `json:"location,omitempty"`
	LocationType string `json:"locationType,omitempty"`
	DebugInfo    string `json:"debugInfo,omitempty"`
}

// body returns the error as the answer to a request.
func (e *Error) body() *message {
	type inner struct {
		Code    int         `json:"code"`
		Message string      `json:"message"`
		Errors  []errorItem `json:"errors"`
		Status  string      `json:"status,omitempty"`
	}
	locationType := e.locationType
	if e.Location != "" && locationType == "" {
		locationType = "parameter"
	}
	text, err := json.Marshal(inner{
		Code: e.status(), Message: e.text(), Status: rpcStatus[e.status()],
		Errors: []errorItem{{e.text(), "global", e.Reason, e.Location, locationType, e.DebugInfo}},
	})
	if err != nil {
		text = []byte("null") // strings and numbers always marshal
	}
	m := &message{status: e.status()}
	m.before.raw("error", text)
	if m.status == http.StatusUnauthorized {
		m.header = http.Header{"Www-Authenticate": {e.challenge}}
	}
	return m
}

// HTTP returns the answer, for proxies that send it instead of the service.
func (e *Error) HTTP() (status int, header http.Header, body []byte) {
	m := e.body()
	head, _, _ := m.parts(nil)
	var b bytes.Buffer
	if json.Indent(&b, head, "", "  ") != nil { // it is JSON
		b.Write(head)
	}
	header = http.Header{"Content-Type": {"application/json; charset=UTF-8"}}
	for k, v := range m.header {
		header[k] = v
	}
	return m.code(), header, b.Bytes()
}

// proto returns the error as it is in the status of jobs.
func (e *Error) proto() errorProto {
	return errorProto{Reason: e.Reason, Location: e.Location, DebugInfo: e.DebugInfo, Message: e.text()}
}

type errorProto struct {
	Reason    string `json:"reason,omitempty"`
	Location  string `json:"location,omitempty"`
	DebugInfo string `json:"debugInfo,omitempty"`
	Message   string `json:"message,omitempty"`
}
