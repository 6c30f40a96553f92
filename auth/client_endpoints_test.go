package auth

import (
	"errors"
	"strings"
	"testing"
)

// S22, S47, S48: the addresses that a client file may name.
func TestClientEndpoints(t *testing.T) {
	t.Parallel()
	const (
		google    = "https://accounts.google.com/o/oauth2/auth"
		googleTok = "https://oauth2.googleapis.com/token"
		local     = "http://127.0.0.1:9050"
	)
	tests := []struct {
		name, auth, token string
		local, ok         bool
	}{
		{"as downloaded", google, googleTok, false, true},
		{"v2 page", "https://accounts.google.com/o/oauth2/v2/auth", googleTok, false, true},
		{"old token endpoint", google, "https://accounts.google.com/o/oauth2/token", false, true},
		{"v3 token endpoint", google, "https://www.googleapis.com/oauth2/v3/token", false, true},
		{"v4 token endpoint", google, "https://www.googleapis.com/oauth2/v4/token", false, true},
		{"regional", google, "https://oauth2.europe-west3.rep.googleapis.com/token", false, true},
		{"private", google, "https://oauth2-myendpoint.p.googleapis.com/token", false, true},
		{"loopback", local + "/auth", local + "/token", true, true},
		{"localhost", "http://localhost:1/a", "http://localhost:1/t", true, true},
		{"IPv6 over TLS", "https://[::1]:1/a", "https://[::1]:1/t", true, true},

		{"Google's page, loopback token endpoint", google, local + "/token", false, false},
		{"loopback page, Google's token endpoint", local + "/auth", googleTok, false, false},
		{"two ports", local + "/auth", "http://127.0.0.1:9051/token", false, false},
		{"two schemes", local + "/auth", "https://127.0.0.1:9050/token", false, false},
		{"two names", local + "/auth", "http://localhost:9050/token", false, false},
		{"loopback with a user", "http://a@127.0.0.1:1/a", "http://127.0.0.1:1/t", false, false},
		{"loopback with a query", local + "/auth?x=y", local + "/token", false, false},
		{"loopback encoded", local + "/a%2fb", local + "/token", false, false},
		{"loopback look-alike", "http://127.0.0.1.evil.example/a", "http://127.0.0.1.evil.example/t", false, false},
		{"localhost with a dot", "http://localhost.:1/a", "http://localhost.:1/t", false, false},
		{"all interfaces", "http://0.0.0.0:1/a", "http://0.0.0.0:1/t", false, false},
		{"query after the token endpoint", google, googleTok + "?to=evil", false, false},
		{"empty query", google, googleTok + "?", false, false},
		{"fragment", google, googleTok + "#", false, false},
		{"longer path", google, googleTok + "/../x", false, false},
		{"slash after it", google, googleTok + "/", false, false},
		{"line break", google, googleTok + "\n", false, false},
		{"encoded path", google, "https://oauth2.googleapis.com/%74oken", false, false},
		{"port", google, "https://oauth2.googleapis.com:443/token", false, false},
		{"dot at the end", google, "https://oauth2.googleapis.com./token", false, false},
		{"capitals", google, "https://OAUTH2.googleapis.com/token", false, false},
		{"http", google, "http://oauth2.googleapis.com/token", false, false},
		{"open redirect of a known host", "https://accounts.google.com/Logout", googleTok, false, false},
		{"token endpoint as the page", googleTok, googleTok, false, false},
		{"page as the token endpoint", google, google, false, false},
		{"other service", google, "https://www.googleapis.com/upload", false, false},
		{"region with a dot", google, "https://oauth2.evil.example.rep.googleapis.com/token", false, false},
		{"region that leaves the host", google, "https://oauth2.x/.rep.googleapis.com/token", false, false},
		{"name that leaves the host", google, "https://oauth2-x.evil.example/.p.googleapis.com/token", false, false},
		{"host that ends like Google's", google, "https://evil-oauth2.googleapis.com/token", false, false},
		{"user before the host", google, "https://oauth2.googleapis.com@evil.example/token", false, false},
		{"backslash", google, "https://evil.example\\@oauth2.googleapis.com/token", false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, err := ParseClient(clientJSON(t, "installed",
				map[string]any{"auth_uri": tt.auth, "token_uri": tt.token}))
			switch {
			case tt.ok && err != nil:
				t.Error(err)
			case tt.ok && c.Local() != tt.local:
				t.Errorf("Local: got %v; want %v", c.Local(), tt.local)
			case !tt.ok && (!errors.Is(err, ErrClientConfig) || strings.Contains(err.Error(), "evil")):
				t.Errorf("got %v; want ErrClientConfig that does not quote the file", err)
			}
		})
	}
}
