package dsn

import (
	"errors"
	"strings"
	"testing"
)

// TestEndpointRules: what an endpoint may look like, with a token and without.
// Which hosts get tokens is the driver's matter.
func TestEndpointRules(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, url   string
		token, none bool // allowed with a token, and with auth=none
	}{
		{"https", "https://bigquery.googleapis.com", true, true},
		{"https with port and path", "https://gateway.example:8443/base/", true, true},
		{"http on loopback", "http://127.0.0.1:9050", true, true},
		{"http on ::1", "http://[::1]:9050", true, true},
		{"http on localhost", "http://localhost:9050", true, true},
		{"http in a container network", "http://bigquery:9050", false, true},
		{"http elsewhere", "http://bigquery.example.com", false, true},
		{"http on all interfaces", "http://0.0.0.0:9050", false, true},
		{"http on a number", "http://2130706433:9050", false, true},
		{"http that begins like loopback", "http://127.0.0.1.example.com", false, true},
		{"http that ends like loopback", "http://example.com.localhost", false, true},
		{"http on localhost with a dot", "http://localhost.:9050", false, true},
		{"no scheme", "bigquery.googleapis.com:443", false, false},
		{"resolver", "dns:///bigquerystorage.googleapis.com:443", false, false},
		{"other scheme", "ftp://127.0.0.1", false, false},
		{"no host", "https://", false, false},
		{"user", "https://bigquery.googleapis.com@evil.example", false, false},
		{"user and password", "https://a:b@evil.example", false, false},
		{"query", "https://evil.example?x=.googleapis.com", false, false},
		{"fragment", "https://evil.example#.googleapis.com", false, false},
		{"backslash", `https://evil.example\.googleapis.com`, false, false},
		{"blank", "https://evil.example .googleapis.com", false, false},
		{"letters beyond ASCII", "https://bigquery.googleapis。com", false, false},
		{"line break", "https://bigquery.googleapis.com\r\nX: y", false, false},
		{"empty port", "https://bigquery.googleapis.com:", false, false},
		{"port that is none", "https://bigquery.googleapis.com:x", false, false},
	}
	for _, tt := range tests {
		for auth, allowed := range map[string]bool{"": tt.token, "user": tt.token, "adc": tt.token, "none": tt.none} {
			configs := map[string]Config{
				"endpoint": {Project: "p", Auth: auth, Endpoint: tt.url},
				"storage_endpoint": {Project: "p", Auth: auth, Endpoint: "http://127.0.0.1:9050",
					StorageEndpoint: tt.url},
			}
			for key, c := range configs {
				err := c.Validate()
				e, ok := errors.AsType[*Error](err)
				if allowed && err != nil {
					t.Errorf("%s, auth=%s, %s: %v", tt.name, auth, key, err)
				}
				if !allowed && (!ok || e.Key != key || strings.Contains(err.Error(), "evil")) {
					t.Errorf("%s, auth=%s, %s: got %v; want an error of the key that does not repeat it",
						tt.name, auth, key, err)
				}
			}
		}
	}
}
