package driver

import (
	"context"
	"net"
	"sync"
)

// dialer keeps the network connections that it makes, so that none outlives the connector: one
// whose network has gone away would stay open until its pings have failed.
type dialer struct {
	dial func(ctx context.Context, network, address string) (net.Conn, error)

	mu    sync.Mutex
	conns map[*dialed]struct{} // nil once closed
}

func newDialer(dial func(ctx context.Context, network, address string) (net.Conn, error)) *dialer {
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	return &dialer{dial: dial, conns: map[*dialed]struct{}{}}
}

// dialContext is for http.Transport.
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

// dialed is a connection that its dialer knows of until it is closed.
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
