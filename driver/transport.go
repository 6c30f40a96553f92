package driver

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/net/proxy"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// network is the connector's setting for network connections: of the sign-in, REST and gRPC.
type network struct {
	base *http.Transport // nil means http.DefaultTransport
	wrap func(http.RoundTripper) http.RoundTripper
	tls  *tls.Config
}

// transport returns a new transport, so that closing it leaves other connections open. A program
// may have replaced http.DefaultTransport by another type.
func (n network) transport() *http.Transport {
	t := n.base
	if t == nil {
		t, _ = http.DefaultTransport.(*http.Transport)
	}
	if t != nil {
		t = t.Clone()
	} else {
		t = &http.Transport{
			Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true,
			MaxIdleConns: 100, IdleConnTimeout: 90 * time.Second, TLSHandshakeTimeout: 10 * time.Second,
		}
	}
	if n.tls != nil {
		t.TLSClientConfig = n.tls.Clone()
		t.ForceAttemptHTTP2 = true
	}
	return t
}

// wrapped returns t with the wrapper of WithRoundTripper.
func (n network) wrapped(t http.RoundTripper) http.RoundTripper {
	if n.wrap == nil {
		return t
	}
	return n.wrap(t)
}

// signInClient returns the HTTP client of the sign-in. nil means that of package auth, which uses
// http.DefaultTransport.
func (n network) signInClient() *http.Client {
	if n.base == nil && n.wrap == nil && n.tls == nil {
		return nil
	}
	t := n.transport()
	t.DisableKeepAlives = true // one request an hour needs no open connection
	if t.TLSClientConfig != nil {
		t.TLSClientConfig.InsecureSkipVerify = false
	}
	return &http.Client{Transport: n.wrapped(t)}
}

// grpcTarget returns the target of a gRPC endpoint and options to dial it in the same way as REST.
func (n network) grpcTarget(endpoint string) (string, []grpc.DialOption, error) {
	u, err := url.Parse(endpoint)
	if err != nil {
		return "", nil, err
	}
	t := n.transport()
	port, secure := "443", insecure.NewCredentials()
	if u.Scheme == "http" { // without a token, or on loopback: see package dsn
		port = "80"
	} else {
		c := t.TLSClientConfig
		if c == nil {
			c = &tls.Config{}
		}
		c.MinVersion = max(c.MinVersion, tls.VersionTLS12)
		secure = ownTLS{credentials.NewTLS(c)}
	}
	if u.Port() != "" {
		port = u.Port()
	}
	dial := grpcDialer{t, u.Scheme}
	// the dialer gets the name, because a proxy may resolve names that this machine can't
	return "passthrough:///" + net.JoinHostPort(u.Hostname(), port), []grpc.DialOption{
		grpc.WithTransportCredentials(secure),
		grpc.WithContextDialer(dial.context),
	}, nil
}

// grpcDialer returns a dialer for gRPC that dials as an http.Transport does.
type grpcDialer struct {
	transport *http.Transport
	scheme    string
}

func (d grpcDialer) context(ctx context.Context, address string) (net.Conn, error) {
	var via *url.URL
	if d.transport.Proxy != nil {
		var err error
		via, err = d.transport.Proxy(&http.Request{URL: &url.URL{Scheme: d.scheme, Host: address}})
		if err != nil {
			return nil, err
		}
	}
	if via == nil {
		dialTLS := dialTLSOf(d.transport)
		if dialTLS == nil || d.scheme != "https" {
			return d.plain(ctx, "tcp", address)
		}
		conn, err := dialTLS(ctx, "tcp", address)
		if err != nil {
			return nil, err
		}
		return securedConn{conn}, nil
	}
	switch via.Scheme {
	case "socks5", "socks5h":
		socks, err := proxy.FromURL(via, plainDialer(d.plain))
		if err != nil {
			return nil, err
		}
		return socks.(proxy.ContextDialer).DialContext(ctx, "tcp", address)
	}
	conn, err := d.tunnel(ctx, via, address)
	if err != nil {
		return nil, fmt.Errorf("proxy %s: %w", via.Host, err)
	}
	return conn, nil
}

// plain dials without a proxy.
func (d grpcDialer) plain(ctx context.Context, network, address string) (net.Conn, error) {
	return dialOf(d.transport)(ctx, network, address)
}

// securedConn is a connection of the transport's own TLS dialer.
type securedConn struct{ net.Conn }

// ownTLS does the TLS handshake, unless the transport's own TLS dialer has done it.
type ownTLS struct {
	credentials.TransportCredentials
}

func (c ownTLS) ClientHandshake(
	ctx context.Context, authority string, conn net.Conn,
) (net.Conn, credentials.AuthInfo, error) {
	secured, ok := conn.(securedConn)
	if !ok {
		return c.TransportCredentials.ClientHandshake(ctx, authority, conn)
	}
	info := credentials.TLSInfo{
		CommonAuthInfo: credentials.CommonAuthInfo{SecurityLevel: credentials.PrivacyAndIntegrity},
	}
	if t, ok := secured.Conn.(*tls.Conn); ok {
		if err := t.HandshakeContext(ctx); err != nil {
			return nil, nil, err
		}
		if info.State = t.ConnectionState(); info.State.NegotiatedProtocol != "h2" {
			return nil, nil, errors.New(
				"the transport's TLS dialer has not negotiated HTTP/2: add h2 to its NextProtos")
		}
	}
	return secured.Conn, info, nil
}

func (c ownTLS) Clone() credentials.TransportCredentials {
	return ownTLS{c.TransportCredentials.Clone()}
}

// plainDialer is a dialer for package proxy.
type plainDialer func(ctx context.Context, network, address string) (net.Conn, error)

func (d plainDialer) Dial(network, address string) (net.Conn, error) {
	return d(context.Background(), network, address)
}

func (d plainDialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return d(ctx, network, address)
}

// tunnel connects through an HTTP proxy, with CONNECT (RFC 9110, section 9.3.6).
func (d grpcDialer) tunnel(ctx context.Context, via *url.URL, address string) (conn net.Conn, err error) {
	port := via.Port()
	if port == "" {
		port = map[bool]string{true: "443", false: "80"}[via.Scheme == "https"]
	}
	dial, secured := dial(d.plain), false
	if own := dialTLSOf(d.transport); own != nil && via.Scheme == "https" {
		dial, secured = own, true
	}
	if conn, err = dial(ctx, "tcp", net.JoinHostPort(via.Hostname(), port)); err != nil {
		return nil, err
	}
	raw := conn
	stop := context.AfterFunc(ctx, func() { raw.Close() })
	defer func() {
		if !stop() && err == nil {
			err = ctx.Err()
		}
		if err != nil {
			raw.Close()
		}
	}()
	if via.Scheme == "https" && !secured {
		c := &tls.Config{MinVersion: tls.VersionTLS12}
		if d.transport.TLSClientConfig != nil {
			c = d.transport.TLSClientConfig.Clone()
		}
		c.ServerName, c.NextProtos = via.Hostname(), nil
		secured := tls.Client(conn, c)
		if err := secured.HandshakeContext(ctx); err != nil {
			return nil, err
		}
		conn = secured
	}
	header, err := d.proxyHeader(ctx, via, address)
	if err != nil {
		return nil, err
	}
	ask := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: address}, Host: address, Header: header}
	if err := ask.Write(conn); err != nil {
		return nil, err
	}
	buffered := bufio.NewReader(conn)
	resp, err := http.ReadResponse(buffered, ask) // the body is the tunnel, and stays open
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the proxy answered CONNECT with HTTP status %d", resp.StatusCode)
	}
	return tunnelConn{conn, buffered}, nil
}

// tunnelConn reads first the bytes that followed the proxy's answer.
type tunnelConn struct {
	net.Conn
	from *bufio.Reader
}

func (c tunnelConn) Read(p []byte) (int, error) { return c.from.Read(p) }

// proxyHeader returns the headers of a request to a proxy: those of the transport, and the user and
// password of its URL.
func (d grpcDialer) proxyHeader(ctx context.Context, via *url.URL, address string) (http.Header, error) {
	header := d.transport.ProxyConnectHeader.Clone()
	if d.transport.GetProxyConnectHeader != nil {
		var err error
		if header, err = d.transport.GetProxyConnectHeader(ctx, via, address); err != nil {
			return nil, err
		}
		header = header.Clone()
	}
	if header == nil {
		header = http.Header{}
	}
	if u := via.User; u != nil && header.Get("Proxy-Authorization") == "" {
		password, _ := u.Password()
		header.Set("Proxy-Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(u.Username()+":"+password)))
	}
	return header, nil
}
