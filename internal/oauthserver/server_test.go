package oauthserver

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"html/template"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/ory/fosite"
	"github.com/ory/fosite/compose"
	"github.com/ory/fosite/handler/openid"
	"github.com/ory/fosite/storage"
	"github.com/ory/fosite/token/jwt"
	"golang.org/x/crypto/bcrypt"

	"github.com/bigqueryuser/bigqueryuser/auth"
)

const (
	clientID = "fosite-client"
	secret   = "fosite-client-secret"
	email    = "ada@example.com"
)

// server is an authorization server on a loopback port.
type server struct {
	*httptest.Server
	provider fosite.OAuth2Provider
	store    *storage.MemoryStore
	scripted bool // the consent page presses its own button, for a real browser

	mu    sync.Mutex
	seen  []url.Values // authorization requests
	forms []url.Values // token requests
}

func newServer(t *testing.T, scripted bool) *server {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(secret), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	s := &server{store: storage.NewMemoryStore(), scripted: scripted}
	s.store.Clients[clientID] = &fosite.DefaultClient{
		ID: clientID, Secret: hash,
		RedirectURIs:  []string{"http://127.0.0.1/oauth2/callback"}, // of any port (RFC 8252, section 7.3)
		ResponseTypes: []string{"code"},
		GrantTypes:    []string{"authorization_code", "refresh_token"},
		Scopes:        []string{auth.ScopeBigQuery, "openid", "https://www.googleapis.com/auth/userinfo.email"},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/auth", s.authorize)
	mux.HandleFunc("POST /token", s.token)
	mux.HandleFunc("POST /revoke", s.revoke)
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	s.provider = compose.ComposeAllEnabled(&fosite.Config{
		GlobalSecret:               []byte("a secret of the server, 32 bytes"),
		IDTokenIssuer:              s.URL,
		TokenURL:                   s.URL + "/token",
		AccessTokenLifespan:        time.Hour,
		EnforcePKCE:                true,
		RefreshTokenScopes:         []string{},
		HashCost:                   bcrypt.MinCost,
		ScopeStrategy:              fosite.ExactScopeStrategy,
		AllowedPromptValues:        []string{"consent", "select_account"},
		SendDebugMessagesToClients: true,
	}, s.store, key)
	return s
}

// client is the client_secrets.json of the server's client.
func (s *server) client(t *testing.T) *auth.Client {
	t.Helper()
	file, err := json.Marshal(map[string]any{"installed": map[string]any{
		"client_id": clientID, "client_secret": secret, "auth_uri": s.URL + "/auth", "token_uri": s.URL + "/token",
	}})
	if err != nil {
		t.Fatal(err)
	}
	c, err := auth.ParseClient(file)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var consentPage = template.Must(template.New("consent").Parse(`<!doctype html>
<title>Consent</title>
<form method="post" action="/auth?{{.Query}}">
<button type="submit" name="decision" value="allow">Allow</button>
</form>
{{if .Scripted}}<script>document.querySelector("button").click()</script>{{end}}
`))

// authorize shows the consent page, and answers its form.
func (s *server) authorize(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	if r.Method == http.MethodGet {
		consentPage.Execute(w, map[string]any{"Query": template.URL(r.URL.RawQuery), "Scripted": s.scripted})
		return
	}
	s.mu.Lock()
	s.seen = append(s.seen, r.URL.Query())
	s.mu.Unlock()
	request, err := s.provider.NewAuthorizeRequest(ctx, r)
	if err != nil {
		s.provider.WriteAuthorizeError(ctx, w, request, err)
		return
	}
	if err := r.ParseForm(); err != nil || r.PostForm.Get("decision") != "allow" {
		s.provider.WriteAuthorizeError(ctx, w, request, fosite.ErrAccessDenied)
		return
	}
	for _, scope := range request.GetRequestedScopes() {
		request.GrantScope(scope)
	}
	session := openid.NewDefaultSession()
	session.Subject = "1001"
	session.Claims = &jwt.IDTokenClaims{
		Subject: "1001", RequestedAt: time.Now(), AuthTime: time.Now(),
		Extra: map[string]any{"email": email, "email_verified": true},
	}
	answer, err := s.provider.NewAuthorizeResponse(ctx, request, session)
	if err != nil {
		s.provider.WriteAuthorizeError(ctx, w, request, err)
		return
	}
	s.provider.WriteAuthorizeResponse(ctx, w, request, answer)
}

func (s *server) token(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	request, err := s.provider.NewAccessRequest(ctx, r, openid.NewDefaultSession())
	s.mu.Lock()
	s.forms = append(s.forms, r.PostForm)
	s.mu.Unlock()
	if err != nil {
		s.provider.WriteAccessError(ctx, w, request, err)
		return
	}
	answer, err := s.provider.NewAccessResponse(ctx, request)
	if err != nil {
		s.provider.WriteAccessError(ctx, w, request, err)
		return
	}
	s.provider.WriteAccessResponse(ctx, w, request, answer)
}

func (s *server) revoke(w http.ResponseWriter, r *http.Request) {
	s.provider.WriteRevocationResponse(r.Context(), w, s.provider.NewRevocationRequest(r.Context(), r))
}

// requests are the token requests so far.
func (s *server) requests() []url.Values {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]url.Values(nil), s.forms...)
}

// follow opens a start page and returns the browser that did, and where it was sent.
func follow(t *testing.T, start string) (*http.Client, *url.URL) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	first := &http.Client{Jar: jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := first.Get(start)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	to, err := resp.Location()
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar}, to
}
