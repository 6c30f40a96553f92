package auth

import (
	"crypto/tls"
	"flag"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"

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
	base := protocolErrors(t, &posts)
	client, err := ParseClient(clientJSON(t, "installed", map[string]any{
		"auth_uri": base + "/auth", "token_uri": base + "/token",
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

// protocolErrors runs a server that reads each request and ends it with PROTOCOL_ERROR.
func protocolErrors(t *testing.T, requests *atomic.Int64) (base string) {
	t.Helper()
	listener, err := tls.Listen("tcp", "127.0.0.1:0", fakecert.Server("h2"))
	must(t, err)
	var conns sync.WaitGroup
	conns.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			conns.Go(func() {
				defer conn.Close()
				endStreams(conn, requests)
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		conns.Wait()
	})
	return "https://" + listener.Addr().String()
}

// endStreams ends each request of a connection with PROTOCOL_ERROR, until the client closes it.
func endStreams(conn net.Conn, requests *atomic.Int64) {
	if _, err := io.CopyN(io.Discard, conn, int64(len(http2.ClientPreface))); err != nil {
		return
	}
	f := http2.NewFramer(conn, conn)
	for err := f.WriteSettings(); err == nil; {
		var frame http2.Frame
		if frame, err = f.ReadFrame(); err != nil {
			return
		}
		switch frame := frame.(type) {
		case *http2.SettingsFrame:
			if !frame.IsAck() {
				err = f.WriteSettingsAck()
			}
		case *http2.PingFrame:
			err = f.WritePing(true, frame.Data)
		case *http2.DataFrame: // each request has a body
			if frame.StreamEnded() {
				requests.Add(1)
				err = f.WriteRSTStream(frame.StreamID, http2.ErrCodeProtocol)
			}
		}
	}
}
