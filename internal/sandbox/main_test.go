package sandbox

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"cloud.google.com/go/bigquery"
	"go.uber.org/goleak"
	"golang.org/x/oauth2"
	bq "google.golang.org/api/bigquery/v2"
	"google.golang.org/api/option"

	"github.com/bigqueryuser/bigqueryuser/internal/fakegoogle"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// managedwriter sleeps 20 minutes to learn that a connection it has closed is closed.
		goleak.IgnoreAnyFunction("cloud.google.com/go/bigquery/storage/managedwriter.(*connection).getStream.func1"),
		goleak.IgnoreTopFunction("go.opencensus.io/stats/view.(*worker).start")) // that it imports
}

// start makes a sandbox that closes with the test.
func start(t testing.TB, cfg Config) *Server {
	t.Helper()
	s, err := Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

// signIn gets a token for a user through the sandbox's own consent page.
func signIn(t testing.TB, s *Server, email string, scopes ...string) *oauth2.Token {
	t.Helper()
	if len(scopes) == 0 {
		scopes = []string{scopeBigQuery}
	}
	codes := make(chan string, 1)
	callback := &http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter,
		r *http.Request) {
		codes <- r.URL.Query().Get("code")
	})}
	listener := listenLoopback(t)
	go func() { _ = callback.Serve(listener) }()
	defer callback.Close()
	conf := clientConfig(t, s)
	conf.Scopes, conf.RedirectURL = scopes, "http://"+listener.Addr().String()+"/callback"
	verifier := oauth2.GenerateVerifier()
	address := conf.AuthCodeURL("state-for-the-test", oauth2.AccessTypeOffline, oauth2.S256ChallengeOption(verifier),
		oauth2.SetAuthURLParam("prompt", "consent"))
	if err := fakegoogle.Consent(t.Context(), nil, address, email); err != nil {
		t.Fatal(err)
	}
	client := quietClient(t)
	tok, err := conf.Exchange(context.WithValue(t.Context(), oauth2.HTTPClient, client), <-codes,
		oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// clientConfig reads the sandbox's client_secrets.json.
func clientConfig(t testing.TB, s *Server) oauth2.Config {
	t.Helper()
	var secrets struct {
		Installed struct {
			ID       string `json:"client_id"`
			Secret   string `json:"client_secret"`
			AuthURI  string `json:"auth_uri"`
			TokenURI string `json:"token_uri"`
		}
	}
	if err := json.Unmarshal(s.ClientSecrets(), &secrets); err != nil {
		t.Fatal(err)
	}
	in := secrets.Installed
	return oauth2.Config{
		ClientID: in.ID, ClientSecret: in.Secret,
		Endpoint: oauth2.Endpoint{AuthURL: in.AuthURI, TokenURL: in.TokenURI, AuthStyle: oauth2.AuthStyleInParams},
	}
}

// quietClient leaves no connection behind.
func quietClient(t testing.TB) *http.Client {
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// authorized is a client that carries a token.
func authorized(t testing.TB, tok *oauth2.Token) *http.Client {
	c := quietClient(t)
	c.Transport = &oauth2.Transport{Source: oauth2.StaticTokenSource(tok), Base: c.Transport}
	return c
}

// rest is the generated REST client of a user.
func rest(t testing.TB, s *Server, tok *oauth2.Token) *bq.Service {
	t.Helper()
	svc, err := bq.NewService(t.Context(), option.WithHTTPClient(authorized(t, tok)),
		option.WithEndpoint(s.Endpoint()+"/bigquery/v2/"))
	if err != nil {
		t.Fatal(err)
	}
	return svc
}

// official is the official Go client of a user in a project.
func official(t testing.TB, s *Server, tok *oauth2.Token, project string) *bigquery.Client {
	t.Helper()
	c, err := bigquery.NewClient(t.Context(), project, option.WithHTTPClient(authorized(t, tok)),
		option.WithEndpoint(s.Endpoint()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// call sends a raw request and returns the status, the header and the body.
func call(t testing.TB, s *Server, tok, method, path, body string) (int, http.Header, map[string]any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.Endpoint()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if tok != "" {
		req.Header.Set("Authorization", "Bearer "+tok)
	}
	resp, err := quietClient(t).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var out map[string]any
	if resp.StatusCode != http.StatusNoContent {
		if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
			t.Fatalf("%s %s: %v", method, path, err)
		}
	}
	return resp.StatusCode, resp.Header, out
}

// reasonOf is the reason and the message of an error body.
func reasonOf(body map[string]any) (reason, message string) {
	e, _ := body["error"].(map[string]any)
	list, _ := e["errors"].([]any)
	if len(list) == 0 {
		return "", ""
	}
	first, _ := list[0].(map[string]any)
	reason, _ = first["reason"].(string)
	message, _ = e["message"].(string)
	return reason, message
}

func queryPath(project string) string {
	return "/bigquery/v2/projects/" + url.PathEscape(project) + "/queries"
}

// exec runs GoogleSQL as the sandbox's owner.
func exec(t testing.TB, s *Server, statements ...string) {
	t.Helper()
	if err := s.Exec(t.Context(), DefaultProject, statements...); err != nil {
		t.Fatal(err)
	}
}

// count is the number of rows of a dataset.table of the default project.
func count(t testing.TB, s *Server, name string) int64 {
	t.Helper()
	dataset, tbl, _ := strings.Cut(name, ".")
	found := s.catalog.Table(googlesql.TableName{Project: DefaultProject, Dataset: dataset, Table: tbl})
	if found == nil {
		t.Fatalf("no table %s", name)
	}
	n, _, err := s.catalog.TableSize(t.Context(), found)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// fakeClock is a clock that stands still until it is moved.
type fakeClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *fakeClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *fakeClock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}
