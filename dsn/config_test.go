package dsn

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestValidate(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		c    Config
		key  string // "" = valid
	}{
		{"least", Config{Project: "p"}, ""},
		{"empty scopes", Config{Project: "p", Scopes: []string{}}, ""},
		{"zero", Config{}, "project"},
		{"negative timeout", Config{Project: "p", LoginTimeout: -time.Second}, "login_timeout"},
		{"negative page", Config{Project: "p", MaxResults: -1}, "max_results"},
		{"port", Config{Project: "p", RedirectPort: 65536}, "redirect_port"},
		{"empty scope", Config{Project: "p", Scopes: []string{""}}, "scopes"},
		{"scope with a comma", Config{Project: "p", Scopes: []string{"https://a,b"}}, "scopes"},
		{"NUL in a path", Config{Project: "p", TokenDir: "/a\x00b"}, "token_dir"},
		{"not UTF-8", Config{Project: "p", ClientSecrets: "/a\xff"}, "client_secrets"},
		{"header injection", Config{Project: "p", Application: "x\r\nX-Evil: 1"}, "application"},
		{"secret", Config{Project: "p", ClientSecrets: "GOCSPX-x"}, "client_secrets"},
		{"plain http", Config{Project: "p", Endpoint: "http://bigquery.example.com"}, "endpoint"},
		{"long dataset", Config{Project: "p", Dataset: strings.Repeat("d", 1025)}, "dataset"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			err := tc.c.Validate()
			e, ok := errors.AsType[*Error](err)
			switch {
			case tc.key == "" && err != nil:
				t.Errorf("Validate: %v; want no error", err)
			case tc.key != "" && (!ok || e.Key != tc.key):
				t.Errorf("Validate: got %v; want an *Error with key %s", err, tc.key)
			}
		})
	}
}

// TestMasked plants a canary in each personal value and in an invalid one, and
// looks for it in all the ways in which a Config gets printed.
func TestMasked(t *testing.T) {
	t.Parallel()
	c := &Config{
		Project: "p", Dataset: "d", Location: "EU",
		ClientSecrets: "/home/" + canary + "/bq.json", TokenDir: "/home/" + canary + "/tokens",
		User:     canary + "@example.com",
		Endpoint: "https://ada:" + canary + "@example.com",
	}
	var logged bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&logged, nil))
	log.Info("connect", "pointer", c, "value", *c)
	for name, got := range map[string]string{
		"String":  c.String(),
		"%v":      fmt.Sprintf("%v %v", c, *c),
		"%+v":     fmt.Sprintf("%+v %+v", c, *c),
		"%#v":     fmt.Sprintf("%#v %#v", c, *c),
		"%s":      fmt.Sprintf("%s %s", c, *c),
		"slog":    logged.String(),
		"wrapped": fmt.Errorf("open %v: %w", c, c.Validate()).Error(),
	} {
		if strings.Contains(got, canary) {
			t.Errorf("%s: %s has a masked value", name, got)
		}
		if !strings.Contains(got, "bigqueryuser://p/d") {
			t.Errorf("%s: %s does not name the project", name, got)
		}
	}
	want := "bigqueryuser://p/d?client_secrets=***&endpoint=***&location=EU&token_dir=***&user=***"
	if c.String() != want {
		t.Errorf("String: got %s; want %s", c.String(), want)
	}
}
