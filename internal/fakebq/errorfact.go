package fakebq

// ErrorFact is an error of the service as recorded or documented.
type ErrorFact struct {
	// Name is short and unique.
	Name string
	// Error is the error. Its Status is set.
	Error Error
	// Job reports whether jobs also end with it, as status.errorResult with HTTP status 200.
	Job bool
	// Begun is what the error, as the answer to sending a statement, means for the statement.
	Begun Begun
}

// Begun is what an error means for the statement that it answers.
type Begun string

const (
	// Refused: BigQuery refused the statement, which has changed nothing.
	Refused Begun = "refused"
	// NotBegun: the statement has not begun, and may be sent again under the same id.
	NotBegun Begun = "not begun"
	// MayHaveBegun: the statement may have begun.
	MayHaveBegun Begun = "may have begun"
	// FailedByService: the job failed by the service's fault, and may be sent again under a new id.
	FailedByService Begun = "failed by BigQuery's fault"
)

const noTable = "Access Denied: Table p:d.t: User does not have permission to query table p:d.t, or perhaps it does " +
	"not exist."

// ErrorFacts returns the errors of statements. Location is that of the HTTP error; in jobs "q" is
// "query".
func ErrorFacts() []ErrorFact {
	of := func(status int, reason, location, message string) Error {
		return Error{Status: status, Reason: reason, Location: location, Message: message}
	}
	return []ErrorFact{
		{"syntax error", of(400, "invalidQuery", "q", "Syntax error: Unexpected identifier \"blah\" at [1:1]"), true,
			Refused},
		{"evaluation", of(400, "invalidQuery", "q", "division by zero: 1 / 0"), true, Refused},
		{"evaluation in a script", of(400, "invalidQuery", "q", "Query error: division by zero: 1 / 0 at [2:1]"), true,
			Refused},
		{"table that is not there", of(404, "notFound", "", "Not found: Table p:d.t was not found in location US"),
			true, Refused},
		{"table that may not be there", of(403, "accessDenied", "", noTable), true, Refused},
		{"jobs may not be created", of(403, "accessDenied", "", "Access Denied: Project p: User does not have "+
			"bigquery.jobs.create permission in project p."), false, Refused},
		{"policy tag", of(403, "accessDenied", "", "Access Denied: BigQuery BigQuery: User does not have permission "+
			"to "+
			"access policy tag \"t : c\" on column p.d.t.c."), true, Refused},
		{"file in Cloud Storage", of(403, "accessDenied", "", "Access Denied: BigQuery BigQuery: Permission denied "+
			"while "+
			"globbing file pattern. a@example.com does not have storage.objects.list access to the bucket."), true,
			Refused},
		{"CREATE of what is there", of(409, "duplicate", "", "Already Exists: Table p:d.t"), true, Refused},
		{"CREATE PROCEDURE of what is there", of(400, "invalidQuery", "q", "Already Exists: Routine p:d.f"), true,
			Refused},
		{"job id that is taken", of(409, "duplicate", "", "Already Exists: Job p:US.j"), false, MayHaveBegun},
		{"parameter that does not fit", of(400, "invalid", "", "Unparseable query parameter `p` in type `TYPE_INT64`, "+
			"Bad int64 value: x value: 'x'"), true, Refused},
		{"unknown session", of(400, "invalid", "", "Invalid input session id."), false, Refused},
		{"expired session", of(400, "resourcesExceeded", "", "Session s has expired and is no longer available."),
			false, Refused},
		{"concurrent job in a session", of(400, "invalid", "", "Concurrent jobs in the same session are not allowed."),
			false, NotBegun},
		{"no transaction", of(400, "invalidQuery", "q", "No active transaction found"), true, Refused},
		{"COMMIT outside of a session", of(400, "invalidQuery", "q", "Transaction control statements are supported "+
			"only "+
			"in scripts or sessions"), true, Refused},
		{"aborted transaction", of(400, "invalidQuery", "q", "Transaction is aborted due to concurrent update against "+
			"table "+
			"p:d.t. Transaction ID: x"), true, Refused},
		{"concurrent update", of(400, "invalidQuery", "q", "Could not serialize access to table p:d.t due to "+
			"concurrent "+
			"update"), true, Refused},
		{"bytes billed", of(400, "bytesBilledLimitExceeded", "", "Query exceeded limit for bytes billed: 1. 10485760 "+
			"or "+
			"higher required."), true, Refused},
		{"quota", of(403, "quotaExceeded", "", "Quota exceeded: Your project exceeded quota for free query bytes "+
			"scanned."),
			true, Refused},
		{"rate limit", of(403, "rateLimitExceeded", "", "Exceeded rate limits: too many api requests per user per "+
			"method "+
			"for this user_method."), false, NotBegun},
		{"too many requests", of(429, "rateLimitExceeded", "", "Too many requests"), false, NotBegun},
		{"quota project", of(403, "forbidden", "", "Caller does not have required permission to use project p. Grant "+
			"the "+
			"caller the roles/serviceusage.serviceUsageConsumer role."), false, Refused},
		{"billing", of(403, "billingNotEnabled", "", "Billing has not been enabled for this project."), false, Refused},
		{"no access token", *Unauthenticated(false), false, NotBegun},
		{"wrong access token", *Unauthenticated(true), false, NotBegun},
		{"backend error", of(503, "backendError", "", "Error encountered during execution. Retrying may solve the "+
			"problem."),
			false, MayHaveBegun},
		{"internal error", of(500, "internalError", "", "An internal error occurred and the request could not be "+
			"completed."),
			false, MayHaveBegun},
		{"job: backend error", of(400, "jobBackendError", "", "The job encountered an error during execution. "+
			"Retrying the "+
			"job may solve the problem."), true, FailedByService},
		{"job: internal error", of(400, "jobInternalError", "", "The job encountered an internal error during "+
			"execution and "+
			"was unable to complete successfully."), true, FailedByService},
		{"job: rate limit", of(400, "jobRateLimitExceeded", "", "Exceeded rate limits: too many table update "+
			"operations for "+
			"this table."), true, FailedByService},
		{"cancelled", of(499, "stopped", "", "Job execution was cancelled: User requested cancellation"), true,
			Refused},
		{"job timeout", of(400, "timeout", "", "Operation timed out after 6.0 hours."), true, Refused},
		{"resources", of(400, "resourcesExceeded", "", "Resources exceeded during query execution: The query could "+
			"not be "+
			"executed in the allotted memory."), true, Refused},
		{"response too large", of(403, "responseTooLarge", "", "Response too large to return."), true, Refused},
		{"request too large", of(413, "uploadTooLarge", "", "Request payload size exceeds the limit: 10485760 bytes."),
			false, Refused},
	}
}
