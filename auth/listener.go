package auth

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// maxConns limits the connections to the loopback port. Beyond it, the
	// oldest one that has not brought the answer is closed, so that a process
	// can't keep the browser out by opening many.
	maxConns     = 128
	maxHeader    = 16 << 10
	headerWindow = 5 * time.Second
)

type listenFunc = func(network, address string) (net.Listener, error)

// loopbackListeners listens on the loopback address only. It never listens on a
// name, which may resolve to another address, nor on all interfaces. It uses
// [::1] if there is no 127.0.0.1 (RFC 8252, section 7.3).
func loopbackListeners(listen listenFunc, port int) ([]net.Listener, error) {
	ln, err := listen("tcp4", net.JoinHostPort("127.0.0.1", itoa(port)))
	if err == nil {
		return []net.Listener{ln}, nil
	}
	if hasFamily(listen, "tcp4", "127.0.0.1") {
		return nil, portError("127.0.0.1", port, err)
	}
	if ln, err = listen("tcp6", net.JoinHostPort("::1", itoa(port))); err == nil {
		return []net.Listener{ln}, nil
	}
	if hasFamily(listen, "tcp6", "::1") {
		return nil, portError("[::1]", port, err)
	}
	return nil, errNoLoopback
}

var errNoLoopback = &Error{Op: "sign-in", Description: "the program can't listen on any port of the loopback interface"}

// redirectListeners listens at a registered redirect address. For localhost a
// browser tries both families, so redirectListeners listens on all that the
// machine has: otherwise another user's program could get the code at the other
// one.
func redirectListeners(listen listenFunc, redirect *url.URL) ([]net.Listener, error) {
	families := map[string][][2]string{
		"127.0.0.1": {{"tcp4", "127.0.0.1"}},
		"::1":       {{"tcp6", "::1"}},
		"localhost": {{"tcp4", "127.0.0.1"}, {"tcp6", "::1"}},
	}[strings.ToLower(redirect.Hostname())]
	port := portOf(redirect)
	var listeners []net.Listener
	for _, family := range families {
		ln, err := listen(family[0], net.JoinHostPort(family[1], itoa(port)))
		if err == nil {
			listeners = append(listeners, ln)
			continue
		}
		if hasFamily(listen, family[0], family[1]) {
			for _, ln := range listeners {
				ln.Close()
			}
			return nil, portError(family[1], port, err)
		}
	}
	if listeners == nil {
		return nil, errNoLoopback
	}
	return listeners, nil
}

// hasFamily reports whether the machine has a loopback address at all.
func hasFamily(listen listenFunc, network, host string) bool {
	probe, err := listen(network, net.JoinHostPort(host, "0"))
	if err != nil {
		return false
	}
	probe.Close()
	return true
}

// portError says why the program can't listen on a port.
func portError(host string, port int, err error) *Error {
	if errors.Is(err, fs.ErrPermission) {
		return configError("sign-in",
			"port "+itoa(port)+" of "+host+" is reserved: this user may not listen on ports below 1024",
			"register a redirect with a higher port, such as http://127.0.0.1:8085/, or choose another redirect port")
	}
	return configError("sign-in",
		"port "+itoa(port)+" of "+host+" cannot be used, probably because another program has it",
		"end that program, or choose another redirect port (0 = any free one)")
}

// loopbackServer is an http.Server on a listener that hostile processes on the
// same machine can reach too.
type loopbackServer struct {
	srv    *http.Server
	served sync.WaitGroup

	mu    sync.Mutex
	conns []net.Conn // open ones, the oldest first
	kept  map[net.Conn]bool
}

type connKey struct{}

func serveLoopback(listeners []net.Listener, handler http.Handler) *loopbackServer {
	s := &loopbackServer{kept: map[net.Conn]bool{}}
	s.srv = &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerWindow,
		IdleTimeout:       headerWindow,
		MaxHeaderBytes:    maxHeader,
		// The handler also answers "OPTIONS *".
		DisableGeneralOptionsHandler: true,

		ErrorLog:  log.New(io.Discard, "", 0), // it would quote requests of strangers
		ConnState: s.track,
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, connKey{}, c)
		},
	}
	s.srv.SetKeepAlivesEnabled(false)
	for _, ln := range listeners {
		s.served.Go(func() { s.srv.Serve(ln) })
	}
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
	s.served.Wait()
}
