package auth

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const testClientSecret = "GOCSPX-canary-client-secret"

// clientJSON is a client_secrets.json; edit may change its fields (nil removes one).
func clientJSON(t testing.TB, form string, edit map[string]any) []byte {
	t.Helper()
	fields := map[string]any{
		"client_id": "1-a.apps.googleusercontent.com", "project_id": "p", "client_secret": testClientSecret,
		"auth_uri": "https://accounts.google.com/o/oauth2/auth", "token_uri": "https://oauth2.googleapis.com/token",
		"auth_provider_x509_cert_url": "https://www.googleapis.com/oauth2/v1/certs",
		"redirect_uris":               []string{"http://localhost"},
	}
	for k, v := range edit {
		if v == nil {
			delete(fields, k)
		} else {
			fields[k] = v
		}
	}
	data, err := json.Marshal(map[string]any{form: fields})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// T34, S22: what is a client, and what is said about what is not.
func TestParseClient(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		data []byte
		want string // part of the error; "" = accepted
	}{
		{"installed", clientJSON(t, "installed", nil), ""},
		{"installed without redirect_uris", clientJSON(t, "installed", map[string]any{"redirect_uris": nil}), ""},
		{"out of band first", clientJSON(t, "installed",
			map[string]any{"redirect_uris": []string{"urn:ietf:wg:oauth:2.0:oob", "http://localhost"}}), ""},
		{"without secret", clientJSON(t, "installed", map[string]any{"client_secret": nil}), ""},
		{"older token_uri", clientJSON(t, "installed",
			map[string]any{"token_uri": "https://www.googleapis.com/oauth2/v3/token"}), ""},
		{"byte order mark", append([]byte("\xef\xbb\xbf"), clientJSON(t, "installed", nil)...), ""},
		{"web with 127.0.0.1", clientJSON(t, "web",
			map[string]any{"redirect_uris": []string{"https://app.example/cb", "http://127.0.0.1:8085/"}}), ""},
		{"web with localhost", clientJSON(t, "web",
			map[string]any{"redirect_uris": []string{"http://localhost:8085/cb"}}), ""},
		{"loopback endpoints", clientJSON(t, "installed",
			map[string]any{"auth_uri": "http://[::1]:9/a", "token_uri": "http://[::1]:9/t"}), ""},

		{"empty", nil, "empty"},
		{"not JSON", []byte("GOCSPX-canary"), "not valid JSON"},
		{"truncated", clientJSON(t, "installed", nil)[:100], "not valid JSON"},
		{"more after it", append(clientJSON(t, "installed", nil), "{}"...), "after the JSON object"},
		{"a list", []byte("[]"), "not a JSON object"},
		{"UTF-16", []byte("\xff\xfe{\x00}\x00"), "UTF-8"},
		{"Latin-1", []byte("{\"a\": \"\xe9\"}"), "UTF-8"},
		{"deep", []byte(strings.Repeat("[", 1000)), "not valid JSON"},
		{"huge", make([]byte, maxClientSecrets+1), "larger than 64 KiB"},
		{"service account", []byte(`{"type": "service_account", "private_key": "GOCSPX-canary"}`),
			"service account key"},
		{"authorized_user", []byte(`{"type": "authorized_user", "refresh_token": "GOCSPX-canary"}`),
			"authorized_user"},
		{"external account", []byte(`{"type": "external_account"}`), "external_account"},
		{"unknown type", []byte(`{"type": "GOCSPX-canary"}`), "another type"},
		{"workforce identity", []byte(`{"3pi": {}}`), "3pi"},
		{"neither form", []byte(`{"client_id": "x"}`), "neither"},
		{"other letter case", clientJSON(t, "Installed", nil), "unusual case"},
		{"both forms", []byte(`{"installed": {}, "web": {}}`), "both"},
		{"form is text", []byte(`{"installed": "x"}`), "not a JSON object"},
		{"key twice", []byte(`{"installed": {"client_id": "a", "client_id": "b"}}`), "twice"},
		{"form twice", []byte(`{"installed": {}, "installed": {}}`), "twice"},
		{"no client_id", clientJSON(t, "installed", map[string]any{"client_id": nil}), "client_id is missing"},
		{"client_id is a number", clientJSON(t, "installed", map[string]any{"client_id": 7}), "not a string"},
		{"client_id with space", clientJSON(t, "installed", map[string]any{"client_id": "a b"}),
			"client_id has characters"},
		{"no token_uri", clientJSON(t, "installed", map[string]any{"token_uri": nil}), "token_uri is missing"},
		{"no auth_uri", clientJSON(t, "installed", map[string]any{"auth_uri": nil}), "auth_uri is missing"},
		{"web without redirects", clientJSON(t, "web", map[string]any{"redirect_uris": nil}), "no loopback redirect"},
		{"web without loopback", clientJSON(t, "web",
			map[string]any{"redirect_uris": []string{"https://app.example/cb"}}), "no loopback redirect"},
	}
	for _, uri := range []string{
		"http://evil.example/token", "https://evil.example/token", "http://oauth2.googleapis.com/token",
		"https://oauth2.googleapis.com@evil.example/token",
		"https://oauth2.googleapis.com.evil.example/token", "https://oauth2.googleapis.com:8443/token",
		"https://user@oauth2.googleapis.com/token",
		"http://127.0.0.1.evil.example/token", "ftp://127.0.0.1/token", "https://oauth2.googleapis.com/token?to=evil",
		"//oauth2.googleapis.com/token", "::", "https:oauth2.googleapis.com",
	} {
		for _, key := range []string{"token_uri", "auth_uri"} {
			tests = append(tests, struct {
				name string
				data []byte
				want string
			}{key + " " + uri, clientJSON(t, "installed", map[string]any{key: uri}),
				key + " is not an https address of Google"})
		}
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, err := ParseClient(tt.data)
			if tt.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				if c.ID() != "1-a.apps.googleusercontent.com" {
					t.Errorf("ID: got %q", c.ID())
				}
				return
			}
			if !errors.Is(err, ErrClientConfig) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v; want ErrClientConfig with %q", err, tt.want)
			}
			if strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), "evil") {
				t.Errorf("the error quotes the file: %v", err)
			}
		})
	}
}

// T34: files that are none.
func TestLoadClient(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	good := filepath.Join(dir, "with space ünï.json")
	must(t, os.WriteFile(good, clientJSON(t, "installed", nil), 0o600))
	if _, err := LoadClient(good); err != nil {
		t.Error(err)
	}
	pipe := filepath.Join(dir, "pipe")
	makePipe(t, pipe)
	key := filepath.Join(dir, "key.json")
	must(t, os.WriteFile(key, []byte(`{"type": "service_account"}`), 0o600))
	for path, want := range map[string]string{
		"": "no file is named", filepath.Join(dir, "none.json"): "does not exist", dir: "directory",
		pipe: "regular file", key: "key.json",
	} {
		if _, err := LoadClient(path); !errors.Is(err, ErrClientConfig) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v; want ErrClientConfig with %q", path, err, want)
		}
	}
}

// TestMissingClient: the error of a file that does not exist can be told from others.
func TestMissingClient(t *testing.T) {
	t.Parallel()
	_, err := LoadClient(filepath.Join(t.TempDir(), "none.json"))
	if !errors.Is(err, fs.ErrNotExist) || !errors.Is(err, ErrClientConfig) {
		t.Errorf("got %v; want ErrClientConfig and fs.ErrNotExist", err)
	}
}

// A leading "~/" is the home directory, since no shell sees a DSN.
func TestHomeDirectory(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home)
	must(t, os.WriteFile(filepath.Join(home, "c.json"), clientJSON(t, "installed", nil), 0o600))
	if _, err := LoadClient("~/c.json"); err != nil {
		t.Error(err)
	}
	s, err := FileStore("~/tokens")
	must(t, err)
	if got, want := s.(*fileStore).dir, filepath.Join(home, "tokens"); got != want {
		t.Errorf("directory: got %s; want %s", got, want)
	}
	// "~name" is a file like any other.
	if got, err := expandHome("~name/x"); err != nil || got != "~name/x" {
		t.Errorf("got %q, %v", got, err)
	}
}

// A web client uses its registered address to the letter, and only with its port.
func TestWebClientRedirect(t *testing.T) {
	t.Parallel()
	c, err := ParseClient(clientJSON(t, "web", map[string]any{"redirect_uris": []string{
		"http://localhost:8085/cb", "http://127.0.0.1:8086/", "http://[::1]:8087/x"}}))
	must(t, err)
	for port, want := range map[int]string{0: "http://127.0.0.1:8086/", 8085: "http://localhost:8085/cb",
		8087: "http://[::1]:8087/x"} {
		if u, err := registeredRedirect(c, port); err != nil || u.String() != want {
			t.Errorf("port %d: got %v, %v; want %s", port, u, err, want)
		}
	}
	if _, err := registeredRedirect(c, 9); !errors.Is(err, ErrClientConfig) {
		t.Errorf("unregistered port: got %v; want ErrClientConfig", err)
	}
}

func TestConfigRefuses(t *testing.T) {
	t.Parallel()
	client, err := ParseClient(clientJSON(t, "installed", nil))
	must(t, err)
	for name, edit := range map[string]func(*Config){
		"no client":        func(c *Config) { c.Client = nil },
		"unknown scope":    func(c *Config) { c.Scopes = []string{"bigqery"} },
		"scope with space": func(c *Config) { c.Scopes = []string{"https://a b"} },
		"scope over http":  func(c *Config) { c.Scopes = []string{"http://www.googleapis.com/auth/bigquery"} },
		"account":          func(c *Config) { c.Account = "ada" },
		"turned account":   func(c *Config) { c.Account = "ada\u202e@example.com" },
		"line break":       func(c *Config) { c.Profile = "a\nb" },
		"mode":             func(c *Config) { c.Mode = 17 },
		"port":             func(c *Config) { c.RedirectPort = 65536 },
		"negative port":    func(c *Config) { c.RedirectPort = -1 },
		"timeout":          func(c *Config) { c.LoginTimeout = -1 },
	} {
		cfg := Config{Client: client, Store: MemoryStore()}
		edit(&cfg)
		if _, err := New(cfg); !errors.Is(err, ErrClientConfig) {
			t.Errorf("%s: got %v; want ErrClientConfig", name, err)
		}
	}
}

func TestParseMode(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Mode{"": ModeAuto, "auto": ModeAuto, "browser": ModeBrowser,
		"manual": ModeManual, "never": ModeNever} {
		if got, err := ParseMode(text); err != nil || got != want {
			t.Errorf("%q: got %v, %v; want %v", text, got, err, want)
		}
		if text != "" && fmt.Sprint(want) != text {
			t.Errorf("String of %q: got %v", text, want)
		}
	}
	if _, err := ParseMode("Browser"); !errors.Is(err, ErrClientConfig) {
		t.Errorf("got %v; want ErrClientConfig", err)
	}
}
