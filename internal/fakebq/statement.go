package fakebq

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	bigquery "google.golang.org/api/bigquery/v2"
)

// decode parses a request's body. The service ignores members that it does not know: unknown is the
// first one.
func decode(body []byte, into any) (unknown string, apiErr *Error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if name, ok := strings.CutPrefix(fmt.Sprint(err), "json: unknown field "); ok {
		unknown = strings.Trim(name, `"`)
		err = json.Unmarshal(body, into)
	}
	if err != nil {
		return "", &Error{Reason: "parseError", Message: "Invalid JSON payload received. " + err.Error()}
	}
	return unknown, nil
}

// fromQuery converts the body of jobs.query to that of jobs.insert, so that the same checks apply
// to both.
func fromQuery(rec *Request) (Statement, *Error) {
	q := new(bigquery.QueryRequest)
	unknown, err := decode(rec.Body, q)
	if err != nil {
		return Statement{}, err
	}
	st := Statement{
		unknown: unknown, SQL: q.Query, Project: rec.Project, Location: q.Location, DryRun: q.DryRun, Request: q,
		Mode: q.ParameterMode, Parameters: q.QueryParameters,
	}
	st.config = &bigquery.JobConfiguration{
		DryRun: q.DryRun, JobTimeoutMs: q.JobTimeoutMs, JobType: "QUERY", Labels: q.Labels, Reservation: q.Reservation,
		Query: &bigquery.JobConfigurationQuery{
			ConnectionProperties: q.ConnectionProperties, CreateSession: q.CreateSession,
			DefaultDataset:                     q.DefaultDataset,
			DestinationEncryptionConfiguration: q.DestinationEncryptionConfiguration,
			MaximumBytesBilled:                 q.MaximumBytesBilled,
			ParameterMode:                      q.ParameterMode, Priority: "INTERACTIVE",
			Query: q.Query, QueryParameters: q.QueryParameters,
			UseLegacySql: q.UseLegacySql, UseQueryCache: q.UseQueryCache,
		},
	}
	if len(q.RequestId) > 36 || !isASCII(q.RequestId) {
		return st, &Error{Reason: "invalid", Location: "requestId",
			Message: "Invalid value for requestId: at most 36 " +
				"ASCII characters are allowed"}
	}
	if q.JobCreationMode != "" && q.JobCreationMode != "JOB_CREATION_REQUIRED" &&
		q.JobCreationMode != "JOB_CREATION_OPTIONAL" {
		return st, &Error{Reason: "invalid", Location: "jobCreationMode",
			Message: "Invalid value for jobCreationMode: " + q.JobCreationMode}
	}
	if q.QueryResultsFormat != "" || q.ArrowSerializationOptions != nil || q.Continuous {
		return st, &Error{Reason: "notImplemented", Message: "fakebq answers in JSON alone"}
	}
	if _, err := formatOptions(q.FormatOptions); err != nil {
		return st, err
	}
	return st, st.check()
}

// fromInsert parses the body of jobs.insert.
func fromInsert(rec *Request) (Statement, *Error) {
	j := new(bigquery.Job)
	unknown, err := decode(rec.Body, j)
	if err != nil {
		return Statement{}, err
	}
	if j.Configuration == nil || j.Configuration.Query == nil {
		return Statement{}, &Error{Reason: "required", Message: "Required parameter is missing: configuration.query " +
			"(fakebq runs no other jobs)"}
	}
	q := j.Configuration.Query
	st := Statement{
		unknown: unknown, SQL: q.Query, Project: rec.Project, DryRun: j.Configuration.DryRun, Job: j,
		Mode: q.ParameterMode, Parameters: q.QueryParameters, config: j.Configuration,
	}
	j.Configuration.JobType = "QUERY"
	if ref := j.JobReference; ref != nil {
		st.Location = ref.Location
		if ref.ProjectId != "" && ref.ProjectId != rec.Project {
			return st, &Error{Reason: "invalid", Message: fmt.Sprintf("Value %q in content does not agree with value "+
				"%q in the path", ref.ProjectId, rec.Project)}
		}
		if ref.JobId != "" && (len(ref.JobId) > 1024 || !jobID.MatchString(ref.JobId)) {
			return st, &Error{Reason: "invalid", Message: fmt.Sprintf("Invalid job ID %q: want letters, digits, "+
				"hyphens and underscores, at most 1024", ref.JobId)}
		}
	}
	return st, st.check()
}

var (
	datasetID  = regexp.MustCompile(`^[A-Za-z0-9_]+$`)
	labelKey   = regexp.MustCompile(`^[\p{Ll}\p{Lo}][\p{Ll}\p{Lo}\p{N}_-]{0,62}$`)
	labelValue = regexp.MustCompile(`^[\p{Ll}\p{Lo}\p{N}_-]{0,63}$`)
	jobID      = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)
	abortCall  = regexp.MustCompile(`(?i)^CALL\s+BQ\.ABORT_SESSION\s*\(\s*(?:['"]([^'"]*)['"])?\s*\)\s*;?$`)
)

// check checks a statement by the rules that do not depend on the script.
func (st *Statement) check() *Error {
	q := st.config.Query
	for _, p := range q.ConnectionProperties {
		if p.Key == "session_id" {
			st.Session = p.Value
		}
	}
	switch {
	case strings.TrimSpace(st.SQL) == "":
		return &Error{Reason: "required", Location: "query", Message: "Required parameter is missing: query"}
	case q.UseLegacySql == nil || *q.UseLegacySql:
		// The default is legacy SQL, and all statements here are GoogleSQL.
		return &Error{Reason: "invalidQuery", Location: "query", Message: "Encountered GoogleSQL in a legacy SQL " +
			"query (useLegacySql is not false) at [1:1]"}
	case q.CreateSession && st.Session != "":
		return &Error{Reason: "invalid", Message: "Cannot create a session and use an existing one in the same query"}
	case q.MaximumBytesBilled < 0 || st.config.JobTimeoutMs < 0:
		return &Error{Reason: "invalid", Message: "Limits of a job may not be negative"}
	case q.DefaultDataset != nil && !datasetID.MatchString(q.DefaultDataset.DatasetId):
		return &Error{Reason: "invalid", Message: fmt.Sprintf("Invalid dataset ID %q. Dataset IDs must be "+
			"alphanumeric (plus underscores) and must be at most 1024 characters long.", q.DefaultDataset.DatasetId)}
	}
	for k, v := range st.config.Labels {
		if !labelKey.MatchString(k) || !labelValue.MatchString(v) {
			return &Error{Reason: "invalid", Message: fmt.Sprintf("Invalid label %q: %q. Keys and values have at most "+
				"63 lowercase letters, digits, underscores and hyphens, and keys begin with a letter.", k, v)}
		}
	}
	if err := checkConfiguration(st.config); err != nil {
		return err
	}
	return st.checkParameters()
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > 127 })
}
