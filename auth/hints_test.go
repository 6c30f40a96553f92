package auth

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/bigqueryuser/bigqueryuser/internal/fakegoogle"
)

// What the token endpoint answers, in words, with what to do.
func TestHints(t *testing.T) {
	t.Parallel()
	html := http.Header{"Content-Type": {"text/html; charset=utf-8"}}
	described := func(text string) fakegoogle.Reply {
		return fakegoogle.Reply{Status: 400, Body: `{"error": "invalid_grant", "error_description": "` + text + `"}`}
	}
	tests := []struct {
		name  string
		reply fakegoogle.Reply
		kind  error
		want  string
	}{
		{"disabled_client", fakegoogle.ErrorReply(401, "disabled_client", ""), ErrClientConfig,
			"Google has disabled"},
		{"deleted_client", fakegoogle.ErrorReply(401, "deleted_client", ""), ErrClientConfig,
			"download client_secrets.json"},
		{"org_internal", fakegoogle.ErrorReply(403, "org_internal", ""), ErrClientConfig,
			"consent screen of the app is Internal"},
		{"restricted account", described("Account restricted"), ErrConsentRequired, "restricted the account"},
		{"expired", described("Token has been expired or revoked."), ErrConsentRequired, "seven days"},
		{"500", fakegoogle.Reply{Status: 500}, nil, "the server failed (internal server error)"},
		{"503 page", fakegoogle.Reply{Status: 503, Header: html, Body: "<html>down</html>"}, nil, "sent a web page"},
		{"599", fakegoogle.Reply{Status: 599}, nil, "the server failed (server error)"},
		{"429", fakegoogle.Reply{Status: 429}, nil, "too many requests"},
		{"captive portal", fakegoogle.Reply{Status: 403, Header: html, Body: "<html>pay</html>"}, nil,
			"network's own sign-in page"},
		{"page without a type", fakegoogle.Reply{Status: 403, Body: " <!DOCTYPE html>"}, nil, "web page"},
		{"redirect", fakegoogle.Reply{Status: 302, Header: http.Header{"Location": {"/"}}}, nil, "not followed"},
		{"plain text", fakegoogle.Reply{Status: 418, Body: "teapot"}, nil, "unexpected answer"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, fakegoogle.Options{})
			a := r.signIn(nil)
			r.clock.Add(2 * 3600e9)
			r.google.ScriptToken(tt.reply, tt.reply, tt.reply)
			_, err := a.Token()
			if err == nil || !strings.Contains(err.Error(), tt.want) || tt.kind != nil && !errors.Is(err, tt.kind) {
				t.Errorf("got %v; want %v with %q", err, tt.kind, tt.want)
			}
			if strings.ContainsAny(err.Error(), "<>") {
				t.Errorf("the error quotes the page: %v", err)
			}
		})
	}
}

// Where the variable CI is why no user is asked, the error says so.
func TestNeverSaysWhy(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		mode Mode
		env  environment
		want string
	}{
		{"CI", ModeAuto, fakeEnv("linux", map[string]string{"CI": "true", "DISPLAY": ":0"}, nil, true),
			`CI is set to "true"`},
		{"CI of a bad kind", ModeAuto, fakeEnv("linux", map[string]string{"CI": "1\x1b[31m"}, nil, true),
			`CI is set to "1 [31m"`},
		{"login=never in CI", ModeNever, fakeEnv("linux", map[string]string{"CI": "true"}, nil, true), "login=never"},
		{"nothing there", ModeAuto, fakeEnv("linux", nil, nil, false), "no browser and no terminal"},
	}
	for _, tt := range tests {
		r := newRig(t, fakegoogle.Options{})
		a := r.open(func(c *Config) {
			c.Mode, c.env, c.OpenBrowser, c.Prompter = tt.mode, tt.env, nil, nil
		})
		for door, err := range map[string]error{"Ensure": a.Ensure(t.Context()), "Login": a.Login(t.Context())} {
			if !errors.Is(err, ErrConsentRequired) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s, %s: got %v; want ErrConsentRequired with %q", tt.name, door, err, tt.want)
			}
		}
	}
}
