package faultproxy

import (
	"net"
	"sync"
)

// Stuck returns a connection that writes room bytes at most. A Write beyond them blocks until Close, as if nothing
// read at the other end.
func Stuck(conn net.Conn, room int) net.Conn {
	return &stuckConn{Conn: conn, room: room, closed: make(chan struct{})}
}

type stuckConn struct {
	net.Conn
	room   int
	closed chan struct{}
	once   sync.Once
}

func (c *stuckConn) Write(p []byte) (int, error) {
	if c.room -= len(p); c.room >= 0 {
		return c.Conn.Write(p)
	}
	<-c.closed
	return 0, net.ErrClosed
}

func (c *stuckConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}
