package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// TestShapes holds the answers to each kind of statement to the table of what the service sends.
func TestShapes(t *testing.T) {
	t.Parallel()
	for _, shape := range fakebq.Shapes() {
		switch {
		case shape.Type == "CREATE_VIEW", shape.Type == "CREATE_FUNCTION":
			continue // the sandbox refuses these
		case shape.Phase == fakebq.Incomplete, shape.Phase == fakebq.Inserted:
			continue // these statements end too soon: see TestRunningShapes
		}
		t.Run(fmt.Sprint(shape.Type, " ", shape.Phase), func(t *testing.T) {
			t.Parallel()
			s, tok := signed(t, Config{})
			exec(t, s, "CREATE SCHEMA d", "CREATE TABLE d.t (id INT64, name STRING)",
				"INSERT d.t VALUES (1, 'Ada'), (3, NULL)")
			quoted, err := json.Marshal(shape.SQL)
			if err != nil {
				t.Fatal(err)
			}
			body := fmt.Sprintf(`{"query":%s,"useLegacySql":false,"requestId":"r","defaultDataset":{"datasetId":"d"}}`,
				quoted)
			ask := func(method, path, body string) map[string]any {
				t.Helper()
				status, _, answer := call(t, s, tok.AccessToken, method, path, body)
				if status != http.StatusOK {
					t.Fatalf("%s: got %d %v", path, status, answer)
				}
				return answer
			}
			got := ask(http.MethodPost, queryPath(DefaultProject), body)
			ref, _ := got["jobReference"].(map[string]any)
			switch shape.Phase {
			case fakebq.Duplicate:
				got = ask(http.MethodPost, queryPath(DefaultProject), body)
			case fakebq.Polled:
				got = ask(http.MethodGet, fmt.Sprintf("%s/%v", queryPath(DefaultProject), ref["jobId"]), "")
			case fakebq.Got:
				got = ask(http.MethodGet, fmt.Sprintf("/bigquery/v2/projects/%s/jobs/%v", DefaultProject, ref["jobId"]),
					"")
			}
			for _, wrong := range shape.Check(got) {
				t.Errorf("the answer %s: %v", wrong, got)
			}
		})
	}
}

// TestRunningShapes: what still runs says its kind, its place and its times.
func TestRunningShapes(t *testing.T) {
	t.Parallel()
	s, tok := signed(t, Config{})
	quoted, err := json.Marshal(endless)
	if err != nil {
		t.Fatal(err)
	}
	requests := map[fakebq.Phase][2]string{
		fakebq.Incomplete: {queryPath(DefaultProject), fmt.Sprintf(`{"query":%s,"useLegacySql":false,"timeoutMs":"50"}`,
			quoted)},
		fakebq.Inserted: {"/bigquery/v2/projects/" + DefaultProject + "/jobs",
			fmt.Sprintf(`{"configuration":{"query":{"query":%s,"useLegacySql":false}}}`, quoted)},
	}
	for _, shape := range fakebq.Shapes() {
		request, ok := requests[shape.Phase]
		if !ok || shape.Type != "SELECT" {
			continue
		}
		status, _, got := call(t, s, tok.AccessToken, http.MethodPost, request[0], request[1])
		if status != http.StatusOK {
			t.Fatalf("%s: got %d %v", shape.Phase, status, got)
		}
		for _, wrong := range shape.Check(got) {
			t.Errorf("%s: the answer %s: %v", shape.Phase, wrong, got)
		}
		ref, _ := got["jobReference"].(map[string]any)
		path := fmt.Sprintf("/bigquery/v2/projects/%s/jobs/%v/cancel", DefaultProject, ref["jobId"])
		status, _, got = call(t, s, tok.AccessToken, http.MethodPost, path, "")
		job, _ := got["job"].(map[string]any)
		state, _ := job["status"].(map[string]any)
		if status != http.StatusOK || state["state"] != "RUNNING" && state["state"] != "PENDING" {
			t.Errorf("cancel: got %d %v; want a job that still runs", status, got)
		}
	}
}
