package fakebq

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	bigquery "google.golang.org/api/bigquery/v2"
	"google.golang.org/api/googleapi"
)

// ask sends a statement without a network and gives the answer as it is.
func ask(t testing.TB, s *Server, query string, header http.Header) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/bigquery/v2/projects/p/queries"+query,
		strings.NewReader(`{"query":"SELECT people","useLegacySql":false}`))
	r.Header = header
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

func TestAnswerForms(t *testing.T) {
	t.Parallel()
	s := New(Options{})
	s.On("SELECT people", people())
	plain := ask(t, s, "?prettyPrint=false", nil).Body.String()
	if strings.Contains(plain, "\n") || !strings.Contains(plain, `"rows":[{"f":[{"v":"Ada"},{"v":"1"}]},`+
		`{"f":[{"v":null},{"v":"2"}]}`) {
		t.Errorf("prettyPrint=false: got %s", plain)
	}
	if i, j := strings.Index(plain, `"schema"`), strings.Index(plain, `"rows"`); i > j {
		t.Error("the rows come before the schema; want the service's order")
	}
	pretty := ask(t, s, "", nil).Body.String()
	if !strings.HasPrefix(pretty, "{\n  \"kind\"") {
		t.Errorf("without prettyPrint: got %.40q; want it indented", pretty)
	}
	for _, query := range []string{"", "?prettyPrint=false"} {
		w := ask(t, s, query, http.Header{"Accept-Encoding": {"gzip"}, "User-Agent": {"test (gzip)"}})
		if w.Header().Get("Content-Encoding") != "gzip" {
			t.Fatalf("gzip: got headers %v", w.Header())
		}
		z, err := gzip.NewReader(w.Body)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(z)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(columns(t, []byte(plain)), columns(t, got)); diff != "" {
			t.Errorf("gzip%s: -plain +gzip\n%s", query, diff)
		}
	}
	if w := ask(t, New(Options{NoGzip: true}), "", http.Header{"Accept-Encoding": {"gzip"},
		"User-Agent": {"test (gzip)"}}); w.Header().Get("Content-Encoding") != "" {
		t.Error("NoGzip: got a compressed answer")
	}
	if w := ask(t, s, "", http.Header{"Accept-Encoding": {"gzip"}, "User-Agent": {"test"}}); w.Header().Get(
		"Content-Encoding") != "" {
		t.Error("a User-Agent without gzip: got a compressed answer")
	}

	a := people()
	a.RowsFirst = true
	s.On("SELECT people", a)
	first := ask(t, s, "?prettyPrint=false", nil).Body.Bytes()
	if !bytes.HasPrefix(first, []byte(`{"rows":[`)) {
		t.Errorf("RowsFirst: got %.40s", first)
	}
	if diff := cmp.Diff(columns(t, []byte(plain)), columns(t, first)); diff != "" {
		t.Errorf("RowsFirst: -usual +first\n%s", diff)
	}
}

// columns decodes an answer and keeps what does not differ from job to job.
func columns(t *testing.T, text []byte) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	for k := range m {
		if !slices.Contains([]string{"rows", "schema", "totalRows", "jobComplete", "kind", "statementType"}, k) {
			delete(m, k)
		}
	}
	return m
}

func TestPartialResponse(t *testing.T) {
	t.Parallel()
	s := Run(t, Options{})
	s.On("SELECT people", people())
	svc := rest(t, s)
	full, err := svc.Jobs.Query("p", googleSQL("SELECT people")).Do()
	if err != nil {
		t.Fatal(err)
	}
	id := full.JobReference.JobId
	for _, tc := range []struct {
		fields string
		check  func(*bigquery.GetQueryResultsResponse) bool
	}{
		{"rows", func(r *bigquery.GetQueryResultsResponse) bool {
			return len(r.Rows) == 3 && r.Schema == nil && r.JobReference == nil && !r.JobComplete
		}},
		{"jobComplete,totalRows", func(r *bigquery.GetQueryResultsResponse) bool {
			return r.JobComplete && r.TotalRows == 3 && r.Rows == nil && r.Schema == nil
		}},
		{"schema(fields(name)),jobReference/jobId", func(r *bigquery.GetQueryResultsResponse) bool {
			return len(r.Schema.Fields) == 2 && r.Schema.Fields[0].Name == "name" && r.Schema.Fields[0].Type == "" &&
				r.JobReference.JobId == id && r.JobReference.ProjectId == "" && r.Rows == nil
		}},
		{"*", func(r *bigquery.GetQueryResultsResponse) bool { return len(r.Rows) == 3 && r.Schema != nil }},
	} {
		got, err := svc.Jobs.GetQueryResults("p", id).Fields(googleapi.Field(tc.fields)).Do()
		if err != nil || !tc.check(got) {
			t.Errorf("fields=%s: got %+v, %v", tc.fields, got, err)
		}
	}
	_, err = svc.Jobs.Get("p", "unknown").Fields("status").Do()
	wantError(t, err, 404, "notFound") // errors are never cut
}

func BenchmarkServePage(b *testing.B) {
	fields := []Field{{Name: "i", Type: "INTEGER"}, {Name: "s", Type: "STRING"}}
	table, err := NewTable(fields, 50_000, func(i int) []any { return []any{i, "some text"} })
	if err != nil {
		b.Fatal(err)
	}
	for name, header := range map[string]http.Header{"plain": nil, "gzip": {"Accept-Encoding": {"gzip"},
		"User-Agent": {"test (gzip)"}}} {
		b.Run(name, func(b *testing.B) {
			s := New(Options{})
			s.On("SELECT people", Answer{Table: table})
			for b.Loop() {
				r := httptest.NewRequest(http.MethodPost, "/projects/p/queries?prettyPrint=false",
					strings.NewReader(`{"query":"SELECT people","useLegacySql":false}`))
				r.Header = header
				s.ServeHTTP(discard{http.Header{}}, r)
			}
		})
	}
}
