package auth

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// callbackPath is where the answer arrives for a desktop client. Google lets
// such a client choose port and path freely.
const callbackPath = "/oauth2/callback"

// receiver waits on a loopback port for the browser to bring the answer, and
// tells the person how it ended.
type receiver struct {
	addr    string   // the bound address, host:port
	uri     *url.URL // the redirect_uri
	attempt *attempt
	server  *loopbackServer
	ready   chan struct{} // closed when server is set

	mu      sync.Mutex
	closing bool
	waiting sync.WaitGroup // browsers that wait for, or get, the final page
	final   page
	settled chan struct{} // closed when final is set
}

// newReceiver listens and starts to answer.
func newReceiver(cfg *Config, withID bool) (*receiver, error) {
	port := cfg.RedirectPort
	registered, err := registeredRedirect(cfg.Client, port)
	if err != nil {
		return nil, err
	}
	if registered != nil {
		port = portOf(registered)
	}
	ln, err := loopbackListener(cfg.listen, port)
	if err != nil {
		return nil, err
	}
	rc := &receiver{
		addr: ln.Addr().String(), uri: registered,
		ready: make(chan struct{}), settled: make(chan struct{}),
	}
	if rc.uri == nil {
		rc.uri = &url.URL{Scheme: "http", Host: rc.addr, Path: callbackPath}
	}
	rc.attempt = newAttempt(rc.uri.String(), cfg.Client.issuer(), withID)
	rc.server = serveLoopback(ln, rc)
	close(rc.ready)
	return rc, nil
}

// registeredRedirect chooses among a web client's addresses; nil for a desktop
// client, which may use any. A web client's address has to be used to the
// letter, even if it says localhost.
func registeredRedirect(c *Client, port int) (*url.URL, error) {
	if c.redirects == nil {
		return nil, nil
	}
	for _, u := range c.redirects {
		if port == 0 || port == portOf(u) {
			return u, nil
		}
	}
	return nil, configError("configuration", "the web client has no loopback redirect on port "+itoa(port),
		"add http://127.0.0.1:"+itoa(port)+"/ to its redirect URIs, or make a client of type \"Desktop app\"")
}

func portOf(u *url.URL) int {
	port, err := net.LookupPort("tcp", u.Port())
	if err != nil || u.Port() == "" {
		return 80
	}
	return port
}

// ServeHTTP answers whatever arrives at the port. Only a GET of the exact
// address with the right state has any effect.
func (rc *receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	<-rc.ready
	path := rc.uri.Path
	if path == "" {
		path = "/"
	}
	switch {
	case r.Host != rc.uri.Host:
		// A page of another site whose name was made to resolve to this machine.
		pageHost.write(w)
	case r.Method != http.MethodGet:
		w.Header().Set("Allow", "GET")
		pageMethod.write(w)
	case r.URL.IsAbs() || r.URL.Path != path || r.URL.RawPath != "":
		pageNotFound.write(w)
	case prefetch(r.Header):
		pagePrefetch.write(w)
	default:
		rc.serveAnswer(w, r)
	}
}

// prefetch reports whether the browser only loads ahead: the person may never
// see the page, so the code must not be used up.
func prefetch(h http.Header) bool {
	for _, key := range []string{"Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"} {
		value := strings.ToLower(h.Get(key))
		if strings.Contains(value, "prefetch") || strings.Contains(value, "prerender") ||
			strings.Contains(value, "preview") {
			return true
		}
	}
	return false
}

func (rc *receiver) serveAnswer(w http.ResponseWriter, r *http.Request) {
	// First of all finish is made to wait for this browser: once the answer is
	// taken the end may come faster than the next line is reached.
	rc.mu.Lock()
	if !rc.closing {
		rc.waiting.Add(1)
		defer rc.waiting.Done()
	}
	rc.mu.Unlock()

	final := pageBad
	if err := rc.attempt.offer(r.URL.RawQuery); err == nil {
		rc.server.keep(r)
		select {
		case <-rc.settled:
			final = rc.final
		case <-r.Context().Done():
			return
		}
	}
	// The page must be on its way before finish closes the connection.
	ctl := http.NewResponseController(w)
	ctl.SetWriteDeadline(time.Now().Add(2 * time.Second))
	final.write(w)
	ctl.Flush()
}

// finish tells the person how the sign-in ended and frees the port.
func (rc *receiver) finish(final page) {
	rc.mu.Lock()
	rc.closing = true
	rc.mu.Unlock()
	rc.final = final
	close(rc.settled)
	rc.waiting.Wait() // bounded by the write deadline
	rc.server.close()
}

// finalPage is the page for the outcome of a sign-in.
func finalPage(err error, unsaved bool) page {
	switch {
	case err == nil && unsaved:
		return pageUnsaved
	case err == nil:
		return pageDone
	}
	p := pageFailed
	if errors.Is(err, ErrConsentDenied) {
		p = pageRefused
	}
	if e, ok := errors.AsType[*Error](err); ok {
		p.Detail = e.Code
	}
	return p
}
