package apierror

import (
	"encoding/json"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// TestReasons holds the sandbox's reasons against those of the scripted BigQuery: status, canonical name and body.
func TestReasons(t *testing.T) {
	t.Parallel()
	known := fakebq.Reasons()
	for _, reason := range slices.Sorted(maps.Keys(Codes)) {
		if !slices.Contains(known, reason) {
			t.Errorf("internal/fakebq does not know the reason %s", reason)
		}
		ours := httptest.NewRecorder()
		Errorf(reason, "m").Write(ours)
		location := ""
		if reason == "invalidQuery" {
			location = "q"
		}
		status, _, body := (&fakebq.Error{Reason: reason, Message: "m", Location: location}).HTTP()
		if ours.Code != status {
			t.Errorf("%s: got status %d; want %d", reason, ours.Code, status)
		}
		if got, want := compact(t, ours.Body.Bytes()), compact(t, body); got != want {
			t.Errorf("%s: got  %s\nwant %s", reason, got, want)
		}
	}
	for _, fact := range fakebq.ErrorFacts() {
		code, ok := Codes[fact.Error.Reason]
		if ok && fact.Job && code != fact.Error.Status {
			t.Errorf("%s: got status %d; want %d", fact.Name, code, fact.Error.Status)
		}
	}
}

// compact returns JSON with its keys in order and without white space.
func compact(t *testing.T, text []byte) string {
	t.Helper()
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// TestReasonsHaveStatus: errorf would send an error without an HTTP status if its reason were not in the table.
func TestReasonsHaveStatus(t *testing.T) {
	t.Parallel()
	var files []string
	for _, pattern := range []string{"../*.go", "../*/*.go"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	call, used := regexp.MustCompile(`\b[eE]rrorf\("([a-zA-Z]+)"`), map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range call.FindAllSubmatch(text, -1) {
			used[string(m[1])] = true
			if Codes[string(m[1])] == 0 {
				t.Errorf("%s: reasonCode has no %s", file, m[1])
			}
		}
	}
	for reason := range Codes {
		if !used[reason] {
			t.Errorf("reasonCode has %s, which the sandbox never sends", reason)
		}
	}
}
