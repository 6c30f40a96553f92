package auth

import (
	"crypto/subtle"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"
)

// callbackPath is the path at which the answer for a desktop client arrives.
// Google lets such a client choose port and path freely.
const callbackPath = "/oauth2/callback"

// pageWindow is how long the port stays open for the browser to load the final
// page.
const pageWindow = 2 * time.Second

// receiver waits on a loopback port for the browser to bring the answer, and
// shows the user how the sign-in ended.
type receiver struct {
	addr   string   // the bound address, host:port
	uri    *url.URL // the redirect_uri
	slot   *answerSlot
	shown  *attempt   // for the address that the terminal shows
	start  *startPage // for the browser that is opened; nil without one
	done   string     // path of the final page
	server *loopbackServer
	ready  chan struct{} // closed when server is set
	lookup func(client, server netip.AddrPort) peer
	shows  time.Duration // see pageWindow

	mu      sync.Mutex
	closing bool
	waiting sync.WaitGroup // browsers that wait for the end of the sign-in
	sent    int            // browsers that were sent to the final page
	loaded  chan struct{}  // gets a value for each that has loaded it
	final   page
	result  error         // how the sign-in ended; set before settled is closed
	settled chan struct{} // closed when final is set
}

// newReceiver listens and starts to answer. With withStart it also has a start
// page, for a browser that will be opened.
func newReceiver(cfg *Config, withStart bool) (*receiver, error) {
	port := cfg.RedirectPort
	registered, err := registeredRedirect(cfg.Client, port)
	if err != nil {
		return nil, err
	}
	var listeners []net.Listener
	if registered != nil {
		listeners, err = redirectListeners(cfg.listen, registered)
	} else {
		listeners, err = loopbackListeners(cfg.listen, port)
	}
	if err != nil {
		return nil, err
	}
	rc := &receiver{
		addr: listeners[0].Addr().String(), uri: registered, slot: newAnswerSlot(), lookup: cfg.lookup,
		shows: cfg.shows,
		ready: make(chan struct{}), settled: make(chan struct{}), loaded: make(chan struct{}, maxConns),
	}
	if rc.uri == nil {
		rc.uri = &url.URL{Scheme: "http", Host: rc.addr, Path: callbackPath}
	}
	redirect, issuer := rc.uri.String(), cfg.Client.issuer()
	rc.shown = newAttempt(rc.slot, redirect, issuer, cfg.identified())
	rc.done = rc.below("done")
	if withStart {
		rc.start = newStartPage(rc, newAttempt(rc.slot, redirect, issuer, cfg.identified()), cfg)
	}
	rc.server = serveLoopback(listeners, rc)
	close(rc.ready)
	return rc, nil
}

// path returns the escaped path of the redirect address; a redirect without one
// has "/", as in a browser.
func (rc *receiver) path() string {
	return slashed(rc.uri)
}

// below returns a path below the redirect address that cannot be guessed. It
// is below it so that a cookie for the redirect's path is also sent there.
func (rc *receiver) below(name string) string {
	return strings.TrimSuffix(rc.path(), "/") + "/" + name + "/" + randomText()
}

// address returns the full address of a page of this receiver.
func (rc *receiver) address(path string) string { return rc.uri.Scheme + "://" + rc.uri.Host + path }

// ServeHTTP answers all requests to the port. Only a GET of one of three
// addresses has an effect and, if the platform shows whose process sent it,
// only from a process of the user.
func (rc *receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	<-rc.ready
	path := r.URL.EscapedPath()
	var serve func(http.ResponseWriter, *http.Request, peer)
	switch {
	case path == rc.path():
		serve = rc.serveAnswer
	case samePath(path, rc.done):
		serve = rc.serveFinal
	case rc.start != nil && samePath(path, rc.start.path):
		serve = rc.start.serve
	}
	switch {
	case !sameHost(r.Host, rc.uri.Host):
		// A page of another site, whose name was made to resolve to this
		// machine, sent the request.
		pageHost.write(w)
		return
	case r.Method != http.MethodGet:
		w.Header().Set("Allow", "GET")
		pageMethod.write(w)
		return
	case r.URL.IsAbs() || serve == nil:
		pageNotFound.write(w)
		return
	case prefetch(r.Header):
		pagePrefetch.write(w)
		return
	}
	who := rc.peerOf(r)
	if who == peerForeign {
		pageForeign.write(w)
		return
	}
	serve(w, r, who)
}

func samePath(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// prefetch reports whether the browser only prefetches the page. The user may
// never see it, so the code must not be used up.
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

// serveAnswer takes the answer of the authorization server. The browser waits
// until the sign-in has ended and is then sent to the final page, so that
// neither the code nor the state stays in its address bar and its history.
func (rc *receiver) serveAnswer(w http.ResponseWriter, r *http.Request, _ peer) {
	// finish must wait for this browser before the answer is taken, because the
	// sign-in may end before the next line runs.
	rc.mu.Lock()
	if !rc.closing {
		rc.waiting.Add(1)
		defer rc.waiting.Done()
	}
	rc.mu.Unlock()

	err := rc.offer(r)
	switch {
	case errors.Is(err, errOtherBrowser):
		pageOtherBrowser.write(w)
		return
	case err != nil:
		pageBad.write(w)
		return
	}
	rc.server.keep(r)
	select {
	case <-rc.settled:
	case <-r.Context().Done():
		return
	}
	rc.mu.Lock()
	rc.sent++
	rc.mu.Unlock()
	// The answer must be on its way before finish closes the connection.
	ctl := http.NewResponseController(w)
	ctl.SetWriteDeadline(time.Now().Add(rc.shows))
	if rc.start != nil {
		rc.start.forget(w)
	}
	setPageHeaders(w.Header())
	w.Header().Set("Location", rc.address(rc.done))
	w.WriteHeader(http.StatusSeeOther)
	ctl.Flush()
}

// offer finds the request that an answer is for.
func (rc *receiver) offer(r *http.Request) error {
	err := rc.shown.offer(r.URL.RawQuery)
	if err == nil || rc.start == nil || !errors.Is(err, errBadState) {
		return err
	}
	return rc.start.offer(r)
}

// serveFinal shows how the sign-in ended, to a browser that was sent here.
func (rc *receiver) serveFinal(w http.ResponseWriter, _ *http.Request, _ peer) {
	select {
	case <-rc.settled:
	default:
		pageNotFound.write(w)
		return
	}
	ctl := http.NewResponseController(w)
	ctl.SetWriteDeadline(time.Now().Add(rc.shows))
	rc.final.write(w)
	ctl.Flush()
	select {
	case rc.loaded <- struct{}{}:
	default: // finish does not wait for more of them
	}
}

// finish tells the user how the sign-in ended. The port stays open until the
// browsers that brought an answer have loaded the final page, for pageWindow at
// most.
func (rc *receiver) finish(final page, result error) {
	rc.mu.Lock()
	rc.closing = true
	rc.mu.Unlock()
	rc.final, rc.result = final, result
	close(rc.settled)
	rc.waiting.Wait() // bounded by the write deadline
	timer := time.NewTimer(rc.shows)
	defer timer.Stop()
	rc.mu.Lock()
	sent := rc.sent
	rc.mu.Unlock()
	for range sent {
		select {
		case <-rc.loaded:
		case <-timer.C:
			return
		}
	}
}

// close frees the port.
func (rc *receiver) close() { rc.server.close() }

// paste takes the address that a browser ended at, waits for the end of the
// sign-in and returns how it ended. The errors are meant for the user.
func (rc *receiver) paste(text string) error {
	if err := rc.shown.paste(text); err != nil {
		if rc.start != nil && rc.start.owns(text) {
			return errors.New("only the browser that was opened can use this address; " +
				"open the address that is shown here, and paste the one at which it ends")
		}
		return err
	}
	<-rc.settled
	return rc.result
}

// finalPage returns the page for the outcome of a sign-in.
func finalPage(err error, unsaved bool, rec *Record) page {
	if err == nil {
		p := pageDone
		if unsaved {
			p = pageUnsaved
		}
		if rec != nil {
			p.Account, p.Scopes = printable(rec.Account), shortNames(rec.Granted)
		}
		return p
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
