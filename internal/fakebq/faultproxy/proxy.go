// Package faultproxy is a proxy of TCP, HTTP/1 and HTTP/2 frames in front of a
// fake service. It breaks single requests before the service sees them, after
// the service has answered or in the middle of the answer, and whole
// connections.
//
//	p := faultproxy.Run(t, bq.URL()) // http://... or https://...
//
// p.Inject(fakebq.Query, faultproxy.Fault{Kind: faultproxy.GoAway, Debug:
// "max_age", Close: true, At: faultproxy.After})
//
//	// ... query through p.URL() ...
//
// The proxy speaks the protocol that the client starts with: HTTP/1 or HTTP/2,
// in clear text for an http:// backend, and over TLS with the certificate of
// package fakecert for an https:// one. It also serves the gRPC of the Storage
// Read API.
package faultproxy

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/url"
	"sync"
	"time"

	"golang.org/x/net/http2"

	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
	"github.com/bigqueryuser/bigqueryuser/internal/fakecert"
)

// Exchange is a request that passes through the proxy.
type Exchange struct {
	Method fakebq.Method // see fakebq.MethodOf
	Target string        // path and query
	N      int           // counts the requests of the method, from 1
	HTTP2  bool
}

// Played is a fault that has been played.
type Played struct {
	Exchange
	Fault Fault
}

// ConnFault is a fault of a new connection.
type ConnFault int

const (
	// ConnPass serves the connection.
	ConnPass ConnFault = iota
	// ConnReset resets the connection at once.
	ConnReset
	// ConnHang accepts the connection and sends nothing: a TLS handshake does not end.
	ConnHang
)

func (f ConnFault) String() string { return [...]string{"pass", "reset", "hang"}[f] }

// Proxy is a proxy. Its methods may be called from several goroutines.
type Proxy struct {
	backend *url.URL
	addr    string
	done    chan struct{} // closed by Close
	wg      sync.WaitGroup

	mu       sync.Mutex
	listener net.Listener // nil while Down
	queues   map[fakebq.Method][]Fault
	choose   func(Exchange) Fault
	counts   map[fakebq.Method]int
	played   []Played
	newConns []ConnFault
	gone     bool // the network is gone
	conns    map[*conn]struct{}
	accepted int
	closed   bool
}

// conn is a client's connection and the one to the backend.
type conn struct {
	client, server net.Conn
	mu             sync.Mutex
	vanished       bool
}

// Run starts a proxy for a backend, given by its root URL, that listens until the test ends.
func Run(t fakebq.TB, backend string) *Proxy {
	t.Helper()
	p, err := New(backend)
	if err != nil {
		t.Fatalf("faultproxy: %v", err)
	}
	t.Cleanup(p.Close)
	return p
}

// New starts a proxy that listens until Close.
func New(backend string) (*Proxy, error) {
	u, err := url.Parse(backend)
	if err != nil {
		return nil, err
	}
	p := &Proxy{backend: u, addr: "127.0.0.1:0", done: make(chan struct{}), queues: map[fakebq.Method][]Fault{},
		counts: map[fakebq.Method]int{}, conns: map[*conn]struct{}{}}
	if err := p.Up(); err != nil {
		return nil, err
	}
	return p, nil
}

// URL returns the root URL of the proxy. Its scheme is that of the backend.
func (p *Proxy) URL() string { return p.backend.Scheme + "://" + p.addr }

// Inject adds faults for the next requests of a method, one for each. The zero Fault lets a request
// pass.
func (p *Proxy) Inject(m fakebq.Method, faults ...Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queues[m] = append(p.queues[m], faults...)
}

// Choose sets a function that returns the fault of each request without an injected one. It is
// called for one request at a time and must not call the proxy. Nil removes it.
func (p *Proxy) Choose(f func(Exchange) Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.choose = f
}

// Waiting returns the number of injected faults that have not been played.
func (p *Proxy) Waiting() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, q := range p.queues {
		n += len(q)
	}
	return n
}

// Played returns the faults played so far, oldest first.
func (p *Proxy) Played() []Played {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Played(nil), p.played...)
}

// Count returns the number of requests of a method so far.
func (p *Proxy) Count(m fakebq.Method) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.counts[m]
}

// NextConns sets the faults of the next new connections, one for each.
func (p *Proxy) NextConns(faults ...ConnFault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.newConns = append(p.newConns, faults...)
}

// Conns returns the number of open connections of clients.
func (p *Proxy) Conns() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.conns)
}

// Accepted returns the number of connections so far.
func (p *Proxy) Accepted() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.accepted
}

// Vanish makes the network vanish: no byte passes over open connections any more, and new ones hang
// until Restore. Nothing is closed.
func (p *Proxy) Vanish() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gone = true
	for c := range p.conns {
		c.vanish()
	}
}

// Restore lets new connections work again.
func (p *Proxy) Restore() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gone = false
}

// CutAll closes all open connections.
func (p *Proxy) CutAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		c.close()
	}
}

// Down stops listening, so that new connections are refused. Open ones stay.
func (p *Proxy) Down() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listener != nil {
		p.listener.Close()
		p.listener = nil
	}
}

// Up listens again, at the same address.
func (p *Proxy) Up() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listener != nil || p.closed {
		return nil
	}
	l, err := net.Listen("tcp", p.addr)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	p.listener, p.addr = l, l.Addr().String()
	p.wg.Go(func() { p.accept(l) })
	return nil
}

// Close cuts all connections and waits until all goroutines have ended.
func (p *Proxy) Close() {
	p.Down()
	p.mu.Lock()
	if !p.closed {
		p.closed = true
		close(p.done)
	}
	p.mu.Unlock()
	p.CutAll()
	p.wg.Wait()
}

func (p *Proxy) accept(l net.Listener) {
	for {
		raw, err := l.Accept()
		if err != nil {
			return
		}
		c := &conn{client: raw}
		p.mu.Lock()
		fault := ConnPass
		if len(p.newConns) > 0 {
			fault, p.newConns = p.newConns[0], p.newConns[1:]
		}
		if p.gone {
			fault = ConnHang
		}
		if p.closed {
			p.mu.Unlock()
			raw.Close()
			continue
		}
		p.accepted++
		p.conns[c] = struct{}{}
		p.wg.Go(func() {
			defer func() {
				c.close()
				p.mu.Lock()
				defer p.mu.Unlock()
				delete(p.conns, c)
			}()
			p.serve(c, fault)
		})
		p.mu.Unlock()
	}
}

// handshakeLimit bounds the proxy's part at the start of a connection.
const handshakeLimit = 10 * time.Second

func (p *Proxy) serve(c *conn, fault ConnFault) {
	switch fault {
	case ConnReset:
		c.reset()
		return
	case ConnHang:
		c.vanish()
		c.drain(c.client)
		return
	}
	client, protocol := c.client, ""
	if p.backend.Scheme == "https" {
		ctx, cancel := context.WithTimeout(context.Background(), handshakeLimit)
		defer cancel()
		secure := tls.Server(c.client, fakecert.Server("h2", "http/1.1"))
		if secure.HandshakeContext(ctx) != nil {
			return
		}
		client, protocol = secure, secure.ConnectionState().NegotiatedProtocol
	}
	r := bufio.NewReader(client)
	if protocol != "http/1.1" { // HTTP/2 in clear text starts with its preface
		text, err := r.Peek(len(http2.ClientPreface))
		if bytes.Equal(text, []byte(http2.ClientPreface)) {
			_, _ = r.Discard(len(text)) // it is there
			p.serveHTTP2(c, client, r)
			return
		}
		if err != nil && len(text) == 0 {
			return
		}
	}
	p.serveHTTP1(c, client, r)
}

// dial connects to the backend.
func (p *Proxy) dial(c *conn, protocol string) (net.Conn, error) {
	raw, err := net.DialTimeout("tcp", p.backend.Host, handshakeLimit)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.server = raw
	c.mu.Unlock()
	if p.backend.Scheme != "https" {
		return raw, nil
	}
	config := fakecert.Client()
	config.ServerName, config.NextProtos = p.backend.Hostname(), []string{protocol}
	secure := tls.Client(raw, config)
	ctx, cancel := context.WithTimeout(context.Background(), handshakeLimit)
	defer cancel()
	return secure, secure.HandshakeContext(ctx)
}

// take returns the fault of a request.
func (p *Proxy) take(httpMethod, target string, http2 bool) (Exchange, Fault) {
	m := fakebq.MethodOf(httpMethod, target)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counts[m]++
	e := Exchange{Method: m, Target: target, N: p.counts[m], HTTP2: http2}
	var f Fault
	if q := p.queues[m]; len(q) > 0 {
		f, p.queues[m] = q[0], q[1:]
	} else if p.choose != nil {
		f = p.choose(e)
	}
	if f.Kind != None {
		p.played = append(p.played, Played{e, f})
	}
	return e, f
}

func (c *conn) vanish() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.vanished = true
}

func (c *conn) isGone() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.vanished
}

// drain reads until the other side closes, and discards the bytes.
func (c *conn) drain(r net.Conn) {
	room := make([]byte, 4096)
	for {
		if _, err := r.Read(room); err != nil {
			return
		}
	}
}

// close cuts both connections.
func (c *conn) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.client.Close()
	if c.server != nil {
		c.server.Close()
	}
}

// reset closes the client's connection with a reset.
func (c *conn) reset() {
	if tcp, ok := c.client.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // otherwise it is closed regularly
	}
	c.close()
}
