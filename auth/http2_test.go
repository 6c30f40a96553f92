package auth

import (
	"flag"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/bigqueryuser/bigqueryuser/internal/fakebq/faultproxy"
	"github.com/bigqueryuser/bigqueryuser/internal/fakecert"
	"github.com/bigqueryuser/bigqueryuser/internal/fakegoogle"
)

var overHTTP2 = flag.Bool("http2", false, "serve the fake Google over HTTP/2 and TLS, as Google is")

// TestHTTP2 runs the short tests again over HTTP/2 and TLS, in a process that trusts the certificate of the
// fake. So do the processes that they start.
func TestHTTP2(t *testing.T) {
	t.Parallel()
	switch {
	case *overHTTP2:
		t.Skip("this is the run over HTTP/2")
	case testing.Short():
		t.Skip("-short: run the tests alone with -http2")
	case runtime.GOOS == "darwin" || runtime.GOOS == "windows":
		t.Skip("the system verifies certificates itself")
	}
	self, err := os.Executable()
	must(t, err)
	args := []string{"-http2", "-test.short", "-test.count=1", "-test.timeout=5m"}
	if f := flag.Lookup("test.run"); f.Value.String() != "" {
		args = append(args, "-test.run="+f.Value.String())
	}
	out, err := exec.CommandContext(t.Context(), self, args...).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestTokenEndpointLost: an answer that is lost or cut is asked for again.
func TestTokenEndpointLost(t *testing.T) {
	t.Parallel()
	page := http.Header{"Content-Type": {"text/html"}}
	closing := http.Header{"Connection": {"close"}} // GOAWAY over HTTP/2
	for _, tt := range []struct {
		name  string
		reply fakegoogle.Reply
	}{
		{"reset before the answer", fakegoogle.Reply{Reset: true}},
		{"cut in the answer", fakegoogle.Reply{Status: 200, Body: `{"access_token": "half"}`, Cut: true}},
		{"HTML of a front end", fakegoogle.Reply{Status: 502, Body: "<html>", Header: page}},
		{"a server that goes away", fakegoogle.Reply{Status: 503, Header: closing}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, fakegoogle.Options{})
			a := r.open(nil)
			must(t, a.Login(t.Context()))
			first, err := a.TokenContext(t.Context())
			must(t, err)
			r.clock.Add(2 * time.Hour)
			r.google.ScriptToken(tt.reply)
			second, err := a.TokenContext(t.Context())
			if err != nil || second.AccessToken == first.AccessToken {
				t.Errorf("got %v; want a new token", err)
			}
		})
	}
}

// S23: net/http, which sends some requests again by itself over HTTP/2, sends no code and no refresh token again.
func TestTransportDoesNotRepeat(t *testing.T) {
	t.Parallel()
	var posts atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		posts.Add(1)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // from connections that the proxy leaves
	server.TLS, server.EnableHTTP2 = fakecert.Server("h2"), true
	server.StartTLS()
	defer server.Close()
	proxy := faultproxy.Run(t, server.URL)
	proxy.Choose(func(faultproxy.Exchange) faultproxy.Fault {
		return faultproxy.Fault{Kind: faultproxy.ResetStream, Code: http2.ErrCodeProtocol, At: faultproxy.After}
	})
	client, err := ParseClient(clientJSON(t, "installed", map[string]any{
		"auth_uri": proxy.URL() + "/auth", "token_uri": proxy.URL() + "/token",
	}))
	must(t, err)
	transport := &http.Transport{TLSClientConfig: fakecert.Client(), ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	e := newEndpoint(client, &http.Client{Transport: transport})
	for name, send := range map[string]func() error{
		"code":          func() error { _, err := e.exchange(t.Context(), "c", "v", "http://127.0.0.1:1/"); return err },
		"refresh token": func() error { _, err := e.refresh(t.Context(), "r"); return err },
	} {
		posts.Store(0)
		if err := send(); err == nil || posts.Load() != 1 {
			t.Errorf("%s: got %v after %d requests; want an error after 1", name, err, posts.Load())
		}
	}
}
