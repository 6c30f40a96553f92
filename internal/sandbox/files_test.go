package sandbox

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cloud.google.com/go/bigquery"
	"google.golang.org/api/option"
)

// write puts a file into a new folder.
func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFilesWithoutSignIn(t *testing.T) {
	t.Parallel()
	csv := write(t, "people.csv", "id,name,born,height,seen\n1,Ada,1815-12-10,1.65,2024-01-02 03:04:05\n2,,,,\n")
	ndjson := write(t, "x.ndjson", "{\"a\": 1, \"b\": true}\n{\"a\": 2}\n")
	s := start(t, Config{NoData: true, Open: true, Files: map[string]string{"d.people": csv, "other.e.x": ndjson},
		Projects: map[string][]string{DefaultAccount: {DefaultProject, "other"}}})
	c, err := bigquery.NewClient(t.Context(), DefaultProject, option.WithEndpoint(s.Endpoint()+"/bigquery/v2/"),
		option.WithoutAuthentication())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for sql, want := range map[string]string{
		"SELECT * FROM d.people ORDER BY id": "[[1 Ada 1815-12-10 1.65 2024-01-02T03:04:05] [2 <nil> <nil> <nil> " +
			"<nil>]]",
		"SELECT * FROM other.e.x ORDER BY a": "[[1 true] [2 <nil>]]",
		"SELECT SESSION_USER()":              "[[" + DefaultAccount + "]]",
	} {
		if got := fmt.Sprint(rows(t, c, sql)); got != want {
			t.Errorf("%s: got %s, want %s", sql, got, want)
		}
	}
	for name, header := range map[string][2]string{
		"a page of the web": {"Origin", "https://example.com"},
		"a wrong token":     {"Authorization", "Bearer x"},
	} {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet,
			s.Endpoint()+"/bigquery/v2/projects/"+DefaultProject+"/datasets", nil)
		req.Header.Set(header[0], header[1])
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s: got %d, want 401", name, resp.StatusCode)
		}
	}
}

func TestFilesThatAreNotLoaded(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ table, path, want string }{
		{"d.t", write(t, "a.txt", "a\n1\n"), "no file whose name ends with"},
		{"t", write(t, "a.csv", "a\n1\n"), "is no dataset.table"},
		{"d.t", write(t, "a.csv", "a b\n1\n"), "has a name that the sandbox does not load"},
		{"d.t", write(t, "a.ndjson", `{"a": [[1]]}`), "has the type BIGINT[][]"},
		{"d.t", "/nowhere/a.csv", "nowhere"},
	} {
		s, err := Start(t.Context(), Config{NoData: true, Files: map[string]string{tt.table: tt.path}})
		if err == nil {
			s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %s", tt.path, err, tt.want)
		}
	}
}
