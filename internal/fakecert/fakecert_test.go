package fakecert

import (
	"context"
	"crypto/tls"
	"net"
	"runtime"
	"testing"
)

// handshake returns what the client says of a server under the certificate.
func handshake(t *testing.T, client *tls.Config) (string, error) {
	t.Helper()
	l, err := tls.Listen("tcp", "127.0.0.1:0", Server("h2", "http/1.1"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		c, err := l.Accept()
		if err == nil {
			_ = c.(*tls.Conn).HandshakeContext(context.Background()) // the client says whether it went well
			c.Close()
		}
	}()
	raw, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	c := tls.Client(raw, client)
	if err := c.HandshakeContext(t.Context()); err != nil {
		return "", err
	}
	return c.ConnectionState().NegotiatedProtocol, nil
}

func TestClient(t *testing.T) {
	c := Client()
	c.ServerName, c.NextProtos = "127.0.0.1", []string{"h2"}
	if got, err := handshake(t, c); err != nil || got != "h2" {
		t.Errorf("got %q, %v; want h2", got, err)
	}
	if got, err := handshake(t, &tls.Config{ServerName: "example.com", RootCAs: Pool()}); err == nil {
		t.Errorf("another name: got %q; want an error", got)
	}
}

func TestTrust(t *testing.T) {
	switch runtime.GOOS {
	case "darwin", "ios", "windows":
		t.Skip("the system's own verifier does not read SSL_CERT_FILE")
	}
	if err := Trust(); err != nil {
		t.Fatal(err)
	}
	if got, err := handshake(t, &tls.Config{ServerName: "localhost", NextProtos: []string{"h2"}}); err != nil ||
		got != "h2" {
		t.Errorf("with the system's roots: got %q, %v; want h2", got, err)
	}
}
