package auth

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
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
		"Authenticator":  a, "in a struct": struct{ A *Authenticator }{a}, "Prompt": prompt,
		"Prompt pointer": &prompt,
		"Identity":       id,
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

// S55: a secret that a server echoes is removed in every form that can be read.
func TestSecretsAreRemoved(t *testing.T) {
	t.Parallel()
	const secret = "4/0AX+canary-code/with=signs&more"
	once := url.QueryEscape(secret)
	tests := []struct{ name, text, want string }{
		{"plain", "code " + secret + " is bad", "code [removed] is bad"},
		{"twice", secret + " " + secret, "[removed] [removed]"},
		{"URL-encoded", "code=" + once + ".", "code=[removed]."},
		{"small digits", "code=" + strings.NewReplacer("%2F", "%2f", "%2B", "%2b").Replace(once) + ".",
			"code=[removed]."},
		{"path-encoded", url.PathEscape(secret), "[removed]"},
		{"encoded twice", url.QueryEscape(once), "[removed]"},
		{"encoded three times", url.QueryEscape(url.QueryEscape(once)), "[removed]"},
		{"every byte encoded", everyByte(secret), "[removed]"},
		{"beginning", secret[:12] + "...", "[removed]..."},
		{"end", "..." + secret[10:], "...[removed]"},
		{"middle", "(" + secret[4:16] + ")", "([removed])"},
		{"encoded beginning", once[:14] + "...", "[removed]..."},
		{"beyond 200 bytes", strings.Repeat("x", 195) + secret, strings.Repeat("x", 195) + "[remo"},
		{"another word", "canary is no secret", "canary is no secret"},
	}
	for _, tt := range tests {
		if got := printable(tt.text, "", secret); got != tt.want {
			t.Errorf("%s: got %q; want %q", tt.name, got, tt.want)
		}
	}
}

// everyByte is a percent-encoding of every byte.
func everyByte(s string) string {
	var b strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&b, "%%%02X", s[i])
	}
	return b.String()
}

// T42: credentials that lie around are not looked at.
func TestAmbientCredentialsAreIgnored(t *testing.T) {
	var trapped atomic.Int64
	trap := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { trapped.Add(1) }))
	defer trap.Close()
	dir := t.TempDir()
	pipe := filepath.Join(dir, "application_default_credentials.json")
	makePipe(t, pipe) // opening it blocks
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
