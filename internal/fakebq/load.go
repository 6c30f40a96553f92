package fakebq

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
	"time"

	bigquery "google.golang.org/api/bigquery/v2"
)

// loadJob is a load job, or its upload.
type loadJob struct {
	job  *bigquery.Job
	data []byte
}

// upload serves jobs.insert with data: all in one request, or first the job and then its data in
// chunks.
func (s *Server) upload(rec *Request) (*message, *Error) {
	bad := func(format string, args ...any) *Error {
		return &Error{Reason: "badRequest", Status: http.StatusBadRequest, Message: fmt.Sprintf(format, args...)}
	}
	id := rec.Query.Get("upload_id")
	switch {
	case id != "": // the official client sends chunks with POST
		return s.chunk(rec, id)
	case rec.Query.Get("uploadType") == "resumable":
		job := new(bigquery.Job)
		if err := json.Unmarshal(rec.Body, job); err != nil {
			return nil, bad("%v", err)
		}
		s.mu.Lock()
		id := fmt.Sprintf("upload%d", s.next())
		s.uploads[id] = &loadJob{job: job}
		s.mu.Unlock()
		location := s.url + rec.Path + "?uploadType=resumable&upload_id=" + id
		return &message{header: http.Header{"Location": {location}}}, nil
	}
	_, params, err := mime.ParseMediaType(rec.Header.Get("Content-Type"))
	if err != nil {
		return nil, bad("%v", err)
	}
	parts := multipart.NewReader(bytes.NewReader(rec.Body), params["boundary"])
	var read [2][]byte
	for i := range read {
		p, err := parts.NextPart()
		if err == nil {
			read[i], err = io.ReadAll(p)
		}
		if err != nil {
			return nil, bad("%v", err)
		}
	}
	job := new(bigquery.Job)
	if err := json.Unmarshal(read[0], job); err != nil {
		return nil, bad("%v", err)
	}
	return s.loaded(rec, &loadJob{job, read[1]})
}

// chunk serves a part of an upload.
func (s *Server) chunk(rec *Request, id string) (*message, *Error) {
	s.mu.Lock()
	l := s.uploads[id]
	s.mu.Unlock()
	if l == nil {
		return nil, &Error{Reason: "notFound", Message: "Not found: upload " + id}
	}
	var from, to int
	var total string
	if n, _ := fmt.Sscanf(rec.Header.Get("Content-Range"), "bytes %d-%d/%s", &from, &to, &total); n == 3 {
		if from <= len(l.data) { // a chunk that is sent again replaces the first one
			l.data = append(l.data[:from], rec.Body...)
		}
	} else {
		total = strings.TrimPrefix(rec.Header.Get("Content-Range"), "bytes */")
	}
	if total == "*" {
		h := http.Header{"X-Http-Status-Code-Override": {"308"}}
		if len(l.data) > 0 {
			h.Set("Range", fmt.Sprintf("bytes=0-%d", len(l.data)-1))
		}
		return &message{header: h}, nil
	}
	return s.loaded(rec, l)
}

// loaded runs a load job with all of its data.
func (s *Server) loaded(rec *Request, l *loadJob) (*message, *Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	load := l.job.Configuration.Load
	if load == nil || load.SourceFormat != "NEWLINE_DELIMITED_JSON" || load.DestinationTable == nil {
		return nil, &Error{Reason: "invalid", Message: "this server loads NEWLINE_DELIMITED_JSON into a table alone"}
	}
	ref := l.job.JobReference
	if ref == nil {
		ref = &bigquery.JobReference{JobId: fmt.Sprintf("job_fake%08d", s.next())}
		l.job.JobReference = ref
	}
	ref.ProjectId, ref.Location = rec.Project, cmp.Or(ref.Location, s.opts.Location)
	key := jobKey(ref.ProjectId, ref.Location, ref.JobId)
	if s.loads[key] != nil {
		return nil, &Error{Reason: "duplicate", Message: "Already Exists: Job " + key}
	}
	t := s.stored[tableName(load.DestinationTable)]
	if t == nil {
		return nil, &Error{Reason: "notFound", Message: "Not found: Table " + tableName(load.DestinationTable)}
	}
	s.loads[key] = l
	l.job.Status = &bigquery.JobStatus{State: "DONE"}
	l.job.Statistics = &bigquery.JobStatistics{CreationTime: time.Now().UnixMilli()}
	if t.counts {
		n := bytes.Count(l.data, []byte("\n"))
		if len(l.data) > 0 && l.data[len(l.data)-1] != '\n' {
			n++
		}
		l.job.Statistics.Load, l.data = &bigquery.JobStatistics3{OutputRows: int64(n)}, nil
		return l.message(), nil
	}
	var rows [][]any
	for i, line := range bytes.Split(bytes.TrimSuffix(l.data, []byte("\n")), []byte("\n")) {
		if len(line) == 0 {
			continue
		}
		row, err := decodeLine(t.fields, line)
		if err == nil {
			_, err = (cells{iso8601}).appendRow(nil, t.fields, row)
		}
		if err != nil {
			l.job.Status.ErrorResult = &bigquery.ErrorProto{Reason: "invalid", Message: fmt.Sprintf(
				"Error while reading data, error message: JSON processing encountered too many errors; "+
					"line %d: %v", i+1, err)}
			return l.message(), nil
		}
		rows = append(rows, row)
	}
	t.rows = append(t.rows, rows...)
	l.job.Statistics.Load = &bigquery.JobStatistics3{OutputRows: int64(len(rows))}
	return l.message(), nil
}

// loadNamed returns a load job; nil if there is none.
func (s *Server) loadNamed(project, location, id string) *loadJob {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.loads[jobKey(project, cmp.Or(location, s.opts.Location), id)]
}

func (l *loadJob) message() *message {
	m := new(message)
	m.before.set("kind", "bigquery#job")
	m.before.set("configuration", l.job.Configuration)
	m.before.set("jobReference", l.job.JobReference)
	m.before.set("statistics", l.job.Statistics)
	m.before.set("status", l.job.Status)
	return m
}
