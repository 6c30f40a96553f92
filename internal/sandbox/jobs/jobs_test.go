package jobs

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/catalog"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/wire"
)

// newRunner makes a runner over an empty catalog in memory.
func newRunner(t *testing.T) *Runner {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	c, err := catalog.Open(t.Context(), catalog.Config{Location: "US", Now: time.Now, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	s := New(context.WithoutCancel(t.Context()), c, Config{Projects: map[string][]string{"ada@example.com": {"p"}},
		Location: "US", PageBytes: 1 << 20, ResultBytes: 1 << 20, SessionIdle: time.Hour, Now: time.Now, Log: log})
	t.Cleanup(func() { s.Stop(); s.Close(); c.DB().Close() })
	return s
}

// TestCommitThatFails: a COMMIT that DuckDB refuses leaves the transaction open, with its tables, until it is rolled
// back. BigQuery documents that a transaction ends with COMMIT or ROLLBACK, and stays open after an error in a session.
func TestCommitThatFails(t *testing.T) {
	t.Parallel()
	s := newRunner(t)
	ada := Caller{Email: "ada@example.com"}
	for _, sql := range []string{"CREATE SCHEMA d", "CREATE TABLE d.t (a INT64)", "INSERT INTO d.t VALUES (1)"} {
		if err := s.Do(t.Context(), ada, "p", "", sql); err != nil {
			t.Fatal(err)
		}
	}
	query := func(sql, session string) (*wire.QueryResponse, *apierror.Error) {
		text := `{"query": "` + sql + `", "useLegacySql": false, "createSession": true}`
		if session != "" {
			text = `{"query": "` + sql + `", "useLegacySql": false, "connectionProperties": [{"key": "session_id", "value": "` +
				session + `"}]}`
		}
		var req wire.QueryRequest
		if err := json.Unmarshal([]byte(text), &req); err != nil {
			t.Fatal(err)
		}
		return s.Query(t.Context(), ada, "p", &req)
	}
	resp, err := query("BEGIN TRANSACTION", "")
	if err != nil {
		t.Fatal(err)
	}
	id := resp.SessionInfo.SessionID
	if _, err := query("UPDATE d.t SET a = 2 WHERE TRUE", id); err != nil {
		t.Fatal(err)
	}
	sess := s.sessions.byID[id]
	if _, err := sess.conn.Exec(t.Context(), "ROLLBACK"); err != nil { // DuckDB has nothing to commit then
		t.Fatal(err)
	}
	for _, tt := range []struct{ sql, part string }{
		{"COMMIT TRANSACTION", "aborted"},
		{"BEGIN TRANSACTION", "already open"},
		{"SELECT * FROM d.t", "can't go on with a transaction after an error"},
		{"COMMIT TRANSACTION", "can't go on with a transaction after an error"},
	} {
		if _, err := query(tt.sql, id); err == nil || !strings.Contains(err.Message, tt.part) {
			t.Errorf("%s: got %v; want %s", tt.sql, err, tt.part)
		}
	}
	if table := s.catalog.Table(googlesql.TableName{Project: "p", Dataset: "d", Table: "t"}); table.TryLock() {
		t.Error("the transaction has given its table back")
	}
	for _, sql := range []string{"ROLLBACK TRANSACTION", "UPDATE d.t SET a = 3 WHERE a = 1", "BEGIN TRANSACTION", "COMMIT"} {
		if _, err := query(sql, id); err != nil {
			t.Errorf("%s: %v", sql, err)
		}
	}
}

func TestParseCopy(t *testing.T) {
	t.Parallel()
	const to = `"destinationTable": {"datasetId": "d", "tableId": "t"}`
	const from = `"sourceTable": {"projectId": "q", "datasetId": "d", "tableId": "s"}, ` + to
	for _, tt := range []struct{ name, json, want string }{
		{"defaults", "{" + from + "}", "COPY WRITE_EMPTY CREATE_IF_NEEDED from q to p"},
		{"several", `{"sourceTables": [{"datasetId": "d", "tableId": "s"}], "writeDisposition": "WRITE_APPEND", ` + to + "}",
			"COPY WRITE_APPEND CREATE_IF_NEEDED from p to p"},
		{"a snapshot", `{"operationType": "SNAPSHOT", ` + from + "}", "SNAPSHOT WRITE_EMPTY CREATE_IF_NEEDED from q to p"},
		{"no source", "{" + to + "}", "required: Required parameter is missing: sourceTable"},
		{"no destination", `{"sourceTable": {}}`, "required: Required parameter is missing: destinationTable"},
		{"a wrong disposition", `{"writeDisposition": "x", ` + from + "}", `invalid: Invalid value for writeDisposition: "x".`},
		{"another one", `{"createDisposition": "x", ` + from + "}", `invalid: Invalid value for createDisposition: "x".`},
		{"RESTORE", `{"operationType": "RESTORE", ` + from + "}", "invalid: The sandbox does not support the operationType RESTORE."},
		{"a snapshot over a table", `{"operationType": "SNAPSHOT", "writeDisposition": "WRITE_TRUNCATE", ` + from + "}",
			"invalid: The sandbox does not support the operationType SNAPSHOT of several tables or into a table."},
		{"a partition", `{"sourceTable": {"datasetId": "d", "tableId": "s$20240101"}, ` + to + "}", "invalid: The sandbox does not support copying a partition."},
		{"a wrong expiration", `{"destinationExpirationTime": "tomorrow", ` + from + "}", "parseError: Invalid JSON payload " +
			`received. parsing time "tomorrow" as "2006-01-02T15:04:05Z07:00": cannot parse "tomorrow" as "2006"`},
	} {
		c, err := parseCopy(json.RawMessage(tt.json), "p")
		got := ""
		if err != nil {
			got = err.Reason + ": " + err.Message
		} else {
			got = strings.Join([]string{c.OperationType, c.WriteDisposition, c.CreateDisposition, "from",
				c.SourceTables[0].ProjectID, "to", c.DestinationTable.ProjectID}, " ")
		}
		if got != tt.want {
			t.Errorf("%s: got %s; want %s", tt.name, got, tt.want)
		}
	}
}

// TestBilled: 10 MB at least, in whole megabytes, and nothing for nothing.
func TestBilled(t *testing.T) {
	t.Parallel()
	for bytes, want := range map[int64]int64{0: 0, 1: 10 << 20, 10 << 20: 10 << 20, 10<<20 + 1: 11 << 20} {
		if got := billed(bytes); got != want {
			t.Errorf("billed(%d): got %d; want %d", bytes, got, want)
		}
	}
}

// TestRegistry: the oldest jobs that are done give way, results before jobs.
func TestRegistry(t *testing.T) {
	t.Parallel()
	js := newRegistry(100)
	job := func(id string) *Job {
		return &Job{ref: wire.JobReference{ProjectID: "p", JobID: id, Location: "US"}, finished: make(chan struct{}),
			state: pending}
	}
	if err := js.add(job("a")); err != nil {
		t.Fatal(err)
	}
	if err := js.add(job("a")); err == nil || err.Reason != "duplicate" {
		t.Errorf("a job id twice: got %v; want duplicate", err)
	}
	for _, tt := range []struct{ project, id, location, reason string }{
		{"p", "a", "", ""}, {"p", "a", "us", ""}, {"p", "a", "EU", "notFound"}, {"q", "a", "", "notFound"},
		{"p", "b", "", "notFound"},
	} {
		_, err := js.find(tt.project, tt.id, tt.location)
		if (err == nil) != (tt.reason == "") || err != nil && err.Reason != tt.reason {
			t.Errorf("find(%s, %s, %s): got %v; want %q", tt.project, tt.id, tt.location, err, tt.reason)
		}
	}
	token := PageToken("a", 7)
	if row, err := ParsePageToken(token, "a"); err != nil || row != 7 {
		t.Errorf("a page token: got %d, %v; want 7", row, err)
	}
	if _, err := ParsePageToken(token, "b"); err == nil {
		t.Error("the page token of another job is taken")
	}
}
