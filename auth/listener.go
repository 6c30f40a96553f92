package auth

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

const (
	// maxConns bounds the connections to the loopback port. When there are
	// more, the oldest that has not brought the answer has to go, so that
	// nobody can keep the browser out by opening many.
	maxConns     = 128
	maxHeader    = 16 << 10
	headerWindow = 5 * time.Second
)

// loopbackListener listens on the loopback address only: never on a name,
// which may resolve to something else, nor on all interfaces. [::1] is used
// where there is no 127.0.0.1 (RFC 8252, section 7.3).
func loopbackListener(listen func(network, address string) (net.Listener, error), port int) (net.Listener, error) {
	ln, err := listen("tcp4", net.JoinHostPort("127.0.0.1", itoa(port)))
	if err == nil {
		return ln, nil
	}
	if port != 0 {
		// Is it the port, or is there no IPv4 loopback?
		if probe, perr := listen("tcp4", "127.0.0.1:0"); perr == nil {
			probe.Close()
			return nil, configError("sign-in",
				"port "+itoa(port)+" of 127.0.0.1 cannot be used, probably because another program has it",
				"end that program, or choose another redirect port (0 = any free one)")
		}
	}
	if ln, err = listen("tcp6", net.JoinHostPort("::1", itoa(port))); err == nil {
		return ln, nil
	}
	return nil, &Error{Op: "sign-in", Description: "no port of the loopback interface can be listened on"}
}

// loopbackServer is an http.Server on a listener that an unfriendly process on
// the same machine can reach too.
type loopbackServer struct {
	srv    *http.Server
	served chan struct{}

	mu    sync.Mutex
	conns []net.Conn // open ones, the oldest first
	kept  map[net.Conn]bool
}

type connKey struct{}

func serveLoopback(ln net.Listener, handler http.Handler) *loopbackServer {
	s := &loopbackServer{served: make(chan struct{}), kept: map[net.Conn]bool{}}
	s.srv = &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerWindow,
		IdleTimeout:       headerWindow,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          log.New(io.Discard, "", 0), // it would quote what strangers send
		ConnState:         s.track,
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, connKey{}, c)
		},
	}
	s.srv.SetKeepAlivesEnabled(false)
	go func() {
		defer close(s.served)
		s.srv.Serve(ln)
	}()
	return s
}

func (s *loopbackServer) track(c net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch state {
	case http.StateNew:
		s.conns = append(s.conns, c)
		if len(s.conns) > maxConns {
			if i := slices.IndexFunc(s.conns, func(c net.Conn) bool { return !s.kept[c] }); i >= 0 {
				s.conns[i].Close()
				s.conns = slices.Delete(s.conns, i, i+1)
			}
		}
	case http.StateClosed, http.StateHijacked:
		if i := slices.Index(s.conns, c); i >= 0 {
			s.conns = slices.Delete(s.conns, i, i+1)
		}
		delete(s.kept, c)
	}
}

// keep exempts the connection of a request from being closed for newer ones.
func (s *loopbackServer) keep(r *http.Request) {
	if c, ok := r.Context().Value(connKey{}).(net.Conn); ok {
		s.mu.Lock()
		s.kept[c] = true
		s.mu.Unlock()
	}
}

// close frees the port and ends all connections.
func (s *loopbackServer) close() {
	s.srv.Close()
	<-s.served
}
