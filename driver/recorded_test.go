package driver_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// recordedJob is a query of the conversation with BigQuery that its Go client's module carries: the bytes that the
// service sent in 2019.
type recordedJob struct {
	SQL         string
	ID          string
	Params      json.RawMessage // queryParameters of the request
	Inserted    json.RawMessage // the answer to jobs.insert
	Got         json.RawMessage // the last answer to jobs.get, or that to jobs.insert
	Results     json.RawMessage // the answer to jobs.getQueryResults, without rows
	Rows        json.RawMessage // those of the table with the result
	destination string
}

// members decodes an object without touching its values.
func members(t testing.TB, text []byte) map[string]json.RawMessage {
	t.Helper()
	var m map[string]json.RawMessage
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatalf("%v in %.80s", err, text)
	}
	return m
}

// note keeps the job as it was last told.
func (j *recordedJob) note(t testing.TB, text json.RawMessage) {
	t.Helper()
	var job struct {
		Configuration struct {
			Query struct {
				DestinationTable struct{ DatasetID, TableID string }
			}
		}
	}
	if err := json.Unmarshal(text, &job); err != nil {
		t.Fatal(err)
	}
	table := job.Configuration.Query.DestinationTable
	j.Got, j.destination = text, "/datasets/"+table.DatasetID+"/tables/"+table.TableID+"/data"
}

type recordedExchange struct {
	Request struct {
		Method, URL, MediaType string
		BodyParts              [][]byte
	}
	Response struct {
		StatusCode int
		Header     http.Header
		Body       []byte
	}
}

func (e *recordedExchange) path() string {
	path, _, _ := strings.Cut(e.Request.URL, "?")
	return path
}

func (e *recordedExchange) answer(t testing.TB) json.RawMessage {
	t.Helper()
	if e.Response.Header.Get("Content-Encoding") != "gzip" {
		return e.Response.Body
	}
	z, err := gzip.NewReader(bytes.NewReader(e.Response.Body))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// recording reads the conversation out of the module cache.
func recording(t testing.TB) []recordedExchange {
	t.Helper()
	const module = "cloud.google.com/go/bigquery"
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		t.Skipf("the go command does not find %s: %v", module, err)
	}
	text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "bigquery.replay"))
	if err != nil {
		t.Skipf("this version of %s has no recorded conversation any more: %v", module, err)
	}
	var all struct{ Entries []recordedExchange }
	if err := json.Unmarshal(text, &all); err != nil {
		t.Skipf("the recording has another form: %v", err)
	}
	return all.Entries
}

// recordedJobs picks the GoogleSQL queries whose results were read.
func recordedJobs(t testing.TB) []*recordedJob {
	t.Helper()
	jobs := map[string]*recordedJob{}
	tables := map[string]json.RawMessage{}
	var order []*recordedJob
	for _, e := range recording(t) {
		path := e.path()
		id := path[strings.LastIndexByte(path, '/')+1:]
		j := jobs[id]
		switch {
		case e.Response.StatusCode != http.StatusOK:
		case e.Request.Method == http.MethodPost && id == "jobs" && e.Request.MediaType == "application/json":
			var req struct {
				JobReference  struct{ JobID string }
				Configuration struct {
					DryRun bool
					Query  struct {
						Query           string
						UseLegacySQL    *bool
						QueryParameters json.RawMessage
					}
				}
			}
			if err := json.Unmarshal(e.Request.BodyParts[0], &req); err != nil {
				t.Fatal(err)
			}
			q := req.Configuration.Query
			if q.UseLegacySQL == nil || *q.UseLegacySQL || req.Configuration.DryRun {
				continue
			}
			j = &recordedJob{SQL: q.Query, ID: req.JobReference.JobID, Params: q.QueryParameters, Inserted: e.answer(t)}
			j.note(t, j.Inserted)
			jobs[j.ID], order = j, append(order, j)
		case strings.Contains(path, "/queries/") && j != nil:
			j.Results = e.answer(t)
		case strings.Contains(path, "/jobs/") && j != nil:
			j.note(t, e.answer(t))
		case id == "data" && !strings.Contains(e.Request.URL, "pageToken="):
			_, name, _ := strings.Cut(path, "/datasets/")
			tables["/datasets/"+name] = e.answer(t)
		}
	}
	var out []*recordedJob
	for _, j := range order {
		data := tables[j.destination]
		if j.Results == nil || data == nil {
			continue
		}
		m := members(t, data)
		if j.Rows = m["rows"]; j.Rows == nil || m["pageToken"] != nil {
			continue
		}
		out = append(out, j)
	}
	return out
}
