package auth

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/bigqueryuser/bigqueryuser/internal/fakegoogle"
)

// tlsGoogle is a token endpoint with a certificate of an unknown authority.
func tlsGoogle(t *testing.T) (*httptest.Server, *Client) {
	t.Helper()
	google := fakegoogle.New(fakegoogle.Options{})
	server := httptest.NewUnstartedServer(google)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes fail on purpose
	server.StartTLS()
	t.Cleanup(server.Close)
	google.SetURL(server.URL)
	client, err := ParseClient(google.ClientSecrets())
	must(t, err)
	return server, client
}

// S62, S21: the sign-in follows http.DefaultTransport, without its
// InsecureSkipVerify. Tests that replace the default run alone.
func TestSignInFollowsDefaultTransport(t *testing.T) {
	server, client := tlsGoogle(t)
	pool := x509.NewCertPool()
	pool.AddCert(server.Certificate())
	standard := http.DefaultTransport
	defer func() { http.DefaultTransport = standard }()
	var dials, proxied atomic.Int64
	dialer := func(ctx context.Context, network, address string) (net.Conn, error) {
		dials.Add(1)
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	proxy := func(*http.Request) (*url.URL, error) { proxied.Add(1); return nil, nil }
	tests := []struct {
		name      string
		transport http.RoundTripper
		reached   bool // the server answered, with an OAuth error
	}{
		{"standard", standard, false},
		{"authority", &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, DialContext: dialer, Proxy: proxy},
			true},
		{"not verified", &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}, false},
		{"not verified, with the authority", &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true,
			RootCAs: pool}}, true},
		{"something else", roundTripper(func(*http.Request) (*http.Response, error) {
			t.Error("the replaced http.DefaultTransport got the refresh token")
			return nil, net.ErrClosed
		}), false},
	}
	for _, tt := range tests {
		for _, given := range []bool{false, true} {
			if given && tt.name == "something else" {
				continue // what a program gives by itself is used as it is
			}
			http.DefaultTransport = tt.transport
			var base *http.Client
			if given {
				http.DefaultTransport = standard
				base = &http.Client{Transport: tt.transport}
			}
			e := newEndpoint(client, base)
			_, err := e.refresh(t.Context(), "1//unknown-token")
			var status int
			if oauth, ok := err.(*Error); ok {
				status = oauth.Status
			}
			if (status == 400) != tt.reached {
				t.Errorf("%s, given %v: got %v; want reached %v", tt.name, given, err, tt.reached)
			}
			if closer, ok := e.http.Transport.(onceTransport).base.(*http.Transport); ok && closer != standard {
				closer.CloseIdleConnections()
			}
		}
	}
	if dials.Load() != 2 || proxied.Load() != 2 {
		t.Errorf("dialer and proxy were asked %d and %d times; want 2 each", dials.Load(), proxied.Load())
	}
	if t := standard.(*http.Transport).TLSClientConfig; t != nil && t.InsecureSkipVerify {
		panic("the standard transport was changed")
	}
}
