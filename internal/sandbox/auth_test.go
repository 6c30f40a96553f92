package sandbox

import (
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/fakegoogle"
)

func listenLoopback(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

const anyQuery = `{"query": "SELECT 1", "useLegacySql": false}`

func TestTokenIsNeeded(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	clock := &now
	s := start(t, Config{NoData: true, Google: fakegoogle.Options{Now: func() time.Time { return *clock }}})
	good := signIn(t, s, DefaultAccount).AccessToken
	readOnly := signIn(t, s, DefaultAccount, scopeBigQueryRead).AccessToken
	drive := signIn(t, s, DefaultAccount, "https://www.googleapis.com/auth/drive.readonly").AccessToken
	jobs := "/bigquery/v2/projects/" + DefaultProject + "/jobs"
	tests := []struct {
		name, token, method, path string
		status                    int
		reason, challenge         string
	}{
		{"no token", "", "POST", queryPath(DefaultProject), 401, "required",
			`Bearer realm="https://accounts.google.com/"`},
		{"unknown token", "nonsense", "POST", queryPath(DefaultProject), 401, "authError", `error="invalid_token"`},
		{"no token, unknown method", "", "GET", "/bigquery/v2/nosuch", 401, "required", "Bearer"},
		{"good token, unknown method", good, "GET", "/bigquery/v2/nosuch", 404, "notFound", ""},
		{"wrong scope", drive, "POST", queryPath(DefaultProject), 403, "insufficientPermissions",
			`error="insufficient_scope"`},
		{"read scope for a list", readOnly, "GET", jobs, 200, "", ""},
		{"read scope for a job", readOnly, "POST", jobs, 403, "insufficientPermissions", `error="insufficient_scope"`},
		{"project without rights", good, "POST", queryPath("somebody-elses"), 403, "accessDenied", ""},
		{"public data pays for nothing", good, "POST", queryPath("bigquery-public-data"), 403, "accessDenied", ""},
	}
	for _, tt := range tests {
		status, header, body := call(t, s, tt.token, tt.method, tt.path, anyQuery)
		reason, message := reasonOf(body)
		if status != tt.status || reason != tt.reason {
			t.Errorf("%s: got %d %q (%s); want %d %q", tt.name, status, reason, message, tt.status, tt.reason)
		}
		if got := header.Get("WWW-Authenticate"); !strings.Contains(got, tt.challenge) ||
			(tt.challenge == "") != (got == "") {
			t.Errorf("%s: got WWW-Authenticate %q; want one with %q", tt.name, got, tt.challenge)
		}
	}
	now = now.Add(2 * time.Hour)
	status, _, body := call(t, s, good, "POST", queryPath(DefaultProject), anyQuery)
	if reason, _ := reasonOf(body); status != http.StatusUnauthorized || reason != "authError" {
		t.Errorf("expired token: got %d %q; want 401 authError", status, reason)
	}
}

func TestQuotaProject(t *testing.T) {
	t.Parallel()
	s := start(t, Config{NoData: true})
	tok := signIn(t, s, DefaultAccount).AccessToken
	for project, want := range map[string]int{DefaultProject: 200, "somebody-elses": 403} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.Endpoint()+"/bigquery/v2/projects", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+tok)
		req.Header.Set("X-Goog-User-Project", project)
		resp, err := quietClient(t).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("quota project %s: got status %d; want %d", project, resp.StatusCode, want)
		}
	}
}

func TestRevokedGrant(t *testing.T) {
	t.Parallel()
	s := start(t, Config{NoData: true})
	tok := signIn(t, s, DefaultAccount).AccessToken
	if status, _, _ := call(t, s, tok, "GET", "/bigquery/v2/projects", ""); status != 200 {
		t.Fatalf("before: got status %d; want 200", status)
	}
	s.Google().RevokeAccount(DefaultAccount)
	if status, _, _ := call(t, s, tok, "GET", "/bigquery/v2/projects", ""); status != 401 {
		t.Errorf("after: got status %d; want 401", status)
	}
}
