package driver_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	bq "google.golang.org/api/bigquery/v2"
)

// replay answers the driver's requests for one recorded job with the recorded bytes.
type replay struct {
	t      testing.TB
	job    *recordedJob
	polled bool
	pretty bool
	asked  atomic.Int64 // requests for the result
	// params has the parameters of the last statement.
	params atomic.Value // json.RawMessage
}

func (r *replay) serve(t testing.TB) string {
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	return server.URL
}

func (r *replay) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	_, path, _ := strings.Cut(req.URL.Path, "/projects/")
	parts := strings.Split(path, "/")
	switch {
	case req.Method == http.MethodPost && parts[1] == "queries":
		var body struct{ QueryParameters json.RawMessage }
		if err := json.NewDecoder(req.Body).Decode(&body); err != nil {
			r.t.Errorf("jobs.query: %v", err)
		}
		r.params.Store(body.QueryParameters)
		if r.polled {
			r.send(w, r.running())
			return
		}
		r.send(w, r.result("bigquery#queryResponse", r.statement()))
	case req.Method == http.MethodPost && parts[1] == "jobs":
		var body bq.Job
		if err := json.NewDecoder(req.Body).Decode(&body); err != nil {
			r.t.Errorf("jobs.insert: %v", err)
		}
		if body.Configuration.DryRun {
			r.send(w, r.undeclared())
			return
		}
		// The driver names its jobs itself.
		r.send(w, bytes.ReplaceAll(r.job.Inserted, []byte(r.job.ID), []byte(body.JobReference.JobId)))
	case req.Method == http.MethodGet && parts[1] == "queries":
		r.asked.Add(1)
		r.send(w, r.result("bigquery#getQueryResultsResponse", ""))
	case req.Method == http.MethodGet && parts[1] == "jobs":
		r.send(w, r.job.Got)
	default:
		http.NotFound(w, req)
	}
}

func (r *replay) send(w http.ResponseWriter, text []byte) {
	var b bytes.Buffer
	if r.pretty {
		if err := json.Indent(&b, text, "", "  "); err != nil {
			r.t.Error(err)
		}
	} else if err := json.Compact(&b, text); err != nil {
		r.t.Error(err)
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	_, _ = w.Write(b.Bytes()) // the driver may have gone away
}

// result puts the recorded rows into the recorded answer, after its schema.
func (r *replay) result(kind, more string) []byte {
	m := members(r.t, r.job.Results)
	text := fmt.Sprintf(`{"kind":%q,"schema":%s,"jobReference":%s,"totalRows":%s,"rows":%s,"totalBytesProcessed":%s,`+
		`"jobComplete":true,"cacheHit":true%s}`, kind, m["schema"], m["jobReference"], m["totalRows"],
		r.rows(m["schema"]),
		m["totalBytesProcessed"], more)
	return []byte(text)
}

// statement is what jobs.query says besides.
func (r *replay) statement() string {
	typ := json.RawMessage(`"SELECT"`) // all of them are
	if stats := members(r.t, r.job.Got)["statistics"]; stats != nil {
		if query := members(r.t, stats)["query"]; query != nil {
			if t := members(r.t, query)["statementType"]; t != nil {
				typ = t
			}
		}
	}
	return fmt.Sprintf(`,"location":"US","queryId":%q,"statementType":%s`, r.job.ID, typ)
}

func (r *replay) running() []byte {
	m := members(r.t, r.job.Results)
	return fmt.Appendf(nil, `{"kind":"bigquery#queryResponse","jobReference":%s,"jobComplete":false,`+
		`"jobCreationReason":{"code":"LONG_RUNNING"},"creationTime":"1572287799218","startTime":"1572287799421"%s}`,
		m["jobReference"], r.statement())
}

// undeclared is the answer to a dry run: the types that the recorded request declares.
func (r *replay) undeclared() []byte {
	params := r.job.Params
	if params == nil {
		params = json.RawMessage("[]")
	}
	return fmt.Appendf(nil, `{"kind":"bigquery#job","status":{"state":"DONE"},"statistics":{"query":{"statementType":`+
		`"SELECT","undeclaredQueryParameters":%s}}}`, params)
}

// rows are the recorded ones, but for TIMESTAMP cells: the recording's client did not ask for useInt64Timestamp,
// which the driver does, so that they are float seconds there.
func (r *replay) rows(schema json.RawMessage) []byte {
	if !bytes.Contains(schema, []byte(`"TIMESTAMP"`)) {
		return r.job.Rows
	}
	var s recordedSchema
	var rows []recordedCell
	if err := json.Unmarshal(schema, &s); err != nil {
		r.t.Fatal(err)
	}
	if err := json.Unmarshal(r.job.Rows, &rows); err != nil {
		r.t.Fatal(err)
	}
	for i := range rows {
		rows[i].toMicros(r.t, s.Fields)
	}
	text, err := json.Marshal(rows)
	if err != nil {
		r.t.Fatal(err)
	}
	return text
}

type recordedSchema struct{ Fields []recordedField }

type recordedField struct {
	Name, Type, Mode string
	Fields           []recordedField
}

// recordedCell is a row, {"f":[...]}, or a cell, {"v":...}.
type recordedCell struct {
	F []recordedCell  `json:"f,omitempty"`
	V json.RawMessage `json:"v,omitempty"`
}

func (c *recordedCell) toMicros(t testing.TB, fields []recordedField) {
	t.Helper()
	for i := range c.F {
		c.F[i].convert(t, fields[i], fields[i].Mode == "REPEATED")
	}
}

func (c *recordedCell) convert(t testing.TB, f recordedField, repeated bool) {
	t.Helper()
	if string(c.V) == "null" || f.Type != "TIMESTAMP" && f.Type != "RECORD" {
		return
	}
	var err error
	var after any
	switch {
	case repeated:
		var list []recordedCell
		err = json.Unmarshal(c.V, &list)
		for i := range list {
			list[i].convert(t, f, false)
		}
		after = list
	case f.Type == "RECORD":
		var record recordedCell
		err = json.Unmarshal(c.V, &record)
		record.toMicros(t, f.Fields)
		after = record
	default:
		var text string
		err = json.Unmarshal(c.V, &text)
		seconds, ok := new(big.Rat).SetString(text)
		if !ok {
			t.Fatalf("the TIMESTAMP %q is no number", text)
		}
		after = new(big.Rat).Mul(seconds, big.NewRat(1_000_000, 1)).FloatString(0)
	}
	if err != nil {
		t.Fatal(err)
	}
	if c.V, err = json.Marshal(after); err != nil {
		t.Fatal(err)
	}
}
