package driver

import (
	"context"
	"net"
	"net/http"
	"sync"
)

//lint:file-ignore SA1019 a program's transport can have the old dialers

// dial connects to an address.
type dial = func(ctx context.Context, network, address string) (net.Conn, error)

// dialOf returns the dialer of a transport, as net/http chooses it: DialContext before Dial, and
// the standard library's if it has neither.
func dialOf(t *http.Transport) dial {
	switch {
	case t.DialContext != nil:
		return t.DialContext
	case t.Dial != nil:
		return untilEnd(t.Dial)
	}
	return new(net.Dialer).DialContext
}

// dialTLSOf returns the dialer of a transport for TLS connections; nil if it has none. Such a
// connection has completed its handshake, or completes it with the first byte.
func dialTLSOf(t *http.Transport) dial {
	switch {
	case t.DialTLSContext != nil:
		return t.DialTLSContext
	case t.DialTLS != nil:
		return untilEnd(t.DialTLS)
	}
	return nil
}

// untilEnd returns a dialer that returns when its context ends.
func untilEnd(old func(network, address string) (net.Conn, error)) dial {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		type dialled struct {
			conn net.Conn
			err  error
		}
		got := make(chan dialled, 1)
		go func() {
			conn, err := old(network, address)
			got <- dialled{conn, err}
		}()
		select {
		case d := <-got:
			return d.conn, d.err
		case <-ctx.Done():
			go func() { // too late: nothing uses the connection
				if d := <-got; d.err == nil {
					d.conn.Close()
				}
			}()
			return nil, ctx.Err()
		}
	}
}

// dialer tracks its network connections, so that closing the connector closes them. A connection
// whose network has vanished would otherwise stay open until its pings have failed. Connections of
// a program's DialTLSContext are not tracked: net/http must see their type to speak HTTP/2 on them.
type dialer struct {
	dial dial

	mu    sync.Mutex
	conns map[*dialed]struct{} // nil once closed
}

func newDialer(d dial) *dialer { return &dialer{dial: d, conns: map[*dialed]struct{}{}} }

// dialContext returns the DialContext of an http.Transport.
func (d *dialer) dialContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := d.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	made := &dialed{Conn: conn, dialer: d}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.conns == nil {
		conn.Close()
		return nil, net.ErrClosed
	}
	d.conns[made] = struct{}{}
	return made, nil
}

// close closes all connections.
func (d *dialer) close() {
	d.mu.Lock()
	conns := d.conns
	d.conns = nil
	d.mu.Unlock()
	for conn := range conns {
		_ = conn.Conn.Close()
	}
}

// dialed is a connection that its dialer tracks until it is closed.
type dialed struct {
	net.Conn
	dialer *dialer
}

func (c *dialed) Close() error {
	c.dialer.mu.Lock()
	delete(c.dialer.conns, c)
	c.dialer.mu.Unlock()
	return c.Conn.Close()
}
