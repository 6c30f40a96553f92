package fakegoogle

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/bigqueryuser/bigqueryuser/internal/fakecert"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	testID       = "1234567890-fake.apps.googleusercontent.com"
	testSecret   = "GOCSPX-fake-client-secret"
	testVerifier = "0123456789-0123456789-0123456789-0123456789"
	scopeBQ      = "https://www.googleapis.com/auth/bigquery"
	scopeDrive   = "https://www.googleapis.com/auth/drive.readonly"
)

var testClient = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

// app is a minimal client: it receives callbacks and posts forms.
type app struct {
	t        *testing.T
	s        *Server
	redirect string
	got      chan url.Values
}

func newApp(t *testing.T, opts Options) *app {
	t.Helper()
	s := New(opts)
	if _, err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	a := &app{t: t, s: s, got: make(chan url.Values, 1)}
	hs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.got <- r.URL.Query()
	}))
	t.Cleanup(hs.Close)
	a.redirect = hs.URL + "/cb"
	return a
}

func (a *app) authURL(edit func(url.Values)) string {
	sum := sha256.Sum256([]byte(testVerifier))
	q := url.Values{
		"client_id": {testID}, "redirect_uri": {a.redirect}, "response_type": {"code"},
		"scope": {scopeBQ}, "state": {"st"}, "access_type": {"offline"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}
	if edit != nil {
		edit(q)
	}
	return a.s.URL() + "/o/oauth2/v2/auth?" + q.Encode()
}

func (a *app) consent(edit func(url.Values), email string) url.Values {
	a.t.Helper()
	if err := Consent(context.Background(), testClient, a.authURL(edit), email); err != nil {
		a.t.Fatal(err)
	}
	return <-a.got
}

func (a *app) post(path string, form url.Values) (int, map[string]any) {
	a.t.Helper()
	resp, err := testClient.PostForm(a.s.URL()+path, form)
	if err != nil {
		a.t.Fatal(err)
	}
	defer resp.Body.Close()
	var body map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&body); err != nil {
		a.t.Fatal(err)
	}
	return resp.StatusCode, body
}

func (a *app) codeForm(code string) url.Values {
	return url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "client_id": {testID}, "client_secret": {testSecret},
		"redirect_uri": {a.redirect}, "code_verifier": {testVerifier},
	}
}

func refreshForm(token string) url.Values {
	return url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}, "client_id": {testID},
		"client_secret": {testSecret}}
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	a := newApp(t, Options{})
	cb := a.consent(nil, "")
	if cb.Get("state") != "st" || cb.Get("iss") != a.s.URL() || cb.Get("scope") != scopeBQ {
		t.Errorf("callback parameters are %v", cb)
	}
	status, tok := a.post("/token", a.codeForm(cb.Get("code")))
	if status != 200 || tok["token_type"] != "Bearer" || tok["refresh_token"] == nil || tok["id_token"] != nil {
		t.Fatalf("exchange: got %d %v", status, tok)
	}
	g, ok := a.s.Verify(tok["access_token"].(string))
	if !ok || g.Email != "ada@example.com" || g.ClientID != testID {
		t.Errorf("Verify: got %+v, %v", g, ok)
	}
	if status, body := a.post("/token", a.codeForm(cb.Get("code"))); status != 400 ||
		body["error"] != "invalid_grant" {
		t.Errorf("second use of the code: got %d %v; want 400 invalid_grant", status, body)
	}
	status, next := a.post("/token", refreshForm(tok["refresh_token"].(string)))
	if status != 200 || next["access_token"] == tok["access_token"] || next["refresh_token"] != nil {
		t.Errorf("refresh: got %d %v", status, next)
	}
	if status, _ := a.post("/revoke", url.Values{"token": {tok["refresh_token"].(string)}}); status != 200 {
		t.Errorf("revoke: got %d; want 200", status)
	}
	if _, ok := a.s.Verify(next["access_token"].(string)); ok {
		t.Error("the access token survived the revocation")
	}
	if status, body := a.post("/token", refreshForm(tok["refresh_token"].(string))); status != 400 ||
		body["error"] != "invalid_grant" {
		t.Errorf("refresh after revoke: got %d %v; want 400 invalid_grant", status, body)
	}
	want := Counts{AuthPages: 1, Consents: 1, Exchanges: 2, Refreshes: 2, Revokes: 1}
	if got := a.s.Counts(); got != want {
		t.Errorf("Counts: got %+v; want %+v", got, want)
	}
}

func TestExchangeChecks(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		edit   func(*app, url.Values)
		status int
		code   string
	}{
		{"wrong verifier", func(_ *app, f url.Values) { f.Set("code_verifier", strings.Repeat("x", 43)) }, 400,
			"invalid_grant"},
		{"no verifier", func(_ *app, f url.Values) { f.Del("code_verifier") }, 400, "invalid_grant"},
		{"other redirect", func(_ *app, f url.Values) { f.Set("redirect_uri", f.Get("redirect_uri")+"/") }, 400,
			"redirect_uri_mismatch"},
		{"wrong secret", func(_ *app, f url.Values) { f.Set("client_secret", "no") }, 401, "invalid_client"},
		{"unknown client", func(_ *app, f url.Values) { f.Set("client_id", "no") }, 401, "invalid_client"},
		{"unknown code", func(_ *app, f url.Values) { f.Set("code", "no") }, 400, "invalid_grant"},
		{"no secret", func(_ *app, f url.Values) { f.Del("client_secret") }, 200, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := newApp(t, Options{})
			form := a.codeForm(a.consent(nil, "").Get("code"))
			tt.edit(a, form)
			status, body := a.post("/token", form)
			if code, _ := body["error"].(string); status != tt.status || code != tt.code {
				t.Errorf("got %d %q; want %d %q", status, code, tt.status, tt.code)
			}
		})
	}
}

func TestCodeExpires(t *testing.T) {
	t.Parallel()
	now := time.Now()
	a := newApp(t, Options{Now: func() time.Time { return now }})
	form := a.codeForm(a.consent(nil, "").Get("code"))
	now = now.Add(codeLife)
	if status, body := a.post("/token", form); status != 400 || body["error"] != "invalid_grant" {
		t.Errorf("got %d %v; want 400 invalid_grant", status, body)
	}
}

func TestAuthPageRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		edit func(url.Values)
	}{
		{"plain challenge", func(q url.Values) { q.Set("code_challenge_method", "plain") }},
		{"no challenge", func(q url.Values) { q.Del("code_challenge") }},
		{"foreign redirect", func(q url.Values) { q.Set("redirect_uri", "http://192.0.2.1/cb") }},
		{"out of band", func(q url.Values) { q.Set("redirect_uri", "urn:ietf:wg:oauth:2.0:oob") }},
		{"unknown client", func(q url.Values) { q.Set("client_id", "no") }},
		{"repeated parameter", func(q url.Values) { q.Add("state", "again") }},
		{"no scope", func(q url.Values) { q.Del("scope") }},
	}
	a := newApp(t, Options{})
	for _, tt := range tests {
		if err := Consent(t.Context(), testClient, a.authURL(tt.edit), ""); err == nil {
			t.Errorf("%s: the consent page was shown", tt.name)
		}
	}
}

func TestDeny(t *testing.T) {
	t.Parallel()
	a := newApp(t, Options{})
	if err := Deny(t.Context(), testClient, a.authURL(nil)); err != nil {
		t.Fatal(err)
	}
	if cb := <-a.got; cb.Get("error") != "access_denied" || cb.Get("state") != "st" || cb.Has("code") {
		t.Errorf("callback parameters are %v", cb)
	}
}

func TestAccountsAndIDToken(t *testing.T) {
	t.Parallel()
	a := newApp(t, Options{Accounts: []Account{
		{Email: "ada@example.com", Sub: "1"}, {Email: "bob@corp.example", Sub: "2", HostedDomain: "corp.example"},
	}})
	cb := a.consent(func(q url.Values) { q.Set("scope", "openid email "+scopeBQ) }, "bob@corp.example")
	if cb.Get("hd") != "corp.example" {
		t.Errorf("hd: got %q; want corp.example", cb.Get("hd"))
	}
	_, tok := a.post("/token", a.codeForm(cb.Get("code")))
	parts := strings.Split(tok["id_token"].(string), ".")
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(raw, &claims); err != nil {
		t.Fatal(err)
	}
	if claims["email"] != "bob@corp.example" || claims["hd"] != "corp.example" || claims["aud"] != testID {
		t.Errorf("claims are %v", claims)
	}
	if err := Consent(t.Context(), testClient, a.authURL(nil), "eve@example.com"); err == nil {
		t.Error("an unknown account could consent")
	}
}

func TestRotation(t *testing.T) {
	t.Parallel()
	a := newApp(t, Options{RotateRefreshTokens: true})
	_, tok := a.post("/token", a.codeForm(a.consent(nil, "").Get("code")))
	first := tok["refresh_token"].(string)
	_, tok = a.post("/token", refreshForm(first))
	if tok["refresh_token"] == nil || tok["refresh_token"] == first {
		t.Error("the refresh token was not replaced")
	}
	if status, _ := a.post("/token", refreshForm(first)); status != 400 {
		t.Errorf("second use of a refresh token: got %d; want 400", status)
	}
}

func TestStateSurvives(t *testing.T) {
	t.Parallel()
	a := newApp(t, Options{})
	_, tok := a.post("/token", a.codeForm(a.consent(nil, "").Get("code")))
	data, err := a.s.State()
	if err != nil {
		t.Fatal(err)
	}
	b := newApp(t, Options{})
	if err := b.s.Restore(data); err != nil {
		t.Fatal(err)
	}
	if _, ok := b.s.Verify(tok["access_token"].(string)); !ok {
		t.Error("the access token is unknown after Restore")
	}
	if status, _ := b.post("/token", refreshForm(tok["refresh_token"].(string))); status != 200 {
		t.Errorf("refresh after Restore: got %d; want 200", status)
	}
	if err := b.s.Restore([]byte(`{"version": 99}`)); err == nil {
		t.Error("a state of version 99 was accepted")
	}
}

func TestScriptedFaults(t *testing.T) {
	t.Parallel()
	a := newApp(t, Options{})
	_, tok := a.post("/token", a.codeForm(a.consent(nil, "").Get("code")))
	form := refreshForm(tok["refresh_token"].(string))
	a.s.ScriptToken(ErrorReply(400, "invalid_grant", "invalid_rapt"), Reply{Reset: true})
	if status, body := a.post("/token", form); status != 400 || body["error_subtype"] != "invalid_rapt" {
		t.Errorf("first reply: got %d %v", status, body)
	}
	if _, err := testClient.PostForm(a.s.URL()+"/token", form); err == nil {
		t.Error("second reply: got an answer; want a reset")
	}
	if status, _ := a.post("/token", form); status != 200 {
		t.Errorf("third reply: got %d; want 200", status)
	}
}

// TestHTTP2: the server speaks HTTP/2, and its faults end streams there.
func TestHTTP2(t *testing.T) {
	t.Parallel()
	s := New(Options{HTTP2: true})
	if _, err := s.Start(); err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: fakecert.Client(), ForceAttemptHTTP2: true}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		s.Close()
	})
	client := &http.Client{Transport: transport}
	s.ScriptToken(Reply{Reset: true}, Reply{Status: 200, Body: "0123456789", Cut: true})
	if resp, err := client.PostForm(s.URL()+"/token", nil); err == nil {
		resp.Body.Close()
		t.Error("Reset: got an answer")
	}
	resp, err := client.PostForm(s.URL()+"/token", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if resp.ProtoMajor != 2 || string(body) != "01234" || err == nil {
		t.Errorf("Cut: got HTTP/%d, %q, %v; want HTTP/2, the first half and an error", resp.ProtoMajor, body, err)
	}
}

func TestClientSecrets(t *testing.T) {
	t.Parallel()
	s := New(Options{})
	s.SetURL("http://127.0.0.1:9/")
	var file map[string]map[string]any
	if err := json.Unmarshal(s.ClientSecrets(), &file); err != nil {
		t.Fatal(err)
	}
	c := file["installed"]
	if c["client_id"] != testID || c["client_secret"] != testSecret || c["token_uri"] != "http://127.0.0.1:9/token" {
		t.Errorf("got %v", c)
	}
}
