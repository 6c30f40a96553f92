package auth

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/fakegoogle"
)

// auth=adc reads them, if they are a user's.
func TestDefaultCredentials(t *testing.T) {
	t.Parallel()
	r := newRig(t, fakegoogle.Options{})
	a := r.signIn(nil)
	rec, err := r.cfg.Store.Get(t.Context(), a.key)
	must(t, err)
	dir := t.TempDir()
	path := filepath.Join(dir, "application_default_credentials.json")
	getenv := func(key string) string {
		if key == "CLOUDSDK_CONFIG" {
			return dir
		}
		return ""
	}
	load := func() (*DefaultCredentials, error) {
		return credentialsLoader{getenv: getenv, tokenURL: r.cfg.Client.tokenURL}.load()
	}
	if _, err := load(); err == nil || !strings.Contains(err.Error(), "gcloud auth application-default login") {
		t.Errorf("no file: got %v; want what to run", err)
	}
	file, err := json.Marshal(map[string]string{
		"type": "authorized_user", "client_id": r.cfg.Client.id, "client_secret": r.cfg.Client.secret,
		"refresh_token": rec.RefreshToken, "quota_project_id": "q", "account": "ada@example.com",
	})
	must(t, err)
	must(t, os.WriteFile(path, file, 0o600))
	creds, err := load()
	must(t, err)
	if creds.QuotaProject() != "q" || creds.Account() != "ada@example.com" {
		t.Errorf("got %q, %q", creds.QuotaProject(), creds.Account())
	}
	r.sweep("DefaultCredentials", forms(creds))
	creds.now = r.clock.Now
	first, err := creds.Token()
	must(t, err)
	if _, ok := r.google.Verify(first.AccessToken); !ok {
		t.Error("the token is not good")
	}
	again, err := creds.Token()
	must(t, err)
	if again.AccessToken != first.AccessToken {
		t.Error("two requests for two tokens")
	}
	creds.Invalidate(first.AccessToken)
	second, err := creds.Token()
	must(t, err)
	if second.AccessToken == first.AccessToken {
		t.Error("the refused token came again")
	}
	r.google.RevokeAccount("ada@example.com")
	r.clock.Add(2 * time.Hour)
	if _, err := creds.Token(); err == nil ||
		!strings.Contains(err.Error(), "gcloud auth application-default login") {
		t.Errorf("after the revocation: got %v; want what to run", err)
	}
	for content, want := range map[string]string{
		`{"type": "service_account"}`:                   "service_account",
		`{"type": "authorized_user"}`:                   "no client_id",
		`{"type": "authorized_user", "client_id": "x"}`: "no refresh_token",
		`{`: "not valid JSON",
		`{"type": "authorized_user", "client_id": "x", "refresh_token": "y", ` +
			`"universe_domain": "z.example"}`: "universe",
	} {
		must(t, os.WriteFile(path, []byte(content), 0o600))
		if _, err := load(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v; want an error with %q", content, err, want)
		}
	}
}

// S53: the file is found once, and no other one is looked at.
func TestDefaultCredentialsPath(t *testing.T) {
	t.Parallel()
	home, config := t.TempDir(), t.TempDir()
	const name = "application_default_credentials.json"
	must(t, os.MkdirAll(filepath.Join(home, ".config", "gcloud"), 0o700))
	for id, path := range map[string]string{
		"of-gcloud": filepath.Join(home, ".config", "gcloud", name),
		"of-config": filepath.Join(config, name),
	} {
		file := `{"type": "authorized_user", "client_id": "` + id + `", "refresh_token": "y"}`
		must(t, os.WriteFile(path, []byte(file), 0o600))
	}
	tests := []struct {
		name, variable, dir string
		want                string // the client id; "" is an error
	}{
		{"gcloud's", "", "", "of-gcloud"},
		{"CLOUDSDK_CONFIG", "", config, "of-config"},
		{"the variable first", filepath.Join(config, name), home, "of-config"},
		{"an empty CLOUDSDK_CONFIG folder", "", home, ""},
		{"a variable that names nothing", filepath.Join(home, "none"), config, ""},
		{"a variable that names a folder", home, config, ""},
	}
	for _, tt := range tests {
		if runtime.GOOS == "windows" && tt.name == "gcloud's" {
			continue // there it is in %APPDATA%
		}
		getenv := func(key string) string {
			return map[string]string{"GOOGLE_APPLICATION_CREDENTIALS": tt.variable, "CLOUDSDK_CONFIG": tt.dir,
				"HOME": home}[key]
		}
		got, err := credentialsLoader{getenv: getenv, tokenURL: gcloudTokenURL, machines: true}.load()
		switch {
		case tt.want == "" && !errors.Is(err, ErrClientConfig):
			t.Errorf("%s: got %v; want ErrClientConfig", tt.name, err)
		case tt.want != "" && (err != nil || got.endpoint.client.id != tt.want):
			t.Errorf("%s: got %v, %v; want %s", tt.name, got, err, tt.want)
		}
	}
}

// loadFile loads credentials from a file of the given text, by a client whose
// requests all go to one handler.
func loadFile(t *testing.T, text string, machines bool, handler http.HandlerFunc) (*DefaultCredentials, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "credentials.json")
	must(t, os.WriteFile(path, []byte(text), 0o600))
	getenv := func(key string) string { return map[string]string{"GOOGLE_APPLICATION_CREDENTIALS": path}[key] }
	hc := &http.Client{Transport: roundTripper(func(req *http.Request) (*http.Response, error) {
		rec := httptest.NewRecorder()
		handler(rec, req)
		resp := rec.Result()
		resp.Request = req
		return resp, nil
	})}
	return credentialsLoader{httpClient: hc, getenv: getenv, tokenURL: gcloudTokenURL, machines: machines,
		scopes: []string{ScopeBigQuery}}.load()
}

const workforceFile = `{"type": "external_account_authorized_user", "client_id": "workforce-client",
	"client_secret": "workforce-secret", "refresh_token": "workforce-refresh-token", "quota_project_id": "q",
	"audience": "//iam.googleapis.com/locations/global/workforcePools/pool/providers/idp",
	"token_url": "https://sts.googleapis.com/v1/oauthtoken",
	"token_info_url": "https://sts.googleapis.com/v1/introspect"}`

// Users of a workforce identity pool are users: gcloud writes another type
// for them.
func TestWorkforceCredentials(t *testing.T) {
	t.Parallel()
	refused := false
	creds, err := loadFile(t, workforceFile, false, func(w http.ResponseWriter, r *http.Request) {
		id, secret, ok := r.BasicAuth()
		must(t, r.ParseForm())
		if r.URL.String() != "https://sts.googleapis.com/v1/oauthtoken" || !ok || id != "workforce-client" ||
			secret != "workforce-secret" || r.PostForm.Get("refresh_token") != "workforce-refresh-token" ||
			r.PostForm.Get("grant_type") != "refresh_token" || r.PostForm.Has("client_secret") {
			t.Errorf("request to %s, client %q, form %v", r.URL, id, r.PostForm)
		}
		w.Header().Set("Content-Type", "application/json")
		if refused {
			w.WriteHeader(400)
			io.WriteString(w, `{"error": "invalid_grant", "error_description": "workforce-refresh-token expired"}`)
			return
		}
		io.WriteString(w, `{"access_token": "ya29.workforce", "token_type": "Bearer", "expires_in": 3600}`)
	})
	must(t, err)
	tok, err := creds.Token()
	must(t, err)
	if tok.AccessToken != "ya29.workforce" || creds.QuotaProject() != "q" {
		t.Errorf("got token %q, quota project %q", tok.AccessToken, creds.QuotaProject())
	}
	refused = true
	creds.Invalidate("ya29.workforce")
	_, err = creds.Token()
	if !errors.Is(err, ErrConsentRequired) ||
		!strings.Contains(err.Error(), "gcloud auth application-default login") ||
		strings.Contains(err.Error(), "workforce-refresh-token") {
		t.Errorf("after the end: got %v; want ErrConsentRequired, what to run, and no token", err)
	}
	if text := fmt.Sprintf("%v %+v %#v", creds, creds, creds); strings.Contains(text, "workforce-secret") {
		t.Errorf("the credentials print a secret: %s", text)
	}
}

// S53: the types and addresses of credential files.
func TestCredentialAddresses(t *testing.T) {
	t.Parallel()
	workforce := func(token string) string {
		return strings.Replace(workforceFile, "https://sts.googleapis.com/v1/oauthtoken", token, 1)
	}
	const (
		to   = "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/a@b.example:generateAccessToken"
		user = `{"type": "authorized_user", "client_id": "x", "client_secret": "s", "refresh_token": "y"}`
	)
	external := func(edits ...string) string {
		return strings.NewReplacer(edits...).Replace(`{"type": "external_account", "audience": "//iam.googleapis.com/x",
			"subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
			"token_url": "https://sts.googleapis.com/v1/token",
			"service_account_impersonation_url": "` + to + `",
			"credential_source": {"url": "http://169.254.169.254/token"}}`)
	}
	impersonated := func(source, to string) string {
		return `{"type": "impersonated_service_account", "service_account_impersonation_url": "` + to +
			`", "source_credentials": ` + source + `}`
	}
	tests := []struct {
		name, file string
		want       string // part of the error; "" is accepted
	}{
		{"workforce", workforceFile, ""},
		{"workforce, other host", workforce("https://evil.example/v1/oauthtoken"), "token_url"},
		{"workforce, loopback", workforce("http://127.0.0.1:1/v1/oauthtoken"), "token_url"},
		{"workforce, host with more", workforce("https://sts.googleapis.com.evil.example/v1/oauthtoken"),
			"token_url"},
		{"workforce, query", workforce("https://sts.googleapis.com/v1/oauthtoken?x=y"), "token_url"},
		{"workforce, http", workforce("http://sts.googleapis.com/v1/oauthtoken"), "token_url"},
		{"external", external(), ""},
		{"external, regional", external("https://sts.googleapis.com", "https://sts.europe-west1.rep.googleapis.com"),
			""},
		{"external, other token host", external("https://sts.googleapis.com", "https://sts.evil.example"),
			"token_url"},
		{"external, no token host", external(`"token_url": "https://sts.googleapis.com/v1/token",`, ""), "token_url"},
		{"external, other impersonation", external("https://iamcredentials.googleapis.com", "https://evil.example"),
			"service_account_impersonation_url"},
		{"external, source over http", external("http://169.254.169.254", "http://evil.example"),
			"credential_source.url"},
		{"external, source over https", external("http://169.254.169.254", "https://idp.example"), ""},
		{"impersonated", impersonated(user, to), ""},
		{"impersonated elsewhere", impersonated(user, "https://evil.example/x:generateAccessToken"),
			"service_account_impersonation_url"},
		{"impersonated by a planted file", impersonated(external("https://sts.googleapis.com",
			"https://evil.example"), to),
			"token_url"},
		{"impersonated by nothing", impersonated(`{}`, to), "not supported"},
		{"key with another token_uri", `{"type": "service_account", "token_uri": "https://evil.example/token"}`,
			"token_uri"},
		{"key that is none", `{"type": "service_account", "token_uri": "https://oauth2.googleapis.com/token"}`,
			"no private_key"},
		{"unknown type", `{"type": "something\u202enew"}`, `"something new"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := loadFile(t, tt.file, true,
				func(http.ResponseWriter, *http.Request) { t.Error("a request was made") })
			switch {
			case tt.want == "" && err != nil:
				t.Error(err)
			case tt.want != "" && (!errors.Is(err, ErrClientConfig) || !strings.Contains(err.Error(), tt.want) ||
				strings.Contains(err.Error(), "evil")):
				t.Errorf("got %v; want ErrClientConfig with %q that does not quote the file", err, tt.want)
			}
			if _, err := loadFile(t, tt.file, false, nil); !strings.HasPrefix(tt.name, "workforce") &&
				!errors.Is(err, ErrNotUserCredential) {
				t.Errorf("LoadDefaultCredentials: got %v; want ErrNotUserCredential", err)
			}
		})
	}
}

// What is not a user's gets its tokens by Google's library, from the bytes
// that were read, and its errors quote no answer.
func TestMachineCredentials(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	file, err := json.Marshal(map[string]string{
		"type": "service_account", "client_email": "robot@example.com",
		"token_uri": "https://oauth2.googleapis.com/token",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY",
			Bytes: x509.MarshalPKCS1PrivateKey(key)})),
	})
	must(t, err)
	refused := false
	creds, err := loadFile(t, string(file), true, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if refused {
			w.WriteHeader(400)
			io.WriteString(w, `{"error": "invalid_grant", "error_description": "Invalid\u202eJWT", "x": "canary"}`)
			return
		}
		io.WriteString(w, `{"access_token": "ya29.robot", "token_type": "Bearer", "expires_in": 3600}`)
	})
	must(t, err)
	tok, err := creds.Token()
	must(t, err)
	if tok.AccessToken != "ya29.robot" {
		t.Errorf("got token %q", tok.AccessToken)
	}
	refused = true
	creds.Invalidate(tok.AccessToken)
	_, err = creds.Token()
	if e, ok := errors.AsType[*Error](err); !ok || e.Code != "invalid_grant" ||
		strings.Contains(err.Error(), "canary") ||
		strings.Contains(err.Error(), "\u202e") {
		t.Errorf("got %v; want an *Error with the code alone", err)
	}
}
