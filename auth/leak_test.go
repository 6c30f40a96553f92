package auth

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/fakegoogle"
)

// forms prints a value in every way that a program or a logger might.
func forms(v any) string {
	text := fmt.Sprintf("%v %+v %#v %s %q %x", v, v, v, v, v, v)
	if raw, err := json.Marshal(v); err == nil {
		text += string(raw)
	}
	var b strings.Builder
	slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "v", v)
	slog.New(slog.NewTextHandler(&b, nil)).Info("x", "v", v)
	return text + b.String()
}

// T32, S34, S38: no public type shows a secret, however it is printed. What
// is logged is swept after every test that uses a rig.
func TestTypesHideSecrets(t *testing.T) {
	t.Parallel()
	r := newRig(t, fakegoogle.Options{})
	prompts := &promptLog{}
	a := r.signIn(func(c *Config) { c.Prompter = prompts })
	rec, err := r.cfg.Store.Get(t.Context(), a.key)
	must(t, err)
	id, err := a.Identity(t.Context())
	must(t, err)
	prompt := prompts.all()[0]
	for name, v := range map[string]any{
		"Client": r.cfg.Client, "Client by value": *r.cfg.Client, "Config": r.cfg, "Config pointer": &r.cfg,
		"Record": rec, "Record by value": *rec, "list of Records": []Record{*rec},
		"map of Records": map[string]*Record{"x": rec},
		"Authenticator":  a, "in a struct": struct{ A *Authenticator }{a}, "Prompt": prompt, "Prompt pointer": &prompt,
		"Identity": id,
	} {
		r.sweep(name, forms(v))
	}
	if encoded, err := rec.Encode(); err != nil || !strings.Contains(string(encoded), rec.RefreshToken) {
		t.Errorf("Encode has no refresh token (%v)", err)
	}
}

// T32, S36: a server that echoes the request gets none of it into an error.
func TestErrorsHideSecrets(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"application/json", "text/html", "text/plain",
		"application/x-www-form-urlencoded"} {
		for _, status := range []int{200, 400, 401, 502} {
			t.Run(fmt.Sprint(kind, " ", status), func(t *testing.T) {
				t.Parallel()
				r := newRig(t, fakegoogle.Options{})
				echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
					req.ParseForm()
					text := req.PostForm.Encode()
					for _, v := range req.PostForm {
						text += " " + v[0]
					}
					w.Header().Set("Content-Type", kind)
					w.WriteHeader(status)
					if kind == "application/json" {
						json.NewEncoder(w).Encode(map[string]string{"error": "odd", "error_description": text,
							"error_subtype": text})
						return
					}
					fmt.Fprint(w, text)
				}))
				t.Cleanup(echo.Close)
				seen := make(chan string, 1)
				client := *r.cfg.Client
				client.tokenURL = echo.URL
				a := r.open(func(c *Config) {
					c.Client = &client
					c.OpenBrowser = func(ctx context.Context, url string) error {
						web, consent, err := openStart(ctx, url)
						if err != nil {
							return err
						}
						r.opened(consent)
						seen <- consent
						return fakegoogle.Consent(ctx, web, consent, "")
					}
				})
				err := a.Ensure(t.Context())
				if err == nil {
					t.Fatal("the sign-in succeeded")
				}
				text := forms(err)
				r.sweep("the error", text)
				for _, canary := range []string{"code_verifier", "4/0A", "4%2F0A"} {
					if strings.Contains(err.Error(), canary) && kind != "application/json" {
						t.Errorf("the error quotes the answer: %s", err)
					}
				}
				if strings.Contains(text, "4/0A") || strings.Contains(text, "GOCSPX") {
					t.Errorf("the error shows a code or secret: %s", err)
				}
				<-seen
			})
		}
	}
}

// S36: foreign text is short and printable.
func TestPrintable(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain":                           "plain",
		"a\x00b\nc\x1b[31m":               "a b c [31m",
		"\u202eevil":                      "evil",
		"bad \xff utf":                    "bad   utf",
		"says s3cret here":                "says [removed] here",
		strings.Repeat("x", 500):          strings.Repeat("x", 200),
		strings.Repeat("é", 150) + "tail": strings.Repeat("é", 100),
	} {
		if got := printable(in, "s3cret", ""); got != want {
			t.Errorf("%q: got %q; want %q", in, got, want)
		}
	}
}

// T42: credentials that lie around are not looked at.
func TestAmbientCredentialsAreIgnored(t *testing.T) {
	var trapped atomic.Int64
	trap := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { trapped.Add(1) }))
	defer trap.Close()
	dir := t.TempDir()
	pipe := filepath.Join(dir, "application_default_credentials.json")
	makePipe(t, pipe) // whoever opens it waits for ever
	host := strings.TrimPrefix(trap.URL, "http://")
	for key, value := range map[string]string{
		"GOOGLE_APPLICATION_CREDENTIALS": pipe, "CLOUDSDK_CONFIG": dir, "GCE_METADATA_HOST": host,
		"GCE_METADATA_IP":            host,
		"GOOGLE_CLOUD_QUOTA_PROJECT": "trap", "GOOGLE_API_USE_CLIENT_CERTIFICATE": "true", "HTTP_PROXY": trap.URL,
	} {
		t.Setenv(key, value)
	}
	r := newRig(t, fakegoogle.Options{})
	a := r.open(nil)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	must(t, a.Ensure(ctx))
	r.clock.Add(2 * time.Hour)
	if _, err := a.TokenContext(ctx); err != nil {
		t.Error(err)
	}
	if n := trapped.Load(); n != 0 {
		t.Errorf("%d requests went to the trap", n)
	}
}

// auth=adc reads them, if they are a person's.
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
		return loadDefaultCredentials(nil, getenv, r.cfg.Client.tokenURL)
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
