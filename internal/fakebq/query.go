package fakebq

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// defaultTimeout is how long jobs.query and jobs.getQueryResults wait for a job by default.
const defaultTimeout = 10 * time.Second

// query serves jobs.query.
func (s *Server) query(ctx context.Context, rec *Request) (*message, *Error) {
	st, err := fromQuery(rec)
	s.noteUnknown(st.unknown)
	if err != nil {
		return nil, err
	}
	q := st.Request
	if q.MaxResults < 0 || q.TimeoutMs < 0 {
		return nil, &Error{Reason: "invalid", Message: "maxResults and timeoutMs may not be negative"}
	}
	j, repeated, err := s.start(st, rec.Email)
	if err != nil {
		return nil, err
	}
	m := new(message)
	m.before.set("kind", "bigquery#queryResponse")
	if st.DryRun {
		j.describe(m)
		m.after.set("jobComplete", true)
		return m, nil
	}
	timeout := defaultTimeout
	if q.TimeoutMs > 0 {
		timeout = time.Duration(q.TimeoutMs) * time.Millisecond
	}
	done, gone := s.await(ctx, j, max(timeout, s.opts.MinHold))
	switch {
	case gone:
		return nil, nil
	case !done:
		j.fillRunning(m)
		return m, nil
	}
	if repeated { // also of a job that failed
		j.fillRepeated(m)
		return m, nil
	}
	if err := j.failure(); err != nil {
		return nil, err
	}
	limit := -1
	if given(rec.Body, "maxResults") {
		limit = int(q.MaxResults)
	}
	format, err := formatOptions(q.FormatOptions)
	if err != nil {
		return nil, err
	}
	page, next, err := j.page(cursor{}, limit, format)
	if err != nil {
		return nil, err
	}
	noJob := j.answer.NoJob && q.JobCreationMode == "JOB_CREATION_OPTIONAL" && next == "" && j.session == nil
	j.fill(m, page, next, !noJob)
	a := &j.answer
	if j.session != nil {
		m.after.set("sessionInfo", sessionInfo{j.session.id})
	}
	if a.hasCounts() {
		m.after.set("dmlStats", a.DML.wire())
	}
	if !noJob {
		m.after.set("jobCreationReason", map[string]string{"code": "REQUESTED"})
	}
	m.after.number("totalBytesBilled", a.Billed)
	m.after.number("totalSlotMs", a.SlotMillis)
	m.after.number("creationTime", j.created.UnixMilli())
	m.after.number("startTime", j.created.UnixMilli())
	m.after.number("endTime", j.created.UnixMilli())
	m.after.set("location", j.location)
	if noJob {
		m.after.set("queryId", "I_"+strings.TrimPrefix(j.id, "job_"))
	} else {
		m.after.set("queryId", j.id)
	}
	m.after.set("statementType", a.statementType())
	return m, nil
}

// fillRunning fills in the answer of jobs.query for a running job.
func (j *job) fillRunning(m *message) {
	m.before.set("jobReference", j.reference())
	m.after.set("jobComplete", false)
	m.after.set("jobCreationReason", map[string]string{"code": "LONG_RUNNING"})
	m.after.number("creationTime", j.created.UnixMilli())
	m.after.number("startTime", j.created.UnixMilli())
	m.after.set("location", j.location)
	m.after.set("queryId", j.id)
	m.after.set("statementType", j.answer.statementType())
}

// given reports whether a JSON object has a member, even with a zero value.
func given(body []byte, name string) bool {
	var o map[string]json.RawMessage
	return json.Unmarshal(body, &o) == nil && len(o[name]) > 0 && string(o[name]) != "null"
}

// getQueryResults serves jobs.getQueryResults.
func (s *Server) getQueryResults(ctx context.Context, rec *Request) (*message, *Error) {
	limit, err := intParam(rec, "maxResults", -1)
	if err != nil {
		return nil, err
	}
	start, err := intParam(rec, "startIndex", 0)
	if err != nil {
		return nil, err
	}
	millis, err := intParam(rec, "timeoutMs", int(defaultTimeout/time.Millisecond))
	if err != nil {
		return nil, err
	}
	j, err := s.find(rec.Project, rec.Query.Get("location"), rec.JobID)
	if err != nil {
		return nil, err
	}
	at := cursor{row: start}
	if token := rec.Query.Get("pageToken"); token != "" {
		if at, err = parseToken(j, token); err != nil {
			return nil, err
		}
	}
	m := new(message)
	m.before.set("kind", "bigquery#getQueryResultsResponse")
	done, gone := s.await(ctx, j, time.Duration(millis)*time.Millisecond)
	switch {
	case gone:
		return nil, nil
	case !done:
		m.before.set("jobReference", j.reference())
		m.after.set("jobComplete", false)
		return m, nil
	}
	if err := j.failure(); err != nil {
		return nil, err
	}
	format, err := timestampFormatOf(rec.Query.Get("formatOptions.useInt64Timestamp") == "true",
		rec.Query.Get("formatOptions.timestampOutputFormat"))
	if err != nil {
		return nil, err
	}
	page, next, err := j.page(at, limit, format)
	if err != nil {
		return nil, err
	}
	m.before.set("etag", fmt.Sprintf("%s/%d", j.id, at.row))
	j.fill(m, page, next, true)
	return m, nil
}

// intParam parses a number of the URL, which must not be negative.
func intParam(rec *Request, name string, absent int) (int, *Error) {
	text := rec.Query.Get(name)
	if text == "" {
		return absent, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, &Error{Reason: "invalid", Location: name,
			Message: fmt.Sprintf("Invalid value for %s: want a whole number that is not negative", name)}
	}
	return n, nil
}

// fill adds the members that both methods have, in the order of the service.
func (j *job) fill(m *message, page *rows, next string, withJob bool) {
	a := &j.answer
	if schema := j.schema(); schema != nil {
		m.before.set("schema", schema)
	}
	if withJob {
		m.before.set("jobReference", j.reference())
	}
	if a.kind() == kindQuery || j.table != nil {
		m.before.number("totalRows", int64(j.total()))
	}
	if next != "" {
		m.before.set("pageToken", next)
	}
	m.rows, m.rowsFirst = page, a.RowsFirst
	m.after.number("totalBytesProcessed", a.Bytes)
	m.after.set("jobComplete", true)
	if len(a.Warnings) > 0 {
		m.after.set("errors", protos(a.Warnings))
	}
	if a.kind() != kindScript {
		m.after.set("cacheHit", a.CacheHit)
	}
	if a.hasCounts() {
		m.after.number("numDmlAffectedRows", a.DML.total())
	}
}

// fillRepeated fills in the answer to a request with a known requestId: short, and "not complete"
// although the job has ended, even one that has failed.
func (j *job) fillRepeated(m *message) {
	a := &j.answer
	m.before.set("jobReference", j.reference())
	m.after.set("jobComplete", false)
	if a.hasCounts() {
		m.after.number("numDmlAffectedRows", a.DML.total())
		m.after.set("dmlStats", a.DML.wire())
	}
	m.after.set("jobCreationReason", map[string]string{"code": "REQUESTED"})
	m.after.number("creationTime", j.created.UnixMilli())
	m.after.number("startTime", j.created.UnixMilli())
	m.after.number("endTime", j.created.UnixMilli())
	m.after.set("location", j.location)
	m.after.set("queryId", j.id)
	m.after.set("statementType", a.statementType())
}

// describe adds the members of a dry run.
func (j *job) describe(m *message) {
	fields := []Field{}
	if j.table != nil {
		fields = j.table.fields
	}
	m.before.set("schema", wireSchema{wireFields(fields)})
	m.before.set("jobReference", j.reference())
	m.before.number("totalBytesProcessed", j.answer.Bytes)
	m.before.set("cacheHit", j.answer.CacheHit)
	m.after.set("statementType", j.answer.statementType())
}

func protos(list []Error) []errorProto {
	var out []errorProto
	for i := range list {
		out = append(out, list[i].proto())
	}
	return out
}

func (d *DML) total() int64 { return d.Inserted + d.Updated + d.Deleted }

// dmlStats is a DML in JSON.
type dmlStats struct {
	Inserted int64 `json:"insertedRowCount,omitempty,string"`
	Deleted  int64 `json:"deletedRowCount,omitempty,string"`
	Updated  int64 `json:"updatedRowCount,omitempty,string"`
}

func (d *DML) wire() dmlStats { return dmlStats{d.Inserted, d.Deleted, d.Updated} }

type sessionInfo struct {
	ID string `json:"sessionId"`
}

// jobReference is the reference of a job.
type jobReference struct {
	Project  string `json:"projectId"`
	ID       string `json:"jobId,omitempty"`
	Location string `json:"location"`
}

func (j *job) reference() jobReference { return jobReference{j.project, j.id, j.location} }
