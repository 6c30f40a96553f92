package sandbox

import (
	"net/http"
	"sync"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/jobs"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/load"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/wire"
)

const (
	// maxInserted is how many rows a request may have: BigQuery's limit.
	maxInserted = 50_000
	// insertLife is how long an insertId keeps its row from being inserted again.
	insertLife = time.Minute
)

// insertIDs are the ids of rows that were inserted recently.
type insertIDs struct {
	mu   sync.Mutex
	seen map[string]time.Time // by the table and the id
}

// fresh records an id, and reports whether it is new.
func (i *insertIDs) fresh(key string, now time.Time) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	at, ok := i.seen[key]
	i.seen[key] = now
	return !ok || now.Sub(at) > insertLife
}

// forget removes the ids of rows that were not inserted, and old ids.
func (i *insertIDs) forget(keys []string, now time.Time) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, key := range keys {
		delete(i.seen, key)
	}
	for key, at := range i.seen {
		if now.Sub(at) > insertLife {
			delete(i.seen, key)
		}
	}
}

// tabledataInsertAll adds rows to a table. Without skipInvalidRows one bad row prevents all others.
func (s *Server) tabledataInsertAll(r *http.Request, who jobs.Caller) (any, *apierror.Error) {
	_, t, err := s.jobs.Writable(who, pathTable(r))
	if err != nil {
		return nil, err
	}
	var req wire.InsertAllRequest
	if err := readBody(r, &req); err != nil {
		return nil, err
	}
	switch {
	case req.TemplateSuffix != "":
		return nil, apierror.Unsupported("templateSuffix")
	case len(req.Rows) == 0:
		return nil, apierror.Errorf("invalid", "No rows present in the request.")
	case len(req.Rows) > maxInserted:
		return nil, apierror.Errorf("invalid", "too many rows present in the request, limit: %d row count: %d.",
			maxInserted, len(req.Rows))
	}
	decoder := load.Object{Columns: t.Columns, IgnoreUnknownValues: req.IgnoreUnknownValues, JSONInText: true}
	var failed []wire.InsertErrors
	var good []int
	rows := make([][]engine.Value, len(req.Rows))
	for i, row := range req.Rows {
		values, problem := decoder.Row(row.JSON)
		if problem == nil {
			rows[i], good = values, append(good, i)
			continue
		}
		failed = append(failed, wire.InsertErrors{Index: i, Errors: []wire.InsertError{{Reason: "invalid",
			Location: problem.Field, Message: problem.Message}}})
	}
	if len(failed) > 0 && !req.SkipInvalidRows {
		for _, i := range good {
			failed = append(failed, wire.InsertErrors{Index: i, Errors: []wire.InsertError{{Reason: "stopped"}}})
		}
		good = nil
	}
	var keys []string
	var values [][]engine.Value
	for _, i := range good {
		if id := req.Rows[i].InsertID; id != "" {
			key := t.Name.String() + " " + id
			if !s.inserted.fresh(key, s.now()) {
				continue
			}
			keys = append(keys, key)
		}
		values = append(values, rows[i])
	}
	if err := s.jobs.AppendRows(r.Context(), t, t.Columns, values); err != nil {
		s.inserted.forget(keys, s.now())
		return nil, err
	}
	s.inserted.forget(nil, s.now())
	return struct {
		Kind   string              `json:"kind"`
		Errors []wire.InsertErrors `json:"insertErrors,omitempty"`
	}{"bigquery#tableDataInsertAllResponse", failed}, nil
}
