package fakebq

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

func TestBearer(t *testing.T) {
	t.Parallel()
	s := Run(t, Options{
		Projects: []string{"p"},
		Verify:   func(token string) (string, bool) { return "ada@example.com", token == "good" },
	})
	s.On("SELECT people", people())
	for _, tc := range []struct {
		name, header, project string
		status                int
		want                  string
	}{
		{"good", "Bearer good", "p", 200, "queryResponse"},
		{"no token", "", "p", 401, `"reason": "required"`},
		{"bad token", "Bearer bad", "p", 401, `"reason": "authError"`},
		{"other scheme", "Basic good", "p", 401, `"reason": "authError"`},
		{"other project", "Bearer good", "q", 403, "bigquery.jobs.create permission in project q"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL()+"/projects/"+tc.project+"/queries",
			strings.NewReader(`{"query":"SELECT people","useLegacySql":false}`))
		if err != nil {
			t.Fatal(err)
		}
		if tc.header != "" {
			r.Header.Set("Authorization", tc.header)
		}
		status, got := do(t, r)
		if status != tc.status || !strings.Contains(got, tc.want) {
			t.Errorf("%s: got %d %s; want %d and %q", tc.name, status, got, tc.status, tc.want)
		}
	}
	for header, want := range map[string][]string{"": {`Bearer realm="https://accounts.google.com/"`},
		"Bearer x": {""}} {
		w := ask(t, s, "", http.Header{"Authorization": {header}})
		if got := w.Header()["Www-Authenticate"]; !slices.Equal(got, want) {
			t.Errorf("%q: got the challenge %q; want %q", header, got, want)
		}
	}
	log := s.Requests(Query)
	if log[0].Email != "ada@example.com" || log[1].Email != "" || log[0].Header.Get("Authorization") != "Bearer good" {
		t.Errorf("got emails %q and %q; want Ada's and none", log[0].Email, log[1].Email)
	}
	q, err := log[0].QueryRequest()
	if err != nil || q.Query != "SELECT people" {
		t.Errorf("QueryRequest: got %+v, %v", q, err)
	}
}
